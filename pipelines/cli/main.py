"""The `baosong` command's entry: mounts the commands and turns every error into a message and an exit code.

Exit codes: 0 done, 1 findings, 2 bad input, 3 refused, 4 outside world unavailable, 5 stored data altered, 70 a fault in
Baosong itself, whose traceback goes to the log in BAOSONG_HOME and never to the screen.
"""

from __future__ import annotations

import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path

import typer

from pipelines.cli import (
    answers,
    baseline,
    clock,
    core,
    deployment,
    filing,
    ledger,
    request,
    rule,
    sign,
    stage,
    standard,
    validate,
)
from pipelines.cli import evidence as evidence_commands
from pipelines.errors import LANGUAGE, BaosongError
from resources.settings import Settings

app = typer.Typer(
    name="baosong",
    help="报送：从核心系统到监管回执。Statutory reporting, from core system to receipt.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(request.app, name="request", help="报送需求 · Requests and their review")
app.add_typer(
    filing.app, name="filing", help="报送任务 · Filings: list, show, nil return, re-extract, retry, reopen"
)
app.add_typer(baseline.app, name="baseline", help="上期数据 · What a filing is compared with")
app.add_typer(answers.app, name="answers", help="问题数据答复 · Branch answers")
app.add_typer(ledger.app, name="ledger", help="台账 · The ledger: log, verify, sign its head")
app.add_typer(standard.app, name="standard", help="报送规范 · Standards: list, check")
app.add_typer(rule.app, name="rule", help="规则 · Rules: run one and see its SQL and the rows that fail")
app.add_typer(deployment.app, name="deployment", help="部署 · An insurer's configuration: init, check")
app.add_typer(core.app, name="core", help="参考核心系统 · The reference core: generate, defects")
app.add_typer(clock.app, name="clock", help="演示时钟 · The demo's clock")
app.command("validate")(validate.validate)
app.command("run")(stage.run)
app.command("sign-off")(sign.sign_off)
app.command("sign")(sign.sign)
app.command("handover")(evidence_commands.handover)
app.command("receipt")(evidence_commands.receipt)
app.command("verify")(evidence_commands.verify)


def main() -> None:
    """Run the command line; the outermost border of the process."""
    try:
        LANGUAGE.set(Settings.load().language)
        app()
    except BaosongError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 - the border of the process: log it whole, tell the person where
        home = Settings.load().home
        log = (home if home.is_dir() else Path.cwd()) / "log" / "baosong-errors.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {sys.argv}\n{traceback.format_exc()}\n")
        typer.echo(f"Baosong 内部故障，详情见 {log} · a fault in Baosong, details in {log}", err=True)
        sys.exit(70)


if __name__ == "__main__":
    main()
