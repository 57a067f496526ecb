"""What a killed process left half-written is cleared away; what a living one is writing is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.stages.leftovers import clear_leftovers, is_alive


def test_a_folder_of_a_process_that_is_gone_is_abandoned() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert not is_alive(f".tmp-{gone.pid}-abc")


@pytest.mark.parametrize("name", [".tmp-abc", ".tmp-", ".tmp-x-1"])
def test_a_folder_without_a_process_is_abandoned(name: str) -> None:
    assert not is_alive(name)


@pytest.mark.parametrize("pid", [os.getpid(), 1], ids=["mine", "init"])
def test_a_folder_of_a_living_process_is_kept(pid: int) -> None:
    assert is_alive(f".tmp-{pid}-abc")


def test_only_what_names_a_process_that_is_gone_is_cleared(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".tmp-{gone.pid}-folder" / "inner").mkdir(parents=True)
    for name in (f".tmp-{gone.pid}-file", f".tmp-{os.getpid()}-mine", ".tmp-findings.xlsx", "file"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    clear_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        f".tmp-{os.getpid()}-mine", ".tmp-findings.xlsx", "file",
    }  # fmt: skip
