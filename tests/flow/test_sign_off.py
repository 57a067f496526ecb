"""The route of opinions: seats in parallel, quorum, departments, substitutes, rejections, and what each person's statement says."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Opinion, OpinionGiven, SignOffOpened
from pipelines.ledger.heads import open_key
from pipelines.ledger.statements import signed
from pipelines.stages.installation import Installation
from pipelines.stages.rejection import answer_objection
from pipelines.stages.seats import concerned_departments
from pipelines.stages.sign_off import Shown, give_opinion, open_seats, open_sign_off
from pipelines.stages.tasks import tasks_of_filing
from tests.flow.conftest import Resume
from tests.flow.life import clock_to, person
from tests.flow.play import AUDIT, SCHEDULE_P, agree, opened, own_deployment, preparer, run
from tests.flow.test_gates import change_mind

ROUTE = "steps: [actuarial, executive]"
THREE = "steps: [{roles: [actuarial, finance, it], quorum: 2}, executive]"
SEATS = {"actuarial": "actuary", "finance": "finance_reviewer", "it": "it_reviewer"}


def put_up(
    resume: Resume, home: Path, tmp_path: Path, route: str = ROUTE, *edits: tuple[str, str, str]
) -> Installation:
    """Schedule P on its route, in a deployment with these edits."""
    deployment = own_deployment(tmp_path / "deployment", ("routes.yaml", ROUTE, route), *edits)
    installation = resume(home, deployment=deployment)
    assert agree(installation, SCHEDULE_P, steps=0).stage == "in_sign_off"
    return installation


def sign(
    installation: Installation, user: str, opinion: Opinion = "agree", department: str | None = None
) -> FilingState:
    return give_opinion(
        installation,
        SCHEDULE_P,
        installation.user(user),
        opinion=opinion,
        comment=f"{user} 的意见",
        department=department,
    )


# ---- seats in parallel, and how many must agree


@pytest.mark.parametrize("order", [("it", "actuarial"), ("finance", "it"), ("actuarial", "finance")])
def test_a_step_goes_on_once_its_quorum_agrees_in_any_order(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path, order: tuple[str, str]
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, THREE)
    state = sign(installation, SEATS[order[0]])
    assert {seat.role for seat in state.open_seats} == set(SEATS) - {order[0]}
    state = sign(installation, SEATS[order[1]])
    assert [seat.role for seat in state.open_seats] == ["executive"]
    (left,) = set(SEATS) - set(order)
    with pytest.raises(Refused, match=f"第 2 步须由角色 executive 签署意见，用户 {SEATS[left]} 没有该角色"):
        sign(installation, SEATS[left])
    assert sign(installation, "executive").stage == "approved"
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


def test_one_disagreement_is_outvoted_and_two_reject(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, THREE)
    state = sign(installation, "finance_reviewer", "disagree")
    assert (state.stage, state.decision) == ("in_sign_off", None)
    state = sign(installation, "it_reviewer", "disagree")
    assert state.stage == "rejected"
    assert state.decision is not None and state.decision.actor == "it_reviewer"
    with pytest.raises(Refused, match="签报已有结论"):
        sign(installation, "actuary")


def test_whose_turn_has_not_come_is_told_whose_it_is(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, THREE)
    with pytest.raises(Refused, match="第 1 步须由角色 actuarial、finance、it 签署意见"):
        sign(installation, "executive")
    state = installation.state(SCHEDULE_P)
    assert open_seats(installation, state, installation.user("executive")) == ()
    (seat,) = open_seats(installation, state, installation.user("actuary"))
    assert (seat.step, seat.role, seat.department, seat.on_behalf_of, seat.due) == (
        0,
        "actuarial",
        "",
        "",
        None,
    )
    assert open_seats(installation, sign(installation, "actuary"), installation.user("actuary")) == ()


def test_a_limit_counts_working_time_since_the_turn_came(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    route = "steps: [actuarial, {role: executive, limit_working_hours: 10}]"
    installation = put_up(resume, schedule_p_reviewed, tmp_path, route)
    clock_to(installation, datetime(2026, 5, 8, 16, 30))  # noqa: DTZ001 - in the clock's own zone
    state = sign(installation, "actuary")
    (seat,) = open_seats(installation, state, installation.user("executive"))
    assert seat.due is not None  # 1 h on Friday, 7.5 h on the make-up Saturday, 1.5 h on Monday
    assert seat.due.strftime("%m-%d %H:%M") == "05-11 10:00"
    assert seat.title.zh == "分管领导"


def test_what_is_signed_is_what_was_shown(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    state = agree(installation, SCHEDULE_P, steps=0)
    assert state.content is not None
    actuary, shown = installation.user("actuary"), state.content.fact.content
    (seat,) = open_seats(installation, state, actuary)
    with pytest.raises(Refused, match="不是您看到的 eeeeeeeeeeee"):
        other = Shown("e" * 64, seat.key)
        give_opinion(installation, SCHEDULE_P, actuary, opinion="agree", comment="同意", shown=other)
    read = Shown(shown, seat.key)
    state = give_opinion(installation, SCHEDULE_P, actuary, opinion="agree", comment="同意", shown=read)
    assert state.live_opinions[0].fact.content == shown


def test_people_who_sign_at_the_same_moment_do_not_disturb_each_other(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    """Three processes at three seats of one step: nobody is sent away because another was quicker."""
    route = "steps: [{roles: [actuarial, finance, it]}, executive]"
    installation = put_up(resume, schedule_p_reviewed, tmp_path, route)
    arguments = (installation.home, installation.deployment.path)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        done = [pool.submit(sign_elsewhere, *arguments, user) for user in SEATS.values()]
        assert [each.result(timeout=60) for each in done] == list(SEATS.values())
    state = installation.state(SCHEDULE_P)
    assert {opinion.actor for opinion in state.live_opinions} == set(SEATS.values())
    assert [seat.role for seat in state.open_seats] == ["executive"]


def sign_elsewhere(home: Path, deployment: Path, user: str) -> str:
    """In a process of its own."""
    with opened(home, deployment) as installation:
        sign(installation, user)
    return user


# ---- departments


def test_every_department_has_a_seat_and_says_its_own(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(resume, schedule_p_reviewed, tmp_path, "steps: [{departments: all}, executive]")
    with pytest.raises(BadInput, match="请指明为哪个部门签署（--department）：underwriting, claims, finance"):
        sign(installation, "business_reviewer")
    with pytest.raises(Refused, match=r"用户 claims_reviewer 没有该角色"):
        sign(installation, "claims_reviewer", department="finance")
    sign(installation, "claims_reviewer")
    sign(installation, "business_reviewer", department="underwriting")
    state = sign(installation, "accounting_reviewer")
    assert [(o.fact.department, o.actor) for o in state.live_opinions] == [
        ("claims", "claims_reviewer"),
        ("underwriting", "business_reviewer"),
        ("finance", "accounting_reviewer"),
    ]
    assert [seat.role for seat in state.open_seats] == ["executive"]


def test_concerned_are_the_departments_with_findings_else_the_default(
    resume: Resume, audit_listed: Path
) -> None:
    installation = resume(audit_listed)
    state = installation.state(AUDIT)
    assert concerned_departments(installation, state) == ("underwriting", "claims", "finance")


def test_findings_of_the_default_department_concern_it_alone(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = put_up(
        resume, schedule_p_reviewed, tmp_path, "steps: [{departments: concerned}, executive]"
    )
    assert [seat.department for seat in installation.state(SCHEDULE_P).open_seats] == ["finance"]


# ---- substitutes


AWAY = "roles: [actuarial]\n    substitutes: [{user: engineer2, from: 2026-05-06, until: 2026-05-07}]"


def test_a_substitute_signs_for_the_absent_under_their_own_name(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    edit = ("users.yaml", "roles: [actuarial]", AWAY)
    installation = put_up(resume, schedule_p_reviewed, tmp_path, ROUTE, edit)
    (seat,) = open_seats(installation, installation.state(SCHEDULE_P), installation.user("engineer2"))
    assert (seat.role, seat.on_behalf_of) == ("actuarial", "actuary")
    state = sign(installation, "engineer2")
    (opinion,) = state.live_opinions
    assert (opinion.actor, opinion.fact.on_behalf_of) == ("engineer2", "actuary")
    assert json.loads(opinion.fact.statement)["on_behalf_of"] == "actuary"
    with pytest.raises(Refused, match="actuary 已对本报送内容签署过意见"):
        give_opinion(
            installation, SCHEDULE_P, person("actuary", "executive"), opinion="agree", comment="回来了"
        )
    assert sign(installation, "executive").is_approved
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


def test_a_substitution_ends_with_its_last_day(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    edit = ("users.yaml", "roles: [actuarial]", AWAY)
    installation = put_up(resume, schedule_p_reviewed, tmp_path, ROUTE, edit)
    clock_to(installation, datetime(2026, 5, 8, 0, 1))  # noqa: DTZ001 - in the clock's own zone
    with pytest.raises(Refused, match="须由角色 actuarial 签署意见，用户 engineer2 没有该角色"):
        sign(installation, "engineer2")
    assert sign(installation, "actuary").live_opinions[0].fact.on_behalf_of == ""


def test_nobody_substitutes_where_somebody_else_of_the_role_is_there(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    edits = (
        ("users.yaml", "roles: [actuarial]", AWAY),
        ("users.yaml", "roles: [it]", "roles: [it, actuarial]"),
    )
    installation = put_up(resume, schedule_p_reviewed, tmp_path, ROUTE, *edits)
    with pytest.raises(Refused, match="用户 engineer2 没有该角色"):
        sign(installation, "engineer2")
    assert sign(installation, "it_reviewer").live_opinions[0].actor == "it_reviewer"


def test_a_substitute_does_not_sign_for_whoever_prepared_the_sign_off(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment", ("users.yaml", "roles: [actuarial]", AWAY))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    both = person("actuary", "data_engineer", "actuarial")
    open_sign_off(installation, SCHEDULE_P, both)
    with pytest.raises(Refused, match="用户 engineer2 没有该角色"):
        sign(installation, "engineer2")


def test_a_substitute_who_prepared_it_does_not_sign(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment", ("users.yaml", "roles: [actuarial]", AWAY))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    open_sign_off(installation, SCHEDULE_P, installation.user("engineer2"))
    with pytest.raises(Refused, match="engineer2 是本签报的提请人"):
        sign(installation, "engineer2")


# ---- who reviewed findings


def test_who_decided_on_answers_signs_for_a_department_and_at_no_other_seat(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    both = ("users.yaml", "roles: [business_reviewer]", "roles: [business_reviewer, actuarial, executive]")
    route = "steps: [actuarial, {departments: concerned}, executive]"
    installation = put_up(resume, schedule_p_reviewed, tmp_path, route, both)
    reviewer = installation.user("business_reviewer")
    assert installation.state(SCHEDULE_P).deciders == {"business_reviewer"}

    def refuse() -> None:
        assert open_seats(installation, installation.state(SCHEDULE_P), reviewer) == ()
        with pytest.raises(Refused) as caught:
            sign(installation, "business_reviewer")
        assert caught.value.code == "sign_off.reviewed"

    refuse()
    sign(installation, "actuary")
    assert [
        seat.department for seat in open_seats(installation, installation.state(SCHEDULE_P), reviewer)
    ] == ["finance"]
    sign(installation, "accounting_reviewer")
    refuse()
    state = sign(installation, "executive")
    assert state.is_approved and state.has_distinct_people


def test_an_approval_by_a_reviewer_that_got_into_the_ledger_opens_no_package(
    resume: Resume, schedule_p_approved: Path
) -> None:
    installation = resume(schedule_p_approved)
    state = installation.state(SCHEDULE_P)
    assert state.has_distinct_people
    (first, *_) = state.answer_reviews
    also = replace(first, actor="executive", seq=state.seq + 1)
    assert not replace(state, answer_reviews=(*state.answer_reviews, also)).has_distinct_people


def test_who_did_the_first_review_may_judge_the_process_but_is_no_executive(
    resume: Resume, audit_in_review: Path
) -> None:
    state = resume(audit_in_review).state(AUDIT)
    assert {review.actor for review in state.first_reviews} == {"audit_reviewer"}
    assert state.barred_at("compliance", "") == frozenset()
    assert state.barred_at("opinion", "") == {"audit_reviewer"}
    assert state.barred_at("opinion", "claims") == frozenset()


# ---- rejected, and put up again


def test_what_was_rejected_goes_up_again_only_with_an_answer_to_the_objection(
    resume: Resume, schedule_p_reviewed: Path
) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=1)
    sign(installation, "executive", "disagree")
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, SCHEDULE_P, preparer(installation))
    assert [detail.code for detail in caught.value.details] == ["sign_off.answer_missing"]
    assert "executive 不同意本报送内容（executive 的意见），退回提请人" in str(caught.value)
    state = open_sign_off(installation, SCHEDULE_P, preparer(installation), answer="已补充说明 ")
    assert state.sign_off is not None
    assert (state.sign_off.fact.answer, state.live_opinions) == ("已补充说明", ())
    assert [(o.actor, o.fact.opinion) for o in state.earlier_opinions] == [
        ("actuary", "agree"),
        ("executive", "disagree"),
    ]
    assert state.void_opinions == (), "the content is the same"


BACK = "steps: [{role: actuarial, rejection: %s}, executive]"


def rejected(resume: Resume, home: Path, tmp_path: Path, to: str) -> Installation:
    installation = put_up(resume, home, tmp_path, BACK % to)
    sign(installation, "actuary", "disagree")
    return installation


def whose(installation: Installation, kind: str) -> set[str]:
    """Who has this task."""
    state, users = installation.state(SCHEDULE_P), installation.deployment.users.values()
    return {
        user.id for user in users if any(t.kind == kind for t in tasks_of_filing(installation, state, user))
    }


@pytest.mark.parametrize(
    ("to", "people"),
    [
        ("preparer", {"data_engineer"}),
        ("departments", {"business_reviewer", "accounting_reviewer"}),
        ("branches", {"filer_correspondent"}),
    ],
)
def test_whom_a_rejection_goes_back_to_has_the_task_and_nobody_else(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path, to: str, people: set[str]
) -> None:
    installation = rejected(resume, schedule_p_reviewed, tmp_path, to)
    assert whose(installation, "again") == people
    assert whose(installation, "open_sign_off") == set()
    engineer = installation.user("engineer2")
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, SCHEDULE_P, engineer, answer="已说明")
    assert [detail.code for detail in caught.value.details] == ["sign_off.answer_missing"]
    assert all(person in str(caught.value) for person in people)
    with pytest.raises(Refused, match="engineer2 不在其列"):
        answer_objection(installation, SCHEDULE_P, engineer, answer="已说明")
    speaker = installation.user(min(people))
    with pytest.raises(BadInput, match="请写明如何处理了异议"):
        answer_objection(installation, SCHEDULE_P, speaker, answer=" ")
    state = answer_objection(installation, SCHEDULE_P, speaker, answer="口径无误，附说明（模拟）")
    assert (whose(installation, "again"), state.stage) == (set(), "rejected")
    assert whose(installation, "open_sign_off") == {"data_engineer", "engineer2"}
    state = open_sign_off(installation, SCHEDULE_P, engineer)
    assert state.sign_off is not None
    assert state.sign_off.fact.answer == "口径无误，附说明（模拟）", "whoever signs reads it"
    sign(installation, "actuary", "disagree")
    with pytest.raises(Refused):
        open_sign_off(installation, SCHEDULE_P, engineer)


def test_other_content_needs_no_word_of_those_it_went_back_to(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    installation = rejected(resume, schedule_p_reviewed, tmp_path, "departments")
    change_mind(installation)
    run(installation, SCHEDULE_P, "validate", "review")
    assert (whose(installation, "again"), whose(installation, "open_sign_off")) == (
        set(), {"data_engineer", "engineer2"},
    )  # fmt: skip
    with pytest.raises(Refused, match="没有被退回"):
        answer_objection(installation, SCHEDULE_P, installation.user("business_reviewer"), answer="—")
    assert open_sign_off(installation, SCHEDULE_P, preparer(installation)).stage == "in_sign_off"


def test_a_preparer_who_left_is_followed_by_the_others_and_one_who_is_away_by_the_substitute(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    away = "roles: [data_engineer]\n    substitutes: [{user: actuary, from: 2026-05-06, until: 2026-05-07}]"
    deployment = own_deployment(tmp_path / "deployment", ("users.yaml", "roles: [data_engineer]", away))
    installation = resume(schedule_p_reviewed, deployment=deployment)
    agree(installation, SCHEDULE_P, steps=1)
    sign(installation, "executive", "disagree")
    assert whose(installation, "again") == {"data_engineer", "actuary"}
    path = deployment / "users.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("  data_engineer:\n", "  somebody_else:\n"), encoding="utf-8"
    )
    with opened(installation.home, deployment) as now:
        assert whose(now, "again") == {"somebody_else", "engineer2"}


def test_new_content_names_whose_opinions_are_void(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    assert installation.state(SCHEDULE_P).void_opinions == ()
    change_mind(installation)
    state = run(installation, SCHEDULE_P, "validate", "review")
    assert [o.actor for o in state.void_opinions] == ["actuary", "executive"]
    assert state.sign_off is not None and state.live_sign_off is None
    agree(installation, SCHEDULE_P)
    assert [o.actor for o in installation.state(SCHEDULE_P).void_opinions] == ["actuary", "executive"]


# ---- the signed statement


def test_a_statement_says_all_that_was_decided_and_where(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=0)
    actuary = installation.user("actuary")
    state = give_opinion(
        installation, SCHEDULE_P, actuary, opinion="agree", comment="属实", authentication="totp"
    )
    (opinion,) = state.live_opinions
    assert state.content is not None
    assert json.loads(opinion.fact.statement) == {
        "purpose": "baosong opinion 1",
        "deployment": "demo",
        "filing": SCHEDULE_P,
        "version": 1,
        "sign_off": f"QB-{SCHEDULE_P}-V1",
        "content": state.content.fact.content,
        "step": 0,
        "role": "actuarial",
        "department": "",
        "user": "actuary",
        "on_behalf_of": "",
        "opinion": "agree",
        "comment": "属实",
        "time": opinion.at.isoformat(),
        "authentication": "totp",
        "compliance": None,
    }


FORGED: dict[str, tuple[dict[str, object], str]] = {
    "no statement": ({"statement": "", "signature": ""}, "ledger.statement_missing"),
    "no signature": ({"signature": ""}, "ledger.statement_signature"),
    "another's signature": ({"signature": "00" * 64}, "ledger.statement_signature"),
    "other words": ({"comment": "不属实"}, "ledger.statement_differs"),
    "other opinion": ({"opinion": "disagree"}, "ledger.statement_differs"),
    "for somebody": ({"on_behalf_of": "president"}, "ledger.statement_differs"),
    "other proof": ({"authentication": "password"}, "ledger.statement_differs"),
}


@pytest.mark.parametrize("how", list(FORGED))
def test_a_forged_statement_is_reported_even_where_the_chain_holds(
    schedule_p_reviewed: Path, tmp_path: Path, how: str
) -> None:
    """Somebody who can append events, but has not the server's key."""
    changes, code = FORGED[how]
    home = Path(shutil.copytree(schedule_p_reviewed, tmp_path / "home"))
    with opened(home) as installation:
        state = agree(installation, SCHEDULE_P, steps=0)
        append_forged(installation, state, changes)
        problems = installation.ledger.verify().problems
        assert [problem.code for problem in problems] == [code]
        assert f"filing/{SCHEDULE_P}" in str(problems[0])


