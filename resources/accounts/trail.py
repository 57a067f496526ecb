"""The audit trail of who came in and what was done about accounts: appended to and read, never changed, which the
database holds to by triggers (`migrations/`). No secrets in it.

What people decide about filings is not here but in the ledger.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from resources.accounts.models import trail
from resources.accounts.shapes import TrailEntry

_NAME = re.compile(r"[a-z][a-z0-9_]{1,63}")
_LONGEST_DETAIL = 2000


class AccountEvent(StrEnum):
    """What the accounts themselves record; the desk records events of its own names beside them."""

    INVITED = "invited"
    RESET = "reset"
    ENROLLED = "enrolled"
    ENROLMENT_FAILED = "enrolment_failed"
    LOGGED_IN = "logged_in"
    LOGIN_FAILED = "login_failed"
    LOCKED_OUT = "locked_out"
    CLIENT_LOCKED_OUT = "client_locked_out"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a name
    PASSWORD_CHANGE_FAILED = "password_change_failed"  # noqa: S105 - a name
    REAUTHENTICATED = "reauthenticated"
    REAUTHENTICATION_FAILED = "reauthentication_failed"
    TOTP_ON = "totp_on"
    TOTP_OFF = "totp_off"
    RECOVERY_CODE_USED = "recovery_code_used"
    SESSION_ENDED = "session_ended"
    LINKED = "linked"
    UNLINKED = "unlinked"


def append(
    connection: Connection, at: datetime, user: str | None, event: str, detail: Mapping[str, str]
) -> None:
    """One more entry. ValueError for a name that is not lower case with underscores, or a detail beyond 2,000 characters."""
    if not _NAME.fullmatch(event):
        raise ValueError(f"not the name of an event: {event!r}")
    written = json.dumps(dict(detail), sort_keys=True)  # ASCII: any text fits any database
    if len(written) > _LONGEST_DETAIL:
        raise ValueError(f"the detail of {event} is longer than {_LONGEST_DETAIL} characters")
    connection.execute(insert(trail).values(at=at, user_id=user, event=str(event), detail=written))


def read(
    connection: Connection,
    limit: int,
    user: str | None = None,
    event: str | None = None,
    before: int | None = None,
) -> list[TrailEntry]:
    """The newest entries first, of everybody or of one user, of one event, before the entry of a number."""
    asked = select(trail).order_by(trail.c.number.desc()).limit(limit)
    if user is not None:
        asked = asked.where(trail.c.user_id == user)
    if event is not None:
        asked = asked.where(trail.c.event == event)
    if before is not None:
        asked = asked.where(trail.c.number < before)
    return [
        TrailEntry(row.number, row.at, row.user_id, row.event, json.loads(row.detail))
        for row in connection.execute(asked)
    ]


def event_names(connection: Connection) -> list[str]:
    """Every kind of event that was recorded, in the order of their names."""
    return list(connection.execute(select(trail.c.event).distinct().order_by(trail.c.event)).scalars())
