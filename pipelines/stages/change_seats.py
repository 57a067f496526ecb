"""Who may approve and execute a change request (改库签报) now, and by when. Recording what they say is `change_request.py`'s work.

Whoever took another part, and whoever does not see the request because it is another branch's or department's, has no part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pipelines.ledger.change import ChangeState
from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import Seat
from pipelines.stages.installation import Installation
from pipelines.stages.scope import sees_change
from pipelines.stages.seats import absent_of, holds, takable, who_could
from resources.deployment import User


def approval_seats(
    installation: Installation, change: ChangeState, filing: FilingState, user: User
) -> list[tuple[Seat, str]]:
    """The seats at which the user may approve now, each with the absent person whose it is; none for who took another part, answered
    in the filing that caused the request, or does not see it."""
    barred = change.actors | filing.answerers
    if user.id in barred or not sees_change(installation.deployment, user, change, filing):
        return []
    barred |= _outside(installation, change, filing, change.open_seats)
    return takable(installation, change.open_seats, user, barred)


def who_approves(installation: Installation, change: ChangeState, filing: FilingState) -> list[User]:
    """Everybody who holds an open seat and may take it."""
    return _could(installation, change, filing, change.open_seats, change.actors | filing.answerers)


def executor_for(
    installation: Installation, change: ChangeState, filing: FilingState, user: User
) -> str | None:
    """Whether the user may record the execution now: for whom, empty where it is their own; None when they may not."""
    if change.stage != "approved" or user.id in change.actors:
        return None
    if not sees_change(installation.deployment, user, change, filing):
        return None
    if any(holds(user, seat) for seat in execution_seats(change)):
        return ""
    absent = absent_of(installation, who_executes(installation, change, filing), user)
    return absent.id if absent else None


def who_executes(installation: Installation, change: ChangeState, filing: FilingState) -> list[User]:
    """Everybody who may record the execution as their own."""
    return _could(installation, change, filing, execution_seats(change), change.actors)


def execution_seats(change: ChangeState) -> tuple[Seat, ...]:
    """The seats of whoever executes: anybody of these roles."""
    return tuple(Seat(role=role) for role in change.raised.execution.roles)


def due_by(installation: Installation, change: ChangeState) -> datetime | None:
    """By when the next act of the route is expected, in working time since its turn came; None without a limit."""
    began, hours = change.raised_at, change.raised.bound_approval.limit_working_hours
    if change.stage == "approved" and change.decision:
        began, hours = change.decision.at, change.raised.execution.limit_working_hours
    if hours is None or change.stage not in ("raised", "approved"):
        return None
    return installation.calendar.add_working_seconds(began, hours * 3600)


def _could(
    installation: Installation,
    change: ChangeState,
    filing: FilingState,
    seats: Sequence[Seat],
    barred: frozenset[str],
) -> list[User]:
    deployment = installation.deployment
    holders = who_could(installation, seats, barred)
    return [each for each in holders if sees_change(deployment, each, change, filing)]


def _outside(
    installation: Installation, change: ChangeState, filing: FilingState, seats: Sequence[Seat]
) -> frozenset[str]:
    """Who holds one of the seats and does not see the request: they neither count as present nor are represented."""
    holders = {each.id for each in who_could(installation, seats, frozenset())}
    return frozenset(holders - {each.id for each in _could(installation, change, filing, seats, frozenset())})