def append_forged(installation: Installation, state: FilingState, changes: dict[str, object]) -> None:
    assert state.sign_off is not None
    at = installation.now()
    fact = OpinionGiven(
        number=state.sign_off.fact.number,
        content=state.sign_off.fact.content,
        step=0,
        role="actuarial",
        opinion="agree",
        comment="属实",
    )
    fact = signed(
        open_key(installation.home),
        fact,
        deployment="demo",
        filing=SCHEDULE_P,
        version=1,
        user="actuary",
        at=at,
    )
    forged = fact.model_copy(update=changes)
    installation.record(state, forged, actor="actuary", command="forged", at=at)


def test_an_approval_of_before_statements_still_opens_the_package(
    schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    """Events as they were written when a route was a list of roles."""
    home = Path(shutil.copytree(schedule_p_reviewed, tmp_path / "home"))
    with opened(home) as installation:
        state = installation.state(SCHEDULE_P)
        assert state.content is not None
        content = state.content.fact.content
        early = SignOffOpened(number="QB-1", content=content, route=("actuarial", "executive"))
        state = installation.record(state, early, actor="data_engineer", command="early")
        for step, (role, user) in enumerate({"actuarial": "actuary", "executive": "executive"}.items()):
            fact = OpinionGiven(
                number="QB-1", content=content, step=step, role=role, opinion="agree", comment="同意"
            )
            state = installation.record(state, fact, actor=user, command=f"early:{step}")
        assert state.stage == "approved"
        assert run(installation, SCHEDULE_P, "package").stage == "packaged"
        assert installation.ledger.verify().problems == ()
