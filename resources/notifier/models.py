"""The tables of the outbox. How they come to exist is told in `migrations/`; who reads and writes them, in `outbox.py`."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from resources.tables import Moment

metadata = MetaData()


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
