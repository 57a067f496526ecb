"""The template says everything that a department must know, and gives back exactly what is typed into it."""

from __future__ import annotations

import string
import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from pipelines.stages.off_system_input import read_upload
from tests.pipelines.stages.off_system_standard import (
    FILING,
    GOOD,
    PLACES,
    STATE,
    TABLE,
    filled,
    headings,
    template,
    write_standard,
)
from validations.engine import Standard


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Standard:
    return write_standard(tmp_path_factory.mktemp("standards"))


def test_headings_name_code_title_and_what_must_be_filled_in(standard: Standard, tmp_path: Path) -> None:
    path = template(standard, tmp_path / "t.xlsx")
    assert headings(path) == [
        "ORG\n机构（必填）", "NO\n编号（必填）", "IDNO\n证件号", "KIND\n类型（有条件必填）", "PLACE\n地区", "KINDS\n各类型",
        "NAME\n名称", "POST\n邮编", "COUNT\n件数", "AMOUNT\n金额", "RATE\n比例", "DAY\n日期（必填）",
    ]  # fmt: skip
    sheet = load_workbook(path)[TABLE]
    yellow = [cell.column_letter for cell in sheet[1] if cell.fill.start_color.rgb == "FFFFF8DB"]
    assert yellow == ["A", "B", "D", "L"]
    assert sheet.freeze_panes == "A2"


def test_columns_store_what_is_typed_as_what_it_is(standard: Standard, tmp_path: Path) -> None:
    sheet = load_workbook(template(standard, tmp_path / "t.xlsx"))[TABLE]
    spans = [(each.min, each.max, each.number_format) for each in sheet.column_dimensions.values()]
    formats = {
        letter: next(said for first, last, said in spans if first <= ord(letter) - 64 <= last)
        for letter in "ABCIJKL"
    }
    assert formats == {
        "A": "@", "B": "@", "C": "@", "I": "0", "J": "0.00", "K": "0.0000", "L": "yyyy-mm-dd",
    }  # fmt: skip


def test_excel_helps_with_lists_dates_and_lengths(standard: Standard, tmp_path: Path) -> None:
    book = load_workbook(template(standard, tmp_path / "t.xlsx"))
    rules = {str(r.sqref).split(":")[0]: r for r in book[TABLE].data_validations.dataValidation}
    assert {str(r.sqref)[1:] for r in rules.values()} == {f"2:{letter}1048576" for letter in "ABCDEFGHIJKL"}
    # In force in the period: the army was taken out of the list in 2020.
    assert (rules["D2"].type, rules["D2"].formula1) == ("list", '"个人,单位"')
    assert (rules["E2"].type, rules["E2"].formula1) == ("list", "'代码'!$C$2:$C$301")
    assert rules["F2"].type == "textLength" or rules["F2"].type is None  # several codes in one cell: no list
    assert (rules["B2"].type, rules["B2"].formula1) == ("textLength", "20")
    assert (rules["L2"].type, rules["L2"].formula1, rules["L2"].formula2) == ("date", "61", "2958465")
    assert (rules["J2"].errorStyle, rules["D2"].errorStyle) == ("warning", None)
    assert rules["B2"].prompt == "必填；文本，最长 20 字节"
    assert rules["F2"].prompt == "选填；文本；多个值以“;”分隔"
    codes = book["代码"]
    assert [cell.value for cell in codes[1]] == ["kind", "名称", "place", "名称"]
    assert [codes.cell(n, 3).value for n in range(2, 302)] == PLACES
    assert codes["D9"].value == "地方P0007"


def test_the_guide_says_which_filing_who_and_until_when(standard: Standard, tmp_path: Path) -> None:
    book = load_workbook(template(standard, tmp_path / "t.xlsx"))
    assert book.sheetnames == ["说明", TABLE, "代码"]
    assert load_workbook(template(standard, tmp_path / "o.xlsx", "OTHER")).sheetnames == ["说明", "OTHER"]
    guide = {row[0].value: row[1].value for row in book["说明"].iter_rows(min_row=2)}
    assert guide["报送任务"] == FILING
    assert guide["报送期间"] == "2026-01-01 至 2026-03-31"
    assert guide["填报部门"] == "财务会计部（finance）"
    assert "2026-05-14" in guide["何时交回"] and "2026-05-15" in guide["何时交回"]
    assert "审核台" in guide["交回"] and "系统外数据" in guide["交回"]


def test_the_same_filing_and_dictionary_give_the_same_bytes(standard: Standard, tmp_path: Path) -> None:
    one, other = (template(standard, tmp_path / name).read_bytes() for name in ("one.xlsx", "other.xlsx"))
    assert one == other


# Not what a person cannot type into a cell as text: control characters, formulas, error values, OOXML's escapes.
TEXT = st.text(
    st.sampled_from(
        "示范财产保险（模拟）《》、㐀𠮷" + string.ascii_letters + string.digits + " -.,'\"<>&%:;"
    ),
    min_size=1,
)
DIGITS = st.text(string.digits, min_size=1, max_size=20)


def typed(value: Decimal) -> Any:
    """Excel's numbers have 15 digits; a longer one is typed as text."""
    return value if len(value.as_tuple().digits) <= 15 else str(value)


def rows() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "ORG": st.text(string.digits, min_size=6, max_size=6),
            "NO": DIGITS,
            "IDNO": st.sampled_from((None, "11010519491231002X", "440524188001010014")),
            "KIND": st.sampled_from(("个人", "单位")),
            "PLACE": st.sampled_from((None, *PLACES)),
            "KINDS": st.sampled_from((None, "个人", "单位;个人")),
            "NAME": st.none() | TEXT,
            "POST": st.none() | st.text(string.digits, min_size=6, max_size=6),
            "COUNT": st.none() | st.integers(-(10**15) + 1, 10**15 - 1),
            "AMOUNT": st.none() | st.decimals(-(10**17), 10**17, places=2),
            "RATE": st.none() | st.decimals(-99999, 99999, places=4),
            "DAY": st.dates(date(1900, 3, 1), date(2100, 12, 31)),
        }
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(rows(), min_size=1, max_size=6))
def test_what_is_typed_into_the_template_is_what_is_read(standard: Standard, given_rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shown = [
            {name: typed(value) if isinstance(value, Decimal) else value for name, value in row.items()}
            for row in given_rows
        ]
        book = filled(standard, Path(folder) / "t.xlsx", *shown)
        parquet = read_upload(standard, STATE, standard.table(TABLE), book, Path(folder))
        assert pl.read_parquet(parquet).to_dicts() == given_rows


def test_a_row_left_empty_between_others_is_no_row(standard: Standard, tmp_path: Path) -> None:
    book = filled(standard, tmp_path / "t.xlsx", GOOD, {}, {**GOOD, "NO": "0002"})
    parquet = read_upload(standard, STATE, standard.table(TABLE), book, tmp_path)
    assert pl.read_parquet(parquet)["NO"].to_list() == ["0001", "0002"]
