"""`baosong gates` and `baosong compliance`: what a filing still waits for, and how its review went. Reads only."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from pipelines.errors import LANGUAGE, text
from pipelines.stages.compliance import Check, compliance
from pipelines.stages.gates import gate_results
from pipelines.stages.installation import Installation, open_installation
from resources.deployment import GATES

Filing = Annotated[str, typer.Argument(help="报送任务 · filing")]
Json = Annotated[bool, typer.Option("--json", help="JSON 输出 · machine-readable")]
CLOSED = 1


def gates(filing: Filing, as_json: Json = False) -> None:
    """签报关口 · Every gate before the sign-off, open or closed, and what to do; exit 1 while one is closed."""
    with open_installation() as installation:
        results = gate_results(installation, installation.state(filing))
        if as_json:
            shown = [
                {"gate": r.name, "state": r.state, "refusals": [str(refusal) for refusal in r.refusals]}
                for r in results
            ]
            typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        else:
            language = ("zh", "en").index(LANGUAGE.get())
            for each in results:
                title = GATES[each.name][language] if each.name in GATES else "?"
                typer.echo(f"{text(f'cli.gate.{each.state}')}\t{each.name}\t{title}")
                for refusal in each.refusals:
                    typer.echo(f"\t{refusal}")
    if any(each.state != "open" for each in results):
        raise typer.Exit(CLOSED)


def compliance_(filing: Filing, as_json: Json = False) -> None:
    """审核流程合规审查 · How the work on a filing went, held against the declared process."""
    with open_installation() as installation:
        review = compliance(installation, installation.state(filing))
        if as_json:
            typer.echo(json.dumps({**asdict(review), "digest": review.digest}, ensure_ascii=False, indent=2))
            return
        typer.echo(
            text(
                "compliance.head",
                filing=filing,
                version=review.version,
                checks=len(review.checks),
                deviations=len(review.deviations),
                digest=review.digest[:12],
            )
        )
        for department in ("", *review.departments):
            typer.echo(_named(installation, department))
            for check in review.of(department):
                typer.echo(_line(check))


def _named(installation: Installation, code: str) -> str:
    if not code:
        return text("compliance.whole")
    return f"{getattr(installation.deployment.departments[code].title, LANGUAGE.get())}（{code}）"


def _line(check: Check) -> str:
    seen = check.evidence
    return text(
        "compliance.line",
        result=text(f"compliance.result.{check.result}"),
        title=getattr(check.title, LANGUAGE.get()),
        deviating=f"{seen.deviating:,}",
        count=f"{seen.count:,}",
        who="、".join(seen.who) or "—",
        events=" ".join(seen.events) or "—",
    )
