"""A real PostgreSQL in a folder of its own, from the system's programs, reached by a Unix socket only; it ends with its process.

initdb refuses root, so under root it runs as `nobody`. Nothing is kept, so nothing is synced.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg

PROGRAMS = Path("/usr/lib/postgresql")
SETTINGS = ("fsync=off", "listen_addresses=", "max_connections=40", "lc_messages=C")
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class PostgresqlServer:
    """A running server; databases are made as tests need them."""

    folder: Path

    def url(self, database: str, **options: str) -> str:
        """The address as a deployment's secret holds it."""
        more = "".join(f"&{key}={value}" for key, value in options.items())
        return f"postgresql://baosong@/{database}?host={self.folder}{more}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        return psycopg.connect(f"host={self.folder} user=baosong dbname={database}", autocommit=True)

    def create(self, database: str, *, encoding: str = "UTF8") -> str:
        """A new empty database; returns its address."""
        with self.connect() as connection:
            made = f"CREATE DATABASE {database} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'"
            connection.execute(cast(LiteralString, made))
        return self.url(database)


@contextmanager
def running_server() -> Generator[PostgresqlServer]:
    """Set up and start a server, end it with the block."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="baosong-postgresql-"))
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        user = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    try:
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "baosong", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            capture_output=True, text=True, check=False, cwd=folder, **user,
        )  # fmt: skip
        assert made.returncode == 0, made.stdout + made.stderr
        settings = [part for each in SETTINGS for part in ("-c", each)]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "QUIT", programs / "postgres", "-D", data, "-k", folder, *settings],
                stdout=log, stderr=log, cwd=folder, **user,
            )  # fmt: skip
        try:
            _wait(folder, process)
            yield PostgresqlServer(folder)
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait()
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, (
        f"install the Debian package postgresql: these tests run {PROGRAMS}/*/bin/initdb and postgres"
    )
    return found[-1].parent


def _wait(folder: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            PostgresqlServer(folder).connect().close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None and time.monotonic() < until, (folder / "log").read_text()
