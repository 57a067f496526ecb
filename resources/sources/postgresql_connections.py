"""Connections to PostgreSQL: their address, their settings, the pool that reads one exported snapshot. No statements of sources."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import adbc_driver_postgresql
import sqlalchemy as sa
from sqlalchemy import exc

from pipelines.errors import BadInput
from resources.sources.adbc import DRIVER_ERRORS, AdbcSession
from resources.sources.postgresql_errors import explained

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_SNAPSHOT_ID = re.compile(r"[0-9A-F]+(-[0-9A-F]+)*")
_DEFAULTS = {"connect_timeout": "10", "keepalives_idle": "60", "application_name": "baosong"}
# `NOT IN (SELECT …)` is looked up in a hash only while that fits into work_mem; beyond, it is quadratic.
_WORK_MEMORY = (
    "SELECT set_config('work_mem', '64MB', false) "
    "WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes('64MB')"
)


@contextmanager
def errors_explained(source: str, sql_file: Path | str) -> Generator[None]:
    """The driver's errors in the house's words, naming source and SQL file."""
    try:
        yield
    except DRIVER_ERRORS as error:
        raise explained(error, source, sql_file) from error


@contextmanager
def writing_session(name: str, url: str) -> Generator[AdbcSession]:
    """One transaction on a database of one's own making (never a source), committed when the block ends well."""
    with errors_explained(name, name):
        session = connect(connection_words(parsed_url(name, url)), name)
        try:
            session.run("BEGIN")
            yield session
            session.run("COMMIT")
        finally:
            session.close()


class Pool:
    """Connections that read the exported snapshot. As many exist as are in use at once."""

    def __init__(self, name: str, uri: str, exported: str) -> None:
        assert _SNAPSHOT_ID.fullmatch(exported), "the server's own name of the snapshot"
        self._name = name
        self._uri = uri
        self._begin = f"SET TRANSACTION SNAPSHOT '{exported}'"
        self._idle: list[AdbcSession] = []
        self._lock = Lock()

    @contextmanager
    def session(self, sql_file: Path | str) -> Generator[AdbcSession]:
        """One connection for one statement at a time; one that failed or was left early is not used again."""
        with self._lock:
            session = self._idle.pop() if self._idle else None
        session = session or self._joined()
        is_whole = False
        try:
            with errors_explained(self._name, sql_file):
                yield session
            is_whole = True
        finally:
            if is_whole:
                with self._lock:
                    self._idle.append(session)
            else:
                session.close()

    def close(self) -> None:
        for session in self._idle:
            session.close()

    def _joined(self) -> AdbcSession:
        session = connect(self._uri, self._name)
        try:
            with errors_explained(self._name, self._name):
                session.run(BEGIN)
                session.run(self._begin)
        except BaseException:
            session.close()
            raise
        return session


def parsed_url(name: str, text: str) -> sa.URL:
    """Raises BadInput `source.url`, which does not show it."""
    try:
        return sa.make_url(text)
    except exc.ArgumentError:
        raise BadInput("source.url", source=name) from None


def connection_words(url: sa.URL) -> str:
    """The address as libpq's keywords (its URLs know no `+` for a space), with a bound on connecting and a watch on
    lost connections.
    """
    named = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
    }
    words = {**_DEFAULTS, **{key: str(value) for key, value in named.items() if value is not None}}
    words |= {key: value if isinstance(value, str) else ",".join(value) for key, value in url.query.items()}
    escaped = {key: value.replace("\\", "\\\\").replace("'", "\\'") for key, value in words.items()}
    return " ".join(f"{key}='{value}'" for key, value in escaped.items())


def connect(uri: str, name: str) -> AdbcSession:
    """A session by `connection_words`, its encoding and limits set. Raises Unavailable `source.down`."""
    with errors_explained(name, name):
        session = AdbcSession(adbc_driver_postgresql.connect(uri))
        try:
            # A database without an encoding of its own cannot convert; then texts are checked here, row by row.
            encoding = session.rows("SELECT current_setting('server_encoding') AS encoding")[0]["encoding"]
            session.run(f"SET client_encoding = '{'SQL_ASCII' if encoding == 'SQL_ASCII' else 'UTF8'}'")
            session.run(
                "SET idle_in_transaction_session_timeout = 0"
            )  # the view is kept while others are read
            session.rows(_WORK_MEMORY)
        except BaseException:
            session.close()
            raise
        return session
