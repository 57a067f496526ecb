"""An opinion lands at the seat, and on the review, that its giver had before them, or nowhere."""

from __future__ import annotations

import re
from datetime import date, datetime
from html import unescape
from pathlib import Path

import pytest

from pipelines.demo.visitor import Declined
from pipelines.errors import BadInput, Refused
from pipelines.stages.compliance import compliance
from pipelines.stages.installation import Installation
from pipelines.stages.sign_off import Shown, give_opinion, open_seats
from pipelines.stages.waiver_granting import WaiverDraft, decide_waiver, propose_waiver
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, at_desk, words
from tests.flow.life import clock_to, waive
from tests.flow.play import SCHEDULE_P, agree, own_deployment, run
from tests.flow.test_again import interrupted, nudge
from tests.flow.test_sign_off import put_up, sign

PAGE = f"/filings/{SCHEDULE_P}/sign"
EITHER = "steps: [{roles: [actuarial, finance], quorum: 1}, executive]"
BOTH = "steps: [{roles: [finance, actuarial]}, executive]"
ALSO_EXECUTIVE = ("users.yaml", "roles: [actuarial]", "roles: [actuarial, executive]")
ALSO_FINANCE = ("users.yaml", "roles: [actuarial]", "roles: [actuarial, finance]")
JUDGED = "steps: [{role: audit_reviewer, kind: compliance, limit_working_hours: 2}, executive]"
NEXT_DAY = datetime(2026, 5, 9, 16, 0)  # noqa: DTZ001 - in the clock's own zone


def given(installation: Installation) -> list[tuple[str, str]]:
    """Who gave an opinion at which role's seat."""
    return [(o.actor, o.fact.role) for o in installation.state(SCHEDULE_P).live_opinions]


