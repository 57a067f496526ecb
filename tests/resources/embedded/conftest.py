"""The embedded servers as these tests start them: real processes on loopback, in a home of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from resources.embedded.places import Places
from resources.embedded.supervisor import Options, live_endpoints, running_pid, start_detached, stop


@dataclass
class Servers:
    """A running supervisor that a test may kill and start again."""

    places: Places
    options: Options

    def start(self) -> None:
        start_detached(self.places, self.options)

    def port(self, name: str) -> int:
        alive = live_endpoints(self.places)
        assert alive is not None
        endpoint = alive[name]
        assert isinstance(endpoint, dict)
        return int(endpoint["port"])

    def signal(self, number: signal.Signals) -> None:
        pid = running_pid(self.places)
        assert pid is not None
        os.kill(pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        while running_pid(self.places) is not None:
            pass


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    made = Servers(Places(tmp_path_factory.mktemp("home")), Options(judging_seconds=0.05))
    made.start()
    yield made
    stop(made.places)


@pytest.fixture
def own_servers(tmp_path: Path) -> Iterator[Servers]:
    """Servers a test may break."""
    made = Servers(Places(tmp_path / "home"), Options(judging_seconds=0.05, quota_bytes=4_000_000))
    made.start()
    yield made
    stop(made.places)
