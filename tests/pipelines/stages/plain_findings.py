"""The life of a finding in plain Python, event by event, as `finding_state` words it: what the register is compared with.

Nothing here knows frames, files or sequences of a ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

Act = Literal["asked", "answered", "accepted", "sent_back"]


class Cell(NamedTuple):
    """What an answer speaks of; `digest` names the wording of the rule."""

    value: str | None
    expected: str | None
    digest: str


class Seen(NamedTuple):
    """A finding as one content has it."""

    cell: Cell
    waiver: str | None = None
    is_unjudgeable: bool = False
    """The row could not be judged: then it blocks, whatever its rule's severity."""


class Said(NamedTuple):
    """One person's answer."""

    handling: str
    new_value: str | None
    cell: Cell
    round: int


@dataclass
class Life:
    """One finding: what is known of it and what was done last."""

    rule: str
    rule_severity: str
    wording: str | None
    """The digest that the rule has in the standard now; None when it is gone."""
    department: str
    branch: str
    seen: Seen | None = None
    is_present: bool = False
    is_untouched: bool = False
    """Whether it came back after it was gone and nobody did anything since."""
    first_round: int = 0
    last_round: int = 0
    gone_in: int | None = None
    review: tuple[str, Cell] | None = None
    assigned: tuple[str | None, str | None] = (None, None)
    last: Act | None = None
    is_recent: bool = False
    """Whether what was done last was done since the judging."""
    said: Said | None = None
    began_at: datetime | None = None
    gone_at: datetime | None = None
    judged_at: datetime | None = None
    acted_at: datetime | None = None
    answers: dict[str, Said] = field(default_factory=dict[str, Said])
    """The answers since it was last put to the branch or decided."""

    @property
    def severity(self) -> str:
        return "block" if self.seen and self.seen.is_unjudgeable else self.rule_severity

    def judged(self, found: Seen | None, round_: int, at: datetime, *, is_rule_judged: bool = True) -> None:
        """A content was judged: it has the finding or not, or says nothing of its rule."""
        if not is_rule_judged:
            found = self.seen if self.is_present else None
        if found is None:
            if self.is_present:
                self.gone_in, self.gone_at = round_, at
            self.is_present = False
        else:
            if self.seen is None:
                self.first_round = round_
            elif not self.is_present:
                self.is_untouched = True
            if not self.is_present:
                self.began_at = at
            self.seen, self.is_present, self.last_round = found, True, round_
        self.is_recent, self.judged_at = False, at

    def reviewed(self, decision: str, department: str | None = None, branch: str | None = None) -> None:
        assert self.seen is not None
        self.review, self.assigned = (decision, self.seen.cell), (department, branch)
        self.is_untouched = False

    def asked(self, at: datetime) -> None:
        self._did("asked", at)
        self.answers = {}

    def answered(self, user: str, handling: str, new_value: str | None, round_: int, at: datetime) -> None:
        assert self.seen is not None
        self.said = self.answers[user] = Said(handling, new_value, self.seen.cell, round_)
        self._did("answered", at)

    def decided(self, decision: str, user: str, round_: int, at: datetime) -> None:
        """The answer of a person is accepted or sent back."""
        self.said = self.answers[user]._replace(round=round_)
        self._did("accepted" if decision == "accept" else "sent_back", at)
        self.answers = {}

    def _did(self, act: Act, at: datetime) -> None:
        self.last, self.is_recent, self.is_untouched, self.acted_at = act, True, False, at

    def state(self, round_: int) -> str:
        assert self.seen is not None
        cell = self.seen.cell
        if not self.is_present:
            return "obsolete" if self.wording != cell.digest else "resolved"
        if self.seen.waiver is not None:
            return "waived"
        if self._is_dismissed(cell) and self.severity != "block":
            return "dismissed"
        if self.is_untouched:
            return "reappeared"
        if self.last is None:
            return "confirmed" if self._has_passed(cell) else "new"
        return self._after_acts(cell, round_)

    def _after_acts(self, cell: Cell, round_: int) -> str:
        if self.last == "accepted":
            assert self.said is not None
            holds = {
                "explanation": self.said.cell == cell,
                "source_fix": self.said.round == round_,
                "report_correction": self.is_recent,
            }
            return "accepted" if holds[self.said.handling] else "still_there"
        if self.last == "answered":
            assert self.said is not None
            is_of_round = self.said.handling != "source_fix" or self.said.round == round_
            return "answered" if self.said.cell == cell and is_of_round else "still_there"
        if self.is_recent:
            return "sent_back" if self.last == "sent_back" else "dispatched"
        return "still_there"

    def _has_passed(self, cell: Cell) -> bool:
        return (
            self.review is not None and self.review[0] != "dismiss" and self.review[1].digest == cell.digest
        )

    def _is_dismissed(self, cell: Cell) -> bool:
        if self.review is None or self.review[0] != "dismiss":
            return False
        return (self.review[1].value, self.review[1].digest) == (cell.value, cell.digest)

    def since(self, state: str) -> datetime:
        """When it became so."""
        if state in ("resolved", "obsolete"):
            moment = self.gone_at
        elif state in ("accepted", "sent_back", "answered", "dispatched"):
            moment = self.acted_at
        else:
            moment = self.judged_at if state == "still_there" else self.began_at
        assert moment is not None
        return moment

    def holder(self, round_: int, *, is_reviewed_first: bool) -> str | None:
        assert self.seen is not None
        state = self.state(round_)
        if self.severity == "note" or state in ("accepted", "resolved", "obsolete", "dismissed", "waived"):
            return None
        turn = {"answered": "decide", "dispatched": "answer", "sent_back": "answer"}.get(state)
        if turn is not None:
            return turn
        cell = self.seen.cell
        is_passed = self._has_passed(cell) or self._is_dismissed(cell)
        return "first_review" if is_reviewed_first and not is_passed else "issue"

    def row(self, round_: int, *, is_reviewed_first: bool) -> Mapping[str, object]:
        """What the register must say of it."""
        assert self.seen is not None
        state = self.state(round_)
        is_gone = state in ("resolved", "obsolete")
        differing = {(said.handling, said.new_value) for said in self.answers.values()}
        is_promised = self.last == "accepted" and self.said is not None and self.said.handling == "source_fix"
        return {
            "state": state,
            "holder": self.holder(round_, is_reviewed_first=is_reviewed_first),
            "value": self.seen.cell.value,
            "department": self.assigned[0] or self.department,
            "branch": self.assigned[1] or self.branch,
            "first_round": self.first_round,
            "last_round": self.last_round,
            "resolved_round": self.gone_in if is_gone else None,
            "conflict": state == "answered" and len(differing) > 1,
            "promised": is_promised,
            "since": self.since(state),
        }
