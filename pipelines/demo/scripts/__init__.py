"""The three plays: who does what, in which order, waiting for what."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pipelines.demo.company import Company
from pipelines.demo.outcome import Outcome
from pipelines.demo.scripts import audit, schedule_p, statistics
from pipelines.stages.installation import Installation

Script = Callable[[Installation, Outcome, Company], Generator[Callable[[], bool], None, None]]

SCRIPTS: dict[str, Script] = {
    "audit": audit.script,
    "statistics": statistics.script,
    "schedule_p": schedule_p.script,
}
