"""Talks with the regulator are kept with their proofs; a deadline moves by proof and a second person's opinion alone."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation
from pipelines.stages.issue import answering_day
from pipelines.stages.talk import Talk, decide_extension, propose_extension, record_talk
from resources.clock import FileClock
from resources.deployment import User
from tests.flow.conftest import Resume
from tests.flow.play import AUDIT, SCHEDULE_P, draft, open_by_request, run, schedule_p_draft

LATER = date(2026, 5, 23)
"""A Saturday: planned for the Friday before."""


def proof_of(installation: Installation) -> Path:
    proof = installation.home / "复函.txt"
    proof.write_text("同意延期（模拟）", encoding="utf-8")
    return proof


def propose(installation: Installation, filing: str = AUDIT, deadline: date = LATER) -> FilingState:
    user = installation.user("requester")
    documents = [proof_of(installation)]
    return propose_extension(
        installation, filing, user, deadline=deadline, reason="数据量大", documents=documents
    )


def agree_extension(installation: Installation, filing: str, deadline: date) -> FilingState:
    number = len(propose(installation, filing, deadline).extensions)
    reviewer = installation.user("audit_reviewer")
    return decide_extension(
        installation, filing, reviewer, number=number, opinion="agree", comment="已核对复函"
    )


def codes(error: BaosongError) -> list[str]:
    return [detail.code for detail in error.details]


def test_no_deadline_is_proposed_in_a_year_that_the_calendar_lacks(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, draft(installation.home))
    with pytest.raises(BadInput, match="2028 年，工作日历还没有节假日安排"):
        propose(installation, deadline=date(2028, 1, 14))
    assert installation.state(AUDIT).extensions == ()


def test_a_talk_is_kept_with_who_when_and_its_proof(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, draft(installation.home))
    held = installation.now() - timedelta(hours=2)
    branch = installation.user("branch_it_440000")
    proof = proof_of(installation)
    talk = Talk("监管处", "机构范围是否含本级？", "不含。\n以文件为准。", held, (proof,))
    state = record_talk(installation, AUDIT, branch, talk)
    (recorded,) = state.talks
    assert (recorded.actor, recorded.fact.number, recorded.fact.held_at) == ("branch_it_440000", 1, held)
    assert recorded.fact.answer == "不含。\n以文件为准。"
    (document,) = recorded.fact.documents
    assert document.sha256 == hashlib.sha256(proof.read_bytes()).hexdigest()
    kept = installation.home / "talks" / AUDIT / document.file
    assert kept.read_bytes() == proof.read_bytes()
    assert state.deadline == date(2026, 5, 15)


def test_a_talk_is_not_recorded_in_part(begin: Resume, tmp_path: Path) -> None:
    installation = begin()
    before = open_by_request(installation, draft(installation.home))
    tomorrow = installation.now() + timedelta(days=1)
    wrong = Talk(" ", "问\x1b]0;", "答" * 5000, tomorrow, (tmp_path,))
    with pytest.raises(BadInput) as caught:
        record_talk(installation, AUDIT, installation.user("requester"), wrong)
    assert codes(caught.value) == ["talk.text", "talk.text", "talk.text", "document.no_file", "talk.future"]
    with pytest.raises(Refused):
        record_talk(installation, AUDIT, installation.user("executive"), Talk("监管处", "问", "答"))
    other = User(
        id="branch_110000", name="北京", roles=frozenset({"branch_it"}), organisations=frozenset({"110000"})
    )
    with pytest.raises(Refused, match="所属机构不在"):
        record_talk(installation, AUDIT, other, Talk("监管处", "问", "答"))
    assert installation.state(AUDIT) == before


def test_a_deadline_moves_only_when_somebody_else_agreed(begin: Resume) -> None:
    installation = begin()
    opened = open_by_request(installation, draft(installation.home))
    state = propose(installation)
    assert (state.deadline, state.planned_on) == (opened.deadline, opened.planned_on)
    assert propose(installation) == state, "the same proposal again changes nothing"
    state = agree_extension_one(installation)
    assert (state.deadline, state.planned_on) == (LATER, date(2026, 5, 22))
    assert answering_day(installation, state) == date(2026, 5, 8)
    assert [(each.cause, each.actor, each.deadline) for each in state.deadlines] == [
        ("opened", "audit_reviewer", date(2026, 5, 15)),
        ("extended", "audit_reviewer", LATER),
    ]
    assert agree_extension_one(installation) == state
    reviewer = installation.user("audit_reviewer")
    with pytest.raises(Refused, match="已有意见"):
        decide_extension(installation, AUDIT, reviewer, number=1, opinion="disagree", comment="反悔")


def agree_extension_one(installation: Installation) -> FilingState:
    reviewer = installation.user("audit_reviewer")
    return decide_extension(installation, AUDIT, reviewer, number=1, opinion="agree", comment="已核对")


def test_a_disagreement_moves_nothing_and_another_proposal_may_follow(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, draft(installation.home))
    propose(installation)
    with pytest.raises(Refused) as waits:
        propose(installation, deadline=date(2026, 5, 29))
    assert waits.value.code == "talk.extension_waits"
    reviewer = installation.user("audit_reviewer")
    state = decide_extension(installation, AUDIT, reviewer, number=1, opinion="disagree", comment="凭证不符")
    assert (state.deadline, state.open_extension) == (date(2026, 5, 15), None)
    state = agree_extension(installation, AUDIT, date(2026, 5, 12))
    assert (state.deadline, state.planned_on) == (date(2026, 5, 12), date(2026, 5, 12)), "earlier, too"


def test_nobody_agrees_to_his_own_proposal_and_nonsense_is_named_at_once(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, draft(installation.home))
    both = User(
        id="both",
        name="兼岗",
        roles=frozenset({"requester", "audit_reviewer"}),
        organisations=frozenset({"*"}),
    )
    with pytest.raises(BadInput) as caught:
        propose_extension(installation, AUDIT, both, deadline=date(2026, 5, 5), reason=" ", documents=())
    assert codes(caught.value) == ["talk.text", "talk.no_proof", "request.deadline"]
    with pytest.raises(BadInput) as same:
        propose_extension(
            installation, AUDIT, both, deadline=date(2026, 5, 15), reason="—",
            documents=[proof_of(installation)],
        )  # fmt: skip
    assert codes(same.value) == ["talk.same_deadline"]
    propose_extension(
        installation, AUDIT, both, deadline=LATER, reason="延期", documents=[proof_of(installation)]
    )
    with pytest.raises(Refused, match="须由他人审核"):
        decide_extension(installation, AUDIT, both, number=1, opinion="agree", comment="自批")
    with pytest.raises(Refused, match="audit_reviewer"):
        decide_extension(
            installation, AUDIT, installation.user("requester"), number=1, opinion="agree", comment="—"
        )


def test_an_approval_stands_when_only_the_deadline_moves(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    state = agree_extension(installation, SCHEDULE_P, date(2026, 5, 27))
    assert (state.stage, state.deadline) == ("approved", date(2026, 5, 27))
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


def test_a_deadline_that_passed_while_the_proposal_waited_is_not_agreed_to(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, schedule_p_draft(installation.home))
    propose(installation, SCHEDULE_P, date(2026, 5, 8))
    clock = installation.clock
    assert isinstance(clock, FileClock)
    clock.advance(to=(installation.now() + timedelta(days=4)).replace(tzinfo=None))
    reviewer = installation.user("audit_reviewer")
    with pytest.raises(Refused) as caught:
        decide_extension(installation, SCHEDULE_P, reviewer, number=1, opinion="agree", comment="晚了")
    assert caught.value.code == "talk.passed"
