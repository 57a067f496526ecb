"""How a simulated person acts: through the same commands as everybody, printed as they would type them."""

from __future__ import annotations

import contextlib
import io
import shlex
import sys

from pipelines.cli.main import app


def baosong(*arguments: str) -> str:
    """Run one command in this process and print it with what it answered. Errors come out as they are."""
    printed = io.StringIO()
    shown = shlex.join(arguments)
    sys.stdout.write(f"    $ baosong {shown if len(shown) < 150 else shown[:147] + '…'}\n")
    sys.stdout.flush()
    with contextlib.redirect_stdout(printed):
        app(list(arguments), standalone_mode=False)
    for line in printed.getvalue().splitlines():
        sys.stdout.write(f"      {line}\n")
    sys.stdout.flush()
    return printed.getvalue()
