"""What the comparison of rounds (两轮比较) shows: rows by table and field, findings that went, stayed or came, unexplained drift.

Rows are counted where they lie and read for a capped list only: of the tables that the person answers for, masked. What
changed is `stages.compare`'s matter, who says why that of `stages.drift`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import polars as pl

from pipelines.desk.figure_charts import stacked_bars
from pipelines.desk.findings_view import visible_rows
from pipelines.desk.rendering import label
from pipelines.desk.scope import reads_table
from pipelines.desk.visit import Visit
from pipelines.desk.words import table_title
from pipelines.stages.compare import changes_file, read_comparison
from pipelines.stages.drift import unexplained_changes
from pipelines.stages.masking import masked, masked_key, personal_fields
from validations.engine import Standard

KINDS = ("added", "removed", "changed")
FINDINGS = ("missing_fixes", "appeared", "resolved", "remaining")
MOST_GROUPS, MOST_ROWS, MOST_FINDINGS, MOST_BARS = 200, 50, 20, 15


@dataclass(frozen=True)
class Wanted:
    """Which changes are listed: of this table, organisation, field and kind (empty: all); `every`: the explained ones too."""

    table: str = ""
    organisation: str = ""
    field: str = ""
    kind: str = ""
    every: bool = False


@dataclass(frozen=True)
class TableRow:
    """One table that changed; `only_in` is the round that alone has it, whose rows all came or went."""

    table: str
    added: int
    removed: int
    changed: int
    fields: Mapping[str, int]
    rows_earlier: int | None
    rows_later: int | None
    unexplained: int | None
    only_in: int | None = None


@dataclass(frozen=True)
class FindingsSeen:
    """What became of findings from one round to the next, as far as the person sees them: the count, and the first of them."""

    fate: str
    count: int
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class ComparisonShown:
    """The latest round against the one before it. Counts are of all; `groups`, `changes` are cut, their counts are not.

    `groups` are unexplained changes by table, organisation, kind and field; `may_explain`: tables of the person's departments.
    """

    earlier: int
    later: int
    tables: tuple[TableRow, ...]
    same: int
    chart: str
    findings: tuple[FindingsSeen, ...]
    groups: tuple[dict[str, Any], ...]
    group_count: int
    drift: int
    changes: tuple[dict[str, Any], ...]
    change_count: int
    hidden_tables: tuple[str, ...]
    may_explain: tuple[str, ...]
    wanted: Wanted

    def choices(self, name: str) -> tuple[str, ...]:
        """What may be chosen of a column when changes are explained: what unexplained changes of one's tables have."""
        theirs = (each[name] for each in self.groups if each["table"] in self.may_explain)
        return tuple(sorted({value for value in theirs if value}))


_MOST_KEPT = 4
_kept: dict[str, tuple[dict[str, Any], pl.DataFrame]] = {}
_lock = Lock()


def compared(visit: Visit, wanted: Wanted) -> ComparisonShown | None:
    """The comparison of the latest round; None before there is one. Raises Tampered as `read_comparison`."""
    state, installation = visit.state, visit.installation
    if state.comparison is None:
        return None
    standard = installation.standard(state.opened.fact.standard)
    fact = state.comparison.fact
    details, fates = _read(visit)
    changed = [each for each in details["tables"] if any(each[kind] for kind in KINDS)]
    left = unexplained_changes(installation, state)
    groups = left.group_by("table", "organisation", "kind", "field").agg(count=pl.len())
    counted = groups.sort("count", "table", "organisation", "kind", "field", descending=[True, *[False] * 4])
    by_table = left.group_by("table").len("count")
    top, group_count, drift, open_now = pl.collect_all(
        [counted.head(MOST_GROUPS), groups.select(pl.len()), left.select(pl.len()), by_table]
    )
    unexplained: dict[str, int] = dict(open_now.iter_rows())
    names = [each["table"] for each in changed]
    shown, hidden = _own_tables(visit, standard, names)
    if wanted.table and wanted.table not in shown:
        wanted = replace(wanted, table="")
    changes, change_count = _changes(visit, standard, left, shown, wanted)
    return ComparisonShown(
        earlier=fact.earlier,
        later=fact.later,
        tables=(
            *(TableRow(**each, unexplained=unexplained.get(each["table"], 0)) for each in changed),
            *(
                TableRow(name, rows, 0, 0, {}, None, rows, None, fact.later)
                for name, rows in details.get("only_later", {}).items()
            ),
            *(
                TableRow(name, 0, rows, 0, {}, rows, None, None, fact.earlier)
                for name, rows in details.get("only_earlier", {}).items()
            ),
        ),
        same=len(details["tables"]) - len(changed),
        chart=_chart(standard, changed),
        findings=tuple(_fates(visit, fates)),
        groups=tuple(top.iter_rows(named=True)),
        group_count=group_count.item(),
        drift=drift.item(),
        changes=changes,
        change_count=change_count,
        hidden_tables=hidden,
        may_explain=tuple(
            name
            for name in names
            if visit.user.speaks_for(
                visit.installation.deployment.department_of(standard.name, rule="", table=name, group="")
            )
        ),
        wanted=wanted,
    )


