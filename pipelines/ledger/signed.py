"""What was put up for opinions and what people said of it: the sign-off's part of a filing's state.

What is demanded lies before it (`demand.py`), the flow itself around it (`filing.py`). How opinions become a decision is
`sign_off_state.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pipelines.ledger.demand import DemandedFiling
from pipelines.ledger.filing_events import ContentValidated, OffSystemUploaded
from pipelines.ledger.finding_events import (
    AnswersReceived,
    AnswersReviewed,
    CorrectionDecided,
    FindingsReviewed,
    WaiverGranted,
    WaiverProposed,
    WaiverRefused,
    WaiverRevoked,
)
from pipelines.ledger.recorded import Recorded
from pipelines.ledger.sign_off_events import (
    ObjectionAnswered,
    OpinionGiven,
    SignOffOpened,
    StepKind,
    StepReminded,
)
from pipelines.ledger.sign_off_state import (
    LiveSeat,
    LiveStep,
    current_step_of,
    decision_of,
    follows_route,
    has_distinct_people,
    steps_of,
)


@dataclass(frozen=True)
class Walk:
    """A sign-off with its steps; `ended`: when new content or another sign-off took its place, None while it is the last."""

    opened: Recorded[SignOffOpened]
    steps: tuple[LiveStep, ...]
    ended: datetime | None

    def began(self, place: int) -> datetime | None:
        """When a step's turn came; None when it did not."""
        if place == 0:
            return self.opened.at
        before = self.steps[place - 1]
        return before.decision.at if before.decision and before.outcome == "agree" else None


