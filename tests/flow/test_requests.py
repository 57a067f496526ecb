"""The life of a request: registered, returned, amended, refused; and what its filing may do meanwhile."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.ledger.request import request_key
from pipelines.stages.installation import Installation
from pipelines.stages.next_step import next_step
from pipelines.stages.request import review_request
from pipelines.stages.request_amend import RequestChanges, amend_request, withdraw_request
from pipelines.stages.sign_off import give_opinion, open_sign_off
from resources.deployment import User
from tests.flow.conftest import Resume, refused
from tests.flow.play import (
    AUDIT,
    SCHEDULE_P,
    agree,
    draft,
    open_by_request,
    preparer,
    run,
    schedule_p_draft,
)
from tests.flow.request_play import NAIC, NUMBER, amend, codes, decide, register
from tests.flow.test_talks import agree_extension

OFFICIAL = "粤保监发〔2026〕17号"


# ---- registering


def test_a_document_number_is_kept_as_it_stands_and_filed_under_a_safe_key(begin: Resume) -> None:
    installation = begin()
    filing = register(installation, draft(installation.home, number=OFFICIAL))
    assert filing == f"circ_audit.detail.{request_key(OFFICIAL)}" == "circ_audit.detail.2026-17-0275b8eb"
    state = decide(installation, "accept", OFFICIAL)
    assert getattr(state, "id", None) == filing
    assert installation.state(filing).opened.fact.basis == OFFICIAL
    assert installation.request(OFFICIAL) == installation.request("2026-17-0275b8eb")
    assert installation.request(OFFICIAL).number == OFFICIAL


def test_everything_wrong_is_reported_at_once_and_nothing_is_kept(begin: Resume, tmp_path: Path) -> None:
    installation = begin()
    empty = tmp_path / "empty.pdf"
    empty.touch()
    link = tmp_path / "link.pdf"
    link.symlink_to("/etc/passwd")
    pipe = tmp_path / "pipe.pdf"
    os.mkfifo(pipe)
    wrong = replace(
        draft(installation.home, number="文号\x1b[2J", deadline=date(2026, 5, 1)),
        document=empty,
        annexes=(link, tmp_path, pipe, tmp_path / "none.pdf"),
        organisations=("330000", "999999"),
        tables=("BDXXB", "NOSUCH"),
        nil_returns={"PAXXB": "无赔案", "BDXXB": " "},
        dated=date(2026, 6, 1),
        key="../../etc",
        authority=" ",
    )
    assert codes(lambda: register(installation, wrong)) == [
        "request.number", "request.key", "request.text", "request.organisations", "request.tables",
        "request.nil_return_table", "request.no_reason", "request.deadline", "request.dated", "document.empty",
        "document.unreadable", "document.no_file", "document.no_file", "request.document",
    ]  # fmt: skip
    assert installation.requests() == []
    assert not (installation.home / "requests").exists()


def test_an_attachment_over_the_cap_is_refused(begin: Resume, tmp_path: Path) -> None:
    installation = begin()
    large = tmp_path / "scan.pdf"
    with large.open("wb") as file:
        file.truncate(32 * 1024 * 1024 + 1)
    demand = replace(draft(installation.home), document=large)
    assert codes(lambda: register(installation, demand)) == ["document.too_large"]


def test_registering_the_same_twice_changes_nothing_and_something_else_is_refused(begin: Resume) -> None:
    installation = begin()
    demand = draft(installation.home)
    annex = installation.home / "附件一.txt"
    annex.write_text("附件（模拟）", encoding="utf-8")
    demand = replace(demand, annexes=(annex,), dated=date(2026, 5, 4))
    register(installation, demand)
    before = installation.request(NUMBER)
    assert register(installation, demand) == AUDIT
    assert installation.request(NUMBER) == before
    kept = sorted(path.name for path in (installation.home / "requests" / NUMBER).iterdir())
    assert kept == sorted(document.file for document in before.latest.fact.documents)
    assert [document.name for document in before.latest.fact.documents] == ["JH.txt", "附件一.txt"]
    other = replace(demand, organisations=("330000",))
    assert codes(lambda: register(installation, other)) == ["request.exists"]
    assert codes(lambda: register(installation, replace(demand, number="JH-9", key=NUMBER))) == [
        "request.filing_exists"
    ]


def test_nil_returns_of_the_registration_are_declared_when_the_filing_opens(begin: Resume) -> None:
    installation = begin()
    register(installation, replace(draft(installation.home), nil_returns={"ZBTHXXB": "无摊回业务"}))
    decide(installation, "accept")
    state = installation.state(AUDIT)
    assert state.nil_returns == {"ZBTHXXB"}
    decide(installation, "accept")
    assert installation.state(AUDIT) == state


# ---- review


def test_a_returned_request_is_mended_by_its_raiser_and_accepted(begin: Resume) -> None:
    installation = begin()
    register(installation, draft(installation.home))
    assert decide(installation, "return") is None
    assert installation.request(NUMBER).stage == "returned"
    assert codes(lambda: decide(installation, "accept")) == ["request.reviewed"]
    amend(installation, organisations=("330000", "440000"))
    request = installation.request(NUMBER)
    assert (request.stage, getattr(request.latest.fact, "changed", None)) == ("waiting", ("organisations",))
    decide(installation, "accept")
    state = installation.state(AUDIT)
    assert (state.organisations, state.amendments) == (("330000", "440000"), ())
    assert installation.request(NUMBER).stage == "accepted"


def test_a_refused_request_is_closed_for_good(begin: Resume) -> None:
    installation = begin()
    demand = draft(installation.home)
    register(installation, demand)
    decide(installation, "refuse")
    assert codes(lambda: amend(installation, deadline=date(2026, 5, 20))) == ["request.closed"]
    assert codes(lambda: register(installation, replace(demand, deadline=date(2026, 5, 20)))) == [
        "request.closed"
    ]
    with pytest.raises(Refused, match="已结束"):
        withdraw_request(installation, NUMBER, installation.user("requester"), reason="不需要了")


def test_a_review_needs_its_comment_and_another_person(begin: Resume) -> None:
    installation = begin()
    register(installation, draft(installation.home))
    reviewer = installation.user("audit_reviewer")
    with pytest.raises(BadInput, match="没有写明意见"):
        review_request(installation, NUMBER, reviewer, opinion="accept", comment=" ")
    amender = also_reviewer(installation, "requester")
    amend_request(
        installation, NUMBER, amender, changes=RequestChanges(deadline=date(2026, 5, 20)), reason="延期"
    )
    with pytest.raises(Refused, match="须由他人审核"):
        review_request(installation, NUMBER, amender, opinion="accept", comment="自审")


def also_reviewer(installation: Installation, name: str) -> User:
    """One person with both roles."""
    user = installation.user(name)
    return user.model_copy(update={"roles": frozenset({"requester", "audit_reviewer"})})


# ---- amendment


def test_an_amendment_re_opens_the_review_and_closes_sign_off_and_packaging(
    resume: Resume, schedule_p_reviewed: Path
) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=1)
    amend(installation, NAIC, deadline=date(2026, 5, 26))
    assert installation.request(NAIC).stage == "amendment_waiting"
    actuary, executive = installation.user("actuary"), installation.user("executive")
    with pytest.raises(Refused) as caught:
        give_opinion(installation, SCHEDULE_P, executive, opinion="agree", comment="同意")
    assert caught.value.code == "request.under_review"
    refused(installation, "package", "request.under_review")
    assert next_step(installation.state(SCHEDULE_P), installation) is None
    decide(installation, "accept", NAIC)
    state = installation.state(SCHEDULE_P)
    assert (state.deadline, state.planned_on) == (date(2026, 5, 26), date(2026, 5, 26))
    assert [each.cause for each in state.deadlines] == ["opened", "amended"]
    assert state.stage == "in_sign_off", "another deadline does not void what was said of the content"
    give_opinion(installation, SCHEDULE_P, executive, opinion="agree", comment="同意")
    assert actuary.id in {opinion.actor for opinion in installation.state(SCHEDULE_P).live_opinions}
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"
    assert codes(lambda: amend(installation, NAIC, deadline=date(2026, 5, 27))) == ["request.packaged"]


def test_the_gate_of_an_amendment_stands_with_the_others(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    amend(installation, NAIC, deadline=date(2026, 5, 26))
    found = codes(lambda: open_sign_off(installation, SCHEDULE_P, preparer(installation)))
    assert found == ["request.under_review"]


def test_a_refused_amendment_leaves_the_filing_as_it_was(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    before = installation.state(SCHEDULE_P)
    step = next_step(before, installation)
    amend(installation, NAIC, deadline=date(2026, 5, 26), date_from=date(1990, 1, 1))
    assert next_step(before, installation) is None, "what may have to change is not released"
    assert decide(installation, "refuse", NAIC) is None
    assert installation.state(SCHEDULE_P) == before
    assert next_step(before, installation) == step
    assert installation.request(NAIC).stage == "accepted"
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


def test_a_returned_amendment_keeps_the_gate_closed_until_it_is_settled(
    resume: Resume, schedule_p_approved: Path
) -> None:
    installation = resume(schedule_p_approved)
    amend(installation, NAIC, deadline=date(2026, 5, 26))
    decide(installation, "return", NAIC)
    refused(installation, "package", "request.under_review")
    amend(installation, NAIC, deadline=date(2026, 5, 25))
    decide(installation, "accept", NAIC)
    state = installation.state(SCHEDULE_P)
    assert [fact.fact.deadline for fact in state.amendments] == [date(2026, 5, 25)]
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


def test_an_acceptance_that_died_half_way_keeps_the_gate_closed_and_is_completed_by_a_rerun(
    resume: Resume, schedule_p_approved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(schedule_p_approved)
    amend(installation, NAIC, date_from=date(1990, 1, 1))

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.stages.request.apply_amendment", killed)
        with pytest.raises(KeyboardInterrupt):
            decide(installation, "accept", NAIC)
    assert installation.request(NAIC).stage == "accepted"
    refused(installation, "package", "request.under_review")
    decide(installation, "accept", NAIC)
    assert installation.state(SCHEDULE_P).date_from == date(1990, 1, 1)
    decide(installation, "accept", NAIC)
    assert len(installation.state(SCHEDULE_P).amendments) == 1


def test_an_amended_period_voids_the_approval_and_another_round_is_due(
    resume: Resume, schedule_p_approved: Path
) -> None:
    installation = resume(schedule_p_approved)
    amend(installation, NAIC, date_from=date(1990, 1, 1))
    decide(installation, "accept", NAIC)
    state = installation.state(SCHEDULE_P)
    step = next_step(state, installation)
    assert step is not None
    assert (step.step, step.key) == ("extract", "extract:round-2:0")
    refused(installation, "package", "sign_off.not_approved")
    state = run(installation, SCHEDULE_P, "extract", "validate", "compare", "review")
    assert state.round == 2
    assert (state.date_from, state.date_to) == (date(1990, 1, 1), date(1997, 12, 31))
    assert not state.is_approved


def test_an_amendment_without_a_change_or_a_reason_or_with_nonsense(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, draft(installation.home))
    assert codes(lambda: amend(installation)) == ["request.nothing_changed"]
    assert codes(
        lambda: amend(installation, deadline=date(2026, 5, 1), tables=("X",), organisations=("9",))
    ) == ["request.organisations", "request.tables", "request.deadline"]
    amend(installation, deadline=date(2026, 5, 20))
    before = installation.request(NUMBER)
    amend(installation, deadline=date(2026, 5, 20))
    assert installation.request(NUMBER) == before


def test_a_deadline_that_was_extended_survives_an_amendment_that_does_not_speak_of_it(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, schedule_p_draft(installation.home))
    amend(installation, NAIC, date_from=date(1990, 1, 1))
    later = date(2026, 5, 20) + timedelta(days=7)
    agree_extension(installation, SCHEDULE_P, later)
    decide(installation, "accept", NAIC)
    state = installation.state(SCHEDULE_P)
    assert (state.deadline, state.date_from) == (later, date(1990, 1, 1))
