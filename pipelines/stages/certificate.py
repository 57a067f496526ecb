"""The reconciliation certificate (核对证明): what the source counted and summed, against what was written.

Both in one view of the source: rows, sums of every amount, the statements by digest, and which view of which database it
was. It is made by the extraction, kept in the round's manifest, and proved again from the files alone by `verify`.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false
from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import BaosongError, Tampered
from pipelines.ledger.filing_events import RoundExtracted, TableFacts
from pipelines.stages.canonical import file_digest
from resources.conversion import scale_integer

_READ_ROWS = 65_536
_SUMMABLE = 33
"""Digits of which a batch's sum fits into the 38 that Arrow adds up in."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Totals(_Part):
    """Rows, and the sum of every decimal field as exact text."""

    rows: int
    sums: Mapping[str, str]

    @classmethod
    def of(cls, rows: int, sums: Mapping[str, Decimal], schema: pa.Schema) -> Totals:
        """Sums at their fields' scale, so that equal amounts are equal texts, whoever added them up.

        Digits beyond the scale, which no exact sum has, are kept and will differ.
        """
        return cls(rows=rows, sums={n: _text(value, schema.field(n).type.scale) for n, value in sums.items()})


class TableCertificate(_Part):
    """One table: SHA-256 of its statement, what the source counted, what was written, and its content digest, added last.

    An off-system table has no statement but the `department` that owes it; its source is the `upload` (SHA-256) as it was
    counted when it was handed in, or a nil return where that is empty.
    """

    statement: str = ""
    department: str = ""
    upload: str = ""
    counted: Totals
    written: Totals
    digest: str = ""


class Certificate(_Part):
    """One round: the database and the view of it, when it was taken, with which parameters, and every table."""

    source: str
    identity: str
    view: str
    taken_at: datetime
    parameters: Mapping[str, str | tuple[str, ...]]
    tables: Mapping[str, TableCertificate]

    def facts(self) -> dict[str, TableFacts]:
        """What the ledger records of each table."""
        return {
            name: TableFacts(rows=table.written.rows, digest=table.digest, sums=table.written.sums)
            for name, table in self.tables.items()
        }


def statement_digest(sql: str) -> str:
    return sha256(sql.encode()).hexdigest()


def written_totals(parquet: Path) -> Totals:
    """Rows and sums of every decimal column of a Parquet file, read back in bounded batches."""
    with pq.ParquetFile(parquet, pre_buffer=False) as file:  # else all row groups are read at once
        schema = file.schema_arrow
        names = [field.name for field in schema if pa.types.is_decimal(field.type)]
        units = dict.fromkeys(names, 0)
        for batch in file.iter_batches(_READ_ROWS, columns=names, use_threads=False) if names else ():
            for name in names:
                kind = schema.field(name).type
                column = batch.column(name)
                wide = column.cast(pa.decimal256(76, kind.scale)) if kind.precision > _SUMMABLE else column
                units[name] += _units(pc.sum(wide), kind.scale)
        sums = {name: scale_integer(value, schema.field(name).type.scale) for name, value in units.items()}
        return Totals.of(file.metadata.num_rows, sums, schema)


def read_certificate(place: Path, recorded: RoundExtracted) -> Certificate:
    """The certificate of the round in the folder `place`. Raises Tampered when its manifest is not the one recorded."""
    path = place / "manifest.json"
    if not path.is_file() or file_digest(path) != recorded.manifest:
        raise Tampered("facts.changed", path=path)
    return Certificate.model_validate(json.loads(path.read_bytes())["certificate"])


def check_certificate(
    manifest: Mapping[str, Any], place: Path, recorded: RoundExtracted
) -> list[BaosongError]:
    """Whether a round's certificate holds: against itself, the files beside it, the statements and the ledger's event."""
    try:
        certificate = Certificate.model_validate(manifest["certificate"])
        statements: Mapping[str, str] = manifest["sql"]
        files = {name: place / table["file"] for name, table in manifest["tables"].items()}
        wrong = list(_contradictions(certificate, statements, files, recorded))
    except (ValidationError, KeyError, TypeError) as error:
        wrong = [str(error).splitlines()[0]]
    number = recorded.round
    return [Tampered("evidence.certificate", round=number, wrong="; ".join(wrong))] if wrong else []


def _contradictions(
    certificate: Certificate,
    statements: Mapping[str, str],
    files: Mapping[str, Path],
    recorded: RoundExtracted,
) -> Iterable[str]:
    if (certificate.identity, certificate.taken_at) != (recorded.source, recorded.snapshot_at):
        yield f"{certificate.identity} {certificate.taken_at} ≠ {recorded.source} {recorded.snapshot_at}"
    if certificate.facts() != dict(recorded.tables):
        yield "facts ≠ ledger"
    by_statement = {name for name, table in certificate.tables.items() if not table.department}
    if set(certificate.tables) != set(files) or by_statement != set(statements):
        yield f"{sorted(certificate.tables)} ≠ {sorted(files)}, {sorted(statements)}"
        return
    for name, table in certificate.tables.items():
        if table.counted != table.written:
            yield f"{name}: counted ≠ written"
        if written_totals(files[name]) != table.written:
            yield f"{name}: {files[name].name} ≠ written"
        if not table.department and statement_digest(statements[name]) != table.statement:
            yield f"{name}: statement"


def as_manifest(certificate: Certificate) -> dict[str, Any]:
    return json.loads(certificate.model_dump_json())


def _units(total: pa.Scalar, scale: int) -> int:
    """A sum in units of its last digit. Python's integers have no context that could round them."""
    if not total.is_valid:
        return 0
    sign, digits, exponent = total.as_py().as_tuple()
    return (-1 if sign else 1) * int("".join(map(str, digits))) * 10 ** (exponent + scale)


def _text(value: Decimal, scale: int) -> str:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "a finite sum"
    if exponent < -scale:
        return f"{value:f}"
    units = int("".join(map(str, digits))) * 10 ** (exponent + scale)
    return f"{scale_integer(-units if sign else units, scale):f}"
