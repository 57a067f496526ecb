"""Who may sit where: the seats of a route resolved for one filing, and the seat that a person, or a substitute, may take now.

Substitutes (代理) act under their own name for somebody absent, and only where nobody else could. Recording what they say is
`sign_off.py`'s work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import Seat, SignOffStep, StepKind
from pipelines.ledger.sign_off_state import LiveSeat, LiveStep
from pipelines.stages.installation import Installation
from pipelines.stages.register import register
from resources.deployment import RouteStep, Title, User


@dataclass(frozen=True)
class OpenSeat:
    """A seat that a person may take now: at which step (0-based), whose it is, until when an opinion is expected.

    `on_behalf_of`: the absent person whose seat it is, for a substitute; empty where the seat is one's own.
    """

    step: int
    title: Title
    role: str
    department: str
    kind: StepKind
    on_behalf_of: str
    due: datetime | None


def resolved_steps(installation: Installation, state: FilingState) -> tuple[SignOffStep, ...]:
    """The route of the filing's standard with a seat for everybody who is to be asked about this filing."""
    route = installation.deployment.routes[state.opened.fact.standard]
    return tuple(_resolved(installation, state, step) for step in route.steps)


def concerned_departments(installation: Installation, state: FilingState) -> tuple[str, ...]:
    """The departments that own any finding of the filing, in the deployment's order; the default one where there is none."""
    departments = installation.deployment.departments
    rows = register(installation, state)
    owners = set() if rows.is_empty() else set(rows["department"].unique())
    if not owners & set(departments):
        return tuple(code for code, each in departments.items() if each.is_default)
    return tuple(code for code in departments if code in owners)


def _resolved(installation: Installation, state: FilingState, step: RouteStep) -> SignOffStep:
    match step.departments:
        case None:
            seats = tuple(Seat(role=role) for role in step.roles)
        case "concerned":
            seats = _of_departments(step, concerned_departments(installation, state))
        case "all":
            seats = _of_departments(step, tuple(installation.deployment.departments))
        case codes:
            seats = _of_departments(step, codes)
    return SignOffStep(
        title={"zh": step.title.zh, "en": step.title.en},
        seats=seats,
        quorum=min(step.quorum or len(seats), len(seats)),
        limit_working_hours=step.limit_working_hours,
        rejection=step.rejection,
        kind=step.kind,
    )


def _of_departments(step: RouteStep, codes: tuple[str, ...]) -> tuple[Seat, ...]:
    return tuple(Seat(role=step.role, department=code) for code in codes)


def seats_for(installation: Installation, state: FilingState, user: User) -> tuple[OpenSeat, ...]:
    """The seats of the current step that the user holds or, where there are none, may take for somebody absent.

    Whether the user acted on this content already is not asked here.
    """
    step = state.current_step
    if step is None:
        return ()
    own = tuple(_open(installation, state, step, seat, "") for seat in step.open_seats if holds(user, seat))
    return own or tuple(_as_substitute(installation, state, step, user))


def holds(user: User, seat: LiveSeat) -> bool:
    """Whether the seat is the user's: by role, or by speaking for the department."""
    return user.speaks_for(seat.department) if seat.department else user.has_role(seat.role)


def seat_name(installation: Installation, seat: LiveSeat | OpenSeat) -> str:
    """A seat as people are told of it: the role, and the department whose it is."""
    if not seat.department:
        return seat.role
    department = installation.deployment.departments.get(seat.department)
    return f"{seat.role}（{department.title.zh if department else seat.department}）"


def due(installation: Installation, state: FilingState, step: LiveStep) -> datetime | None:
    """By when the step's opinions are expected, in working time since the step's turn came; None without a limit."""
    hours = step.bound.limit_working_hours
    if hours is None or state.live_sign_off is None:
        return None
    before = state.steps[step.place - 1].decision if step.place else None
    began = before.at if before else state.live_sign_off.at
    return installation.calendar.add_working_seconds(began, hours * 3600)


def _open(
    installation: Installation, state: FilingState, step: LiveStep, seat: LiveSeat, absent: str
) -> OpenSeat:
    title = step.bound.title
    named = Title(zh=title.get("zh", seat.role), en=title.get("en", seat.role))
    return OpenSeat(
        step=step.place,
        title=named,
        role=seat.role,
        department=seat.department,
        kind=step.bound.kind,
        on_behalf_of=absent,
        due=due(installation, state, step),
    )


def _as_substitute(
    installation: Installation, state: FilingState, step: LiveStep, user: User
) -> Iterator[OpenSeat]:
    today = installation.now().date()
    for seat in step.open_seats:
        could = _could_take(installation, state, seat)
        if any(not person.is_absent(today) for person in could):
            continue  # somebody is there who can say it
        absent = next((person for person in could if _stands_in(user, person, today)), None)
        if absent is not None:
            yield _open(installation, state, step, seat, absent.id)


def _could_take(installation: Installation, state: FilingState, seat: LiveSeat) -> list[User]:
    """Whoever holds the seat and has neither prepared, answered nor acted on this content."""
    acted = {
        person for o in state.live_opinions for person in (o.actor, o.fact.on_behalf_of) if person
    } | state.makers
    people = installation.deployment.users.values()
    return [person for person in people if holds(person, seat) and person.id not in acted]


def _stands_in(user: User, absent: User, today: date) -> bool:
    return absent.id != user.id and absent.is_represented_by(user.id, today)
