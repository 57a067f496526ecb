"""Content (报送内容): what is judged, signed and sent, one thing under one digest. Judging it is `validate`'s work.

Content = round + report corrections laid over it + derived tables + handlings + standard version + package profile.
It is rebuilt from its parts whenever somebody needs it, so a gate compares digests of what is there, not of what was.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipelines.errors import BadInput, Refused, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.canonical import canonical_json, json_digest, sync_folder
from pipelines.stages.handlings import Handled, current_handlings
from pipelines.stages.installation import Installation
from validations.engine import Standard, Table, arrow_schema, derive, stored_inputs, table_digest
from validations.engine.values_input import expected, read_values, reason, visible


@dataclass(frozen=True)
class Content:
    """One content on disk: its digest, the Parquet file of every table, and the corrections that no longer fit."""

    digest: str
    folder: Path
    round: int
    tables: dict[str, Path]
    handlings: dict[str, Handled]
    overlays: tuple[Handled, ...]
    conflicts: tuple[Handled, ...]


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
    installation.rounds.verify(state.id, state.round, digest=state.rounds[-1].fact.manifest)
    source = installation.rounds.path(state.id, state.round)
    handlings = current_handlings(installation, state)

    root = installation.folder("contents", state.id)
    root.mkdir(parents=True, exist_ok=True)
    for leftover in root.glob(".tmp-*"):
        if not _is_alive(leftover.name):
            shutil.rmtree(leftover, ignore_errors=True)
    building = Path(tempfile.mkdtemp(prefix=f".tmp-{os.getpid()}-", dir=root))
    try:
        tables: dict[str, Path] = {}
        overlays: list[Handled] = []
        conflicts: list[Handled] = []
        for name in stored_inputs(standard, demanded):
            if name not in state.rounds[-1].fact.tables:
                raise Refused("content.round_lacks", filing=state.id, round=state.round, table=name)
            corrections = [
                h for h in handlings.values() if h.table == name and h.handling == "report_correction"
            ]
            tables[name] = source / f"{name}.parquet"
            if corrections:
                table = standard.table(name)
                tables[name], fitting, stale = _lay_over(table, tables[name], corrections, building)
                overlays += fitting
                conflicts += stale
        tables.update(derive(standard, tables, parameters=parameters_of(state), out=building))
        tables = {name: tables[name] for name in demanded}
        parts = _parts(state, standard, report.package, tables, handlings, overlays)
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


def _is_alive(name: str) -> bool:
    """Whether the process that builds in `.tmp-<pid>-…` is still there: others may build the same content meanwhile."""
    try:
        os.kill(int(name.split("-")[1]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True


def _parts(
    state: FilingState,
    standard: Standard,
    package: str,
    tables: dict[str, Path],
    handlings: dict[str, Handled],
    overlays: list[Handled],
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
        "tables": {name: table_digest(standard.table(name), path) for name, path in tables.items()},
        "handlings": json_digest(
            sorted([h.finding, h.handling, h.new_value, h.reason] for h in handlings.values())
        ),
        "overlays": sorted([h.table, h.key, h.field, h.value, h.new_value] for h in overlays),
    }


def _lay_over(
    table: Table, source: Path, corrections: list[Handled], folder: Path
) -> tuple[Path, list[Handled], list[Handled]]:
    """Write `source` with the corrections applied; returns those laid over and those that no longer fit.

    One whose new value the round itself shows is neither: its change request (改库签报) was executed in production.
    """
    frame = pl.read_parquet(source)
    fitting: list[Handled] = []
    stale: list[Handled] = []
    for correction in corrections:
        key = json.loads(correction.key)
        dtype = frame.schema[correction.field]
        here = pl.lit(True)
        for name, value in key.items():
            here = here & (pl.col(name).cast(pl.String).eq_missing(pl.lit(value, dtype=pl.String)))
        rows = frame.filter(here)
        shown = rows.select(pl.col(correction.field).cast(pl.String)).to_series().to_list()
        value = typed_value(table, correction.field, correction.new_value or "")
        if shown and set(shown) == {correction.value}:
            changed = pl.when(here).then(pl.lit(value, dtype=dtype)).otherwise(pl.col(correction.field))
            frame = frame.with_columns(changed.alias(correction.field))
            fitting.append(correction)
        elif not shown or set(rows[correction.field].to_list()) != {value}:
            stale.append(correction)
    path = folder / source.name
    pq.write_table(frame.to_arrow().cast(arrow_schema(table)), path, compression="zstd")
    return path, fitting, stale


def typed_value(table: Table, field: str, given: str) -> str | int | Decimal | date:
    """`given` as the dictionary's type of the field, read as from a file. Raises BadInput saying why it is none."""
    declared = table.field(field)
    value = pl.select(read_values(pl.lit(given, dtype=pl.String), declared)).item()
    if value is None:
        raise BadInput(
            "content.value",
            table=table.name,
            field=field,
            value=visible(given),
            expected=expected(declared),
            why=text(reason(declared, given)),
        )
    return value