def _chart(standard: Standard, changed: list[dict[str, Any]]) -> str:
    most = sorted(changed, key=lambda each: -sum(each[kind] for kind in KINDS))[:MOST_BARS]
    if not most:
        return ""
    return stacked_bars(
        label("comparison.chart"),
        {kind: label(f"comparison.{kind}") for kind in KINDS},
        {
            f"{table_title(standard, each['table'])} {each['table']}": {kind: each[kind] for kind in KINDS}
            for each in most
        },
        unit=label("unit.rows"),
    )


def _read(visit: Visit) -> tuple[dict[str, Any], pl.DataFrame]:
    """The recorded comparison, and what became of each finding in it; kept under its digest, for there may be very many."""
    state = visit.state
    assert state.comparison is not None, "asked for before"
    digest = state.comparison.fact.comparison
    with _lock:
        known = _kept.get(digest)
    if known is None:
        details = read_comparison(visit.installation, state)
        frames = [
            pl.DataFrame({"finding": details.pop(fate)}, schema={"finding": pl.String}).with_columns(
                fate=pl.lit(fate)
            )
            for fate in FINDINGS
        ]
        known = details, pl.concat(frames)
        with _lock:
            if len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[digest] = known
    return known


def _fates(visit: Visit, fates: pl.DataFrame) -> list[FindingsSeen]:
    standard = visit.installation.standard(visit.state.opened.fact.standard)
    columns = ("finding", "rule", "severity", "table", "key", "field", "branch", "state")
    rows = visible_rows(visit).select(columns).join(fates.lazy(), on="finding")
    asked = [rows.group_by("fate").len("count")]
    asked += [rows.filter(pl.col("fate") == fate).head(MOST_FINDINGS) for fate in FINDINGS]
    counted, *lists = pl.collect_all(asked)
    counts: dict[str, int] = dict(counted.iter_rows())
    return [
        FindingsSeen(
            fate,
            counts.get(fate, 0),
            tuple(_masked_place(standard, row) for row in first.iter_rows(named=True)),
        )
        for fate, first in zip(FINDINGS, lists, strict=True)
    ]


def _masked_place(standard: Standard, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "key": masked_key(row["key"], personal_fields(standard, row["table"]))}


def _own_tables(
    visit: Visit, standard: Standard, names: list[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tables whose rows the person may read, and the others: a department's reviewer reads their department's."""
    deployment = visit.installation.deployment
    own = tuple(name for name in names if reads_table(deployment, visit.user, standard.name, name))
    return own, tuple(name for name in names if name not in own)


def _changes(
    visit: Visit, standard: Standard, left: pl.LazyFrame, tables: tuple[str, ...], wanted: Wanted
) -> tuple[tuple[dict[str, Any], ...], int]:
    """The first changes that are wanted, masked, and how many there are."""
    rows = pl.scan_parquet(changes_file(visit.installation, visit.state)) if wanted.every else left
    rows = rows.filter(pl.col("table").is_in(list(tables)))
    for column in ("table", "organisation", "field", "kind"):
        if value := getattr(wanted, column):
            rows = rows.filter(pl.col(column) == value)
    first, count = pl.collect_all([rows.head(MOST_ROWS), rows.select(pl.len())])
    return tuple(_masked_change(standard, row) for row in first.iter_rows(named=True)), count.item()


def _masked_change(standard: Standard, row: dict[str, Any]) -> dict[str, Any]:
    is_personal = row["field"] in personal_fields(standard, row["table"])
    return {
        **_masked_place(standard, row),
        "old": masked(row["old"], is_personal),
        "new": masked(row["new"], is_personal),
    }
