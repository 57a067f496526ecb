"""What changed between two rounds: rows added, removed, changed by field; findings resolved, remaining, appeared.

What changed in a table is found in `table_changes`. Judging whether a change is explained belongs to people at the sign-off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import RoundsCompared
from pipelines.stages.canonical import canonical_json, file_digest, write_durably
from pipelines.stages.handlings import current_handlings
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.table_changes import TableChanges, table_changes


@dataclass(frozen=True)
class TableDifference:
    """One table between two rounds; `fields` counts changed rows by field."""

    table: str
    added: int
    removed: int
    changed: int
    fields: dict[str, int]


def compare(installation: Installation, filing: str) -> FilingState:
    """Compare the latest round with the one before it, once. Needs the latest round validated."""
    state = installation.state(filing)
    if state.round < 2 or state.content is None or state.content.fact.round != state.round:
        raise Refused("compare.needs_two", filing=filing)
    if any(c.fact.later == state.round for c in state.comparisons):
        return state
    earlier, later = state.round - 1, state.round
    standard = installation.standard(state.opened.fact.standard)
    differences = [
        _difference(
            table_changes(
                standard.table(name),
                installation.rounds.path(filing, earlier) / f"{name}.parquet",
                installation.rounds.path(filing, later) / f"{name}.parquet",
                changes_file(installation, filing, later, name),
            )
        )
        for name in state.rounds[-1].fact.tables
    ]
    before, after = (_finding_keys(installation, state, number) for number in (earlier, later))
    handlings = current_handlings(installation, state)
    promised = {key for key, answer in handlings.items() if answer.handling == "source_fix"}
    details = {
        "tables": [vars(difference) for difference in differences],
        "resolved": sorted(before - after),
        "remaining": sorted(before & after),
        "appeared": sorted(after - before),
        "missing_fixes": sorted(promised & after),
    }
    path = comparison_file(installation, filing, later)
    write_durably(path, canonical_json(details).encode())
    fact = RoundsCompared(
        earlier=earlier,
        later=later,
        comparison=file_digest(path),
        added=sum(d.added for d in differences),
        removed=sum(d.removed for d in differences),
        changed=sum(d.changed for d in differences),
        resolved=len(details["resolved"]),
        remaining=len(details["remaining"]),
        appeared=len(details["appeared"]),
        missing_fixes=len(details["missing_fixes"]),
    )
    return installation.record(state, fact, actor=SYSTEM, command=f"compare:{earlier}:{later}")


def comparison_file(installation: Installation, filing: str, later: int) -> Path:
    return installation.folder("comparisons", filing) / f"round-{later}.json"


def changes_file(installation: Installation, filing: str, later: int, table: str) -> Path:
    """Every change of one table, as `table_changes` writes it."""
    return installation.folder("comparisons", filing) / f"round-{later}" / f"{table}.parquet"


def read_differences(installation: Installation, filing: str, later: int) -> list[TableDifference]:
    """The table part of a recorded comparison."""
    details = json.loads(comparison_file(installation, filing, later).read_text(encoding="utf-8"))
    return [TableDifference(**difference) for difference in details["tables"]]


def _difference(changes: TableChanges) -> TableDifference:
    return TableDifference(changes.table, changes.added, changes.removed, changes.changed, changes.fields)


def _finding_keys(installation: Installation, state: FilingState, number: int) -> set[str]:
    """Finding keys of the last content judged on a round."""
    contents = [c for c in state.contents if c.fact.round == number]
    if not contents:
        return set()  # that round was extracted anew before anybody judged it
    judged = contents[-1].fact
    path = installation.folder("contents", state.id) / judged.content / "findings.parquet"
    return set(pl.read_parquet(path, columns=["finding"]).to_series().to_list())
