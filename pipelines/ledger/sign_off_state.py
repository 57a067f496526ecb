"""How far a sign-off is: its steps with their seats and opinions, whose turn it is, and what was decided.

Pure functions over what was recorded. Who may sit on a seat is decided in the stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.ledger.recorded import Recorded
from pipelines.ledger.sign_off_events import Opinion, OpinionGiven, Seat, SignOffOpened, SignOffStep

Given = Recorded[OpinionGiven]


@dataclass(frozen=True)
class LiveSeat:
    """A seat of a step (0-based) with the opinion that was given there, if one was."""

    step: int
    role: str
    department: str = ""
    opinion: Given | None = None


@dataclass(frozen=True)
class LiveStep:
    """A step with its seats in the route's order and its opinions in the order given."""

    place: int
    bound: SignOffStep
    seats: tuple[LiveSeat, ...]
    opinions: tuple[Given, ...]

    @property
    def decision(self) -> Given | None:
        """The opinion that decided the step: the agreement that filled its quorum, or the disagreement that made that
        impossible."""
        agreed = [o for o in self.opinions if o.fact.opinion == "agree"]
        against = [o for o in self.opinions if o.fact.opinion == "disagree"]
        tolerated = len(self.seats) - self.bound.quorum
        if len(against) > tolerated:
            return against[tolerated]
        return agreed[self.bound.quorum - 1] if len(agreed) >= self.bound.quorum else None

    @property
    def outcome(self) -> Opinion | None:
        """What the step decided; None while it may still go either way."""
        return self.decision.fact.opinion if self.decision else None

    @property
    def open_seats(self) -> tuple[LiveSeat, ...]:
        """Where an opinion is still awaited."""
        return () if self.decision else tuple(seat for seat in self.seats if seat.opinion is None)


def steps_of(sign_off: SignOffOpened, opinions: Sequence[Given]) -> tuple[LiveStep, ...]:
    """The steps of a sign-off with what was said at each."""
    return tuple(_step(place, bound, opinions) for place, bound in enumerate(sign_off.bound_steps))


def _step(place: int, bound: SignOffStep, opinions: Sequence[Given]) -> LiveStep:
    said = {Seat(role=o.fact.role, department=o.fact.department): o for o in opinions if o.fact.step == place}
    seats = tuple(LiveSeat(place, seat.role, seat.department, said.get(seat)) for seat in bound.seats)
    given = sorted((seat.opinion for seat in seats if seat.opinion), key=lambda o: o.seq)
    return LiveStep(place, bound, seats, tuple(given))


def current_step_of(steps: Sequence[LiveStep]) -> LiveStep | None:
    """The step whose turn it is; None when the route is complete or was stopped."""
    for step in steps:
        if step.outcome != "agree":
            return step if step.outcome is None else None
    return None


def decision_of(steps: Sequence[LiveStep]) -> Given | None:
    """The opinion that decided the route: that of the first step that disagrees, or of the last when all agree."""
    for step in steps:
        if step.outcome != "agree":
            return step.decision
    return steps[-1].decision if steps else None


def has_distinct_people(makers: frozenset[str], opinions: Sequence[Given]) -> bool:
    """Whether who prepared or answered, who signed, and for whom somebody signed are all different people."""
    people = [person for o in opinions for person in (o.actor, o.fact.on_behalf_of) if person]
    return len(set(people)) == len(people) and not makers & set(people)


def follows_route(steps: Sequence[LiveStep], opinions: Sequence[Given]) -> bool:
    """Whether every opinion was given at a seat of the route, each seat once, and no step before the one before it agreed."""
    seated = sorted(o.seq for step in steps for o in step.opinions)
    if seated != sorted(o.seq for o in opinions):
        return False
    before = 0
    for step in steps:
        if any(o.seq <= before for o in step.opinions):
            return False
        if step.decision is None:
            return all(not later.opinions for later in steps[step.place + 1 :])
        before = step.decision.seq
    return True
