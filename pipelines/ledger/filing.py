"""The state of a filing, folded from its events; nothing of it is stored anywhere else.

`FilingState` answers what every command and gate asks: which round, which content, what was sent; what is demanded is told in
`demand.py`, who has agreed in `signed.py`. It refuses nothing: gates live in the stages, which read this state.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

from pipelines.ledger import demand_events as d
from pipelines.ledger import filing_events as e
from pipelines.ledger.events import Event
from pipelines.ledger.recorded import Recorded
from pipelines.ledger.signed import SignedFiling

Stage = Literal[
    "opened", "extracted", "validated", "first_review", "to_issue", "in_review", "answered", "reviewed", "in_sign_off", "rejected",
    "approved", "packaged", "delivering", "delivered", "handed_over", "accepted", "refused", "archived", "withdrawn",
]  # fmt: skip


@dataclass(frozen=True)
class FilingState(SignedFiling):
    """One filing as its events tell it. What belongs to a version starts empty again when it is reopened."""

    seq: int = 0
    version: int = 1
    rounds: tuple[Recorded[e.RoundExtracted], ...] = ()
    listings: tuple[Recorded[e.ProblemsListed], ...] = ()
    dispatches: tuple[Recorded[e.FindingsDispatched], ...] = ()
    reminders: tuple[Recorded[e.HolderReminded], ...] = ()
    comparisons: tuple[Recorded[e.RoundsCompared], ...] = ()
    drift_explained: tuple[Recorded[e.DriftExplained], ...] = ()
    held: tuple[e.Held, ...] = ()
    nil_returns: frozenset[str] = frozenset()
    baseline: Recorded[e.BaselineDeclared] | None = None
    extraction_requested: Recorded[e.ExtractionRequested] | None = None
    packages: tuple[Recorded[e.PackageBuilt], ...] = ()
    reservation: Recorded[e.DeliveryReserved] | None = None
    sent: Recorded[e.DeliverySent] | None = None
    handover: Recorded[e.HandoverRecorded] | None = None
    receipt: Recorded[e.ReceiptReceived] | None = None
    evidence: Recorded[e.EvidenceArchived] | None = None
    retries: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def round(self) -> int:
        """Number of the latest round; 0 before the first."""
        return len(self.rounds)

    @property
    def is_round_of_another_demand(self) -> bool:
        """Whether scope, period or tables were amended since the latest round: what it holds is not what is demanded."""
        amended = self.scope_amendment
        return amended is not None and bool(self.rounds) and self.rounds[-1].seq < amended.seq

    @property
    def off_system(self) -> dict[str, Recorded[e.OffSystemUploaded]]:
        """The latest upload of each off-system table; none of a table while it is declared nil."""
        return {u.fact.table: u for u in self.uploads if u.fact.table not in self.nil_returns}

    @property
    def has_new_upload(self) -> bool:
        """Whether an off-system table was uploaded since the latest round, and is not what that round holds."""
        if not self.rounds:
            return False
        last = self.rounds[-1]
        held = {name: table.digest for name, table in last.fact.tables.items()}
        newer = [u.fact for u in self.off_system.values() if u.seq > last.seq]
        return any(upload.digest != held.get(upload.table) for upload in newer)

    @property
    def is_listed(self) -> bool:
        """Whether the documents on the content judged last are written, so that people can begin."""
        return bool(
            self.content and self.listings and self.listings[-1].fact.content == self.content.fact.content
        )

    @property
    def open_waivers(self) -> tuple[Recorded[e.WaiverProposed], ...]:
        """The proposed waivers that nobody has given an opinion on yet."""
        decided = {each.fact.number for each in (*self.waivers, *self.waivers_refused)}
        return tuple(each for each in self.waivers_proposed if each.fact.number not in decided)

    @property
    def has_new_decisions(self) -> bool:
        """Whether answers were accepted, corrections decided or waivers changed since the last content was judged."""
        since = self.content.seq if self.content else 0
        accepted = any(r.seq > since and sum(r.fact.accepted.values()) for r in self.answer_reviews)
        decided = (*self.corrections_decided, *self.waivers, *self.revocations)
        return accepted or any(each.seq > since for each in decided)

    @property
    def answer_by(self) -> date | None:
        """The last day that a branch was given for what the content judged last asks; None when nothing was issued."""
        if not self.content:
            return None
        sent = [d.fact for d in (*self.dispatches, *self.answer_reviews) if d.seq > self.content.seq]
        return max((fact.answer_by for fact in sent if fact.workbooks), default=None)

    @property
    def comparison(self) -> Recorded[e.RoundsCompared] | None:
        """The comparison of the latest round with the one before."""
        return next((c for c in reversed(self.comparisons) if c.fact.later == self.round), None)

    @property
    def unexplained_drift(self) -> int:
        """Row changes of the latest round that nothing explains."""
        if self.comparison is None:
            return 0
        told = [d for d in self.drift_explained if d.seq > self.comparison.seq]
        return told[-1].fact.unexplained if told else self.comparison.fact.unexplained

    def holds(self, holder: e.Holder) -> int:
        """How many open findings wait for this kind of holder."""
        return sum(held.count for held in self.held if held.holder == holder)

    @property
    def is_compared(self) -> bool:
        """Whether the latest round was compared with the one before; the first has none."""
        return self.round < 2 or any(c.fact.later == self.round for c in self.comparisons)

    @property
    def package(self) -> Recorded[e.PackageBuilt] | None:
        """The package of this version made from the content that is judged now."""
        for package in reversed(self.packages):
            if self.content and package.fact.content == self.content.fact.content:
                return package
        return None

    @property
    def awaited(self) -> tuple[str, ...]:
        """Organisations that have not answered everything they were asked."""
        return tuple(sorted({held.organisation for held in self.held if held.holder == "answer"}))

    @property
    def stage(self) -> Stage:
        """How far the filing is, in one word."""
        return next(stage for stage, reached in self._ladder() if reached)

    def _ladder(self) -> Iterable[tuple[Stage, object]]:
        yield "withdrawn", self.withdrawn
        yield "refused", self.receipt and self.receipt.fact.result == "rejected"
        yield "archived", self.evidence
        yield "accepted", self.receipt
        yield "handed_over", self.handover
        yield "delivered", self.sent
        yield "delivering", self.reservation
        yield "packaged", self.package
        yield "approved", self.is_approved
        yield "rejected", self.is_rejected
        yield "in_sign_off", self.live_sign_off
        is_judged = self.content is not None and self.content.fact.round == self.round
        is_with_people = is_judged and self.is_listed
        yield "first_review", is_with_people and self.holds("first_review")
        yield "to_issue", is_with_people and self.holds("issue")
        yield "in_review", is_with_people and self.holds("answer")
        yield "answered", is_with_people and (self.holds("decide") or self.has_new_decisions)
        yield "reviewed", is_with_people
        yield "validated", is_judged
        yield "extracted", self.rounds
        yield "opened", True


def fold(events: Iterable[Event]) -> FilingState | None:
    """The state after `events` of one stream `filing/<id>`; None for an empty stream."""
    state: FilingState | None = None
    for event in events:
        if event.payload is not None and event.type != "payload_erased":
            fact = e.EVENTS[event.type].model_validate(event.payload)
            recorded: Recorded[Any] = Recorded(event.seq, event.actor, event.at, event.hash, fact)
            if state is None:
                state = FilingState(event.stream.removeprefix("filing/"), recorded)
            state = _apply(state, recorded)
        if state is not None:
            state = replace(state, seq=event.seq)
    return state


def after(state: FilingState, fact: e.FilingEvent, *, actor: str, at: datetime) -> FilingState:
    """The state as it would be with one more event; nothing is recorded."""
    recorded: Recorded[Any] = Recorded(state.seq + 1, actor, at, "", fact)
    return replace(_apply(state, recorded), seq=state.seq + 1)


_COLLECTED: dict[type[e.FilingEvent], str] = {
    e.OffSystemUploaded: "uploads",
    e.RoundExtracted: "rounds",
    e.ContentValidated: "contents",
    e.ProblemsListed: "listings",
    e.FindingsReviewed: "first_reviews",
    e.FindingsDispatched: "dispatches",
    e.AnswersReceived: "answers",
    e.AnswersReviewed: "answer_reviews",
    e.CorrectionDecided: "corrections_decided",
    e.WaiverProposed: "waivers_proposed",
    e.WaiverRefused: "waivers_refused",
    e.WaiverGranted: "waivers",
    e.WaiverRevoked: "revocations",
    e.HolderReminded: "reminders",
    e.RoundsCompared: "comparisons",
    e.DriftExplained: "drift_explained",
    e.SignOffOpened: "sign_offs",
    e.OpinionGiven: "opinions",
    e.ObjectionAnswered: "objection_answers",
    e.StepReminded: "step_reminders",
    e.PackageBuilt: "packages",
    d.TalkRecorded: "talks",
    d.ExtensionProposed: "extensions",
    d.ExtensionDecided: "extension_decisions",
}
_LATEST: dict[type[e.FilingEvent], str] = {
    e.ExtractionRequested: "extraction_requested",
    e.DeliveryReserved: "reservation",
    e.DeliverySent: "sent",
    e.HandoverRecorded: "handover",
    e.ReceiptReceived: "receipt",
    e.EvidenceArchived: "evidence",
}


def _apply(state: FilingState, recorded: Recorded[Any]) -> FilingState:
    fact = recorded.fact
    if not isinstance(fact, e.FilingReopened) and getattr(fact, "version", state.version) != state.version:
        return state  # a late event of a version that was reopened since
    if collected := _COLLECTED.get(type(fact)):
        changes: dict[str, Any] = {collected: (*getattr(state, collected), recorded)}
    elif latest := _LATEST.get(type(fact)):
        changes = {latest: recorded}
    elif isinstance(fact, e.NilReturnDeclared):
        changes = {"nil_returns": state.nil_returns | {fact.table}}
    elif isinstance(fact, e.NilReturnWithdrawn):
        changes = {"nil_returns": state.nil_returns - {fact.table}}
    elif isinstance(fact, d.FilingAmended):
        nil_returns = state.nil_returns & set(fact.tables) if fact.tables else state.nil_returns
        changes = {"amendments": (*state.amendments, recorded), "nil_returns": nil_returns}
    elif isinstance(fact, d.FilingWithdrawn):
        changes = {"withdrawn": recorded}
    elif isinstance(fact, e.BaselineDeclared):
        changes = {"baseline": recorded}
    elif isinstance(fact, e.RetryRequested):
        changes = {"retries": {**state.retries, fact.step: state.retries.get(fact.step, 0) + 1}}
    elif isinstance(fact, e.FilingReopened):
        anew: dict[str, Any] = dict.fromkeys(_LATEST.values())
        begun = dict.fromkeys(
            ("sign_offs", "opinions", "objection_answers", "step_reminders", "packages"), ()
        )
        changes = {**anew, **begun, "version": fact.version}
    else:
        changes = {}
    return replace(state, **changes, held=_held_after(state, fact))


def _held_after(state: FilingState, fact: e.FilingEvent) -> tuple[e.Held, ...]:
    """Who holds what; of a new content it is known when its problems are listed."""
    if isinstance(fact, e.ContentValidated):
        return ()
    held = getattr(fact, "held", None)
    return state.held if held is None else held