def form_of(page: str) -> dict[str, str]:
    """What a browser sends of the sign page besides what is typed."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in hidden}


# ---- the seat


def test_a_late_opinion_is_not_recorded_at_another_seat_than_was_read(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, EITHER, ALSO_EXECUTIVE)
    typed = {"opinion": "agree", "comment": "准备金属实", "password": PASSWORD}
    with at_desk(installation) as street:
        actuary = street.visitor("actuary")
        read = actuary.read(PAGE)
        sign(installation, "finance_reviewer")
        late = actuary.client.post(PAGE, data={**form_of(read), **typed})
        assert late.status_code == 409
        assert "已不是您看到的那一个，意见未记录：现在是第 2 步 executive" in words(late.text)
        assert given(installation) == [("finance_reviewer", "finance")]
        again = actuary.client.post(PAGE, data={**form_of(late.text), **typed})
        assert again.status_code == 303
    assert given(installation) == [("finance_reviewer", "finance"), ("actuary", "executive")]


def test_an_opinion_that_names_no_seat_is_not_recorded(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path)
    with at_desk(installation) as street, pytest.raises(Declined, match="意见未记录"):
        fields = {"opinion": "agree", "comment": "同意", "password": PASSWORD, "seat": ""}
        street.visitor("actuary").send(PAGE, PAGE, fields)
    assert given(installation) == []


def test_asked_again_an_opinion_stays_at_its_seat(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, EITHER, ALSO_EXECUTIVE)
    interrupted(monkeypatch, lambda: sign(installation, "finance_reviewer"))
    with pytest.raises(Refused) as caught:
        sign(installation, "actuary")
    assert caught.value.code == "sign_off.other_seat"
    assert given(installation) == [("finance_reviewer", "finance")]


def test_an_opinion_of_before_a_rejection_is_none_on_what_was_put_up_again(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, BOTH)
    state, actuary = installation.state(SCHEDULE_P), installation.user("actuary")
    (seat,) = open_seats(installation, state, actuary)
    assert state.content is not None
    shown = Shown(state.content.fact.content, seat.key)
    sign(installation, "finance_reviewer", "disagree")
    agree(installation, SCHEDULE_P, steps=0, answer="已补充说明")
    with pytest.raises(Refused) as caught:
        give_opinion(installation, SCHEDULE_P, actuary, opinion="agree", comment="同意", shown=shown)
    assert caught.value.code == "sign_off.other_seat"
    assert given(installation) == []


def test_who_holds_two_seats_of_a_step_chooses_between_them(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, BOTH, ALSO_FINANCE)
    with pytest.raises(BadInput, match="请指明以哪个角色签署（--role）：finance, actuarial"):
        sign(installation, "actuary")
    with at_desk(installation) as street:
        actuary = street.visitor("actuary")
        options = re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)</option>', actuary.read(PAGE))
        assert len(options) == len({value for value, _ in options}) == 2
        (chosen,) = (unescape(value) for value, words in options if "精算" in words)
        fields = {"opinion": "agree", "comment": "同意", "password": PASSWORD, "seat": chosen}
        assert "意见已记录" in actuary.send(PAGE, PAGE, fields)
    assert given(installation) == [("actuary", "actuarial")]


def test_a_role_may_be_named_on_the_command_line(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, BOTH, ALSO_FINANCE)
    actuary = installation.user("actuary")
    give_opinion(installation, SCHEDULE_P, actuary, opinion="agree", comment="同意", role="actuarial")
    assert given(installation) == [("actuary", "actuarial")]


# ---- the review


def test_an_opinion_on_the_process_names_the_review_that_was_read(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, JUDGED)
    with at_desk(installation) as street, pytest.raises(Declined, match="合规审查的结果在您阅读之后有变化"):
        fields = {"opinion": "agree", "comment": "同意", "password": PASSWORD, "review": "0" * 64}
        street.visitor("audit_reviewer").send(PAGE, PAGE, fields)
    state, reviewer = installation.state(SCHEDULE_P), installation.user("audit_reviewer")
    (seat,) = open_seats(installation, state, reviewer)
    assert state.content is not None
    read = compliance(installation, state)

    def a_day_passes() -> None:
        clock_to(installation, NEXT_DAY)
        nudge(installation, SCHEDULE_P)()

    interrupted(monkeypatch, a_day_passes)
    with pytest.raises(Refused) as caught:
        shown = Shown(state.content.fact.content, seat.key, read.digest)
        give_opinion(installation, SCHEDULE_P, reviewer, opinion="agree", comment="同意", shown=shown)
    assert caught.value.code == "sign_off.review_moved"
    assert given(installation) == []


# ---- who proposed a waiver


@pytest.mark.parametrize("opinion", ["agree", "disagree"])
def test_who_proposed_a_waiver_signs_for_a_department_and_at_no_other_seat(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path, opinion: str
) -> None:
    accounting = 'roles: [business_reviewer]\n    organisations: ["*"]\n    departments: [finance]'
    also = ("users.yaml", accounting, accounting.replace("reviewer]", "reviewer, actuarial]", 1))
    route = "steps: [actuarial, {departments: concerned}, executive]"
    deployment = own_deployment(
        tmp_path / "deployment", ("routes.yaml", "steps: [actuarial, executive]", route), also
    )
    installation = resume(schedule_p_reviewed, deployment=deployment)
    proposer = installation.user("accounting_reviewer")
    rule = installation.standard("schedule_p").rules[0].id
    waiver = WaiverDraft(rule, "签报〔2026〕7号", "口径差异（模拟）", date(2026, 12, 31))
    if opinion == "agree":
        waive(installation, SCHEDULE_P, waiver, proposer)
        run(installation, SCHEDULE_P, "validate", "review")
    else:
        number = propose_waiver(installation, SCHEDULE_P, waiver, proposer)
        audit = installation.user("audit_reviewer")
        decide_waiver(installation, SCHEDULE_P, number, audit, opinion="disagree", comment="依据不足")
    state = agree(installation, SCHEDULE_P, steps=0)
    assert {"accounting_reviewer", "audit_reviewer"} <= state.deciders
    with pytest.raises(Refused) as caught:
        sign(installation, "accounting_reviewer")
    assert caught.value.code == "sign_off.reviewed"
    sign(installation, "actuary")
    state = sign(installation, "accounting_reviewer")
    assert (state.live_opinions[-1].fact.department, state.has_distinct_people) == ("finance", True)
