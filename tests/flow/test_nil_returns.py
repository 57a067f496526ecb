"""An empty table is declared a nil return, and a nil return is empty."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.stages.extract import request_extraction
from pipelines.stages.nil_return import declare_nil_return, withdraw_nil_return
from tests.flow.conftest import Resume
from tests.flow.play import (
    SCHEDULE_P,
    agree,
    execute,
    open_by_request,
    preparer,
    run,
    schedule_p_draft,
)
from tests.flow.test_bad_input import fails


def test_a_due_table_is_empty_until_a_nil_return_is_declared(begin: Resume, servers: Path) -> None:
    installation = begin(servers=servers)
    open_by_request(installation, schedule_p_draft(installation.home))
    execute(installation.home / "schedule_p.db", "DELETE FROM triangle WHERE lob = 'medmal'")
    fails(
        installation, SCHEDULE_P, "extract", BadInput, 2,
        "应报表 TRIANGLE 没有提取到任何数据。若确无数据，请先零申报："
        f"baosong filing nil-return {SCHEDULE_P} --table TRIANGLE --reason …；否则请检查数据源。",
    )  # fmt: skip
    with pytest.raises(BadInput, match=r"表 BDXXB 不在报送任务 .* 的报送范围内，不能零申报"):
        declare_nil_return(installation, SCHEDULE_P, preparer(installation), table="BDXXB", reason="—")
    with pytest.raises(Refused, match="无权进行“零申报”"):
        declare_nil_return(
            installation, SCHEDULE_P, installation.user("executive"), table="TRIANGLE", reason="—"
        )
    declare_nil_return(
        installation, SCHEDULE_P, preparer(installation), table="TRIANGLE", reason="本年无业务"
    )
    state = run(installation, SCHEDULE_P, "extract", "validate", "review")
    assert [t.rows for t in state.rounds[0].fact.tables.values()] == [0]
    agree(installation, SCHEDULE_P)
    state = run(installation, SCHEDULE_P, "package", "deliver", "acknowledge", "archive")
    assert state.receipt is not None
    assert (state.stage, state.receipt.fact.result) == ("archived", "accepted")


def test_a_table_declared_nil_has_no_rows(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, schedule_p_draft(installation.home))
    nil = {"table": "TRIANGLE", "reason": "误报"}
    with pytest.raises(BadInput, match="没有零申报，无可撤回"):
        withdraw_nil_return(installation, SCHEDULE_P, preparer(installation), **nil)
    declare_nil_return(installation, SCHEDULE_P, preparer(installation), **nil)
    fails(
        installation, SCHEDULE_P, "extract", BadInput, 2, "表 TRIANGLE 已零申报，却提取到 1870 行。",
        f"baosong filing nil-return {SCHEDULE_P} --table TRIANGLE --withdraw --reason …；否则请检查数据源和提取 SQL。",
    )  # fmt: skip
    withdraw_nil_return(installation, SCHEDULE_P, preparer(installation), **nil)
    assert run(installation, SCHEDULE_P, "extract").stage == "extracted"
    with pytest.raises(Refused, match=r"第 1 轮的表 TRIANGLE 有 1870 行，不能零申报"):
        declare_nil_return(installation, SCHEDULE_P, preparer(installation), **nil)
    request_extraction(installation, SCHEDULE_P, preparer(installation), reason="源已清空")
    execute(installation.home / "schedule_p.db", "DELETE FROM triangle WHERE lob = 'medmal'")
    state = declare_nil_return(installation, SCHEDULE_P, preparer(installation), **nil)
    assert state.nil_returns == {"TRIANGLE"}
    assert run(installation, SCHEDULE_P, "extract").rounds[1].fact.tables["TRIANGLE"].rows == 0
