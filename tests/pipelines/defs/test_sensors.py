"""What sensors launch, and that asking again launches nothing more."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.errors import Unavailable
from pipelines.stages import flow
from pipelines.stages.baseline import declare_none
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.next_step import request_retry
from pipelines.stages.sign_off import give_opinion, open_sign_off
from resources.deployment import load_deployment
from resources.settings import Settings

MakeHome = Callable[..., Settings]
OpenFiling = Callable[[Settings, str], str]
FILING = "circ_audit.detail.JH-1"
PARTITIONS = "circ_audit_filings"
SENSORS = ("extraction", "approval", "receipt")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def home(make_home: MakeHome) -> Settings:
    return make_home()


@pytest.fixture(scope="module")
def judged(make_home: MakeHome, open_filing: OpenFiling) -> Settings:
    """An audit filing of a clean core, judged and reviewed: it waits for its sign-off. Tests use a copy."""
    settings = make_home(policies=3000)
    open_filing(settings, "JH-1")
    with open_installation(settings) as installation:
        for stage in ("extract", "validate", "review"):
            flow.STAGES[stage](installation, FILING)
    return settings


@pytest.fixture
def reviewed(judged: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(judged.home, tmp_path / "home")
    return judged.model_copy(update={"home": tmp_path / "home"})


@lru_cache(maxsize=1)
def repository_of(home: Path, deployment: Path) -> dg.RepositoryDefinition:
    settings = Settings(home=home, deployment=deployment)
    return build_definitions(settings, load_deployment(deployment, home)).get_repository_def()


def tick(
    settings: Settings, instance: dg.DagsterInstance, sensor: str, standard: str = "circ_audit"
) -> dg.SensorResult:
    """Ask one sensor once, as the daemon does: partitions that it adds are there afterwards."""
    repository = repository_of(settings.home, settings.deployment)
    with dg.build_sensor_context(instance=instance, repository_def=repository) as context:
        answer = repository.get_sensor_def(f"{standard}_{sensor}_sensor")(context)
    assert isinstance(answer, dg.SensorResult)
    for request in answer.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    return answer


def asked(settings: Settings, instance: dg.DagsterInstance) -> dict[str, list[str | None]]:
    """The run keys that each sensor of the audit asks for now."""
    return {s: [r.run_key for r in tick(settings, instance, s).run_requests or []] for s in SENSORS}


def sign(installation: Installation, *opinions: tuple[str, str]) -> None:
    users = installation.deployment.user
    declare_none(installation, FILING, users("data_engineer"), reason="首次报送")
    open_sign_off(installation, FILING, users("data_engineer"))
    for person, opinion in opinions:
        give_opinion(installation, FILING, users(person), opinion=opinion, comment="意见")


def test_an_opened_filing_becomes_a_partition_and_one_run_in_a_fresh_instance(
    home: Settings, open_filing: OpenFiling, instance: dg.DagsterInstance
) -> None:
    open_filing(home, "JH-1")
    answer = tick(home, instance, "extraction")
    assert instance.get_dynamic_partitions(PARTITIONS) == [FILING]
    (request,) = answer.run_requests or []
    assert (request.job_name, request.partition_key) == ("circ_audit_extract", FILING)
    assert request.run_key == f"{FILING}:extract:round-1:0"
    assert request.tags["baosong/step"] == "extract:round-1:0"


def test_the_same_tick_twice_asks_for_the_same_run_and_adds_no_partition(
    home: Settings, open_filing: OpenFiling, instance: dg.DagsterInstance
) -> None:
    open_filing(home, "JH-1")
    first, second = (tick(home, instance, "extraction") for _ in range(2))
    assert [r.run_key for r in first.run_requests or []] == [r.run_key for r in second.run_requests or []]
    assert [len(a.dynamic_partitions_requests or []) for a in (first, second)] == [1, 0]


def test_a_lost_history_asks_for_the_same_run_again(
    home: Settings, open_filing: OpenFiling, instance: dg.DagsterInstance
) -> None:
    open_filing(home, "JH-1")
    before = asked(home, instance)
    with dg.DagsterInstance.ephemeral() as fresh:
        assert asked(home, fresh) == before
        assert fresh.get_dynamic_partitions(PARTITIONS) == [FILING]


def test_each_filing_has_its_run_and_other_standards_none(
    home: Settings, open_filing: OpenFiling, instance: dg.DagsterInstance
) -> None:
    open_filing(home, "JH-1")
    open_filing(home, "JH-2")
    keys = asked(home, instance)["extraction"]
    assert sorted(str(key) for key in keys) == [
        "circ_audit.detail.JH-1:extract:round-1:0",
        "circ_audit.detail.JH-2:extract:round-1:0",
    ]
    assert not tick(home, instance, "extraction", "circ_statistics").run_requests


def test_an_empty_ledger_says_that_nothing_is_due(home: Settings, instance: dg.DagsterInstance) -> None:
    for sensor in SENSORS:
        answer = tick(home, instance, sensor)
        assert (answer.run_requests, answer.skip_reason.skip_message if answer.skip_reason else None) == (
            [],
            "没有到期的自动步骤",
        )


def test_a_retry_that_somebody_asked_for_is_a_new_run(
    home: Settings, open_filing: OpenFiling, instance: dg.DagsterInstance
) -> None:
    open_filing(home, "JH-1")
    with open_installation(home) as installation:
        with pytest.raises(Unavailable):
            flow.STAGES["extract"](installation, FILING)
        engineer = installation.deployment.user("data_engineer")
        request_retry(installation, FILING, engineer, reason="数据源已恢复")
    assert asked(home, instance)["extraction"] == [f"{FILING}:extract:round-1:1"]


def test_nothing_is_launched_while_people_are_at_work(
    reviewed: Settings, instance: dg.DagsterInstance
) -> None:
    nothing: dict[str, list[str | None]] = {sensor: [] for sensor in SENSORS}
    assert asked(reviewed, instance) == nothing
    with open_installation(reviewed) as installation:
        sign(installation, ("audit_reviewer", "agree"), ("business_reviewer", "agree"))
    assert asked(reviewed, instance) == nothing


def test_a_rejection_runs_the_checks_alone(reviewed: Settings, instance: dg.DagsterInstance) -> None:
    with open_installation(reviewed) as installation:
        sign(installation, ("audit_reviewer", "disagree"))
        decision = installation.state(FILING).decision
    assert decision is not None
    (request,) = tick(reviewed, instance, "approval").run_requests or []
    assert request.job_name == "circ_audit_release"
    assert request.run_key == f"{FILING}:reject:decision-{decision.seq}:0"
    assert request.asset_selection == []
    assert request.asset_check_keys == [
        dg.AssetCheckKey(dg.AssetKey(["circ_audit", "content"]), name)
        for name in ("request_accepted", "compliance_review", "business_approval", "executive_approval")
    ]
    assert asked(reviewed, instance)["extraction"] == []


def test_an_approval_by_the_whole_route_runs_the_release(
    reviewed: Settings, instance: dg.DagsterInstance
) -> None:
    route = ("audit_reviewer", "business_reviewer", "executive", "president")
    with open_installation(reviewed) as installation:
        sign(installation, *((person, "agree") for person in route))
        decision = installation.state(FILING).decision
    assert decision is not None
    (request,) = tick(reviewed, instance, "approval").run_requests or []
    assert request.run_key == f"{FILING}:release:decision-{decision.seq}:0"
    assert (request.job_name, request.asset_selection) == ("circ_audit_release", None)
