"""The ledger's database: engine, transactions, migration. What is read and written in it is not told here.

SQLite: WAL, an immediate lock for every writing transaction, fsync at every commit. PostgreSQL: one advisory lock takes
the place of SQLite's single writer. Connections are opened when needed and closed afterwards, so a fork inherits none.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError, OperationalError

from pipelines.errors import BadInput, Refused, Tampered, Unavailable

_ADVISORY_LOCK = 0x62616F736F6E67  # "baosong" in ASCII
_SQLITE_CONNECTION = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # an erased payload leaves no bytes in the file
)


def open_engine(url: str) -> Engine:
    """An engine for `url`; the folder of an SQLite file is made. BadInput for anything but SQLite file or PostgreSQL."""
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        is_file = kind == "sqlite" and parsed.database not in (None, "", ":memory:")
        if not is_file and kind != "postgresql":
            raise BadInput("ledger.url", url=parsed.render_as_string(hide_password=True))
        if parsed.database and is_file:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise BadInput("ledger.url", url=type(error).__name__) from error
    if kind == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours to send
    for pragma in _SQLITE_CONNECTION:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("ledger_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """One transaction over one unchanging view of the database."""
    with _named_errors(), snapshot(engine) as connection:
        yield connection


@contextmanager
def snapshot(engine: Engine) -> Generator[Connection]:
    """As `reading`, but errors stay those of the database, for who wants to judge them."""
    options = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """One transaction that no other writing transaction of this ledger overlaps. Hold it across no other I/O."""
    with (
        _named_errors(),
        engine.connect().execution_options(ledger_writes=True) as connection,
        connection.begin(),
    ):
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        yield connection


@contextmanager
def _named_errors() -> Generator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable("ledger.database", reason=str(error.orig)) from error
    except sqlite3.OperationalError as error:
        raise Unavailable("ledger.database", reason=str(error)) from error
    except DatabaseError as error:
        raise Tampered("ledger.unreadable", reason=str(error.orig)) from error
    except sqlite3.DatabaseError as error:
        raise Tampered("ledger.unreadable", reason=str(error)) from error


def use_wal(engine: Engine) -> None:
    """Switch an SQLite file to write-ahead logging; it stays so. Only one process may do this at a time."""
    if engine.dialect.name != "sqlite":
        return
    with _named_errors():
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA journal_mode = WAL").close()
        finally:
            connection.close()


def forget_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, so that erased text is not left there; a busy reader delays it to its end."""
    if engine.dialect.name != "sqlite":
        return
    with _named_errors():
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        finally:
            connection.close()


def migrate(connection: Connection) -> None:
    """Bring the tables to this version of Baosong inside the caller's transaction. Refused if they are newer."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Refused("ledger.newer_tables", reason=str(error)) from error
