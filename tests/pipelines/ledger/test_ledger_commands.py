"""`baosong ledger verify | head | log` as people type them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli.ledger import app
from pipelines.errors import BadInput, Tampered
from pipelines.stages.installation import open_installation

runner = CliRunner()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The demo deployment's home with one event of a filing."""
    monkeypatch.setenv("BAOSONG_HOME", str(tmp_path))
    (tmp_path / "clock").write_text(
        '{"simulated": "2026-05-06T09:00:00+08:00", "real": "2026-05-06T09:00:00+08:00"}', encoding="utf-8"
    )
    with open_installation() as installation:
        installation.ledger.append(
            "filing/f", "noted", {"户": "𠮷[bold]野"}, actor="王芳", at=installation.now(), command_id="c1"
        )
    return tmp_path


def run(*arguments: str) -> Result:
    return runner.invoke(app, list(arguments), catch_exceptions=True)


def spoil(home: Path) -> None:
    with closing(sqlite3.connect(home / "ledger.db")) as raw:
        raw.execute("UPDATE event SET actor = '别人' WHERE stream = 'filing/f'")
        raw.commit()


def test_verify_says_that_all_is_whole(home: Path) -> None:
    result = run("verify")
    assert (result.exit_code, result.output) == (0, "台账完整：2 个事件、2 个流、0 个签名头，未发现改动\n")
    assert json.loads(run("verify", "--json").output) == {
        "events": 2,
        "streams": 2,
        "heads": 0,
        "problems": [],
    }


def test_verify_names_a_change_and_exits_with_5(home: Path) -> None:
    spoil(home)
    result = run("verify")
    assert result.exit_code == Tampered.exit_code == 5
    assert "台账被改动：1 处" in result.output
    assert "流 filing/f 序号 1" in result.output
    as_json = run("verify", "--json")
    assert as_json.exit_code == 5
    assert [problem["code"] for problem in json.loads(as_json.output)["problems"]] == ["ledger.event_changed"]


def test_head_signs_where_the_streams_stand(home: Path) -> None:
    assert "000001.json" in run("head").output
    assert json.loads((home / "heads" / "000001.json").read_text())["head"]["streams"]["filing/f"][0] == 1
    assert json.loads(run("verify", "--json").output)["heads"] == 1


def test_log_shows_the_events_of_a_stream_or_of_all(home: Path) -> None:
    shown = run("log", "filing/f").output
    assert "王芳" in shown
    assert "𠮷[bold]野" in shown
    assert "ledger_created" not in shown
    assert "ledger_created" in run("log").output
    (event,) = json.loads(run("log", "filing/f", "--json").output)
    assert (event["stream"], event["seq"], event["payload"]) == ("filing/f", 1, {"户": "𠮷[bold]野"})


def test_log_of_an_unknown_stream_names_the_known_ones(home: Path) -> None:
    result = run("log", "filing/none")
    assert isinstance(result.exception, BadInput)
    assert "filing/f，ledger" in str(result.exception)


def test_log_of_a_changed_stream_is_refused(home: Path) -> None:
    spoil(home)
    assert isinstance(run("log", "filing/f").exception, Tampered)
