"""Bad input, named: message with place and way out, exit code, nothing recorded, and a rerun that continues after mending."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from openpyxl import load_workbook

from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from pipelines.ledger.filing import FilingState
from pipelines.stages.correct import import_answers
from pipelines.stages.extract import request_extraction
from pipelines.stages.installation import Installation
from pipelines.stages.issue import dispatch_folder
from resources.settings import CHECKOUT
from tests.flow.conftest import Resume, check_ledger
from tests.flow.play import (
    AUDIT,
    SCHEDULE_P,
    agree,
    answer_audit,
    declare_causes,
    draft,
    execute,
    filled_workbooks,
    open_by_request,
    opened,
    own_deployment,
    preparer,
    reach_servers,
    run,
    schedule_p_draft,
)


def fails(
    installation: Installation,
    filing: str,
    stage: str,
    kind: type[BaosongError],
    exit_code: int,
    *fragments: str,
) -> FilingState:
    """The stage fails with these words and this exit code, the filing stays as it was and the ledger holds."""
    before = installation.state(filing)
    with pytest.raises(kind) as caught:
        run(installation, filing, stage)
    assert caught.value.exit_code == exit_code
    for fragment in fragments:
        assert fragment in str(caught.value)
    after = installation.state(filing)
    assert (after.rounds, after.packages, after.sent) == (before.rounds, before.packages, before.sent)
    check_ledger(installation)
    return after


# ---- the source


def test_the_source_is_down(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, schedule_p_draft(installation.home))
    source, away = installation.home / "schedule_p.db", installation.home / "away.db"
    source.rename(away)
    fails(
        installation, SCHEDULE_P, "extract", Unavailable, 4,
        f"数据源 schedule_p 不可用：没有数据库文件 {source}。请先生成或挂载该文件，再重跑。",
    )  # fmt: skip
    away.rename(source)
    assert run(installation, SCHEDULE_P, "extract").stage == "extracted"


def test_the_source_is_no_database(begin: Resume) -> None:
    installation = begin()
    open_by_request(installation, schedule_p_draft(installation.home))
    source, away = installation.home / "schedule_p.db", installation.home / "away.db"
    source.rename(away)
    source.write_bytes(b"not a database, but long enough to be looked at" * 100)
    fails(
        installation, SCHEDULE_P, "extract", BadInput, 2,
        "数据源 schedule_p 的文件不是数据库或已损坏", "请检查 sources.yaml 中的路径，或从备份恢复。",
    )  # fmt: skip
    away.replace(source)
    assert run(installation, SCHEDULE_P, "extract").stage == "extracted"


@pytest.mark.parametrize(
    ("breaking", "mending", "reason"),
    [
        (
            "ALTER TABLE payment RENAME TO payment_old",
            "ALTER TABLE payment_old RENAME TO payment",
            "no such table: payment",
        ),
        (
            "ALTER TABLE payment RENAME COLUMN amount_cents TO amount",
            "ALTER TABLE payment RENAME COLUMN amount TO amount_cents",
            "amount_cents",
        ),
    ],
    ids=["table", "column"],
)
def test_a_table_or_a_column_is_missing(begin: Resume, breaking: str, mending: str, reason: str) -> None:
    installation = begin()
    open_by_request(installation, draft(installation.home))
    execute(installation.home / "core.db", breaking)
    sql = CHECKOUT / "sql" / "reference_core" / "circ_audit" / "PKZFB.sql"
    fails(
        installation, AUDIT, "extract", BadInput, 2,
        f"{AUDIT} 第 1 轮未提取，没有留下任何数据。请改正后重新运行：",
        f"表 PKZFB（{sql}）提取失败：",
        f"数据源 reference_core 不能执行 {sql}：",
        reason,
        "请核对表名与列名。",
    )  # fmt: skip
    assert not list((installation.home / "rounds").rglob("*.parquet"))
    execute(installation.home / "core.db", mending)
    assert run(installation, AUDIT, "extract").stage == "extracted"


# ---- workbooks


def workbooks_of(installation: Installation, folder: Path, organisation: str) -> list[Path]:
    """One filled workbook per department."""
    return filled_workbooks(installation, AUDIT, answer_audit, folder)[organisation]


def take(installation: Installation, workbooks: list[Path], user: str) -> FilingState:
    for workbook in workbooks:
        done = import_answers(installation, AUDIT, workbook, installation.user(user))
        assert (done.returned, done.unanswered) == ({}, 0)
    return installation.state(AUDIT)


def not_taken(
    installation: Installation, workbook: Path, user: str, kind: type[BaosongError], *fragments: str
) -> None:
    before = installation.state(AUDIT)
    with pytest.raises(kind) as caught:
        import_answers(installation, AUDIT, workbook, installation.user(user))
    assert caught.value.exit_code == {BadInput: 2, Refused: 3}[kind]
    for fragment in fragments:
        assert fragment in str(caught.value)
    assert installation.state(AUDIT) == before
    check_ledger(installation)


def test_a_workbook_of_another_home_and_of_another_filing(
    resume: Resume, audit_in_review: Path, schedule_p_in_review: Path, tmp_path: Path
) -> None:
    installation = resume(audit_in_review)
    with opened(schedule_p_in_review) as other:
        (dispatch, *_) = other.state(SCHEDULE_P).dispatches
        foreign = dispatch_folder(other, SCHEDULE_P, dispatch.seq) / dispatch.fact.workbooks[0].file
        key = (other.home / "keys" / "workbooks").read_bytes()
    own = workbooks_of(installation, tmp_path / "filled", "440000")
    not_taken(installation, foreign, "branch_440000", BadInput, "签名")
    (installation.home / "keys" / "workbooks").write_bytes(key)
    renamed = tmp_path / own[0].name
    shutil.copyfile(foreign, renamed)
    not_taken(
        installation, renamed, "branch_440000", BadInput,
        f"{renamed.name} 是 {SCHEDULE_P} 的工作簿，不是 {AUDIT} 的；请对 {SCHEDULE_P} 导入",
    )  # fmt: skip


def test_a_workbook_of_another_organisation(resume: Resume, audit_in_review: Path, tmp_path: Path) -> None:
    installation = resume(audit_in_review)
    theirs, *others = workbooks_of(installation, tmp_path / "filled", "330000")
    refusal = "用户 branch_440000 不属于机构 330000，不能交回其工作簿。"
    not_taken(installation, theirs, "branch_440000", Refused, refusal)
    disguised = tmp_path / workbooks_of(installation, tmp_path / "filled", "440000")[0].name
    shutil.copyfile(theirs, disguised)
    not_taken(installation, disguised, "branch_440000", Refused, refusal)
    not_taken(installation, theirs, "executive", Refused, "用户 executive 无权进行“答复问题数据”，需要角色：")
    state = take(installation, [theirs, *others], "branch_330000")
    assert state.awaited == ("440000", "510000")


def test_a_workbook_with_changed_keys(resume: Resume, audit_in_review: Path, tmp_path: Path) -> None:
    installation = resume(audit_in_review)
    good = next(
        path
        for path in workbooks_of(installation, tmp_path / "filled", "440000")
        if "underwriting" in path.name
    )
    bad = tmp_path / good.name
    book = load_workbook(good)
    sheet = next(s for s in book.worksheets if s.sheet_state == "visible" and s["A1"].value == "问题编号")
    column = next(
        cell.column for cell in sheet[1] if str(cell.value).startswith(("保单号", "主键", "业务主键"))
    )
    sheet.cell(2, column).value = "440000JQ202600009999"
    book.save(bad)
    cell = sheet.cell(2, column).coordinate
    not_taken(
        installation, bad, "branch_440000", BadInput,
        f"工作表“{sheet.title}”{cell}：锁定的单元格被改动，应为“", "现为“440000JQ202600009999”。请恢复原值；",
    )  # fmt: skip
    before = installation.state(AUDIT).holds("answer")
    state = take(installation, [good], "branch_440000")
    (answers,) = state.answers
    assert state.holds("answer") == before - sum(answers.fact.handlings.values())


# ---- packaging


def test_a_character_that_the_package_cannot_carry(begin: Resume, tmp_path: Path) -> None:
    """A standard that does not judge characters: the package itself refuses them."""
    deployment = own_deployment(tmp_path / "deployment")
    own = deployment / "standards" / "schedule_p"
    shutil.copytree(CHECKOUT / "validations" / "standards" / "schedule_p", own)
    rules = own / "rules" / "triangle.yaml"
    blocks = rules.read_text(encoding="utf-8").split("\n- id: ")
    rules.write_text("\n- id: ".join(b for b in blocks if not b.startswith("S15")), encoding="utf-8")
    for rule in ("S04", "S06", "S07", "S08", "S09", "S10"):  # what is found otherwise is not the matter here
        text = rules.read_text(encoding="utf-8")
        rules.write_text(
            text.replace(f"- id: {rule}\n  severity: explain", f"- id: {rule}\n  severity: note"), "utf-8"
        )
    installation = begin(deployment=deployment)
    source = installation.home / "schedule_p.db"
    execute(
        source,
        "UPDATE triangle SET grname = grname || '|' WHERE lob = 'medmal' AND accident_year = 1990 AND development_lag = 1",
    )
    open_by_request(installation, schedule_p_draft(installation.home))
    run(installation, SCHEDULE_P, "extract", "validate", "review")
    agree(installation, SCHEDULE_P)
    fails(
        installation, SCHEDULE_P, "package", BadInput, 2,
        f"报送任务 {SCHEDULE_P} 的报文不能生成，没有留下任何文件。请改正以下各项后重新打包：",
        "表 TRIANGLE（赔款流量三角）有 34 个值不能写入报文，请在数据源改正或作报表更正：",
        "AccidentYear=1990，DevelopmentLag=1，LOB=medmal，字段 申报人名称 GRNAME：含有禁用字符",
        "请在数据源去掉。",
    )  # fmt: skip
    assert list((installation.home / "packages" / SCHEDULE_P).iterdir()) == []
    execute(source, "UPDATE triangle SET grname = REPLACE(grname, '|', '')")
    request_extraction(installation, SCHEDULE_P, preparer(installation), reason="名称已改正")
    run(installation, SCHEDULE_P, "extract", "validate", "compare", "review")
    declare_causes(installation, SCHEDULE_P)
    agree(installation, SCHEDULE_P)
    assert run(installation, SCHEDULE_P, "package").stage == "packaged"


# ---- the outside world


def test_an_unknown_host_key(
    resume: Resume, schedule_p_approved: Path, servers: Path, tmp_path: Path
) -> None:
    deployment = own_deployment(
        tmp_path / "deployment",
        (
            "deployment.yaml",
            "    source: schedule_p\n    channel: commission_interface",
            "    source: schedule_p\n    channel: designated_sftp",
        ),
    )
    installation = resume(schedule_p_approved, deployment=deployment, servers=servers)
    pinned = installation.home / "embedded" / "known_hosts"
    right = pinned.read_text(encoding="utf-8")
    pinned.write_text("", encoding="utf-8")
    run(installation, SCHEDULE_P, "package")
    fails(
        installation, SCHEDULE_P, "deliver", Refused, 3,
        "（designated-sftp）的主机密钥（指纹 SHA256:", "未登记，已拒绝连接，未发送任何内容。",
        f"请向服务器管理员核对指纹，一致后在 {pinned} 中加一行：{right.strip()}",
    )  # fmt: skip
    pinned.write_text(right, encoding="utf-8")
    assert run(installation, SCHEDULE_P, "deliver").stage == "delivered"


class _Garbage(BaseHTTPRequestHandler):
    """A login page where an interface should be."""

    def _answer(self) -> None:
        body = "<html><body>请登录</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def login_page() -> Iterator[int]:
    """The port of a server that answers everything with HTML."""
    with HTTPServer(("127.0.0.1", 0), _Garbage) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_garbage_from_the_regulator(
    resume: Resume, schedule_p_approved: Path, servers: Path, login_page: int
) -> None:
    installation = resume(schedule_p_approved, servers=servers)
    endpoints = installation.home / "embedded" / "endpoints.json"
    right = endpoints.read_text(encoding="utf-8")
    stated = json.loads(right)
    stated["interface"]["port"] = login_page
    endpoints.write_text(json.dumps(stated), encoding="utf-8")
    run(installation, SCHEDULE_P, "package")
    state = fails(
        installation, SCHEDULE_P, "deliver", Unavailable, 4,
        f"监管接口的应答不符合公布的格式（GET http://127.0.0.1:{login_page}/api/v1/files?sha256=",
        "应答开头：“<html><body>请登录</body></html>”。结果未知，未作任何认定；请联系接口管理员，确认后重试",
    )  # fmt: skip
    assert state.stage == "delivering", "reserved: nobody else sends it"
    endpoints.write_text(right, encoding="utf-8")
    state = run(installation, SCHEDULE_P, "deliver", "acknowledge", "archive")
    assert state.stage == "archived"


def test_a_regulator_that_turns_to_garbage_before_its_receipt(
    resume: Resume, schedule_p_approved: Path, servers: Path, login_page: int
) -> None:
    installation = resume(schedule_p_approved, servers=servers)
    run(installation, SCHEDULE_P, "package", "deliver")
    endpoints = installation.home / "embedded" / "endpoints.json"
    stated = json.loads(endpoints.read_text(encoding="utf-8"))
    stated["interface"]["port"] = login_page
    endpoints.write_text(json.dumps(stated), encoding="utf-8")
    state = fails(installation, SCHEDULE_P, "acknowledge", Unavailable, 4, "监管接口的应答不符合公布的格式")
    assert state.receipt is None
    reach_servers(installation.home, servers)
    assert run(installation, SCHEDULE_P, "acknowledge").stage == "accepted"


def test_nobody_answers(resume: Resume, schedule_p_approved: Path, servers: Path) -> None:
    installation = resume(schedule_p_approved)
    run(installation, SCHEDULE_P, "package")
    endpoints = installation.home / "embedded" / "endpoints.json"
    fails(
        installation, SCHEDULE_P, "deliver", Unavailable, 4,
        f"通道另一端尚未就绪：{endpoints} 中没有 interface 的地址。请启动对应的服务后重试。",
    )  # fmt: skip
    reach_servers(installation.home, servers)
    assert run(installation, SCHEDULE_P, "deliver").stage == "delivered"
