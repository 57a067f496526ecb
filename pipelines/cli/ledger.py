"""`baosong ledger`: check the whole ledger, sign where it stands, read its events. Nothing here changes an event."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.errors import BadInput, Tampered, text
from pipelines.ledger import Event
from pipelines.stages.installation import open_installation

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")]


@app.command()
def verify(as_json: Json = False) -> None:
    """校验台账：事件、内容、预占、链头与已导出的签名 · Check every row and every signed head; exit 5 when changed."""
    with open_installation() as installation:
        report = installation.ledger.verify()
    counts = {"events": report.events, "streams": report.streams, "heads": report.heads}
    if as_json:
        problems = [{"code": problem.code, "message": str(problem)} for problem in report.problems]
        typer.echo(json.dumps({**counts, "problems": problems}, ensure_ascii=False, indent=2))
    elif report.problems:
        typer.echo(text("ledger.tampered", **counts, problems=len(report.problems)), err=True)
        for problem in report.problems:
            typer.echo(f"  - {problem}", err=True)
    else:
        typer.echo(text("ledger.clean", **counts))
    if report.problems:
        raise typer.Exit(Tampered.exit_code)


@app.command()
def head() -> None:
    """立即签名各流的链头并导出 · Sign where all streams stand now."""
    with open_installation() as installation:
        path = installation.ledger.sign_head(installation.now())
    typer.echo(text("ledger.head_signed", path=path))


@app.command()
def log(
    stream: Annotated[
        str | None, typer.Argument(help="流，例如 filing/<报送任务> · stream; all when omitted")
    ] = None,
    as_json: Json = False,
) -> None:
    """列出事件 · The events of a stream, or of all."""
    with open_installation() as installation:
        ledger = installation.ledger
        known = ledger.streams()
        if stream is not None and stream not in known:
            raise BadInput("ledger.stream_unknown", stream=stream, known="，".join(known))
        events = [event for name in ([stream] if stream else known) for event in ledger.events(name)]
    if as_json:
        typer.echo(json.dumps([_as_json(event) for event in events], ensure_ascii=False, indent=2))
        return
    table = Table(
        *(text(f"ledger.column_{name}") for name in ("stream", "seq", "at", "type", "actor", "payload"))
    )
    for event in events:
        payload = text("ledger.erased") if event.payload is None else _short(event.payload)
        cells = (
            event.stream,
            str(event.seq),
            event.at.isoformat(" ", "seconds"),
            event.type,
            event.actor,
            payload,
        )
        table.add_row(*map(escape, cells))
    Console(soft_wrap=True).print(table)


def _as_json(event: Event) -> dict[str, Any]:
    return {**vars(event), "at": event.at.isoformat()}


def _short(payload: dict[str, Any], limit: int = 80) -> str:
    """The payload on one line; its whole text is in the JSON."""
    line = json.dumps(payload, ensure_ascii=False)
    return line if len(line) <= limit else line[: limit - 1] + "…"
