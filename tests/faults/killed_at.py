"""`python -m tests.faults.killed_at HOME POINT LOG -- ARGUMENTS`: run `baosong ARGUMENTS` and die by SIGKILL at one point.

Points are counted from 1: just before each step that changes the files under HOME, just before and just after each event
is appended. Every point that is reached is written to LOG, a line each; point 0 kills nobody. The product knows nothing of this: Python's
own audit events tell what is about to happen.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CHANGES = {"os.rename": 2, "os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.link": 2}
"""Audit events that change names, with the number of paths among their arguments."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
LEDGER = "ledger"


class Points:
    """Counts what the process does, and ends it at the chosen point."""

    def __init__(self, home: str, chosen: int, log: Path) -> None:
        self._home = home
        self._chosen = chosen
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._reached = 0

    def reach(self, what: str) -> None:
        self._reached += 1
        os.write(self._log, f"{what}\n".encode())
        if self._reached == self._chosen:
            os.kill(os.getpid(), signal.SIGKILL)

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Python's audit hook."""
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wxa+")) or (mode is None and flags & _WRITING):
                self._touch("write", path)
        elif event in _CHANGES:
            self._touch(event.removeprefix("os."), arguments[_CHANGES[event] - 1])

    def _touch(self, what: str, path: object) -> None:
        if isinstance(path, (str, bytes, os.PathLike)):
            name = os.fsdecode(path)
            if name.startswith(self._home) or not name.startswith("/"):
                self.reach(f"{what} {name.removeprefix(self._home)}")


def main() -> None:
    """Wrap the ledger, install the hook, run the command."""
    home, point, log, dashes, *arguments = sys.argv[1:]
    assert dashes == "--"
    from pipelines.cli.main import main as baosong
    from pipelines.ledger import Ledger

    points = Points(home, int(point), Path(log))
    append: Callable[..., Any] = Ledger.append

    def counted(*given: Any, **named: Any) -> Any:
        points.reach(f"{LEDGER} before {given[2]}")
        event = append(*given, **named)
        points.reach(f"{LEDGER} after {given[2]}")
        return event

    Ledger.append = counted  # pyright: ignore[reportAttributeAccessIssue]
    sys.addaudithook(points.audit)
    sys.argv = ["baosong", *arguments]
    baosong()


if __name__ == "__main__":
    main()
