"""`baosong filing`: what is filed, how far it is, and the acts of a data engineer on a filing."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from pipelines.cli.sign_words import deviations, opinion_line, seat_lines, sent_back_to
from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.change_request import changes_of
from pipelines.stages.installation import open_installation
from pipelines.stages.next_step import next_step, request_retry
from pipelines.stages.nil_return import declare_nil_return, withdraw_nil_return
from pipelines.stages.off_system import owed_tables, shown_state
from pipelines.stages.request import open_due
from pipelines.stages.unjudged import unjudged

app = typer.Typer(no_args_is_help=True)
_LINE = "\n  "
Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
As = Annotated[
    str | None, typer.Option("--as", help="谁操作（仅限演示部署）· who acts (demo deployment only)")
]
Json = Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")]
Reason = Annotated[str, typer.Option(help="原因 · reason")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """列出报送任务 · List filings with deadline and stage."""
    with open_installation() as installation:
        states = sorted(installation.states(), key=lambda s: (s.deadline, s.id))
    if as_json:
        typer.echo(json.dumps([_summary(state) for state in states], ensure_ascii=False, indent=2))
        return
    columns = ("filing", "deadline", "planned_on", "rounds", "block", "explain", "stage")
    table = Table(*(Column(text(f"cli.label.{name}"), no_wrap=True) for name in columns), box=SIMPLE_HEAD)
    for state in states:
        judged = state.content
        block, explain = (str(judged.fact.block), str(judged.fact.explain)) if judged else ("—", "—")
        table.add_row(
            state.id, str(state.deadline), str(state.planned_on), str(state.round), block, explain,
            text(f"cli.stage.{state.stage}"),
        )  # fmt: skip
    console = Console()
    Console(width=max(console.width, 110)).print(table)


@app.command()
def show(filing: Filing, as_json: Json = False) -> None:
    """一个报送任务的全貌 · One filing: rounds, findings, opinions, package, receipt, and what comes next."""
    with open_installation() as installation:
        state = installation.state(filing)
        step = next_step(state, installation)
        owed = owed_tables(installation, state)
        changes = changes_of(installation, filing)
        seats = seat_lines(installation, state)
    summary = {
        **_summary(state),
        "seats": seats,
        "changes": {each.number: text(f"change.stage.{each.stage}") for each in changes},
        "off_system": {each.table.name: shown_state(each) for each in owed},
        "next": step.step if step else None,
    }
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=2))
        return
    summary["stage"] = text(f"cli.stage.{state.stage}")
    for name, value in summary.items():
        shown = _shown(value)
        typer.echo(f"{text(f'cli.label.{name}')}:{'' if shown.startswith(_LINE) else ' '}{shown}")


@app.command("open-due")
def open_due_() -> None:
    """按报送日历开启应报任务 · Open what the calendar demands by today."""
    with open_installation() as installation:
        for state in open_due(installation, installation.now().date()):
            typer.echo(text("cli.opened", filing=state.id, deadline=state.deadline, planned=state.planned_on))


@app.command("nil-return")
def nil_return(
    filing: Filing,
    table: Annotated[str, typer.Option(help="表 · table")],
    reason: Reason,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="撤回零申报 · take it back")] = False,
    as_user: As = None,
) -> None:
    """零申报：声明应报表确无数据 · Declare that a due table is rightly empty."""
    with open_installation() as installation:
        record = withdraw_nil_return if withdraw else declare_nil_return
        record(installation, filing, installation.user(as_user), table=table, reason=reason)
        typer.echo(text("cli.not_nil" if withdraw else "cli.nil_return", filing=filing, table=table))


@app.command()
def reextract(filing: Filing, reason: Reason, as_user: As = None) -> None:
    """要求重新提取 · Ask for another round; the extraction sensor launches it."""
    from pipelines.stages.extract import request_extraction  # noqa: PLC0415 - a list need not wait for it

    with open_installation() as installation:
        state = request_extraction(installation, filing, installation.user(as_user), reason=reason)
        typer.echo(text("cli.reextract", filing=filing, round=state.round + 1))


@app.command()
def retry(filing: Filing, reason: Reason, as_user: As = None) -> None:
    """让失败的自动步骤再运行一次 · Let the automatic step that failed run again."""
    with open_installation() as installation:
        request_retry(installation, filing, installation.user(as_user), reason=reason)
        typer.echo(text("cli.retry", filing=filing))


@app.command()
def reopen(filing: Filing, reason: Reason, as_user: As = None) -> None:
    """更正报送：开启下一版 · Begin a resubmission, version + 1."""
    from pipelines.stages import acknowledge  # noqa: PLC0415 - a list need not wait for it

    with open_installation() as installation:
        state = acknowledge.reopen(installation, filing, installation.user(as_user), reason=reason)
        typer.echo(text("cli.reopened", filing=filing, version=state.version))


def _shown(value: object) -> str:
    """A part of the summary for people: short lists in its line, everything else on lines of their own."""
    if isinstance(value, dict):
        parts = [f"{key}: {_inline(part)}" for key, part in cast("dict[str, object]", value).items()]
        return "".join(f"{_LINE}{part}" for part in parts) or "—"
    if isinstance(value, list):
        parts = [_inline(part) for part in cast("list[object]", value)]
        is_short = all(" " not in part for part in parts)
        return "、".join(parts) or "—" if is_short else "".join(f"{_LINE}{part}" for part in parts)
    return "—" if value is None else str(value)


def _inline(value: object) -> str:
    if isinstance(value, dict):
        return (
            "  ".join(f"{key} {_inline(part)}" for key, part in cast("dict[str, object]", value).items())
            or "—"
        )
    return str(value)


def _summary(state: FilingState) -> dict[str, Any]:
    opened, judged, live = state.opened.fact, state.content, state.live_sign_off
    return {
        "filing": state.id,
        "stage": state.stage,
        "version": state.version,
        "authority": opened.authority,
        "period": f"{state.date_from}…{state.date_to}",
        "organisations": list(state.organisations),
        "tables": list(state.tables),
        "deadline": state.deadline.isoformat(),
        "planned_on": state.planned_on.isoformat(),
        "deadlines": [
            f"{each.deadline} {each.cause} {each.actor} {each.at:%Y-%m-%d}: {each.reason}"
            for each in state.deadlines
        ],
        "opened_by": f"{opened.opened_by}: {opened.basis}",
        "withdrawn": state.withdrawn.fact.reason if state.withdrawn else None,
        "talks": len(state.talks),
        "extension": str(waiting.fact.deadline) if (waiting := state.open_extension) else None,
        "rounds": [
            {
                "round": r.fact.round,
                "at": r.at.isoformat(),
                "rows": sum(t.rows for t in r.fact.tables.values()),
                "reconciled_sums": sum(len(t.sums) for t in r.fact.tables.values()),
                "source": r.fact.source,
            }
            for r in state.rounds
        ],
        "findings": {
            "block": judged.fact.block,
            "explain": judged.fact.explain,
            "note": judged.fact.note,
            "by_rule": {rule: count for rule, count in judged.fact.counts.items() if count},
        }
        if judged
        else None,
        "not_judged": {each.rule: str(each) for each in unjudged(state)},
        "awaited": list(state.awaited),
        "held": {f"{h.holder} {h.department} {h.organisation}": h.count for h in state.held},
        "waivers": [w.fact.number for w in state.waivers],
        "unexplained_drift": state.unexplained_drift,
        "sign_off": live.fact.number if live else None,
        "office_reference": live.fact.office_reference or None if live else None,
        "answer": live.fact.answer or None if live else None,
        "opinions": [opinion_line(each) for each in state.live_opinions],
        "sent_back_to": sent_back_to(state),
        "earlier_opinions": [
            opinion_line(each) for each in state.earlier_opinions if each not in state.void_opinions
        ],
        "void_opinions": [opinion_line(each) for each in state.void_opinions],
        "deviations": deviations(state),
        "content": judged.fact.content if judged else None,
        "package": state.package.fact.package if state.package else None,
        "delivered": state.sent.fact.remote if state.sent else None,
        "receipt": f"{state.receipt.fact.number} {state.receipt.fact.result}" if state.receipt else None,
        "evidence": state.evidence.fact.evidence if state.evidence else None,
        "events": state.seq,
    }