@dataclass(frozen=True)
class SignedFiling(DemandedFiling):
    """The contents of a filing with the opinions on them, and what people decided before: who answered may give none, who reviewed
    or handed in a table only a department's."""

    uploads: tuple[Recorded[OffSystemUploaded], ...] = ()
    contents: tuple[Recorded[ContentValidated], ...] = ()
    answers: tuple[Recorded[AnswersReceived], ...] = ()
    first_reviews: tuple[Recorded[FindingsReviewed], ...] = ()
    answer_reviews: tuple[Recorded[AnswersReviewed], ...] = ()
    corrections_decided: tuple[Recorded[CorrectionDecided], ...] = ()
    waivers_proposed: tuple[Recorded[WaiverProposed], ...] = ()
    waivers_refused: tuple[Recorded[WaiverRefused], ...] = ()
    waivers: tuple[Recorded[WaiverGranted], ...] = ()
    revocations: tuple[Recorded[WaiverRevoked], ...] = ()
    sign_offs: tuple[Recorded[SignOffOpened], ...] = ()
    opinions: tuple[Recorded[OpinionGiven], ...] = ()
    objection_answers: tuple[Recorded[ObjectionAnswered], ...] = ()
    step_reminders: tuple[Recorded[StepReminded], ...] = ()

    @property
    def content(self) -> Recorded[ContentValidated] | None:
        """The content that was judged last: the only one that may be signed."""
        return self.contents[-1] if self.contents else None

    @property
    def sign_off(self) -> Recorded[SignOffOpened] | None:
        """The sign-off that was opened last for this version."""
        return self.sign_offs[-1] if self.sign_offs else None

    @property
    def live_sign_off(self) -> Recorded[SignOffOpened] | None:
        """The open sign-off, unless the content has changed since: then what was said is void."""
        if self.sign_off and self.content and self.sign_off.fact.content == self.content.fact.content:
            return self.sign_off
        return None

    @property
    def live_opinions(self) -> tuple[Recorded[OpinionGiven], ...]:
        """The opinions on the live sign-off, in the order given."""
        live = self.live_sign_off
        return tuple(
            o for o in self.opinions if live and o.seq > live.seq and o.fact.number == live.fact.number
        )

    @property
    def earlier_opinions(self) -> tuple[Recorded[OpinionGiven], ...]:
        """The opinions on this version that hold no longer: on other content, or on this before it was put up again."""
        live = {opinion.seq for opinion in self.live_opinions}
        return tuple(opinion for opinion in self.opinions if opinion.seq not in live)

    @property
    def void_opinions(self) -> tuple[Recorded[OpinionGiven], ...]:
        """The earlier opinions that new content voided."""
        now = self.content.fact.content if self.content else ""
        return tuple(opinion for opinion in self.earlier_opinions if opinion.fact.content != now)

    @property
    def steps(self) -> tuple[LiveStep, ...]:
        """The steps of the live sign-off, with their seats and what was said there."""
        return steps_of(self.live_sign_off.fact, self.live_opinions) if self.live_sign_off else ()

    @property
    def walks(self) -> tuple[Walk, ...]:
        """Every sign-off of this version as far as it went, the live one last."""
        following = (*self.sign_offs[1:], None)
        return tuple(self._walk(each, then) for each, then in zip(self.sign_offs, following, strict=False))

    def _walk(self, opened: Recorded[SignOffOpened], then: Recorded[SignOffOpened] | None) -> Walk:
        opinions = [o for o in self.opinions if o.seq > opened.seq and (then is None or o.seq < then.seq)]
        others = [c for c in self.contents if c.seq > opened.seq and c.fact.content != opened.fact.content]
        ends = [each.at for each in (*others[:1], then) if each]
        return Walk(opened, steps_of(opened.fact, opinions), min(ends, default=None))

    @property
    def current_step(self) -> LiveStep | None:
        """The step whose turn it is; None without a live sign-off and when it is decided."""
        return current_step_of(self.steps)

    @property
    def open_seats(self) -> tuple[LiveSeat, ...]:
        """Where an opinion is awaited now, whoever may give it."""
        return self.current_step.open_seats if self.current_step else ()

    @property
    def decision(self) -> Recorded[OpinionGiven] | None:
        """The opinion that decided: by which a step could no longer reach its quorum, or which completed the route."""
        return decision_of(self.steps)

    @property
    def is_approved(self) -> bool:
        return self.decision is not None and self.decision.fact.opinion == "agree"

    @property
    def is_rejected(self) -> bool:
        return self.decision is not None and self.decision.fact.opinion == "disagree"

    @property
    def objection_answer(self) -> Recorded[ObjectionAnswered] | None:
        """What was said last about the objection that rejected the live content."""
        if self.decision is None or not self.is_rejected:
            return None
        said = [each for each in self.objection_answers if each.fact.decision == self.decision.seq]
        return said[-1] if said else None

    @property
    def answerers(self) -> frozenset[str]:
        """Who answered for a branch or a department; none of them may approve."""
        return frozenset(received.actor for received in self.answers)

    @property
    def follows_route(self) -> bool:
        """Whether every live opinion was given at its seat and in its turn."""
        return follows_route(self.steps, self.live_opinions)

    @property
    def makers(self) -> frozenset[str]:
        """Who prepared the live sign-off or answered: none of them gives an opinion, nor is one given for them."""
        return self.answerers | ({self.live_sign_off.actor} if self.live_sign_off else set())

    @property
    def deciders(self) -> frozenset[str]:
        """Who accepted or returned answers, decided a correction, proposed or decided a waiver: the reviewers of this filing."""
        waivers = (*self.waivers_proposed, *self.waivers_refused, *self.waivers, *self.revocations)
        acts = (*self.answer_reviews, *self.corrections_decided, *waivers)
        return frozenset(act.actor for act in acts)

    def barred_at(self, kind: StepKind, department: str) -> frozenset[str]:
        """Who worked on the content for a department and may therefore not sit here, nor be sat for.

        A department hands in its tables, decides on its branches' answers and signs for itself: that is one role. Everybody else
        who signs is another person than whoever handed in or reviewed; only the compliance review, which judges the departments,
        may be given by who did the first review before them.
        """
        if department:
            return frozenset()
        first = (
            frozenset(act.actor for act in self.first_reviews) if kind != "compliance" else frozenset[str]()
        )
        return self.deciders | {upload.actor for upload in self.uploads} | first

    @property
    def has_distinct_people(self) -> bool:
        """Whether preparer, answerers, reviewers, who handed in and every opinion are different people."""
        apart = all(
            not self.barred_at(step.bound.kind, o.fact.department) & {o.actor, o.fact.on_behalf_of}
            for step in self.steps
            for o in step.opinions
        )
        return apart and has_distinct_people(self.makers, self.live_opinions)

    @property
    def is_in_sign_off(self) -> bool:
        """Whether people are signing or have agreed: nothing may change now. A rejection opens the way back."""
        return self.live_sign_off is not None and not self.is_rejected
