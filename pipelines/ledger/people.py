"""Appointments (任命): who works here, in which roles, for which organisations and departments, and who stands in for whom.

One stream each, `people/<user id>`. An appointment holds once a second person confirmed it; who may is decided in the stages.
What the deployment's users.yaml says of a person holds until something is recorded here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from pipelines.ledger.events import Event
from pipelines.ledger.recorded import Fact, Recorded

PEOPLE = "people/"


class PersonEvent(BaseModel):
    """Base of all payloads in a stream `people/<user id>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]

    def payload(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class PersonProposed(PersonEvent):
    """An administrator wants the person to be this from now on: the whole of it, not what differs."""

    kind = "person_proposed"
    name: str
    roles: tuple[str, ...]
    organisations: tuple[str, ...]
    departments: tuple[str, ...]
    os_user: str | None
    mail: str | None
    reason: str


class PersonDecided(PersonEvent):
    """A second person confirms or refuses the proposal with the sequence `proposal`."""

    kind = "person_decided"
    proposal: int
    is_confirmed: bool
    comment: str


class PersonLeft(PersonEvent):
    """The person has no role any more, from this moment."""

    kind = "person_left"
    reason: str


class StandIn(Fact):
    """Somebody who signs while the person is absent, both days included."""

    user: str
    start: date
    until: date


class SubstitutesNamed(PersonEvent):
    """Who stands in for the person from now on: the whole list."""

    kind = "substitutes_named"
    substitutes: tuple[StandIn, ...]
    reason: str


PERSON_EVENTS: dict[str, type[PersonEvent]] = {model.kind: model for model in PersonEvent.__subclasses__()}


@dataclass(frozen=True)
class PersonState:
    """What was recorded of one person. `appointed` is None while only users.yaml speaks of them."""

    id: str
    history: tuple[Recorded[PersonEvent], ...] = ()
    pending: Recorded[PersonProposed] | None = None
    appointed: PersonProposed | None = None
    substitutes: tuple[StandIn, ...] | None = None
    has_left: bool = False
    seq: int = 0


def people_stream(user: str) -> str:
    return PEOPLE + user


def fold_person(user: str, events: Iterable[Event]) -> PersonState:
    """The state after the events of the person's stream; an erased event is gone without a trace in it."""
    state = PersonState(user)
    for event in events:
        state = replace(state, seq=event.seq)
        if event.payload is None:
            continue
        fact = PERSON_EVENTS[event.type].model_validate(event.payload)
        recorded = Recorded(event.seq, event.actor, event.at, event.hash, fact)
        state = replace(state, history=(*state.history, recorded))
        match fact:
            case PersonProposed():
                proposed = Recorded(event.seq, event.actor, event.at, event.hash, fact)
                state = replace(state, pending=proposed)
            case PersonDecided(is_confirmed=is_confirmed):
                is_live = state.pending is not None and state.pending.seq == fact.proposal
                if is_live and is_confirmed:
                    assert state.pending is not None, "is live"
                    state = replace(state, appointed=state.pending.fact, has_left=False)
                state = replace(state, pending=None if is_live else state.pending)
            case PersonLeft():
                state = replace(state, pending=None, appointed=None, substitutes=(), has_left=True)
            case SubstitutesNamed(substitutes=substitutes):
                state = replace(state, substitutes=substitutes)
            case _:
                raise AssertionError(f"no fold of {event.type}")
    return state
