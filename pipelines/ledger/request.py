"""The state of a request, folded from its events, and the key under which a document's number is filed.

It refuses nothing: who may raise, review, amend or withdraw is decided in the stages.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipelines.ledger.events import Event
from pipelines.ledger.recorded import Recorded
from pipelines.ledger.request_events import (
    REQUEST_EVENTS,
    RequestDemand,
    RequestReviewed,
    RequestWithdrawn,
)

RequestStage = Literal[
    "waiting", "returned", "refused", "accepted", "amendment_waiting", "amendment_returned", "withdrawn"
]
_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_DIGEST_LETTERS = 8
_KEPT_LETTERS = 40


def is_key(text: str) -> bool:
    """Whether a text may name a stream, a folder and the last part of a filing's id as it stands."""
    return _KEY.fullmatch(text) is not None


def request_key(number: str) -> str:
    """The key of a document's number: the number itself where it may be one, else its letters and digits with a digest.

    `粤保监发〔2026〕17号` → `2026-17-` and eight hex digits: different numbers have different keys.
    """
    if is_key(number):
        return number
    digest = hashlib.sha256(number.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LETTERS]
    readable = "-".join(re.findall(r"[A-Za-z0-9]+", number))[:_KEPT_LETTERS].strip("-")
    return f"{readable}-{digest}" if readable else digest


def request_stream(number: str) -> str:
    """The stream of a request, by the document's number or by its key."""
    return f"request/{request_key(number)}"


@dataclass(frozen=True)
class RequestState:
    """One request as its events tell it: `demands` in the order in which they were put up for review, never empty."""

    key: str
    demands: tuple[Recorded[RequestDemand], ...]
    reviews: tuple[Recorded[RequestReviewed], ...] = ()
    withdrawn: Recorded[RequestWithdrawn] | None = None
    seq: int = 0

    @property
    def number(self) -> str:
        """The document's number, as it stands on it."""
        return self.demands[0].fact.number or self.key

    @property
    def latest(self) -> Recorded[RequestDemand]:
        """The demand that was put up last."""
        return self.demands[-1]

    @property
    def decision(self) -> Recorded[RequestReviewed] | None:
        """The review of the latest demand; None while it waits."""
        return self._review_of(len(self.demands) - 1)

    @property
    def accepted(self) -> tuple[Recorded[RequestDemand], ...]:
        """The demands that were accepted: the first opened the filing, each of the others amended it."""
        reviewed = ((each, self._review_of(place)) for place, each in enumerate(self.demands))
        return tuple(each for each, review in reviewed if review and review.fact.opinion == "accept")

    @property
    def in_force(self) -> Recorded[RequestDemand] | None:
        """The demand that was accepted last."""
        return self.accepted[-1] if self.accepted else None

    @property
    def stage(self) -> RequestStage:
        """How far the request is, in one word."""
        if self.withdrawn:
            return "withdrawn"
        is_amended = self.in_force is not None
        match self.decision.fact.opinion if self.decision else None:
            case None:
                return "amendment_waiting" if is_amended else "waiting"
            case "return":
                return "amendment_returned" if is_amended else "returned"
            case "refuse":
                return "accepted" if is_amended else "refused"
            case "accept":
                return "accepted"

    @property
    def is_under_review(self) -> bool:
        """Whether an amendment waits for its review, or for being mended."""
        return self.stage in ("amendment_waiting", "amendment_returned")

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can become of it."""
        return self.stage in ("refused", "withdrawn")

    @property
    def authors(self) -> frozenset[str]:
        """Who registered or amended it; none of them may review it."""
        return frozenset(each.actor for each in self.demands)

    def _review_of(self, place: int) -> Recorded[RequestReviewed] | None:
        after = self.demands[place].seq
        before = self.demands[place + 1].seq if place + 1 < len(self.demands) else self.seq + 1
        return next((each for each in self.reviews if after < each.seq < before), None)


def fold_request(events: Iterable[Event]) -> RequestState | None:
    """The state after `events` of one stream `request/<key>`; None for a stream without a demand."""
    state: RequestState | None = None
    for event in events:
        if event.payload is not None:
            fact = REQUEST_EVENTS[event.type].model_validate(event.payload)
            recorded: Recorded[Any] = Recorded(event.seq, event.actor, event.at, event.hash, fact)
            if state is None and isinstance(fact, RequestDemand):
                state = RequestState(event.stream.removeprefix("request/"), (recorded,))
            elif state is not None:
                state = _apply(state, recorded)
        if state is not None:
            state = replace(state, seq=event.seq)
    return state


def _apply(state: RequestState, recorded: Recorded[Any]) -> RequestState:
    match recorded.fact:
        case RequestDemand():
            return replace(state, demands=(*state.demands, recorded))
        case RequestReviewed():
            return replace(state, reviews=(*state.reviews, recorded))
        case _:
            return replace(state, withdrawn=recorded)
