"""A step's time limit in working time: who sits there is reminded once, later whoever waits is told; the review says late alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.ledger.filing_events import StepReminded
from pipelines.stages.compliance import compliance
from pipelines.stages.installation import Installation
from pipelines.stages.noticed import notices_of_filing
from pipelines.stages.sign_off import give_opinion, open_sign_off
from pipelines.stages.step_limits import due_reminders, remind_signers
from tests.flow.conftest import Resume
from tests.flow.life import clock_to, events
from tests.flow.play import SCHEDULE_P, agree, opened, own_deployment, preparer

ROUTE = "steps: [actuarial, executive]"
LIMITED = "steps: [{roles: [actuarial, finance], limit_working_hours: 4}, {role: executive, limit_working_hours: 4}]"
Begin = Callable[..., Installation]


@pytest.fixture
def begin_signing(resume: Resume, schedule_p_reviewed: Path, tmp_path: Path) -> Begin:
    """Put up on 2026-05-06 at 9 on a route whose steps have four working hours each."""

    def begin(*edits: tuple[str, str, str]) -> Installation:
        deployment = own_deployment(tmp_path / "deployment", ("routes.yaml", ROUTE, LIMITED), *edits)
        installation = resume(schedule_p_reviewed, deployment=deployment)
        agree(installation, SCHEDULE_P, steps=0)
        return installation

    return begin


def at(installation: Installation, hour: int, minute: int = 0, *, day: int = 6) -> list[tuple[str, int]]:
    """Two ticks at a moment: what the first records; the second must record nothing."""
    clock_to(installation, datetime(2026, 5, day, hour, minute))  # noqa: DTZ001 - in the clock's own zone
    told = remind_signers(installation, SCHEDULE_P)
    before = events(installation, SCHEDULE_P)
    assert remind_signers(installation, SCHEDULE_P) == []
    assert events(installation, SCHEDULE_P) == before
    return [(each.level, each.step) for each in told]


def told(installation: Installation) -> set[tuple[str, str]]:
    notices = notices_of_filing(installation, installation.state(SCHEDULE_P))
    return {(each.person, each.kind) for each in notices if each.kind in ("reminder", "escalation")}


def sign(installation: Installation, user: str, opinion: str = "agree") -> None:
    said = "agree" if opinion == "agree" else "disagree"
    give_opinion(installation, SCHEDULE_P, installation.user(user), opinion=said, comment="已阅")


def test_who_sits_there_is_reminded_and_later_whoever_waits_next(begin_signing: Begin) -> None:
    installation = begin_signing()
    assert at(installation, 14, 30) == [], "3 hours before noon, 1 after: not over yet"
    assert at(installation, 14, 50) == [("reminder", 0)]
    assert told(installation) == {("actuary", "reminder"), ("finance_reviewer", "reminder")}
    sign(installation, "actuary")
    assert told(installation) == {("finance_reviewer", "reminder")}, "who has signed is not reminded any more"
    assert at(installation, 9, 30, day=7) == []
    assert at(installation, 10, 31, day=7) == [("escalation", 0)]
    assert told(installation) == {
        ("finance_reviewer", "reminder"), ("finance_reviewer", "escalation"), ("executive", "escalation"),
    }  # fmt: skip
    reminded = installation.state(SCHEDULE_P).step_reminders
    assert [[seat.role for seat in r.fact.seats] for r in reminded] == [["actuarial", "finance"], ["finance"]]
    sign(installation, "finance_reviewer")
    assert told(installation) == set()


def test_at_the_last_step_the_preparer_waits(begin_signing: Begin) -> None:
    installation = begin_signing()
    sign(installation, "actuary")
    sign(installation, "finance_reviewer")
    assert at(installation, 14, 0, day=8) == [("reminder", 1), ("escalation", 1)], (
        "a daemon that was down loses nothing"
    )
    assert told(installation) == {
        ("executive", "reminder"), ("executive", "escalation"), ("data_engineer", "escalation"),
    }  # fmt: skip


def test_nobody_is_reminded_on_a_day_off_nor_when_the_route_is_decided(begin_signing: Begin) -> None:
    installation = begin_signing()
    assert at(installation, 12, day=10) == [], "a Sunday"
    sign(installation, "actuary", "disagree")
    assert at(installation, 12, day=11) == []
    assert told(installation) == set()


def test_the_same_content_put_up_again_is_reminded_of_again(begin_signing: Begin) -> None:
    installation = begin_signing()
    assert at(installation, 16) == [("reminder", 0)]
    sign(installation, "actuary", "disagree")
    open_sign_off(installation, SCHEDULE_P, preparer(installation), answer="已说明")
    assert at(installation, 16, 30) == []
    assert at(installation, 14, day=7) == [("reminder", 0)]


def test_two_processes_at_one_moment_record_it_once(begin_signing: Begin) -> None:
    installation = begin_signing()
    clock_to(installation, datetime(2026, 5, 6, 15))  # noqa: DTZ001 - in the clock's own zone
    state = installation.state(SCHEDULE_P)
    (fact,) = due_reminders(installation, state)
    with opened(installation.home, installation.deployment.path) as other:
        assert [each.level for each in remind_signers(other, SCHEDULE_P)] == ["reminder"]
    live = state.live_sign_off
    assert live is not None
    installation.record(state, fact, actor="baosong", command=f"remind-step:{live.seq}:0:reminder")
    kinds = [event.type for event in installation.ledger.events(f"filing/{SCHEDULE_P}")]
    assert kinds.count(StepReminded.kind) == 1


def test_the_compliance_review_says_late_by_the_same_figure(begin_signing: Begin) -> None:
    installation = begin_signing()

    def reviewed() -> tuple[str, int, int]:
        review = compliance(installation, installation.state(SCHEDULE_P))
        (found,) = [check for check in review.of("") if check.id == "signed_in_time"]
        return found.result, found.evidence.count, found.evidence.deviating

    at(installation, 14, 30)
    assert reviewed() == ("kept", 1, 0)
    at(installation, 14, 50)
    assert reviewed() == ("deviation", 1, 1)
    sign(installation, "actuary")
    sign(installation, "finance_reviewer", "disagree")
    open_sign_off(installation, SCHEDULE_P, preparer(installation), answer="已说明")
    sign(installation, "actuary")
    sign(installation, "finance_reviewer")
    assert reviewed() == ("deviation", 3, 1), "a deviation never disappears; the steps after it were in time"
