"""People's checks in real runs: each shows its own steps, and one that is red keeps everything behind it from running."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.defs.people_checks import people_checks
from pipelines.stages import flow
from pipelines.stages.baseline import declare_none
from pipelines.stages.installation import open_installation
from pipelines.stages.request import open_due
from pipelines.stages.request_amend import RequestChanges, amend_request
from pipelines.stages.sign_off import give_opinion, open_sign_off
from resources.deployment import Route, load_deployment
from resources.settings import Settings
from tests.pipelines.defs.conftest import MakeHome, OpenFiling

FILING = "circ_audit.detail.JH-1"
CONTENT = dg.AssetKey(["circ_audit", "content"])
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def judged(make_home: MakeHome, open_filing: OpenFiling) -> Settings:
    """An audit filing of a clean core that waits for its sign-off. Tests use a copy."""
    settings = make_home(policies=2000)
    open_filing(settings, "JH-1")
    with open_installation(settings) as installation:
        for stage in ("extract", "validate", "review"):
            flow.STAGES[stage](installation, FILING)
        engineer = installation.deployment.user("data_engineer")
        declare_none(installation, FILING, engineer, reason="首次报送")
        open_sign_off(installation, FILING, engineer)
    return settings


@pytest.fixture
def settings(judged: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(judged.home, tmp_path / "home")
    return judged.model_copy(update={"home": tmp_path / "home"})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        ephemeral.add_dynamic_partitions("circ_audit_filings", [FILING])
        yield ephemeral


def sign(settings: Settings, *opinions: tuple[str, str]) -> None:
    with open_installation(settings) as installation:
        for person, opinion in opinions:
            user = installation.deployment.user(person)
            said = "agree" if opinion == "agree" else "disagree"
            give_opinion(installation, FILING, user, opinion=said, comment=f"{person} 的意见")


def test_a_check_links_to_the_filing_at_the_desk_where_somebody_said_where_that_is(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    sign(settings, ("audit_reviewer", "disagree"))
    assert all("审核台" not in check.metadata for check in checks_alone(settings, instance).values())
    monkeypatch.setenv("BAOSONG_DESK_URL", "https://baosong.example.cn/")
    for check in checks_alone(settings, instance).values():
        assert check.metadata["审核台"].value == f"https://baosong.example.cn/filings/{FILING}"


def checks_alone(settings: Settings, instance: dg.DagsterInstance) -> dict[str, dg.AssetCheckEvaluation]:
    """What the run of a rejection shows."""
    deployment = load_deployment(settings.deployment, settings.home)
    job = build_definitions(settings, deployment).resolve_job_def("circ_audit_release")
    names = people_checks(deployment.routes["circ_audit"])
    subset = job.get_subset(
        asset_selection=set(), asset_check_selection={dg.AssetCheckKey(CONTENT, name) for name in names}
    )
    result = subset.execute_in_process(
        partition_key=FILING, instance=instance, run_config=QUIET, raise_on_error=False
    )
    assert result.get_asset_materialization_events() == []
    return {each.check_name: each for each in result.get_asset_check_evaluations()}


def test_a_rejection_shows_who_disagreed_at_which_check(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    sign(settings, ("audit_reviewer", "agree"), ("accounting_reviewer", "disagree"))
    found = checks_alone(settings, instance)
    assert {name: (each.passed, each.description) for name, each in found.items()} == {
        "request_accepted": (True, "JH-1：audit_reviewer 同意"),
        "compliance_review": (True, "同意：audit_reviewer"),
        "business_approval": (False, "不同意：accounting_reviewer"),
        "executive_approval": (False, "签署未完成"),
    }
    with open_installation(settings) as installation:
        state = installation.state(FILING)
    reviewed, rejected = state.live_opinions
    shown = found["business_approval"].metadata
    assert shown["意见"].value == (
        f"- {rejected.at:%Y-%m-%d %H:%M} business_reviewer finance **accounting_reviewer** 不同意：accounting_reviewer 的意见"
    )
    assert shown["内容摘要"].value == rejected.fact.content
    assert (shown["台账事件"].value, shown["事件哈希"].value) == (str(rejected.seq), rejected.hash)
    assert reviewed.fact.compliance is not None
    shown = found["compliance_review"].metadata
    assert (shown["审查摘要"].value, shown["偏离"].value) == (
        reviewed.fact.compliance.digest,
        reviewed.fact.compliance.deviations,
    )
    assert json.loads(reviewed.fact.statement)["compliance"]["digest"] == shown["审查摘要"].value


def test_seats_that_are_awaited_are_named(settings: Settings, instance: dg.DagsterInstance) -> None:
    sign(settings, ("audit_reviewer", "agree"))
    found = checks_alone(settings, instance)
    assert found["business_approval"].metadata["待签席位"].value == "business_reviewer finance"
    assert found["executive_approval"].metadata["待签席位"].value == "executive、president"


def test_the_checks_follow_the_route() -> None:
    route = Route.model_validate({"steps": ["finance", {"roles": ["executive", "president"]}]})
    assert people_checks(route) == ("request_accepted", "business_approval", "executive_approval")
    mixed = Route.model_validate({"steps": [{"roles": ["executive", "it"]}]})
    assert people_checks(mixed) == ("request_accepted", "business_approval")


def test_a_filing_of_the_calendar_names_it_instead_of_a_review(
    make_home: MakeHome, instance: dg.DagsterInstance
) -> None:
    settings = make_home()
    with open_installation(settings) as installation:
        flash, _ = open_due(installation, installation.now().date())
    instance.add_dynamic_partitions("circ_statistics_filings", [flash.id])
    deployment = load_deployment(settings.deployment, settings.home)
    job = build_definitions(settings, deployment).resolve_job_def("circ_statistics_release")
    check = dg.AssetCheckKey(dg.AssetKey(["circ_statistics", "content"]), "request_accepted")
    result = job.get_subset(asset_selection=set(), asset_check_selection={check}).execute_in_process(
        partition_key=flash.id, instance=instance, run_config=QUIET, raise_on_error=False
    )
    (evaluation,) = result.get_asset_check_evaluations()
    assert evaluation.passed
    assert evaluation.description == f"由日历开启：{flash.opened.fact.basis}"


def test_an_amendment_that_waits_for_its_review_turns_the_request_red(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    with open_installation(settings) as installation:
        requester = installation.deployment.user("requester_440000")
        changes = RequestChanges(deadline=date(2026, 5, 18))
        amend_request(installation, "JH-1", requester, changes=changes, reason="监管来文更正")
    found = checks_alone(settings, instance)["request_accepted"]
    assert not found.passed
    assert "JH-1" in (found.description or "")
