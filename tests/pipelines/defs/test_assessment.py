"""Dagster measures a month for real: what it shows, when its checks are red, and on which day it runs by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from pipelines.assessment.submission_metrics import submission_metrics
from pipelines.defs import build_definitions
from pipelines.stages.installation import open_installation
from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.settings import Settings
from tests.flow.conftest import cores
from tests.flow.play import AUDIT, DEMO, own_deployment
from tests.pipelines.assessment.audit_in_may import at
from tests.pipelines.assessment.conftest import home_in_may

__all__ = ["cores", "home_in_may"]

ASSET = dg.AssetKey(["it_assessment", "submission_metrics"])
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def settings(home_in_may: Path, tmp_path: Path) -> Settings:
    """A copy of the played home, on the third working day of June."""
    shutil.copytree(home_in_may, tmp_path / "home")
    FileClock(tmp_path / "home" / "clock").advance(to=at("2026-06-03 06:00"))
    return Settings(home=tmp_path / "home", deployment=DEMO)


def definitions_of(settings: Settings) -> dg.Definitions:
    return build_definitions(settings, load_deployment(settings.deployment, settings.home))


def measured(settings: Settings, month: str = "2026-05") -> dg.ExecuteInProcessResult:
    job = definitions_of(settings).resolve_job_def("submission_metrics_month")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            partition_key=month, instance=instance, run_config=QUIET, raise_on_error=False
        )


def shown(result: dg.ExecuteInProcessResult) -> dict[str, dg.MetadataValue]:
    (materialized,) = result.asset_materializations_for_node("it_assessment__submission_metrics")
    return dict(materialized.metadata)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def test_the_asset_shows_a_table_two_plots_and_where_the_result_lies(settings: Settings) -> None:
    result = measured(settings)
    assert result.success
    said = shown(result)
    with open_installation(settings) as installation:
        expected = submission_metrics(installation, "2026-05", as_of=installation.now())
    assert said["计算编号"].value == expected.score_id
    assert Path(str(said["文件"].value)).read_text(encoding="utf-8") == expected.json()
    heading, _, *rows = str(said["报送指标"].value).splitlines()
    assert "SUB-04 整改及时率" in heading
    assert [row.split()[1] for row in rows] == ["330000", "440000", "510000", "000000"]
    assert "94.4 %（17/18）" in rows[1]
    assert "未提交" in rows[2]
    for plot in ("首检问题率图（每万行，收缩值）", "整改及时率图（收缩值）"):
        assert str(said[plot].value).startswith(f"![{plot}](data:image/svg+xml;base64,")


def test_a_branch_that_delivered_nothing_warns_and_nothing_fails(settings: Settings) -> None:
    found = checks(measured(settings))
    assert set(found) == {"all_computed", "within_thresholds"}
    assert found["all_computed"].passed
    warned = found["within_thresholds"]
    assert (warned.passed, warned.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert warned.description == "四川分公司 整改耗时 未提交"


def test_a_threshold_of_the_deployment_warns_of_the_branch_that_is_proven_worse(
    settings: Settings, tmp_path: Path
) -> None:
    limit = "assessment: {metrics: {SUB-05: {threshold: 12}}}\nfilings:"
    deployment = own_deployment(tmp_path / "deployment", ("deployment.yaml", "filings:", limit))
    warned = checks(measured(settings.model_copy(update={"deployment": deployment})))["within_thresholds"]
    assert warned.description == (
        "浙江分公司 整改耗时 12.5 h；广东分公司 整改耗时 21.5 h；四川分公司 整改耗时 未提交"
    )


def test_a_metric_that_cannot_be_computed_of_a_branch_with_data_due_fails_the_check(
    settings: Settings,
) -> None:
    for path in (settings.home / "comparisons" / AUDIT).rglob("changes.parquet"):
        path.unlink()
    result = measured(settings)
    assert result.success, "what can be computed is shown"
    failed = checks(result)["all_computed"]
    assert (failed.passed, failed.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert failed.metadata["无法计算"].value == 3
    assert f"{AUDIT} SUB-16：" in (failed.description or "")
    assert "无法计算" in str(shown(result)["报送指标"].value)


def test_a_month_without_filings_passes_and_says_that_nothing_applies(settings: Settings) -> None:
    result = measured(settings, "2026-04")
    assert {each.passed for each in checks(result).values()} == {True}
    assert shown(result)["报送指标"].value == "本月没有首次提取的报送任务，各机构均不适用。"


def test_a_limit_of_an_unknown_metric_is_one_clear_message(settings: Settings, tmp_path: Path) -> None:
    limit = "assessment: {metrics: {SUB-99: {least: 5}}}\nfilings:"
    deployment = own_deployment(tmp_path / "deployment", ("deployment.yaml", "filings:", limit))
    result = measured(settings.model_copy(update={"deployment": deployment}))
    assert not result.success
    (event,) = [e for e in result.all_events if e.is_step_failure]
    told = event.step_failure_data.user_failure_data
    assert told is not None
    assert (told.description or "").startswith("部署的 assessment 中有未知的指标 SUB-99")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Settings]:
    FileClock(tmp_path / "clock").start(datetime(2026, 5, 6, 9))  # noqa: DTZ001 - in the clock's zone
    settings = Settings(home=tmp_path, deployment=DEMO)
    with open_installation(settings):
        yield settings


@pytest.mark.parametrize(
    ("now", "asked"),
    [
        ("2026-05-12 06:00", "2026-04 没有台账可供计算"),  # the ledger began in May
        ("2026-06-02 06:00", "上月的报送指标在 2026-06-03 计算"),
        ("2026-06-03 06:00", "submission_metrics:2026-05"),
        ("2026-06-20 06:00", "submission_metrics:2026-05"),  # missed and caught up; the same key runs once
        ("2026-07-03 06:00", "submission_metrics:2026-06"),
    ],
)
def test_last_month_is_measured_from_the_third_working_day_on(fresh: Settings, now: str, asked: str) -> None:
    FileClock(fresh.home / "clock").advance(to=at(now))
    repository = definitions_of(fresh).get_repository_def()
    schedule = repository.get_schedule_def("submission_metrics_schedule")
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_schedule_context(instance=instance, repository_def=repository) as context,
    ):
        data = schedule.evaluate_tick(context)
    if data.run_requests:
        (request,) = data.run_requests
        assert (request.run_key, request.partition_key) == (asked, asked.partition(":")[2])
    else:
        assert data.skip_message == asked


def test_the_months_are_partitions_named_as_people_name_them(settings: Settings) -> None:
    (spec,) = [s for s in definitions_of(settings).resolve_all_asset_specs() if s.key == ASSET]
    assert isinstance(spec.partitions_def, dg.MonthlyPartitionsDefinition)
    assert spec.partitions_def.get_partition_keys(current_time=at("2026-03-15 00:00")) == [
        "2026-01",
        "2026-02",
        "2026-03",
    ]
    assert spec.group_name == "it_assessment"
