"""Lock-out: how often somebody may fail, counted per user id and per client. What a failure is, is told elsewhere.

An attempt is counted *before* its answer is known and withdrawn when it was right, so a hundred at the same moment are
not a hundred guesses. User ids are counted whether they exist or not, and only as hashes: people type passwords there.
All functions work inside the caller's writing transaction.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from resources.accounts.codes import digest, new_token
from resources.accounts.models import attempt, lock_out
from resources.accounts.policy import Limit

_IPV6_PREFIX = 64  # what one customer of a provider has; all its addresses are one client


@dataclass(frozen=True)
class Counted:
    """One subject of an attempt, with the limit that it goes by."""

    subject: str
    limit: Limit


@dataclass(frozen=True)
class Attempt:
    """An attempt under way: the rows that count it."""

    counted: tuple[Counted, ...]
    rows: tuple[str, ...]


def account_subject(user_id: str) -> str:
    return digest("account", user_id)


def client_subject(address: str) -> str:
    """The client's network: an IPv4 address, an IPv6 /64, or whatever text a proxy gave."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return digest("client", address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return digest("client", str(ip.ipv4_mapped))
        return digest("client", str(ipaddress.ip_network((ip.packed, _IPV6_PREFIX), strict=False)))
    return digest("client", str(ip))


def reserve(connection: Connection, counted: Sequence[Counted], now: datetime) -> Attempt | None:
    """Count one more attempt of all these subjects; None, and nothing counted, where one of them may not try now."""
    for each in counted:
        connection.execute(
            delete(attempt).where(attempt.c.subject == each.subject, attempt.c.at <= now - each.limit.within)
        )
        until = locked_until(connection, each.subject, now)
        if until is not None or _tried(connection, each.subject) >= each.limit.failures:
            return None
    rows = tuple(new_token() for _ in counted)
    for row, each in zip(rows, counted, strict=True):
        connection.execute(insert(attempt).values(id=row, subject=each.subject, at=now))
    return Attempt(tuple(counted), rows)


def withdraw(connection: Connection, tried: Attempt) -> None:
    """The attempt was no failure; earlier ones still count."""
    connection.execute(delete(attempt).where(attempt.c.id.in_(tried.rows)))


def fail(connection: Connection, tried: Attempt, now: datetime) -> dict[str, datetime]:
    """The attempt was a failure: it stays counted. The subjects that are locked by it, and until when."""
    locked: dict[str, datetime] = {}
    for each in tried.counted:
        if _tried(connection, each.subject) >= each.limit.failures:
            locked[each.subject] = _lock(connection, each, now)
    return locked


def forgive(connection: Connection, subject: str) -> None:
    """Forget failures and locks of the subject: it proved itself, or an administrator says so."""
    connection.execute(delete(attempt).where(attempt.c.subject == subject))
    connection.execute(delete(lock_out).where(lock_out.c.subject == subject))


def locked_until(connection: Connection, subject: str, now: datetime) -> datetime | None:
    until = connection.execute(select(lock_out.c.until).where(lock_out.c.subject == subject)).scalar()
    return until if until is not None and until > now else None


def sweep(connection: Connection, limits: Sequence[Limit], now: datetime) -> None:
    """Remove what counts for nothing any more, so that made-up names do not fill the tables."""
    longest = max(limit.within for limit in limits)
    connection.execute(delete(attempt).where(attempt.c.at <= now - longest))
    remembered = max(limit.longest_lock for limit in limits)
    connection.execute(delete(lock_out).where(lock_out.c.until <= now - remembered))


def _tried(connection: Connection, subject: str) -> int:
    counting = select(func.count()).select_from(attempt).where(attempt.c.subject == subject)
    return connection.execute(counting).scalar_one()


def _lock(connection: Connection, each: Counted, now: datetime) -> datetime:
    earlier = connection.execute(select(lock_out).where(lock_out.c.subject == each.subject)).one_or_none()
    is_remembered = earlier is not None and now < earlier.until + each.limit.longest_lock
    times = earlier.times + 1 if earlier is not None and is_remembered else 1
    until = now + each.limit.lock(times)
    if earlier is None:
        connection.execute(insert(lock_out).values(subject=each.subject, until=until, times=times))
    else:
        connection.execute(
            update(lock_out).where(lock_out.c.subject == each.subject).values(until=until, times=times)
        )
    connection.execute(delete(attempt).where(attempt.c.subject == each.subject))
    return until
