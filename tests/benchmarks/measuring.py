"""One process per measurement: CPU seconds, wall, peak memory, and what it printed; medians of several.

`cpu` and `wall` are those of the work alone, as the child reports them: no engine pays for the import of another.
`start_to_end` is the whole process. What is run is not known here.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
REPEATS = 3
_LOOK_SECONDS = 0.02


class Failed(RuntimeError):
    """A measured process ended badly; carries the end of what it said."""


@dataclass(frozen=True)
class Sample:
    """One process: seconds of CPU and wall of its work, of the whole process, its peak memory, what it found."""

    cpu: float
    wall: float
    whole_cpu: float
    start_to_end: float
    peak_mb: float
    said: dict[str, Any]


@dataclass(frozen=True)
class Measurement:
    """Samples of one thing, all of which found the same."""

    samples: tuple[Sample, ...]

    @property
    def cpu(self) -> float:
        """Median CPU seconds of the work."""
        return statistics.median(sample.cpu for sample in self.samples)

    @property
    def spread(self) -> float:
        """(largest − smallest) / median of the CPU seconds: the noise."""
        seconds = [sample.cpu for sample in self.samples]
        return (max(seconds) - min(seconds)) / statistics.median(seconds)

    @property
    def wall(self) -> float:
        """Median wall seconds of the work."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def start_to_end(self) -> float:
        """Median wall seconds of the whole process."""
        return statistics.median(sample.start_to_end for sample in self.samples)

    @property
    def whole_cpu(self) -> float:
        """Median CPU seconds of the whole process."""
        return statistics.median(sample.whole_cpu for sample in self.samples)

    @property
    def peak_mb(self) -> float:
        """The largest peak of resident memory, MB."""
        return max(sample.peak_mb for sample in self.samples)

    @property
    def said(self) -> dict[str, Any]:
        """What the first process said."""
        return self.samples[0].said


def run(command: Sequence[str | Path]) -> Sample:
    """One process from start to end. Raises Failed."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "GX_ANALYTICS_ENABLED": "False"}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        child = subprocess.Popen([str(part) for part in command], stdout=out, stderr=err, cwd=ROOT, env=env)
        peak = 0.0
        while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
            peak = max(peak, high_water_mb(child.pid))
            time.sleep(_LOOK_SECONDS)
        whole = time.perf_counter() - began
        _, status, usage = ended
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        said, complaint = out.read().decode(), err.read().decode()
    if child.returncode:
        raise Failed(f"{' '.join(str(part) for part in command)}\n{complaint[-3000:]}{said[-500:]}")
    cpu = usage.ru_utime + usage.ru_stime
    result = _last_json(said)
    return Sample(
        cpu=float(result.pop("cpu", cpu)),
        wall=float(result.pop("wall", whole)),
        whole_cpu=cpu,
        start_to_end=whole,
        peak_mb=peak,
        said=result,
    )


def high_water_mb(process: int | str = "self") -> float:
    """Peak resident memory of a process, MB; 0 when it has just gone.

    Not `ru_maxrss`: that begins with the memory of the process that started it.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0.0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return float(peaks[0]) / 1024 if peaks else 0.0


def task(name: str, **values: Any) -> list[str]:
    """The command that runs a task of `tasks` in a process of its own."""
    return [sys.executable, "-m", "tests.benchmarks.tasks", name, json.dumps(values, default=str)]


def measure(
    commands: Mapping[str, Sequence[str | Path]], noted: Callable[[str, Sample], None], repeats: int = REPEATS
) -> dict[str, Measurement]:
    """The commands in turn, several times over, so that all of them meet the same noise.

    Raises Failed where a process ends badly or finds something else than before.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            sample = run(command)
            noted(name, sample)
            samples[name].append(sample)
            if sample.said != samples[name][0].said:
                raise Failed(f"{name}: found {sample.said}, before {samples[name][0].said}")
    return {name: Measurement(tuple(taken)) for name, taken in samples.items()}


def _last_json(said: str) -> dict[str, Any]:
    """The JSON object that ends what was printed, on one line or many."""
    lines = said.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("{")]
    return json.loads("\n".join(lines[starts[-1] :])) if starts else {}
