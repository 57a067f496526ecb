"""What `baosong validate` takes: workbooks, periods, references, waivers, nil returns, single rules, counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from pipelines.cli import judging_bar as bar
from pipelines.cli import validate as command
from tests.pipelines.cli.conftest import Run, called

FILES = ["findings.csv", "findings.parquet", "findings.xlsx"]


def test_files_are_judged_and_counted_by_rule_severity_and_table(
    validate: Run, tables: dict[str, Path], tmp_path: Path
) -> None:
    code, said, error = validate(
        "--tables", tables["POLICY"], "--tables", tables["COVER"], "--report", "detail"
    )
    assert (code, error) == (1, "")
    assert {rule: n for rule, n in said["counts"].items() if n} == {"D01": 1, "D02": 1}
    assert said["by_severity"] == {"block": 1, "explain": 1, "note": 0}
    assert (said["by_table"], said["rows"]) == ({"POLICY": 2, "COVER": 0}, {"POLICY": 2, "COVER": 2})
    assert said["parameters"]["key"] == "2026-Q1" and said["not_judged"] == {}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


def test_a_workbook_may_hold_all_tables(validate: Run, tmp_path: Path) -> None:
    path = tmp_path / "all.xlsx"
    workbook = xlsxwriter.Workbook(path)
    header = ["ORG", "NO", "KIND", "IDNO", "PHONE", "PREMIUM", "BEGINS", "ENDS"]
    for name, rows in {
        "保单": [header, ["110102", "P1", "单位", "", "", 60, "2026-01-10", "2026-12-31"]],
        "COVER": [["NO", "SEQ", "AMOUNT"], ["P1", 1, 59.99]],
    }.items():
        sheet = workbook.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    workbook.close()
    code, said, _ = validate("--tables", path, "--report", "detail")
    assert (code, said["rows"]) == (1, {"POLICY": 1, "COVER": 1})
    assert {rule: n for rule, n in said["counts"].items() if n} == {"E04": 1}


def test_single_rules_can_be_judged_and_formats_chosen(
    validate: Run, tables: dict[str, Path], tmp_path: Path
) -> None:
    given = ["--tables", tables["POLICY"], tables["COVER"], "--report", "detail"]
    code, said, _ = validate(*given, "--rule", "D01", "--format", "csv")
    assert (code, said["counts"]) == (1, {"D01": 1})
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES[:2]
    code, _, error = validate(*given, "--rule", "Z99")
    assert code == 2 and "has no rule(s) Z99" in error


def test_waived_findings_are_listed_but_not_counted(
    validate: Run, tables: dict[str, Path], tmp_path: Path
) -> None:
    waivers = tmp_path / "waivers.csv"
    waivers.write_text(
        "rule,table,key,sign_off,reason,expires\n"
        "D01,POLICY,,QB-1,agreed,2026-03-31\n"
        "D02,,,QB-2,too old,2025-12-31\n",
        encoding="utf-8",
    )
    given = ["--tables", tables["POLICY"], tables["COVER"], "--report", "detail", "--waivers", waivers]
    code, said, _ = validate(*given)
    assert (code, said["total"], said["waived"], said["counts"]["D01"]) == (1, 1, {"D01": 1}, 0)
    assert said["by_table"]["POLICY"] == 1
    found = pl.read_parquet(said["findings"])
    assert dict(zip(found["rule"], found["waiver"], strict=True)) == {"D01": "QB-1", "D02": None}


def test_an_empty_table_must_be_declared(validate: Run, tables: dict[str, Path]) -> None:
    tables["COVER"].write_text("NO,SEQ,AMOUNT\n")
    given = ["--tables", tables["POLICY"], tables["COVER"], "--report", "detail"]
    code, _, error = validate(*given)
    assert code == 2 and "tables without rows: COVER" in error and "--nil COVER" in error
    assert validate(*given, "--nil", "COVER")[1]["rows"]["COVER"] == 0
    assert validate("--tables", tables["POLICY"], "--report", "detail", "--nil", "COVER")[0] == 1
    code, _, error = validate(*given, "--nil", "POLICY", "--nil", "NOPE")
    assert code == 2 and "POLICY is declared nil but its file has 2 row(s)" in error and "NOPE" in error


def test_rows_that_the_sender_counted_are_compared(validate: Run, tables: dict[str, Path]) -> None:
    given = ["--tables", tables["POLICY"], tables["COVER"], "--report", "detail"]
    code, _, error = validate(*given, "--expect-rows", "POLICY=3", "--expect-rows", "COVER=9")
    assert code == 2 and "should have 3 row(s), 2 were read" in error and "should have 9" in error
    code, _, error = validate(*given, "--expect-rows", "ITEM=3")
    assert code == 2 and "names tables without a file: ITEM" in error
    code, _, error = validate(*given, "--expect-rows", "POLICY=many")
    assert code == 2 and "to be written TABLE=N" in error


@pytest.fixture
def compared(write_standard: Callable[..., Path], tables: dict[str, Path], tmp_path: Path) -> list[object]:
    """A clean policy, judged by a standard whose rule R02 reads the previous period and R03 another standard."""
    from tests.validations.engine.sample_standard import FILES, RULES, rule

    for name, content in FILES.items():
        path = tmp_path / "other" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("name: sample", "name: other"), encoding="utf-8")

    queries = {
        name: f"SELECT NO, p.PREMIUM AS expected FROM POLICY AS t JOIN {space}.POLICY AS p USING (NO) WHERE t.PREMIUM < p.PREMIUM\n"
        for name, space in (("R02", "previous"), ("R03", "other"))
    }
    rules = [rule(name, f"query: {name}.sql", table="POLICY", field="PREMIUM") for name in queries]
    folder = write_standard(
        {
            "rules/rules.yaml": RULES + "".join(rules),
            **{f"rules/{name}.sql": query for name, query in queries.items()},
        }
    )
    header, first, *_ = tables["POLICY"].read_text(encoding="utf-8").splitlines()
    tables["POLICY"].write_text(f"{header}\n{first}\n", encoding="utf-8")
    tables["COVER"].write_text("NO,SEQ,AMOUNT\nP1,1,60.00\n", encoding="utf-8")
    given = ["--standard", folder, "--period", "2026Q1", "--out", tmp_path / "out", "--report", "detail"]
    return [*given, "--tables", tables["POLICY"], tables["COVER"]]


def test_nothing_found_is_no_all_clear_while_rules_were_not_judged(compared: list[object]) -> None:
    code, said, error = called(command.validate, compared)
    assert (code, said["total"], set(said["not_judged"])) == (2, 0, {"R02", "R03"})
    assert "2 rule(s) were not judged" in error
    assert "R02 not judged: there is nothing to compare with: previous.POLICY" in error
    assert "--reference previous=FOLDER, or --without previous" in error
    assert "--without other" in error


def test_what_there_is_nothing_to_compare_with_can_be_declared(compared: list[object]) -> None:
    code, said, error = called(command.validate, [*compared, "--without", "previous"])
    assert (code, set(said["not_judged"])) == (2, {"R02", "R03"})
    assert "1 rule(s) were not judged" in error and "R02" not in error
    both = ["--without", "previous", "--without", "other"]
    code, said, error = called(command.validate, [*compared, *both])
    assert (code, set(said["not_judged"]), error) == (0, {"R02", "R03"}, "")
    assert called(command.validate, [*compared, "--rule", "D01"])[0] == 0


def test_what_is_declared_absent_exists_and_is_not_given(compared: list[object], tmp_path: Path) -> None:
    code, _, error = called(command.validate, [*compared, "--without", "previos"])
    assert code == 2 and "compares with previos; --without takes: other, previous" in error
    given = ["--without", "previous", "--reference", f"previous={tmp_path}"]
    code, _, error = called(command.validate, [*compared, *given])
    assert code == 2 and "declared absent by --without" in error


def test_a_previous_filing_is_what_rules_compare_with(
    write_standard: Callable[..., Path], tables: dict[str, Path], tmp_path: Path
) -> None:
    from tests.validations.engine.sample_standard import RULES, rule

    compared = rule("R02", "query: R02.sql", table="POLICY", field="PREMIUM")
    query = "SELECT NO, p.PREMIUM AS expected FROM POLICY AS t JOIN previous.POLICY AS p USING (NO) WHERE t.PREMIUM < p.PREMIUM\n"
    folder = write_standard({"rules/rules.yaml": RULES + compared, "rules/R02.sql": query})
    before = tmp_path / "before"
    before.mkdir()
    text = tables["POLICY"].read_text(encoding="utf-8")
    (before / "POLICY.csv").write_text(text.replace("60.00", "70.00"), encoding="utf-8")
    given = ["--standard", folder, "--period", "2026Q1", "--out", tmp_path / "out", "--report", "detail"]
    given += ["--tables", tables["POLICY"], tables["COVER"]]
    code, said, error = called(command.validate, given)
    assert code == 1, error
    assert "R02" not in said["counts"] and "nothing to compare with" in said["not_judged"]["R02"]
    assert called(command.validate, [*given, "--reference", f"previous={before}"])[1]["counts"]["R02"] == 1
    code, _, error = called(command.validate, [*given, "--reference", f"previous={tmp_path / 'gone'}"])
    assert code == 2 and "there is no folder" in error
    (before / "POLICY.csv").rename(before / "NOPE.csv")
    code, _, error = called(command.validate, [*given, "--reference", f"previous={before}"])
    assert code == 2 and "unknown table NOPE" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--encoding", "gb18030"], "leave out --encoding"),
        (["--param", "nonsense=1"], "has no parameter nonsense"),
        (["--param", "date_to=2026-01-01", "--param", "date_to=2026-01-02"], "the same name is given twice"),
        (["--param", "date_to=1999-01-01"], "--period 2026Q1 and date_to=1999-01-01 say different things"),
    ],
)
def test_options_that_do_not_fit_are_named(
    validate: Run, tables: dict[str, Path], arguments: list[str], said: str
) -> None:
    code, _, error = validate("--tables", tables["POLICY"], tables["COVER"], "--report", "detail", *arguments)
    assert code == 2 and said in error


def test_folders_and_other_files_are_named(validate: Run, tables: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "d" / "COVER.csv").mkdir(parents=True)
    code, _, error = validate("--tables", tmp_path / "d" / "COVER.csv", f"POLICY={tmp_path / 'sample'}")
    assert code == 2 and error.count("is a folder") == 2
    odd = tmp_path / "POLICY.txt"
    odd.write_text("x")
    code, _, error = validate("--tables", odd)
    assert code == 2 and "expected to be .csv, .parquet or .xlsx" in error


def test_a_period_before_the_standard_took_effect_is_not_judged(
    validate: Run, tables: dict[str, Path]
) -> None:
    given = ["--tables", tables["POLICY"], tables["COVER"], "--report", "detail"]
    code, _, error = validate(*given, period="2025Q4")
    assert code == 2
    assert (
        "standard sample 1.0 is in force from 2026-01-01, and the period ends before, on 2025-12-31" in error
    )
    assert validate(*given, period="2025-12-01..2026-01-01")[0] == 1


def test_progress_is_shown_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with bar.judging_bar() as progress:
        assert progress is None
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with bar.judging_bar() as progress:
        assert progress is not None
        progress("POLICY", 1, 2)
    assert capsys.readouterr().out == ""
