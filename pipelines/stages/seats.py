"""Who may sit where: the seats of a route resolved for one filing, and the seat that a person, or a substitute, may take now.

Substitutes (代理) act under their own name for somebody absent, and only where nobody else could. Recording what they say is
`sign_off.py`'s work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import Seat, SignOffStep, StepKind
from pipelines.ledger.sign_off_state import LiveSeat, LiveStep
from pipelines.ledger.signed import Walk
from pipelines.stages.installation import Installation
from pipelines.stages.register import register
from resources.deployment import RouteStep, Title, User

S = TypeVar("S", Seat, LiveSeat)


@dataclass(frozen=True)
class OpenSeat:
    """A seat that a person may take now: at which step (0-based), whose it is, until when an opinion is expected.

    `on_behalf_of`: the absent person whose seat it is, for a substitute; empty where the seat is one's own. `sign_off`: the
    ledger's sequence number of the sign-off.
    """

    sign_off: int
    step: int
    title: Title
    role: str
    department: str
    kind: StepKind
    on_behalf_of: str
    due: datetime | None

    @property
    def key(self) -> str:
        """The seat as a form names it: an opinion is given at the seat that was shown, or not at all."""
        return f"{self.sign_off}:{self.step}:{self.role}:{self.department}:{self.on_behalf_of}"


def resolved_steps(
    installation: Installation, state: FilingState, *, rows: pl.DataFrame | None = None
) -> tuple[SignOffStep, ...]:
    """The route of the filing's standard with a seat for everybody who is to be asked about this filing."""
    route = installation.deployment.routes[state.opened.fact.standard]
    is_asked = any(step.departments == "concerned" for step in route.steps)
    concerned = concerned_departments(installation, state, rows=rows) if is_asked else ()
    return tuple(bound_step(installation, step, concerned) for step in route.steps)


def concerned_departments(
    installation: Installation, state: FilingState, *, rows: pl.DataFrame | None = None
) -> tuple[str, ...]:
    """The departments that own any finding of the filing, in the deployment's order; the default one where there is none."""
    departments = installation.deployment.departments
    rows = register(installation, state) if rows is None else rows
    owners = set() if rows.is_empty() else set(rows["department"].unique())
    if not owners & set(departments):
        return tuple(code for code, each in departments.items() if each.is_default)
    return tuple(code for code in departments if code in owners)


def bound_step(installation: Installation, step: RouteStep, concerned: tuple[str, ...]) -> SignOffStep:
    """A step with its seats; `concerned` are the departments that a step of concerned departments asks."""
    match step.departments:
        case None:
            seats = tuple(Seat(role=role) for role in step.roles)
        case "concerned":
            seats = _of_departments(step, concerned)
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
    barred = state.makers | acted_on(state)
    taken = [
        each
        for apart, seats in _by_barred(state, step)
        if user.id not in apart
        for each in takable(installation, seats, user, barred | apart)
    ]
    own = [each for each in taken if not each[1]]
    return tuple(_open(installation, state, step, seat, absent) for seat, absent in own or taken)


def _by_barred(state: FilingState, step: LiveStep) -> Iterator[tuple[frozenset[str], list[LiveSeat]]]:
    """The open seats of a step, with the people who are barred from them: those of departments, and the others."""
    for is_department in (False, True):
        seats = [seat for seat in step.open_seats if bool(seat.department) is is_department]
        if seats:
            yield state.barred_at(step.bound.kind, seats[0].department), seats


def takable(
    installation: Installation, seats: Sequence[S], user: User, barred: frozenset[str]
) -> list[tuple[S, str]]:
    """The seats that are the user's; where none is, those that the user takes for somebody absent, each with that person's id.

    For `barred` people nobody stands in. Whether the user is one of them is not asked here.
    """
    own = [(seat, "") for seat in seats if holds(user, seat)]
    if own:
        return own
    standing_in = (
        (seat, absent_of(installation, who_could(installation, (seat,), barred), user)) for seat in seats
    )
    return [(seat, absent.id) for seat, absent in standing_in if absent is not None]


def sitting(installation: Installation, seats: Sequence[S], barred: frozenset[str]) -> list[User]:
    """Everybody who may take one of the seats now, substitutes of absent people included."""
    people = installation.deployment.users.values()
    return [each for each in people if each.id not in barred and takable(installation, seats, each, barred)]


def who_could(
    installation: Installation, seats: Sequence[Seat | LiveSeat], barred: frozenset[str]
) -> list[User]:
    """Everybody who holds one of the seats and is not barred from it."""
    people = installation.deployment.users.values()
    return [each for each in people if each.id not in barred and any(holds(each, seat) for seat in seats)]


def absent_of(installation: Installation, could: Sequence[User], user: User) -> User | None:
    """Whom the user represents of those who could act, where none of them is there to do it."""
    today = installation.now().date()
    if any(not person.is_absent(today) for person in could):
        return None
    return next(
        (each for each in could if each.id != user.id and each.is_represented_by(user.id, today)), None
    )


def acted_on(state: FilingState) -> frozenset[str]:
    """Who gave an opinion on the live content, or had one given for them."""
    return frozenset(who for o in state.live_opinions for who in (o.actor, o.fact.on_behalf_of) if who)


def holds(user: User, seat: Seat | LiveSeat) -> bool:
    """Whether the seat is the user's: by role, or by speaking for the department."""
    return user.speaks_for(seat.department) if seat.department else user.has_role(seat.role)


def seat_name(installation: Installation, seat: Seat | LiveSeat | OpenSeat) -> str:
    """A seat as people are told of it: the role, and the department whose it is."""
    if not seat.department:
        return seat.role
    department = installation.deployment.departments.get(seat.department)
    return f"{seat.role}（{department.title.zh if department else seat.department}）"


def due(installation: Installation, state: FilingState, step: LiveStep) -> datetime | None:
    """By when the opinions of a step of the live sign-off are expected; None without a limit, and before its turn."""
    return end_of_limit(installation, state.walks[-1], step) if state.live_sign_off else None


def end_of_limit(
    installation: Installation, walk: Walk, step: LiveStep, *, times: int = 1
) -> datetime | None:
    """When so many `times` the step's limit end, in working time since its turn came."""
    began, hours = walk.began(step.place), step.bound.limit_working_hours
    if hours is None or began is None:
        return None
    return installation.calendar.add_working_seconds(began, times * hours * 3600)


def _open(
    installation: Installation, state: FilingState, step: LiveStep, seat: LiveSeat, absent: str
) -> OpenSeat:
    title = step.bound.title
    named = Title(zh=title.get("zh", seat.role), en=title.get("en", seat.role))
    return OpenSeat(
        sign_off=state.walks[-1].opened.seq,
        step=step.place,
        title=named,
        role=seat.role,
        department=seat.department,
        kind=step.bound.kind,
        on_behalf_of=absent,
        due=due(installation, state, step),
    )
