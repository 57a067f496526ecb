"""Starting the real provider in a process of its own, and whom it knows."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from resources.settings import CHECKOUT

CLIENT, SECRET = "baosong-desk", "desk-and-provider-know-this-0123456789"
PEOPLE = ("actuary", "executive", "administrator", "auditor", "stranger")
PASSWORD = "provider-password"


@dataclass
class RealProvider:
    """The running provider. It lies on another site (localhost) than the desk (127.0.0.1), as in life."""

    process: subprocess.Popen[str]
    issuer: str = ""

    def welcome(self, desk: str) -> None:
        """Tell it of a desk that sends people to it."""
        self._say(f"{desk}/sign-on/back")
        assert self._hear() == "known"

    def _say(self, line: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _hear(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()


@contextmanager
def real_provider(folder: Path) -> Generator[RealProvider]:
    """Start it in a process of its own; it ends with its input."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.resources.sign_on.real_provider"]
    with (
        (folder / "provider.log").open("w") as log,
        subprocess.Popen(
            command, cwd=CHECKOUT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        running = RealProvider(process)
        running.issuer = running._hear()
        assert running.issuer, (folder / "provider.log").read_text()
        yield running
        assert process.stdin
        process.stdin.close()
