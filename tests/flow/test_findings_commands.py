"""`baosong findings` as a person types it: what is listed, limited, masked; the morning's reminders in Dagster."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.defs import build_definitions
from resources.clock import FileClock
from tests.flow.conftest import Resume
from tests.flow.play import AUDIT, DEMO, opened

ID_NUMBER = "ZJHM"


@pytest.fixture
def home(resume: Resume, audit_in_review: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = resume(audit_in_review).home
    monkeypatch.setenv("BAOSONG_HOME", str(folder))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(DEMO))
    return folder


def listed(*options: str) -> list[dict[str, str]]:
    said = CliRunner().invoke(app, ["findings", "list", AUDIT, *options, "--json"], catch_exceptions=False)
    return json.loads(said.stdout)


@pytest.mark.usefixtures("home")
def test_the_register_is_limited_by_what_is_named() -> None:
    everything = listed()
    some = listed("--rule", "B01", "--rule", "D05", "--branch", "440000")
    assert {(row["rule"], row["branch"]) for row in some} == {("B01", "440000"), ("D05", "440000")}
    assert len(some) == sum(row["rule"] in ("B01", "D05") and row["branch"] == "440000" for row in everything)
    assert listed("--state", "accepted") == []
    assert (
        len(listed("--department", "claims")) == sum(row["department"] == "claims" for row in everything) > 0
    )


@pytest.mark.usefixtures("home")
def test_personal_data_is_masked_in_the_list_and_amounts_are_not() -> None:
    rows = listed("--rule", "B01", "--rule", "D05")
    assert {row["value"] for row in rows if row["field"] == ID_NUMBER} == {"***"}
    assert all(float(row["value"]) for row in rows if row["rule"] == "D05")


def test_the_morning_reminds_whoever_is_due_once(home: Path) -> None:
    FileClock(home / "clock").advance(to=datetime(2026, 5, 8, 7))  # noqa: DTZ001 - in the clock's own zone
    with opened(home) as installation:
        definitions = build_definitions(installation.settings, installation.deployment)
        for _ in range(2):
            job = definitions.resolve_job_def("calendar_opening")
            assert job.execute_in_process(instance=dg.DagsterInstance.ephemeral()).success
        reminders = [each.fact for each in installation.state(AUDIT).reminders]
    told = {(each.level, each.holder, each.department, each.organisation) for each in reminders}
    assert len(told) == len(reminders) == 6
    assert {(level, holder) for level, holder, _, _ in told} == {("reminder", "answer")}
