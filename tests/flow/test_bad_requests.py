"""Requests and calendars that open nothing: message with place and way out, nothing recorded, and on after mending."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.stages.request import (
    open_due,
    raise_request,
    review_request,
)
from resources.deployment import User
from resources.settings import CHECKOUT
from tests.flow.conftest import Resume
from tests.flow.play import (
    AUDIT,
    STATISTICS,
    draft,
    open_statistics,
    opened,
    own_deployment,
    replace_text,
    run,
    schedule_p_draft,
)


def test_a_request_for_a_period_before_the_standard_took_effect(begin: Resume) -> None:
    installation = begin()
    early = replace(
        schedule_p_draft(installation.home), date_from=date(1996, 1, 1), date_to=date(1996, 12, 31)
    )
    with pytest.raises(BadInput, match=r"报送规范 schedule_p 1997\.1 自 1997-12-31 起生效，期末 1996-12-31"):
        raise_request(installation, early, installation.user("requester"))


def test_the_calendar_opens_the_rest_and_names_what_its_standard_was_not_in_force_for(
    begin: Resume, tmp_path: Path
) -> None:
    deployment = own_deployment(tmp_path / "deployment")
    own = deployment / "standards" / "circ_statistics"
    shutil.copytree(CHECKOUT / "validations" / "standards" / "circ_statistics", own)
    replace_text(own / "standard.yaml", "effective: 2025-12-31", "effective: 2026-01-01")
    installation = begin(clean=True, deployment=deployment, at=datetime(2026, 1, 1, 9))  # noqa: DTZ001
    with pytest.raises(BadInput) as caught:
        open_due(installation, date(2026, 1, 10))
    assert [each.values["filing"] for each in caught.value.details] == [
        "circ_statistics.flash.2025-12",
        "circ_statistics.annual.2025",
    ]
    assert "报送规范 circ_statistics 2026.2 自 2026-01-01 起生效，期末 2025-12-31 在此之前" in str(
        caught.value
    )
    assert installation.states() == []
    with pytest.raises(BadInput):
        open_due(installation, date(2026, 1, 10))


@pytest.mark.parametrize("stage", ["extract", "validate", "review", "package", "deliver", "archive"])
def test_a_request_that_was_not_reviewed(begin: Resume, stage: str) -> None:
    installation = begin()
    demand = draft(installation.home)
    raise_request(installation, demand, installation.user("requester_440000"))
    with pytest.raises(Refused) as caught:
        run(installation, AUDIT, stage)
    assert caught.value.exit_code == 3
    assert str(caught.value) == (
        f"报送需求 JH-2026-003 尚未经稽核部门审核通过，不能提取 {AUDIT} 的数据。"
        "请先运行 baosong request review JH-2026-003。"
    )
    assert installation.states() == []


def test_a_refused_request_opens_nothing(begin: Resume) -> None:
    installation = begin()
    raise_request(installation, draft(installation.home), installation.user("requester_440000"))
    reviewer = installation.user("audit_reviewer")
    number = "JH-2026-003"
    assert review_request(installation, number, reviewer, opinion="refuse", comment="范围过宽") is None
    with pytest.raises(Refused):
        review_request(installation, number, reviewer, opinion="accept", comment="又同意")
    with pytest.raises(Refused, match="尚未经稽核部门审核通过"):
        run(installation, AUDIT, "extract")


def test_ones_own_request(begin: Resume) -> None:
    installation = begin()
    both = User(
        id="both",
        name="兼岗（模拟）",
        roles=frozenset({"requester", "audit_reviewer"}),
        organisations=frozenset({"*"}),
    )
    raise_request(installation, draft(installation.home), both)
    with pytest.raises(Refused, match="报送需求 JH-2026-003 由 both 登记，须由他人审核。") as caught:
        review_request(installation, "JH-2026-003", both, opinion="accept", comment="自审")
    assert caught.value.exit_code == 3
    with pytest.raises(Refused, match="无权进行“审核”，需要角色：audit_reviewer"):
        review_request(
            installation, "JH-2026-003", installation.user("executive"), opinion="accept", comment="—"
        )
    reviewer = installation.user("audit_reviewer")
    state = review_request(installation, "JH-2026-003", reviewer, opinion="accept", comment="同意")
    assert state is not None
    assert state.stage == "opened"


YEAR_MISSING = "工作日历没有 2028 年的节假日安排，不能推算期限。请按国务院公布的安排在 {file} 的 years、holidays、workdays 中录入该年。"


MONTHLY_ONLY = (
    "deployment.yaml",
    "opening: [flash, monthly, quarterly, half_year, annual]",
    "opening: [monthly]",
)


def enter_2028(deployment: Path) -> None:
    replace_text(deployment / "calendar.yaml", "holidays: []", "holidays: [2028-05-01]")
    replace_text(deployment / "calendar.yaml", "years: []", "years: [2028]")


def test_the_calendar_lacks_the_year_of_a_due_report(begin: Resume, tmp_path: Path) -> None:
    deployment = own_deployment(tmp_path / "deployment", MONTHLY_ONLY)
    installation = begin(deployment=deployment)
    with pytest.raises(BadInput) as caught:
        open_due(installation, date(2028, 6, 6))
    assert caught.value.exit_code == 2
    assert str(caught.value) == YEAR_MISSING.format(file=deployment / "calendar.yaml")
    assert installation.states() == []
    enter_2028(deployment)
    with opened(installation.home, deployment) as mended:
        assert [state.id for state in open_due(mended, date(2028, 6, 6))] == [
            STATISTICS.replace("2026-04", "2028-05")
        ]


def test_the_calendar_lacks_the_year_of_a_requests_deadline(begin: Resume, tmp_path: Path) -> None:
    deployment = own_deployment(tmp_path / "deployment")
    installation = begin(deployment=deployment)
    demand = draft(installation.home, deadline=date(2028, 2, 1))
    with pytest.raises(BadInput, match="期限 2028-02-01 所在的 2028 年，工作日历还没有节假日安排"):
        raise_request(installation, demand, installation.user("requester_440000"))
    assert installation.requests() == []
    enter_2028(deployment)
    with opened(installation.home, deployment) as mended:
        raise_request(mended, demand, mended.user("requester_440000"))
        reviewer = mended.user("audit_reviewer")
        state = review_request(mended, "JH-2026-003", reviewer, opinion="accept", comment="同意")
        assert state is not None
        assert state.opened.fact.planned_on == date(2028, 2, 1)


def test_statistics_of_an_open_filing_are_not_asked_for_twice(begin: Resume) -> None:
    """The calendar and a request never open the same filing."""
    installation = begin(clean=True)
    open_statistics(installation)
    demand = draft(installation.home)
    monthly = type(demand)(**{**vars(demand), "standard": "circ_statistics", "report": "monthly"})
    with pytest.raises(BadInput, match="报表 monthly 由报送日历开启，不需要登记需求"):
        raise_request(installation, monthly, installation.user("requester_440000"))
