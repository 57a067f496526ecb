"""Loading the Schedule P filings into a source database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from resources.reference_core import load_schedule_p


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "filing.sql").write_text(
        "CREATE TABLE filing (grcode TEXT NOT NULL, lob TEXT NOT NULL, cum_paid_loss BIGINT NOT NULL);",
        encoding="utf-8",
    )
    (tmp_path / "data" / "clrd.csv").write_text(
        "GRCODE,CumPaidLoss,LOB\n086,-12,medmal\n33,4,wkcomp\n", encoding="utf-8"
    )
    return tmp_path


def test_rows_are_loaded_by_column_name_with_whole_amounts(folder: Path, tmp_path: Path) -> None:
    assert load_schedule_p(tmp_path / "p.db", folder=folder) == 2
    connection = sqlite3.connect(tmp_path / "p.db")
    assert connection.execute("SELECT * FROM filing").fetchall() == [
        ("086", "medmal", -12),
        ("33", "wkcomp", 4),
    ]
    connection.close()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("GRCODE,CumPaidLoss,LOB\n1,2,x\n1,2.5,x\n", 3),
        ("GRCODE,CumPaidLoss,LOB\n1,2\n", 2),
        ("GRCODE,LOB\n", 1),
        ("", 1),
    ],
)
def test_a_line_that_does_not_fit_is_named_and_the_old_database_stays(
    folder: Path, tmp_path: Path, text: str, line: int
) -> None:
    load_schedule_p(tmp_path / "p.db", folder=folder)
    (folder / "data" / "clrd.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_schedule_p(tmp_path / "p.db", folder=folder)
    assert caught.value.values["line"] == line
    connection = sqlite3.connect(tmp_path / "p.db")
    assert connection.execute("SELECT COUNT(*) FROM filing").fetchone() == (2,)
    connection.close()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"clrd\.csv"):
        load_schedule_p(tmp_path / "p.db", folder=tmp_path)
