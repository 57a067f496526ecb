"""A filing for some of the report's tables passes Dagster's whole extraction: a table that is not demanded stops nothing."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.stages.installation import open_installation
from resources.deployment import load_deployment
from resources.settings import Settings

FILING = "circ_audit.detail.JH-7"
DEMANDED = ("JGXXB", "KHXXB")
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def settings(make_home: Callable[..., Settings], open_filing: Callable[..., str]) -> Settings:
    made = make_home(policies=200)
    assert open_filing(made, "JH-7", DEMANDED) == FILING
    return made


def test_tables_that_are_not_demanded_are_shown_as_such_and_the_content_is_judged(settings: Settings) -> None:
    definitions = build_definitions(settings, load_deployment(settings.deployment, settings.home))
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("circ_audit_filings", [FILING])
        result = definitions.resolve_job_def("circ_audit_extract").execute_in_process(
            partition_key=FILING, instance=instance, run_config=QUIET, raise_on_error=False
        )
        assert result.success
        shown = {
            event.step_materialization_data.materialization.asset_key.to_user_string(): dict(
                event.step_materialization_data.materialization.metadata
            )
            for event in result.get_asset_materialization_events()
        }
        checks = {event.check_name: event for event in result.get_asset_check_evaluations()}
    with open_installation(settings) as installation:
        state = installation.state(FILING)
    assert set(state.rounds[0].fact.tables) == set(DEMANDED)
    assert state.stage in ("reviewed", "in_review")
    assert {"circ_audit/content", "circ_audit/review"} <= set(shown)
    rounds = {name.rsplit("/", 1)[-1]: said for name, said in shown.items() if "/round/" in name}
    assert len(rounds) == 24
    assert {name for name, said in rounds.items() if "说明" not in said} == set(DEMANDED)
    assert rounds["BDXXB"]["说明"].value == "报送需求未要求此表，没有提取。"
    assert "dagster/row_count" not in rounds["BDXXB"]
    assert all(check.passed for check in checks.values() if check.check_name == "rules_R")
