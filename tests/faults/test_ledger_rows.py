"""On the ledger of a whole filing: any cell changed, any row removed, and `ledger verify` exits 5 and names it.

Every column of every table; every event of the filing is the ledger tests' affair.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipelines.cli.ledger import app
from pipelines.errors import Tampered
from tests.faults.world import STATISTICS, World

pytestmark = pytest.mark.prove
STREAM = f"filing/{STATISTICS}"
OPINION = f"stream = '{STREAM}' AND type = 'opinion_given'"
CHANGES = {
    "who gave an opinion": f"UPDATE event SET actor = 'executive2' WHERE {OPINION}",
    "when": f"UPDATE event SET at = '2026-05-05T00:00:00+00:00' WHERE {OPINION}",
    "what kind of event": f"UPDATE event SET type = 'opinion_taken' WHERE {OPINION}",
    "its version": f"UPDATE event SET type_version = 2 WHERE {OPINION}",
    "its command": f"UPDATE event SET command_id = command_id || 'x' WHERE {OPINION}",
    "its hash": f"UPDATE event SET hash = replace(hash, substr(hash, 1, 4), '0000') WHERE {OPINION}",
    "the hash before": f"UPDATE event SET prev_hash = upper(prev_hash) || '0' WHERE {OPINION}",
    "another payload": f"UPDATE event SET payload_digest = '00' WHERE stream = '{STREAM}' AND seq = 2",
    "a payload's name": (
        "UPDATE payload SET digest = '00' WHERE digest ="
        f" (SELECT payload_digest FROM event WHERE stream = '{STREAM}' AND seq = 2)"
    ),
    "the stream": f"UPDATE event SET stream = 'filing/other.monthly.2026-04' WHERE stream = '{STREAM}' AND seq = 3",
    "the order": f"UPDATE event SET seq = 900 WHERE stream = '{STREAM}' AND seq = 4",
    "an event removed": f"DELETE FROM event WHERE {OPINION}",
    "the last event removed": (
        f"DELETE FROM event WHERE stream = '{STREAM}' AND seq ="
        f" (SELECT max(seq) FROM event WHERE stream = '{STREAM}')"
    ),
    "a stream removed": f"DELETE FROM event WHERE stream = '{STREAM}'",
    "what was said": (
        "UPDATE payload SET canonical_json = replace(canonical_json, 'agree', 'disagree')"
        f" WHERE digest IN (SELECT payload_digest FROM event WHERE {OPINION})"
    ),
    "a salt": f"UPDATE payload SET salt = '00' WHERE digest IN (SELECT payload_digest FROM event WHERE {OPINION})",
    "a silent erasure": (
        "UPDATE payload SET salt = NULL, canonical_json = NULL, erased_at = '2026-05-06T01:00:00+00:00'"
        f" WHERE digest IN (SELECT payload_digest FROM event WHERE {OPINION})"
    ),
    "a payload removed": (
        f"DELETE FROM payload WHERE digest IN (SELECT payload_digest FROM event WHERE {OPINION})"
    ),
    "a reservation removed": "DELETE FROM reservation",
    "another channel reserved": "UPDATE reservation SET channel = 'disc'",
    "another version reserved": "UPDATE reservation SET version = 2",
    "another filing reserved": "UPDATE reservation SET filing = 'circ_statistics.monthly.2026-05'",
    "another event reserved": "UPDATE reservation SET seq = seq - 1",
    "a head removed": f"DELETE FROM head WHERE stream = '{STREAM}'",
    "a head moved": f"UPDATE head SET seq = seq - 1 WHERE stream = '{STREAM}'",
    "a head's hash": f"UPDATE head SET hash = substr(hash, 2) || '0' WHERE stream = '{STREAM}'",
    "a head's name": f"UPDATE head SET stream = 'filing/x.y.z' WHERE stream = '{STREAM}'",
}


@pytest.fixture(scope="module")
def archived(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger, its heads and its key of a filing played to its evidence."""
    world.restore("packaged")
    for stage in ("deliver", "acknowledge", "archive"):
        state = world.run(stage, STATISTICS)
    assert state.stage == "archived"
    kept = tmp_path_factory.mktemp("archived") / "home"
    shutil.copytree(
        world.home, kept, ignore=shutil.ignore_patterns("embedded", "rounds", "contents", "core.db")
    )
    return kept


@pytest.fixture
def home(archived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    here = tmp_path / "home"
    shutil.copytree(archived, here)
    monkeypatch.setenv("BAOSONG_HOME", str(here))
    yield here


def verify() -> tuple[int, list[str]]:
    result = CliRunner().invoke(app, ["verify", "--json"])
    if isinstance(result.exception, Tampered):  # found when the ledger was opened
        return result.exception.exit_code, [str(result.exception)]
    return result.exit_code, [problem["message"] for problem in json.loads(result.output)["problems"]]


def spoil(home: Path, statement: str) -> int:
    with closing(sqlite3.connect(home / "ledger.db")) as raw:
        changed = raw.execute(statement).rowcount
        raw.commit()
    return changed


def test_the_untouched_ledger_holds(home: Path) -> None:
    assert verify() == (0, [])


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_named_and_exits_with_5(home: Path, what: str) -> None:
    assert spoil(home, CHANGES[what]) > 0
    code, problems = verify()
    assert code == 5
    assert any(STATISTICS in problem for problem in problems), problems


def test_every_column_of_every_table_is_among_the_changes(home: Path) -> None:
    statements = " ".join(CHANGES.values())
    with closing(sqlite3.connect(home / "ledger.db")) as raw:
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {
            (table, column)
            for table in ("event", "payload", "reservation", "head")
            for _, column, *_ in raw.execute(f"PRAGMA table_info({table})")
        }
    assert {"event", "payload", "reservation", "head"} <= set(tables)
    assert [c for c in sorted(columns) if f" {c[1]} = " not in statements] == []
