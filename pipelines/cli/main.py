"""The `baosong` command's entry: turns every error into a message and an exit code.

Exit codes: 0 done, 1 findings, 2 bad input, 3 refused, 4 outside world unavailable, 5 stored data altered, 70 a fault in
Baosong itself, whose traceback goes to the log in BAOSONG_HOME and never to the screen.
"""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

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
    except OSError as error:
        if error.filename is None:
            _fault()
        typer.echo(text("cli.path_unusable", path=error.filename, reason=error.strerror), err=True)
        sys.exit(2)
    except Exception:  # noqa: BLE001 - the border of the process: log it whole, tell the person where
        _fault()


def _fault() -> NoReturn:
    """Log the exception that is being handled, and say where."""
    home = Settings.load().home
    log = (home if home.is_dir() else Path.cwd()) / "log" / "baosong-errors.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC).isoformat()} {sys.argv}\n{traceback.format_exc()}\n")
    typer.echo(f"Baosong 内部故障，详情见 {log} · a fault in Baosong, details in {log}", err=True)
    sys.exit(70)


if __name__ == "__main__":
    main()
