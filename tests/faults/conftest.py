"""The world that faults happen in, set once per process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resources.embedded.supervisor import Options, start_detached, stop
from tests.faults.world import AUDIT, STATISTICS, World


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two filings saved as `opened`, `approved` and `packaged`; the embedded servers run."""
    made = World(tmp_path_factory.mktemp("world"))
    made.open_filings()
    made.save("opened")
    for filing in (AUDIT, STATISTICS):
        made.approve(filing)
    made.save("approved")
    for filing in (AUDIT, STATISTICS):
        made.run("package", filing)
    made.save("packaged")
    start_detached(made.places, Options(clock=made.home / "clock", judging_seconds=0.05))
    yield made
    stop(made.places)
