"""The branch workbook as it goes out: its sheets, its locks, its text, and its bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipelines.errors import BadInput
from pipelines.stages.cell_text import unescape_text
from pipelines.stages.workbooks import layout, read_answers, write_branch_workbook, write_problem_list
from tests.pipelines.stages.workbooks.sent_workbook import (
    CUSTOMERS,
    DATE,
    IDENTITY,
    PAYMENTS,
    POLICIES,
    PROBLEMS,
    columns,
    problem,
    sent,
)


def test_sheets_stand_in_order_and_the_identity_is_well_hidden(tmp_path: Path) -> None:
    workbook = load_workbook(sent(tmp_path / "b.xlsx"))
    assert workbook.sheetnames == ["说明", "汇总", POLICIES, CUSTOMERS, PAYMENTS, "_meta"]
    assert workbook["_meta"].sheet_state == "veryHidden"
    assert workbook.security.lockStructure
    meta = {row[0].value: row[1].value for row in workbook["_meta"].iter_rows()}
    assert (meta["filing"], meta["round"], meta["organisation"]) == (IDENTITY.filing, "1", "330000")
    assert (meta["department"], meta["part"], meta["parts"]) == ("CX", "2", "4")
    assert meta["answer_by"] == "2026-05-07" and len(meta["sha256"]) == len(meta["signature"]) == 64
    guide = "\n".join(str(cell.value) for row in workbook["说明"].iter_rows() for cell in row)
    for words in ("浙江分公司（330000）", "车险部（CX）", "第 2 部分，共 4 部分", "QB-2026-0007", "报表更正"):
        assert words in guide
    assert "2026-05-07 下班前交回" in guide and "4 条" in guide


def test_the_guide_says_the_time_where_the_deadline_has_one(tmp_path: Path) -> None:
    due = datetime(2026, 5, 7, 17, 30, tzinfo=timezone(timedelta(hours=8)))
    path = sent(tmp_path / "b.xlsx", identity=replace(IDENTITY, answer_by=due, department=""))
    guide = {row[0].value: row[1].value for row in load_workbook(path)["说明"].iter_rows()}
    assert guide["反馈截止"] == "2026-05-07 17:30 前交回" and "责任部门" not in guide


def test_a_table_sheet_says_words_first_and_locks_all_but_the_answers(tmp_path: Path) -> None:
    sheet = load_workbook(sent(tmp_path / "b.xlsx"))[PAYMENTS]
    assert [cell.value for cell in sheet[1]] == [
        "问题编号",
        "规则说明",
        "规则编号",
        "严重程度",
        "主键 PAH",
        "主键 JSSH",
        "主键 ZFXH",
        "字段",
        "当前值",
        "应为",
        "差异",
        "处理方式",
        "更正值",
        "原因说明",
        "退回说明",
    ]
    assert [cell.value for cell in sheet[2]][1:9] == [
        "赔款支付没有赔案",
        "E06",
        "阻断",
        "A1",
        "=1+1",
        "1",
        "赔案号 PAH",
        "A1",
    ]
    answers = {columns(sheet)[name] for name in ("处理方式", "更正值", "原因说明")}
    assert {cell.column for cell in sheet[2] if not cell.protection.locked} == answers
    assert sheet.protection.sheet and sheet.freeze_panes == "B2" and sheet.auto_filter.ref == "A1:O2"
    assert all(cell.number_format == "@" for cell in sheet[2])
    choice = sheet.data_validations.dataValidation[0]
    assert (choice.formula1, str(choice.sqref)) == ('"源头修正,报表更正,情况说明"', "L2")
    assert sheet["I2"].fill.start_color.rgb == "FFFBE6E4"


def test_no_value_becomes_a_formula_an_error_or_a_number(tmp_path: Path) -> None:
    values = [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "#N/A",
        "007",
        "123456789012345678",
        "_x0041_",
        " 空格 ",
        "<r><t>x</t></r>",
        "a\nb\tc\n",
        "<&amp;>_x005F_",
        "㐀𠀀🙂",
    ]
    problems = [problem(n, value=value) for n, value in enumerate(values)]
    path = sent(tmp_path / "b.xlsx", problems)
    sheet = load_workbook(path)[POLICIES]
    cells = [sheet.cell(row, columns(sheet)["当前值"]) for row in range(2, len(values) + 2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells)
    assert [unescape_text(cell.value) for cell in cells] == values
    assert len(read_answers(path, IDENTITY, problems).unanswered) == len(values)


def test_the_summary_counts_per_rule(tmp_path: Path) -> None:
    problems = [*PROBLEMS, problem(9), problem(9)]
    assert write_branch_workbook(tmp_path / "b.xlsx", IDENTITY, problems) == 5
    rows = [[cell.value for cell in row] for row in load_workbook(tmp_path / "b.xlsx")["汇总"].iter_rows()]
    assert rows[0] == ["规则说明", "规则编号", "严重程度", "表", "问题条数"]
    assert rows[1] == ["起保日期晚于终保日期", "D01", "阻断", "保单信息表 BDXXB", 2]
    assert rows[-1] == ["合计", None, None, None, 5]


def test_long_titles_fit_and_stay_apart(tmp_path: Path) -> None:
    problems = [problem(n, table=f"TABLE{n}", table_title="[很]长*" + "的标题" * 20) for n in range(2)]
    problems += [problem(9, table="X" * 40, table_title=""), problem(10, table="X" * 39, table_title="")]
    names = load_workbook(sent(tmp_path / "b.xlsx", problems)).sheetnames
    assert len(set(names)) == 7 and max(map(len, names)) == 31
    assert len(read_answers(tmp_path / "b.xlsx", IDENTITY, problems).unanswered) == 4


def test_many_problems_of_a_table_are_split(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "ROWS_PER_SHEET", 3)
    problems = [problem(n) for n in range(7)]
    path = sent(tmp_path / "b.xlsx", problems)
    assert load_workbook(path).sheetnames[2:5] == [POLICIES, f"{POLICIES} (2)", f"{POLICIES} (3)"]
    assert len(read_answers(path, IDENTITY, problems).unanswered) == 7


def test_an_overlong_value_is_cut_with_a_mark_as_excel_counts(tmp_path: Path) -> None:
    problems = [problem(1, value="𠀀" * 40_000), problem(2, value="_x0041_" * 4_571)]
    path = sent(tmp_path / "b.xlsx", problems)
    sheet = load_workbook(path)[POLICIES]
    cells = [sheet.cell(row, columns(sheet)["当前值"]).value for row in (2, 3)]
    assert cells[0] == "𠀀" * 16_000 + "…（过长，已截断）"
    assert unescape_text(cells[1]) == "_x0041_" * 4_571
    assert len(read_answers(path, IDENTITY, problems).unanswered) == 2


def test_what_no_sheet_can_hold_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    wide = problem(1, key=tuple((f"K{n}", "x") for n in range(16_384)))
    with pytest.raises(BadInput) as refused:
        write_branch_workbook(tmp_path / "b.xlsx", IDENTITY, [wide])
    assert refused.value.code == "workbooks.not_written" and "BDXXB 保单信息表" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


PROGRAM = """
import hashlib, sys
from pathlib import Path
from pipelines.stages.workbooks import write_problem_list
from tests.pipelines.stages.workbooks.sent_workbook import PROBLEMS, sent
path = sent(Path(sys.argv[1]))
print(hashlib.sha256(path.read_bytes()).hexdigest())
write_problem_list(path, "清单", {"330000": PROBLEMS})
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_equal_bytes_under_another_time_zone_locale_and_hash_seed(tmp_path: Path) -> None:
    digests: set[str] = set()
    for zone, language, seed in (("UTC", "C", "1"), ("America/New_York", "zh_CN.GB18030", "77")):
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", PROGRAM, str(tmp_path / f"{seed}.xlsx")],
            env={**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[4],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        digests.add(done.stdout)
    assert len(digests) == 1
    assert sent(tmp_path / "a.xlsx").read_bytes() == sent(tmp_path / "b.xlsx").read_bytes()
    other = sent(tmp_path / "c.xlsx", identity=replace(IDENTITY, round=2))
    assert other.read_bytes() != (tmp_path / "a.xlsx").read_bytes()


def test_the_problem_list_counts_all_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    problems = {"440000": [problem(n, department="理赔部") for n in range(5)], "330000": [*PROBLEMS]}
    path, departments = tmp_path / "list.xlsx", {DATE: "车险部"}
    names = {"330000": "浙江"}
    options = {"names": names, "departments": departments, "details_per_rule": 3}
    assert write_problem_list(path, "第 1 轮", problems, **options) == 9
    workbook = load_workbook(path)
    counts = [[cell.value for cell in row] for row in workbook["汇总"].iter_rows()]
    assert counts[1] == ["规则说明", "规则编号", "严重程度", "表", "合计", "浙江 330000", "440000"]
    assert counts[2] == ["起保日期晚于终保日期", "D01", "阻断", "保单信息表 BDXXB", 6, 1, 5]
    assert counts[-1][4:] == [9, 4, 5]
    details = [[cell.value for cell in row] for row in workbook["明细"].iter_rows()]
    assert len(details) == 1 + 3 + 1 + 3
    assert details[4][2] == "本规则共 6 条，此处列出 3 条，其余 3 条见各机构工作簿。"
    assert details[1][0] == "浙江 330000" and details[1][6] == "BDH=P0001"
    assert details[0][:2] == ["机构", "责任部门"]
    assert [row[1] for row in details[1:]] == ["车险部", "理赔部", "理赔部", None, None, None, None]


def test_an_empty_problem_list_says_so(tmp_path: Path) -> None:
    assert write_problem_list(tmp_path / "list.xlsx", "没有问题", {}) == 0
    assert [c.value for c in load_workbook(tmp_path / "list.xlsx")["汇总"][3]] == [
        "合计",
        None,
        None,
        None,
        0,
    ]


text = st.text(max_size=20)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(text, text, text, st.none() | text), max_size=4))
def test_whatever_the_values_are_the_workbook_reads_back(tmp_path_factory, values) -> None:
    problems = [
        problem(n, table=table, table_title=title, value=value, key=(("BDH", key),))
        for n, (table, title, key, value) in enumerate(values)
    ]
    path = sent(tmp_path_factory.mktemp("any") / "b.xlsx", problems)
    assert len(read_answers(path, IDENTITY, problems).unanswered) == len(values)
