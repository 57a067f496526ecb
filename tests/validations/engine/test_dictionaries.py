"""The dictionaries of the shipped standards: judging finds exactly what their pandera schemas find by themselves."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from pandera.errors import SchemaErrors

from validations.engine import arrow_schema, contract, list_standards, load_standard, schema
from validations.engine.standard import Table

TABLES = [(name, table) for name in list_standards() for table in load_standard(name).tables]
STRANGE = ("", "　", "x|y", "1\n", "１", "11010519491231002x", "保" * 400, "CNY;", "110105")


DATES = (date(1800, 1, 1), date(9999, 12, 31))


def rows_with_one_strange_value_each(table: Table) -> pl.DataFrame:
    """A row per field and strange value, all else empty; and one without any value."""
    strange: dict[str, tuple[object, ...]] = {
        "text": STRANGE,
        "integer": (0, -1),
        "decimal": (Decimal(0), Decimal(-1)),
        "date": DATES,
    }
    fields = table.stored_fields
    rows = [{}, *({field.name: value} for field in fields for value in strange[field.type])]
    return pl.DataFrame(pa.Table.from_pylist(rows, schema=arrow_schema(table)))


@pytest.mark.parametrize(("standard", "table"), TABLES)
def test_judging_finds_what_pandera_finds(standard: str, table: str, tmp_path: Path) -> None:
    loaded = load_standard(standard)
    frame = rows_with_one_strange_value_each(loaded.table(table))
    path = tmp_path / f"{table}.parquet"
    frame.write_parquet(path)
    judged = contract.contract(loaded, table)
    found = {
        (failing.field, failing.constraint, row)
        for failing in chain.from_iterable(contract.failures(judged, path, loaded.table(table).stored_key))
        for row in failing.rows["row"]
    }
    with pytest.raises(SchemaErrors) as caught:
        schema(loaded, table).validate(frame, lazy=True)
    cases = caught.value.failure_cases
    assert found == set(cases.select("column", "check", "index").iter_rows())
