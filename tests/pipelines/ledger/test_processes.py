"""Several processes at one ledger, and processes that are killed: the chain holds and nothing is recorded twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from pipelines.ledger import Ledger

APPEND = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from pipelines.ledger import Ledger
home, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
at = datetime(2026, 5, 6, 1, tzinfo=UTC)
print("ready", flush=True)
sys.stdin.readline()
with Ledger.open(f"sqlite:///{home / 'ledger.db'}", deployment="demo", home=home, at=at) as ledger:
    for n in range(count):
        ledger.append("filing/f", "noted", {"n": n}, actor=name, at=at, command_id=f"{name}:{n}")
        _, is_new = ledger.reserve("f", n, "sftp", {}, actor=name, at=at, command_id=f"{name}:reserve:{n}")
        print(n, "new" if is_new else "held", flush=True)
"""


def start(home: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", APPEND, str(home), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def release(*processes: subprocess.Popen[str]) -> None:
    """Let all of them go at the same moment."""
    for process in processes:
        assert process.stdout and process.stdin
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()


def test_two_processes_make_and_fill_one_stream_without_breaking_it(tmp_path: Path) -> None:
    both = [start(tmp_path, name, 100) for name in ("a", "b")]
    release(*both)
    answers = [process.communicate(timeout=60)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0].count("new") + answers[1].count("new") == 100
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", deployment="demo", home=tmp_path) as ledger:
        events = ledger.events("filing/f")
        report = ledger.verify()
    assert report.problems == ()
    assert [event.seq for event in events] == list(range(1, 301))
    noted = [(event.actor, event.payload) for event in events if event.type == "noted"]
    assert sorted(actor for actor, _ in noted) == ["a"] * 100 + ["b"] * 100
    assert [payload for actor, payload in noted if actor == "a"] == [{"n": n} for n in range(100)]


def test_a_killed_process_leaves_a_whole_chain_and_a_rerun_completes_it(tmp_path: Path) -> None:
    for last in (0, 7, 23):
        process = start(tmp_path, "a", 1_000_000)
        release(process)
        assert process.stdout and process.stdin
        for line in process.stdout:
            if line.split()[0] == str(last):
                break
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", deployment="demo", home=tmp_path) as ledger:
            assert ledger.verify().problems == ()
    rerun = start(tmp_path, "a", 40)
    release(rerun)
    rerun.communicate(timeout=60)
    assert rerun.returncode == 0
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", deployment="demo", home=tmp_path) as ledger:
        commands = [event.command_id for event in ledger.events("filing/f") if event.type == "noted"]
        assert ledger.verify().problems == ()
    assert commands[:40] == [f"a:{n}" for n in range(40)]
    assert len(commands) == len(set(commands))


def test_heads_signed_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    sign = APPEND.partition("    for n")[0] + "    for _ in range(count): ledger.sign_head(at)\n"
    both = [
        subprocess.Popen([sys.executable, "-c", sign, str(tmp_path), name, "20"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True)
        for name in ("a", "b")
    ]  # fmt: skip
    release(*both)
    for process in both:
        process.communicate(timeout=60)
    assert [process.returncode for process in both] == [0, 0]
    with Ledger.open(f"sqlite:///{tmp_path / 'ledger.db'}", deployment="demo", home=tmp_path) as ledger:
        report = ledger.verify()
    assert (report.heads, report.problems) == (40, ())
