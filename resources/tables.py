"""Tables that a room of `resources` keeps in a database: engine, transactions, migration. What is kept is not told here.

As in the ledger's database (which these rooms may not know): WAL and an immediate lock on SQLite, one advisory lock on
PostgreSQL, so writing transactions follow each other and a check holds until its write.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Dialect, Engine, NullPool, Text, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.types import TypeDecorator

from pipelines.errors import BadInput, Refused, Tampered, Unavailable

_SQLITE_CONNECTION = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)


@dataclass(frozen=True)
class Tables:
    """The tables of one room. `area` begins the codes of its errors (`account.database`); `lock` names its file in the home.

    `advisory_lock` is PostgreSQL's key of the lock under which this room writes.
    """

    area: str
    lock: str
    migrations: Path
    advisory_lock: int

    def open_engine(self, url: str, home: Path) -> Engine:
        """An engine with the tables brought to this version; an SQLite file is made with mode 0600, and set to it.

        BadInput for anything but an SQLite file or PostgreSQL, Refused when the tables are newer, Unavailable when the
        database does not answer.
        """
        try:
            parsed = make_url(url)
            kind = parsed.get_backend_name()
            is_file = kind == "sqlite" and parsed.database not in (None, "", ":memory:")
            if not is_file and kind != "postgresql":
                raise BadInput(f"{self.area}.url", url=parsed.render_as_string(hide_password=True))
            engine = create_engine(parsed, poolclass=NullPool)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise BadInput(f"{self.area}.url", url=type(error).__name__) from error
        if is_file:
            event.listen(engine, "connect", _configure_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        try:
            with self._alone(home):
                if is_file:
                    self._make_private(Path(str(parsed.database)))
                    self._use_wal(engine)
                with self.writing(engine) as connection:
                    self._migrate(connection)
        except BaseException:
            engine.dispose()
            raise
        return engine

    @contextmanager
    def reading(self, engine: Engine) -> Generator[Connection]:
        """A transaction that only reads."""
        with self._named_errors(), engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, engine: Engine) -> Generator[Connection]:
        """A transaction that no other writing one of the room overlaps. An error inside takes all of it back."""
        with (
            self._named_errors(),
            engine.connect().execution_options(baosong_writes=True) as connection,
            connection.begin(),
        ):
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self.advisory_lock})
            yield connection

    @contextmanager
    def _named_errors(self) -> Generator[None]:
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            raise Unavailable(f"{self.area}.database", reason=str(error.orig)) from error
        except DatabaseError as error:
            if type(error) is not DatabaseError:  # a broken constraint, a wrong statement: a fault of ours
                raise
            raise Tampered(f"{self.area}.unreadable", reason=str(error.orig)) from error

    def _make_private(self, path: Path) -> None:
        """The file, and so the log files that SQLite makes beside it with the same mode, are for the owner only."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise Unavailable(f"{self.area}.database", reason=f"{path}: {error.strerror}") from error

    def _use_wal(self, engine: Engine) -> None:
        with self._named_errors(), engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA journal_mode = WAL").close()

    @contextmanager
    def _alone(self, home: Path) -> Generator[None]:
        """One process of this home at a time makes the tables. A killed process lets it go."""
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (home / self.lock).open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _migrate(self, connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(self.migrations).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise Refused(f"{self.area}.newer_tables", reason=str(error)) from error


class Moment(TypeDecorator[datetime]):
    """A column: an aware time as text in UTC with microseconds, so that texts compare as the times do, on every database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "times are aware"
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # BEGIN is ours to send
    for pragma in _SQLITE_CONNECTION:
        connection.execute(pragma).close()


def _begin_sqlite(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("baosong_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")
