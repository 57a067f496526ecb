"""How sending goes on: what is due, what is being sent, what became of it, when it is tried again and when no more.

Each function is one step of a transaction that `outbox.py` opens.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from resources.notifier.message import Outcome
from resources.notifier.models import delivery, notice
from resources.notifier.shapes import MAIL, Batch, State, Told

_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=2)
_GIVEN_UP_AFTER = timedelta(days=1)


def recover(connection: Connection) -> int:
    """A mail of unknown outcome is sent again under its own name, anything else never."""
    sending = delivery.c.state == "sending"
    mails = update(delivery).where(sending, delivery.c.channel == MAIL).values(state="unsure")
    others = update(delivery).where(sending, delivery.c.channel != MAIL).values(state="unknown")
    return sum(connection.execute(each).rowcount for each in (mails, others))


def drop_moot(
    connection: Connection,
    present: Collection[tuple[str, str, str, str]],
    kinds: Collection[str],
    unread: Collection[str],
) -> int:
    """Forget what was done before anybody was told."""
    dropped = 0
    for row in _rows(connection, "waiting"):
        key = (row.person, row.kind, row.subject, row.cause)
        if row.kind in kinds and row.stream not in unread and key not in present:
            connection.execute(_of(row.channel, [row.number]).values(state="moot"))
            dropped += 1
    return dropped


def due(connection: Connection, at: datetime, pause_minutes: int) -> list[Batch]:
    """Unsure mails as they were; of everything else one batch per channel and recipient, when none of it must wait longer."""
    unsure: defaultdict[tuple[str, str, str], list[Row[Any]]] = defaultdict(list)
    waiting: defaultdict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for row in _rows(connection, "unsure"):
        unsure[row.channel, row.recipient, row.digest].append(row)
    for row in _rows(connection, "waiting"):
        waiting[row.channel, row.recipient].append(row)
    batches = [
        Batch(*key, notices=_told(rows), is_unsure=True)
        for key, rows in unsure.items()
        if all(row.next_at <= at for row in rows)
    ]
    last = _last_told(connection)
    pause = timedelta(minutes=pause_minutes)
    for key, rows in waiting.items():
        before = last.get(key)
        if all(row.next_at <= at for row in rows) and (before is None or before + pause <= at):
            batches.append(Batch(*key, digest=_name(key, rows, at), notices=_told(rows)))
    return sorted(batches, key=lambda batch: batch.notices[0].number)


def begin(connection: Connection, batch: Batch, at: datetime) -> None:
    values = {"state": "sending", "digest": batch.digest, "tried_at": at}
    connection.execute(_of_batch(batch).values(**values, attempts=delivery.c.attempts + 1))


def finish(connection: Connection, batch: Batch, outcome: Outcome, at: datetime) -> int:
    """Sent, given up, or to be tried again after a pause that doubles; returns how many notices were given up."""
    said = {"reason": outcome.reason}
    again: State = "unsure" if batch.is_unsure else "waiting"
    match outcome.result:
        case "sent":
            connection.execute(_of_batch(batch).values(**said, state="sent"))
            return 0
        case "refused":
            connection.execute(_of_batch(batch).values(**said, state="given_up"))
            return len(batch.notices)
        case "unknown" if batch.channel != MAIL:
            connection.execute(_of_batch(batch).values(**said, state="unknown"))
            return 0
        case "unknown":
            again = "unsure"
        case "failed" | "down":
            pass
    given_up = [each.number for each in batch.notices if each.noted_at + _GIVEN_UP_AFTER <= at]
    if given_up:
        connection.execute(_of(batch.channel, given_up).values(**said, state="given_up"))
    kept = [each.number for each in batch.notices if each.number not in given_up]
    if kept:
        attempts = connection.execute(
            select(func.max(delivery.c.attempts)).where(
                delivery.c.channel == batch.channel, delivery.c.notice.in_(kept)
            )
        ).scalar_one()
        pause = min(_FIRST_PAUSE * 2 ** max(attempts - 1, 0), _LONGEST_PAUSE)
        connection.execute(_of(batch.channel, kept).values(**said, state=again, next_at=at + pause))
    return len(given_up)


def _rows(connection: Connection, state: State) -> list[Row[Any]]:
    asked = select(notice, delivery).join(delivery, delivery.c.notice == notice.c.number)
    return list(connection.execute(asked.where(delivery.c.state == state).order_by(notice.c.number)))


def _last_told(connection: Connection) -> dict[tuple[str, str], datetime]:
    told = delivery.c.state.in_(("sent", "unknown", "unsure"))
    asked = select(delivery.c.channel, delivery.c.recipient, func.max(delivery.c.tried_at)).where(told)
    found = connection.execute(asked.group_by(delivery.c.channel, delivery.c.recipient))
    return {(channel, recipient): at for channel, recipient, at in found}


def _told(rows: list[Row[Any]]) -> tuple[Told, ...]:
    return tuple(Told(**{name: getattr(row, name) for name in Told.__dataclass_fields__}) for row in rows)


def _name(key: tuple[str, str], rows: list[Row[Any]], at: datetime) -> str:
    """Another name for every digest, also where numbers begin anew."""
    named = "\n".join((*key, at.isoformat(), *(str(row.number) for row in rows)))
    return hashlib.sha256(named.encode()).hexdigest()[:32]


def _of_batch(batch: Batch) -> Any:
    return _of(batch.channel, [each.number for each in batch.notices])


def _of(channel: str, numbers: list[int]) -> Any:
    return update(delivery).where(delivery.c.channel == channel, delivery.c.notice.in_(numbers))
