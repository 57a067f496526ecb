"""Small worlds of tables for judging a standard: rows as dicts, typed by the dictionary, judged whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from validations.engine import Standard, arrow_schema, derive, judge

Row = dict[str, object]
World = dict[str, list[Row]]
Finding = tuple[str, str, str, str | None, str | None]
Written = Callable[[Standard, World], dict[str, Path]]
Judged = Callable[[Standard, World, Mapping[str, str]], set[Finding]]


def write_tables(standard: Standard, world: Mapping[str, Sequence[Row]], folder: Path) -> dict[str, Path]:
    """One Parquet file per table; fields that a row does not name are NULL, unknown fields are a mistake in the test."""
    paths: dict[str, Path] = {}
    for name, rows in world.items():
        schema = arrow_schema(standard.table(name))
        assert all(set(row) <= set(schema.names) for row in rows), name
        paths[name] = folder / f"{name}.parquet"
        columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
        pq.write_table(pa.Table.from_arrays(columns, schema=schema), paths[name])
    return paths


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write the tables of a world, for tests that derive or judge by themselves."""
    return lambda standard, world: write_tables(standard, world, tmp_path)


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Judge a world with its derived tables: {(rule, table, key, field, organisation)}."""

    def judge_world(standard: Standard, world: World, parameters: Mapping[str, str]) -> set[Finding]:
        folder = tmp_path_factory.mktemp("world")
        tables = write_tables(standard, world, folder)
        tables |= derive(standard, tables, parameters=parameters, out=folder / "derived")
        findings = folder / "findings.parquet"
        report = parameters["report"]
        judgement = judge(standard, tables, report=report, parameters=parameters, findings=findings)
        columns = ("rule", "table", "key", "field", "organisation")
        found: list[Finding] = list(pl.read_parquet(findings).select(columns).iter_rows())
        assert len(found) == len(set(found)) == judgement.total
        return set(found)

    return judge_world
