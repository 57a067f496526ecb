"""The real Schedule P filings are judged with exactly the counts that an independent count gave."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars as pl
import pytest

from validations.engine import Judgement, arrow_schema, judge, load_standard
from validations.engine.csv_input import convert_csv

SOURCE = Path("sql/schedule_p")
NONE = dict.fromkeys(["S01", "S02", "S11", "S12", "S13", "S14", "S15", "S16"], 0)
COUNTS = {
    **NONE,
    "S03": 713,
    "S04": 130,
    "S05": 67,
    "S06": 531,
    "S07": 431,
    "S08": 324,
    "S09": 190,
    "S10": 870,
}


@pytest.fixture(scope="module")
def triangle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schedule_p") / "TRIANGLE.parquet"
    assert (
        convert_csv(load_standard("schedule_p").table("TRIANGLE"), SOURCE / "data" / "clrd.csv", path)
        == 42_845
    )
    return path


def judged(path: Path, folder: Path, report: str | None = None) -> Judgement:
    standard = load_standard("schedule_p")
    return judge(
        standard, {"TRIANGLE": path}, report=report, parameters={}, findings=folder / "findings.parquet"
    )


def test_exact_counts_on_all_filings(triangle: Path, tmp_path: Path) -> None:
    judgement = judged(triangle, tmp_path)
    assert judgement.rows == {"TRIANGLE": 42_845}
    assert judgement.counts == COUNTS
    assert judgement.by_severity == {"block": 0, "explain": 3256, "note": 0}


def test_a_second_opinion_in_polars(triangle: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(triangle).with_row_index("row")
    found = pl.read_parquet(judged(triangle, tmp_path).findings)
    before = pl.col("CumPaidLoss").shift().over("GRCODE", "LOB", "AccidentYear", order_by="DevelopmentLag")
    fails = {
        "S03": pl.col("EarnedPremNet") != pl.col("EarnedPremDIR") - pl.col("EarnedPremCeded"),
        "S07": (pl.col("EarnedPremNet") < 0) | (pl.col("EarnedPremDIR") < 0),
        "S08": pl.col("CumPaidLoss") > pl.col("IncurLoss"),
        "S10": pl.col("CumPaidLoss") < before,
    }
    for rule, failing in fails.items():
        expected = frame.filter(failing)["row"].to_list()
        assert sorted(found.filter(pl.col("rule") == rule)["row"].to_list()) == expected


def test_lines_add_up_to_the_whole(triangle: Path, tmp_path: Path) -> None:
    """Every line of business, extracted by the shipped SQL from the shipped DDL, is one report of its own."""
    standard = load_standard("schedule_p")
    columns = [f.name for f in standard.table("TRIANGLE").stored_fields]
    total = dict.fromkeys(COUNTS, 0)
    with sqlite3.connect(":memory:") as source:
        source.executescript((SOURCE / "schema" / "triangle.sql").read_text(encoding="utf-8"))
        places = ",".join("?" * len(columns))
        source.executemany(f"INSERT INTO triangle VALUES ({places})", pl.read_parquet(triangle).iter_rows())
        sql = (SOURCE / "schedule_p" / "TRIANGLE.sql").read_text(encoding="utf-8")
        for report in standard.reports:
            cursor = source.execute(sql, {"report": report.name})
            assert [c[0] for c in cursor.description] == columns
            path = tmp_path / f"{report.name}.parquet"
            schema = pl.DataFrame(arrow_schema(standard.table("TRIANGLE")).empty_table()).schema
            pl.DataFrame(cursor.fetchall(), schema=schema, orient="row").write_parquet(path)
            for rule, count in judged(path, tmp_path / report.name, report.name).counts.items():
                total[rule] += count
    source.close()
    assert total == COUNTS


def test_planted_errors_are_found(triangle: Path, tmp_path: Path) -> None:
    frame = pl.read_parquet(triangle).filter(pl.col("LOB") == "medmal")
    first = frame.head(1)
    filer, year = first["GRCODE"].item(), first["AccidentYear"].item()
    here = (pl.col("GRCODE") == filer) & (pl.col("AccidentYear") == year)
    changed = pl.concat(
        [
            frame.filter(~(here & (pl.col("DevelopmentLag") == 3))).with_columns(
                EarnedPremDIR=pl.when(here & (pl.col("DevelopmentLag") >= 5))
                .then(pl.col("EarnedPremDIR") + 1)
                .otherwise(pl.col("EarnedPremDIR"))
            ),
            first,
        ]
    )
    path = tmp_path / "TRIANGLE.parquet"
    changed.write_parquet(path)
    judgement = judged(path, tmp_path / "found", "medmal")
    assert {rule: judgement.counts[rule] for rule in ("S01", "S11", "S12")} == {"S01": 1, "S11": 1, "S12": 1}
    found = {
        f["rule"]: f for f in pl.read_parquet(judgement.findings).to_dicts() if f["rule"] in ("S11", "S12")
    }
    assert f'"AccidentYear":"{year}","DevelopmentLag":"5"' in found["S11"]["key"]
    assert f'"AccidentYear":"{year}","DevelopmentLag":"3"' in found["S12"]["key"]
    assert (found["S12"]["value"], found["S12"]["expected"], found["S12"]["row"]) == ("54", "55", None)
