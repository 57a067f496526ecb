"""Workbooks that people altered where they may not: each is refused whole, with sheet and cell and the way out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.stages.workbooks.sent_workbook import (
    AMOUNT,
    CUSTOMERS,
    IDENTITY,
    PAYMENTS,
    POLICIES,
    PROBLEMS,
    edited,
    put,
    refusal,
    sent,
)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (
            {"filing": "circ_audit.detail.JH-2026-004"},
            "other_filing",
            "报送任务 circ_audit.detail.JH-2026-004 的",
        ),
        ({"round": 2}, "other_round", "这是第 2 轮的工作簿，现在是第 1 轮"),
        ({"organisation": "440000"}, "other_organisation", "机构 440000 的工作簿，现在要的是机构 330000 的"),
        ({"department": "LP"}, "other_department", "部门 LP 的工作簿，现在要的是部门 CX 的"),
        ({"department": ""}, "other_department", "部门 — 的工作簿，现在要的是部门 CX 的"),
        ({"part": 3}, "other_part", "第 3 部分的工作簿，现在要的是第 2 部分"),
        ({"content": "dd" * 32}, "other_content", "已被新内容"),
        ({"sign_off": "QB-2026-9999"}, "meta_altered", "_meta 被改动过（sign_off、sha256）"),
        ({"answer_by": date(2026, 5, 8)}, "meta_altered", "_meta 被改动过（answer_by、sha256）"),
        ({"parts": 5}, "meta_altered", "_meta 被改动过（parts、sha256）"),
    ],
)
def test_a_workbook_of_something_else_is_refused(
    tmp_path: Path, change: dict[str, Any], code: str, words: str
) -> None:
    refused = refusal(sent(tmp_path / "b.xlsx", identity=replace(IDENTITY, **change)))
    assert [detail.code for detail in refused.details] == [f"workbooks.{code}"]
    assert words in str(refused) and "b.xlsx 未被接收" in str(refused)


def test_a_workbook_of_other_problems_is_refused(tmp_path: Path) -> None:
    refused = refusal(sent(tmp_path / "b.xlsx", PROBLEMS[:2]))
    assert [detail.code for detail in refused.details] == ["workbooks.meta_altered"]
    assert "_meta 被改动过（problems、sha256）" in str(refused)


def rename(old: str, new: str) -> Callable[[Any], None]:
    def change(workbook: Any) -> None:
        workbook[old].title = new

    return change


def swap_columns(workbook: Any) -> None:
    sheet = workbook[POLICIES]
    for row in sheet.iter_rows():
        row[1].value, row[2].value = row[2].value, row[1].value


def duplicate_row(workbook: Any) -> None:
    sheet = workbook[POLICIES]
    sheet.append([cell.value for cell in sheet[2]])


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda w: w.remove(w["_meta"]), "meta_missing", "_meta 不见了"),
        (rename("_meta", "meta"), "meta_missing", "_meta 不见了"),
        (lambda w: w["_meta"].delete_rows(2), "meta_altered", "_meta 被改动过（filing）"),
        (rename(POLICIES, "保单"), "sheet_missing", f"缺少工作表“{POLICIES}”（多出的工作表：保单）"),
        (lambda w: w.remove(w[CUSTOMERS]), "sheet_missing", f"“{CUSTOMERS}”（多出的工作表：—）"),
        (lambda w: w.create_sheet("备注").append(["x"]), "sheet_unknown", "多出工作表“备注”"),
        (lambda w: w.copy_worksheet(w[POLICIES]), "sheet_unknown", f"多出工作表“{POLICIES} Copy”"),
        (swap_columns, "column_moved", f"“{POLICIES}”B1：列标题应为“规则说明”，现为“规则编号”"),
        (lambda w: w[POLICIES].insert_cols(5), "column_moved", "E1：列标题应为“主键 BDH”，现为“—”"),
        (lambda w: w[POLICIES].delete_cols(11), "column_moved", f"工作表“{POLICIES}”K1：列标题应为“更正值”"),
        (lambda w: w[POLICIES].delete_cols(13), "column_moved", "M1：列标题应为“退回说明”，现为“—”"),
        (lambda w: w[POLICIES].insert_rows(1), "column_moved", f"“{POLICIES}”A1：列标题应为“问题编号”"),
        (
            lambda w: w[POLICIES].delete_rows(3),
            "row_removed",
            f"“{POLICIES}”：问题 {AMOUNT}（起保日期晚于终保日期）所在的行被删除了",
        ),
        (
            duplicate_row,
            "row_duplicated",
            f"工作表“{POLICIES}”第 4 行：问题 {PROBLEMS[0].finding} 与第 2 行重复",
        ),
        (lambda w: put(w[POLICIES], 2, "问题编号", "f" * 32), "finding_unknown", "A2：问题编号“" + "f" * 32),
        (
            lambda w: put(w[POLICIES], 2, "主键 BDH", "P9999"),
            "locked_changed",
            "E2：锁定的单元格被改动，应为“P0001”，现为“P9999”",
        ),
        (
            lambda w: put(w[POLICIES], 2, "当前值", None),
            "locked_changed",
            "G2：锁定的单元格被改动，应为“2026-03-01”，现为“—”",
        ),
        (lambda w: put(w[PAYMENTS], 2, "主键 JSSH", "=1+1"), "locked_changed", f"“{PAYMENTS}”F2：锁定的"),
        (lambda w: put(w[PAYMENTS], 2, "主键 ZFXH", 1), "locked_changed", f"“{PAYMENTS}”G2：锁定的"),
        (lambda w: put(w[POLICIES], 2, "当前值", "2026-03-01 "), "locked_changed", "现为“2026-03-01 ”"),
        (lambda w: put(w[POLICIES], 2, "当前值", " 2026-03-01"), "locked_changed", "现为“ 2026-03-01”"),
        (lambda w: put(w[POLICIES], 2, "当前值", "２026-03-01"), "locked_changed", "现为“２026-03-01”"),
        (
            lambda w: put(w[POLICIES], 2, "当前值", date(2026, 3, 1)),
            "locked_changed",
            f"“{POLICIES}”G2：锁定的",
        ),
        (lambda w: put(w[POLICIES], 2, "当前值", True), "locked_changed", f"“{POLICIES}”G2：锁定的"),
        (lambda w: put(w[POLICIES], 2, "当前值", "#N/A"), "locked_changed", "G2：锁定的单元格被改动"),
        (
            lambda w: put(w[CUSTOMERS], 2, "当前值", 110105194912310021),
            "locked_changed",
            f"“{CUSTOMERS}”G2：锁定的单元格被改动，应为“110105194912310021”，现为“1.1010519491231",
        ),
        (
            lambda w: w["汇总"].cell(2, 5, 99),
            "locked_changed",
            "工作表“汇总”E2：锁定的单元格被改动，应为“1”，现为“99”",
        ),
        (lambda w: w["说明"].cell(30, 1, "旁注"), "locked_changed", "工作表“说明”A30"),
        (
            lambda w: w[POLICIES].cell(2, 16, "旁注"),
            "locked_changed",
            "P2：锁定的单元格被改动，应为“—”，现为“旁注”",
        ),
        (lambda w: put(w[POLICIES], 2, "退回说明", "=1+1"), "locked_changed", "现为“=1+1”"),
        (lambda w: w[POLICIES].cell(9, 14, "旁注"), "finding_unknown", "A9：问题编号“—”不在本表"),
        (lambda w: w[POLICIES].cell(9, 1, "0"), "finding_unknown", f"“{POLICIES}”A9：问题编号“0”不在本表"),
    ],
)
def test_whatever_was_locked_must_be_as_it_was(
    tmp_path: Path, change: Callable[[Any], None], code: str, words: str
) -> None:
    refused = refusal(edited(sent(tmp_path / "b.xlsx"), change))
    assert refused.code == "workbooks.refused" and "b.xlsx 未被接收" in str(refused)
    assert f"workbooks.{code}" in [detail.code for detail in refused.details]
    assert words in str(refused)


def test_merged_answer_cells_are_refused(tmp_path: Path) -> None:
    refused = refusal(edited(sent(tmp_path / "b.xlsx"), lambda w: w[POLICIES].merge_cells("L2:L3")))
    assert refused.code == "workbooks.merged" and f"工作表“{POLICIES}”合并了单元格 L2:L3" in str(refused)


def test_hundreds_of_changes_are_counted_but_not_all_listed(tmp_path: Path) -> None:
    def change(workbook: Any) -> None:
        for row in range(20, 118):
            for column in (1, 2, 3):
                workbook["说明"].cell(row, column, "x")

    refused = refusal(edited(sent(tmp_path / "b.xlsx"), change))
    assert len(refused.details) == 201 and "另有 94 处问题未逐条列出" in str(refused)
