"""Every SQL text of the repository parses: sources and extractions as SQLite, rules and derivations as DuckDB."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

ROOT = Path(__file__).parents[1]
FOLDERS = {"sql": "sqlite", "validations/standards": "duckdb"}
FILES = [
    (path, dialect) for folder, dialect in FOLDERS.items() for path in sorted((ROOT / folder).rglob("*.sql"))
]


def test_there_is_sql_in_both_places() -> None:
    assert {dialect for _, dialect in FILES} == {"sqlite", "duckdb"}


@pytest.mark.parametrize(("path", "dialect"), FILES, ids=[str(p.relative_to(ROOT)) for p, _ in FILES])
def test_sql_parses(path: Path, dialect: str) -> None:
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    statements = sqlglot.parse(path.read_text(encoding="utf-8"), dialect=dialect)
    kept = [statement for statement in statements if statement is not None]
    assert kept
    assert not any(isinstance(statement, exp.Command) for statement in kept), (
        "parsed as a whole, not understood"
    )
    if path.parent.name != "schema":
        assert len(kept) == 1 and isinstance(kept[0], (exp.Select, exp.SetOperation)), "one read-only query"
