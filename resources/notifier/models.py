"""The tables of the outbox. How they come to exist is told in `migrations/`; who reads and writes them, in `outbox.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """An aware time as text in UTC with microseconds, so that texts compare as the times do."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "times are aware"
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


notice = Table(
    "notice",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("person", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("cause", Text, nullable=False, comment="stream:sequence of the event in the ledger"),
    Column("stream", Text, nullable=False),
    Column("count", Integer, nullable=False),
    Column("due", Date),
    Column("noted_at", Moment, nullable=False),
    Column("read_at", Moment, comment="NULL until the person marked it in the desk"),
    UniqueConstraint("person", "kind", "subject", "cause", name="uq_notice_person"),
    Index("ix_notice_unread", "person", "read_at"),
)

delivery = Table(
    "notice_delivery",
    metadata,
    Column("notice", Integer, ForeignKey(notice.c.number), primary_key=True),
    Column("channel", Text, primary_key=True, comment="mail, or webhook:NAME"),
    Column(
        "recipient", Text, nullable=False, comment="whose digest: the person for mail, nobody's for a webhook"
    ),
    Column("state", Text, nullable=False, comment="waiting, sending, unsure, sent, unknown, moot, given_up"),
    Column("digest", Text, comment="of the last attempt; the same again while its outcome is unsure"),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", Moment),
    Column("next_at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
    Index("ix_notice_delivery_state", "state", "next_at"),
    Index("ix_notice_delivery_recipient", "channel", "recipient", "tried_at"),
)
