"""From the core system to one immutable round: all tables of one snapshot, streamed, counted and summed twice.

The source counts and sums by itself in the same snapshot; what was written must agree, or there is no round. Rules are
not judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import ExtractionRequested, RoundExtracted, TableFacts
from pipelines.stages.content import parameters_of
from pipelines.stages.installation import SYSTEM, Installation, require_role
from pipelines.stages.next_step import due_round
from resources.deployment import User
from resources.rounds import RoundWriter
from resources.sources import Snapshot, open_source
from validations.engine import Table, arrow_schema, table_digest

Progress = Callable[[str, int, int], None]


def extract(installation: Installation, filing: str, *, progress: Progress | None = None) -> FilingState:
    """Extract the round that is due: the first, the one after promised source fixes, or one asked for.

    Run again when none is due, it changes nothing. Raises Unavailable when the source is down, BadInput for a missing
    table or column or an empty table without a nil return, Refused when counts differ from the source's own.
    """
    state = installation.state(filing)
    number = due_round(state, installation)
    if number is None:
        return state
    opened = state.opened.fact
    standard = installation.standard(opened.standard)
    source = installation.deployment.sources[installation.filing_config(opened.standard).source]
    extracted = [t for n in standard.report(opened.report).tables if (t := standard.table(n)).derive is None]
    parameters = _parameters(installation, state)

    store = installation.rounds
    store.discard_uncommitted(filing, recorded=range(1, number))
    with open_source(source, installation.home) as snapshot, store.write(filing, number) as writer:
        taken_at = installation.now()
        facts: dict[str, TableFacts] = {}
        problems: list[BaosongError] = []
        statements: dict[str, str] = {}
        for step, table in enumerate(extracted):
            if progress:
                progress(table.name, step, len(extracted))
            sql = installation.deployment.sql_file(source.name, standard.name, table.name)
            statements[table.name] = sql.read_text(encoding="utf-8")
            try:
                facts[table.name] = _extract_table(snapshot, writer, table, sql, parameters)
                if facts[table.name].rows == 0 and table.name not in state.nil_returns:
                    problems.append(BadInput("extract.empty", table=table.name, filing=filing))
            except BadInput as error:
                problems.append(BadInput("extract.table", table=table.name, sql=sql, details=[error]))
        if problems:
            raise BadInput("extract.failed", filing=filing, round=number, details=problems)
        manifest = writer.commit(
            {
                "standard": {"name": standard.name, "version": standard.version, "digest": standard.digest},
                "source": snapshot.identity,
                "sql": statements,
                "parameters": {k: list(v) if isinstance(v, tuple) else v for k, v in parameters.items()},
                "content": {name: fact.model_dump(mode="json") for name, fact in facts.items()},
            }
        )
    fact = RoundExtracted(
        round=number, manifest=manifest.digest, source=snapshot.identity, snapshot_at=taken_at, tables=facts
    )
    return installation.record(state, fact, actor=SYSTEM, command=f"round:{number}")


def request_extraction(installation: Installation, filing: str, user: User, *, reason: str) -> FilingState:
    """Ask for another round by hand."""
    require_role(user, "data_engineer", act="extract")
    state = installation.state(filing)
    if state.packages:
        raise Refused("extract.packaged", filing=filing, version=state.version)
    fact = ExtractionRequested(round=state.round + 1, reason=reason)
    return installation.record(
        state, fact, actor=user.id, command=f"extraction:{state.version}:{state.round + 1}"
    )


def _extract_table(
    snapshot: Snapshot,
    writer: RoundWriter,
    table: Table,
    sql_file: Path,
    parameters: Mapping[str, str | tuple[str, ...]],
) -> TableFacts:
    """Stream one table into the round and reconcile it with the source's own totals."""
    decimals = [f.name for f in table.stored_fields if f.type == "decimal"]
    sql = sql_file.read_text(encoding="utf-8")
    expected_rows, expected_sums = snapshot.totals(sql, parameters, decimals, sql_file=sql_file)
    schema = arrow_schema(table)
    with writer.table(table.name, schema) as batches:
        for batch in snapshot.stream(sql, parameters, schema, sql_file=sql_file):
            batches.write(batch)
    frame = pl.scan_parquet(batches.path)
    row = frame.select(pl.len().alias("rows"), *(pl.col(d).sum().alias(d) for d in decimals)).collect().row(0)
    rows, sums = int(row[0]), {d: Decimal(v or 0) for d, v in zip(decimals, row[1:], strict=True)}
    if rows != expected_rows or sums != expected_sums:
        raise Refused(
            "extract.unreconciled",
            table=table.name,
            rows=rows,
            expected=expected_rows,
            sums=", ".join(
                f"{n}: {sums[n]} ≠ {expected_sums[n]}" for n in sums if sums[n] != expected_sums[n]
            ),
        )
    return TableFacts(
        rows=rows, digest=table_digest(table, batches.path), sums={n: str(v) for n, v in sums.items()}
    )


def _parameters(installation: Installation, state: FilingState) -> dict[str, str | tuple[str, ...]]:
    scope = state.opened.fact.organisations
    below = {o.code for top in scope for o in installation.deployment.organisations_under(top)}
    return {
        **parameters_of(state),
        "organisations": tuple(sorted(scope)),
        "sub_organisations": tuple(sorted(below | set(scope))),
    }
