"""Dagster's history is lost: on an empty instance the sensors ask for exactly what the ledger says is due."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.defs.partitions import filings_of
from pipelines.stages.installation import open_installation
from resources.deployment import load_deployment
from tests.faults.world import AUDIT, FLASH, STATISTICS, World

FLASH_STEP = (FLASH, "extract:round-1:0")
"""The calendar opens the flash report too, and nobody works on it here."""
pytestmark = pytest.mark.prove
STEPS = {
    "opened": {(AUDIT, "extract:round-1:0"), (STATISTICS, "extract:round-1:0"), FLASH_STEP},
    "approved": {(AUDIT, "release"), (STATISTICS, "release"), FLASH_STEP},
    "packaged": {(AUDIT, "release"), (STATISTICS, "release"), FLASH_STEP},
}


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as empty:
        yield empty


def requested(world: World, instance: dg.DagsterInstance) -> dict[str, dg.RunRequest]:
    """What all sensors ask for together, by run key; partitions they ask for are added, as the daemon does."""
    deployment = load_deployment(world.settings.deployment, world.home)
    definitions = build_definitions(world.settings, deployment)
    repository = definitions.get_repository_def()
    asked: dict[str, dg.RunRequest] = {}
    for sensor in repository.sensor_defs:
        if not sensor.name.endswith(("_extraction_sensor", "_approval_sensor", "_receipt_sensor")):
            continue
        context = dg.build_sensor_context(instance=instance, repository_def=repository)
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        for wish in result.dynamic_partitions_requests or ():
            assert isinstance(wish, dg.AddDynamicPartitionsRequest)
            instance.add_dynamic_partitions(wish.partitions_def_name, list(wish.partition_keys))
        for request in result.run_requests or ():
            assert request.run_key is not None
            assert request.run_key not in asked, "asked for by two sensors"
            asked[request.run_key] = request
    return asked


@pytest.mark.parametrize("state", STEPS)
def test_an_empty_instance_is_asked_for_what_is_due(
    world: World, instance: dg.DagsterInstance, state: str
) -> None:
    world.restore(state)
    asked = requested(world, instance)
    assert {request.partition_key for request in asked.values()} == {AUDIT, FLASH, STATISTICS}
    assert len(asked) == 3
    for filing, step in STEPS[state]:
        assert any(key.startswith(f"{filing}:{step}") for key in asked)
    for standard, filings in (("circ_audit", {AUDIT}), ("circ_statistics", {FLASH, STATISTICS})):
        assert set(instance.get_dynamic_partitions(str(filings_of(standard).name))) == filings


def test_asking_again_on_another_empty_instance_gives_the_same_keys(world: World) -> None:
    world.restore("approved")
    asked: list[set[str]] = []
    for _ in range(2):
        with dg.DagsterInstance.ephemeral() as empty:
            asked.append(set(requested(world, empty)))
    assert asked[0] == asked[1]


def test_finished_filings_are_never_asked_for_again(world: World, instance: dg.DagsterInstance) -> None:
    world.restore("packaged")
    for stage in ("deliver", "acknowledge", "archive"):
        world.run(stage, STATISTICS)
    asked = requested(world, instance)
    assert {request.partition_key for request in asked.values()} == {AUDIT, FLASH}


def test_the_ledger_does_not_need_dagster(world: World) -> None:
    world.restore("packaged")
    assert not (world.home / "dagster").exists()
    with open_installation(world.settings) as installation:
        assert {state.id: state.stage for state in installation.states()} == {
            AUDIT: "packaged",
            FLASH: "opened",
            STATISTICS: "packaged",
        }
        assert installation.ledger.verify().problems == ()
