"""SQLite sources: one unmoving view, exact values, and every refusal named.

The driver brings a SQLite of its own, and file locks are a process's: who writes meanwhile is another process, as in life.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import adbc_driver_manager
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadInput, Refused, Unavailable
from resources.conversion import scale_integer
from resources.deployment import DatabaseSource, SqliteSource
from resources.sources import Snapshot, open_source
from resources.sources.sqlite import SqliteSnapshot

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


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "core.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(
            "CREATE TABLE policy (policy_no TEXT, org_code TEXT, signed_on TEXT, premium_cents INTEGER, "
            "rate_bp INTEGER, instalments INTEGER, note)"
        )
        db.executemany(
            "INSERT INTO policy VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                ("P1", "330000", "2026-01-01", 12345, 400, 1, "1.5"),
                ("P2", "440000", "2026-03-31", -5, 0, None, 1.5),
                ("P3", "510000", "2026-02-01", 100, 1, 1, None),
                ("P4", "440000", "2026-04-01", 100, 1, 1, None),
            ],
        )
        db.commit()
    return tmp_path


@pytest.fixture
def snapshot(home: Path) -> Iterator[Snapshot]:
    with open_source(SOURCE, home) as snapshot:
        yield snapshot


def clerk(home: Path, script: str) -> None:
    """Somebody else at the core system."""
    code = "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.executescript(sys.argv[2]); d.commit(); d.close()"
    subprocess.run([sys.executable, "-c", code, home / "core.db", script], check=True)


def rows(
    snapshot: Snapshot, sql: str, schema: pa.Schema = SCHEMA, **named: object
) -> list[dict[str, object]]:
    batches = list(snapshot.stream(sql, {**PARAMETERS, **named}, schema, sql_file="sql/core/T.sql"))
    return pa.Table.from_batches(batches, schema).to_pylist()


def test_values_arrive_exactly_in_the_schemas_types(snapshot: Snapshot) -> None:
    assert rows(snapshot, SQL) == [
        {
            "BDH": "P1",
            "QDRQ": date(2026, 1, 1),
            "BF": Decimal("123.45"),
            "SXFBL": Decimal("0.0400"),
            "FQCS": 1,
        },
        {
            "BDH": "P2",
            "QDRQ": date(2026, 3, 31),
            "BF": Decimal("-0.05"),
            "SXFBL": Decimal("0.0000"),
            "FQCS": None,
        },
    ]


def test_rows_come_in_batches_of_the_size_asked_for(snapshot: Snapshot) -> None:
    schema = pa.schema([("BDH", pa.string())])
    batches = list(snapshot.stream("SELECT policy_no AS BDH FROM policy", {}, schema, batch_rows=3))
    assert [batch.num_rows for batch in batches] == [3, 1]
    assert all(batch.schema == schema for batch in batches)


def test_an_empty_list_of_organisations_selects_nothing(snapshot: Snapshot) -> None:
    assert rows(snapshot, SQL, organisations=[]) == []


def test_a_commit_of_another_is_not_seen_within_the_snapshot(home: Path) -> None:
    with open_source(SOURCE, home) as snapshot:
        clerk(home, "UPDATE policy SET premium_cents = 999 WHERE policy_no = 'P1'; CREATE TABLE later (a)")
        assert rows(snapshot, SQL)[0]["BF"] == Decimal("123.45")
        assert snapshot.totals(SQL, PARAMETERS, ["BF"]) == (2, {"BF": Decimal("123.40")})
        before = snapshot.identity
    with open_source(SOURCE, home) as snapshot:
        assert rows(snapshot, SQL)[0]["BF"] == Decimal("9.99")
        assert snapshot.identity != before


def test_two_streams_share_one_snapshot(home: Path) -> None:
    schema = pa.schema([("BDH", pa.string())])
    sql = "SELECT policy_no AS BDH FROM policy ORDER BY 1"
    with open_source(SOURCE, home) as snapshot:
        first = snapshot.stream(sql, {}, schema, batch_rows=1)
        assert next(first).to_pylist() == [{"BDH": "P1"}]
        clerk(home, "DELETE FROM policy")
        second = list(snapshot.stream(sql, {}, schema))
        assert [batch.num_rows for batch in second] == [4]
        assert [batch.to_pylist()[0]["BDH"] for batch in first] == ["P2", "P3", "P4"]


def test_the_source_cannot_be_written(home: Path, snapshot: Snapshot) -> None:
    for sql in (
        "DELETE FROM policy",
        "SELECT 1; DELETE FROM policy",
        "WITH d AS (SELECT 1) INSERT INTO policy (policy_no) SELECT * FROM d",
        "PRAGMA user_version = 5",
        "ATTACH DATABASE 'x' AS y",
        "",
    ):
        with pytest.raises(Refused) as refused:
            rows(snapshot, sql)
        assert refused.value.code == "source.not_a_select"
    # and even past our own check the connection is read-only
    assert isinstance(snapshot, SqliteSnapshot)
    with pytest.raises(adbc_driver_manager.Error, match="readonly database"):
        snapshot._session.run("DELETE FROM policy")


def test_unparsable_sql_names_file_and_line(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput) as bad:
        rows(snapshot, "SELECT a\nFROM (SELECT")
    assert (bad.value.code, bad.value.values["file"]) == ("source.unparsable", "sql/core/T.sql")


def test_columns_missing_extra_and_double_are_all_named(snapshot: Snapshot) -> None:
    sql = (
        "SELECT policy_no AS BDH, premium_cents AS BF__cents, premium_cents AS bf, rate_bp AS XX FROM policy"
    )
    with pytest.raises(BadInput) as bad:
        rows(snapshot, sql)
    assert bad.value.code == "source.columns"
    values = {name: bad.value.values[name] for name in ("missing", "extra", "double")}
    assert values == {"missing": "QDRQ, SXFBL, FQCS", "extra": "XX", "double": "bf"}


@pytest.mark.parametrize(
    ("expression", "kind", "shown"),
    [
        ("1.5", pa.decimal128(20, 2), "float"),
        ("1.0", pa.decimal128(20, 2), "float"),
        ("1.0", pa.int64(), "float"),
        ("'12.345'", pa.decimal128(20, 2), "str"),
        ("'1e5'", pa.decimal128(20, 2), "str"),
        ("123456", pa.decimal128(5, 2), "str"),
        ("'110105194912310'", pa.int64(), "str"),
        ("42", pa.string(), "int"),
        ("x'00ff'", pa.string(), "bytes"),
        ("'2026-02-30'", pa.date32(), "str"),
        ("'20260230'", pa.date32(), "str"),
        ("'2026-01-01 00:00:00'", pa.date32(), "str"),
        ("''", pa.date32(), "str"),
        ("20260101", pa.date32(), "int"),
    ],
)
def test_a_value_that_is_not_exact_names_file_column_and_row(
    snapshot: Snapshot, expression: str, kind: pa.DataType, shown: str
) -> None:
    sql = f"SELECT NULL AS V UNION ALL SELECT {expression}"
    with pytest.raises(BadInput) as bad:
        rows(snapshot, sql, pa.schema([("V", kind)]))
    assert bad.value.code == "source.value"
    (detail,) = bad.value.details
    assert detail.values["file"] == "sql/core/T.sql"
    assert (detail.values["column"], detail.values["row"]) == ("V", 2)
    assert re.fullmatch(rf"{shown}\[[0-9]+\]", str(detail.values["value"])), (
        "type and length, never the value"
    )


def test_row_numbers_run_on_over_batches(snapshot: Snapshot) -> None:
    sql = "SELECT 'a' AS V UNION ALL SELECT 'b' UNION ALL SELECT 3"
    with pytest.raises(BadInput) as bad:
        list(snapshot.stream(sql, {}, pa.schema([("V", pa.string())]), batch_rows=2))
    assert bad.value.details[0].values["row"] == 3


def test_exact_texts_and_integers_become_decimals(snapshot: Snapshot) -> None:
    sql = "SELECT '-12.30' AS V UNION ALL SELECT 7 UNION ALL SELECT NULL"
    found = rows(snapshot, sql, pa.schema([("V", pa.decimal128(6, 2))]))
    assert [row["V"] for row in found] == [Decimal("-12.30"), Decimal("7.00"), None]


def test_a_scaled_alias_on_a_text_field_is_refused(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput) as bad:
        rows(snapshot, "SELECT 1 AS V__cents", pa.schema([("V", pa.string())]))
    assert bad.value.details[0].code == "source.type"


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_cents_keep_every_digit(cents: int) -> None:
    assert scale_integer(cents, 2) * 100 == Decimal(cents)
    assert int(str(scale_integer(cents, 2)).replace(".", "")) == cents


def test_text_that_is_not_utf8_is_named_without_being_shown(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput) as bad:
        rows(snapshot, "SELECT CAST(x'D5C5C8FD' AS TEXT) AS V", pa.schema([("V", pa.string())]))
    (detail,) = bad.value.details
    assert (detail.code, detail.values["column"], detail.values["row"]) == ("source.not_utf8", "V", 1)


LATE = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "


@pytest.mark.parametrize(
    ("late", "kind", "first", "shown"),
    [
        ("5", pa.string(), "'a'", "int[1]"),
        ("1.5", pa.string(), "'a'", "float[3]"),
        ("x'61'", pa.string(), "'a'", "bytes[1]"),
        ("'7'", pa.int64(), "6", "str[1]"),
        ("7.0", pa.int64(), "6", "float[3]"),
        ("x'07'", pa.int64(), "6", "bytes[1]"),
        ("20260101", pa.date32(), "'2026-01-01'", "int[8]"),
        ("0.5", pa.decimal128(9, 2), "'1'", "float[3]"),
    ],
)
@pytest.mark.parametrize("batch_rows", [100, 5000])
def test_a_type_that_changes_far_below_is_found_whatever_the_driver_inferred(
    snapshot: Snapshot, late: str, kind: pa.DataType, first: str, shown: str, batch_rows: int
) -> None:
    sql = LATE + f"SELECT CASE WHEN i = 900 THEN {late} WHEN i > 800 THEN {first} END AS V FROM n"
    with pytest.raises(BadInput) as bad:
        list(snapshot.stream(sql, {}, pa.schema([("V", kind)]), batch_rows=batch_rows))
    (detail,) = bad.value.details
    assert (detail.values["column"], detail.values["row"], detail.values["value"]) == ("V", 900, shown)


@pytest.mark.parametrize(
    ("kind", "first", "value"),
    [
        (pa.string(), "'a'", "a"),
        (pa.int64(), "6", 6),
        (pa.date32(), "'2026-01-01'", date(2026, 1, 1)),
        (pa.decimal128(9, 2), "'1.5'", Decimal("1.50")),
    ],
)
def test_a_column_that_begins_with_nothing_keeps_its_type(
    snapshot: Snapshot, kind: pa.DataType, first: str, value: object
) -> None:
    sql = LATE + f"SELECT CASE WHEN i > 800 THEN {first} END AS V FROM n"
    found = list(snapshot.stream(sql, {}, pa.schema([("V", kind)]), batch_rows=100))
    assert [batch.num_rows for batch in found] == [100] * 10 or sum(b.num_rows for b in found) == 1000
    values = [value for batch in found for value in batch.column(0).to_pylist()]
    assert values == [None] * 800 + [value] * 200


def test_a_huge_cell_arrives_whole(snapshot: Snapshot) -> None:
    sql = "SELECT printf('%.*c', 10000000, 'x') AS V UNION ALL SELECT 'y'"
    found = rows(snapshot, sql, pa.schema([("V", pa.string())]))
    assert [len(str(row["V"])) for row in found] == [10_000_000, 1]


def test_totals_are_the_sources_own(snapshot: Snapshot) -> None:
    assert snapshot.totals(SQL + " ; -- end", PARAMETERS, ["BF", "SXFBL", "FQCS"]) == (
        2,
        {"BF": Decimal("123.40"), "SXFBL": Decimal("0.0400"), "FQCS": Decimal(1)},
    )
    assert snapshot.totals(SQL, {**PARAMETERS, "organisations": []}, ["BF"]) == (0, {"BF": Decimal("0.00")})
    assert snapshot.totals(SQL, PARAMETERS, []) == (2, {})


def test_totals_refuse_floats_and_unknown_columns(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput) as bad:
        snapshot.totals("SELECT note AS BF FROM policy", {}, ["BF"])
    assert bad.value.code == "source.inexact_sum"
    with pytest.raises(BadInput) as bad:
        snapshot.totals("SELECT note AS BF FROM policy", {}, ["BE"])
    assert (bad.value.code, bad.value.values["missing"]) == ("source.columns", "BE")


@pytest.mark.parametrize("sql", ["SELECT a FROM nowhere", "SELECT premium_x AS BDH FROM policy"])
def test_a_table_or_column_missing_in_the_source_names_the_sql_file(snapshot: Snapshot, sql: str) -> None:
    with pytest.raises(BadInput) as bad:
        rows(snapshot, sql)
    assert (bad.value.code, bad.value.values["file"]) == ("source.sql", "sql/core/T.sql")
    assert "no such" in str(bad.value)


def test_a_parameter_not_given_is_named(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput) as bad:
        list(snapshot.stream("SELECT :year_from AS BDH", {"date_to": "x"}, SCHEMA))
    assert (bad.value.values["missing"], bad.value.values["known"]) == ("year_from", "date_to")


def test_an_absent_file_is_a_source_that_is_down(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"core\.db"), open_source(SOURCE, tmp_path):
        pass
    assert not (tmp_path / "core.db").exists()


@pytest.mark.parametrize("content", [b"this is no database, but long enough to have a header" * 40, b"PK"])
def test_a_file_that_is_no_database_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "core.db").write_bytes(content)
    with pytest.raises(BadInput) as bad, open_source(SOURCE, tmp_path):
        pass
    assert bad.value.code == "source.not_a_database"


def test_a_locked_source_is_unavailable(home: Path) -> None:
    code = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], isolation_level=None); d.execute('PRAGMA journal_mode = DELETE');"
        "d.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, home / "core.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout and other.stdin
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(Unavailable) as locked, open_source(SOURCE, home, busy_timeout_seconds=0.05):
            pass
        other.stdin.close()
    assert locked.value.code == "source.locked"


def test_the_source_is_free_after_a_failure(home: Path) -> None:
    with pytest.raises(BadInput), open_source(SOURCE, home) as snapshot:
        rows(snapshot, "SELECT a FROM nowhere")
    with closing(sqlite3.connect(home / "core.db", timeout=0)) as writer:
        assert writer.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("not a url", "source.url"),
        ("sqlite:////tmp/x.db", "source.sqlite_by_url"),
        ("nosuchdb://u:geheim@h/d", "source.url"),
        ("oracle://u:geheim@h/d", "source.driver_missing"),
    ],
)
def test_a_database_url_that_cannot_be_used_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, code: str
) -> None:
    monkeypatch.setenv("CORE_URL", url)
    source = DatabaseSource(name="core", kind="database", url="env:CORE_URL")
    with pytest.raises(BadInput) as bad, open_source(source, tmp_path):
        pass
    assert bad.value.code == code
    assert "geheim" not in str(bad.value)
