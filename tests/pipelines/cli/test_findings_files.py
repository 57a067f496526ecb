"""Findings for people: no spreadsheet runs, rounds or loses anything of them."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import polars as pl
import pytest

from pipelines.cli import findings_workbook
from pipelines.cli.findings_csv import write_csv
from pipelines.cli.findings_workbook import write_workbook
from validations.engine import Judgement, NotJudged, load_standard
from validations.engine.findings import FINDINGS_SCHEMA

FILLED = {"rule": "S03", "severity": "explain", "table": "TRIANGLE", "key": '{"GRCODE":"86"}', "row": 0}


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    empty = pl.DataFrame(FINDINGS_SCHEMA.empty_table())
    pl.DataFrame(
        [{**dict.fromkeys(empty.columns), **FILLED, **row} for row in rows], schema=empty.schema
    ).write_parquet(path)
    return path


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("=1+1", "'=1+1"),
        ("+86 10", "'+86 10"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("-12.50", "-12.50"),
        ("0.05", "0.05"),
        ("110101199003078888", "'110101199003078888"),
        ("007", "'007"),
        ("12E34", "'12E34"),
        ("2026-01-05", "2026-01-05"),
        ("张三", "张三"),
        ('a,"b"\nc', 'a,"b"\nc'),
        (None, None),
    ],
)  # fmt: skip
def test_csv_holds_nothing_that_a_spreadsheet_would_run_or_change(
    tmp_path: Path, value: str | None, stored: str | None
) -> None:
    target = tmp_path / "findings.csv"
    write_csv(written(tmp_path / "findings.parquet", [{"value": value}]), target)
    assert target.read_bytes().startswith(b"\xef\xbb\xbf")
    assert pl.read_csv(target, infer_schema=False)["value"].to_list() == [stored]
    assert {path.name for path in tmp_path.iterdir()} == {"findings.parquet", "findings.csv"}


def judgement(findings: Path, total: int) -> Judgement:
    return Judgement(
        rows={"TRIANGLE": 9},
        counts={"S01": 0, "S03": total},
        by_severity={"block": 0, "explain": total, "note": 0},
        findings=findings,
        standard_version="1",
        standard_digest="0",
        severities={"S01": "block", "S03": "explain"},
        not_judged=(NotJudged("S12", "table", "OTHER"),),
        waived={"S03": 2},
    )


def test_the_workbook_holds_text_as_text_and_true_counts_first(tmp_path: Path) -> None:
    values = ["=1+1", "110101199003078888", "-5", "_x0041_", "a\x01b", "x" * 40_000, "\uffff", "<r></b></r>"]
    path = written(tmp_path / "findings.parquet", [{"value": value} for value in values])
    target = tmp_path / "findings.xlsx"
    assert write_workbook(load_standard("schedule_p"), judgement(path, 5), target, asked="2026") == 0
    book = openpyxl.load_workbook(target)
    assert book.sheetnames == ["Summary", "TRIANGLE"]
    summary = [[cell.value for cell in row] for row in book["Summary"].iter_rows()]
    assert [row[0] for row in summary if row[0] and "waived" in row[0]] == ["5 finding(s), 2 more are waived"]
    assert ["S03", "explain", 5, 2] in [row[:4] for row in summary]
    assert ["S12", "not judged: table(s) OTHER are missing"] in [row[:2] for row in summary]
    assert ["TRIANGLE", 9, 8] in [row[:3] for row in summary]
    sheet = book["TRIANGLE"]
    column = [cell.value for cell in sheet[1]].index("Value") + 1
    cells = [sheet.cell(row, column) for row in range(2, 10)]
    assert {(cell.data_type, cell.number_format) for cell in cells} == {("s", "@")}
    shown = [str(cell.value) for cell in cells]
    assert shown[:3] == ["=1+1", "110101199003078888", "-5"]
    assert shown[3] in ("_x0041_", "_x005F_x0041_") and shown[4] == "a␁b" and len(shown[5]) < 32_100
    assert shown[7] == "<r></b></r>", "xlsxwriter takes it for its own markup"
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:M9")
    assert {path.name for path in tmp_path.iterdir()} == {"findings.parquet", "findings.xlsx"}


def test_a_full_sheet_says_how_many_more_there_are_the_most_important_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(findings_workbook, "SHEET_ROWS", 2)
    rows: list[dict[str, object]] = [{"severity": "note", "value": "n"}] * 3
    rows += [{"severity": "block", "value": "b", "row": None}]
    path = written(tmp_path / "findings.parquet", rows)
    target = tmp_path / "findings.xlsx"
    assert write_workbook(load_standard("schedule_p"), judgement(path, 4), target, asked="2026") == 2
    sheet = openpyxl.load_workbook(target)["TRIANGLE"]
    first = [str(row[0].value) for row in sheet.iter_rows()]
    assert [row[6].value for row in sheet.iter_rows()][:3] == ["Value", "b", "n"]
    assert first[3].startswith("4 findings in this table; a sheet of Excel holds the first 2")
    assert len(first) == 4
