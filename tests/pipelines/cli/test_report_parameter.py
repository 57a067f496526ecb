"""`--report` is also the parameter that derived tables read: circ_statistics fills in the items which that report demands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.cli import rule as rule_command
from pipelines.cli import validate as validate_command
from tests.pipelines.cli.conftest import called
from validations.engine import arrow_schema, load_standard

ROWS: dict[str, list[dict[str, Any]]] = {"JGB": [{"JGDM": "000000"}], "XMZ": [], "ZZYE": []}


@pytest.fixture
def given(tmp_path: Path) -> list[object]:
    """One organisation without a figure, for April 2026."""
    standard = load_standard("circ_statistics")
    paths: list[Path] = []
    for name, rows in ROWS.items():
        schema = arrow_schema(standard.table(name))
        full = [{**dict.fromkeys(schema.names), **row} for row in rows]
        paths.append(tmp_path / f"{name}.parquet")
        pq.write_table(pa.Table.from_pylist(full, schema=schema), paths[-1])
    return ["--standard", "circ_statistics", "--period", "2026-04", "--tables", *paths]


def test_a_check_of_files_derives_for_the_report_it_was_told(given: list[object], tmp_path: Path) -> None:
    rows: dict[str, int] = {}
    for report in ("flash", "monthly"):
        asked = ["--report", report, "--out", tmp_path / report, "--partial"]
        code, said, error = called(validate_command.validate, [*given, *asked])
        assert (code, said["parameters"]["report"]) == (1, report), error
        rows[report] = said["rows"]["BSXM"]
    assert 0 < rows["flash"] < rows["monthly"]


def test_a_single_rule_derives_for_the_report_it_was_told(given: list[object]) -> None:
    arguments = ["F01", *given, "--report", "monthly"]
    code, said, error = called(rule_command.run, arguments)
    assert (code, said["count"], error) == (0, 0, "")
    assert said["rows"]["BSXM"] > 0


def test_a_parameter_that_names_another_report_is_refused(given: list[object], tmp_path: Path) -> None:
    asked = ["--report", "flash", "--param", "report=monthly", "--out", tmp_path / "out"]
    code, _, error = called(validate_command.validate, [*given, *asked])
    assert code == 2 and "--report flash and --param report=monthly differ" in error
