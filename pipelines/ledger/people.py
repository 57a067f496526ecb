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


class StandIn(Fact):
    """Somebody who signs while the person is absent, both days included."""

    user: str
    start: date
    until: date


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
    substitutes: tuple[StandIn, ...] | None = None
    """Who shall stand in for them, where that is proposed too; as they are otherwise."""


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


class SubstitutesNamed(PersonEvent):
    """Who stands in for the person from now on, as they said themselves: the whole list."""

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
    """The state after the events of the person's stream. What was erased gives nobody anything: a departure stays one, and whoever
    was appointed or confirmed by an erased event is nobody until they are appointed anew."""
    state = PersonState(user)
    for event in events:
        state = replace(state, seq=event.seq)
        if event.payload is None:
            state = _without(state, event.type)
            continue
        fact = PERSON_EVENTS[event.type].model_validate(event.payload)
        recorded = Recorded(event.seq, event.actor, event.at, event.hash, fact)
        state = replace(state, history=(*state.history, recorded))
        match fact:
            case PersonProposed():
                proposed = Recorded(event.seq, event.actor, event.at, event.hash, fact)
                state = replace(state, pending=proposed)
            case PersonDecided():
                state = _decided(state, fact)
            case PersonLeft():
                state = _gone(state)
            case SubstitutesNamed(substitutes=substitutes):
                state = replace(state, substitutes=substitutes)
            case _:
                raise AssertionError(f"no fold of {event.type}")
    return state


def _decided(state: PersonState, fact: PersonDecided) -> PersonState:
    pending = state.pending
    if pending is None or pending.seq != fact.proposal:  # the proposal was erased
        return _gone(state) if fact.is_confirmed else state
    if not fact.is_confirmed:
        return replace(state, pending=None)
    named = pending.fact.substitutes
    substitutes = state.substitutes if named is None else named
    return replace(state, pending=None, appointed=pending.fact, substitutes=substitutes, has_left=False)


def _gone(state: PersonState) -> PersonState:
    return replace(state, pending=None, appointed=None, substitutes=(), has_left=True)


def _without(state: PersonState, kind: str) -> PersonState:
    if kind == SubstitutesNamed.kind:
        return replace(state, substitutes=())
    if kind == PersonProposed.kind:
        return replace(state, pending=None)
    return _gone(state)
