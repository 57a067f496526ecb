"""Telling people is a job and a schedule of its own, there only where the deployment asks for it; its failure is its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.stages import notify as stage
from pipelines.stages.installation import open_installation
from pipelines.stages.request import raise_request
from resources.deployment import load_deployment
from resources.notifier import open_outbox
from resources.settings import Settings
from tests.flow.play import draft

MakeHome = Callable[..., Settings]
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def settings(make_home: MakeHome, tmp_path: Path) -> Settings:
    made = make_home()
    deployment = Path(shutil.copytree(made.deployment, tmp_path / "deployment"))
    main = deployment / "deployment.yaml"
    main.write_text(main.read_text(encoding="utf-8") + "notices: {}\n", encoding="utf-8")
    return made.model_copy(update={"deployment": deployment})


def definitions_of(settings: Settings) -> dg.Definitions:
    return build_definitions(settings, load_deployment(settings.deployment, settings.home))


def run(settings: Settings) -> dg.ExecuteInProcessResult:
    job = definitions_of(settings).resolve_job_def("notices")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(run_config=QUIET, instance=instance, raise_on_error=False)


def test_the_schedule_runs_where_notices_are_configured_and_is_not_there_otherwise(
    settings: Settings, definitions: dg.Definitions
) -> None:
    names = {each.name for each in definitions.get_repository_def().schedule_defs}
    assert "notices_schedule" not in names
    schedule = definitions_of(settings).resolve_schedule_def("notices_schedule")
    assert (schedule.cron_schedule, schedule.default_status) == (
        "*/5 * * * *",
        dg.DefaultScheduleStatus.RUNNING,
    )
    assert schedule.job_name == "notices"


def test_a_run_notes_what_waits(settings: Settings) -> None:
    with open_installation(settings) as installation:
        raise_request(
            installation, draft(settings.home, number="JH-9"), installation.user("requester_440000")
        )
    done = run(settings)
    assert done.success
    with open_outbox(settings.home) as outbox:
        assert [(each.kind, each.subject) for each in outbox.told("audit_reviewer")] == [
            ("review_request", "JH-9")
        ]


def test_what_could_not_be_told_is_a_red_run_with_the_reason(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = stage.Notified(noted=0, digests=(), given_up=0, problems=("mail executive: down timed out",))
    monkeypatch.setattr("pipelines.defs.notices.notify", lambda _: broken)
    done = run(settings)
    assert not done.success
    (failed,) = (event for event in done.all_events if event.is_step_failure)
    assert failed.step_failure_data.user_failure_data is not None
    assert failed.step_failure_data.user_failure_data.description == "mail executive: down timed out"


def test_an_outbox_that_cannot_be_read_is_a_red_run_that_says_what_to_do(settings: Settings) -> None:
    (settings.home / "notices.db").write_bytes(b"no database at all" * 400)
    done = run(settings)
    (failed,) = (event for event in done.all_events if event.is_step_failure)
    assert failed.step_failure_data.user_failure_data is not None
    assert "可以删除它" in str(failed.step_failure_data.user_failure_data.description)
