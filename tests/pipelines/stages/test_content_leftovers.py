"""What a killed builder of content left is cleared away; what a living one is writing is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipelines.stages.content import is_alive


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
