"""What is there before the play: a clock, a core system with known defects, the real Schedule P data."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipelines.demo.acts import baosong
from pipelines.errors import Refused
from resources.settings import CHECKOUT, Settings

START = "2026-05-06T09:00"
_MARK = "demo/this-home-is-a-demo"


def set_stage(settings: Settings, *, policies: int) -> None:
    """Build the demo's world in BAOSONG_HOME; an earlier demo there is removed, anything else refused."""
    home, mark = settings.home, settings.home / _MARK
    if home.exists() and any(home.iterdir()):
        if not mark.exists():
            raise Refused("demo.home_in_use", home=home)
        for path in home.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    baosong("clock", "start", START)
    baosong(
        "core", "generate", "--policies", str(policies), "--seed", "2026",
        "--defects", str(CHECKOUT / "resources" / "demo" / "defects.yaml"),
        "--answer-key", str(answer_key(home)),
    )  # fmt: skip
    baosong("core", "load-schedule-p")


def answer_key(home: Path) -> Path:
    return home / "demo" / "answer_key.csv"
