"""The accounts' database: engine, transactions, migration. What is kept in it is not told here.

As in the ledger's database (which this room may not know): WAL and an immediate lock on SQLite, one advisory lock on
PostgreSQL, so writing transactions follow each other and a check holds until its write. No hash is computed in one.
"""

from __future__ import annotations

import fcntl
import os
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

_ADVISORY_LOCK = 0x6163636F756E74  # "account" in ASCII
_SQLITE_CONNECTION = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)


def open_engine(url: str, home: Path) -> Engine:
    """An engine with its tables brought to this version; an SQLite file is made with mode 0600, and set to it.

    BadInput for anything but an SQLite file or PostgreSQL, Refused when the tables are newer, Unavailable when the
    database does not answer.
    """
    try:
        parsed = make_url(url)
        kind = parsed.get_backend_name()
        is_file = kind == "sqlite" and parsed.database not in (None, "", ":memory:")
        if not is_file and kind != "postgresql":
            raise BadInput("account.url", url=parsed.render_as_string(hide_password=True))
        engine = create_engine(parsed, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise BadInput("account.url", url=type(error).__name__) from error
    if is_file:
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        with _alone(home):
            if is_file:
                _make_private(Path(str(parsed.database)))
                _use_wal(engine)
            with writing(engine) as connection:
                _migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """A transaction that only reads."""
    with _named_errors(), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """A transaction that no other writing transaction of the accounts overlaps. An error inside takes all of it back."""
    with (
        _named_errors(),
        engine.connect().execution_options(account_writes=True) as connection,
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
        raise Unavailable("account.database", reason=str(error.orig)) from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # a broken constraint, a wrong statement: a fault of ours
            raise
        raise Tampered("account.unreadable", reason=str(error.orig)) from error


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours to send
    for pragma in _SQLITE_CONNECTION:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("account_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _make_private(path: Path) -> None:
    """The file, and so the log files that SQLite makes beside it with the same mode, are for the owner only."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise Unavailable("account.database", reason=f"{path}: {error.strerror}") from error


def _use_wal(engine: Engine) -> None:
    with _named_errors(), engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA journal_mode = WAL").close()


@contextmanager
def _alone(home: Path) -> Generator[None]:
    """One process of this home at a time makes the tables and the key. A killed process lets it go."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "accounts.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Refused("account.newer_tables", reason=str(error)) from error
