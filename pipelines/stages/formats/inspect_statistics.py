"""Reading a statistics XML back in a stream: declaration, encoding, structure, and every value against the content."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import ParseError

import pyarrow.parquet as pq
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from pipelines.stages.formats.control_files import MANIFEST, MeasuredFile, statistics_manifest_text
from pipelines.stages.formats.model import PackageContext, PackageFinding
from pipelines.stages.formats.statistics_xml import (
    SCALE,
    StatisticsFields,
    root_name,
    statistics_fields,
    statistics_name,
)
from validations.engine import PackageProfile, Table

_DECLARATION = b'<?xml version="1.0" encoding="gb2312"?>\n'
_VALUE = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]{2}")
SHOWN = 50

Items = dict[tuple[str, str], Decimal]


def inspect_statistics(
    profile: PackageProfile, table: Table, parquet: Path, context: PackageContext, folder: Path
) -> list[PackageFinding]:
    """All findings of the statistics package in `folder`."""
    fields = statistics_fields(profile, table)
    name = statistics_name(profile, context)
    path, manifest = folder / name, folder / MANIFEST
    findings = [
        PackageFinding("formats.file_unexpected", rule="R12", file=other.name)
        for other in sorted(folder.iterdir())
        if other.name not in (name, MANIFEST)
    ]
    missing = [
        PackageFinding("formats.file_missing", rule="R12", file=p.name)
        for p in (path, manifest)
        if not p.is_file()
    ]
    if missing:
        return [*findings, *missing]

    def blame(code: str, rule: str = "R12", **values: str | int) -> None:
        if len(findings) < SHOWN:
            findings.append(PackageFinding(code, rule=rule, file=name, line=0, **values))

    document = _Document(context, fields, blame)
    size, digest = _read(path, document, blame)
    _compare(document.items, _content(fields, parquet), blame)
    total = sum(document.items.values(), Decimal(0).scaleb(-SCALE))
    sums = {fields.value: total}
    measured = MeasuredFile(name, table.name, None, len(document.items), size, digest, sums)
    if manifest.read_bytes() != statistics_manifest_text(measured, profile, context):
        findings.append(PackageFinding("formats.manifest_differs", rule="R12", file=MANIFEST))
    return findings


class _Document:
    """A parser target: the published structure and nothing else. Memory: one value per item."""

    _CHILDREN = {"area": "root", "areaid": "area", "item": "area", "PK": "item", "key": "PK"} | {
        "intervaltype": "PK",
        "value": "item",
        "remark": "item",
    }

    def __init__(self, context: PackageContext, fields: StatisticsFields, blame: Callable[..., None]) -> None:
        self.items: Items = {}
        self._root, self._corporation = root_name(context), context.corporation
        self._report_type, self._blame = fields.report_type, blame
        self._path: list[str] = []
        self._text = ""
        self._area = self._key = self._value = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        parent = self._path[-1] if self._path else ""
        name = "root" if not self._path and tag == self._root else tag
        if attributes or (name != "root" and self._CHILDREN.get(name, "-") != parent):
            self._blame("formats.element", element=tag, parent=parent or "—")
        self._path.append(name)
        self._text = ""

    def data(self, text: str) -> None:
        self._text += text

    def end(self, tag: str) -> None:
        text, self._text = self._text, ""
        match self._path.pop():
            case "areaid":
                self._area = text.removeprefix(self._corporation)
                if not text.startswith(self._corporation):
                    self._blame("formats.element_text", element=tag, found=text[:60])
            case "key":
                self._key = text
            case "intervaltype":
                if text != self._report_type:
                    self._blame("formats.element_text", element=tag, found=text[:60])
            case "value":
                self._value = text
            case "item":
                self._item()
            case _:
                if text.strip():
                    self._blame("formats.element_text", element=tag, found=text.strip()[:60])

    def close(self) -> None:
        """Nothing is built, so there is nothing to return."""

    def _item(self) -> None:
        place = self._area, self._key
        if place in self.items:
            self._blame("formats.item_twice", organisation=self._area, item=self._key)
        if not _VALUE.fullmatch(self._value):
            self._blame("formats.item_value", organisation=self._area, item=self._key, found=self._value[:60])
        else:
            self.items[place] = Decimal(self._value)


def _read(path: Path, document: _Document, blame: Callable[..., None]) -> tuple[int, str]:
    """Feed the file to `document`; returns its size and SHA-256. Expat knows no gb2312, so text is decoded first."""
    digest, size = hashlib.sha256(), 0
    decoder = codecs.getincrementaldecoder("gb2312")("strict")
    parser = DefusedXMLParser(target=document, forbid_dtd=True)
    is_readable = True
    with path.open("rb") as file:
        declaration = file.read(len(_DECLARATION))
        digest.update(declaration)
        size += len(declaration)
        if declaration != _DECLARATION:
            blame("formats.declaration", "A06", found=declaration.decode("ascii", "replace").strip())
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
            if is_readable:
                is_readable = _feed(parser, decoder, block, blame)
    if is_readable and _feed(parser, decoder, b"", blame):
        try:
            parser.close()
        except (ParseError, DefusedXmlException) as error:
            blame("formats.xml", reason=str(error))
    return size, digest.hexdigest()


def _feed(
    parser: DefusedXMLParser, decoder: codecs.IncrementalDecoder, block: bytes, blame: Callable[..., None]
) -> bool:
    try:
        parser.feed(decoder.decode(block, final=not block))
    except UnicodeDecodeError as error:
        blame("formats.undecodable", "A06", encoding="gb2312", reason=error.reason)
    except (ParseError, DefusedXmlException) as error:
        blame("formats.xml", reason=str(error))
    else:
        return True
    return False


def _content(fields: StatisticsFields, parquet: Path) -> Items:
    items: Items = {}
    with pq.ParquetFile(parquet) as file:
        for batch in file.iter_batches(20_000, columns=[fields.organisation, fields.item, fields.value]):
            names = (fields.organisation, fields.item, fields.value)
            columns = [batch.column(name).to_pylist() for name in names]
            items.update({(area, item): value for area, item, value in zip(*columns, strict=True)})
    return items


def _compare(found: Items, wanted: Items, blame: Callable[..., None]) -> None:
    for area, item in sorted(found.keys() | wanted.keys()):
        here, there = found.get((area, item)), wanted.get((area, item))
        if here != there:
            blame("formats.item_differs", organisation=area, item=item, found=str(here), expected=str(there))
