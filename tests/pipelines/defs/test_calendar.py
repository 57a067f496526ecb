"""What the clock launches goes through every filing: one that cannot be read keeps no other from being opened or told of."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.stages.installation import open_installation
from pipelines.stages.request import open_due
from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.settings import Settings

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def settings(make_home: Callable[..., Settings]) -> Settings:
    """Two filings, of two months, that somebody wrote into."""
    made = make_home()
    for month in (5, 6):
        FileClock(made.home / "clock").advance(to=datetime(2026, month, 9, 9))  # noqa: DTZ001 - in the clock's own zone
        with open_installation(made) as installation:
            open_due(installation, installation.now().date())
    with closing(sqlite3.connect(made.home / "ledger.db")) as connection, connection:
        connection.execute("UPDATE event SET actor = 'x' WHERE stream LIKE 'filing/%' AND seq = 1")
    return made


def definitions_of(settings: Settings) -> dg.Definitions:
    return build_definitions(settings, load_deployment(settings.deployment, settings.home))


@pytest.mark.parametrize("job", ["time_limits", "calendar_opening"])
def test_reminders_go_through_every_filing_and_say_which_cannot_be_read(settings: Settings, job: str) -> None:
    with open_installation(settings) as installation:
        filings = installation.filings()
    assert len(filings) >= 2
    with dg.DagsterInstance.ephemeral() as instance:
        done = (
            definitions_of(settings)
            .resolve_job_def(job)
            .execute_in_process(run_config=QUIET, instance=instance, raise_on_error=False)
        )
    failures = {event.step_key: event.step_failure_data for event in done.get_step_failure_events()}
    assert failures.keys() == {"remind_late_signers" if job == "time_limits" else "remind_holders"}
    (told,) = failures.values()
    assert told.error is not None
    assert all(filing in told.error.message for filing in filings)


def test_the_schedule_of_the_limits_ticks_beside_a_filing_that_cannot_be_read(settings: Settings) -> None:
    schedule = definitions_of(settings).resolve_schedule_def("time_limits_schedule")
    with dg.DagsterInstance.ephemeral() as instance, dg.build_schedule_context(instance=instance) as context:
        tick = schedule.evaluate_tick(context)
    assert tick.run_requests == []
