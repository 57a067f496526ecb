"""Connections to a real PostgreSQL: lost, too slow, out of reach, or to a database of another encoding."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from pipelines.errors import Unavailable
from resources.sources import open_source
from tests.resources.postgresql.server import PostgresqlServer
from tests.resources.sources.test_postgresql import SOURCE, TEXT, named, refusal, values


def test_a_connection_lost_in_the_middle_is_a_source_that_is_down(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_URL", postgresql.create(named("lost")))
    sql = "SELECT repeat('x', 1000) AS v FROM generate_series(1, 3000000) -- lost"
    with open_source(SOURCE, tmp_path) as snapshot:
        stream = snapshot.stream(sql, {}, pa.schema([("V", TEXT)]))
        next(stream)
        with postgresql.connect() as other:
            ended = other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%-- lost%' AND pid <> pg_backend_pid()"
            ).fetchall()
        assert ended == [(True,)]
        with pytest.raises(Unavailable) as down:
            list(stream)
    assert down.value.code == "source.down"


def test_a_statement_that_takes_too_long_is_named(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    postgresql.create(name := named("slow"))
    monkeypatch.setenv("CORE_URL", postgresql.url(name, options="-c%20statement_timeout%3D300"))
    sql = "SELECT repeat('x', 100) || pg_sleep(CASE WHEN i > 90000 THEN 1 ELSE 0 END) AS v FROM generate_series(1, 100000) AS i"
    with open_source(SOURCE, tmp_path) as snapshot, pytest.raises(Unavailable) as late:
        values(snapshot, sql, TEXT)
    assert (late.value.code, late.value.values["file"]) == ("source.cancelled", "sql/core/T.sql")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:geheim@127.0.0.1:1/core", "Connection refused"),
        ("postgresql+psycopg://u:geheim@/nosuch?host=FOLDER", 'role "u" does not exist'),
        ("postgresql://baosong:geheim@/nosuch?host=FOLDER", 'database "nosuch" does not exist'),
    ],
)
def test_a_server_that_cannot_be_reached_is_down_and_its_password_unseen(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    monkeypatch.setenv("CORE_URL", url.replace("FOLDER", str(postgresql.folder)))
    with pytest.raises(Unavailable) as down, open_source(SOURCE, tmp_path):
        pass
    assert down.value.code == "source.down"
    assert shown in str(down.value)
    assert "geheim" not in str(down.value)


def test_texts_of_another_encoding_are_converted_by_the_server(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CORE_URL", postgresql.create(named("euc"), encoding="EUC_CN"))
    with open_source(SOURCE, tmp_path) as snapshot:
        assert values(snapshot, "SELECT convert_from('\\xb1a3cbcd', 'EUC_CN') AS v", TEXT) == ["保送"]
        assert values(snapshot, "SELECT :a AS v", TEXT, a="报送") == ["报送"]


def test_bytes_of_a_database_without_encoding_are_checked_row_by_row(
    postgresql: PostgresqlServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = named("ascii")
    monkeypatch.setenv("CORE_URL", postgresql.create(name, encoding="SQL_ASCII"))
    with psycopg.connect(
        f"host={postgresql.folder} user=baosong dbname={name}", autocommit=True
    ) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT i, convert_from('\\xe68aa5', 'SQL_ASCII') AS a FROM generate_series(1, 5) i"
        )
        connection.execute("UPDATE t SET a = convert_from('\\xd5c5c8fd', 'SQL_ASCII') WHERE i = 4")
    with open_source(SOURCE, tmp_path) as snapshot:
        assert values(snapshot, "SELECT a AS v FROM t WHERE i < 4", TEXT) == ["报"] * 3
        detail = refusal(snapshot, "SELECT a AS v FROM t ORDER BY i", TEXT)
    assert (detail.code, detail.values["row"]) == ("source.not_utf8", 4)
