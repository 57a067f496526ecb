"""`baosong run`: one stage of the flow outside Dagster, with the same gates."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from pipelines.errors import Refused, text
from pipelines.stages.installation import open_installation


class StageName(StrEnum):
    """The automatic stages in the order of the flow."""

    EXTRACT = "extract"
    VALIDATE = "validate"
    REVIEW = "review"
    COMPARE = "compare"
    PACKAGE = "package"
    DELIVER = "deliver"
    ACKNOWLEDGE = "acknowledge"
    ARCHIVE = "archive"


def run(
    stage: Annotated[StageName, typer.Argument(help="环节 · stage")],
    filing: Annotated[str, typer.Argument(help="报送任务 · filing")],
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="即使有人正在答复也重新校验 · judge anew though people are answering"),
    ] = False,
) -> None:
    """在 Dagster 之外执行一个环节，关口相同 · Run one stage outside Dagster; the gates are the same."""
    from pipelines.stages import flow  # noqa: PLC0415 - stages load pandera; other commands need not wait for it

    with open_installation() as installation:
        before = installation.state(filing)
        waiting = before.holds("answer") + before.holds("decide")
        if stage is StageName.VALIDATE and waiting and before.has_new_decisions and not anyway:
            raise Refused("cli.people_answering", filing=filing, count=f"{waiting:,}")
        with installation.alone(f"{filing}.stage"):  # as Dagster's runs do
            state = flow.STAGES[stage.value](installation, filing)
        code = "cli.ran" if state.seq > before.seq else "cli.ran_nothing"
        typer.echo(text(code, filing=filing, stage=stage.value, now=text(f"cli.stage.{state.stage}")))
