"""Another insurer: a fresh deployment folder, filled in with its own code, organisations, people, source and SQL."""

from __future__ import annotations

import getpass
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from pipelines.errors import BadInput, Refused
from pipelines.stages.archive import evidence_path
from pipelines.stages.baseline import declare_none
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.package import package_folder
from pipelines.stages.request import open_due
from pipelines.stages.sign_off import give_opinion, open_sign_off
from pipelines.stages.verify_evidence import verify_evidence
from resources.clock import FileClock
from resources.deployment import init_deployment, load_deployment
from resources.settings import Settings
from tests.flow.conftest import check_ledger
from tests.flow.play import DEMO, START, reach_servers, replace_text, run

FILING = "circ_statistics.monthly.2026-04"
ORGANISATIONS = """\
code,name,parent,level,is_own_account,region
900000,海东农业保险总公司（模拟）,,0,false,
900001,总公司本级,900000,1,true,370102
920000,海东农业保险山东分公司（模拟）,900000,1,false,370102
920100,海东农业保险济南支公司（模拟）,920000,2,false,370102
"""
USERS = f"""\
users:
  zhao:
    name: 赵（模拟）
    os_user: {getpass.getuser()}
    roles: [data_engineer]
    organisations: ["*"]
  qian:
    name: 钱（模拟）
    os_user: nobody-qian
    roles: [finance]
    organisations: ["*"]
  sun:
    name: 孙（模拟）
    os_user: nobody-sun
    roles: [president]
    organisations: ["*"]
  li:
    name: 李（模拟）
    os_user: nobody-li
    roles: [business_reviewer]
    organisations: ["*"]
    departments: [finance]
"""
SQL = {
    "JGB": "SELECT dm AS JGDM, mc AS JGMC, sj AS SJJGDM, cj AS CJ, bj AS SFBJ, qh AS XZQH FROM jigou "
    "WHERE dm IN :sub_organisations OR cj = 0",
    "XMZ": "SELECT dm AS JGDM, xm AS XMDM, fen AS JE__cents FROM zhibiao WHERE dm IN :sub_organisations OR dm = '000000'",
    "ZZYE": "SELECT dm AS JGDM, xm AS XMDM, km AS KMBH, fen AS JE__cents FROM zongzhang WHERE dm IN :organisations",
}


