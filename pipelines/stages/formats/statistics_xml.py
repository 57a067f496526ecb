"""Writing the statistics XML (facts: 2004 interface standard of the statistics system; reconstructed in the standard).

File `DATA{corporation}{YYYY}{MM}{report type}.xml`, declared gb2312 and really gb2312. One `area` per organisation,
its items in code order; `000000` sorts first. A manifest is kept beside it and not sent.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

from pipelines.errors import BadInput, BaosongError
from pipelines.stages.formats.content_tables import check_columns, opened, quoted, values_refused
from pipelines.stages.formats.control_files import MANIFEST, MeasuredFile, statistics_manifest_text
from pipelines.stages.formats.model import PackageContext, PackedFile
from validations.engine import PackageProfile, Table

SCALE = 2
"""The published values have two decimals."""


@dataclass(frozen=True)
class StatisticsFields:
    """Which fields of the profile's table are what."""

    organisation: str
    item: str
    value: str
    report_type: str


def statistics_fields(profile: PackageProfile, table: Table) -> StatisticsFields:
    """The profile's fields, all present. Raises BadInput for a profile that leaves one out."""
    named = (profile.organisation, profile.item, profile.value)
    names = {field.name for field in table.fields}
    if any(name not in names for name in named) or not profile.report_type:
        raise BadInput("formats.statistics_profile", profile=profile.name, table=table.name)
    if table.field(profile.value or "").scale != SCALE:
        raise BadInput("formats.statistics_scale", field=profile.value, table=table.name, scale=SCALE)
    return StatisticsFields(
        profile.organisation or "", profile.item or "", profile.value or "", profile.report_type
    )


def statistics_name(profile: PackageProfile, context: PackageContext) -> str:
    """`DATA00992026042.xml`: corporation 0099, April 2026, report type 2."""
    return f"DATA{context.corporation}{context.date_to:%Y%m}{profile.report_type}.xml"


def root_name(context: PackageContext) -> str:
    """`DATA0099202604`."""
    return f"DATA{context.corporation}{context.date_to:%Y%m}"


def write_statistics_xml(
    profile: PackageProfile, table: Table, parquet: Path, context: PackageContext, folder: Path
) -> tuple[PackedFile, ...]:
    """Write the XML and its manifest into `folder`; the same content gives the same bytes.

    Raises BadInput for a missing value, the same item twice, or a character that gb2312 lacks.
    """
    fields = statistics_fields(profile, table)
    check_columns(table, parquet)
    target = folder / statistics_name(profile, context)
    digest, size, rows, total = hashlib.sha256(), 0, 0, Decimal(0).scaleb(-SCALE)
    refusals: list[BaosongError] = []
    with (
        tempfile.TemporaryDirectory(prefix=".tmp-pack-", dir=folder.parent) as work,
        target.open("wb") as file,
    ):
        for piece in _pieces(fields, table, parquet, context, Path(work), refusals):
            text, amounts = piece
            rows, total = rows + len(amounts), total + sum(amounts)
            try:
                encoded = text.encode(profile.encoding)
            except UnicodeEncodeError as error:
                refusals.append(_unencodable(error, table, fields, profile))
                continue
            digest.update(encoded)
            size += file.write(encoded)
    if refusals:
        target.unlink()
        raise values_refused(table, refusals, len(refusals))
    measured = MeasuredFile(
        target.name, table.name, None, rows, size, digest.hexdigest(), {fields.value: total}
    )
    manifest = statistics_manifest_text(measured, profile, context)
    (folder / MANIFEST).write_bytes(manifest)
    return (
        PackedFile(target.name, size, measured.sha256, rows, table.name, is_sent=True),
        PackedFile(MANIFEST, len(manifest), hashlib.sha256(manifest).hexdigest(), 0),
    )


def _pieces(
    fields: StatisticsFields,
    table: Table,
    parquet: Path,
    context: PackageContext,
    work: Path,
    refusals: list[BaosongError],
) -> Iterator[tuple[str, list[Decimal]]]:
    """The document piece by piece, each with the values it holds."""
    root = root_name(context)
    yield f'<?xml version="1.0" encoding="gb2312"?>\n<{root}>\n', []
    area: str | None = None
    previous: tuple[str, str] | None = None
    for organisation, item, value in _items(fields, parquet, work):
        place = {"table": table.name, "organisation": organisation or "—", "item": item or "—"}
        if not organisation or not item or value is None:
            refusals.append(BadInput("formats.statistics_missing", details=(), **place))
            continue
        if (organisation, item) == previous:
            refusals.append(BadInput("formats.statistics_twice", details=(), **place))
            continue
        previous = organisation, item
        opening = ""
        if organisation != area:
            closing = "</area>\n" if area is not None else ""
            opening = f"{closing}<area><areaid>{escape(context.corporation + organisation)}</areaid>\n"
            area = organisation
        key = f"<key>{escape(item)}</key><intervaltype>{escape(fields.report_type)}</intervaltype>"
        entry = f"<item><PK>{key}</PK><value>{value}</value><remark/></item>\n"
        yield opening + entry, [Decimal(value)]
    yield ("</area>\n" if area is not None else "") + f"</{root}>\n", []


def _items(
    fields: StatisticsFields, parquet: Path, work: Path
) -> Iterator[tuple[str | None, str | None, str | None]]:
    organisation, item, value = (quoted(n) for n in (fields.organisation, fields.item, fields.value))
    query = (
        f"SELECT {organisation}, {item}, CAST({value} AS VARCHAR) FROM content "
        f"ORDER BY {organisation} NULLS LAST, {item} NULLS LAST, {value}"
    )
    with opened(parquet, work) as connection:
        cursor = connection.execute(query)
        while rows := cursor.fetchmany(10_000):
            yield from rows


def _unencodable(
    error: UnicodeEncodeError, table: Table, fields: StatisticsFields, profile: PackageProfile
) -> BaosongError:
    character = error.object[error.start]
    return BadInput(
        "formats.unencodable",
        table=table.name,
        key=error.object.strip()[:120],
        field=f"{fields.organisation}、{fields.item}",
        character=f"{character} (U+{ord(character):04X})",
        encoding=profile.encoding,
    )
