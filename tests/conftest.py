"""What all tests share: hypothesis measures no time, since tests never do; one PostgreSQL for whoever asks for it; what was
recorded stands at the end of the report."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.resources.postgresql.server import PostgresqlServer, running_server

settings.register_profile("baosong", deadline=None)
settings.load_profile("baosong")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests gave to `record_property`, a line each."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties if report.when == "call" else ():
            terminalreporter.write_line(f"{report.nodeid}: {name} {value}")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A running PostgreSQL, one per test process; make databases of your own in it."""
    with running_server() as server:
        yield server
