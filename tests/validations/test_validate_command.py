"""`baosong validate` and `baosong standard` as people run them: exit codes 0, 1, 2 and what they print."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from pipelines.cli import validate as command
from pipelines.errors import LANGUAGE, BaosongError
from validations.engine import STANDARDS, arrow_schema, load_standard

CLRD = Path("sql/schedule_p/data/clrd.csv")


def run(*arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "BAOSONG_HOME": str(home), "BAOSONG_LANGUAGE": "en"}
    started = [sys.executable, "-m", "pipelines.cli.main", *map(str, arguments)]
    return subprocess.run(started, capture_output=True, text=True, env=environment, check=False, timeout=120)


def validate(*arguments: object, home: Path, standard: str = "schedule_p") -> tuple[int, dict[str, Any], str]:
    """In this process, as `main` would end it: exit code, JSON printed, message."""
    app = typer.Typer()
    app.command()(command.validate)
    given = ["--standard", standard, "--out", home / "out", "--json", *arguments]
    token = LANGUAGE.set("en")
    try:
        done = CliRunner().invoke(app, [str(item) for item in given])
        if isinstance(done.exception, BaosongError):
            return done.exception.exit_code, {}, str(done.exception)
    finally:
        LANGUAGE.reset(token)
    return done.exit_code, json.loads(done.stdout), done.stderr


def lines(tmp_path: Path, *rows: str, name: str = "TRIANGLE.csv") -> Path:
    """A triangle of the first filer (55 cells) under its header, then more rows."""
    source = CLRD.read_text(encoding="utf-8").splitlines()
    path = tmp_path / name
    path.write_text("\n".join([*source[:56], *rows]) + "\n", encoding="utf-8")
    return path


def test_clean_files_exit_0(tmp_path: Path) -> None:
    source = pl.read_csv(CLRD, schema_overrides={"GRCODE": pl.String})
    clean = source.filter(
        (
            (pl.col("EarnedPremNet") == pl.col("EarnedPremDIR") - pl.col("EarnedPremCeded"))
            & (pl.col("CumPaidLoss") >= 0)
            & (pl.col("BulkLoss") >= 0)
            & (pl.col("EarnedPremNet") >= 0)
            & (pl.col("EarnedPremDIR") >= 0)
            & (pl.col("CumPaidLoss") <= pl.col("IncurLoss"))
            & (pl.col("BulkLoss") <= pl.col("IncurLoss"))
            & (pl.col("CumPaidLoss").diff().over("GRCODE", "LOB", "AccidentYear").fill_null(0) >= 0)
        )
        .all()
        .over("GRCODE", "LOB")
    )
    path = tmp_path / "TRIANGLE.csv"
    path.write_bytes(b"\xef\xbb\xbf" + clean.select(reversed(clean.columns)).write_csv().encode())
    code, said, error = validate("--tables", path, home=tmp_path)
    assert (code, said["total"], said["rows"], error) == (0, 0, {"TRIANGLE": len(clean)}, "")
    assert len(clean) > 100
    assert set(said["counts"].values()) == {0}
    assert len(pl.read_parquet(said["findings"])) == 0


def test_findings_exit_1_with_the_count_of_each_rule(tmp_path: Path) -> None:
    code, said, _ = validate("--tables", f"TRIANGLE={CLRD}", "--report", "medmal", home=tmp_path)
    assert code == 1
    assert said["counts"]["S03"] == 713 and said["counts"]["S10"] == 870 and said["total"] == 3256
    assert said["by_severity"] == {"block": 0, "explain": 3256, "note": 0}
    assert (said["standard"], said["version"], said["not_judged"]) == ("schedule_p", "1997.1", {})
    table = pl.read_csv(tmp_path / "out" / "findings.csv", infer_schema=False)
    assert len(table) == 3256 == len(pl.read_parquet(said["findings"]))
    assert {p.name for p in (tmp_path / "out").iterdir()} == {
        "findings.parquet",
        "findings.csv",
        "findings.xlsx",
    }


def test_parquet_is_judged_as_it_is_typed(tmp_path: Path) -> None:
    path = tmp_path / "TRIANGLE.parquet"
    frame = pl.read_csv(CLRD, schema_overrides={"GRCODE": pl.String})
    frame.write_parquet(path)
    assert validate("--tables", path, home=tmp_path)[:1] == (1,)
    frame.with_columns(pl.col("GRCODE").cast(pl.Int64)).write_parquet(path)
    code, said, error = validate("--tables", path, home=tmp_path)
    assert (code, said) == (2, {})
    assert "GRCODE: int64 ≠ string" in error


GOOD = "86,Allstate Ins Co Grp,1988,1988,1,367404,70571,127737,400699,5957,394742,0,281872,wkcomp"
BAD_ROWS = [
    (GOOD.replace("70571", "70571.5"), 'TRIANGLE.csv:57 column TRIANGLE.CumPaidLoss: "70571.5" is no'),
    (GOOD.replace("70571", "７０"), 'TRIANGLE.csv:57 column TRIANGLE.CumPaidLoss: "７０" is no'),
    (GOOD.replace("70571", "99999999999999999999"), "TRIANGLE.csv:57 column TRIANGLE.CumPaidLoss"),
    (GOOD.replace("70571", "1e3"), "TRIANGLE.csv:57 column TRIANGLE.CumPaidLoss"),
    (GOOD + ",9", "TRIANGLE.csv:57 table TRIANGLE expects 14 cells in a row, this one has 15"),
    ("86,x", "TRIANGLE.csv:57 table TRIANGLE expects 14 cells in a row, this one has 2"),
    (
        GOOD.replace("Allstate Ins Co Grp", '"a\nb"') + "\n" + GOOD.replace("1988,1988", "1988,x"),
        "TRIANGLE.csv:59 column TRIANGLE.DevelopmentYear",
    ),
    ('"unclosed', "TRIANGLE.csv:57 column 1 opens a quote that is never closed"),
]


@pytest.mark.parametrize(("row", "said"), BAD_ROWS, ids=[said[-45:] for _, said in BAD_ROWS])
def test_what_cannot_be_read_exits_2_with_line_and_column(tmp_path: Path, row: str, said: str) -> None:
    code, output, error = validate("--tables", lines(tmp_path, row), home=tmp_path)
    assert (code, output) == (2, {})
    assert said in error
    assert list((tmp_path / "out").iterdir()) == []


def test_empty_cells_are_null_and_judged_as_missing(tmp_path: Path) -> None:
    bad = GOOD.replace("86,Allstate Ins Co Grp,1988,1988,1", '999,"",1988,1988,1').replace("70571", '""')
    code, said, _ = validate("--tables", lines(tmp_path, bad), home=tmp_path)
    assert code == 1
    assert (said["counts"]["S13"], said["counts"]["S12"], said["counts"]["S04"]) == (2, 1, 0)


def test_wrong_files_exit_2_all_named(tmp_path: Path) -> None:
    header = tmp_path / "TRIANGLE.csv"
    header.write_text("GRCODE,SURPRISE\n1,2\n", encoding="utf-8")
    code, _, error = validate("--tables", header, home=tmp_path)
    assert code == 2 and "lacks column(s) GRNAME" in error and "has unknown column(s) SURPRISE" in error
    code, _, error = validate(
        "--tables", tmp_path / "none.csv", "NOPE=x.csv", "TRIANGLE=gone.csv", home=tmp_path
    )
    assert (
        code == 2 and "unknown table none" in error and "NOPE=x.csv" in error and "no file gone.csv" in error
    )
    code, _, error = validate("--tables", f"TRIANGLE={CLRD}", "--report", "flood", home=tmp_path)
    assert code == 2 and "no report flood; there are: comauto" in error
    header.write_bytes("GRCODE,保".encode("gb18030"))
    code, _, error = validate("--tables", header, home=tmp_path)
    assert code == 2 and "looks like GB18030" in error
    code, _, error = validate("--tables", CLRD, home=tmp_path, standard="none")
    assert code == 2 and "there are:" in error
    code, _, error = validate("--tables", f"TRIANGLE={CLRD}", "--param", "x", home=tmp_path)
    assert code == 2 and "name=value" in error


def test_a_missing_table_exits_2_unless_partial(tmp_path: Path) -> None:
    table = tmp_path / "KHXXB.parquet"
    pl.DataFrame(arrow_schema(load_standard("circ_audit").table("KHXXB")).empty_table()).write_parquet(table)
    arguments = ["--tables", table, "--param", "date_from=2026-01-01", "--param", "date_to=2026-03-31"]
    code, _, error = validate(*arguments, home=tmp_path, standard="circ_audit")
    assert code == 2 and "due tables are missing" in error and "BDXXB" in error
    code, said, _ = validate(*arguments, "--partial", home=tmp_path, standard="circ_audit")
    assert (code, said["counts"]["A10"], said["total"]) == (1, 1, 1)
    arguments += ["--nil", "KHXXB"]
    code, said, _ = validate(*arguments, "--partial", home=tmp_path, standard="circ_audit")
    assert code == 0 and said["rows"] == {"KHXXB": 0}
    assert "E01" in said["not_judged"] and "E01" not in said["counts"] and said["counts"]["A01"] == 0


@pytest.mark.parametrize(("rows", "expected"), [((), 0), ((GOOD,), 1), (("86,x",), 2)])
def test_the_command_itself_ends_with_that_code(tmp_path: Path, rows: tuple[str, ...], expected: int) -> None:
    table = lines(tmp_path, *rows)
    done = run(
        "validate", "--standard", "schedule_p", "--tables", table, "--out", tmp_path / "o", home=tmp_path
    )
    assert done.returncode == expected
    if expected < 2:
        assert f"S01   block            {expected}  The key stands twice" in done.stdout
        assert f"{expected} finding(s)" in done.stdout and done.stderr == ""
    else:
        assert done.stdout == "" and "expects 14 cells" in done.stderr and "Traceback" not in done.stderr


def test_judging_starts_without_dagster_or_great_expectations() -> None:
    code = (
        "import sys, pipelines.cli.validate, validations.engine.judging, validations.engine.contract\n"
        "print([m for m in ('dagster', 'great_expectations') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_standards_are_listed_and_checked(tmp_path: Path) -> None:
    said = json.loads(run("standard", "list", "--json", home=tmp_path).stdout)
    assert [s["name"] for s in said] == ["circ_audit", "circ_statistics", "schedule_p"]
    assert (
        "schedule_p 1997.1 is well written: 1 tables, 16 rules"
        in run("standard", "check", "schedule_p", home=tmp_path).stdout
    )
    folder = tmp_path / "schedule_p"
    shutil.copytree(STANDARDS / "schedule_p", folder)
    table = folder / "tables" / "TRIANGLE.yaml"
    table.write_text(
        table.read_text(encoding="utf-8").replace("codes: line", "codes: lines"), encoding="utf-8"
    )
    done = run("standard", "check", folder, home=tmp_path)
    assert done.returncode == 2
    assert (
        "schedule_p/tables/TRIANGLE.yaml:19 fields.13.codes: there is no code list codes/lines.csv"
        in done.stderr
    )
