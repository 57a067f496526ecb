"""What changed between two rounds, and what explains it: rows by kind and field, findings resolved, remaining, appeared.

A change is explained by an accepted source fix, or by a correction whose value production shows now; declaring another
cause is `drift`'s work, and until somebody does the change is unexplained drift, which keeps the sign-off closed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from pipelines.errors import Refused, Tampered
from pipelines.ledger.filing import FilingState, Recorded
from pipelines.ledger.filing_events import ContentValidated, RoundExtracted, RoundsCompared
from pipelines.stages.canonical import canonical_json, file_digest, write_durably
from pipelines.stages.demanded import is_no_longer_demanded, is_unjudged
from pipelines.stages.explained_changes import write_explained
from pipelines.stages.handlings import accepted_handlings
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.leftovers import clear_leftovers, draft_name
from pipelines.stages.register import found_in
from pipelines.stages.root_causes import hidden_behind
from pipelines.stages.table_changes import Progress, TableChanges, table_changes
from validations.engine import FINDINGS_SCHEMA, Standard

CHANGES = "changes.parquet"


def compare(installation: Installation, filing: str, *, progress: Progress | None = None) -> FilingState:
    """Compare the latest round with the one before it, once. Needs the latest round validated."""
    with installation.alone(f"{filing}.comparison"):
        state = installation.state(filing)
        if state.round < 2 or state.content is None or state.content.fact.round != state.round:
            raise Refused("compare.needs_two", filing=filing)
        if not state.is_compared:
            state = _compare(installation, state, progress)
        return state


def compare_again(
    installation: Installation, filing: str, earlier: int, later: int, *, progress: Progress | None = None
) -> dict[str, Any]:
    """The summary of any two rounds by what is accepted now; recorded is nothing. Needs both validated, Raises Refused else."""
    state = installation.state(filing)
    judged = {recorded.fact.round for recorded in state.contents}
    if not earlier < later or not {earlier, later} <= judged:
        known = ", ".join(map(str, sorted(judged))) or "—"
        raise Refused("compare.rounds", filing=filing, earlier=earlier, later=later, known=known)
    root = installation.folder("comparisons", filing)
    root.mkdir(parents=True, exist_ok=True)
    clear_leftovers(root)
    with TemporaryDirectory(dir=root, prefix=draft_name("")) as folder:
        return _differences(installation, state, earlier, later, Path(folder), progress)


def _compare(installation: Installation, state: FilingState, progress: Progress | None) -> FilingState:
    earlier, later = state.round - 1, state.round
    folder = comparison_folder(installation, state.id, later)
    folder.mkdir(parents=True, exist_ok=True)
    clear_leftovers(folder)
    details = _differences(installation, state, earlier, later, folder, progress)
    path = folder / "comparison.json"
    write_durably(path, canonical_json(details).encode())
    fact = RoundsCompared(
        earlier=earlier,
        later=later,
        comparison=file_digest(path),
        changes=file_digest(folder / CHANGES),
        added=sum(each["added"] for each in details["tables"]),
        removed=sum(each["removed"] for each in details["tables"]),
        changed=sum(each["changed"] for each in details["tables"]),
        unexplained=sum(details["unexplained"].values()),
        resolved=len(details["resolved"]),
        remaining=len(details["remaining"]),
        appeared=len(details["appeared"]),
        missing_fixes=len(details["missing_fixes"]),
    )
    return installation.record(state, fact, actor=SYSTEM, command=f"compare:{earlier}:{later}")


def _differences(
    installation: Installation,
    state: FilingState,
    earlier: int,
    later: int,
    folder: Path,
    progress: Progress | None,
) -> dict[str, Any]:
    """The summary; every changed row is written to `folder` with what explains it."""
    standard = installation.standard(state.opened.fact.standard)
    was, now = (_extracted(state, number).fact for number in (earlier, later))
    tables = list(_tables(installation, state.id, standard, was, now, folder, progress))
    before, after = (_findings(installation, state, number) for number in (earlier, later))
    were, are = set(before["finding"]), set(after["finding"])
    accepted = accepted_handlings(installation, state, before=_extracted(state, later).seq)
    fixes = [each for each in accepted.values() if each.handling == "source_fix" and each.finding in were]
    corrections = [each for each in accepted.values() if each.handling == "report_correction"]
    found = [path for path in (folder / f"{each.table}.parquet" for each in tables) if path.is_file()]
    counts = write_explained(standard, found, [*fixes, *corrections], folder / CHANGES)
    for path in found:
        path.unlink()

    gone = before.filter(~pl.col("finding").is_in(list(are)))
    are |= hidden_behind(standard, gone, after)
    for judged in _judged(state, later):
        are |= set(gone.filter(is_unjudged(judged))["finding"])
        were -= set(gone.filter(is_no_longer_demanded(installation, state, judged))["finding"])
    promised = {each.finding for each in fixes}
    return {
        "tables": [asdict(each) for each in tables],
        "only_earlier": {name: each.rows for name, each in was.tables.items() if name not in now.tables},
        "only_later": {name: each.rows for name, each in now.tables.items() if name not in was.tables},
        "unexplained": counts,
        "resolved": sorted(were - are),
        "remaining": sorted(were & are),
        "appeared": sorted(are - were),
        "missing_fixes": sorted(promised & are),
    }


def _extracted(state: FilingState, number: int) -> Recorded[RoundExtracted]:
    """A round as it was extracted last."""
    return next(recorded for recorded in reversed(state.rounds) if recorded.fact.round == number)


def _judged(state: FilingState, number: int) -> list[ContentValidated]:
    """The last content judged on a round; none where it was extracted anew before anybody judged it."""
    return [content.fact for content in state.contents if content.fact.round == number][-1:]


def _tables(
    installation: Installation,
    filing: str,
    standard: Standard,
    earlier: RoundExtracted,
    later: RoundExtracted,
    folder: Path,
    progress: Progress | None,
) -> Iterator[TableChanges]:
    """Write what changed of each table that both rounds have into `folder`; equal digests are equal rows, and need no reading."""
    for name in later.tables:
        if name not in earlier.tables:
            continue
        before, after = (
            installation.rounds.path(filing, n.round) / f"{name}.parquet" for n in (earlier, later)
        )
        was, now = earlier.tables[name], later.tables[name]
        if was.digest == now.digest:
            yield TableChanges(name, 0, 0, 0, {}, rows_earlier=was.rows, rows_later=now.rows)
        else:
            yield table_changes(
                standard.table(name), before, after, folder / f"{name}.parquet", progress=progress
            )


def comparison_folder(installation: Installation, filing: str, later: int) -> Path:
    """Where the comparison of a round with the one before lies."""
    return installation.folder("comparisons", filing) / f"{later}"


def read_comparison(installation: Installation, state: FilingState) -> dict[str, Any]:
    """The summary of the latest round's comparison. Raises Refused before it is made, Tampered when it was changed."""
    path = comparison_folder(installation, state.id, state.round) / "comparison.json"
    _require(state, path, "comparison")
    return json.loads(path.read_text(encoding="utf-8"))


def changes_file(installation: Installation, state: FilingState) -> Path:
    """All row changes of the latest round, with what explains each. Raises as `read_comparison`."""
    path = comparison_folder(installation, state.id, state.round) / CHANGES
    _require(state, path, "changes")
    return path


def _require(state: FilingState, path: Path, name: str) -> None:
    if state.comparison is None:
        raise Refused("compare.none", filing=state.id, round=state.round)
    if not path.is_file() or file_digest(path) != getattr(state.comparison.fact, name):
        raise Tampered("compare.changed", path=path)


def _findings(installation: Installation, state: FilingState, number: int) -> pl.DataFrame:
    """The findings of the last content judged on a round."""
    found = [found_in(installation, state, content) for content in _judged(state, number)]
    return found[0] if found else pl.DataFrame(FINDINGS_SCHEMA.empty_table())
