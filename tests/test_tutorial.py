"""Every command of the tutorials runs as it stands there, in one shell from top to bottom, and prints what is shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str | None]]:
    """The command blocks in order, each with the output shown after it, if any."""
    fences: list[tuple[str, str]] = FENCE.findall(page.read_text(encoding="utf-8"))
    assert {kind for kind, _ in fences} == {"sh", "text"}
    following = [*fences[1:], ("", "")]
    return [
        (text, after if kind == "text" else None)
        for (this, text), (kind, after) in zip(fences, following, strict=True)
        if this == "sh"
    ]


def pattern(shown: str) -> str:
    """`…` alone on a line stands for any lines, within a line for anything."""
    parts = [
        r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n"
        for line in shown.splitlines()
    ]
    return "".join(parts)


@pytest.mark.parametrize(
    ("page", "language"),
    [
        ("tutorial.zh-CN.md", "zh"),
        pytest.param("tutorial.md", "en", marks=pytest.mark.prove),  # the same commands
    ],
)
def test_the_tutorial_does_what_it_says(page: str, language: str, tmp_path: Path) -> None:
    commands = blocks(ROOT / "docs" / page)
    assert len(commands) >= 14
    script = "".join(f'{text}\necho "@@ {number} $?"\n' for number, (text, _) in enumerate(commands))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "BAOSONG_HOME": str(tmp_path / "home"),
        "BAOSONG_LANGUAGE": language,
        "LC_ALL": "C.UTF-8",
    }
    work = tmp_path / "work"
    work.mkdir()
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=work,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    rest = done.stdout
    for number, (text, shown) in enumerate(commands):
        printed, found, rest = rest.partition(f"@@ {number} 0\n")
        assert found, f"{text}\n{printed}"
        assert re.fullmatch(pattern(shown or ""), printed), (
            f"{text}\n--- shown\n{shown}--- printed\n{printed}"
        )
    assert rest == ""


def test_both_tutorials_do_the_same() -> None:
    def steps(page: str) -> list[list[str]]:
        return [
            re.findall(r"^baosong .*?(?=; echo|$)", text, re.M) for text, _ in blocks(ROOT / "docs" / page)
        ]

    assert steps("tutorial.zh-CN.md") == steps("tutorial.md")
