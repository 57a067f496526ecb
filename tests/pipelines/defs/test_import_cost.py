"""What a command that only reads the ledger does not pay for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resources.clock import FileClock
from resources.settings import CHECKOUT

HEAVY = ("dagster", "great_expectations", "pandera", "pandas", "matplotlib", "fastapi")


def loaded_after(code: str, home: Path) -> set[str]:
    """Which of the heavy packages a fresh interpreter has loaded after `code`."""
    report = f"\nimport sys as s; print('loaded', *[m for m in {HEAVY!r} if m in s.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + report],
        cwd=CHECKOUT,
        env={**os.environ, "BAOSONG_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    from datetime import datetime

    FileClock(tmp_path / "clock").start(datetime(2026, 5, 6, 9))  # noqa: DTZ001 - in the clock's zone
    return tmp_path


def test_loading_any_command_loads_neither_dagster_nor_the_validation_libraries(home: Path) -> None:
    every = "from pipelines.cli.commands import COMMANDS, imported; [imported(name) for name in COMMANDS]"
    assert loaded_after(every, home) == set()


def test_listing_filings_loads_them_neither(home: Path) -> None:
    listing = "from pipelines.cli.main import app; app(['filing', 'list'], standalone_mode=False)"
    assert loaded_after(listing, home) == set()


def test_definitions_load_without_great_expectations(home: Path) -> None:
    assert "great_expectations" not in loaded_after("import pipelines.definitions", home)
