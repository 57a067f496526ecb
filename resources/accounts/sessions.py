"""Server-side sessions: begun, found by their token, rotated, ended. Whether somebody may have one is told elsewhere.

The token is 256 random bits; only its SHA-256 is kept, so a copy of the database opens no session. All functions work
inside the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from resources.accounts.codes import digest, new_token
from resources.accounts.models import session
from resources.accounts.policy import AccountPolicy
from resources.accounts.shapes import Client, Means, Session


def begin(
    connection: Connection, user_id: str, client: Client, now: datetime, means: Means
) -> tuple[str, Session]:
    """A new session that was authenticated now, and its token."""
    token = new_token()
    begun = Session(new_token()[:16], user_id, now, now, now, client, new_token(), means)
    connection.execute(
        insert(session).values(
            id=begun.id,
            token_hash=_hash(token),
            user_id=user_id,
            begun_at=now,
            last_seen_at=now,
            authenticated_at=now,
            client_address=client.address,
            user_agent=client.user_agent,
            csrf_secret=begun.csrf_secret,
            means=means,
        )
    )
    return token, begun


def find(connection: Connection, token: str, policy: AccountPolicy, now: datetime) -> Session | None:
    """The session of the token, if it is still to be had."""
    asked = select(session).where(session.c.token_hash == _hash(token), ~_is_over(policy, now))
    row = connection.execute(asked).one_or_none()
    return None if row is None else _session(row)


def of_user(connection: Connection, user_id: str, policy: AccountPolicy, now: datetime) -> list[Session]:
    asked = select(session).where(session.c.user_id == user_id, ~_is_over(policy, now))
    return [_session(row) for row in connection.execute(asked.order_by(session.c.begun_at, session.c.id))]


def see(connection: Connection, found: Session, now: datetime) -> None:
    """Write down that the session was used."""
    connection.execute(update(session).where(session.c.id == found.id).values(last_seen_at=now))


def rotate(connection: Connection, token: str, now: datetime, means: Means) -> str | None:
    """A new token and CSRF secret for a session that was authenticated anew; None where the old token holds no more."""
    fresh = new_token()
    changed = connection.execute(
        update(session)
        .where(session.c.token_hash == _hash(token))
        .values(
            token_hash=_hash(fresh),
            csrf_secret=new_token(),
            authenticated_at=now,
            last_seen_at=now,
            means=means,
        )
    )
    return fresh if changed.rowcount == 1 else None


def end(connection: Connection, session_id: str) -> str | None:
    """End the session of this id; whose it was, None where there is none."""
    ended = delete(session).where(session.c.id == session_id).returning(session.c.user_id)
    return connection.execute(ended).scalar()


def end_of_user(connection: Connection, user_id: str, *, keep: str | None = None) -> int:
    """End all sessions of the user, or all but the one of this id; how many there were."""
    ending = delete(session).where(session.c.user_id == user_id)
    return connection.execute(ending if keep is None else ending.where(session.c.id != keep)).rowcount


def sweep(connection: Connection, policy: AccountPolicy, now: datetime) -> list[Session]:
    """Remove what is over by time; those that were removed."""
    over = [_session(row) for row in connection.execute(select(session).where(_is_over(policy, now)))]
    if over:
        connection.execute(delete(session).where(session.c.id.in_([each.id for each in over])))
    return over


def _is_over(policy: AccountPolicy, now: datetime) -> ColumnElement[bool]:
    return or_(
        session.c.last_seen_at <= now - policy.session_idle, session.c.begun_at <= now - policy.session_lasts
    )


def _session(row: Any) -> Session:
    client = Client(row.client_address, row.user_agent)
    return Session(
        row.id,
        row.user_id,
        row.begun_at,
        row.last_seen_at,
        row.authenticated_at,
        client,
        row.csrf_secret,
        row.means or "password",
    )


def _hash(token: str) -> str:
    return digest("session", token)
