"""The commands run on the engine's small sample standard, in English, in a home of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from pipelines.cli import rule as rule_command
from pipelines.cli import validate as validate_command
from pipelines.errors import BaosongError
from tests.validations.engine.sample_standard import english, write_standard

__all__ = ["english", "write_standard"]

Said = tuple[int, dict[str, Any], str]
Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAOSONG_HOME", str(tmp_path / "home"))


def called(command: Callable[..., Any], arguments: Sequence[object]) -> Said:
    """In this process, as `main` would end it: exit code, JSON printed, message."""
    app = typer.Typer()
    app.command()(command)
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    if isinstance(done.exception, BaosongError):
        return done.exception.exit_code, {}, str(done.exception)
    assert done.exit_code in (0, 1, 2) and done.stdout, done.output or done.exception
    return done.exit_code, json.loads(done.stdout), done.stderr


@pytest.fixture
def validate(write_standard: Callable[..., Path], tmp_path: Path) -> Run:
    """`validate(*arguments)` by the sample standard for the first quarter of 2026, into `out`."""
    folder = write_standard()

    def run(*arguments: object, period: str = "2026Q1") -> Said:
        return called(
            validate_command.validate,
            ["--standard", folder, "--period", period, "--out", tmp_path / "out", *arguments],
        )

    return run


@pytest.fixture
def rule_run(write_standard: Callable[..., Path]) -> Run:
    """`rule_run(ID, *arguments)` on files by the sample standard."""
    folder = write_standard()

    def run(*arguments: object, period: str = "2026Q1") -> Said:
        return called(rule_command.run, [*arguments, "--standard", folder, "--period", period])

    return run


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Path]:
    """A policy with a false total and a personal field, and its coverages, as CSV."""
    policy = tmp_path / "POLICY.csv"
    policy.write_text(
        "ORG,NO,KIND,IDNO,PHONE,PREMIUM,BEGINS,ENDS\n"
        "110102,P1,单位,X1,010-1234567,60.00,2026-01-10,2026-12-31\n"
        "110102,P2,个人,11010519491231002X,,2000.00,2026-02-10,2026-01-31\n",
        encoding="utf-8",
    )
    cover = tmp_path / "COVER.csv"
    cover.write_text("NO,SEQ,AMOUNT\nP1,1,60.00\nP2,1,2000.00\n", encoding="utf-8")
    return {"POLICY": policy, "COVER": cover}
