"""A file that waits in the inbox becomes one run that takes it in; the tick itself imports nothing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipelines.defs import build_definitions
from pipelines.stages import flow
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.issue import dispatch_folder, issue
from pipelines.stages.selection import Selection
from resources.demo.fill_workbook import fill_answers, read_findings
from resources.deployment import load_deployment
from resources.settings import CHECKOUT, Settings

MakeHome = Callable[..., Settings]
OpenFiling = Callable[[Settings, str], str]
FILING = "circ_audit.detail.JH-1"
USER = "branch_330000"
DEFECTS = CHECKOUT / "resources" / "demo" / "defects.yaml"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture(scope="module")
def issued(
    make_home: MakeHome, open_filing: OpenFiling, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """The claims department's problem data is with the branches; files in the inbox need no rest. Tests use a copy."""
    settings = make_home(policies=2000, defects=DEFECTS)
    deployment = tmp_path_factory.mktemp("deployment")
    shutil.copytree(settings.deployment, deployment, dirs_exist_ok=True)
    main = deployment / "deployment.yaml"
    text = main.read_text(encoding="utf-8")
    main.write_text(text.replace("quiet_seconds: 3", "quiet_seconds: 0"), encoding="utf-8")
    settings = settings.model_copy(update={"deployment": deployment})
    open_filing(settings, "JH-1")
    with open_installation(settings) as installation:
        for stage in ("extract", "validate", "review"):
            flow.STAGES[stage](installation, FILING)
        user = installation.deployment.user
        review_findings(installation, FILING, user("audit_reviewer"), "confirm", Selection())
        issue(installation, FILING, "claims", user("claims_reviewer"), Selection())
    return settings


@pytest.fixture
def home(issued: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(issued.home, tmp_path / "home")
    (tmp_path / "home" / "inbox" / USER).mkdir(parents=True)
    return issued.model_copy(update={"home": tmp_path / "home"})


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def definitions_of(settings: Settings) -> dg.Definitions:
    return build_definitions(settings, load_deployment(settings.deployment, settings.home))


def asked(settings: Settings, instance: dg.DagsterInstance) -> dg.SensorResult:
    repository = definitions_of(settings).get_repository_def()
    with dg.build_sensor_context(instance=instance, repository_def=repository) as context:
        answer = repository.get_sensor_def("answers_inbox_sensor")(context)
    assert isinstance(answer, dg.SensorResult)
    return answer


def run(
    settings: Settings, request: dg.RunRequest, instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    job = definitions_of(settings).resolve_job_def("take_in_answers")
    return job.execute_in_process(
        run_config={**request.run_config, **QUIET}, instance=instance, raise_on_error=False
    )


def fill(installation: Installation, folder: Path) -> Path:
    """The branch's workbook, everything promised to be mended at the source."""
    (dispatch,) = installation.state(FILING).dispatches
    (sent,) = (w for w in dispatch.fact.workbooks if w.organisation == "330000")
    original = dispatch_folder(installation, FILING, dispatch.seq) / sent.file
    findings = [line["问题编号"] for line in read_findings(original)]
    assert findings
    fill_answers(original, folder / sent.file, dict.fromkeys(findings, ("源头修正", "", "已改正（模拟）")))
    return folder / sent.file


def drop(settings: Settings, content: Path | bytes, name: str = "答复.xlsx") -> Path:
    path = settings.home / "inbox" / USER / name
    path.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    return path


def facts_of(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    (output,) = (e for e in result.all_events if e.is_successful_output)
    return {name: value.value for name, value in output.step_output_data.metadata.items()}


def test_a_dropped_file_is_asked_for_as_one_run_and_the_tick_imports_nothing(
    home: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    assert asked(home, instance).run_requests == []
    with open_installation(home) as installation:
        path = drop(home, fill(installation, tmp_path))
        before = installation.ledger.event_count()
        first, second = (asked(home, instance).run_requests or [] for _ in range(2))
        assert installation.ledger.event_count() == before
    assert path.exists()
    assert [r.run_key for r in first] == [r.run_key for r in second]
    (request,) = first
    assert request.run_key is not None and request.run_key.startswith(f"{USER}:")
    assert request.tags["baosong/user"] == USER


def test_the_run_takes_its_file_in_and_shows_what_became_of_it(
    home: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with open_installation(home) as installation:
        workbook = fill(installation, tmp_path)
    path = drop(home, workbook)
    other = drop(home, b"no workbook", "other.xlsx")
    mine = next(
        r
        for r in asked(home, instance).run_requests or []
        if r.run_config["ops"]["take_in_dropped_file"]["config"]["shown"] == path.name
    )
    result = run(home, mine, instance)
    assert result.success
    with open_installation(home) as installation:
        (received,) = installation.state(FILING).answers
    assert (received.actor, received.fact.organisation) == (USER, "330000")
    shown = facts_of(result)
    assert shown["报送任务"] == FILING
    assert (shown["收下"], shown["退回"]) == (str(len(read_findings(workbook))), "0")
    assert (path.exists(), other.exists()) == (False, True)
    assert run(home, mine, instance).success, "a run whose file is dealt with has nothing to do"
    with open_installation(home) as installation:
        assert len(installation.state(FILING).answers) == 1


def test_a_refused_file_is_no_red_run_but_says_why(home: Settings, instance: dg.DagsterInstance) -> None:
    drop(home, b"no workbook")
    (request,) = asked(home, instance).run_requests or []
    result = run(home, request, instance)
    assert result.success
    assert "答复.xlsx 不是 .xlsx 工作簿" in str(facts_of(result)["理由"])
    assert asked(home, instance).run_requests == []


def test_the_same_bytes_dropped_again_are_another_run(home: Settings, instance: dg.DagsterInstance) -> None:
    keys: list[str | None] = []
    for _ in range(2):
        drop(home, b"no workbook")
        (request,) = asked(home, instance).run_requests or []
        keys.append(request.run_key)
        assert run(home, request, instance).success
    assert keys[0] != keys[1] and str(keys[0]).rsplit(":", 1)[0] == str(keys[1]).rsplit(":", 1)[0]


def test_what_is_wrong_on_our_side_is_a_red_run_and_the_file_waits(
    home: Settings, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    with open_installation(home) as installation:
        path = drop(home, fill(installation, tmp_path))
    (home.home / "keys" / "workbooks").chmod(0o644)
    (request,) = asked(home, instance).run_requests or []
    result = run(home, request, instance)
    (failed,) = (e for e in result.all_events if e.is_step_failure)
    told = failed.step_failure_data.user_failure_data
    assert told is not None and str(home.home / "keys" / "workbooks") in str(told.description)
    assert {n: v.value for n, v in told.metadata.items()} == {
        "处理后重新运行": "baosong answers inbox",
        "错误代码": "ledger.key_readable",
    }
    assert path.exists()


def test_a_deployment_without_an_inbox_has_no_such_sensor(issued: Settings, tmp_path: Path) -> None:
    deployment = tmp_path / "deployment"
    shutil.copytree(issued.deployment, deployment)
    text = (deployment / "deployment.yaml").read_text(encoding="utf-8")
    begin, end = text.index("answers_inbox:"), text.index("filings:")
    (deployment / "deployment.yaml").write_text(text[:begin] + text[end:], encoding="utf-8")
    repository = definitions_of(issued.model_copy(update={"deployment": deployment})).get_repository_def()
    assert "answers_inbox_sensor" not in {sensor.name for sensor in repository.sensor_defs}
    assert not repository.has_job("take_in_answers")
