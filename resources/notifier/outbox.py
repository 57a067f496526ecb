"""The outbox: what people were told, once each, and over which channels it still has to go. How sending goes on is `queue.py`.

Notices are no decisions, so they are not in the ledger; losing the outbox tells people once more and changes nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from sqlalchemy import Engine, Row, func, insert, select, update

from resources.notifier import database, queue
from resources.notifier.message import Outcome
from resources.notifier.models import delivery, notice
from resources.notifier.shapes import MAIL, Batch, Delivered, New, Told


class Outbox:
    """One home's outbox. Use as a context manager or call `close`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, found: Iterable[New], at: datetime) -> int:
        """Note what nobody noted before; returns how many that were."""
        added = 0
        with database.writing(self._engine) as connection:
            columns = (notice.c.person, notice.c.kind, notice.c.subject, notice.c.cause)
            known = {tuple(row) for row in connection.execute(select(*columns))}
            for each in found:
                if each.key in known:
                    continue
                known.add(each.key)
                values = {name: getattr(each, name) for name in _OF_NEW}
                made = connection.execute(insert(notice).values(**values, noted_at=at))
                number = made.inserted_primary_key[0] if made.inserted_primary_key else None
                waiting = [
                    {
                        "notice": number,
                        "channel": channel,
                        "recipient": each.person if channel == MAIL else "",
                        "state": "waiting",
                        "attempts": 0,
                        "next_at": at,
                        "reason": "",
                    }
                    for channel in each.channels
                ]
                if waiting:
                    connection.execute(insert(delivery), waiting)
                added += 1
        return added

    def recover(self) -> int:
        """What a killed process was sending: a mail is unsure and sent again, a webhook's message stays unknown. How many notices.

        Only for whoever holds the lock under which all sending is done.
        """
        with database.writing(self._engine) as connection:
            return queue.recover(connection)

    def drop_moot(
        self, present: Collection[tuple[str, str, str, str]], kinds: Collection[str], unread: Collection[str]
    ) -> int:
        """What waits to be told but does not wait for the person any more: of these kinds, not of streams that could not be read."""
        with database.writing(self._engine) as connection:
            return queue.drop_moot(connection, present, kinds, unread)

    def due(self, at: datetime, pause_minutes: int) -> list[Batch]:
        """What may go out now: one batch per channel and recipient, none within the pause after the one before."""
        with database.reading(self._engine) as connection:
            return queue.due(connection, at, pause_minutes)

    def begin(self, batch: Batch, at: datetime) -> None:
        """Say that it is being sent, before its first byte."""
        with database.writing(self._engine) as connection:
            queue.begin(connection, batch, at)

    def finish(self, batch: Batch, outcome: Outcome, at: datetime) -> int:
        """Say what became of it; how many notices were given up with that."""
        with database.writing(self._engine) as connection:
            return queue.finish(connection, batch, outcome, at)

    def told(self, person: str, limit: int = 200) -> list[Told]:
        """What a person was told, the newest first."""
        asked = select(notice).where(notice.c.person == person)
        with database.reading(self._engine) as connection:
            rows = connection.execute(asked.order_by(notice.c.number.desc()).limit(limit))
            return [told_of(row) for row in rows]

    def unread(self, person: str) -> int:
        """How many of them the person has not marked as read."""
        asked = select(func.count()).where(notice.c.person == person, notice.c.read_at.is_(None))
        with database.reading(self._engine) as connection:
            return connection.execute(asked).scalar_one()

    def mark_read(self, person: str, up_to: int, at: datetime) -> None:
        """Mark the person's notices up to this number: what came while the page was open stays unread."""
        theirs = (notice.c.person == person, notice.c.number <= up_to, notice.c.read_at.is_(None))
        with database.writing(self._engine) as connection:
            connection.execute(update(notice).where(*theirs).values(read_at=at))

    def deliveries(self, limit: int, person: str | None = None) -> list[Delivered]:
        """How the telling stands, the newest first; what stands in the desk alone is told."""
        asked = select(notice, delivery).outerjoin(delivery, delivery.c.notice == notice.c.number)
        if person is not None:
            asked = asked.where(notice.c.person == person)
        with database.reading(self._engine) as connection:
            rows = connection.execute(asked.order_by(notice.c.number.desc(), delivery.c.channel).limit(limit))
            return [
                Delivered(
                    notice=told_of(row),
                    channel=row.channel or "desk",
                    state=row.state or "sent",
                    attempts=row.attempts or 0,
                    tried_at=row.tried_at,
                    reason=row.reason or "",
                )
                for row in rows
            ]


def told_of(row: Row[Any]) -> Told:
    """A notice from a row that has its columns."""
    return Told(**{name: getattr(row, name) for name in Told.__dataclass_fields__})


_OF_NEW = tuple(name for name in New.__dataclass_fields__ if name != "channels")


def open_outbox(home: Path) -> Outbox:
    """The outbox of a home, made if there is none."""
    return Outbox(database.open_engine(home))
