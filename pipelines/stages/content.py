"""Content (报送内容): what is judged, signed and sent, one thing under one digest. Judging it is `validate`'s work.

Content = round + report corrections laid over it + derived tables + handlings + waivers + standard version + package
profile.
It is rebuilt from its parts whenever somebody needs it, so a gate compares digests of what is there, not of what was.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipelines.errors import Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import RoundExtracted
from pipelines.stages.canonical import canonical_json, json_digest, sync_folder
from pipelines.stages.handlings import Handled, accepted_handlings
from pipelines.stages.installation import Installation
from pipelines.stages.leftovers import clear_leftovers, draft_name
from pipelines.stages.typed_value import typed_value
from pipelines.stages.waivers import waivers_in_force
from resources.rounds import RoundManifest
from validations.engine import Standard, Table, arrow_schema, derive, stored_inputs, table_digests


@dataclass(frozen=True)
class Conflict:
    """A correction whose original value changed underneath: what the round shows now (`is_there`: the row still exists)."""

    handled: Handled
    shown: str | None
    is_there: bool


@dataclass(frozen=True)
class Content:
    """One content on disk: its digest, the Parquet file of every table, and the corrections that no longer fit."""

    digest: str
    folder: Path
    round: int
    tables: dict[str, Path]
    handlings: dict[str, Handled]
    overlays: tuple[Handled, ...]
    conflicts: tuple[Conflict, ...]


def parameters_of(state: FilingState) -> dict[str, str]:
    """The named parameters of rules and extraction: dates as ISO text, periods as YYYYMM."""
    opened = state.opened.fact
    return {
        "date_from": state.date_from.isoformat(),
        "date_to": state.date_to.isoformat(),
        "period_from": state.date_from.strftime("%Y%m"),
        "period_to": state.date_to.strftime("%Y%m"),
        "year_from": state.date_to.replace(month=1, day=1).isoformat(),
        "key": opened.key,
        "report": opened.report,
    }


def sign_off_number(state: FilingState) -> str:
    """The number under which this version is signed, known before anything is judged so that handlings can name it."""
    return f"QB-{state.id}-V{state.version}"


def build_content(installation: Installation, state: FilingState) -> Content:
    """Build (or find) the content of the latest round; the same parts give the same digest and folder.

    Raises Refused before the first round, Tampered when the round on disk is not the one recorded.
    """
    if not state.rounds:
        raise Refused("content.no_round", filing=state.id)
    opened = state.opened.fact
    standard = installation.standard(opened.standard)
    report = standard.report(opened.report)
    demanded = installation.tables(state)
    manifest = installation.rounds.verify(state.id, state.round, digest=state.rounds[-1].fact.manifest)
    source = installation.rounds.path(state.id, state.round)
    handlings = accepted_handlings(installation, state)

    root = installation.folder("contents", state.id)
    root.mkdir(parents=True, exist_ok=True)
    clear_leftovers(root)
    building = Path(tempfile.mkdtemp(prefix=draft_name(""), dir=root))
    try:
        for name in stored_inputs(standard, demanded):
            if name not in state.rounds[-1].fact.tables:  # the demand was amended since
                raise Refused("content.round_lacks", filing=state.id, round=state.round, table=name)
        tables, overlays, conflicts = corrected_tables(
            standard, demanded, source, handlings.values(), parameters_of(state), building
        )
        digests = _digests(standard, tables, source, state.rounds[-1].fact, manifest)
        parts = _parts(installation, state, standard, report.package, digests, handlings, overlays)
        digest = json_digest(parts)
        (building / "content.json").write_text(canonical_json(parts), encoding="utf-8")
        folder = root / digest
        folder.mkdir(exist_ok=True)
        for (
            path
        ) in building.iterdir():  # an earlier build's files give way: what is used is what was digested now
            path.replace(folder / path.name)
        sync_folder(folder)
        placed = {n: folder / p.name if p.parent == building else p for n, p in tables.items()}
        return Content(digest, folder, state.round, placed, handlings, tuple(overlays), tuple(conflicts))
    finally:
        shutil.rmtree(building, ignore_errors=True)


def corrected_tables(
    standard: Standard,
    demanded: tuple[str, ...],
    source: Path,
    handlings: Iterable[Handled],
    parameters: Mapping[str, str],
    folder: Path,
) -> tuple[dict[str, Path], list[Handled], list[Conflict]]:
    """The demanded tables with the corrections among `handlings` laid over the round in `source`, changed and derived ones in
    `folder`; the corrections laid over, and those that no longer fit."""
    by_table: dict[str, list[Handled]] = {}
    for each in handlings:
        if each.handling == "report_correction":
            by_table.setdefault(each.table, []).append(each)
    tables: dict[str, Path] = {}
    overlays: list[Handled] = []
    conflicts: list[Conflict] = []
    for name in stored_inputs(standard, demanded):
        tables[name] = source / f"{name}.parquet"
        if name in by_table:
            tables[name], fitting, stale = _lay_over(
                standard.table(name), tables[name], by_table[name], folder
            )
            overlays += fitting
            conflicts += stale
    tables.update(derive(standard, tables, parameters=parameters, out=folder))
    return {name: tables[name] for name in demanded}, overlays, conflicts


def _digests(
    standard: Standard,
    tables: Mapping[str, Path],
    source: Path,
    extracted: RoundExtracted,
    manifest: RoundManifest,
) -> dict[str, str]:
    """The content digest of each table. A file of the round, which was verified, has the one that its extraction took, unless
    the standard has changed since."""
    is_same_standard = manifest.extra["standard"]["digest"] == standard.digest
    recorded = {source / f"{name}.parquet": facts.digest for name, facts in extracted.tables.items()}
    known = recorded if is_same_standard else {}
    counted = table_digests({p: standard.table(name) for name, p in tables.items() if p not in known})
    return {name: known.get(path) or counted[path] for name, path in tables.items()}


def _parts(
    installation: Installation,
    state: FilingState,
    standard: Standard,
    package: str,
    digests: Mapping[str, str],
    handlings: Mapping[str, Handled],
    overlays: Sequence[Handled],
) -> dict[str, Any]:
    return {
        "filing": state.id,
        "version": state.version,
        "round": state.round,
        "sign_off": sign_off_number(state),
        "standard": {"name": standard.name, "version": standard.version, "digest": standard.digest},
        "package": package,
        "nil_returns": sorted(state.nil_returns),
        **({"amended": state.scope_amendment.seq} if state.scope_amendment else {}),
        "tables": digests,
        "handlings": json_digest(
            sorted([h.finding, h.handling, h.new_value, h.reason] for h in handlings.values())
        ),
        "overlays": sorted([h.table, h.key, h.field, h.value, h.new_value] for h in overlays),
        "waivers": [
            w.model_dump(mode="json", exclude={"held"}) for w in waivers_in_force(installation, state)
        ],
    }


def _lay_over(
    table: Table, source: Path, corrections: list[Handled], folder: Path
) -> tuple[Path, list[Handled], list[Conflict]]:
    """Write `source` with the corrections applied; returns those laid over and those that no longer fit.

    One whose new value the round itself shows is neither: its change request (改库签报) was executed in production.
    """
    frame = pl.read_parquet(source)
    fitting: list[Handled] = []
    stale: list[Conflict] = []
    places = find_rows(frame, table, [correction.key for correction in corrections])
    changed: dict[str, dict[int, Any]] = {}
    for correction in corrections:
        assert correction.field is not None, "a correction names its field"
        values = changed.setdefault(correction.field, {})
        here = places.get(correction.key, [])
        column = frame[correction.field]
        shown = pl.Series([values.get(place, column[place]) for place in here], dtype=column.dtype)
        value = typed_value(table, correction.field, correction.new_value or "")
        if here and set(shown.cast(pl.String).to_list()) == {correction.value}:
            values.update(dict.fromkeys(here, value))
            fitting.append(correction)
        elif not here or set(shown.to_list()) != {value}:
            texts = shown.cast(pl.String).to_list()
            stale.append(Conflict(correction, texts[0] if texts else None, is_there=bool(here)))
    for name, values in changed.items():
        new = pl.Series(list(values.values()), dtype=frame.schema[name])
        frame = frame.with_columns(frame[name].scatter(list(values), new))
    path = folder / source.name
    pq.write_table(frame.to_arrow().cast(arrow_schema(table)), path, compression="zstd")
    return path, fitting, stale


def find_rows(frame: pl.DataFrame, table: Table, keys: list[str]) -> dict[str, list[int]]:
    """In which rows each of these keys (canonical JSON) stands."""
    wanted = pl.DataFrame(
        [{"key": key, **json.loads(key)} for key in dict.fromkeys(keys)],
        schema={"key": pl.String, **dict.fromkeys(table.stored_key, pl.String)},
    )
    found = (
        frame.lazy()
        .select(pl.col(name).cast(pl.String) for name in table.stored_key)
        .with_row_index("place")
        .join(wanted.lazy(), on=table.stored_key, nulls_equal=True)
        .group_by("key")
        .agg("place")
        .collect()
    )
    return {row["key"]: sorted(row["place"]) for row in found.iter_rows(named=True)}
