"""Any other database, by SQLAlchemy: the same answers, here from PostgreSQL over another driver."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest
import sqlalchemy as sa

from pipelines.errors import BadInput, Unavailable
from resources.sources.any_database import open_database
from resources.sources.snapshot import Snapshot
from tests.resources.postgresql.server import PostgresqlServer

SCHEMA = pa.schema(
    [("BDH", pa.string()), ("QDRQ", pa.date32()), ("BF", pa.decimal128(20, 2)), ("FQCS", pa.int64())]
)
SQL = """
SELECT no AS BDH, day AS QDRQ, cents AS BF__cents, n AS FQCS
FROM (VALUES ('P1', DATE '2026-01-01', 12345, 1), ('P2', DATE '2026-02-01', -5, NULL)) AS t (no, day, cents, n)
WHERE day >= CAST(:date_from AS DATE) AND no IN :numbers ORDER BY no
"""
PARAMETERS = {"date_from": "2026-01-01", "numbers": ["P1", "P2"]}


@pytest.fixture(scope="module")
def url(postgresql: PostgresqlServer) -> sa.URL:
    return sa.make_url(postgresql.create("any_database")).set(drivername="postgresql+psycopg")


@pytest.fixture
def snapshot(url: sa.URL) -> Iterator[Snapshot]:
    with open_database("core", url) as snapshot:
        yield snapshot


def test_rows_and_totals_are_exact(snapshot: Snapshot) -> None:
    (batch,) = snapshot.stream(SQL, PARAMETERS, SCHEMA)
    assert batch.to_pylist() == [
        {"BDH": "P1", "QDRQ": date(2026, 1, 1), "BF": Decimal("123.45"), "FQCS": 1},
        {"BDH": "P2", "QDRQ": date(2026, 2, 1), "BF": Decimal("-0.05"), "FQCS": None},
    ]
    assert batch.schema == SCHEMA
    assert snapshot.totals(SQL, PARAMETERS, ["BF"]) == (2, {"BF": Decimal("123.40")})
    assert snapshot.parallel == 1


def test_a_value_that_is_not_exact_is_named(snapshot: Snapshot) -> None:
    sql = "SELECT CASE i WHEN 7 THEN 'NaN'::numeric ELSE 1 END AS v FROM generate_series(1, 9) AS i"
    with pytest.raises(BadInput) as bad:
        list(snapshot.stream(sql, {}, pa.schema([("V", pa.decimal128(9, 2))]), batch_rows=3))
    (detail,) = bad.value.details
    assert (detail.values["row"], detail.values["value"]) == (7, "nan")


def test_a_missing_table_names_the_file(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput) as bad:
        list(snapshot.stream("SELECT 1 AS v FROM nowhere", {}, SCHEMA, sql_file="T.sql"))
    assert (bad.value.code, bad.value.values["file"]) == ("source.sql", "T.sql")


def test_a_server_that_is_not_there_is_down(url: sa.URL) -> None:
    with pytest.raises(Unavailable), open_database("core", url.set(database="nosuch")):
        pass
