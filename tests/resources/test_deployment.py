"""A deployment loads whole or names every mistake with its file and line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipelines.cli.deployment import app
from pipelines.errors import LANGUAGE, BadInput, Refused, Unavailable, catalogue
from resources.deployment import (
    ROLES,
    Deployment,
    InterfaceConfig,
    SftpConfig,
    SqliteSource,
    init_deployment,
    load_deployment,
    resolve_address,
)
from resources.settings import CHECKOUT

DEMO = CHECKOUT / "resources" / "demo" / "deployment"
Edit = Callable[[str, str, str], int]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return load_deployment(DEMO, tmp_path_factory.mktemp("home"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "deployment"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    def replace(name: str, old: str, new: str) -> int:
        """Replace the first occurrence; returns the line it stands on."""
        path = folder / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    return replace


def mistakes(folder: Path) -> list[tuple[str, str, int]]:
    with pytest.raises(BadInput) as bad:
        load_deployment(folder, folder.parent)
    assert bad.value.code == "deployment.invalid"
    assert bad.value.values["count"] == len(bad.value.details)
    found: list[tuple[str, str, int]] = []
    for detail in bad.value.details:
        for language in ("zh", "en"):
            LANGUAGE.set(language)
            assert str(detail).startswith(str(detail.values["file"]))
        LANGUAGE.set("zh")
        file, line = detail.values["file"], detail.values["line"]
        assert isinstance(file, Path)
        assert isinstance(line, int)
        found.append((detail.code, file.name, line))
    return found


def test_the_demo_is_one_simulated_insurer(demo: Deployment) -> None:
    assert (demo.corporation.code, demo.clock, demo.identity) == ("0099", "file", "named")
    assert "模拟" in demo.corporation.name
    assert len(demo.organisations) == 2 + 36 + 72
    branches = [each.code for each in demo.level_one()]
    assert (len(branches), branches[0]) == (37, "000001")
    cities = {"210200", "330200", "350200", "370200", "440300"}
    assert cities == {code for code in branches if code[2:4] != "00" and code != "000001"}
    assert all(len(demo.children(code)) == 2 for code in branches if code != "000001")
    assert [each.code for each in demo.organisations if each.is_own_account] == ["000001"]
    assert all("模拟" in user.name for user in demo.users.values())
    assert [step.role for step in demo.routes["circ_audit"].steps] == [
        *("audit_reviewer", "business_reviewer", "executive", "president")
    ]
    compliance, departments, *_ = demo.routes["circ_audit"].steps
    assert (compliance.kind, departments.departments, departments.rejection) == (
        "compliance",
        "concerned",
        "departments",
    )
    together = demo.routes["circ_statistics"].steps[0]
    assert (together.roles, together.quorum, together.limit_working_hours) == (
        ("finance", "actuarial", "it"),
        None,
        8,
    )
    assert demo.routes["schedule_p"].steps[0].title.zh == ROLES["actuarial"][0]
    assert demo.filings["circ_statistics"].opening == ("flash", "monthly", "quarterly", "half_year", "annual")
    assert demo.filings["circ_statistics"].lead_working_days == 3
    assert isinstance(demo.channels["designated_sftp"], SftpConfig)
    assert isinstance(demo.channels["commission_interface"], InterfaceConfig)
    source = demo.sources["reference_core"]
    assert isinstance(source, SqliteSource)
    assert source.path(demo.home) == demo.home / "core.db"


def test_organisations_are_found_below_each_other(demo: Deployment) -> None:
    assert [each.code for each in demo.organisations_under("440000")] == ["440000", "440100", "440600"]
    assert [each.code for each in demo.organisations_under("440300", include_self=False)] == [
        *("440301", "440304")
    ]
    assert len(demo.organisations_under("000000")) == 110
    assert [each.code for each in demo.children("510000")] == ["510100", "510300"]
    with pytest.raises(BadInput, match=r"organisations\.csv"):
        demo.organisation("999999")


def test_people_see_their_own_branch_and_what_is_below_it(demo: Deployment) -> None:
    branch = demo.user("branch_440000")
    assert demo.may_see(branch, "440600")
    assert not demo.may_see(branch, "330000")
    assert not demo.may_see(branch, "000000")
    assert demo.may_see(demo.user("executive"), "330700")


def test_an_unknown_person_is_refused(demo: Deployment) -> None:
    with pytest.raises(Refused) as refused:
        demo.user("stranger")
    assert refused.value.code == "deployment.user_not_here"
    with pytest.raises(Refused) as refused:
        demo.user_of_os("root")
    assert refused.value.code == "deployment.os_user_not_here"


def test_the_insurers_own_sql_goes_before_the_products(folder: Path) -> None:
    deployment = load_deployment(folder, folder.parent)
    with pytest.raises(BadInput, match=r"NO_SUCH_TABLE\.sql"):
        deployment.sql_file("reference_core", "circ_audit", "NO_SUCH_TABLE")
    own = folder / "sql" / "reference_core" / "circ_audit" / "NO_SUCH_TABLE.sql"
    own.parent.mkdir(parents=True)
    own.write_text("SELECT 1", encoding="utf-8")
    assert deployment.sql_file("reference_core", "circ_audit", "NO_SUCH_TABLE") == own
    assert deployment.standard_folders[0] == folder / "standards"


def test_an_address_is_fixed_or_written_by_its_server(demo: Deployment, tmp_path: Path) -> None:
    address = demo.channels["designated_sftp"].address
    with pytest.raises(Unavailable) as unavailable:
        resolve_address(address, tmp_path)
    assert unavailable.value.code == "deployment.endpoint_missing"
    (tmp_path / "embedded").mkdir()
    endpoints = {"sftp": {"host": "127.0.0.1", "port": 4022}}
    (tmp_path / "embedded" / "endpoints.json").write_text(json.dumps(endpoints), encoding="utf-8")
    assert resolve_address(address, tmp_path) == ("127.0.0.1", 4022)


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("deployment.yaml", "identity: named", "identity: anybody", "deployment.value"),
        ("deployment.yaml", "clock: file", "clock: sundial", "deployment.value"),
        ("deployment.yaml", "timezone: Asia/Shanghai", "timezone: Asia/Nowhere", "deployment.value"),
        ("deployment.yaml", "clock: file", "clocks: file", "deployment.unknown_key"),
        ("deployment.yaml", "channel: designated_sftp", "channel: pigeon", "deployment.unknown_channel"),
        ("deployment.yaml", "source: schedule_p", "source: nowhere", "deployment.unknown_source"),
        (
            "deployment.yaml",
            "organisations: all",
            'organisations: ["999999"]',
            "deployment.unknown_organisation",
        ),
        ("deployment.yaml", "lead_working_days: 3", "lead_working_days: soon", "deployment.value"),
        ("deployment.yaml", "folder: inbox", "folder: .", "deployment.inbox_above"),
        ("deployment.yaml", "folder: inbox", "folder: /", "deployment.inbox_above"),
        ("deployment.yaml", "folder: inbox", "folder: ../inbox", "deployment.path_outside"),
        ("deployment.yaml", "folder: inbox", "folder: /srv/../inbox", "deployment.path_outside"),
        ("deployment.yaml", "quiet_seconds: 3", "quiet_seconds: soon", "deployment.value"),
        ("deployment.yaml", "quiet_seconds: 3", "silent_seconds: 3", "deployment.unknown_key"),
        ("deployment.yaml", "  schedule_p:  ", "  other:  ", "deployment.route_missing"),
        (
            "organisations.csv",
            "110100,北京朝阳支公司,110000",
            "110100,北京朝阳支公司,119999",
            "deployment.parent_missing",
        ),
        ("organisations.csv", "510100,成都", "440301,成都", "deployment.duplicate_organisation"),
        (
            "organisations.csv",
            "330700,金华中心支公司,330000,2",
            "330700,金华中心支公司,330000,3",
            "deployment.level",
        ),
        ("organisations.csv", "1,true,110102", "1,perhaps,110102", "deployment.value"),
        ("organisations.csv", "510100,成都中心支公司,", "510100,成都,中心,支公司,", "deployment.csv_cells"),
        ("organisations.csv", "code,name", "code,title", "deployment.csv_header"),
        ("users.yaml", "roles: [actuarial]", "roles: [astrologer]", "deployment.unknown_role"),
        (
            "users.yaml",
            'organisations: ["330000"]',
            'organisations: ["339999"]',
            "deployment.unknown_organisation",
        ),
        ("users.yaml", "  executive:", "  president:", "deployment.duplicate_key"),
        ("users.yaml", "name: 精算审核人（模拟）", "id: x", "deployment.unknown_key"),
        ("users.yaml", "  actuary:", "  <user-id>:", "deployment.value"),
        ("users.yaml", "精算审核人（模拟）", "<name>", "deployment.placeholder"),
        ("users.yaml", "roles: [actuarial]", "roles: [actuarial", "deployment.not_yaml"),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [branch_it, requester, sage]",
            "deployment.unknown_role",
        ),
        (
            "routes.yaml",
            "  approval: {departments",
            "  approval: {kind: compliance, departments",
            "deployment.change_approval_kind",
        ),
        (
            "routes.yaml",
            "  approval: {departments: concerned",
            "  approval: {departments: [nowhere]",
            "deployment.unknown_department",
        ),
        (
            "routes.yaml",
            "  raised_by: [data_engineer]",
            "  raised: [data_engineer]",
            "deployment.unknown_key",
        ),
        ("routes.yaml", "change_requests:", "changes:", "deployment.unknown_key"),
        ("routes.yaml", "steps: [actuarial, executive]", "steps: []", "deployment.value"),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{roles: [finance, it], quorum: 3}]",
            "deployment.quorum_too_large",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{departments: all, quorum: 4}]",
            "deployment.quorum_too_large",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{role: it, quorum: most}]",
            "deployment.quorum",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{role: it, quorum: 0}]",
            "deployment.quorum",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{departments: some}]",
            "deployment.step_departments",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{departments: [claims, claims]}]",
            "deployment.step_departments",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{departments: [legal]}]",
            "deployment.unknown_department",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{role: executive, departments: all}]",
            "deployment.departments_role",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{role: it, roles: [finance]}]",
            "deployment.role_and_roles",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{roles: [it, it]}]",
            "deployment.role_twice",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{role: it, limit_working_hours: 0}]",
            "deployment.value",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{role: it, rejection: nobody}]",
            "deployment.value",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "steps: [{role: it, deadline: 3}]",
            "deployment.unknown_key",
        ),
        (
            "routes.yaml",
            "steps: [actuarial, executive]",
            "gates: [moon_is_full]\n    steps: [it]",
            "deployment.unknown_gate",
        ),
        (
            "users.yaml",
            "roles: [president]",
            "roles: [president]\n    substitutes: [{user: nobody, from: 2026-05-01, until: 2026-05-02}]",
            "deployment.unknown_substitute",
        ),
        (
            "users.yaml",
            "roles: [president]",
            "roles: [president]\n    substitutes: [{user: executive, from: 2026-05-03, until: 2026-05-02}]",
            "deployment.substitute_dates",
        ),
        (
            "users.yaml",
            "roles: [president]",
            "roles: [president]\n    substitutes: [{user: executive, from: 2026-05-03}]",
            "deployment.missing",
        ),
        ("routes.yaml", "routes:", "paths:", "deployment.unknown_key"),
        ("deployment.yaml", "filings:", "review: {reading_seconds: soon}\nfilings:", "deployment.value"),
        ("deployment.yaml", "filings:", "review: {seconds: 2}\nfilings:", "deployment.unknown_key"),
        ("deployment.yaml", "lead_working_days: 3", "reading_seconds: -1", "deployment.value"),
        ("channels.yaml", "file:embedded/secrets/sftp_password", "geheim123", "deployment.plain_secret"),
        ("channels.yaml", "file:embedded/secrets/interface_token", "geheim123", "deployment.plain_secret"),
        ("channels.yaml", "{home: embedded/known_hosts}", "any", "deployment.host_key_unpinned"),
        ("channels.yaml", "{home: embedded/known_hosts}", "", "deployment.host_key_unpinned"),
        (
            "channels.yaml",
            "{home: embedded/known_hosts}",
            "{deployment: known_hosts}",
            "deployment.pinned_file_missing",
        ),
        (
            "channels.yaml",
            "{home: embedded/known_hosts}",
            "{home: /etc/ssh/known_hosts}",
            "deployment.path_outside",
        ),
        ("channels.yaml", "host_key_alias: designated-sftp", 'host_key_alias: "*"', "deployment.value"),
        ("channels.yaml", "kind: sftp", "kind: pigeon", "deployment.value"),
        ("channels.yaml", "folder: /outbox", "accept_any_host_key: true", "deployment.unknown_key"),
        ("channels.yaml", "folder: /outbox", "private_key: env:KEY", "deployment.one_credential"),
        ("channels.yaml", ", key: sftp}", "}", "deployment.address"),
        (
            "channels.yaml",
            "{file: embedded/endpoints.json, key: interface}",
            "{host: a.example, port: 80}",
            "deployment.plain_http",
        ),
        ("sources.yaml", "home:core.db", "core.db", "deployment.value"),
        ("sources.yaml", "kind: sqlite", "sort: sqlite", "deployment.missing"),
        ("calendar.yaml", "years: []", "years: [2027]", "deployment.year_without_holidays"),
        ("calendar.yaml", "holidays: []", "holidays: [soon]", "deployment.value"),
        ("deployment.yaml", "filings:", "assessment: {metrics: {SUB-4: {}}}\nfilings:", "deployment.value"),
        (
            "deployment.yaml",
            "filings:",
            "assessment: {priors: {2026Q2: {SUB-04: {mean: 1, strength: 0}}}}\nfilings:",
            "deployment.value",
        ),
        ("calendar.yaml", '"08:30-12:00"', '"08:30-8:00"', "deployment.session"),
        ("calendar.yaml", '"08:30-12:00"', '"12:00-08:30"', "deployment.session"),
        ("calendar.yaml", '"08:30-12:00"', '"14:00-15:00"', "deployment.hours_order"),
    ],
)
def test_a_mistake_is_named_with_its_line(
    folder: Path, edit: Edit, name: str, old: str, new: str, code: str
) -> None:
    line = edit(name, old, new)
    # what is wrong with an entry as a whole is named where the entry begins
    elsewhere = {"deployment.one_credential": -7, "deployment.plain_http": -2, "deployment.missing": -1}
    elsewhere |= {
        "deployment.duplicate_key": 4,
        "deployment.not_yaml": 1,
        "deployment.change_approval_kind": -2,
    }
    line += (
        new[: new.rfind("substitutes:")].count("\n") + (code == "deployment.missing")
        if "substitutes" in new
        else 0
    )
    assert (code, name, line + elsewhere.get(code, 0)) in mistakes(folder)


def test_a_plain_secret_is_not_repeated(folder: Path, edit: Edit) -> None:
    edit("channels.yaml", "file:embedded/secrets/sftp_password", "geheim123")
    with pytest.raises(BadInput) as bad:
        load_deployment(folder, folder.parent)
    assert "geheim123" not in str(bad.value)


def test_a_missing_host_key_is_named_at_its_channel(folder: Path, edit: Edit) -> None:
    line = edit("channels.yaml", "    known_hosts: {home: embedded/known_hosts}\n", "")
    ((code, name, found),) = mistakes(folder)
    assert (code, name) == ("deployment.host_key_unpinned", "channels.yaml")
    assert found == line - 4  # the channel's own line


def test_all_mistakes_of_all_files_come_at_once(folder: Path, edit: Edit) -> None:
    lines = {
        ("deployment.value", "deployment.yaml"): edit("deployment.yaml", "identity: named", "identity: x"),
        ("deployment.unknown_role", "users.yaml"): edit("users.yaml", "[branch_it]", "[wizard]"),
        ("deployment.plain_secret", "channels.yaml"): edit("channels.yaml", "file:embedded/secrets/s", "s"),
        ("deployment.level", "organisations.csv"): edit("organisations.csv", "310000,2", "310000,5"),
        ("deployment.value", "sources.yaml"): edit("sources.yaml", "home:schedule_p.db", "x"),
    }
    assert {(code, name): line for code, name, line in mistakes(folder)} == lines


def test_organisations_in_a_cycle_are_named(folder: Path, edit: Edit) -> None:
    edit("organisations.csv", "330000,浙江分公司,000000", "330000,浙江分公司,330100")
    with pytest.raises(BadInput) as bad:
        load_deployment(folder, folder.parent)
    cycles = [
        each.values["cycle"] for each in bad.value.details if each.code == "deployment.organisation_cycle"
    ]
    assert cycles == ["330000 → 330100 → 330000", "330100 → 330000 → 330100"]


def test_a_route_needs_someone_who_can_walk_it(folder: Path, edit: Edit) -> None:
    edit("users.yaml", "roles: [actuarial]", "roles: [finance]")
    lines = [
        edit("routes.yaml", step, step)
        for step in ("roles: [finance, actuarial, it]", "steps: [actuarial, executive]")
    ]
    assert mistakes(folder) == [("deployment.role_nobody_holds", "routes.yaml", line) for line in lines]


def test_a_standard_may_have_its_own_time_for_reading(folder: Path, edit: Edit) -> None:
    edit("deployment.yaml", "filings:", "review: {reading_seconds: 5}\nfilings:")
    edit("deployment.yaml", "lead_working_days: 3", "lead_working_days: 3\n    reading_seconds: 0")
    deployment = load_deployment(folder, folder.parent)
    assert (deployment.reading_seconds("circ_audit"), deployment.reading_seconds("circ_statistics")) == (5, 0)


def test_a_csv_with_a_byte_order_mark_or_in_gbk_is_told(folder: Path) -> None:
    path = folder / "organisations.csv"
    text = path.read_text(encoding="utf-8")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [code for code, _, _ in mistakes(folder)] == ["deployment.byte_order_mark"]
    path.write_bytes(text.encode("gbk"))
    with pytest.raises(BadInput, match="GBK") as bad:
        load_deployment(folder, folder.parent)
    codes = [(each.code, each.values["line"]) for each in bad.value.details]
    assert ("deployment.not_utf8", 2) in codes


def test_a_missing_folder_and_a_missing_file_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as bad:
        load_deployment(tmp_path / "nowhere", tmp_path)
    assert bad.value.code == "deployment.folder_missing"
    (folder / "calendar.yaml").unlink()
    assert mistakes(folder) == [("deployment.file_missing", "calendar.yaml", 1)]


def test_codes_stay_text_whatever_they_look_like(folder: Path, edit: Edit) -> None:
    edit("deployment.yaml", 'code: "0099"', "code: 0077")  # octal to YAML
    edit("users.yaml", 'organisations: ["440000"]', "organisations: [000001]")
    deployment = load_deployment(folder, folder.parent)
    assert deployment.corporation.code == "0077"
    assert deployment.user("requester_440000").organisations == {"000001"}


def fill(folder: Path) -> None:
    values = {
        "short-name": "mine",
        "corporation-code": "0123",
        "interface-host": "reports.example.cn",
        "head-office-name": "总公司",
    }
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        filled = re.sub(r"<([a-z-]+)>", lambda found: values.get(found[1], found[1]), text)
        path.write_text(filled, encoding="utf-8")


def test_a_started_deployment_loads_once_it_is_filled_in(tmp_path: Path) -> None:
    files = init_deployment(tmp_path / "mine")
    assert len(files) == 9
    found = mistakes(tmp_path / "mine")
    assert {code for code, _, _ in found} == {"deployment.placeholder"}
    fill(tmp_path / "mine")
    deployment = load_deployment(tmp_path / "mine", tmp_path)
    assert (deployment.corporation.code, deployment.clock, deployment.identity) == (
        *("0123", "system", "operating_system"),
    )
    assert deployment.user_of_os("executive-os-user").id == "executive"


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        init_deployment(tmp_path)
    assert refused.value.code == "deployment.folder_not_empty"
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_the_command_starts_and_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAOSONG_HOME", str(tmp_path / "home"))
    runner = CliRunner()
    assert runner.invoke(app, ["init", str(tmp_path / "mine")]).exit_code == 0
    assert isinstance(runner.invoke(app, ["check", str(tmp_path / "mine")]).exception, BadInput)
    fill(tmp_path / "mine")
    checked = runner.invoke(app, ["check", str(tmp_path / "mine")])
    assert (checked.exit_code, "0123" in checked.output) == (0, True)


def test_every_text_of_this_area_names_the_same_values_in_both_languages() -> None:
    path = CHECKOUT / "pipelines" / "messages" / "resources.yaml"
    for code in yaml.safe_load(path.read_text(encoding="utf-8")):
        texts = catalogue()[code]
        named = {language: set(re.findall(r"(?<!\{)\{(\w+)\}", text)) for language, text in texts.items()}
        assert named["zh"] == named["en"], code
