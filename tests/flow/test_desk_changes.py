"""Change requests at the desk: raised on the page of the gates, approved, executed; each by whoever is next, who has the task."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from pipelines.demo.visitor import Declined
from pipelines.stages.change_request import change_request
from pipelines.stages.noticed import notices_of_change
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk
from tests.flow.life import corrected, judge_again, one, rows, settle
from tests.flow.play import AUDIT, opened, own_deployment

NUMBER = f"QB-{AUDIT}-V1-GK001"
"""The request of the underwriting department's correction."""
PAGE = f"/changes/{NUMBER}"
GATES = f"/filings/{AUDIT}/gates"


@pytest.fixture(scope="module")
def corrected_home(audit_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two report corrections are accepted and judged; nobody has asked for the changes of production yet. One is personal."""
    home = tmp_path_factory.mktemp("corrected")
    shutil.copytree(audit_in_review, home, dirs_exist_ok=True)
    with opened(home) as installation:
        row = one(installation, rule="D05", branch="510000")
        settle(installation, home / "filled", "branch_510000", {row["finding"]: corrected("1019.430")})
        row = rows(installation, rule="B07", branch="330000").row(0, named=True)
        settle(installation, home / "filled", "branch_330000", {row["finding"]: corrected("13800000000")})
        judge_again(installation)
    return home


@pytest.fixture
def street(resume: Resume, corrected_home: Path, tmp_path: Path) -> Iterator[Street]:
    """Where a refusal goes to the department."""
    refusing = ("routes.yaml", "quorum: all, rejection: preparer", "quorum: all, rejection: departments")
    deployment = own_deployment(tmp_path / "deployment", refusing)
    with at_desk(resume(corrected_home, deployment=deployment)) as served:
        yield served


UNDERWRITING = "business_reviewer/underwriting/"
SAID = {"opinion": "approve", "comment": "同意改库"}
SEVERAL = "{roles: [finance, it], quorum: 1}\n  execution"


def raise_one(street: Street) -> str:
    return street.visitor("data_engineer").send(GATES, f"/filings/{AUDIT}/changes", {})


def test_a_change_is_raised_approved_and_executed_by_whoever_has_the_task(street: Street) -> None:
    assert "提请改库签报" in street.visitor("data_engineer").read(GATES)
    page = raise_one(street)
    assert "已为报表更正提请改库签报" in page and "为本任务每一条" not in page
    reviewer, engineer = street.visitor("underwriting_reviewer"), street.visitor("engineer2")
    assert PAGE in reviewer.read("/") and "审批改库签报" in reviewer.read("/")
    assert PAGE not in engineer.read("/")
    shown = reviewer.read(PAGE)
    for said in (
        "4306.41",
        "1019.430",
        "接口截断所致（模拟）",
        "数据工程师（模拟）",
        "承保管理部",
        "四川",
        "等待",
    ):
        assert said in shown, said
    assert 'name="opinion"' not in engineer.read(PAGE), "it is somebody else's turn"
    with pytest.raises(Declined, match="须写明意见"):
        reviewer.send(PAGE, f"{PAGE}/review", {"opinion": "approve", "comment": " "})
    assert "已批准改库" in reviewer.send(
        PAGE, f"{PAGE}/review", {"opinion": "approve", "comment": "同意改库"}
    )
    assert PAGE not in reviewer.read("/")
    assert "执行并登记改库" in engineer.read("/") and PAGE not in street.visitor("data_engineer").read("/")
    fields = {"day": "2026-05-05", "reference": "GD-1"}
    with pytest.raises(Declined, match="执行日 2026-05-05 应在 2026-05-06 至"):
        engineer.send(PAGE, f"{PAGE}/execution", fields)
    done = engineer.send(PAGE, f"{PAGE}/execution", {**fields, "day": "2026-05-06"})
    assert "已登记改库" in done and "工单号 GD-1" in done
    change = change_request(street.installation, NUMBER)
    assert change.executed is not None
    assert (change.stage, change.executed.actor) == ("executed", "engineer2")
    assert PAGE in street.visitor("data_engineer").read("/changes")


def test_who_may_not_is_told_who_could_and_nothing_is_recorded(street: Street) -> None:
    raise_one(street)
    actuary = street.visitor("actuary")
    secret = actuary.read("/account").split('name="csrf" value="')[1].split('"')[0]
    fields = {"csrf": secret, "opinion": "approve", "comment": "同意"}
    answer = actuary.client.post(f"{PAGE}/review", data={**fields, "seat": UNDERWRITING})
    assert answer.status_code == 409
    assert "现可由 business_reviewer, underwriting_reviewer 办理；actuary 不在其列" in answer.text
    with pytest.raises(Declined, match="席位"):
        street.visitor("underwriting_reviewer").send(PAGE, f"{PAGE}/review", {**SAID, "seat": ""})
    assert change_request(street.installation, NUMBER).reviews == ()


def test_who_could_take_several_seats_takes_the_one_they_chose(
    resume: Resume, corrected_home: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(
        tmp_path / "deployment",
        ("routes.yaml", "{departments: concerned, quorum: all, rejection: preparer}\n  execution", SEVERAL),
        ("users.yaml", "roles: [finance]", "roles: [finance, it]"),
    )
    with at_desk(resume(corrected_home, deployment=deployment)) as street:
        raise_one(street)
        visitor = street.visitor("finance_reviewer")
        page = visitor.read(PAGE)
        for seat in ("finance//", "it//"):
            assert f'type="radio" name="seat" value="{seat}"' in page
        with pytest.raises(Declined, match="须由 finance、it 办理"):
            visitor.send(PAGE, f"{PAGE}/review", {**SAID, "seat": "executive//"})
        visitor.send(PAGE, f"{PAGE}/review", {**SAID, "seat": "it//"})
        (said,) = change_request(street.installation, NUMBER).reviews
        assert (said.fact.role, said.fact.department, said.fact.on_behalf_of) == ("it", "", "")


def test_the_list_reads_each_filing_once_however_many_requests_come_from_it(street: Street) -> None:
    raise_one(street)
    visitor = street.visitor("it_reviewer")

    def statements() -> int:
        """How many a page takes that has read all states before."""
        visitor.read("/changes")
        said: list[str] = []

        def note(*given: Any) -> None:
            said.append(given[2])

        event.listen(Engine, "before_cursor_execute", note)
        try:
            visitor.read("/changes")
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        return len(said)

    before = statements()
    raised = change_request(street.installation, NUMBER).raised
    for number in range(5):
        street.installation.ledger.append(
            f"change/QB-MORE-GK00{number}",
            raised.kind,
            raised.payload(),
            actor="data_engineer",
            at=street.installation.now(),
            command_id=f"more {number}",
        )
    assert statements() == before


def test_a_refusal_is_told_to_whom_the_route_sends_it(street: Street) -> None:
    raise_one(street)
    reviewer = street.visitor("underwriting_reviewer")
    said = reviewer.send(PAGE, f"{PAGE}/review", {"opinion": "refuse", "comment": "由核保系统出批单"})
    assert "已记录不批准" in said
    change = change_request(street.installation, NUMBER)
    filing = street.installation.state(AUDIT)
    told = {(each.person, each.kind) for each in notices_of_change(street.installation, change, filing)}
    assert told == {("underwriting_reviewer", "change_refused"), ("business_reviewer", "change_refused")}
    assert "提请改库签报" in street.visitor("data_engineer").read(GATES), "the correction still asks for one"


def test_other_departments_and_branches_do_not_find_it(street: Street) -> None:
    raise_one(street)
    for user in ("claims_reviewer", "branch_it_440000", "branch_440000"):
        visitor = street.visitor(user)
        assert NUMBER not in visitor.read("/changes"), user
        assert visitor.client.get(PAGE).status_code == 404, user
    assert street.visitor("auditor").client.get("/changes/QB-GK999").status_code == 404
    branch = street.visitor("branch_510000").read(PAGE)
    assert "现在轮到他人办理" in branch, "the request of its own finding is shown, it has no part in it"


def test_personal_values_are_masked(street: Street) -> None:
    raise_one(street)
    (personal,) = [c for c in street.desk.reading.changes() if c.raised.new == "13800000000"]
    for page in ("/changes", f"/changes/{personal.number}"):
        read = street.visitor("executive").read(page)
        assert "*** → ***" in read or "<del>***</del> → <ins>***</ins>" in read
        assert "13800000000" not in read
        assert personal.raised.old is not None and personal.raised.old not in read
