"""Dagster runs the flow for real on a small damaged core: what it shows, and what a red step says."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.defs import resources as dagster_resources
from pipelines.stages.installation import open_installation
from resources.deployment import load_deployment
from resources.settings import CHECKOUT, Settings

DEFECTS = CHECKOUT / "resources" / "demo" / "defects.yaml"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FILING = "circ_audit.detail.JH-1"

MakeHome = Callable[..., Settings]
OpenFiling = Callable[[Settings, str], str]


@dataclass(frozen=True)
class Extracted:
    """The extraction job's run on a damaged core, and that core's answer key as counts by rule."""

    settings: Settings
    result: dg.ExecuteInProcessResult
    expected: Mapping[str, int]

    @property
    def materialized(self) -> dict[str, dg.AssetMaterialization]:
        events = (e.step_materialization_data for e in self.result.get_asset_materialization_events())
        return {e.materialization.asset_key.to_user_string(): e.materialization for e in events}


def run(settings: Settings, job: str, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    definitions = build_definitions(settings, load_deployment(settings.deployment, settings.home))
    instance.add_dynamic_partitions("circ_audit_filings", [FILING])
    return definitions.resolve_job_def(job).execute_in_process(
        partition_key=FILING, instance=instance, run_config=QUIET, raise_on_error=False
    )


def failure_of(result: dg.ExecuteInProcessResult, step: str) -> tuple[str, dict[str, object]]:
    """What the red step says: its message and the metadata under it."""
    (event,) = [e for e in result.all_events if e.is_step_failure and e.step_key == step]
    failed = event.step_failure_data
    assert failed.user_failure_data is not None, "a dg.Failure, not an exception"
    shown = {name: value.value for name, value in failed.user_failure_data.metadata.items()}
    return failed.user_failure_data.description or "", shown


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture(scope="module")
def extracted(make_home: MakeHome, open_filing: OpenFiling, instance: dg.DagsterInstance) -> Extracted:
    settings = make_home(policies=2000, defects=DEFECTS)
    open_filing(settings, "JH-1")
    with (settings.home / "answer_key.csv").open(encoding="utf-8", newline="") as file:
        expected = Counter(row["rule"] for row in csv.DictReader(file) if row["standard"] == "circ_audit")
    return Extracted(settings, run(settings, "circ_audit_extract", instance), expected)


def test_findings_do_not_make_a_run_red(extracted: Extracted) -> None:
    assert extracted.result.success


def test_every_table_shows_the_rows_and_digest_that_the_ledger_recorded(extracted: Extracted) -> None:
    with open_installation(extracted.settings) as installation:
        recorded = installation.state(FILING).rounds[-1].fact.tables
    assert len(recorded) == 24
    for name, facts in recorded.items():
        shown = extracted.materialized[f"circ_audit/round/{name}"].metadata
        assert shown["dagster/row_count"].value == facts.rows > 0
        assert shown["内容摘要"].value == facts.digest


def test_the_first_round_has_no_comparison_and_everything_else(extracted: Extracted) -> None:
    names = {name for name in extracted.materialized if "/round/" not in name}
    assert names == {"circ_audit/content", "circ_audit/review"}


def test_the_content_shows_the_answer_keys_count_of_every_rule(extracted: Extracted) -> None:
    shown = extracted.materialized["circ_audit/content"].metadata
    table = str(shown["问题数据（按规则）"].value).splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    assert {row[0]: int(row[3].replace(",", "")) for row in cells} == extracted.expected
    assert shown["阻断"].value + shown["需签报说明"].value + shown["提示"].value == sum(
        extracted.expected.values()
    )


def test_a_group_of_rules_fails_exactly_where_the_answer_key_has_its_rules(extracted: Extracted) -> None:
    checks = {e.check_name: e for e in extracted.result.get_asset_check_evaluations()}
    assert set(checks) == {f"rules_{letter}" for letter in "ABCDEPR"}
    for name, check in checks.items():
        shown = {rule.split()[0]: value.value for rule, value in check.metadata.items()}
        group = {rule: n for rule, n in extracted.expected.items() if rule.startswith(name[-1])}
        assert {rule: n for rule, n in shown.items() if n} == group
        for rule, n in group.items():
            assert f"{rule} {n} 条" in (check.description or "")
    assert any(not check.passed for check in checks.values())
    assert "未判断" in (checks["rules_P"].description or "")  # nothing came before to compare with
    assert all(check.passed for name, check in checks.items() if not _has(extracted.expected, name[-1]))


def test_personal_data_is_masked_in_previews(extracted: Extracted) -> None:
    preview = str(extracted.materialized["circ_audit/round/KHXXB"].metadata["预览"].value)
    heading, _, *rows = preview.splitlines()
    columns = [cell.split()[0] for cell in heading.strip("|").split(" | ")]
    assert len(rows) == 5
    for row in rows:
        cells = dict(zip(columns, (cell.strip() for cell in row.strip("|").split(" | ")), strict=True))
        assert {cells[name] for name in ("KHMC", "ZJHM", "CSRQ")} <= {"***", "—"}
        assert cells["KHBH"] not in {"***", "—"}


def test_the_review_shows_how_many_problems_wait_for_whom(extracted: Extracted) -> None:
    shown = extracted.materialized["circ_audit/review"].metadata
    with open_installation(extracted.settings) as installation:
        state = installation.state(FILING)
    listed = "；".join(state.listings[-1].fact.documents)
    assert (shown["文件"].value, shown["待初审"].value) == (listed, state.holds("first_review"))
    assert state.holds("first_review") == sum(held.count for held in state.held) > 0
    assert (shown["待下发"].value, shown["待答复"].value) == (0, 0)
    assert shown["工作簿"].value == "待初审后由责任部门下发，或没有需要答复的问题数据。"
    assert str(shown["待处理问题图（按机构）"].value).startswith(
        "![待处理问题图（按机构）](data:image/svg+xml;base64,"
    )


def test_where_nobody_reviews_first_each_workbook_that_went_out_is_shown(
    extracted: Extracted, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    shutil.copytree(extracted.settings.home, tmp_path / "home")
    deployment = shutil.copytree(extracted.settings.deployment, tmp_path / "deployment")
    told = (deployment / "deployment.yaml").read_text("utf-8").splitlines(keepends=True)
    others = [line for line in told if "first_review:" not in line]
    assert len(others) == len(told) - 1
    (deployment / "deployment.yaml").write_text("".join(others), encoding="utf-8")
    settings = extracted.settings.model_copy(update={"home": tmp_path / "home", "deployment": deployment})
    result = run(settings, "circ_audit_validate", instance)
    materialized = Extracted(settings, result, extracted.expected).materialized
    shown = materialized["circ_audit/review"].metadata
    with open_installation(settings) as installation:
        state = installation.state(FILING)
    sent = [workbook for dispatch in state.dispatches for workbook in dispatch.fact.workbooks]
    assert sum(workbook.problems for workbook in sent) == shown["待答复"].value == state.holds("answer")
    assert str(shown["工作簿"].value).splitlines()[2:] == [
        f"| {w.department} | {w.organisation} | {w.file} | {w.problems:,} | {w.sha256[:12]} |" for w in sent
    ]


def test_running_it_again_shows_the_same_round(extracted: Extracted, instance: dg.DagsterInstance) -> None:
    again = run(extracted.settings, "circ_audit_extract", instance)
    assert again.success
    with open_installation(extracted.settings) as installation:
        assert installation.state(FILING).round == 1


def test_a_release_without_a_sign_off_is_red_at_the_check_and_packages_nothing(
    extracted: Extracted, instance: dg.DagsterInstance
) -> None:
    released = run(extracted.settings, "circ_audit_release", instance)
    assert not released.success
    checks = {
        check.check_name: (check.passed, check.description)
        for check in released.get_asset_check_evaluations()
    }
    assert checks == {
        "request_accepted": (True, "JH-1：audit_reviewer 同意"),
        "compliance_review": (False, "签署未完成"),
        "business_approval": (False, "签署未完成"),
        "executive_approval": (False, "签署未完成"),
    }
    assert released.get_asset_materialization_events() == []


def test_the_stage_refuses_when_dagster_is_told_to_package_without_the_check(
    extracted: Extracted, instance: dg.DagsterInstance
) -> None:
    definitions = build_definitions(
        extracted.settings, load_deployment(extracted.settings.deployment, extracted.settings.home)
    )
    result = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        partition_key=FILING,
        instance=instance,
        asset_selection=[dg.AssetKey(["circ_audit", "package"])],
        run_config=QUIET,
        raise_on_error=False,
    )
    message, shown = failure_of(result, "circ_audit__package")
    assert FILING in message
    assert shown["处理后重新运行"] == f"baosong filing retry {FILING} --reason …"
    assert not (extracted.settings.home / "packages").exists()


def test_a_source_that_is_down_is_retried_and_then_red_with_a_message_that_a_person_reads(
    make_home: MakeHome,
    open_filing: OpenFiling,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dagster_resources, "RETRY_SECONDS", 0)
    settings = make_home()
    open_filing(settings, "JH-1")
    result = run(settings, "circ_audit_extract", instance)
    assert not result.success
    message, shown = failure_of(result, "circ_audit_extract_round")
    core = settings.home / "core.db"
    assert message == f"数据源 reference_core 不可用：没有数据库文件 {core}。请先生成或挂载该文件，再重跑。"
    assert shown["错误代码"] == "source.file_missing"
    (event,) = [e for e in result.all_events if e.is_step_failure]
    assert event.step_failure_data.error is not None
    assert event.step_failure_data.error.cause is None, "the traceback of the cause is in the log only"
    assert sum(e.event_type_value == "STEP_UP_FOR_RETRY" for e in result.all_events) == 2
    with open_installation(settings) as installation:
        assert installation.state(FILING).stage == "opened"


def test_a_filing_that_is_not_open_is_red_with_its_name(
    make_home: MakeHome, instance: dg.DagsterInstance
) -> None:
    result = run(make_home(), "circ_audit_extract", instance)
    message, _ = failure_of(result, "circ_audit_extract_round")
    assert FILING in message
    assert "Traceback" not in message


def _has(counts: Mapping[str, int], letter: str) -> bool:
    return any(rule.startswith(letter) for rule in counts)
