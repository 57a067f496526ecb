"""`baosong answers`: take in the branches' workbooks, also from the inbox; a department accepts, sends back, decides on conflicts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.finding_options import ACTED_ON, As, Filing, Reason, choosing
from pipelines.errors import BaosongError, text
from pipelines.stages import decide
from pipelines.stages.correct import Imported, import_answers
from pipelines.stages.inbox import Taken, take_in, told
from pipelines.stages.inbox_folder import strangers, waiting_files
from pipelines.stages.installation import open_installation
from pipelines.stages.selection import Selection

app = typer.Typer(no_args_is_help=True)
_SHOWN = 10
"""So many reasons are printed; the annotated workbook has all."""


@app.callback()
def answers() -> None:
    """问题数据答复 · Branch answers."""


@app.command("import")
def import_(
    filing: Filing,
    workbooks: Annotated[list[Path], typer.Argument(help="填好的工作簿 · filled workbooks")],
    as_user: As = None,
) -> None:
    """接收分公司的答复：能用的收下，有误的连同理由退回 · Take in answers; what is wrong comes back with its reason."""
    with open_installation() as installation:
        user = installation.user(as_user)
        for workbook in workbooks:
            _tell(import_answers(installation, filing, workbook, user))


@app.command()
def inbox() -> None:
    """收取分公司放入收件目录的工作簿 · Take in what the branches dropped into the inbox, once."""
    failed: list[BaosongError] = []
    with open_installation() as installation:
        for stranger in strangers(installation):
            typer.echo(text("inbox.stranger", folder=stranger), err=True)
        waiting = waiting_files(installation)
        for dropped in waiting:
            try:
                _tell_taken(take_in(installation, dropped))
            except BaosongError as error:  # the file stays; others need not wait for it
                typer.echo(f"{dropped.user}/{dropped.shown}: {error}", err=True)
                failed.append(error)
    if not waiting:
        typer.echo(text("inbox.nothing"))
    if failed:
        raise typer.Exit(max(error.exit_code for error in failed))


@app.command()
@choosing(*ACTED_ON)
def accept(
    filing: Filing,
    chosen: Selection,
    answer_of: Annotated[
        str | None, typer.Option(help="多人答复不一时以谁为准 · whose answer holds where people differ")
    ] = None,
    as_user: As = None,
) -> None:
    """责任部门接受答复 · The department accepts answers."""
    with open_installation() as installation:
        user = installation.user(as_user)
        state = decide.accept(installation, filing, user, chosen, answer_of=answer_of)
        count = sum(state.answer_reviews[-1].fact.accepted.values())
        typer.echo(text("answers.accepted", count=f"{count:,}", left=f"{state.holds('decide'):,}"))


@app.command("send-back")
@choosing(*ACTED_ON)
def send_back(
    filing: Filing,
    chosen: Selection,
    reason: Reason,
    as_user: As = None,
) -> None:
    """责任部门退回答复，附理由的新工作簿随即下发 · Send answers back, in a new workbook with the reason."""
    with open_installation() as installation:
        state = decide.send_back(installation, filing, installation.user(as_user), chosen, reason=reason)
        fact = state.answer_reviews[-1].fact
        typer.echo(
            text(
                "answers.sent_back",
                count=f"{fact.sent_back:,}",
                workbooks=len(fact.workbooks),
                answer_by=fact.answer_by,
            )
        )


@app.command()
def conflict(
    filing: Filing,
    finding: Annotated[str, typer.Argument(help="问题编号 · finding")],
    reason: Reason,
    withdraw: Annotated[
        bool, typer.Option("--withdraw/--keep", help="撤销更正，或保留 · withdraw the correction, or keep it")
    ],
    as_user: As = None,
) -> None:
    """报表更正的原值在本轮变了：保留或撤销；改库未获批准的也可撤销 · Keep a correction whose original value changed, or withdraw any."""
    with open_installation() as installation:
        user = installation.user(as_user)
        decision = "withdraw" if withdraw else "keep"
        state = decide.decide_correction(installation, filing, user, finding, decision, reason=reason)
        shown = state.corrections_decided[-1].fact.shown or "—"
        typer.echo(text("answers.withdrawn" if withdraw else "answers.kept", shown=shown))


def _tell_taken(taken: Taken) -> None:
    typer.echo(told(taken))
    if taken.imported is not None:
        _tell(taken.imported)


def _tell(done: Imported) -> None:
    counts = "  ".join(
        f"{text(f'cli.handling.{name}')} {count:,}" for name, count in sorted(done.handlings.items())
    )
    typer.echo(
        text(
            "answers.imported",
            branch=done.identity.organisation,
            department=done.identity.department_name,
            counts=counts or "—",
            returned=f"{len(done.returned):,}",
            unchanged=f"{done.unchanged:,}",
            unanswered=f"{done.unanswered:,}",
        )
    )
    for notice in done.notices:
        typer.echo(notice)
    for finding, why in list(done.returned.items())[:_SHOWN]:
        typer.echo(f"  {finding} {why}")
    if done.annotated:
        typer.echo(text("answers.annotated", path=done.annotated))
