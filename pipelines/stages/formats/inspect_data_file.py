"""Reading one data file back line by line: encoding, delimiters, running numbers, sums, and every value."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.stages.formats.content_tables import zero_sums
from pipelines.stages.formats.control_files import MeasuredFile
from pipelines.stages.formats.delimited import header_line, packed_fields, serial
from pipelines.stages.formats.model import PackageContext, PackageFinding
from pipelines.stages.formats.row_digests import RowDigest
from validations.engine import PackageProfile, Table

SHOWN = 50
"""Findings of one file that are spelled out."""


@dataclass
class Expected:
    """What the content demands of one data file; `owned` by organisation."""

    name: str
    table: Table
    organisation: str | None
    owned: dict[str, RowDigest] = field(default_factory=dict[str, RowDigest])
    sums: dict[str, Decimal] = field(default_factory=dict[str, Decimal])

    def __post_init__(self) -> None:
        self.sums = zero_sums(self.table)


@dataclass
class _Reading:
    """What a data file turned out to hold."""

    file: str
    sums: dict[str, Decimal]
    rows: int = 0
    size: int = 0
    hash: Any = field(default_factory=hashlib.sha256)
    owned: dict[str, RowDigest] = field(default_factory=dict[str, RowDigest])
    findings: list[PackageFinding] = field(default_factory=list[PackageFinding])

    def blame(self, code: str, rule: str, line: int, **values: str | int) -> None:
        if len(self.findings) < SHOWN:
            self.findings.append(PackageFinding(code, rule=rule, file=self.file, line=line, **values))


def inspect_data_file(
    path: Path, expected: Expected, profile: PackageProfile, context: PackageContext
) -> tuple[MeasuredFile, list[PackageFinding]]:
    """What the file is by its own bytes, and where it is not what the content demands."""
    table = expected.table
    reading = _Reading(path.name, zero_sums(table))
    names = packed_fields(profile, table)
    at_serial = names.index(profile.serial_field) if profile.serial_field in names else None
    at_owner = names.index(table.organisation) if table.organisation else None
    at_sums = [(name, names.index(name)) for name in reading.sums]
    delimiter = profile.delimiter or ""
    for number, line in enumerate(_lines(path, profile.encoding, reading), 1):
        if number == 1 and profile.header:
            if line + "\n" != header_line(profile, table):
                reading.blame("formats.header", "R12", number, found=line[:200])
            continue
        reading.rows += 1
        values = line.split(delimiter)
        if len(values) != len(names):
            reading.blame("formats.field_count", "A06", number, found=len(values), expected=len(names))
            continue
        if "\r" in line or "\0" in line:
            reading.blame("formats.control_in_line", "A06", number)
        owner = values[at_owner] if at_owner is not None else ""
        digest = reading.owned.setdefault(owner, RowDigest())
        for name, at in at_sums:
            _add(reading, name, values[at], number)
        if at_serial is not None:
            wanted = serial(owner, context, digest.rows + 1)
            if values[at_serial] != wanted:
                reading.blame("formats.serial", "A03", number, found=values[at_serial][:60], expected=wanted)
            del values[at_serial]
        digest.add(delimiter.join(values))
    _compare(reading, expected)
    measured = MeasuredFile(
        path.name,
        table.name,
        expected.organisation,
        reading.rows,
        reading.size,
        reading.hash.hexdigest(),
        reading.sums,
    )
    return measured, reading.findings


def _lines(path: Path, encoding: str, reading: _Reading) -> Iterator[str]:
    """Decoded lines without their end. A byte that cannot be decoded ends the reading of text, not of bytes."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    rest, number, is_text = "", 0, True
    with path.open("rb") as file:
        while True:
            block = file.read(1 << 20)
            reading.hash.update(block)
            reading.size += len(block)
            if is_text:
                try:
                    *whole, rest = (rest + decoder.decode(block, final=not block)).split("\n")
                except UnicodeDecodeError as error:
                    is_text, whole, rest = False, [], ""
                    reading.blame(
                        "formats.undecodable", "A06", number + 1, encoding=encoding, reason=error.reason
                    )
                number += len(whole)
                yield from whole
            if not block:
                break
    if rest:
        reading.blame("formats.last_line", "R12", number + 1)
        yield rest


def _add(reading: _Reading, name: str, value: str, line: int) -> None:
    if not value:
        return
    scale = -int(reading.sums[name].as_tuple().exponent)
    if _is_amount(value, scale):
        reading.sums[name] += Decimal(value)
    else:
        reading.blame("formats.not_decimal", "A08", line, field=name, found=value[:60], scale=scale)


def _is_amount(value: str, scale: int) -> bool:
    """Digits and exactly the decimals of the field, as the writer prints them: no grouping, no exponent, no sign but -."""
    whole, point, decimals = value.removeprefix("-").partition(".")
    digits = whole + decimals
    return (
        digits.isascii()
        and digits.isdigit()
        and bool(whole and point) == bool(scale)
        and len(decimals) == scale
    )


def _compare(reading: _Reading, expected: Expected) -> None:
    for owner in sorted(expected.owned.keys() | reading.owned.keys()):
        wanted, found = expected.owned.get(owner, RowDigest()), reading.owned.get(owner, RowDigest())
        whose = owner or "—"
        if found.rows != wanted.rows:
            reading.blame(
                "formats.rows", "R12", 0, organisation=whose, found=found.rows, expected=wanted.rows
            )
        elif found.hexdigest() != wanted.hexdigest():
            reading.blame("formats.values_differ", "R12", 0, organisation=whose, rows=found.rows)
    for name, total in expected.sums.items():
        if reading.sums[name] != total:
            sums = {"found": str(reading.sums[name]), "expected": str(total)}
            reading.blame("formats.sum", "R12", 0, field=name, **sums)
