"""Change requests (改库签报): production is to be corrected where a report was. One stream each, `change/<number>`.

Raised by IT, approved by the department concerned, executed by a third person outside Baosong, and followed over periods
until a round shows the value. Nothing here decides who may.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from pipelines.ledger.events import Event

Stage = Literal["raised", "approved", "refused", "executed", "shown"]


class ChangeEvent(BaseModel):
    """Base of all payloads in a stream `change/<number>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class ChangeRaised(ChangeEvent):
    """IT asks that one value of production be corrected, because the report was."""

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


class ChangeReviewed(ChangeEvent):
    """The department concerned approves or refuses."""

    kind = "change_reviewed"
    opinion: Literal["approve", "refuse"]
    comment: str


class ChangeExecuted(ChangeEvent):
    """Somebody corrected production outside Baosong, on `day`; `reference` names the work order."""

    kind = "change_executed"
    day: date
    reference: str


class ChangeShown(ChangeEvent):
    """A round shows the new value: the request is done."""

    kind = "change_shown"
    filing: str
    round: int


EVENTS: dict[str, type[ChangeEvent]] = {model.kind: model for model in ChangeEvent.__subclasses__()}


@dataclass(frozen=True)
class ChangeState:
    """One change request, folded from its events."""

    number: str
    raised: ChangeRaised
    raised_by: str
    raised_at: datetime
    stage: Stage = "raised"
    reviewed_by: str | None = None
    executed_by: str | None = None
    shown_in: str | None = None
    seq: int = 0


def fold_change(events: Iterable[Event]) -> ChangeState | None:
    """The state after the events of one stream `change/<number>`; None for an empty stream."""
    state: ChangeState | None = None
    for event in events:
        if event.payload is None:
            continue
        fact = EVENTS[event.type].model_validate(event.payload)
        if isinstance(fact, ChangeRaised):
            state = ChangeState(event.stream.removeprefix("change/"), fact, event.actor, event.at)
        assert state is not None, "a change request begins by being raised"
        if isinstance(fact, ChangeReviewed):
            stage: Stage = "approved" if fact.opinion == "approve" else "refused"
            state = replace(state, stage=stage, reviewed_by=event.actor)
        elif isinstance(fact, ChangeExecuted):
            state = replace(state, stage="executed", executed_by=event.actor)
        elif isinstance(fact, ChangeShown):
            state = replace(state, stage="shown", shown_in=f"{fact.filing} {fact.round}")
        state = replace(state, seq=event.seq)
    return state
