"""The commands `baosong core …` as a person runs them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from pipelines.cli.core import app; app()"
    environment = {**os.environ, "BAOSONG_HOME": str(home), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=CHECKOUT,
        check=False,
    )


def test_generate_and_fix(tmp_path: Path) -> None:
    plan = tmp_path / "defects.yaml"
    plan.write_text("- {kind: A01, count: 2, organisations: ['440000']}", encoding="utf-8")
    made = run(tmp_path, "generate", "--policies", "200", "--seed", "5", "--defects", str(plan))
    assert made.returncode == 0, made.stderr
    assert "policy 200" in made.stdout
    assert "A01×2" in made.stdout
    assert len(made.stderr.splitlines()) == 1
    connection = sqlite3.connect(tmp_path / "core.db")
    unnamed = "SELECT COUNT(*) FROM policy WHERE insured_name IS NULL"
    assert connection.execute(unnamed).fetchone() == (2,)
    repairs = str(tmp_path / "answer_key.repairs.jsonl")
    fixed = run(tmp_path, "fix", "--repairs", repairs, "--organisation", "440000", "--rule", "A01")
    assert "2" in fixed.stdout
    assert connection.execute(unnamed).fetchone() == (0,)
    connection.close()


def test_the_demo_defects_fit_a_small_core(tmp_path: Path) -> None:
    plan = CHECKOUT / "resources" / "demo" / "defects.yaml"
    made = run(tmp_path, "generate", "--policies", "2000", "--defects", str(plan))
    assert made.returncode == 0, made.stderr
    key = (tmp_path / "answer_key.csv").read_text(encoding="utf-8").splitlines()
    assert 35 <= len(key) - 1 <= 50
