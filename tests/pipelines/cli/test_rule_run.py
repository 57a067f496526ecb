"""`baosong rule run`: a rule's SQL, time, count and failing rows, with personal data masked; again when its files change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli import rule as command
from pipelines.cli.main import app
from tests.pipelines.cli.conftest import Run


def test_failing_rows_are_shown_whole_with_the_fields_that_matter(
    rule_run: Run, tables: dict[str, Path]
) -> None:
    code, said, _ = rule_run("D01", "--tables", tables["POLICY"])
    assert (code, said["count"], said["rows"], said["not_judged"]) == (1, 1, {"ITEM": 2, "POLICY": 2}, None)
    assert "BEGINS <= ENDS" in said["sql"] and said["seconds"] >= 0
    [row] = said["failing"]
    assert (row["key"], row["row"], row["field"]) == ({"NO": "P2"}, 2, "BEGINS")
    assert (row["value"], row["expected"]) == ("2026-02-10", "2026-01-31")
    cells = {cell["field"]: cell for cell in row["cells"]}
    assert [n for n, cell in cells.items() if cell["is_offending"]] == ["BEGINS"]
    assert [n for n, cell in cells.items() if cell["is_named"]] == ["BEGINS", "ENDS"]
    assert (cells["IDNO"]["value"], cells["PHONE"]["value"]) == ("***", None)
    assert cells["PREMIUM"]["value"] == "2000.00"


def test_a_finding_on_a_personal_field_is_masked_too(rule_run: Run, tables: dict[str, Path]) -> None:
    text = tables["POLICY"].read_text(encoding="utf-8")
    tables["POLICY"].write_text(text.replace("11010519491231002X", "110105194912310021"), encoding="utf-8")
    code, said, _ = rule_run("B01", "--tables", tables["POLICY"])
    assert (code, said["failing"][0]["field"], said["failing"][0]["value"]) == (1, "IDNO", "***")
    assert "POLICY.IDNO: " in said["sql"]
    assert "110105194912310021" not in str(said)


def test_a_clean_rule_exits_0_and_one_that_lacks_tables_2(rule_run: Run, tables: dict[str, Path]) -> None:
    code, said, _ = rule_run("E04", "--tables", tables["POLICY"], tables["COVER"])
    assert (code, said["count"], said["failing"]) == (0, 0, [])
    code, said, _ = rule_run("E04", "--tables", tables["POLICY"])
    assert code == 2 and said["not_judged"] == "not judged: table(s) COVER are missing"


def test_a_finding_without_a_row_is_looked_up_by_its_key(rule_run: Run, tables: dict[str, Path]) -> None:
    code, said, _ = rule_run("R01", "--tables", tables["POLICY"], period="2026-02-15..2026-03-31")
    assert (code, said["failing"][0]["key"]) == (1, {"NO": "P2"})
    assert {cell["field"]: cell["value"] for cell in said["failing"][0]["cells"]}["ENDS"] == "2026-01-31"


def test_what_it_runs_on_must_be_said_once(rule_run: Run, tables: dict[str, Path]) -> None:
    assert "not both" in rule_run("D01")[2]
    assert "not both" in rule_run("D01", "--tables", tables["POLICY"], "--filing", "f", "--round", "1")[2]
    assert "not both" in rule_run("D01", "--filing", "f")[2]
    assert "has no rule(s) D99" in rule_run("D99", "--tables", tables["POLICY"])[2]
    assert (
        "is not one of report detail"
        in rule_run("F01", "--tables", tables["POLICY"], "--report", "detail")[2]
    )


def test_people_read_marks_counts_and_what_is_left_out(write_standard, tables: dict[str, Path]) -> None:
    given = ["D02", "--standard", str(write_standard()), "--tables", str(tables["POLICY"])]
    given += ["--period", "2026Q1"]
    done = CliRunner().invoke(app, ["rule", "run", *given])
    assert done.exit_code == 1
    assert "D02 explain wrong" in done.stdout and "D02: 1 finding(s) in " in done.stdout
    assert "1. POLICY NO=P2 row 2" in done.stdout
    assert "   ► PREMIUM = 2000.00  (Premium)" in done.stdout
    assert "   · KIND    = 个人  (Kind)" in done.stdout
    assert "     IDNO    = ***  (ID)" in done.stdout
    done = CliRunner().invoke(app, ["rule", "run", *given, "--rows", "0"])
    assert "1. POLICY" not in done.stdout


def test_it_runs_again_whenever_the_standard_changes(
    write_standard: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_standard()
    rules = folder / "rules" / "rules.yaml"
    edits = iter([None, "changed", None, "changed again", "stop"])
    codes = iter([1, 2])

    def pause() -> None:
        edit = next(edits)
        if edit == "stop":
            raise KeyboardInterrupt
        if edit:
            rules.write_text(f"{rules.read_text(encoding='utf-8')}# {edit}\n", encoding="utf-8")

    assert command.run_again(folder, lambda: next(codes), pause) == 2
    assert list(codes) == []
    assert "waiting for changes" in capsys.readouterr().err
