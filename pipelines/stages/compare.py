"""What changed between two rounds, and what explains it: rows by kind and field, findings resolved, remaining, appeared.

What changed in a table is found in `table_changes`. Judging whether a change is explained belongs to people at the sign-off.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import Refused, Tampered
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import RoundsCompared
from pipelines.stages.canonical import canonical_json, file_digest, write_durably
from pipelines.stages.change_request import note_shown
from pipelines.stages.explained_changes import write_explained
from pipelines.stages.handlings import accepted_handlings
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.table_changes import TableChanges, table_changes


def compare(installation: Installation, filing: str, *, progress: Progress | None = None) -> FilingState:
    """Compare the latest round with the one before it, once; and note which change requests it shows.

    Needs the latest round validated.
    """
    state = installation.state(filing)
    if state.round < 2 or state.content is None or state.content.fact.round != state.round:
        raise Refused("compare.needs_two", filing=filing)
    if not state.is_compared:
        state = _compare(installation, state, progress)
    note_shown(installation, state)
    return installation.state(filing)


def _compare(installation: Installation, state: FilingState, progress: Progress | None) -> FilingState:
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
        "tables": [asdict(each) for each in tables],
        "unexplained": counts,
        "resolved": sorted(were - are),
        "remaining": sorted(were & are),
        "appeared": sorted(are - were),
        "missing_fixes": sorted(promised & are),
    }
    path = folder / "comparison.json"
    write_durably(path, canonical_json(details).encode())
    fact = RoundsCompared(
        earlier=earlier,
        later=later,
        comparison=file_digest(path),
        changes=file_digest(changes),
        added=sum(each.added for each in tables),
        removed=sum(each.removed for each in tables),
        changed=sum(each.changed for each in tables),
        unexplained=sum(counts.values()),
        resolved=len(details["resolved"]),
        remaining=len(details["remaining"]),
        appeared=len(details["appeared"]),
        missing_fixes=len(details["missing_fixes"]),
    )
    return installation.record(state, fact, actor=SYSTEM, command=f"compare:{earlier}:{later}")


def comparison_folder(installation: Installation, filing: str, later: int) -> Path:
    """Where the comparison of a round with the one before lies."""
    return installation.folder("comparisons", filing) / f"{later}"


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
    """Finding keys of the last content judged on a round; none where it was extracted anew before anybody judged it."""
    contents = [c for c in state.contents if c.fact.round == number]
    return set(found_in(installation, state, contents[-1].fact)["finding"]) if contents else set[str]()


def changes_by(changes: Path, *columns: str) -> pl.DataFrame:
    """How many changes there are by these columns, most first; `is_explained` beside them."""
    return (
        pl.scan_parquet(changes)
        .with_columns(is_explained=pl.col("explanation").is_not_null())
        .group_by(*columns)
        .len("count")
        .sort("count", *columns, descending=[True, *([False] * len(columns))], nulls_last=True)
        .collect()
    )
