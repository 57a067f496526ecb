"""PostgreSQL sources, against a real server: exact values, bound parameters, one view over many connections, named faults."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import adbc_driver_manager
import hypothesis
import pyarrow as pa
import pytest
from hypothesis import strategies as st

from pipelines.errors import BadInput, BaosongError, Refused
from resources.deployment import DatabaseSource
from resources.sources import Snapshot, open_source
from resources.sources.postgresql import PostgresqlSnapshot
from tests.resources.postgresql.server import PostgresqlServer

SOURCE = DatabaseSource(name="core", kind="database", url="env:CORE_URL")
NUMBERS = count(1)
TEXT, WHOLE, DAY, AMOUNT = pa.string(), pa.int64(), pa.date32(), pa.decimal128(20, 2)


def named(database: str) -> str:
    return f"{database}_{next(NUMBERS)}"


@pytest.fixture(scope="module")
def database(postgresql: PostgresqlServer) -> str:
    name = named("sources")
    postgresql.create(name)
    with postgresql.connect(name) as connection:
        connection.execute("CREATE TABLE policy (no text, org char(6), signed_on date, premium_cents bigint)")
        connection.execute(
            "INSERT INTO policy VALUES ('P1', '330000', '2026-01-01', 12345), ('P2', '440000', '2026-03-31', -5), "
            "('P3', '510000', '2026-02-01', 100), ('P4', NULL, '2026-02-02', NULL)"
        )
    return name


@pytest.fixture
def source(postgresql: PostgresqlServer, database: str, monkeypatch: pytest.MonkeyPatch) -> DatabaseSource:
    monkeypatch.setenv("CORE_URL", postgresql.url(database))
    return SOURCE


@pytest.fixture
def snapshot(source: DatabaseSource, tmp_path: Path) -> Iterator[Snapshot]:
    with open_source(source, tmp_path) as snapshot:
        yield snapshot


def values(snapshot: Snapshot, sql: str, kind: pa.DataType, **parameters: object) -> list[Any]:
    batches = snapshot.stream(sql, parameters, pa.schema([("V", kind)]), sql_file="sql/core/T.sql")
    return [value for batch in batches for value in batch.column(0).to_pylist()]


def refusal(snapshot: Snapshot, sql: str, kind: pa.DataType) -> BaosongError:
    with pytest.raises(BadInput) as bad:
        values(snapshot, sql, kind)
    assert bad.value.code == "source.value"
    (detail,) = bad.value.details
    assert (detail.values["file"], str(detail.values["column"])[0]) == ("sql/core/T.sql", "v")
    return detail


@pytest.mark.parametrize(
    ("expression", "kind", "expected"),
    [
        ("12.30::numeric", AMOUNT, Decimal("12.30")),
        ("123456789012345678.99::numeric(20, 2)", AMOUNT, Decimal("123456789012345678.99")),
        ("-7", AMOUNT, Decimal("-7.00")),
        ("'-12.3'::text", AMOUNT, Decimal("-12.30")),
        ("7::smallint", WHOLE, 7),
        ("9223372036854775807", WHOLE, 9223372036854775807),
        ("12.00::numeric(9, 2)", WHOLE, 12),
        ("date '0001-01-01'", DAY, date(1, 1, 1)),
        ("date '9999-12-31'", DAY, date(9999, 12, 31)),
        ("'2026-02-28'::varchar", DAY, date(2026, 2, 28)),
        ("'镕𠮷'::varchar(9)", TEXT, "镕𠮷"),
        ("''", TEXT, ""),
        ("NULL", AMOUNT, None),
        ("NULL", WHOLE, None),
        ("NULL::date", DAY, None),
    ],
)
def test_values_arrive_exactly_in_the_schemas_types(
    snapshot: Snapshot, expression: str, kind: pa.DataType, expected: object
) -> None:
    assert values(snapshot, f"SELECT {expression} AS v", kind) == [expected]


def test_scaled_aliases_take_integers_and_numerals_without_a_fraction(snapshot: Snapshot) -> None:
    sql = "SELECT 5 AS v__cents UNION ALL SELECT -12345 UNION ALL SELECT NULL"
    assert values(snapshot, sql, AMOUNT) == [Decimal("0.05"), Decimal("-123.45"), None]
    sql = "SELECT SUM(x) AS v__bp FROM (VALUES (9223372036854775807), (9223372036854775807)) AS t (x)"
    assert values(snapshot, sql, pa.decimal128(30, 4)) == [Decimal("1844674407370955.1614")]
    detail = refusal(snapshot, "SELECT 1.5 AS v__cents", AMOUNT)
    assert (detail.code, detail.values["row"]) == ("source.value_at", 1)


@hypothesis.given(st.lists(st.decimals(min_value=-(10**17), max_value=10**17, places=2), min_size=1))
def test_every_amount_keeps_every_digit(
    postgresql: PostgresqlServer, database: str, amounts: list[Decimal]
) -> None:
    texts = ",".join(f"{amount:f}" for amount in amounts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORE_URL", postgresql.url(database))
        with open_source(SOURCE, Path("/")) as snapshot:
            sql = "SELECT CAST(t AS numeric) AS v FROM unnest(string_to_array(:texts, ',')) AS t"
            assert values(snapshot, sql, AMOUNT, texts=texts) == amounts
            assert snapshot.totals(sql, {"texts": texts}, ["V"]) == (len(amounts), {"V": sum(amounts)})


def test_domains_are_the_types_below_them(
    postgresql: PostgresqlServer, database: str, source: DatabaseSource, tmp_path: Path
) -> None:
    with postgresql.connect(database) as connection:
        connection.execute("CREATE DOMAIN amount AS numeric(20, 2)")
    with open_source(source, tmp_path) as snapshot:
        assert values(snapshot, "SELECT 1.5::amount AS v", AMOUNT) == [Decimal("1.50")]


@pytest.mark.parametrize(
    ("expression", "kind", "given"),
    [
        ("1.5::float8", AMOUNT, "float8"),
        ("1.5::float4", AMOUNT, "float4"),
        ("'1.5'::money", AMOUNT, "money"),
        ("true", WHOLE, "bool"),
        ("now()", DAY, "timestamptz"),
        ("localtimestamp", DAY, "timestamp"),
        ("42", TEXT, "int4"),
        ("date '2026-01-01'", TEXT, "date"),
        ("date '2026-01-01'", AMOUNT, "date"),
        ("'{}'::jsonb", TEXT, "jsonb"),
        ("'\\x00'::bytea", TEXT, "bytea"),
    ],
)
def test_a_column_of_another_type_is_refused_before_any_row(
    snapshot: Snapshot, expression: str, kind: pa.DataType, given: str
) -> None:
    detail = refusal(snapshot, f"SELECT {expression} AS v WHERE false", kind)
    assert detail.code == "source.type"
    assert str(detail.values["reason"]).startswith(f"{given} → ")


@pytest.mark.parametrize(
    ("late", "kind", "shown"),
    [
        ("'NaN'::numeric", AMOUNT, "nan"),
        ("'Infinity'::numeric", AMOUNT, "inf"),
        ("1.005::numeric", AMOUNT, "str[5]"),
        ("1e18::numeric", AMOUNT, "str[19]"),
        ("1.5::numeric", WHOLE, "str[3]"),
        ("9223372036854775808::numeric", WHOLE, "str[19]"),
        ("date 'infinity'", DAY, "infinity"),
        ("date '-infinity'", DAY, "-infinity"),
        ("date '0044-03-15 BC'", DAY, "< 0001-01-01"),
        ("date '10000-01-01'", DAY, "> 9999-12-31"),
        ("'1e5'::text", AMOUNT, "str[3]"),
        ("' 1'::text", AMOUNT, "str[2]"),
        ("'１'::text", AMOUNT, "str[1]"),
        ("'1_0'::text", AMOUNT, "str[3]"),
        ("'12'::text", WHOLE, "str[2]"),
        ("'2026-02-30'::text", DAY, "str[10]"),
        ("'0000-01-01'::text", DAY, "str[10]"),
    ],
)
def test_a_value_that_is_not_exact_names_column_and_row(
    snapshot: Snapshot, late: str, kind: pa.DataType, shown: str
) -> None:
    sql = f"SELECT CASE i WHEN 150001 THEN {late} END AS v FROM generate_series(1, 200000) AS i"
    detail = refusal(snapshot, sql, kind)
    assert (detail.code, detail.values["row"], detail.values["value"]) == ("source.value_at", 150001, shown)


SCOPE = "SELECT no AS v FROM policy WHERE {} ORDER BY no"


def test_parameters_are_bound_in_the_type_of_their_place(snapshot: Snapshot) -> None:
    sql = SCOPE.format("signed_on BETWEEN :a AND :b AND SUBSTR(:a, 1, 4) = '2026' AND org IN :orgs")
    found = values(snapshot, sql, TEXT, a="2026-01-01", b="2026-03-31", orgs=("330000", "440000"))
    assert found == ["P1", "P2"]
    assert values(snapshot, "SELECT :a AS v", DAY, a="2026-01-01") == [date(2026, 1, 1)]
    assert values(snapshot, SCOPE.format("premium_cents > :least"), TEXT, least=99) == ["P1", "P3"]


def test_lists_mean_what_they_mean_in_sqlite(snapshot: Snapshot) -> None:
    assert values(snapshot, SCOPE.format("org IN :orgs"), TEXT, orgs=[]) == []
    assert values(snapshot, SCOPE.format("org NOT IN :orgs"), TEXT, orgs=["330000"]) == ["P2", "P3"]
    assert values(snapshot, SCOPE.format("org NOT IN :orgs"), TEXT, orgs=[]) == ["P1", "P2", "P3", "P4"]


@pytest.mark.parametrize(
    "evil",
    [
        "x'); DROP TABLE policy; --",
        'a"b',
        "a\\b",
        "{a,b}",
        "a,b",
        "NULL",
        "",
        "$1",
        ":a",
        "%s",
        "镕",
        "E'\\n'",
        "a\nb",
    ],
)
def test_a_value_is_never_sql(snapshot: Snapshot, evil: str) -> None:
    assert values(snapshot, "SELECT :a AS v", TEXT, a=evil) == [evil]
    assert values(snapshot, "SELECT 'found' AS v WHERE :a IN :listed", TEXT, a=evil, listed=["z", evil]) == [
        "found"
    ]
    assert values(snapshot, "SELECT 'found' AS v WHERE :a IN :listed", TEXT, a=evil, listed=["z"]) == []
    assert values(snapshot, "SELECT COUNT(*) AS v FROM policy", WHOLE) == [4]


def test_a_colon_in_a_text_a_comment_or_a_cast_is_no_parameter(snapshot: Snapshot) -> None:
    sql = "SELECT ':no' || $$:no$$ || '1'::text AS v -- :no\n /* :no */ WHERE :yes = 'y'"
    assert values(snapshot, sql, TEXT, yes="y") == [":no:no1"]


def test_parameters_missing_or_used_wrongly_are_named(snapshot: Snapshot) -> None:
    with pytest.raises(BadInput) as bad:
        values(snapshot, "SELECT :a AS v", TEXT, b="x")
    assert (bad.value.code, bad.value.values["missing"], bad.value.values["known"]) == (
        "source.parameter",
        "a",
        "b",
    )
    for sql, given in (("SELECT 1 AS v WHERE 'x' IN :a", "x"), ("SELECT :a AS v", ["x"])):
        with pytest.raises(BadInput) as bad:
            values(snapshot, sql, WHOLE, a=given)
        assert (bad.value.code, bad.value.values["names"]) == ("source.list_parameter", "a")


def test_many_connections_read_one_view_that_no_commit_changes(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = named("moving")
    monkeypatch.setenv("CORE_URL", postgresql.create(name))
    sql = "SELECT n AS v__cents FROM moving"
    with postgresql.connect(name) as writer:
        writer.execute("CREATE TABLE moving AS SELECT generate_series(1, 100000) AS n")
        with open_source(SOURCE, tmp_path) as snapshot:
            assert snapshot.parallel == 2
            begun = snapshot.stream(sql, {}, pa.schema([("V", AMOUNT)]))
            first = next(begun).num_rows
            writer.execute("UPDATE moving SET n = 0")
            writer.execute("INSERT INTO moving SELECT 7 FROM generate_series(1, 5)")
            with ThreadPoolExecutor(4) as threads:
                totals = list(threads.map(lambda _: snapshot.totals(sql, {}, ["V"]), range(8)))
            assert set(map(str, totals)) == {
                str((100_000, {"V": Decimal("50000500.00") / 1 * Decimal("1.00")}))
            } or all(total == (100_000, {"V": Decimal("50000500.00")}) for total in totals)
            assert first + sum(batch.num_rows for batch in begun) == 100_000
            view = snapshot.view
        with open_source(SOURCE, tmp_path) as snapshot:
            assert snapshot.totals(sql, {}, ["V"]) == (100_005, {"V": Decimal("0.35")})
            assert snapshot.view != view
            assert snapshot.identity.startswith(f"postgresql {postgresql.folder}/{name} ")


def test_the_source_cannot_be_written(snapshot: Snapshot) -> None:
    for sql in (
        "DELETE FROM policy",
        "SELECT 1; DELETE FROM policy",
        "SELECT * INTO b FROM policy",
        "LOCK policy",
    ):
        with pytest.raises(Refused) as refused:
            values(snapshot, sql, TEXT)
        assert refused.value.code == "source.not_a_select"
    # and even past our own check the transaction is read-only
    assert isinstance(snapshot, PostgresqlSnapshot)
    with snapshot._pool.session("x.sql") as session, pytest.raises(adbc_driver_manager.Error) as caught:
        session.run("DELETE FROM policy")
    assert caught.value.sqlstate == "25006"


def test_a_stream_left_early_leaves_the_snapshot_usable(snapshot: Snapshot) -> None:
    schema = pa.schema([("V", TEXT)])
    stream = snapshot.stream("SELECT repeat('x', 1000) AS v FROM generate_series(1, 3000000)", {}, schema)
    assert next(stream).num_rows > 0
    stream.close()  # type: ignore[attr-defined]
    assert values(snapshot, "SELECT 'y' AS v", TEXT) == ["y"]


def test_batches_are_no_larger_than_asked_for(snapshot: Snapshot) -> None:
    sql = "SELECT i AS v FROM generate_series(1, 2500) AS i"
    batches = list(snapshot.stream(sql, {}, pa.schema([("V", WHOLE)]), batch_rows=1000))
    assert [batch.num_rows for batch in batches] == [1000, 1000, 500]


def test_a_huge_cell_arrives_whole(snapshot: Snapshot) -> None:
    found = values(snapshot, "SELECT repeat('x', 10000000) AS v UNION ALL SELECT 'y'", TEXT)
    assert [len(text) for text in found] == [10_000_000, 1]


def test_totals_are_the_servers_own(snapshot: Snapshot) -> None:
    sql = "SELECT premium_cents AS BF__cents, NULL AS BE, 2::smallint AS FQCS FROM policy WHERE org IN :orgs ; -- end"
    orgs = {"orgs": ["330000", "440000"]}
    expected = (2, {"BF": Decimal("123.40"), "BE": Decimal(0), "FQCS": Decimal(4)})
    assert snapshot.totals(sql, orgs, ["BF", "BE", "FQCS"]) == expected
    with pytest.raises(BadInput) as bad:
        snapshot.totals("SELECT 1.5::float8 AS v", {}, ["V"])
    assert bad.value.code == "source.inexact_sum"
    with pytest.raises(BadInput) as bad:
        snapshot.totals("SELECT 'NaN'::numeric AS v", {}, ["V"])
    assert bad.value.code == "source.inexact_sum"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT 1 AS v FROM nowhere", 'relation "nowhere" does not exist [42P01]'),
        ("SELECT nothing AS v FROM policy", 'column "nothing" does not exist [42703]'),
        ("SELECT :a IS NULL AS v", "could not determine data type of parameter $1 [42P18]"),
        ("SELECT 1 / (i - 90000) AS v FROM generate_series(1, 100000) AS i", "division by zero [22012]"),
        (
            "SELECT ('geheim' || i)::int AS v FROM generate_series(1, 9) AS i",
            "invalid input syntax for type integer: … [22P02]",
        ),
    ],
)
def test_what_the_server_refuses_names_the_file_and_no_data(
    snapshot: Snapshot, sql: str, reason: str
) -> None:
    with pytest.raises(BadInput) as bad:
        values(snapshot, sql, WHOLE, a="x")
    assert (bad.value.code, bad.value.values["file"]) == ("source.sql", "sql/core/T.sql")
    assert bad.value.values["reason"] == reason
