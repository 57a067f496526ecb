"""`baosong findings`: the register of problem data, its first review, and its issue to the branches."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Column, Table

from pipelines.cli.finding_options import ACTED_ON, As, Filing, Reason, choosing
from pipelines.errors import BadInput, text
from pipelines.stages.finding_state import STATES
from pipelines.stages.first_review import review_findings
from pipelines.stages.holders import holders
from pipelines.stages.installation import open_installation
from pipelines.stages.issue import dispatch_folder
from pipelines.stages.issue import issue as issue_findings
from pipelines.stages.masking import masked_finding
from pipelines.stages.register import register
from pipelines.stages.selection import Selection

app = typer.Typer(no_args_is_help=True)
SHOWN = 50
_COLUMNS = (
    "finding",
    "state",
    "rule",
    "severity",
    "table",
    "key",
    "field",
    "value",
    "expected",
    "department",
    "branch",
)


@app.callback()
def findings() -> None:
    """问题数据 · Findings: register, first review, issue."""


@app.command("list")
@choosing(*ACTED_ON, "states")
def list_(
    filing: Filing,
    chosen: Selection,
    shown: Annotated[int, typer.Option("--rows", min=1, help="列出几条 · how many are listed")] = SHOWN,
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")] = False,
) -> None:
    """问题数据台账：每条到了哪一步、在谁手里 · The register: how far every finding is."""
    with open_installation() as installation:
        state = installation.state(filing)
        rows = register(installation, state)
        standard = installation.standard(state.opened.fact.standard)
    chosen, everything = _with_known_states(chosen), rows
    if not rows.is_empty():
        rows = chosen.of(rows)
    if as_json:
        masked = [masked_finding(standard, row) for row in rows.iter_rows(named=True)]
        typer.echo(json.dumps(masked, ensure_ascii=False, indent=2, default=str))
        return
    if rows.is_empty():
        code = "not_judged" if state.content is None else "none" if everything.is_empty() else "none_chosen"
        typer.echo(text(f"findings.{code}", filing=filing, chosen=chosen, count=everything.height))
        return
    counts = rows.group_by("state", "holder").len("count").sort("state", "holder")
    for row in counts.iter_rows(named=True):
        holder = text(f"findings.holder.{row['holder']}") if row["holder"] else "—"
        word = text("findings.state." + row["state"])
        typer.echo(f"{word}\t{row['count']:,}\t{holder}")
    table = Table(
        *(Column(text(f"findings.column.{name}"), overflow="fold") for name in _COLUMNS), box=SIMPLE_HEAD
    )
    for row in rows.head(shown).iter_rows(named=True):
        cells = {**masked_finding(standard, row), "state": text("findings.state." + row["state"])}
        table.add_row(*("—" if cells[name] is None else str(cells[name]) for name in _COLUMNS))
    console = Console()
    Console(width=max(console.width, 160)).print(table)
    if rows.height > shown:
        typer.echo(text("findings.more", shown=shown, count=rows.height))


def _with_known_states(chosen: Selection) -> Selection:
    """States as the register has them, also where they were named in the words that the list prints."""
    words = {text(f"findings.state.{state}"): state for state in STATES}
    for given in chosen.states:
        if given not in STATES and given not in words:
            known = "、".join(f"{state} {word}" for word, state in words.items())
            raise BadInput("findings.state_unknown", state=given, known=known)
    return replace(chosen, states=tuple(words.get(given, given) for given in chosen.states))


@app.command("holders")
def holders_(filing: Filing) -> None:
    """谁手里有多少、自何时起、何时到期 · Who holds how much since when, and what is late."""
    with open_installation() as installation:
        state = installation.state(filing)
        for each in holders(installation, state):
            typer.echo(
                text(
                    "findings.held",
                    holder=text(f"findings.holder.{each.holder}"),
                    department=each.department_name,
                    branch=each.branch_name,
                    count=f"{each.count:,}",
                    since=f"{each.since:%Y-%m-%d %H:%M}",
                    due=each.due or "—",
                    late=text("findings.late") if each.is_late else "",
                )
            )


@app.command()
@choosing(*ACTED_ON)
def confirm(
    filing: Filing,
    chosen: Selection,
    as_user: As = None,
) -> None:
    """初审：确认为问题，交责任部门 · First review: confirm, for the departments to issue."""
    with open_installation() as installation:
        state = review_findings(installation, filing, installation.user(as_user), "confirm", chosen)
        _tell("findings.confirmed", state.first_reviews[-1].fact.confirmed, state.holds("first_review"))


@app.command()
@choosing(*ACTED_ON)
def dismiss(
    filing: Filing,
    chosen: Selection,
    reason: Reason,
    as_user: As = None,
) -> None:
    """初审：不是问题，须有理由；阻断的不能 · First review: no problem, with a reason; not for what blocks."""
    with open_installation() as installation:
        user = installation.user(as_user)
        state = review_findings(installation, filing, user, "dismiss", chosen, reason=reason)
        _tell("findings.dismissed", state.first_reviews[-1].fact.dismissed, state.holds("first_review"))


@app.command()
@choosing(*ACTED_ON)
def assign(
    filing: Filing,
    chosen: Selection,
    to_department: Annotated[
        str | None, typer.Option(help="改由此部门负责 · department that owns them")
    ] = None,
    to_branch: Annotated[str | None, typer.Option(help="改由此机构答复 · branch that answers")] = None,
    reason: Reason = "",
    as_user: As = None,
) -> None:
    """初审：确认，并改派部门或机构 · First review: confirm, for another department or branch."""
    with open_installation() as installation:
        state = review_findings(
            installation, filing, installation.user(as_user), "assign", chosen,
            reason=reason, department=to_department, branch=to_branch,
        )  # fmt: skip
        _tell("findings.assigned", state.first_reviews[-1].fact.assigned, state.holds("first_review"))


@app.command()
@choosing("rules", "tables", "branches", "findings")
def issue(
    filing: Filing,
    chosen: Selection,
    department: Annotated[str, typer.Option(help="责任部门 · the department that issues")],
    as_user: As = None,
) -> None:
    """责任部门下发问题数据，每个分公司一份工作簿 · A department issues its findings, a workbook per branch."""
    with open_installation() as installation:
        state = issue_findings(installation, filing, department, installation.user(as_user), chosen)
        fact = state.dispatches[-1].fact
        problems = sum(workbook.problems for workbook in fact.workbooks)
        typer.echo(
            text(
                "findings.issued",
                workbooks=len(fact.workbooks),
                count=f"{problems:,}",
                answer_by=fact.answer_by,
                folder=dispatch_folder(installation, filing, state.dispatches[-1].seq),
            )
        )


def _tell(code: str, count: int, left: int) -> None:
    typer.echo(text(code, count=f"{count:,}", left=f"{left:,}"))
