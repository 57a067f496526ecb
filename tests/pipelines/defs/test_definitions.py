"""What Dagster shows, as a plain listing: who renames, adds or drops something changes this file and says so."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import dagster as dg
import pytest
import yaml

from resources.settings import CHECKOUT

ASSETS = {
    "circ_audit/comparison": {"duckdb"},
    "circ_audit/content": {"duckdb", "pandera"},
    "circ_audit/delivery": {"network"},
    "circ_audit/evidence": {"zip"},
    "circ_audit/package": {"file"},
    "circ_audit/receipt": {"network"},
    "circ_audit/review": {"excel"},
    "circ_audit/round/BDBDB": {"parquet", "sql"},
    "circ_audit/round/BDXBB": {"parquet", "sql"},
    "circ_audit/round/BDXXB": {"parquet", "sql"},
    "circ_audit/round/CWPZXXB": {"parquet", "sql"},
    "circ_audit/round/CXBDB": {"parquet", "sql"},
    "circ_audit/round/FQJFB": {"parquet", "sql"},
    "circ_audit/round/GBXXB": {"parquet", "sql"},
    "circ_audit/round/JGXXB": {"parquet", "sql"},
    "circ_audit/round/KHXXB": {"parquet", "sql"},
    "circ_audit/round/NBKMDZB": {"parquet", "sql"},
    "circ_audit/round/PAXXB": {"parquet", "sql"},
    "circ_audit/round/PDXXB": {"parquet", "sql"},
    "circ_audit/round/PKZFB": {"parquet", "sql"},
    "circ_audit/round/SFFMXB": {"parquet", "sql"},
    "circ_audit/round/SXFMXB": {"parquet", "sql"},
    "circ_audit/round/XSRYXXB": {"parquet", "sql"},
    "circ_audit/round/XZDYB": {"parquet", "sql"},
    "circ_audit/round/YGXXB": {"parquet", "sql"},
    "circ_audit/round/ZBHTXXB": {"parquet", "sql"},
    "circ_audit/round/ZBTHXXB": {"parquet", "sql"},
    "circ_audit/round/ZBZDXXB": {"parquet", "sql"},
    "circ_audit/round/ZJJGXXB": {"parquet", "sql"},
    "circ_audit/round/ZJLPFYXXB": {"parquet", "sql"},
    "circ_audit/round/ZZKJQKMB": {"parquet", "sql"},
    "circ_statistics/comparison": {"duckdb"},
    "circ_statistics/content": {"duckdb", "pandera"},
    "circ_statistics/delivery": {"network"},
    "circ_statistics/evidence": {"zip"},
    "circ_statistics/package": {"file"},
    "circ_statistics/receipt": {"network"},
    "circ_statistics/review": {"excel"},
    "circ_statistics/round/JGB": {"parquet", "sql"},
    "circ_statistics/round/XMZ": {"parquet", "sql"},
    "circ_statistics/round/ZZYE": {"parquet", "sql"},
    "it_assessment/submission_metrics": {"parquet"},
    "schedule_p/comparison": {"duckdb"},
    "schedule_p/content": {"duckdb", "pandera"},
    "schedule_p/delivery": {"network"},
    "schedule_p/evidence": {"zip"},
    "schedule_p/package": {"file"},
    "schedule_p/receipt": {"network"},
    "schedule_p/review": {"excel"},
    "schedule_p/round/TRIANGLE": {"parquet", "sql"},
}
CHECKS = {
    "circ_audit/content": [
        "business_approval", "compliance_review", "executive_approval", "request_accepted",
        "rules_A", "rules_B", "rules_C", "rules_D", "rules_E", "rules_P", "rules_R",
    ],
    "circ_statistics/content": [
        "business_approval", "executive_approval", "request_accepted", "rules_A", "rules_C", "rules_E", "rules_F", "rules_P", "rules_R",
    ],
    "it_assessment/submission_metrics": ["all_computed", "within_thresholds"],
    "schedule_p/content": ["business_approval", "executive_approval", "request_accepted", "rules_S"],
}  # fmt: skip
STANDARDS = ("circ_audit", "circ_statistics", "schedule_p")
JOBS = (
    ["calendar_opening", "take_in_answers", "time_limits"]
    + [
        f"{standard}_{job}"
        for standard in STANDARDS
        for job in ("acknowledge", "extract", "release", "validate")
    ]
    + ["submission_metrics_month"]
)
SENSORS = ["answers_inbox_sensor"] + [
    f"{standard}_{what}_sensor" for standard in STANDARDS for what in ("approval", "extraction", "receipt")
]
SCHEDULES = ["calendar_opening_schedule", "submission_metrics_schedule", "time_limits_schedule"]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in definitions.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def repository(definitions: dg.Definitions) -> dg.RepositoryDefinition:
    return definitions.get_repository_def()


def checks_of(definitions: dg.Definitions, job: str) -> set[str]:
    graph = definitions.resolve_job_def(job).asset_layer.asset_graph
    return {check.name for check in graph.asset_check_keys}


def test_the_assets_are_exactly_these(specs: dict[str, dg.AssetSpec]) -> None:
    assert {key: set(spec.kinds) for key, spec in specs.items()} == ASSETS


def test_the_checks_are_exactly_these(definitions: dg.Definitions) -> None:
    found: dict[str, list[str]] = {}
    for check in sorted(definitions.resolve_asset_graph().asset_check_keys):
        found.setdefault(check.asset_key.to_user_string(), []).append(check.name)
    assert found == CHECKS


def test_jobs_sensors_and_schedules_are_exactly_these(repository: dg.RepositoryDefinition) -> None:
    jobs = [job.name for job in repository.get_all_jobs() if not job.name.startswith("__")]
    assert sorted(jobs) == sorted(JOBS)
    assert sorted(sensor.name for sensor in repository.sensor_defs) == SENSORS
    assert sorted(schedule.name for schedule in repository.schedule_defs) == SCHEDULES


def test_every_asset_says_in_chinese_what_it_is_and_whose(specs: dict[str, dg.AssetSpec]) -> None:
    for spec in specs.values():
        standard = spec.key.path[0]
        assert CHINESE.search(spec.description or ""), spec.key
        assert spec.owners == ["team:data-engineering"], spec.key
        assert spec.group_name == standard, spec.key
        if standard == "it_assessment":
            continue  # by month, see test_assessment
        assert standard in STANDARDS
        assert len(spec.key.path) == (3 if spec.key.path[1] == "round" else 2)
        assert spec.partitions_def == dg.DynamicPartitionsDefinition(name=f"{standard}_filings"), spec.key


def test_every_check_job_sensor_and_schedule_is_described_in_chinese(
    definitions: dg.Definitions, repository: dg.RepositoryDefinition
) -> None:
    graph = definitions.resolve_asset_graph()
    texts = {key.name: graph.get_check_spec(key).description for key in graph.asset_check_keys}
    texts |= {j.name: j.description for j in repository.get_all_jobs() if not j.name.startswith("__")}
    texts |= {s.name: s.description for s in repository.sensor_defs}
    texts |= {s.name: s.description for s in repository.schedule_defs}
    assert [name for name, text in texts.items() if not CHINESE.search(text or "")] == []


def test_a_round_is_one_step_that_cannot_be_run_in_part(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    rounds = [key for key in graph.get_all_asset_keys() if list(key.path[:2]) == ["circ_audit", "round"]]
    assert len(rounds) == 24
    assert graph.get_execution_set_asset_and_check_keys(rounds[0]) == set(rounds)


@pytest.mark.parametrize("standard", STANDARDS)
def test_only_release_asks_for_people_and_asks_for_nothing_else(
    definitions: dg.Definitions, standard: str
) -> None:
    checks = CHECKS[f"{standard}/content"]
    groups = {name for name in checks if name.startswith("rules_")}
    people = set(checks) - groups
    assert checks_of(definitions, f"{standard}_extract") == groups
    assert checks_of(definitions, f"{standard}_validate") == groups
    assert checks_of(definitions, f"{standard}_release") == people
    assert checks_of(definitions, f"{standard}_acknowledge") == set()


def test_people_block_and_rule_groups_only_tell(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {"request_accepted", "compliance_review", "business_approval", "executive_approval"}


def test_what_runs_by_itself_runs_from_the_first_start(repository: dg.RepositoryDefinition) -> None:
    assert {s.default_status for s in repository.sensor_defs} == {dg.DefaultSensorStatus.RUNNING}
    schedules = {schedule.name: schedule for schedule in repository.schedule_defs}
    assert {s.default_status for s in schedules.values()} == {dg.DefaultScheduleStatus.RUNNING}
    assert {(name, s.cron_schedule, s.execution_timezone) for name, s in schedules.items()} == {
        ("calendar_opening_schedule", "0 7 * * *", "Asia/Shanghai"),
        ("time_limits_schedule", "*/10 * * * *", "Asia/Shanghai"),
        ("submission_metrics_schedule", "0 6 * * *", "Asia/Shanghai"),
    }


def test_workspace_and_project_file_name_one_module() -> None:
    workspace = _yaml("workspace.yaml")
    (location,) = workspace["load_from"]
    assert location["python_module"]["module_name"] == "pipelines.definitions"
    assert location["python_module"]["location_name"] == "baosong"
    tools = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]
    assert "dg" not in tools, "with [tool.dg], dagster ignores workspace.yaml unless it is named"
    assert tools.get("dagster", {}).get("module_name", "pipelines.definitions") == "pipelines.definitions"


def test_dagster_phones_nobody_and_shows_no_newsletter() -> None:
    instance = _yaml("resources/dagster.yaml")
    assert instance["telemetry"] == {"enabled": False}
    assert instance["nux"] == {"enabled": False}


def _yaml(name: str) -> dict[str, Any]:
    return yaml.safe_load((CHECKOUT / name).read_text("utf-8"))