def books(path: Path) -> None:
    """The insurer's own system, with names of its own; amounts in cents."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(
            """
            CREATE TABLE jigou (dm TEXT, mc TEXT, sj TEXT, cj INTEGER, bj TEXT, qh TEXT);
            CREATE TABLE zhibiao (dm TEXT, xm TEXT, fen BIGINT);
            CREATE TABLE zongzhang (dm TEXT, xm TEXT, km TEXT, fen BIGINT);
            INSERT INTO jigou VALUES
                ('000000', '总公司', NULL, 0, '否', NULL), ('900001', '本级', '000000', 1, '是', NULL),
                ('920000', '山东', '000000', 1, '否', '370102'), ('920100', '济南', '920000', 2, '否', '370102');
            INSERT INTO zhibiao VALUES
                ('920100', 'BF040000', 123456), ('900001', 'BF040000', 1000), ('920100', 'QD040000', 300),
                ('920100', 'QB900001', 123456), ('900001', 'QB900001', 1000),
                ('920100', 'KH010000', 200), ('920000', 'KH010000', 200), ('000000', 'KH010000', 200);
            INSERT INTO zongzhang VALUES ('920000', 'BF040000', '6031ZR', 123456), ('900001', 'BF040000', '6031ZR', 1000);
            """
        )


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    folder = tmp_path / "haidong"
    init_deployment(folder)
    with pytest.raises(BadInput, match="占位内容尚未填写"):
        load_deployment(folder, tmp_path / "home")
    for placeholder, value in {
        "<short-name>": "haidong",
        "<corporation-code>": '"0321"',
        "<corporation-name>": "海东农业保险股份有限公司（模拟）",
        "source: core": "source: nongxian",
        "clock: system": "clock: file",
    }.items():
        replace_text(folder / "deployment.yaml", placeholder, value)
    (folder / "organisations.csv").write_text(ORGANISATIONS, encoding="utf-8")
    (folder / "users.yaml").write_text(USERS, encoding="utf-8")
    replace_text(folder / "routes.yaml", "[finance, executive]", "[finance, president]")
    (folder / "sources.yaml").write_text(
        "sources:\n  nongxian: {kind: sqlite, database: home:nongxian.db}\n", encoding="utf-8"
    )
    channels = folder / "channels.yaml"
    replace_text(
        channels,
        "{host: <interface-host>, port: 443}",
        "{file: embedded/endpoints.json, key: interface}",
    )
    replace_text(channels, "scheme: https", "scheme: http")
    replace_text(channels, "env:COMMISSION_TOKEN", "file:embedded/secrets/interface_token")
    for table, sql in SQL.items():
        path = folder / "sql" / "nongxian" / "circ_statistics" / f"{table}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sql + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def insurer(deployment: Path, servers: Path, tmp_path: Path) -> Iterator[Installation]:
    home = tmp_path / "home"
    home.mkdir()
    books(home / "nongxian.db")
    FileClock(home / "clock").start(START)
    reach_servers(home, servers)
    with open_installation(Settings(home=home, deployment=deployment)) as installation:
        yield installation
        check_ledger(installation)


def test_another_insurer_files_from_its_own_folder(insurer: Installation) -> None:
    _, state = open_due(insurer, date(2026, 5, 6))
    assert (state.id, state.opened.fact.organisations) == (FILING, ("900001", "920000"))
    state = run(insurer, FILING, "extract", "validate", "review")
    assert state.content is not None
    assert {rule: n for rule, n in state.content.fact.counts.items() if n} == {}
    me = insurer.user(None)
    assert me.id == "zhao"
    declare_none(insurer, FILING, me, reason="首次报送")
    open_sign_off(insurer, FILING, me)
    for name in ("qian", "sun"):
        give_opinion(insurer, FILING, insurer.deployment.user(name), opinion="agree", comment="同意")
    state = run(insurer, FILING, "package", "deliver", "acknowledge", "archive")
    assert state.receipt is not None
    assert (state.stage, state.receipt.fact.result) == ("archived", "accepted")
    package = sent_file(package_folder(insurer, state))
    assert package.name == "DATA03212026042.xml"
    text = package.read_text("gb2312")
    assert set(re.findall(r"<areaid>(\d+)</areaid>", text)) == {
        "0321000000", "0321900001", "0321920000", "0321920100",
    }  # fmt: skip
    assert "<key>BF000000</key><intervaltype>2</intervaltype></PK><value>1244.56</value>" in text
    proven = verify_evidence(evidence_path(insurer, state))
    assert proven.approvals == ("finance: qian", "president: sun")


def test_nobody_acts_as_somebody_else(insurer: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="部署“haidong”按操作系统账号识别身份，不能用 --as 指定他人。"):
        insurer.user("qian")
    monkeypatch.setattr(getpass, "getuser", lambda: "stranger")
    with pytest.raises(Refused, match="操作系统用户 stranger 在") as caught:
        insurer.user(None)
    assert caught.value.exit_code == 3


def test_a_table_without_sql_is_named(insurer: Installation, deployment: Path) -> None:
    open_due(insurer, date(2026, 5, 6))
    sql = deployment / "sql" / "nongxian" / "circ_statistics" / "ZZYE.sql"
    text = sql.read_text(encoding="utf-8")
    sql.unlink()
    with pytest.raises(BadInput) as caught:
        run(insurer, FILING, "extract")
    assert "数据源 nongxian 没有填报 circ_statistics 的表 ZZYE 的 SQL：应有 ZZYE.sql，已查找" in str(
        caught.value
    )
    assert str(sql.parent) in str(caught.value)
    sql.write_text(text, encoding="utf-8")
    assert run(insurer, FILING, "extract").stage == "extracted"


def test_a_ledger_serves_one_deployment(insurer: Installation) -> None:
    """Opening this insurer's home with the demo's deployment is refused."""
    open_due(insurer, date(2026, 5, 6))
    (insurer.home / "clock").write_text(
        '{"simulated": "2026-05-06T09:00:00+08:00", "real": "2026-01-01T00:00:00+00:00"}\n', encoding="utf-8"
    )
    with (
        pytest.raises(Refused, match="haidong"),
        open_installation(Settings(home=insurer.home, deployment=DEMO)),
    ):
        raise AssertionError("opened")
