"""Uploads that cannot be taken: each is refused with its sheet, its cell and what is expected, all mistakes at once."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.errors import LANGUAGE, BadInput
from pipelines.stages.off_system_input import read_upload
from tests.pipelines.stages.off_system_standard import (
    FILING,
    GOOD,
    STATE,
    TABLE,
    edited,
    filled,
    template,
    write_standard,
)
from validations.engine import Standard


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Standard:
    return write_standard(tmp_path_factory.mktemp("standards"))


def read(standard: Standard, path: Path, **more: str) -> Path:
    return read_upload(standard, STATE, standard.table(TABLE), path, path.parent, **more)


def refusal(standard: Standard, path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        read(standard, path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "cell", "expected"),
    [
        ({"NO": "=1+1"}, "B3", "是公式；请复制后“选择性粘贴—数值”"),
        ({"NO": 17}, "B3", "此列为文本，单元格却存为数值：前导零和第 15 位之后的数字可能已丢失"),
        ({"IDNO": 110105194912310021}, "C3", "此列为文本，单元格却存为数值"),
        ({"AMOUNT": "1,234.50"}, "J3", "decimal(20,2)"),
        ({"AMOUNT": 0.125}, "J3", "decimal(20,2)"),
        ({"COUNT": 1.5}, "I3", "-?[0-9]+ (64 bit)"),
        ({"DAY": "2026/3/31"}, "L3", "YYYY-MM-DD"),
        ({"DAY": 46112}, "L3", "此列为日期，单元格却是普通数值"),
        ({"DAY": datetime(2026, 3, 31, 12, 30)}, "L3", "带时刻的也不行"),  # noqa: DTZ001 - a cell has no zone
        ({"NAME": True}, "G3", "是逻辑值 TRUE/FALSE"),
        ({"ORG": None}, "A3", "ORG 机构：“”必填项为空（A01）"),
        ({"KIND": None}, "D3", "KIND 类型：“”必填项为空（A01）"),
        ({"KIND": "军队"}, "D3", "“军队”不在代码表内；代码表 kind：个人, 单位，见模板的工作表“代码”（B01）"),
        ({"PLACE": "P9999"}, "E3", "代码表 place：P0000, P0001, P0002, P0003, P0004, P0005, P0006, P0007 …，"),
        ({"KINDS": "个人;军队"}, "F3", "“个人;军队”不在代码表内"),
        ({"NO": "保" * 11}, "B3", "太长；最长 20 字节（A02）"),
        ({"NAME": "甲|乙"}, "G3", "“甲|乙”不能写入报文（A03）"),
        ({"IDNO": "110105194912310021"}, "C3", "“110105194912310021”校验位不对（B02）"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_stand_is_named_with_its_cell(
    standard: Standard, tmp_path: Path, changes: dict[str, Any], cell: str, expected: str
) -> None:
    book = filled(standard, tmp_path / "t.xlsx", GOOD, {**GOOD, "NO": "0002", **changes})
    said = refusal(standard, book)
    assert f"{book}[{TABLE}!{cell}]" in said
    assert expected in said


def test_the_cell_is_found_behind_empty_rows_and_moved_columns(standard: Standard, tmp_path: Path) -> None:
    book = filled(standard, tmp_path / "t.xlsx", GOOD, {}, {}, {**GOOD, "KIND": "军队"})
    edited(book, lambda opened: opened[TABLE].move_range("D1:L5", cols=2))
    edited(book, lambda opened: opened[TABLE].move_range("M1:N5", cols=-9))
    assert f"[{TABLE}!F5]" in refusal(standard, book)


def test_every_mistake_is_listed_at_once(standard: Standard, tmp_path: Path) -> None:
    wrong = {**GOOD, "ORG": None, "KIND": "军队", "DAY": None}
    said = refusal(standard, filled(standard, tmp_path / "t.xlsx", wrong, wrong))
    assert [f"{TABLE}!{cell}]" in said for cell in ("A2", "D2", "L2", "A3", "D3", "L3")] == [True] * 6
    LANGUAGE.set("en")
    try:
        with pytest.raises(BadInput) as caught:
            read(standard, tmp_path / "t.xlsx")
        assert caught.value.values["count"] == 6
        assert (
            '"军队": not in the list; code list kind: 个人, 单位, see sheet “代码” of the template (B01)'
            in str(caught.value)
        )
    finally:
        LANGUAGE.set("zh")


def test_what_may_be_explained_is_left_to_the_rules(standard: Standard, tmp_path: Path) -> None:
    book = filled(standard, tmp_path / "t.xlsx", {**GOOD, "POST": "1000"})
    assert pl.read_parquet(read(standard, book))["POST"].to_list() == ["1000"]


def rename(old: str, new: str) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        cell = next(c for c in book[TABLE][1] if c.value.split("\n")[0] == old)
        cell.value = new

    return change


def second_sheet(title: str) -> Callable[[Any], None]:
    def change(book: Any) -> None:
        book.copy_worksheet(book[TABLE]).title = title

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda book: book[TABLE].delete_cols(3), "应有 12 列，文件有 11 列；缺少列 IDNO"),
        (rename("IDNO", "身份证"), "缺少列 IDNO，多出列 身份证"),
        (rename("IDNO", "NO\n编号（必填）"), "缺少列 IDNO，多出列 –，重复列 NO"),
        (lambda book: book[TABLE].cell(1, 13, "备注"), "多出列 备注"),
        (lambda book: book[TABLE].cell(2, 13, "备注"), f"[{TABLE}!M2]"),
        (lambda book: book[TABLE].insert_rows(1), "第一行没有表头"),
        (second_sheet("留存表"), f"有不止一个工作表是表 {TABLE}"),
        (second_sheet(f"{TABLE} (2)"), f"工作表“{TABLE} (2)”不是报送规范中的表"),
        (second_sheet("OTHER"), f"工作表“OTHER”是表 OTHER，此处应为表 {TABLE}"),
        (lambda book: book.remove(book[TABLE]), f"没有工作表 {TABLE}"),
        (lambda book: book[TABLE].delete_rows(2, 9), "没有一行数据，未接收。若确无数据，请零申报"),
        (lambda book: book[TABLE].merge_cells("A2:A3"), "合并了单元格"),
    ],
)
def test_a_workbook_that_is_no_filled_template_is_refused(
    standard: Standard, tmp_path: Path, change: Callable[[Any], None], expected: str
) -> None:
    book = edited(filled(standard, tmp_path / "t.xlsx", GOOD), change)
    assert expected in refusal(standard, book)


def test_another_tables_or_filings_template_is_refused(standard: Standard, tmp_path: Path) -> None:
    other = template(standard, tmp_path / "other.xlsx", "OTHER")
    edited(other, lambda book: book["OTHER"].append(["0001"]))
    assert f"工作表“OTHER”是表 OTHER，此处应为表 {TABLE}" in refusal(standard, other)
    last = filled(standard, tmp_path / "last.xlsx", GOOD)

    def made_before(book: Any) -> None:
        cell = next(row[1] for row in book["说明"].iter_rows() if row[0].value == "报送任务")
        cell.value = "own.detail.JH-0"

    edited(last, made_before)
    assert f"是报送任务 own.detail.JH-0 的模板，此处为 {FILING}" in refusal(standard, last)


def test_a_workbook_of_ones_own_needs_no_guide(standard: Standard, tmp_path: Path) -> None:
    book = filled(standard, tmp_path / "t.xlsx", GOOD)
    edited(book, lambda opened: (opened.remove(opened["说明"]), opened.remove(opened["代码"])))
    edited(book, rename("NO", "NO"))
    assert pl.read_parquet(read(standard, book))["NO"].to_list() == ["0001"]


def test_csv_and_parquet_are_judged_the_same(standard: Standard, tmp_path: Path) -> None:
    parquet = read(standard, filled(standard, tmp_path / "t.xlsx", GOOD, {**GOOD, "NO": "0002"}))
    kept = Path(shutil.copyfile(parquet, tmp_path / "kept.parquet"))
    frame = pl.read_parquet(kept)
    (tmp_path / "gbk.csv").write_bytes(frame.write_csv().encode("gb18030"))
    assert pl.read_parquet(read(standard, tmp_path / "gbk.csv", encoding="gb18030")).equals(frame)
    assert pl.read_parquet(read(standard, kept)).equals(frame)
    army = pl.when(pl.col("NO") == "0002").then(pl.lit("军队")).otherwise("KIND")
    frame.with_columns(KIND=army).write_parquet(kept)
    assert f"{kept} 第 2 行数据，列 KIND KIND 类型：“军队”不在代码表内" in refusal(standard, kept)
    other = tmp_path / "t.txt"
    other.write_text("x", encoding="utf-8")
    assert "请交 .xlsx, .csv, .parquet" in refusal(standard, other)
