"""The outbox's database: one SQLite file in the home, `notices.db`, mode 0600. What is kept in it is not told here.

As in the accounts' database: WAL and an immediate lock, so writing transactions follow each other. It may be deleted: then people
are told once more what waits for them.
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
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from pipelines.errors import Refused, Tampered, Unavailable

FILE = "notices.db"
_SQLITE_CONNECTION = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)


def open_engine(home: Path) -> Engine:
    """An engine with its tables brought to this version.

    Refused when the tables are newer, Unavailable when the file cannot be used, Tampered when it is none of ours.
    """
    engine = create_engine(f"sqlite:///{home / FILE}", poolclass=NullPool)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        with _alone(home):
            _make_private(home / FILE)
            with _named_errors(), engine.connect() as connection:
                connection.connection.cursor().execute("PRAGMA journal_mode = WAL").close()
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
    """A transaction that no other writing one overlaps. An error inside takes all of it back."""
    with (
        _named_errors(),
        engine.connect().execution_options(notice_writes=True) as connection,
        connection.begin(),
    ):
        yield connection


@contextmanager
def _named_errors() -> Generator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable("notices.database", file=FILE, reason=str(error.orig)) from error
    except DatabaseError as error:
        if type(error) is not DatabaseError:  # a broken constraint, a wrong statement: a fault of ours
            raise
        raise Tampered("notices.unreadable", file=FILE, reason=str(error.orig)) from error


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours to send
    for pragma in _SQLITE_CONNECTION:
        connection.execute(pragma).close()


def _begin(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("notice_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _make_private(path: Path) -> None:
    """For the owner only, and so the log files that SQLite makes beside it with the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise Unavailable("notices.database", file=path, reason=error.strerror) from error


@contextmanager
def _alone(home: Path) -> Generator[None]:
    """One process of this home at a time makes the tables. A killed process lets it go."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "notices.lock").open("a") as file:
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
        raise Refused("notices.newer_tables", file=FILE, reason=str(error)) from error
