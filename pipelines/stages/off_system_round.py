"""Off-system tables in a round: the latest upload, proven to be what was recorded, or an empty table under a nil return.

They lie in the round like every table, so whoever reads it need not know where a table came from; the certificate says.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import BadInput, BaosongError, Tampered
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import RoundExtracted
from pipelines.stages.canonical import file_digest
from pipelines.stages.certificate import TableCertificate, Totals, written_totals
from pipelines.stages.installation import Installation
from pipelines.stages.off_system import Owed, table_file, upload_file
from resources.rounds import RoundWriter
from validations.engine import Table, arrow_schema
from validations.engine.types import require_columns

_READ_ROWS = 65_536

Taken = tuple[Table, TableCertificate | BadInput]


def take_uploads(
    installation: Installation, filing: str, owed: Iterable[Owed], writer: RoundWriter
) -> Iterator[Taken]:
    """Write each off-system table into the round, or say what its department can mend.

    Raises Tampered when what was read from an upload is gone, damaged or counts otherwise; its content digest is compared
    by `require_digests`, when the round's own have been made.
    """
    for each in owed:
        if each.is_missing:
            values = {"table": each.table.name, "department": each.department, "filing": filing}
            yield each.table, BadInput("extract.off_system_missing", details=(), **values)
        elif each.upload is None:
            with writer.table(each.table.name, arrow_schema(each.table)) as rows:
                pass
            nothing = written_totals(rows.path)
            yield each.table, TableCertificate(department=each.department, counted=nothing, written=nothing)
        else:
            yield each.table, _taken(installation, filing, each, writer)


def _taken(
    installation: Installation, filing: str, owed: Owed, writer: RoundWriter
) -> TableCertificate | BadInput:
    assert owed.upload is not None, "asked for what was uploaded"
    fact = owed.upload.fact
    path = table_file(installation, filing, fact.table, fact.digest)
    original = upload_file(installation, filing, fact)
    if not original.is_file() or file_digest(original) != fact.file:
        raise Tampered("off_system.changed", table=fact.table, path=original, filing=filing)
    changed = Tampered("off_system.changed", table=fact.table, path=path, filing=filing)
    schema = arrow_schema(owed.table)
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        raise changed from error
    try:
        require_columns(owed.table, path)
    except BadInput as differs:  # the standard has changed since
        return BadInput("off_system.other_columns", table=fact.table, filing=filing, details=[differs])
    try:
        with writer.table(fact.table, schema) as rows, pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_READ_ROWS):
                rows.write(batch.select(schema.names).cast(schema))
    except (OSError, pa.ArrowException) as error:
        raise changed from error
    counted = Totals(rows=fact.rows, sums=fact.sums)
    written = written_totals(rows.path)
    if written != counted:
        raise changed
    return TableCertificate(department=owed.department, upload=fact.file, counted=counted, written=written)


def require_digests(
    installation: Installation, filing: str, owed: Iterable[Owed], done: Mapping[str, TableCertificate]
) -> None:
    """Raises Tampered for an upload whose rows are not those that were recorded."""
    for each in owed:
        if each.upload and done[each.table.name].digest != each.upload.fact.digest:
            path = table_file(installation, filing, each.table.name, each.upload.fact.digest)
            raise Tampered("off_system.changed", table=each.table.name, path=path, filing=filing)


def check_uploads(
    manifest: Mapping[str, Any], recorded: RoundExtracted, seq: int, state: FilingState
) -> list[BaosongError]:
    """Whether every upload that a round's certificate names was handed in before it, with these very rows."""
    before = {(u.fact.table, u.fact.file, u.fact.digest) for u in state.uploads if u.seq < seq}
    named = manifest["certificate"]["tables"]
    wrong = [
        f"{name}: upload"
        for name, table in named.items()
        if (file := table.get("upload")) and (name, file, recorded.tables[name].digest) not in before
    ]
    return [Tampered("evidence.certificate", round=recorded.round, wrong="; ".join(wrong))] if wrong else []
