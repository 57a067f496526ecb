"""What must not pass: every gate refuses by itself, whoever starts the stage behind it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import Refused
from pipelines.ledger.filing_events import AnswersReviewed
from pipelines.stages.bulk_facts import DECIDED, frame, keep
from pipelines.stages.change_request import changes_of
from pipelines.stages.correct import import_answers
from pipelines.stages.directory import Directory
from pipelines.stages.extract import request_extraction
from pipelines.stages.gates import KNOWN_GATES, gate_results
from pipelines.stages.handlings import accepted_handlings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import dispatch_folder
from pipelines.stages.register import register
from pipelines.stages.sign_off import give_opinion, open_sign_off
from resources.demo.fill_workbook import fill_answers
from resources.deployment import GATES, User
from resources.deployment.gates import ALWAYS
from resources.reference_core import repair
from resources.settings import CHECKOUT
from tests.flow.conftest import Resume, refused
from tests.flow.life import clock_to
from tests.flow.play import (
    AUDIT,
    BRANCHES,
    CORRECTED,
    SCHEDULE_P,
    Cores,
    agree,
    answer_all,
    answer_audit,
    declare_causes,
    execute,
    explain,
    filled_workbooks,
    fix_core,
    own_deployment,
    preparer,
    replace_text,
    run,
)

PEOPLE = {code: f"branch_{code}" for code in BRANCHES}


def person(name: str, *roles: str) -> User:
    return User(id=name, name=name, roles=frozenset(roles), organisations=frozenset({"*"}))


def sign(
    installation: Installation, filing: str, user: User, opinion: str = "agree", comment: str = "—"
) -> None:
    give_opinion(
        installation, filing, user, opinion="agree" if opinion == "agree" else "disagree", comment=comment
    )


# ---- no package, no delivery without the whole route


@pytest.mark.parametrize("stage", ["package", "deliver"])
def test_nothing_leaves_without_a_sign_off(resume: Resume, schedule_p_reviewed: Path, stage: str) -> None:
    error = refused(resume(schedule_p_reviewed), stage, "sign_off.not_approved")
    assert error.exit_code == 3
    assert "没有完整有效的签报同意（签报针对的内容：—），拒绝打包和传送" in str(error)


@pytest.mark.parametrize("stage", ["package", "deliver"])
@pytest.mark.parametrize("steps", [0, 1])
def test_nothing_leaves_while_the_route_is_incomplete(
    resume: Resume, schedule_p_reviewed: Path, stage: str, steps: int
) -> None:
    installation = resume(schedule_p_reviewed)
    assert agree(installation, SCHEDULE_P, steps=steps).stage == "in_sign_off"
    refused(installation, stage, "sign_off.not_approved")


def test_nothing_is_delivered_before_it_is_packaged(resume: Resume, schedule_p_approved: Path) -> None:
    refused(resume(schedule_p_approved), "deliver", "package.none")


def test_nothing_is_acknowledged_or_archived_before_it_is_sent(
    resume: Resume, schedule_p_approved: Path
) -> None:
    installation = resume(schedule_p_approved)
    refused(installation, "acknowledge", "acknowledge.not_sent")
    refused(installation, "archive", "archive.no_receipt")


# ---- people


def test_the_preparer_gives_no_opinion(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    open_sign_off(installation, SCHEDULE_P, person("both", "data_engineer", "actuarial"))
    with pytest.raises(Refused, match="both 是本签报的提请人，不能再签署意见"):
        sign(installation, SCHEDULE_P, person("both", "data_engineer", "actuarial"))


def test_one_person_gives_one_opinion(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=0)
    both = person("both", "actuarial", "executive")
    sign(installation, SCHEDULE_P, both)
    with pytest.raises(Refused, match="both 已对本报送内容签署过意见，每一步须由不同人员签署"):
        sign(installation, SCHEDULE_P, both)
    refused(installation, "package", "sign_off.not_approved")


def test_every_step_is_for_its_role(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=0)
    with pytest.raises(Refused, match="第 1 步须由角色 actuarial 签署意见，用户 executive 没有该角色"):
        sign(installation, SCHEDULE_P, installation.user("executive"))
    with pytest.raises(Refused, match="无权进行“提请签报”，需要角色：data_engineer"):
        open_sign_off(installation, SCHEDULE_P, installation.user("executive"))


def test_there_is_no_opinion_without_a_sign_off(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    with pytest.raises(Refused, match="没有待签的签报，请先运行 baosong sign-off"):
        sign(installation, SCHEDULE_P, installation.user("actuary"))


def test_a_disagreement_stops_the_route(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=0)
    sign(installation, SCHEDULE_P, installation.user("actuary"), "disagree", "说明不充分")
    assert installation.state(SCHEDULE_P).stage == "rejected"
    with pytest.raises(Refused, match=r"签报已有结论（disagree）"):
        sign(installation, SCHEDULE_P, installation.user("executive"))
    refused(installation, "package", "sign_off.not_approved")


def test_a_rejected_content_can_be_put_up_again_and_needs_its_whole_route_again(
    resume: Resume, schedule_p_reviewed: Path
) -> None:
    installation = resume(schedule_p_reviewed)
    agree(installation, SCHEDULE_P, steps=1)
    sign(installation, SCHEDULE_P, installation.user("executive"), "disagree", "暂缓")
    assert agree(installation, SCHEDULE_P, steps=1, answer="已向分管领导说明").stage == "in_sign_off"
    refused(installation, "package", "sign_off.not_approved")
    sign(installation, SCHEDULE_P, installation.user("executive"))
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


# ---- content that changed voids what was said of it


def test_a_late_answer_is_not_taken_while_people_sign(
    resume: Resume, schedule_p_approved: Path, tmp_path: Path
) -> None:
    installation = resume(schedule_p_approved)
    state = installation.state(SCHEDULE_P)
    dispatch = state.dispatches[0]
    sent = dispatch.fact.workbooks[0]
    late = tmp_path / sent.file
    handled = accepted_handlings(installation, state).values()
    answers = {
        h.finding: ("情况说明", "", "另一种说法") for h in handled if h.organisation == sent.organisation
    }
    original = dispatch_folder(installation, SCHEDULE_P, dispatch.seq) / sent.file
    assert fill_answers(original, late, answers) == sent.problems
    with pytest.raises(Refused, match="问的是第 1 轮已被取代的数据"):
        import_answers(installation, SCHEDULE_P, late, installation.user("filer_correspondent"))
    assert installation.state(SCHEDULE_P) == state
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


def change_mind(installation: Installation) -> None:
    """One accepted explanation is worded anew, past the gate that refuses late decisions."""
    state = installation.state(SCHEDULE_P)
    assert state.content is not None
    finding = next(iter(accepted_handlings(installation, state).values()))
    other = {**vars(finding), "reason": "后来改口", "decision": "accept", "remark": ""}
    fact = AnswersReviewed(
        round=1,
        content=state.content.fact.content,
        department=finding.department,
        decisions=keep(installation, SCHEDULE_P, frame([other], DECIDED)),
        accepted={"explanation": 1},
        sent_back=0,
        answer_by=installation.now().date(),
        problems="",
        workbooks=(),
        held=(),
    )
    installation.record(state, fact, actor="business_reviewer", command="late")


def test_a_handling_accepted_in_any_way_voids_the_approval(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    change_mind(installation)
    refused(installation, "package", "sign_off.not_approved")
    state = run(installation, SCHEDULE_P, "validate", "review")
    assert (state.stage, state.live_opinions) == ("reviewed", ())
    refused(installation, "package", "sign_off.not_approved")


def test_a_new_round_voids_the_approval(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    request_extraction(installation, SCHEDULE_P, preparer(installation), reason="复核")
    run(installation, SCHEDULE_P, "extract")
    refused(installation, "package", "sign_off.not_approved")
    state = run(installation, SCHEDULE_P, "validate")
    assert (state.round, state.is_approved, state.live_opinions) == (2, False, ())
    with pytest.raises(Refused, match="签报已因报送内容变化而失效，请重新提请签报"):
        sign(installation, SCHEDULE_P, installation.user("actuary"))
    run(installation, SCHEDULE_P, "compare", "review")
    agree(installation, SCHEDULE_P)
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


def test_an_edited_standard_voids_the_approval(
    resume: Resume, schedule_p_approved: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment")
    own = deployment / "standards" / "schedule_p"
    shutil.copytree(CHECKOUT / "validations" / "standards" / "schedule_p", own)
    installation = resume(schedule_p_approved, deployment=deployment)
    rules = own / "rules" / "triangle.yaml"
    replace_text(rules, "holds: BulkLoss >= 0", "holds: BulkLoss > 0")
    refused(installation, "package", "sign_off.not_approved")
    refused(installation, "deliver", "sign_off.not_approved")
    state = run(installation, SCHEDULE_P, "validate")
    assert not state.is_approved
    assert state.content is not None
    assert state.content.fact.counts["S06"] > state.contents[0].fact.counts["S06"]
    replace_text(rules, "holds: BulkLoss > 0", "holds: BulkLoss >= 0")
    refused(installation, "package", "sign_off.not_approved")


# ---- gates before the sign-off


def test_all_closed_gates_are_named_at_once(resume: Resume, audit_in_review: Path) -> None:
    installation = resume(audit_in_review)
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, AUDIT, preparer(installation))
    assert [d.code for d in caught.value.details] == [
        "sign_off.blocking",
        "sign_off.unexplained",
    ]
    message = str(caught.value)
    assert f"{AUDIT} 还不能提请签报：" in message
    assert installation.state(AUDIT).awaited == BRANCHES
    assert "条阻断问题（规则 A01, A02" in message
    assert installation.state(AUDIT).sign_off is None


def test_every_gate_has_a_name_and_says_whether_it_is_open(resume: Resume, audit_in_review: Path) -> None:
    installation = resume(audit_in_review)
    results = {each.name: each for each in gate_results(installation, installation.state(AUDIT))}
    assert list(results) == list(ALWAYS)
    assert {name for name, each in results.items() if each.state != "open"} == {
        "nothing_blocks",
        "all_explained",
    }
    assert [refusal.code for refusal in results["nothing_blocks"].refusals] == ["sign_off.blocking"]


def test_gates_that_need_a_judged_content_wait_for_it(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    change_mind(installation)
    results = gate_results(installation, installation.state(SCHEDULE_P))
    assert [each.state for each in results] == ["open", "closed", *(["waits"] * (len(ALWAYS) - 2))]


def test_a_route_demands_more_gates_by_name(
    resume: Resume, schedule_p_reviewed: Path, tmp_path: Path
) -> None:
    edit = ("routes.yaml", "steps: [actuarial", "gates: [before_deadline]\n    steps: [actuarial")
    installation = resume(schedule_p_reviewed, deployment=own_deployment(tmp_path / "deployment", edit))
    assert gate_results(installation, installation.state(SCHEDULE_P))[-1].state == "open"
    clock_to(installation, datetime(2026, 5, 21, 9))  # noqa: DTZ001 - in the clock's own zone
    assert gates(installation, SCHEDULE_P) == ["sign_off.deadline_passed"]


def test_changes_of_production_may_have_to_be_executed_first(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    steps = "    steps:\n      - role: audit_reviewer"
    edit = ("routes.yaml", steps, f"    gates: [changes_executed]\n{steps}")
    installation = resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", edit))
    answer_all(installation, AUDIT, answer_audit, tmp_path / "filled", people=PEOPLE)
    results = {each.name: each for each in gate_results(installation, installation.state(AUDIT))}
    assert results["changes_executed"].state == "waits", "decisions made new content"
    run(installation, AUDIT, "extract", "validate")
    results = {each.name: each for each in gate_results(installation, installation.state(AUDIT))}
    (refusal,) = results["changes_executed"].refusals
    assert f"QB-{AUDIT}-V1-GK001" in str(refusal)


def test_a_gate_that_nobody_knows_refuses_judged_or_not(resume: Resume, schedule_p_reviewed: Path) -> None:
    """The loading of a deployment refuses the name; who gets past that is refused here."""
    installation = resume(schedule_p_reviewed)
    routes = installation.deployment.routes
    odd = routes["schedule_p"].model_copy(update={"gates": ("moon_is_full",)})
    deployment = installation.deployment.model_copy(update={"routes": {**routes, "schedule_p": odd}})
    installation = replace(installation, directory=Directory(deployment, installation.ledger))
    assert gates(installation, SCHEDULE_P) == ["sign_off.unknown_gate"]
    change_mind(installation)
    assert gates(installation, SCHEDULE_P) == ["sign_off.not_judged", "sign_off.unknown_gate"]


def test_every_name_a_deployment_may_write_has_its_gate() -> None:
    assert set(KNOWN_GATES) == set(GATES)


def test_content_that_was_not_judged_is_not_signed(resume: Resume, schedule_p_reviewed: Path) -> None:
    installation = resume(schedule_p_reviewed)
    change_mind(installation)
    assert gates(installation, SCHEDULE_P) == ["sign_off.not_judged"]
    run(installation, SCHEDULE_P, "validate")
    assert gates(installation, SCHEDULE_P) == ["sign_off.not_reviewed"]
    run(installation, SCHEDULE_P, "review")
    assert agree(installation, SCHEDULE_P, steps=0).stage == "in_sign_off"


def test_what_blocks_cannot_be_explained_away(resume: Resume, audit_in_review: Path, tmp_path: Path) -> None:
    """The lines that cannot be taken come back annotated, the others are taken."""
    installation = resume(audit_in_review)
    rows = register(installation, installation.state(AUDIT)).filter(branch="440000", holder="answer")
    blocking = set(rows.filter(severity="block")["finding"])
    assert 0 < len(blocking) < rows.height
    returned: set[str] = set()
    for workbook in filled_workbooks(installation, AUDIT, explain, tmp_path)["440000"]:
        done = import_answers(installation, AUDIT, workbook, installation.user("branch_440000"))
        assert (done.annotated is not None) == bool(done.returned)
        returned |= set(done.returned)
        for why in done.returned.values():
            assert "属于阻断问题，不能只作情况说明，请源头修正或报表更正" in why
    assert returned == blocking
    after = register(installation, installation.state(AUDIT)).filter(branch="440000")
    assert set(after.filter(holder="decide")["finding"]) == set(rows["finding"]) - blocking
    assert set(after.filter(holder="answer")["finding"]) == blocking


# ---- corrections whose ground moved


def the_correction(installation: Installation) -> dict[str, Any]:
    """The finding that is corrected in the report, as a row of the register."""
    rows = register(installation, installation.state(AUDIT))
    return rows.filter(branch=CORRECTED[0], rule=CORRECTED[1]).row(0, named=True)


def policy_of(row: dict[str, Any]) -> str:
    return str(json.loads(row["key"])["BDH"])


def gates(installation: Installation, filing: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, filing, preparer(installation))
    assert caught.value.code == "sign_off.gates"
    return [detail.code for detail in caught.value.details]


def test_promises_alone_open_no_gate_and_a_correction_whose_old_value_changed_is_a_conflict(
    resume: Resume, audit_in_review: Path, tmp_path: Path
) -> None:
    """All branches answer that they mended the core; nothing is mended, but a value under a correction moves."""
    installation = resume(audit_in_review)
    corrected = the_correction(installation)
    rows = register(installation, installation.state(AUDIT)).filter(severity="block")
    promised = rows.height - 1
    answer_all(installation, AUDIT, answer_audit, tmp_path / "filled", people=PEOPLE)
    policy = policy_of(corrected)
    execute(
        installation.home / "core.db",
        f"UPDATE policy SET vat_cents = vat_cents + 1 WHERE policy_no = '{policy}'",
    )
    state = run(installation, AUDIT, "extract", "validate", "compare", "review")
    assert state.comparisons[0].fact.missing_fixes == promised
    assert state.content is not None
    assert state.content.fact.overlays == 0
    still_there = register(installation, state).filter(state="still_there")
    assert set(still_there["finding"]) == set(rows["finding"])
    assert gates(installation, AUDIT) == ["sign_off.drift", "sign_off.blocking", "sign_off.conflict"]
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, AUDIT, preparer(installation))
    assert (
        f'表 BDXXB 主键 {{"BDH":"{policy}"}} 字段 ZZS 的报表更正已不适用：'
        f"原值“{corrected['value']}”已变化，请重新决定。"
    ) in str(caught.value)


def test_an_executed_change_request_is_no_conflict(
    resume: Resume, audit_in_review: Path, cores: Cores, tmp_path: Path
) -> None:
    """The next round shows the corrected value itself: nothing is left to lay over, nothing to decide."""
    installation = resume(audit_in_review)
    fix_core(installation, cores, AUDIT)
    answer_all(installation, AUDIT, answer_audit, tmp_path / "filled", people=PEOPLE)
    repair(installation.home / "core.db", cores.repairs, organisation=CORRECTED[0], rules=[CORRECTED[1]])
    state = run(installation, AUDIT, "extract", "validate", "compare", "review")
    assert state.content is not None
    assert (state.content.fact.overlays, state.content.fact.block) == (0, 0)
    assert [change.stage for change in changes_of(installation, AUDIT)] == ["shown"]
    declare_causes(installation, AUDIT)
    assert agree(installation, AUDIT, steps=0).stage == "in_sign_off"
