"""The comparison page: what changed between two rounds, and a department that says why of its own tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.demo.visitor import Declined
from pipelines.stages.installation import Installation
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.life import next_round
from tests.flow.play import AUDIT, execute, opened

PAGE = f"/filings/{AUDIT}/comparison"
CHANGED = 5
"""Customers whose mobile number somebody changed in the core, without any finding that asked for it."""


@pytest.fixture(scope="module")
def drifted(audit_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the second round shows other mobile numbers than the first one."""
    home = tmp_path_factory.mktemp("audit-drifted")
    shutil.copytree(audit_in_review, home, dirs_exist_ok=True)
    execute(
        home / "core.db",
        f"""UPDATE customer SET mobile = '13912340000' WHERE customer_id IN
            (SELECT customer_id FROM customer WHERE customer_id LIKE 'K33%' ORDER BY 1 LIMIT {CHANGED})""",
    )
    with opened(home) as installation:
        next_round(installation)
    return home


@pytest.fixture
def installation(resume: Resume, drifted: Path) -> Installation:
    return resume(drifted)


@pytest.fixture
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


def test_before_a_second_round_the_page_says_how_a_comparison_comes(
    resume: Resume, audit_in_review: Path
) -> None:
    with at_desk(resume(audit_in_review)) as people:
        assert "还没有可比的两轮" in people.visitor("data_engineer").read(PAGE)


def test_changed_rows_are_counted_by_table_and_field_and_listed_masked(
    installation: Installation, people: Street
) -> None:
    drift = installation.state(AUDIT).unexplained_drift
    assert drift == CHANGED
    page = people.visitor("data_engineer").read(PAGE)
    said = words(page)
    assert "第 2 轮与第 1 轮相比" in said and f"有 {drift} 处变化没有依据" in said
    assert f"移动电话 SJHM {drift}" in said or f"SJHM {drift}" in said
    assert 'class="piece piece-changed"' in page, "the chart"
    assert page.count("*** → ***") + words(page).count("*** → ***") >= drift
    assert "13912340000" not in page, "a mobile number is personal"
    assert 'name="reason"' not in page, "an engineer explains nothing"


def test_a_reviewer_sees_rows_of_their_departments_tables_only(people: Street) -> None:
    own, other = (
        people.visitor("underwriting_reviewer").read(PAGE),
        people.visitor("claims_reviewer").read(PAGE),
    )
    assert f"列出 {CHANGED} 处，共 {CHANGED} 处" in words(own)
    assert "列出 0 处，共 0 处" in words(other) and "不属于您部门的表不逐行列出：KHXXB" in words(other)
    assert 'id="explain"' in own and 'id="explain"' not in other


def test_the_department_explains_its_drift_and_the_gate_opens(
    installation: Installation, people: Street
) -> None:
    given = {"table": "KHXXB", "organisation": "", "kind": "changed", "field": "SJHM", "reason": "客户来电更新（模拟）"}  # fmt: skip
    page = people.visitor("underwriting_reviewer").send(PAGE, PAGE, given)
    state = installation.state(AUDIT)
    assert state.unexplained_drift == 0
    fact = state.drift_explained[-1].fact
    assert (fact.table, fact.field, fact.change, fact.organisation, fact.explained) == (
        "KHXXB", "SJHM", "changed", None, CHANGED,
    )  # fmt: skip
    assert state.drift_explained[-1].actor == "underwriting_reviewer"
    assert f"0 0 {CHANGED} 549 549 手机号码 SJHM {CHANGED} 0" in words(page), (
        "changed, and none left without a cause"
    )
    assert "原因已记录。" in page and "全部变化都有依据。" in page and "客户来电更新（模拟）" in page
    with pytest.raises(Declined, match="没有"):
        people.visitor("underwriting_reviewer").send(PAGE, PAGE, given)


@pytest.mark.parametrize(
    ("who", "given", "why"),
    [
        ("claims_reviewer", {"table": "KHXXB", "reason": "不归本部门"}, "责任部门 承保管理部"),
        ("underwriting_reviewer", {"table": "KHXXB", "reason": " "}, "“原因”没有填写"),
        ("underwriting_reviewer", {"table": "", "reason": "原因"}, "“表”没有填写"),
        ("underwriting_reviewer", {"table": "KHXXB", "kind": "else", "reason": "原因"}, "“变化种类”没有填写"),
        ("audit_reviewer", {"table": "KHXXB", "reason": "稽核不说明"}, "不能使用此页面"),
    ],
)
def test_what_is_refused_is_said_on_the_page_and_changes_nothing(
    installation: Installation, people: Street, who: str, given: dict[str, str], why: str
) -> None:
    before = installation.state(AUDIT)
    with pytest.raises(Declined, match=why):
        people.visitor(who).send(PAGE, PAGE, given)
    assert installation.state(AUDIT) == before


def test_branches_have_no_comparison(people: Street) -> None:
    with pytest.raises(Declined, match="403"):
        people.visitor("branch_330000").read(PAGE)


def test_the_page_is_there_in_english(people: Street) -> None:
    page = people.visitor("data_engineer").read(f"{PAGE}?lang=en")
    assert "Round 2 against round 1" in page and "desk.comparison" not in page
