"""What is asked again when somebody else was quicker, how often, and what is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.errors import Refused
from pipelines.ledger.filing_events import RetryRequested
from pipelines.stages.again import asked_again
from pipelines.stages.decide import accept
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.selection import Selection
from pipelines.stages.sign_off import give_opinion
from tests.flow.conftest import Resume
from tests.flow.life import EXPLAINED, hand_in, rows, these
from tests.flow.play import AUDIT, SCHEDULE_P, agree


def test_an_act_is_asked_again_while_the_ledger_moves_on_and_no_longer_than_five_times() -> None:
    asked: list[int] = []

    @asked_again
    def act(until: int) -> int:
        asked.append(until)
        if len(asked) < until:
            raise Refused("ledger.moved_on", stream="s", seq=1, expected=0)
        return len(asked)

    assert act(3) == 3
    asked.clear()
    with pytest.raises(Refused) as caught:
        act(9)
    assert (caught.value.code, len(asked)) == ("ledger.moved_on", 5)


def test_another_refusal_is_final() -> None:
    asked: list[str] = []

    @asked_again
    def act() -> None:
        asked.append("asked")
        raise Refused("sign_off.none", filing="f")

    with pytest.raises(Refused):
        act()
    assert asked == ["asked"]


def interrupted(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """Somebody else acts between the checks of the next act and its record, once."""
    record, left = Installation.record, [meanwhile]

    def slow(self: Installation, *given: object, **named: object) -> object:
        if left:
            left.pop()()
        return record(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Installation, "record", slow)


def nudge(installation: Installation, filing: str) -> Callable[[], object]:
    """Something that changes nothing but the sequence."""
    fact = RetryRequested(step="extract", reason="—")
    return lambda: installation.record(installation.state(filing), fact, actor="baosong", command="nudge")


def test_a_first_review_survives_somebody_quicker(
    resume: Resume, audit_listed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(audit_listed)
    interrupted(monkeypatch, nudge(installation, AUDIT))
    reviewer = installation.user("audit_reviewer")
    state = review_findings(installation, AUDIT, reviewer, "confirm", Selection())
    assert (len(state.first_reviews), state.holds("first_review")) == (1, 0)


def test_an_opinion_survives_somebody_quicker(
    resume: Resume, schedule_p_reviewed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=0)
    interrupted(monkeypatch, nudge(installation, SCHEDULE_P))
    state = give_opinion(
        installation, SCHEDULE_P, installation.user("actuary"), opinion="agree", comment="同意"
    )
    assert [o.actor for o in state.live_opinions] == ["actuary"]


def test_a_decision_is_not_taken_for_one_on_an_answer_that_nobody_had_seen(
    resume: Resume, audit_in_review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(audit_in_review)
    first, second = rows(installation, branch="330000", severity="explain")["finding"].head(2)
    hand_in(installation, tmp_path / "one", "branch_330000", {first: EXPLAINED})
    reviewer = installation.user("business_reviewer")

    def arrives() -> None:
        hand_in(installation, tmp_path / "two", "branch_330000", {second: EXPLAINED})

    with monkeypatch.context() as patch:
        interrupted(patch, arrives)
        with pytest.raises(Refused) as caught:
            accept(installation, AUDIT, reviewer, these(first))
    assert (caught.value.code, installation.state(AUDIT).answer_reviews) == ("ledger.moved_on", ())
    with monkeypatch.context() as patch:
        interrupted(patch, nudge(installation, AUDIT))
        assert accept(installation, AUDIT, reviewer, these(first)).answer_reviews[-1].fact.accepted == {
            "explanation": 1
        }
