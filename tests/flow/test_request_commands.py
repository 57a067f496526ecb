"""Requests, talks and the office by command: what people type, and what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.main import app
from pipelines.errors import BaosongError
from tests.flow.play import DEMO, Cores

Command = Callable[..., str]
NUMBER = "粤保监发〔2026〕17号"
KEY = "2026-17-0275b8eb"
FILING = f"circ_audit.detail.{KEY}"


@pytest.fixture
def baosong(cores: Cores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`baosong(*words)`: what the command prints; its error comes out as it is."""
    monkeypatch.setenv("BAOSONG_HOME", str(cores.furnish(tmp_path / "home")))
    monkeypatch.setenv("BAOSONG_DEPLOYMENT", str(DEMO))
    monkeypatch.delenv("BAOSONG_DATABASE_URL", raising=False)
    for name in ("notice.pdf", "annex.xlsx", "reply.pdf"):
        (tmp_path / name).write_text(name, encoding="utf-8")

    def run(*words: object) -> str:
        done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "200"})
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def raise_it(baosong: Command, tmp_path: Path) -> str:
    return baosong(
        "request", "raise", NUMBER, "--standard", "circ_audit", "--report", "detail", "--authority", "广东保监局",
        "--from", "2026-01-01", "--to", "2026-03-31", "--deadline", "2026-05-15", "--dated", "2026-05-04",
        "--document", tmp_path / "notice.pdf", "--document", tmp_path / "annex.xlsx", "--organisation", "440000",
        "--table", "JGXXB", "--table", "ZBTHXXB", "--nil", "ZBTHXXB=无摊回业务", "--as", "requester_440000",
    )  # fmt: skip


def test_the_life_of_a_request_by_command(baosong: Command, tmp_path: Path) -> None:
    assert raise_it(baosong, tmp_path) == f"已登记报送需求 {NUMBER}，审核通过后开启 {FILING}\n"
    assert raise_it(baosong, tmp_path) == f"已登记报送需求 {NUMBER}，审核通过后开启 {FILING}\n"
    assert baosong("request", "list") == f"{NUMBER}\t{FILING}\t2026-05-15\t待审核\n"
    review = ("request", "review", NUMBER, "--as", "audit_reviewer", "--comment", "范围不清", "--opinion")
    assert baosong(*review, "return") == f"报送需求 {NUMBER} 退回修改：范围不清\n"
    amend = ("request", "amend", KEY, "--as", "requester_440000", "--reason", "补正")
    assert baosong(*amend, "--organisation", "440000", "--organisation", "330000") == (
        f"报送需求 {NUMBER} 的变更已登记（organisations），待审核\n"
    )
    assert baosong(*review, "accept") == f"已开启 {FILING}，期限 2026-05-15，计划 2026-05-15 前报出\n"
    assert baosong(*amend, "--deadline", "2026-05-22", "--all-tables") == (
        f"报送需求 {NUMBER} 的变更已登记（deadline, tables），待审核\n"
    )
    assert baosong("request", "list").endswith("变更待审核\n")
    assert baosong(*review, "accept") == (
        f"{FILING} 已按变更后的需求办理，期限 2026-05-22，计划 2026-05-22；将重新提取\n"
    )
    said = json.loads(baosong("request", "show", NUMBER, "--json"))
    assert (said["key"], said["stage"], said["dated"], said["tables"]) == (KEY, "accepted", "2026-05-04", [])
    assert [each["name"] for each in said["documents"]] == ["notice.pdf", "annex.xlsx"]
    assert [each["what"] for each in said["history"]] == [
        "raised", "return", "amended", "accept", "amended", "accept",
    ]  # fmt: skip
    assert "requester_440000 amended (deadline, tables): 补正" in baosong("request", "show", KEY)
    filing = json.loads(baosong("filing", "show", FILING, "--json"))
    assert (filing["deadline"], filing["opened_by"]) == ("2026-05-22", f"request: {NUMBER}")
    assert [each.split()[:2] for each in filing["deadlines"]] == [
        ["2026-05-15", "opened"], ["2026-05-22", "amended"],
    ]  # fmt: skip
    withdraw = ("request", "withdraw", NUMBER, "--reason", "监管撤回", "--as", "requester_440000")
    assert baosong(*withdraw) == f"报送需求 {NUMBER} 已撤回：监管撤回\n"
    assert "状态: 已撤回" in baosong("filing", "show", FILING)
    with pytest.raises(BaosongError, match="已撤回（监管撤回），不再办理"):
        baosong("filing", "reextract", FILING, "--reason", "再提", "--as", "data_engineer")


def test_talks_and_another_deadline_by_command(baosong: Command, tmp_path: Path) -> None:
    raise_it(baosong, tmp_path)
    baosong("request", "review", NUMBER, "--opinion", "accept", "--comment", "同意", "--as", "audit_reviewer")
    assert baosong("talk", "list", FILING) == f"{FILING}：没有沟通记录\n"
    baosong(
        "talk", "add", FILING, "--with", "监管处", "--question", "能否延期？", "--answer", "可延一周",
        "--at", "2026-05-06T08:30", "--document", tmp_path / "reply.pdf", "--as", "requester_440000",
    )  # fmt: skip
    baosong(
        "talk", "extend", FILING, "--deadline", "2026-05-22", "--document", tmp_path / "reply.pdf",
        "--reason", "监管同意延期", "--as", "requester_440000",
    )  # fmt: skip
    assert json.loads(baosong("filing", "show", FILING, "--json"))["extension"] == "2026-05-22"
    assert baosong(
        "talk", "opine", FILING, "1", "--opinion", "agree", "--comment", "已核", "--as", "audit_reviewer"
    ) == (f"{FILING}：期限 2026-05-22，计划 2026-05-22 前报出\n")
    listed = baosong("talk", "list", FILING)
    assert "1　2026-05-06 08:30+08:00　监管处（requester_440000 登记）\n  问：能否延期？" in listed
    assert "期限调整 1　2026-05-22　requester_440000 提出：监管同意延期；audit_reviewer 同意：已核" in listed
    assert listed.count("凭证：reply.pdf（SHA-256 ") == 2
    said = json.loads(baosong("talk", "list", FILING, "--json"))
    assert [len(said[name]) for name in ("talks", "extensions", "decisions")] == [1, 1, 1]
    with pytest.raises(BaosongError, match="没有办公系统编号"):
        baosong("office", "status", FILING)


@pytest.mark.parametrize("given", ["ZBTHXXB", "ZBTHXXB=", "=无", " = "])
def test_a_nil_return_is_typed_with_its_reason(baosong: Command, tmp_path: Path, given: str) -> None:
    raise_it(baosong, tmp_path)
    with pytest.raises(BaosongError, match="--nil 应写作 表名=原因"):
        baosong("request", "amend", NUMBER, "--reason", "补正", "--nil", given, "--as", "requester_440000")
