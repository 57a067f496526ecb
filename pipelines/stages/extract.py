"""From the core system to one immutable round: all tables of one snapshot, streamed, counted and summed twice.

The source counts and sums by itself in the same snapshot; what was written must agree, or there is no round. Rules are
not judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pyarrow as pa

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import ExtractionRequested, RoundExtracted
from pipelines.stages.certificate import (
    Certificate,
    TableCertificate,
    Totals,
    as_manifest,
    statement_digest,
    written_totals,
)
from pipelines.stages.content import parameters_of
from pipelines.stages.installation import SYSTEM, Installation, require_role
from pipelines.stages.next_step import due_round
from pipelines.stages.off_system import owed_tables, wrong_tables
from pipelines.stages.off_system_round import require_digests, take_uploads
from resources.deployment import User
from resources.rounds import RoundWriter
from resources.sources import Snapshot, open_source
from validations.engine import Table, arrow_schema, stored_inputs, table_digests

DIGEST_MEMORY = "96MB"
Progress = Callable[[str, int, int], None]


def extract(installation: Installation, filing: str, *, progress: Progress | None = None) -> FilingState:
    """Extract the round that is due: the first, the one after promised source fixes, or one asked for.

    Off-system tables come from what departments uploaded. Run again when none is due, it changes nothing. Raises
    Unavailable when the source is down, BadInput for a missing table, column or upload, an empty table without a nil return
    or one with rows despite it, Refused when counts differ from the source's own, Tampered for an upload that was changed.
    """
    state = installation.state(filing)
    number = due_round(state, installation)
    if number is None:
        return state
    opened = state.opened.fact
    standard = installation.standard(opened.standard)
    source = installation.deployment.sources[installation.filing_config(opened.standard).source]
    if problems := list(wrong_tables(standard, installation.deployment)):
        raise BadInput("extract.failed", filing=filing, round=number, details=problems)
    owed = {each.table.name: each for each in owed_tables(installation, state)}
    extracted = [standard.table(name) for name in stored_inputs(standard, installation.tables(state))]
    parameters = _parameters(installation, state)

    store = installation.rounds
    store.discard_uncommitted(filing, recorded=range(1, number))
    queried = [table for table in extracted if table.name not in owed]
    files = {t.name: installation.deployment.sql_file(source.name, standard.name, t.name) for t in queried}
    statements = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
    with open_source(source, installation.home) as snapshot, store.write(filing, number) as writer:
        taken_at = installation.now()
        work = _Extraction(snapshot, writer, parameters)
        done: dict[str, TableCertificate] = {}
        problems: list[BaosongError] = []
        uploads = take_uploads(installation, filing, owed.values(), writer)
        outcomes = chain(uploads, work.tables(queried, files, statements))
        for step, (table, outcome) in enumerate(outcomes, start=1):
            if progress:
                progress(table.name, step, len(extracted))
            if isinstance(outcome, BadInput) and table.name in owed:
                problems.append(outcome)
            elif isinstance(outcome, BadInput):
                sql = files[table.name]
                problems.append(BadInput("extract.table", table=table.name, sql=sql, details=[outcome]))
            elif outcome.written.rows == 0 and table.name not in state.nil_returns:
                problems.append(BadInput("extract.empty", table=table.name, filing=filing))
            elif outcome.written.rows and table.name in state.nil_returns:
                rows = outcome.written.rows
                problems.append(BadInput("extract.nil_with_rows", table=table.name, rows=rows, filing=filing))
            else:
                done[table.name] = outcome
        if problems:
            raise BadInput("extract.failed", filing=filing, round=number, details=problems)
        _digest(extracted, writer, done)
        require_digests(installation, filing, owed.values(), done)
        certificate = Certificate(
            source=snapshot.name,
            identity=snapshot.identity,
            view=snapshot.view,
            taken_at=taken_at,
            parameters=parameters,
            tables={table.name: done[table.name] for table in extracted},
        )
        manifest = writer.commit(
            {
                "standard": {"name": standard.name, "version": standard.version, "digest": standard.digest},
                "sql": statements,
                "certificate": as_manifest(certificate),
            }
        )
    fact = RoundExtracted(
        round=number,
        manifest=manifest.digest,
        source=snapshot.identity,
        snapshot_at=taken_at,
        tables=certificate.facts(),
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


@dataclass(frozen=True)
class _Extraction:
    """One round being written from one view of the source, several tables at once where the source can."""

    snapshot: Snapshot
    writer: RoundWriter
    parameters: Mapping[str, str | tuple[str, ...]]

    def tables(
        self, tables: Sequence[Table], files: Mapping[str, Path], statements: Mapping[str, str]
    ) -> Iterator[tuple[Table, TableCertificate | BadInput]]:
        """Each table as it is done, or what its author can mend; anything else ends the round at once."""
        with ThreadPoolExecutor(self.snapshot.parallel, thread_name_prefix="extract") as pool:
            running = {pool.submit(self._table, t, files[t.name], statements[t.name]): t for t in tables}
            try:
                for future in as_completed(running):
                    try:
                        yield running[future], future.result()
                    except BadInput as error:
                        yield running[future], error
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _table(self, table: Table, sql_file: Path, sql: str) -> TableCertificate:
        """Stream one table into the round and reconcile it with the source's own totals.

        Raises Refused `extract.unreconciled`.
        """
        schema = arrow_schema(table)
        with self.writer.table(table.name, schema) as batches:
            for batch in self.snapshot.stream(sql, self.parameters, schema, sql_file=sql_file):
                batches.write(batch)
        decimals = [f.name for f in table.stored_fields if f.type == "decimal"]
        counted = Totals.of(*self.snapshot.totals(sql, self.parameters, decimals, sql_file=sql_file), schema)
        written = written_totals(batches.path)
        if written != counted:
            differing = [name for name in decimals if written.sums[name] != counted.sums[name]]
            raise Refused(
                "extract.unreconciled",
                table=table.name,
                rows=written.rows,
                expected=counted.rows,
                sums=", ".join(f"{n}: {written.sums[n]} ≠ {counted.sums[n]}" for n in differing),
            )
        return TableCertificate(statement=statement_digest(sql), counted=counted, written=written)


def _digest(tables: Sequence[Table], writer: RoundWriter, done: dict[str, TableCertificate]) -> None:
    """Add the content digests, one sorter after the other when nothing else is in memory any more."""
    pa.default_memory_pool().release_unused()
    files = {writer.path(table.name): table for table in tables}
    for file, digest in table_digests(files, memory_limit=DIGEST_MEMORY).items():
        name = files[file].name
        done[name] = done[name].model_copy(update={"digest": digest})


def _parameters(installation: Installation, state: FilingState) -> dict[str, str | tuple[str, ...]]:
    scope = state.organisations
    below = {o.code for top in scope for o in installation.deployment.organisations_under(top)}
    return {
        **parameters_of(state),
        "organisations": tuple(sorted(scope)),
        "sub_organisations": tuple(sorted(below | set(scope))),
    }
