"""First review and issue: what is confirmed, dismissed or assigned, by whom, and how long that holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import issue
from pipelines.stages.selection import Selection
from resources.settings import CHECKOUT
from tests.flow.conftest import Resume
from tests.flow.life import EXPLAINED, events, hand_in, judge_again, next_round, one, rows, standing, these
from tests.flow.play import AUDIT, SCHEDULE_P, execute, filled_workbooks, own_deployment, replace_text

EVERYTHING = Selection()


def confirm(installation: Installation, chosen: Selection = EVERYTHING) -> None:
    review_findings(installation, AUDIT, installation.user("audit_reviewer"), "confirm", chosen)


def dismiss(installation: Installation, chosen: Selection, reason: str = "号段新近启用（模拟）") -> None:
    reviewer = installation.user("audit_reviewer")
    review_findings(installation, AUDIT, reviewer, "dismiss", chosen, reason=reason)


def test_what_was_found_waits_for_the_first_review_and_then_for_each_department(
    resume: Resume, audit_listed: Path
) -> None:
    installation = resume(audit_listed)
    state = installation.state(AUDIT)
    found = rows(installation)
    assert (state.stage, state.holds("first_review"), state.dispatches) == ("first_review", found.height, ())
    assert set(found["state"]) == {"new"}
    confirm(installation, Selection(departments=("claims", "finance")))
    state = installation.state(AUDIT)
    theirs = {held.department for held in state.held if held.holder == "issue"}
    assert theirs == {"claims", "finance"}
    assert state.holds("issue") + state.holds("first_review") == found.height
    assert set(rows(installation, holder="issue")["state"]) == {"confirmed"}
    with pytest.raises(Refused) as caught:
        confirm(installation, Selection(departments=("claims",)))
    assert caught.value.code == "first_review.nothing"


def test_only_the_first_reviewer_reviews_and_only_where_there_is_a_first_review(
    resume: Resume, audit_listed: Path, schedule_p_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_listed)
    with pytest.raises(Refused, match="需要角色：audit_reviewer"):
        review_findings(installation, AUDIT, installation.user("business_reviewer"), "confirm", EVERYTHING)
    with pytest.raises(Refused) as caught:
        issue(installation, AUDIT, "claims", installation.user("claims_reviewer"), EVERYTHING)
    assert caught.value.code == "issue.nothing"


def test_where_nobody_reviews_first_everything_is_out_at_once(
    resume: Resume, schedule_p_in_review: Path
) -> None:
    installation = resume(schedule_p_in_review)
    assert set(rows(installation, SCHEDULE_P)["state"]) == {"dispatched"}
    with pytest.raises(Refused) as caught:
        reviewer = installation.user("audit_reviewer")
        review_findings(installation, SCHEDULE_P, reviewer, "confirm", EVERYTHING)
    assert caught.value.code == "first_review.none"


def test_what_blocks_is_never_dismissed_and_a_dismissal_has_its_reason(
    resume: Resume, audit_listed: Path
) -> None:
    installation = resume(audit_listed)
    before = events(installation)
    with pytest.raises(Refused) as caught:
        dismiss(installation, Selection(branches=("330000",)))
    assert caught.value.code == "first_review.dismiss_blocking"
    assert "B07" not in str(caught.value) and "B01" in str(caught.value)
    with pytest.raises(BadInput) as bad:
        dismiss(installation, Selection(rules=("B07",)), reason="  ")
    assert [each.code for each in bad.value.details] == ["first_review.no_reason"]
    assert events(installation) == before


def test_a_dismissed_finding_goes_to_nobody_until_its_value_changes(
    resume: Resume, audit_listed: Path
) -> None:
    installation = resume(audit_listed)
    dismissed = one(installation, rule="B07", branch="330000")
    dismiss(installation, these(dismissed["finding"]))
    confirm(installation)
    issue(installation, AUDIT, "underwriting", installation.user("underwriting_reviewer"), EVERYTHING)
    asked = rows(installation, state="dispatched")
    assert dismissed["finding"] not in set(asked["finding"])
    assert standing(installation, dismissed["finding"]) == ("dismissed", None)
    next_round(installation)
    assert standing(installation, dismissed["finding"]) == ("dismissed", None)
    customer = dismissed["key"].split('"')[3]
    execute(
        installation.home / "core.db", f"UPDATE customer SET mobile = '999' WHERE customer_id = '{customer}'"
    )
    next_round(installation)
    assert standing(installation, dismissed["finding"]) == ("new", "first_review")


def test_a_confirmation_holds_over_rounds_until_the_rule_is_worded_anew(
    resume: Resume, audit_listed: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment")
    own = deployment / "standards" / "circ_audit"
    shutil.copytree(CHECKOUT / "validations" / "standards" / "circ_audit", own)
    installation = resume(audit_listed, deployment=deployment)
    finding = one(installation, rule="D02")["finding"]
    confirm(installation)
    assert standing(installation, finding) == ("confirmed", "issue")
    next_round(installation)
    assert set(rows(installation).select("state", "holder").rows()) == {("confirmed", "issue")}
    replace_text(own / "rules" / "d.yaml", "COALESCE(DQDBZ, '否') = '是'", "COALESCE(DQDBZ, '') = '是'")
    judge_again(installation)
    assert set(rows(installation, holder="first_review")["rule"]) == {"D02"}
    assert standing(installation, finding) == ("new", "first_review")


def test_an_assigned_finding_is_that_departments_and_branchs_over_rounds(
    resume: Resume, audit_listed: Path, tmp_path: Path
) -> None:
    installation = resume(audit_listed)
    reviewer = installation.user("audit_reviewer")
    finding = one(installation, rule="D02")["finding"]
    review_findings(
        installation, AUDIT, reviewer, "assign", these(finding), department="claims", branch="440100"
    )  # a branch below 440000: that one answers for it
    row = one(installation, finding=finding)
    assert (row["department"], row["branch"], row["organisation"][:2]) == ("claims", "440000", "51")
    state = issue(installation, AUDIT, "claims", installation.user("claims_reviewer"), EVERYTHING)
    (sent,) = state.dispatches[-1].fact.workbooks
    assert (sent.organisation, sent.department, sent.problems) == ("440000", "claims", 1)
    (done,) = hand_in(installation, tmp_path, "branch_440000", {finding: EXPLAINED})
    assert done.handlings == {"explanation": 1}
    execute(
        installation.home / "core.db",
        f"UPDATE policy SET signed_on = date(starts_on, '+9 days') WHERE policy_no = '{row['key'].split(chr(34))[3]}'",
    )
    next_round(installation)
    row = one(installation, finding=finding)
    assert (row["department"], row["branch"]) == ("claims", "440000")
    assert standing(installation, finding) == ("still_there", "issue")


def test_an_assignment_names_somebody_who_is_there(resume: Resume, audit_listed: Path) -> None:
    installation = resume(audit_listed)
    reviewer = installation.user("audit_reviewer")
    with pytest.raises(BadInput) as caught:
        review_findings(
            installation, AUDIT, reviewer, "assign", EVERYTHING, department="legal", branch="999999"
        )
    assert [each.code for each in caught.value.details] == [
        "first_review.unknown_department",
        "deployment.organisation_not_here",
    ]
    with pytest.raises(BadInput) as caught:
        review_findings(installation, AUDIT, reviewer, "assign", EVERYTHING)
    assert [each.code for each in caught.value.details] == ["first_review.to_nobody"]


def test_each_department_issues_its_own_and_no_other(
    resume: Resume, audit_listed: Path, tmp_path: Path
) -> None:
    installation = resume(audit_listed)
    confirm(installation)
    with pytest.raises(Refused) as caught:
        issue(installation, AUDIT, "claims", installation.user("underwriting_reviewer"), EVERYTHING)
    assert caught.value.code == "issue.other_department"
    with pytest.raises(Refused):
        issue(installation, AUDIT, "claims", installation.user("audit_reviewer"), EVERYTHING)
    state = issue(installation, AUDIT, "claims", installation.user("claims_reviewer"), EVERYTHING)
    assert {row["rule"] for row in rows(installation, state="dispatched").to_dicts()} == {"D03", "E07"}
    assert [w.organisation for w in state.dispatches[0].fact.workbooks] == ["330000"]
    state = issue(installation, AUDIT, "finance", installation.user("accounting_reviewer"), EVERYTHING)
    assert [w.organisation for w in state.dispatches[1].fact.workbooks] == ["330000", "440000"]
    assert set(filled_workbooks(installation, AUDIT, lambda *_: EXPLAINED, tmp_path)) == {"330000", "440000"}
