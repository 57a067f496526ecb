"""`baosong assessment submissions`: the table, and the lists by which every number explains itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli.main import app
from pipelines.errors import BaosongError
from resources.clock import FileClock
from resources.settings import CHECKOUT
from tests.flow.play import AUDIT
from tests.pipelines.assessment.audit_in_may import at


@pytest.fixture
def home(home_in_may: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the played home on the third working day of June, which the environment names."""
    home = tmp_path / "home"
    shutil.copytree(home_in_may, home)
    FileClock(home / "clock").advance(to=at("2026-06-03 06:00"))
    monkeypatch.setenv("BAOSONG_HOME", str(home))
    monkeypatch.delenv("BAOSONG_DATABASE_URL", raising=False)
    monkeypatch.delenv("BAOSONG_DEPLOYMENT", raising=False)
    return home


def called(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["assessment", "submissions", "--month", "2026-05", *arguments])


def row_of(shown: str, *words: str) -> str:
    (line,) = [line for line in shown.splitlines() if all(word in line for word in words)]
    return " ".join(line.split())


def test_the_table_says_what_was_measured_of_whom_and_how_sure_that_is(home: Path) -> None:
    shown = called()
    assert shown.exit_code == 0
    assert row_of(shown.stdout, "440000", "SUB-04") == (
        "440000 广东分公司 SUB-04 整改及时率 17/18 94.4 % — 86.8 % 78.5 % – 98.8 % 已计算 —"
    )
    assert row_of(shown.stdout, "330000", "SUB-05") == (
        "330000 浙江分公司 SUB-05 整改耗时 13 12.5 h 8.5 h — — 已计算 —"
    )
    assert row_of(shown.stdout, "510000", "SUB-05").endswith("未提交 到期未答复 7")
    assert "110000" not in shown.stdout, "nothing applies to it"


def test_a_branch_that_is_named_is_shown_whatever_applies_to_it(home: Path) -> None:
    shown = called("--branch", "110000")
    assert shown.stdout.count("不适用") == 7


def test_keys_list_what_stands_behind_a_number(home: Path) -> None:
    shown = called("--branch", "510000", "--metric", "SUB-15", "--keys")
    assert shown.exit_code == 0
    lines = [line.split() for line in shown.stdout.splitlines() if AUDIT in line]
    counted = [line[5] for line in lines if line[3] == "分母"]
    (vanished,) = [line[5] for line in lines if line[3] == "分子"]
    assert (len(lines), len(counted)) == (8, 7)
    assert vanished.startswith("2:")
    assert vanished in counted


def test_json_is_the_result_with_the_lists_asked_for(home: Path) -> None:
    shown = called("--branch", "440000", "--metric", "SUB-04", "--keys", "--json")
    document = json.loads(shown.stdout)
    assert list(document["branches"]) == ["440000"]
    number = document["branches"]["440000"]["SUB-04"]
    assert (number["k"], number["n"], number["raw"], number["shrunk"]) == (17, 18, "0.9444", "0.8684")
    roles = [row["role"] for row in document["listed"]]
    assert (roles.count("num"), roles.count("den"), roles.count("excluded")) == (17, 18, 0)
    assert not (home / "assessment").exists(), "looking writes nothing"


def test_what_could_not_be_computed_is_told_and_the_rest_is_shown(home: Path) -> None:
    for path in (home / "comparisons" / AUDIT).rglob("changes.parquet"):
        path.unlink()
    shown = called()
    assert shown.exit_code == 5
    assert f"{AUDIT} 的 SUB-16 无法计算" in shown.stderr
    assert row_of(shown.stdout, "440000", "SUB-16").endswith("无法计算 —")
    assert "17/18" in row_of(shown.stdout, "440000", "SUB-04")


def test_two_processes_say_the_same_whatever_order_their_sets_have(home: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli.main", "assessment", "submissions", "--month", "2026-05"]
    said = {
        subprocess.run(
            [*command, "--keys", "--json"],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--branch", "999999"], "assessment.unknown_branch"),
        (["--metric", "SUB-99"], "assessment.no_such_metric"),
        (["--month", "May"], "assessment.month"),
    ],
)
def test_what_there_is_not_is_named(home: Path, arguments: list[str], code: str) -> None:
    refused = called(*arguments).exception
    assert isinstance(refused, BaosongError)
    assert refused.code == code
