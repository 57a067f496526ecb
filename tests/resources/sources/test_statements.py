"""What a source is asked: one SELECT that reads, whatever its dialect; anything else is refused before it is sent."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipelines.errors import Refused
from resources.deployment import SqliteSource
from resources.sources import check_select

SCHEMA = pa.schema(
    [
        ("BDH", pa.string()),
        ("QDRQ", pa.date32()),
        ("BF", pa.decimal128(20, 2)),
        ("SXFBL", pa.decimal128(9, 4)),
        ("FQCS", pa.int64()),
    ]
)
SQL = """
SELECT policy_no AS BDH, signed_on AS QDRQ, premium_cents AS BF__cents, rate_bp AS SXFBL__bp,
       instalments AS FQCS
FROM policy WHERE signed_on BETWEEN :date_from AND :date_to AND org_code IN :organisations
"""
PARAMETERS = {
    "date_from": "2026-01-01",
    "date_to": "2026-03-31",
    "organisations": ["330000", "440000"],
    "key": "x",
}
SOURCE = SqliteSource(name="core", kind="sqlite", database="home:core.db")


@pytest.mark.parametrize("sql", ["SELECT 1 FROM a FOR UPDATE", "SELECT * INTO b FROM a"])
def test_locking_and_creating_selects_are_refused(sql: str) -> None:
    with pytest.raises(Refused):
        check_select(sql, "x.sql", dialect="postgresql")


def test_selects_of_all_kinds_are_allowed() -> None:
    for sql in (
        "SELECT 1;",
        "-- a comment\nWITH a AS (SELECT 1 AS x) SELECT x FROM a -- end",
        "SELECT 1 UNION ALL SELECT 2; -- end",
        "SELECT a FROM t WHERE b IN :organisations AND c >= :date_from",
    ):
        check_select(sql, "x.sql", dialect="sqlite")
