"""A real `dagster-daemon` over a world's home, with storage of its own, that can be killed and bereft of its storage."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import dagster as dg
from dagster._core.scheduler.instigation import SensorInstigatorData

from resources.settings import CHECKOUT
from tests.faults.world import World

T = TypeVar("T")
PATIENCE_SECONDS = 300
"""A process starts and a whole release goes by, beside other tests."""
_LOOK_SECONDS = 0.1


class Daemon:
    """The daemon of one DAGSTER_HOME; the product's sensors are on as they are shipped."""

    def __init__(self, world: World, name: str = "dagster") -> None:
        self.home = world.home / name
        self.log = world.home.parent / f"{name}.log"
        self._environment = {
            **world.environment,
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    def start(self) -> None:
        """Start it and wait until it asks the ledger: every approval sensor has ticked."""
        assert self._process is None, "it runs"
        self.home.mkdir(exist_ok=True)
        shutil.copyfile(CHECKOUT / "resources" / "dagster.yaml", self.home / "dagster.yaml")
        with self.instance():
            pass  # its databases are made before two processes want to
        program = Path(sys.executable).with_name("dagster-daemon")
        self._started_at = time.time()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(program), "run", "-w", "workspace.yaml"], cwd=CHECKOUT, env=self._environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait(self._is_watching, f"the sensors' first tick, see {self.log}")

    def kill(self) -> None:
        """End it and everything that it started, as a power failure does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def lose_storage(self) -> None:
        """Nothing is left of what Dagster knew."""
        assert self._process is None, "it runs"
        shutil.rmtree(self.home)

    @contextmanager
    def instance(self) -> Generator[dg.DagsterInstance]:
        """What Dagster shows."""
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            yield instance

    def runs(self, job: str) -> Sequence[dg.RunRecord]:
        """The runs of a job, the latest first."""
        with self.instance() as instance:
            return instance.get_run_records(dg.RunsFilter(job_name=job))

    def has_succeeded(self, job: str) -> bool:
        return any(run.dagster_run.status is dg.DagsterRunStatus.SUCCESS for run in self.runs(job))

    def events_of(self, job: str, kind: str) -> list[dg.DagsterEvent]:
        """What the runs of a job told of this type, all of it once a run has ended."""
        ended = [run.dagster_run.run_id for run in self.runs(job) if run.dagster_run.is_finished]
        with self.instance() as instance:
            logs = [log.dagster_event for run in ended for log in instance.all_logs(run)]
        return [event for event in logs if event and event.event_type_value == kind]

    def ticks_again(self) -> None:
        """Wait until every approval sensor has ticked once more."""
        self._started_at = time.time()
        wait(self._is_watching, f"another tick of the sensors, see {self.log}")

    def _is_watching(self) -> bool:
        assert self._process is not None and self._process.poll() is None, f"the daemon ended, see {self.log}"
        with self.instance() as instance:
            states = [s for s in instance.all_instigator_state() if s.name.endswith("_approval_sensor")]
        data = [state.instigator_data for state in states]
        ticked = [d.last_tick_timestamp or 0 for d in data if isinstance(d, SensorInstigatorData)]
        return len(ticked) == 3 and min(ticked) > self._started_at


@contextmanager
def running(world: World, *names: str) -> Generator[list[Daemon]]:
    """Daemons over one home, killed in the end whatever happens."""
    daemons = [Daemon(world, name) for name in names or ("dagster",)]
    try:
        for daemon in daemons:
            daemon.start()
        yield daemons
    finally:
        for daemon in daemons:
            daemon.kill()


def wait(until: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """What `until` finds, as soon as it finds something; fails when it finds nothing for so long."""
    last = time.monotonic() + seconds
    while not (found := until()):
        assert time.monotonic() < last, f"not in {seconds} s: {what}"
        time.sleep(_LOOK_SECONDS)
    return found
