"""Change requests: raised, approved and executed by three people, and followed until a round shows the value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.desk.reading import Reading
from pipelines.errors import BadInput, Refused
from pipelines.ledger import Ledger
from pipelines.ledger.change import ChangeState
from pipelines.stages.change_request import (
    change_request,
    change_requests,
    changes_of,
    execute_change,
    raise_changes,
    review_change,
)
from pipelines.stages.change_seats import due_by
from pipelines.stages.content import build_content
from pipelines.stages.decide import decide_correction
from pipelines.stages.installation import Installation
from pipelines.stages.scope import sees_change
from pipelines.stages.sign_off import open_sign_off
from tests.flow.conftest import Resume
from tests.flow.life import clock_to, corrected, judge_again, next_round, one, person, rows, settle, standing
from tests.flow.play import (
    AUDIT,
    DEMO,
    draft,
    execute,
    open_by_request,
    opened,
    own_deployment,
    preparer,
    run,
)

NUMBER = f"QB-{AUDIT}-V1-GK001"
LATER = "circ_audit.detail.JH-2026-004"
TODAY = date(2026, 5, 6)


@pytest.fixture
def with_correction(resume: Resume, audit_in_review: Path, tmp_path: Path) -> Installation:
    """One report correction is accepted and stands in the content judged last."""
    installation = resume(audit_in_review)
    row = one(installation, rule="D05", branch="510000")
    settle(installation, tmp_path, "branch_510000", {row["finding"]: corrected("1019.430")})
    judge_again(installation)
    return installation


def correct_production(installation: Installation, cents: int = 101943) -> None:
    key = change_request(installation, NUMBER).raised.key.split('"')[3]
    execute(installation.home / "core.db", f"UPDATE policy SET vat_cents = {cents} WHERE policy_no = '{key}'")


def approved(installation: Installation) -> ChangeState:
    raise_changes(installation, AUDIT, preparer(installation))
    reviewer = installation.user("underwriting_reviewer")
    return review_change(installation, NUMBER, reviewer, opinion="approve", comment="同意改库")


def test_every_correction_asks_for_a_change_of_production_before_it_is_signed(
    with_correction: Installation,
) -> None:
    installation = with_correction
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, AUDIT, preparer(installation))
    assert "sign_off.change_not_raised" in [detail.code for detail in caught.value.details]
    with pytest.raises(Refused, match="需要角色：data_engineer"):
        raise_changes(installation, AUDIT, installation.user("business_reviewer"))
    (change,) = raise_changes(installation, AUDIT, preparer(installation))
    raised = change.raised
    assert (change.number, change.stage, change.raised_by) == (NUMBER, "raised", "data_engineer")
    assert (raised.table, raised.field, raised.old, raised.new) == ("BDXXB", "ZZS", "4306.41", "1019.430")
    assert (raised.department, raised.organisation) == ("underwriting", "510000")
    assert raise_changes(installation, AUDIT, preparer(installation)) == [change], "raised once"
    with pytest.raises(Refused) as caught:
        open_sign_off(installation, AUDIT, preparer(installation))
    assert "sign_off.change_not_raised" not in [detail.code for detail in caught.value.details]


def test_three_people_raise_approve_and_execute(with_correction: Installation) -> None:
    installation = with_correction
    raise_changes(installation, AUDIT, preparer(installation))
    reviewer = installation.user("underwriting_reviewer")
    for user, code in (
        (person("data_engineer", "business_reviewer"), "change.own"),
        (person("branch_510000", "business_reviewer"), "change.answered"),
        (installation.user("claims_reviewer"), "change.not_theirs"),
        (installation.user("branch_it_440000"), "change.not_theirs"),
    ):
        with pytest.raises(Refused) as caught:
            review_change(installation, NUMBER, user, opinion="approve", comment="同意")
        assert caught.value.code == code
    with pytest.raises(BadInput) as bad:
        review_change(installation, NUMBER, reviewer, opinion="approve", comment=" ")
    assert bad.value.code == "change.no_comment"
    with pytest.raises(Refused) as caught:
        execute_change(installation, NUMBER, installation.user("engineer2"), day=TODAY, reference="GD-1")
    assert caught.value.code == "change.stage"

    review_change(installation, NUMBER, reviewer, opinion="approve", comment="同意改库")
    for user, code in (
        (installation.user("data_engineer"), "change.same_person"),
        (person("underwriting_reviewer", "it"), "change.same_person"),
        (installation.user("business_reviewer"), "change.not_theirs"),
    ):
        with pytest.raises(Refused) as caught:
            execute_change(installation, NUMBER, user, day=TODAY, reference="GD-1")
        assert caught.value.code == code
    change = execute_change(installation, NUMBER, installation.user("engineer2"), day=TODAY, reference="GD-1")
    assert change.executed is not None
    assert (change.stage, change.raised_by, [r.actor for r in change.reviews], change.executed.actor) == (
        "executed", "data_engineer", ["underwriting_reviewer"], "engineer2",
    )  # fmt: skip
    with pytest.raises(Refused) as caught:
        execute_change(installation, NUMBER, installation.user("it_reviewer"), day=TODAY, reference="GD-2")
    assert caught.value.code == "change.stage"


APPROVAL = "approval: {departments: concerned, quorum: all, rejection: preparer}"
EXECUTION = "execution: {roles: [data_engineer, branch_it, it]}"
AWAY = "roles: [president]\n    substitutes: [{user: requester, from: 2026-05-06, until: 2026-05-08}]"


@pytest.fixture
def routed(resume: Resume, audit_in_review: Path, tmp_path: Path) -> Callable[..., Installation]:
    """As `with_correction`, in a deployment with these edits, its request raised."""

    def begin(*edits: tuple[str, str, str]) -> Installation:
        installation = resume(audit_in_review, deployment=own_deployment(tmp_path / "deployment", *edits))
        row = one(installation, rule="D05", branch="510000")
        settle(installation, tmp_path / "filled", "branch_510000", {row["finding"]: corrected("1019.430")})
        raise_changes(installation, AUDIT, preparer(installation))
        return installation

    return begin


def review(
    installation: Installation, user: str, opinion: str = "approve", department: str | None = None
) -> ChangeState:
    said: dict[str, Any] = {"opinion": opinion, "comment": f"{user} 的意见", "department": department}
    return review_change(installation, NUMBER, installation.user(user), **said)


def test_who_could_take_several_seats_says_which(routed: Callable[..., Installation]) -> None:
    installation = routed(("routes.yaml", APPROVAL, "approval: {roles: [finance, it], quorum: 1}"))
    both = person("both", "finance", "it")
    with pytest.raises(BadInput, match="可坐多个席位：finance、it"):
        review_change(installation, NUMBER, both, opinion="approve", comment="同意")
    with pytest.raises(Refused, match="both 不在其列"):
        review_change(installation, NUMBER, both, opinion="approve", comment="同意", on_behalf_of="president")
    change = review_change(installation, NUMBER, both, opinion="approve", comment="同意", role="it")
    assert [seat.fact.role for seat in change.reviews] == ["it"]


def test_of_two_who_hold_a_seat_the_slower_is_not_told_that_they_approved(
    with_correction: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = with_correction
    raise_changes(installation, AUDIT, preparer(installation))
    append, quicker = Ledger.append, [installation.user("business_reviewer")]
    said: dict[str, Any] = {"opinion": "approve", "comment": "同意"}

    def slow(self: Ledger, *given: Any, **named: Any) -> Any:
        if quicker:
            review_change(installation, NUMBER, quicker.pop(), department="underwriting", **said)
        return append(self, *given, **named)

    monkeypatch.setattr(Ledger, "append", slow)
    with pytest.raises(Refused) as caught:
        review_change(installation, NUMBER, installation.user("underwriting_reviewer"), **said)
    assert caught.value.code == "change.stage"
    assert [each.actor for each in change_request(installation, NUMBER).reviews] == ["business_reviewer"]


def test_people_of_other_branches_and_departments_neither_see_nor_execute_it(
    routed: Callable[..., Installation],
) -> None:
    installation = routed(("routes.yaml", EXECUTION, "execution: {roles: [branch_it]}"))
    change = review(installation, "underwriting_reviewer")
    with pytest.raises(Refused, match="须由 branch_it 办理，现可由 — 办理"):
        execute_change(installation, NUMBER, installation.user("branch_it_440000"), day=TODAY, reference="1")
    filing, deployment = installation.state(AUDIT), installation.deployment
    for roles, departments, sees in (
        (("business_reviewer", "administrator"), ("claims",), False),
        (("business_reviewer", "finance"), ("claims",), True),
        (("business_reviewer",), ("underwriting",), True),
        (("administrator",), (), False),
    ):
        assert sees_change(deployment, person("p", *roles, departments=departments), change, filing) is sees
    own = person("it_510000", "branch_it").model_copy(update={"organisations": frozenset({"510000"})})
    done = execute_change(installation, NUMBER, own, day=TODAY, reference="GD-1")
    assert done.stage == "executed"


def test_the_route_says_who_approves_how_many_and_in_what_time(
    routed: Callable[..., Installation], tmp_path: Path
) -> None:
    approval = "approval: {departments: all, quorum: 2, limit_working_hours: 4}"
    installation = routed(
        ("routes.yaml", APPROVAL, approval),
        ("routes.yaml", EXECUTION, "execution: {roles: [it], limit_working_hours: 8}"),
    )
    change = change_request(installation, NUMBER)
    assert [seat.department for seat in change.open_seats] == ["underwriting", "claims", "finance"]
    assert (
        f"{due_by(installation, change):%m-%d %H}" == "05-06 14"
    )  # 3 h before noon, 1 h after half past one
    with pytest.raises(BadInput, match="请指明以哪个席位办理"):
        review(installation, "business_reviewer")
    assert review(installation, "business_reviewer", department="finance").stage == "raised"
    with pytest.raises(Refused) as caught:
        review(installation, "business_reviewer", department="claims")
    assert caught.value.code == "change.twice"
    assert review(installation, "claims_reviewer", "refuse").stage == "raised", (
        "one refusal of three is outvoted"
    )
    with pytest.raises(Refused, match="现可由 underwriting_reviewer 办理；actuary 不在其列"):
        review(installation, "actuary")
    change = review(installation, "underwriting_reviewer")
    assert (change.stage, change.open_seats) == ("approved", ())
    with pytest.raises(Refused, match="须由 it 办理，现可由 it_reviewer 办理；engineer2 不在其列"):
        execute_change(installation, NUMBER, installation.user("engineer2"), day=TODAY, reference="GD-1")
    done = execute_change(installation, NUMBER, installation.user("it_reviewer"), day=TODAY, reference="GD-1")
    assert (done.stage, due_by(installation, done)) == ("executed", None)


def test_a_substitute_approves_for_the_absent_and_takes_no_other_part(
    routed: Callable[..., Installation],
) -> None:
    installation = routed(
        ("routes.yaml", APPROVAL, "approval: {roles: [president, executive], quorum: 1}"),
        ("users.yaml", "roles: [president]", AWAY),
    )
    change = review(installation, "requester")
    (said,) = change.reviews
    assert (change.stage, said.fact.role, said.fact.on_behalf_of) == ("approved", "president", "president")
    assert change.actors == {"data_engineer", "requester", "president"}


def test_a_route_changed_later_changes_no_request_that_is_raised(
    routed: Callable[..., Installation],
) -> None:
    installation = routed()
    folder = installation.deployment.path / "routes.yaml"
    folder.write_text(
        folder.read_text(encoding="utf-8").replace(APPROVAL, "approval: {roles: [president]}"),
        encoding="utf-8",
    )
    with opened(installation.home, installation.deployment.path) as now:
        assert now.deployment.change_requests.approval.roles == ("president",)
        assert review(now, "underwriting_reviewer").stage == "approved"


def test_requests_of_before_routes_are_the_department_s(with_correction: Installation) -> None:
    installation = with_correction
    (change,) = raise_changes(installation, AUDIT, preparer(installation))
    early = change.raised.model_dump(mode="json", exclude={"approval", "execution"})
    installation.ledger.append(
        "change/QB-EARLY-GK001",
        "change_raised",
        early,
        actor="data_engineer",
        at=installation.now(),
        command_id="early",
    )
    reviewer = installation.user("underwriting_reviewer")
    done = review_change(installation, "QB-EARLY-GK001", reviewer, opinion="approve", comment="同意")
    assert (done.stage, done.reviews[0].fact.department) == ("approved", "underwriting")


@pytest.mark.parametrize("day", [date(2026, 5, 5), date(2026, 5, 9)])
def test_the_day_of_execution_lies_between_the_request_and_today(
    with_correction: Installation, day: date
) -> None:
    installation = with_correction
    approved(installation)
    clock_to(installation, datetime(2026, 5, 8, 9))  # noqa: DTZ001 - in the clock's own zone
    with pytest.raises(BadInput) as caught:
        execute_change(installation, NUMBER, installation.user("engineer2"), day=day, reference="")
    assert [detail.code for detail in caught.value.details] == ["change.no_reference", "change.day"]
    assert change_request(installation, NUMBER).stage == "approved"


def test_a_refused_request_is_closed(with_correction: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installation = with_correction
    raise_changes(installation, AUDIT, preparer(installation))
    reviewer = installation.user("underwriting_reviewer")
    change = review_change(installation, NUMBER, reviewer, opinion="refuse", comment="由核保系统出批单")
    assert change.stage == "refused"
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(DEMO))
    assert f"{NUMBER}: 未批准" in CliRunner().invoke(app, ["filing", "show", AUDIT]).stdout
    listed = CliRunner().invoke(app, ["change", "list"]).stdout
    assert "4306.41 → 1019.430" in listed and "未批准" in listed
    with pytest.raises(Refused) as closed:
        open_sign_off(installation, AUDIT, preparer(installation))
    assert "sign_off.change_not_raised" in [detail.code for detail in closed.value.details]
    finding = change.raised.finding
    for act in (
        lambda: decide_correction(installation, AUDIT, reviewer, finding, "keep", reason="—"),
        lambda: decide_correction(installation, AUDIT, reviewer, "nothing", "withdraw", reason="—"),
    ):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.code in ("decide.no_conflict", "decide.no_correction")
    decide_correction(installation, AUDIT, reviewer, finding, "withdraw", reason="由核保系统出批单")
    state = judge_again(installation)
    assert build_content(installation, state).overlays == ()
    assert standing(installation, finding) == ("reappeared", "issue")
    correct_production(installation)
    next_round(installation)
    assert change_request(installation, NUMBER).stage == "refused"
    with pytest.raises(BadInput) as caught:
        change_request(installation, "GK-9")
    assert caught.value.code == "change.unknown"


def erase(installation: Installation, seq: int) -> None:
    reason, at = "个人信息（模拟）", installation.now()
    installation.ledger.erase(f"change/{NUMBER}", seq, actor="administrator", at=at, reason=reason)


def test_a_request_goes_on_beside_an_erased_act_and_nothing_is_built_on_what_it_said(
    routed: Callable[..., Installation],
) -> None:
    installation = routed(("routes.yaml", APPROVAL, "approval: {departments: all, quorum: 1}"))
    review(installation, "claims_reviewer", "refuse")
    assert review(installation, "accounting_reviewer").stage == "approved"
    erase(installation, 2)
    with pytest.raises(Refused) as caught:
        execute_change(installation, NUMBER, person("claims_reviewer", "it"), day=TODAY, reference="GD-1")
    assert caught.value.code == "change.same_person"
    done = execute_change(installation, NUMBER, installation.user("engineer2"), day=TODAY, reference="GD-1")
    assert (done.stage, done.seq) == ("executed", 4)
    erase(installation, 4)
    assert change_request(installation, NUMBER).stage == "executed"
    erase(installation, 3)
    assert change_request(installation, NUMBER).stage == "executed"


def test_an_erased_refusal_opens_nothing_again(with_correction: Installation) -> None:
    installation = with_correction
    raise_changes(installation, AUDIT, preparer(installation))
    reviewer = installation.user("underwriting_reviewer")
    review_change(installation, NUMBER, reviewer, opinion="refuse", comment="由核保系统出批单")
    erase(installation, 2)
    assert change_request(installation, NUMBER).stage == "refused"
    with pytest.raises(Refused) as caught:
        review(installation, "business_reviewer")
    assert caught.value.code == "change.stage"


def test_a_request_whose_beginning_is_erased_is_gone_and_hides_no_other(
    with_correction: Installation,
) -> None:
    installation = with_correction
    approved(installation)
    erase(installation, 1)
    with pytest.raises(BadInput) as caught:
        change_request(installation, NUMBER)
    assert caught.value.code == "change.unknown"
    assert Reading(installation).changes() == []
    (again,) = raise_changes(installation, AUDIT, preparer(installation))
    assert (again.number, again.stage) == (NUMBER.replace("GK001", "GK002"), "raised")
    assert Reading(installation).changes() == [again]


def a_later_round(installation: Installation) -> str:
    next_round(installation)
    return f"{AUDIT} 2"


def another_filing(installation: Installation) -> str:
    """Of the same standard; its first round."""
    open_by_request(installation, draft(installation.home, number="JH-2026-004"))
    run(installation, LATER, "extract", "validate", "review")
    return f"{LATER} 1"


@pytest.mark.parametrize("look", [a_later_round, another_filing])
def test_a_request_is_done_when_a_round_of_any_filing_shows_the_value(
    with_correction: Installation, look: Callable[[Installation], str]
) -> None:
    installation = with_correction
    approved(installation)
    execute_change(installation, NUMBER, installation.user("engineer2"), day=TODAY, reference="GD-1")
    correct_production(installation)
    where = look(installation)
    (change,) = change_requests(installation)
    assert change.shown is not None
    assert (change.stage, f"{change.shown.fact.filing} {change.shown.fact.round}") == ("shown", where)
    seq = change.seq
    run(installation, where.split()[0], "review")
    assert changes_of(installation, AUDIT)[0].seq == seq, "noted once"


def test_a_round_that_shows_another_value_leaves_the_request_open(with_correction: Installation) -> None:
    installation = with_correction
    approved(installation)
    correct_production(installation, cents=101944)
    next_round(installation)
    assert change_request(installation, NUMBER).stage == "approved"


def test_the_list_masks_personal_values(
    resume: Resume, audit_in_review: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = resume(audit_in_review)
    row = rows(installation, rule="B07", branch="330000").row(0, named=True)
    settle(installation, tmp_path, "branch_330000", {row["finding"]: corrected("13800000000")})
    (raised,) = raise_changes(installation, AUDIT, preparer(installation))
    assert raised.raised.new == "13800000000"
    monkeypatch.setenv("BAOSONG_HOME", str(installation.home))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(DEMO))
    (line,) = CliRunner().invoke(app, ["change", "list"]).stdout.splitlines()
    assert "KHXXB.SJHM" in line and "*** → ***" in line
    assert "13800000000" not in line and row["value"] not in line
