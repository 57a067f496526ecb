"""What changed between two rounds: rows added, removed, changed by field; findings resolved, remaining, appeared.

One keyed pass per table in DuckDB. Judging whether a change is explained belongs to people at the sign-off.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import RoundsCompared
from pipelines.stages.canonical import canonical_json, file_digest, write_durably
from pipelines.stages.handlings import current_handlings
from pipelines.stages.installation import SYSTEM, Installation
from validations.engine import Table


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
        compare_tables(
            standard.table(name),
            installation.rounds.path(filing, earlier) / f"{name}.parquet",
            installation.rounds.path(filing, later) / f"{name}.parquet",
        )
        for name in state.rounds[-1].fact.tables
        if name in state.rounds[-2].fact.tables  # an amended demand may have others
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


def read_differences(installation: Installation, filing: str, later: int) -> list[TableDifference]:
    """The table part of a recorded comparison."""
    details = json.loads(comparison_file(installation, filing, later).read_text(encoding="utf-8"))
    return [TableDifference(**difference) for difference in details["tables"]]


def compare_tables(table: Table, earlier: Path, later: Path) -> TableDifference:
    """Keyed difference of two Parquet files of one table. Repeated keys are told apart by their order."""
    others = [f.name for f in table.stored_fields if f.name not in table.key]
    keys = ", ".join(f'"{name}"' for name in table.key)
    same_key = " AND ".join(
        f'a."{name}" IS NOT DISTINCT FROM b."{name}"' for name in (*table.key, "occurrence")
    )
    changed = [f'a."{name}" IS DISTINCT FROM b."{name}"' for name in others]
    counts = "".join(f", count_if(in_both AND {condition})" for condition in changed)
    order = ", ".join(f'"{field.name}"' for field in table.stored_fields)
    numbered = (
        f"SELECT *, true AS present, row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS occurrence "
        "FROM read_parquet($1, hive_partitioning = false)"
    )
    query = f"""
        WITH a AS ({numbered}), b AS ({numbered.replace("$1", "$2")}),
             pairs AS (SELECT a, b, a.present AND b.present AS in_both, a.present AS was, b.present AS is_there
                       FROM a FULL JOIN b ON {same_key})
        SELECT count_if(was IS NULL), count_if(is_there IS NULL),
               count_if(in_both AND ({" OR ".join(changed) or "false"})){counts}
        FROM pairs
    """
    with duckdb.connect(config={"threads": 2, "memory_limit": "1GB"}) as connection:
        connection.execute("SET enable_progress_bar = false")
        row = connection.execute(query, [str(earlier), str(later)]).fetchone()
    assert row is not None, "an aggregate gives one row"
    added, removed, changed_rows, *by_field = (int(value or 0) for value in row)
    fields = {name: count for name, count in zip(others, by_field, strict=True) if count}
    return TableDifference(table.name, added, removed, changed_rows, fields)


def _finding_keys(installation: Installation, state: FilingState, number: int) -> set[str]:
    """Finding keys of the last content judged on a round."""
    contents = [c for c in state.contents if c.fact.round == number]
    if not contents:
        return set()  # that round was extracted anew before anybody judged it
    judged = contents[-1].fact
    path = installation.folder("contents", state.id) / judged.content / "findings.parquet"
    return set(pl.read_parquet(path, columns=["finding"]).to_series().to_list())
