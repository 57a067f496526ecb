"""Generating the reference core: draw the book, damage it where asked, write it as one file.

The same seed gives the same rows on every machine. The rooms it calls: `book` draws the tables part by part, `balances`
sums the ledger of all parts, `injection` damages them, `store` writes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.errors import BadInput
from resources.reference_core.answer_key import Defect, repairs_path, write_answer_key, write_repairs
from resources.reference_core.balances import make_balances, movements_of
from resources.reference_core.book import company_tables, part_tables
from resources.reference_core.catalogue import OrganisationSeed
from resources.reference_core.defect_kinds import kinds
from resources.reference_core.defect_plan import DefectRequest, read_defects
from resources.reference_core.injection import Injector, inject
from resources.reference_core.part import parts_of
from resources.reference_core.store import SCHEMA, insert, replacing, without_indexes

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class CoreSummary:
    """What was written: rows per table (before defects) and how many findings the defects must bring per rule."""

    path: Path
    rows: Mapping[str, int]
    defects: Mapping[str, int]


def generate(
    path: Path,
    *,
    policies: int,
    seed: int,
    organisations: Sequence[OrganisationSeed],
    defects: Path | None,
    answer_key: Path | None,
    progress: Progress,
) -> CoreSummary:
    """Write a reference core of `policies` policies to `path`, replacing what is there only when all is written.

    With `answer_key` the findings that the defects must bring are written there, and the repair list beside it.
    Raises BadInput for a mistaken defects file, or one the book is too small for; then nothing is written.
    """
    branches = [seed_ for seed_ in organisations if seed_.level == 1]
    if policies < 1 or not branches:
        raise BadInput("core.too_small", policies=policies)
    _require_own(path)
    register = kinds()
    requests: tuple[DefectRequest, ...] = ()
    if defects is not None:
        requests = read_defects(defects, kinds=register, branches={b.code for b in branches})
    book_seed, defect_seed = np.random.SeedSequence(seed).spawn(2)
    answers: tuple[Defect, ...] = ()
    with replacing(path) as connection:
        with without_indexes(connection, SCHEMA):
            rows = _write_book(connection, book_seed, policies, organisations, progress)
        if requests:
            answers = inject(
                Injector(connection, np.random.default_rng(defect_seed)), requests, register, progress
            )
    if answer_key is not None:
        write_answer_key(answer_key, answers)
        write_repairs(repairs_path(answer_key), answers)
    rules = sorted({answer.rule for answer in answers})
    return CoreSummary(
        path=path,
        rows=rows,
        defects={rule: sum(answer.rule == rule for answer in answers) for rule in rules},
    )


def _require_own(path: Path) -> None:
    """Raise BadInput where something lies at `path` that is no reference core: it would be lost."""
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as there:
            known = {name for (name,) in there.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        known = set[str]()
    if not {"policy", "customer"} <= known:
        raise BadInput("core.not_a_core", path=path)


def _write_book(
    connection: sqlite3.Connection,
    seed: np.random.SeedSequence,
    count: int,
    organisations: Sequence[OrganisationSeed],
    progress: Progress,
) -> dict[str, int]:
    """Draw and insert the company's tables, then the business part by part, then the ledger; rows per table."""
    rows: dict[str, int] = {}

    def write(tables: Mapping[str, pl.DataFrame]) -> None:
        for table, frame in tables.items():
            rows[table] = rows.get(table, 0) + insert(connection, table, frame)

    write(company_tables(organisations))
    spread_seed, parts_seed = seed.spawn(2)
    parts = list(parts_of(np.random.default_rng(spread_seed), organisations, count))
    moved: list[pl.DataFrame] = []
    for done, (part, part_seed) in enumerate(zip(parts, parts_seed.spawn(len(parts)), strict=True)):
        progress(f"{part.branches[0].name}…{part.branches[-1].name}", done, len(parts))
        tables = part_tables(part_seed, part)
        write(tables)
        moved.append(movements_of(tables["voucher"]))
    branches = [organisation.code for organisation in organisations if organisation.level == 1]
    write({"gl_balance": make_balances(pl.concat(moved), branches)})
    return rows
