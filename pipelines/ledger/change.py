"""Change requests (改库签报): production is to be corrected where a report was. One stream each, `change/<number>`.

Raised by IT, approved at every seat of its route, executed by a third person outside Baosong, and followed over periods until a
round shows the value. The route in force when it was raised is bound to it. Nothing here decides who may.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from pipelines.ledger.events import Event
from pipelines.ledger.recorded import Fact, Recorded
from pipelines.ledger.sign_off_events import Seat, SignOffStep

Stage = Literal["raised", "approved", "refused", "executed", "shown"]


class ChangeEvent(BaseModel):
    """Base of all payloads in a stream `change/<number>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class BoundExecution(Fact):
    """Who executes: anybody of `roles`, within so much working time once it is approved."""

    roles: tuple[str, ...] = ("data_engineer", "branch_it", "it")
    limit_working_hours: int | None = None


class ChangeRaised(ChangeEvent):
    """IT asks that one value of production be corrected, because the report was.

    `approval` and `execution` are the route as it was then (early events have neither: the department concerned approved).
    """

    kind = "change_raised"
    standard: str
    filing: str
    finding: str
    rule: str
    table: str
    key: str
    field: str
    old: str | None
    new: str
    reason: str
    department: str
    organisation: str
    approval: SignOffStep | None = None
    execution: BoundExecution = BoundExecution()

    @property
    def bound_approval(self) -> SignOffStep:
        return self.approval or SignOffStep(seats=(self.own_seat,), quorum=1)

    @property
    def own_seat(self) -> Seat:
        """The seat of the department that owns the finding."""
        return Seat(role="business_reviewer", department=self.department)


class ChangeReviewed(ChangeEvent):
    """One seat of the approval approves or refuses; early events name no seat, theirs was the department's.

    `on_behalf_of`: the absent person for whom a substitute spoke.
    """

    kind = "change_reviewed"
    opinion: Literal["approve", "refuse"]
    comment: str
    role: str = ""
    department: str = ""
    on_behalf_of: str = ""


class ChangeExecuted(ChangeEvent):
    """Somebody corrected production outside Baosong, on `day`; `reference` names the work order."""

    kind = "change_executed"
    day: date
    reference: str
    on_behalf_of: str = ""


class ChangeShown(ChangeEvent):
    """A round shows the new value: the request is done."""

    kind = "change_shown"
    filing: str
    round: int


EVENTS: dict[str, type[ChangeEvent]] = {model.kind: model for model in ChangeEvent.__subclasses__()}


@dataclass(frozen=True)
class ChangeState:
    """One change request, folded from its events.

    `erased`: acts whose payload was erased. What they were is known, not what they said: an execution stands; a review decides
    nothing, so that a request which waits for it is closed, and the correction asks for another.
    """

    number: str
    raised: ChangeRaised
    raised_by: str
    raised_at: datetime
    reviews: tuple[Recorded[ChangeReviewed], ...] = ()
    executed: Recorded[ChangeExecuted] | None = None
    shown: Recorded[ChangeShown] | None = None
    erased: tuple[Event, ...] = ()
    seq: int = 0

    @property
    def decision(self) -> Recorded[ChangeReviewed] | None:
        """The review that decided: the approval that filled the quorum, or the refusal that made that impossible."""
        bound = self.raised.bound_approval
        approved = [r for r in self.reviews if r.fact.opinion == "approve"]
        refused = [r for r in self.reviews if r.fact.opinion == "refuse"]
        tolerated = len(bound.seats) - bound.quorum
        if len(refused) > tolerated:
            return refused[tolerated]
        return approved[bound.quorum - 1] if len(approved) >= bound.quorum else None

    @property
    def stage(self) -> Stage:
        erased = {event.type for event in self.erased}
        if self.shown or ChangeShown.kind in erased:
            return "shown"
        if self.executed or ChangeExecuted.kind in erased:
            return "executed"
        if self.decision is None:
            return "refused" if ChangeReviewed.kind in erased else "raised"
        return "approved" if self.decision.fact.opinion == "approve" else "refused"

    @property
    def open_seats(self) -> tuple[Seat, ...]:
        """Where an approval is still awaited."""
        if self.stage != "raised":
            return ()
        return tuple(seat for seat in self.raised.bound_approval.seats if self.review_at(seat) is None)

    def review_at(self, seat: Seat) -> Recorded[ChangeReviewed] | None:
        """What was said at a seat of the approval."""
        return next((each for each in self.reviews if seat_of(self.raised, each.fact) == seat), None)

    @property
    def actors(self) -> frozenset[str]:
        """Who raised or reviewed, and for whom somebody reviewed: none of them takes another part."""
        reviewed = {who for each in self.reviews for who in (each.actor, each.fact.on_behalf_of) if who}
        return frozenset({self.raised_by, *reviewed, *(event.actor for event in self.erased)})


def seat_of(raised: ChangeRaised, reviewed: ChangeReviewed) -> Seat:
    """At which seat of the approval a review was given."""
    return Seat(role=reviewed.role, department=reviewed.department) if reviewed.role else raised.own_seat


def fold_change(events: Iterable[Event]) -> ChangeState | None:
    """The state after the events of one stream `change/<number>`; None for an empty stream, and once its beginning is erased."""
    state: ChangeState | None = None
    for event in events:
        fact = None if event.payload is None else EVENTS[event.type].model_validate(event.payload)
        if isinstance(fact, ChangeRaised):
            state = ChangeState(event.stream.removeprefix("change/"), fact, event.actor, event.at)
        if state is not None:
            state = replace(_after(state, event, fact), seq=event.seq)
    return state


def _after(state: ChangeState, event: Event, fact: ChangeEvent | None) -> ChangeState:
    if fact is None:
        return replace(state, erased=(*state.erased, event))
    recorded: Recorded[Any] = Recorded(event.seq, event.actor, event.at, event.hash, fact)
    match fact:
        case ChangeReviewed():
            return replace(state, reviews=(*state.reviews, recorded))
        case ChangeExecuted():
            return replace(state, executed=recorded)
        case ChangeShown():
            return replace(state, shown=recorded)
        case _:
            return state
