"""The content digest: any cell counts, nothing of the writer does, and plain Python says the same."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import write_rows
from validations.engine import Standard, Table, table_digest
from validations.engine.digest import header

amounts = st.one_of(st.none(), st.decimals("-1e12", "1e12", places=2))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "NO": st.one_of(st.none(), st.text(max_size=5)),
            "PREMIUM": amounts,
            "BEGINS": st.one_of(st.none(), st.dates()),
        }
    ),
    max_size=8,
)


def oracle(table: Table, data: list[dict[str, Any]]) -> str:
    def cell(value: object) -> str:
        if value is None:
            return "-"
        text = (
            value.isoformat()
            if isinstance(value, date)
            else f"{value:.2f}"
            if isinstance(value, Decimal)
            else str(value)
        )
        if isinstance(value, Decimal) and value == 0:
            text = "0.00"
        return f"{len(text.encode())}:{text}"

    digests = [
        hashlib.sha256("".join(cell(row.get(f.name)) for f in table.stored_fields).encode()).hexdigest()
        for row in data
    ]
    return hashlib.sha256(header(table) + "".join(sorted(digests)).encode()).hexdigest()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(rows, st.randoms())
def test_plain_python_says_the_same_in_any_order(
    sample: Standard, tmp_path: Path, data: list[dict[str, Any]], random: Any
) -> None:
    table = sample.table("POLICY")
    expected = oracle(table, data)
    assert table_digest(table, write_rows(sample, "POLICY", data, tmp_path)) == expected
    random.shuffle(data)
    assert table_digest(table, write_rows(sample, "POLICY", data, tmp_path)) == expected


ROWS = [{"NO": f"P{i}", "PREMIUM": Decimal(i), "BEGINS": date(2026, 1, 1 + i)} for i in range(9)]


@pytest.mark.parametrize(
    "options", [{"compression": "none"}, {"compression": "zstd"}, {"row_group_size": 2}, {"version": "1.0"}]
)
def test_the_writer_does_not_count(sample: Standard, tmp_path: Path, options: dict[str, Any]) -> None:
    table = sample.table("POLICY")
    assert table_digest(table, write_rows(sample, "POLICY", ROWS, tmp_path, **options)) == oracle(table, ROWS)
    polars_file = tmp_path / "by_polars.parquet"
    pl.read_parquet(tmp_path / "POLICY.parquet").reverse().write_parquet(polars_file)
    assert table_digest(table, polars_file) == oracle(table, ROWS)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("NO", "P3 "),
        ("NO", None),
        ("PREMIUM", Decimal("3.01")),
        ("PREMIUM", None),
        ("BEGINS", date(2026, 2, 1)),
        ("KIND", ""),
    ],
)
def test_any_cell_counts(sample: Standard, tmp_path: Path, field: str, value: object) -> None:
    table = sample.table("POLICY")
    before = table_digest(table, write_rows(sample, "POLICY", ROWS, tmp_path))
    changed = [{**row, field: value} if row["NO"] == "P3" else row for row in ROWS]
    assert table_digest(table, write_rows(sample, "POLICY", changed, tmp_path)) != before
    assert table_digest(table, write_rows(sample, "POLICY", [*ROWS, ROWS[0]], tmp_path)) != before


def test_neighbouring_texts_do_not_run_together(sample: Standard, tmp_path: Path) -> None:
    table = sample.table("POLICY")
    pairs = [("a", "bc"), ("ab", "c"), ("1:a", "bc"), (None, "-"), ("-", None), ("", "-")]
    digests = {
        table_digest(table, write_rows(sample, "POLICY", [{"ORG": a, "NO": b}], tmp_path)) for a, b in pairs
    }
    assert len(digests) == len(pairs)


def test_other_columns_have_no_digest(sample: Standard, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"NO": ["1"]}).write_parquet(path)
    with pytest.raises(BadInput, match="PREMIUM"):
        table_digest(sample.table("POLICY"), path)
