"""The `baosong` command's entry: turns every error into a message and an exit code.

Exit codes: 0 done, 1 findings, 2 bad input, 3 refused, 4 outside world unavailable, 5 stored data altered, 70 a fault in
Baosong itself, whose traceback goes to the log in BAOSONG_HOME and never to the screen.
"""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import typer

from pipelines.cli.commands import Commands
from pipelines.errors import LANGUAGE, BaosongError, text
from resources.settings import Settings

app = typer.Typer(
    name="baosong",
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def baosong() -> None:
    """报送：从核心系统到监管回执。Statutory reporting, from core system to receipt."""


def main() -> None:
    """Run the command line; the outermost border of the process."""
    try:
        LANGUAGE.set(Settings.load().language)
        app()
    except BaosongError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the border of the process: log it whole, tell the person where
        if isinstance(error, OSError) and error.filename is not None:  # whoever named the path can mend it
            typer.echo(text("cli.path_unusable", path=error.filename, reason=error.strerror), err=True)
            sys.exit(2)
        log = _logged()
        typer.echo(f"Baosong 内部故障，详情见 {log} · a fault in Baosong, details in {log}", err=True)
        sys.exit(70)


def _logged() -> Path:
    """Where the exception that is being handled now stands with its traceback."""
    home = Settings.load().home
    log = (home if home.is_dir() else Path.cwd()) / "log" / "baosong-errors.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC).isoformat()} {sys.argv}\n{traceback.format_exc()}\n")
    return log


if __name__ == "__main__":
    main()
