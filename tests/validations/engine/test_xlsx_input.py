"""Workbooks as data: text, real dates and numbers are typed exactly; whatever is not is refused with sheet and cell."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadInput
from validations.engine import Field, Standard, Table, Title, load_standard
from validations.engine import xlsx_input as reading
from validations.engine.xlsx_input import cell_name, convert_workbook

TITLE = Title("保单", "Policies")
TABLE = Table(
    "POLICY",
    TITLE,
    ("NO",),
    (
        Field("NO", TITLE, "text"),
        Field("COUNT", TITLE, "integer"),
        Field("AMOUNT", TITLE, "decimal", precision=20, scale=2),
        Field("DAY", TITLE, "date"),
    ),
)
OTHER = Table("COVER", Title("险别", "Coverages"), ("NO",), (Field("NO", TITLE, "text"),))
HEADER = ["NO", "COUNT", "AMOUNT", "DAY"]
Fill = Callable[[Any, Any], None]


@pytest.fixture(scope="module")
def standard() -> Standard:
    return replace(load_standard("schedule_p"), tables={"POLICY": TABLE, "COVER": OTHER})


def book(
    path: Path, sheets: Mapping[str, Sequence[Sequence[Any]] | Fill], options: dict[str, Any] | None = None
) -> Path:
    """A workbook with rows of text, numbers and dates, or sheets that are filled by a function."""
    workbook = xlsxwriter.Workbook(path, {"strings_to_formulas": False, **(options or {})})
    day = workbook.add_format({"num_format": 'yyyy"年"m"月"d"日"'})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        if callable(rows):
            rows(sheet, workbook)
            continue
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if isinstance(value, dt.date):
                    sheet.write_datetime(r, c, dt.datetime.combine(value, dt.time()), day)
                elif isinstance(value, str):
                    sheet.write_string(r, c, value)
                elif value is not None:
                    sheet.write_number(r, c, value)
    workbook.close()
    return path


def convert(standard: Standard, path: Path, **options: Any) -> dict[str, list[dict[str, Any]]]:
    rows = convert_workbook(standard, path, path.parent, **options)
    found = {name: pl.read_parquet(path.parent / f"{name}.parquet").to_dicts() for name in rows}
    assert rows == {name: len(records) for name, records in found.items()}
    return found


def refusal(standard: Standard, path: Path, **options: Any) -> str:
    with pytest.raises(BadInput) as refused:
        convert_workbook(standard, path, path.parent, **options)
    assert list(path.parent.iterdir()) == [path], "nothing half-written"
    return str(refused.value).replace(str(path.parent), "")


def one_cell(value: Any, field: str) -> list[list[Any]]:
    return [HEADER, ["p", 1, 1, dt.date(2026, 1, 5)], [value if f == field else "" for f in HEADER]]


def test_text_numbers_and_real_dates_are_typed_exactly(standard: Standard, tmp_path: Path) -> None:
    rows = [
        HEADER,
        ["007", 12, 1.1, dt.date(2026, 1, 5)],
        [],
        ["110101199003078888", "-3", "99999999999999.10", "2026-02-28"],
        [None, None, 1234567890123.45, None],
    ]
    path = book(tmp_path / "any.xlsx", {"POLICY": rows, "险别": [["NO"], ["=1+1"]], "空": []})
    assert convert(standard, path) == {
        "POLICY": [
            {"NO": "007", "COUNT": 12, "AMOUNT": Decimal("1.10"), "DAY": dt.date(2026, 1, 5)},
            {
                "NO": "110101199003078888",
                "COUNT": -3,
                "AMOUNT": Decimal("99999999999999.10"),
                "DAY": dt.date(2026, 2, 28),
            },
            {"NO": None, "COUNT": None, "AMOUNT": Decimal("1234567890123.45"), "DAY": None},
        ],
        "COVER": [{"NO": "=1+1"}],
    }


def test_a_workbook_may_be_one_table_whatever_its_sheet_is_called(standard: Standard, tmp_path: Path) -> None:
    path = book(tmp_path / "POLICY.xlsx", {"Sheet1": one_cell("x", "NO")})
    assert [row["NO"] for row in convert(standard, path, table="POLICY")["POLICY"]] == ["p", "x"]
    assert "sheet “Sheet1” is no table of the standard" in refused_again(standard, path)


def refused_again(standard: Standard, path: Path) -> str:
    (path.parent / "POLICY.parquet").unlink()
    return refusal(standard, path)


def test_dates_count_from_1904_where_the_workbook_says_so(standard: Standard, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"POLICY": one_cell(dt.date(2026, 3, 1), "DAY")}, {"date_1904": True})
    assert [row["DAY"] for row in convert(standard, path)["POLICY"]] == [
        dt.date(2026, 1, 5),
        dt.date(2026, 3, 1),
    ]


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("NO", 110101199003078888, "A3] column POLICY.NO: \"1.101011990030789E+17\" cannot be read: the column is text"),
        ("NO", dt.date(2026, 1, 5), "A3] column POLICY.NO: \"46027\" cannot be read: the column is text, the cell a date"),
        ("COUNT", dt.date(2026, 1, 5), "B3] column POLICY.COUNT: \"46027\" cannot be read: the column is a number"),
        ("COUNT", 1.5, "B3] column POLICY.COUNT: \"1.5\" is no -?[0-9]+ (64 bit): expected an integer"),
        ("COUNT", 1e15, "Excel's numbers have 15 digits"),
        ("AMOUNT", 0.005, "C3] column POLICY.AMOUNT: \"0.005\" is no decimal(20,2): too many decimals"),
        ("AMOUNT", "１２", "full-width"),
        ("AMOUNT", "NaN", "not a finite number"),
        ("DAY", 46027, "D3] column POLICY.DAY: \"46027\" cannot be read: the column is a date, the cell a plain"),
        ("DAY", dt.date(1900, 2, 28), "before 1900-03-01 Excel itself counts wrongly"),
        ("DAY", "2026/1/5", "D3] column POLICY.DAY: \"2026/1/5\" is no YYYY-MM-DD: write dates as"),
    ],
)  # fmt: skip
def test_a_cell_that_is_no_value_is_named(
    standard: Standard, tmp_path: Path, field: str, value: Any, why: str
) -> None:
    said = refusal(standard, book(tmp_path / "a.xlsx", {"POLICY": one_cell(value, field)}))
    assert why in said and "/a.xlsx[POLICY!" in said and "has 1 place(s)" in said


def filled(act: Callable[[Any, Any], object]) -> Fill:
    def fill(sheet: Any, workbook: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        act(sheet, workbook)

    return fill


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (lambda s, _: s.write_formula("C2", "=1+1", None, 2), '[POLICY!C2] column POLICY.AMOUNT: "=1+1" cannot be read: it is a formula'),
        (lambda s, _: s.write_boolean("B2", True), "[POLICY!B2] column POLICY.COUNT: \"1\" cannot be read: it is a truth value"),
        (lambda s, _: s.write_string("F2", "x"), "[POLICY!F2] holds something beside the columns"),
        (lambda s, _: s.write_string("E1", "NO"), "repeated column(s) NO"),
        (lambda s, _: s.write_string("E1", "x\ny"), "unknown column(s) x\\u000ay"),
        (lambda s, _: s.merge_range("A3:B3", "x"), "sheet “POLICY” of a.xlsx has merged cells A3:B3"),
        (lambda s, w: s.write_number("D2", 46027.5, w.add_format({"num_format": "yyyy-mm-dd hh:mm"})), "no time of day may stand there"),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_spreadsheets_allow_and_data_does_not_is_named(
    standard: Standard, tmp_path: Path, act: Callable[[Any, Any], object], said: str
) -> None:
    assert said in refusal(standard, book(tmp_path / "a.xlsx", {"POLICY": filled(act)}))


def test_all_sheets_are_looked_at_before_the_book_is_refused(standard: Standard, tmp_path: Path) -> None:
    sheets = {
        "POLICY": one_cell("x", "COUNT"),
        "说明": [["x"]],
        "险别": [["NO"], ["1"]],
        "Coverages": [["NO"]],
    }
    said = refusal(standard, book(tmp_path / "a.xlsx", sheets))
    assert 'POLICY.COUNT: "x"' in said and "sheet “说明” is no table" in said
    assert "more than one sheet is table COVER" in said


def test_a_header_must_be_in_the_first_row(standard: Standard, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"COVER": [[], ["NO"], ["1"]]})
    assert "[COVER!1]: there is no header in the first row" in refusal(standard, path)
    path = book(tmp_path / "a.xlsx", {"COVER": []})
    assert "the workbook holds nothing at all" in refusal(standard, path)


def changed(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


SHEET = "xl/worksheets/sheet1.xml"


def edit(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        assert old.encode() in parts[SHEET], parts[SHEET]
        parts[SHEET] = parts[SHEET].replace(old.encode(), new.encode())

    return change


def far_cell(reference: str) -> Callable[[dict[str, bytes]], None]:
    row = reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return edit("</sheetData>", f'<row r="{row}"><c r="{reference}"><v>1</v></c></row></sheetData>')


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.update({"xl/vbaProject.bin": b"x"}), "holds macros"),
        (lambda p: p.update({"xl/media/zero.bin": bytes(20 << 20)}), "abnormal ratio"),
        (lambda p: p.update({SHEET: b"<!DOCTYPE x>" + p[SHEET]}), "DOCTYPE"),
        (far_cell("XFD1048576"), "[POLICY!XFD1048576] holds something beside"),
        (far_cell("A1048577"), "holds something at A1048577"),
        (edit("</sheetData>", ""), "is damaged"),
        (edit("<v>1</v></c></row>", "<v>NaN</v></c></row>"), "Excel's numbers have 15 digits"),
        (edit("<v>1</v></c></row>", "<v>1.0000000000000002</v></c></row>"), "Excel's numbers have 15"),
        (edit('t="s"><v>4</v>', 't="inlineStr"><is><t>a_x0000_</t></is>'), "holds NUL or half a character"),
        (edit('t="s"><v>4</v>', 't="inlineStr"><is><t>_xD83D_</t></is>'), "holds NUL or half a character"),
        (edit('t="s"><v>4</v>', 't="e"><v>#N/A</v>'), "it is an error value, which is not nothing"),
    ],
    ids=range(11),
)
def test_a_hostile_workbook_is_refused(
    standard: Standard, tmp_path: Path, change: Callable[[dict[str, bytes]], object], said: str
) -> None:
    path = book(tmp_path / "a.xlsx", {"POLICY": [HEADER, ["text", 1]]})
    assert said in refusal(standard, changed(path, change))


def test_escaped_characters_are_what_they_mean(standard: Standard, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"COVER": [["NO"], ["a\x01b"], ["_x0041_"]]})
    assert [row["NO"] for row in convert(standard, path)["COVER"]] == ["a\x01b", "_x0041_"]


def test_a_truncated_workbook_and_other_files_are_called_by_their_name(
    standard: Standard, tmp_path: Path
) -> None:
    path = book(tmp_path / "a.xlsx", {"POLICY": one_cell("x", "NO")})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert "it may be truncated" in refusal(standard, path)
    path.write_bytes(b"NO,COUNT\n")
    assert "is not an .xlsx workbook" in refusal(standard, path)
    path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"))
    assert "holds XLS / OLE" in refusal(standard, path) or "is encrypted" in refusal(standard, path)


def test_rows_are_compared_with_what_was_stated(standard: Standard, tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"POLICY": one_cell("x", "NO")})
    assert "should have 3 row(s), 2 were read" in refusal(standard, path, expect_rows={"POLICY": 3})


def test_limits_of_time_are_kept(standard: Standard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LIMITS", replace(reading.LIMITS, cpu_seconds=0))
    path = book(tmp_path / "a.xlsx", {"POLICY": one_cell("x", "NO")})
    assert "exceeded the limits of memory or time" in refusal(standard, path)


@pytest.mark.parametrize(("column", "row", "name"), [(1, 1, "A1"), (28, 3, "AB3"), (16_384, 9, "XFD9")])
def test_cells_are_named_as_people_do(column: int, row: int, name: str) -> None:
    assert cell_name(column, row) == name


amounts = st.decimals(-(10**12), 10**12, places=2)
days = st.dates(dt.date(1900, 3, 1), dt.date(9999, 12, 31))
words = st.text(
    st.characters(exclude_categories=["Cs", "Cn"], exclude_characters="\0\ufffe\uffff\r"), max_size=20
)


@given(
    st.lists(st.tuples(words, st.integers(-(10**14), 10**14), amounts, days), min_size=1, max_size=4),
    st.booleans(),
)
def test_rows_make_the_round_trip_as_numbers_and_as_text(
    tmp_path_factory: pytest.TempPathFactory, standard: Standard, rows: list[Any], as_text: bool
) -> None:
    folder = tmp_path_factory.mktemp("book")
    stored = [
        (n, str(c), format(a, "f"), d.isoformat()) if as_text else (n, c, float(a), d) for n, c, a, d in rows
    ]
    path = book(folder / "a.xlsx", {"POLICY": [HEADER, *stored]})
    expected = [{"NO": n or None, "COUNT": c, "AMOUNT": a, "DAY": d} for n, c, a, d in rows]
    assert convert(standard, path)["POLICY"] == expected
