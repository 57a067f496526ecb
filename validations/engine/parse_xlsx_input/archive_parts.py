"""What the parts of a workbook's archive may be, and what they say beside cells: sheets, date formats. No cells here."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from posixpath import join, normpath
from typing import IO, Any

from defusedxml.ElementTree import iterparse

MEGABYTE = 1 << 20
RATIO_LIMIT = 150
"""Uncompressed to compressed; our own sheets of equal lines reach about 60."""
PARTS_LIMIT = 2_000
_STRANGE_NAME = re.compile(r"^/|\\|:|\x00|(^|/)\.\.?(/|$)")


class Refusal(Exception):
    """The file cannot be read; `code` is one of the parent's catalogue."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def check_archive(archive: zipfile.ZipFile, unpacked_megabytes: int) -> None:
    """Refuse what is no workbook, or more than may be unpacked. Nothing is unpacked before its size is known."""
    entries = archive.infolist()
    names = [entry.filename.lower() for entry in entries]
    is_abnormal = len(entries) > PARTS_LIMIT or any(
        entry.file_size > MEGABYTE and entry.file_size > RATIO_LIMIT * max(entry.compress_size, 1)
        for entry in entries
    )
    if is_abnormal or sum(entry.file_size for entry in entries) > unpacked_megabytes * MEGABYTE:
        raise Refusal("bomb", limit=unpacked_megabytes)
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refusal("encrypted")
    for entry in entries:
        if _STRANGE_NAME.search(entry.orig_filename):
            raise Refusal("damaged", reason=f"part named {entry.orig_filename!r}")
        if names.count(entry.filename.lower()) > 1:
            raise Refusal("damaged", reason=f"duplicate parts {entry.filename}")
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise Refusal("not_xlsx")
    _check_declarations(archive)


def _check_declarations(archive: zipfile.ZipFile) -> None:
    for entry in archive.infolist():
        name = entry.filename.lower()
        if name.endswith("vbaproject.bin") or "/macrosheets/" in name:
            raise Refusal("macros")
        if name.endswith((".xml", ".rels", ".vml")):
            with archive.open(entry) as part:
                prolog = part.read(4096).replace(b"\x00", b"").upper()
            if b"<!DOCTYPE" in prolog or b"<!ENTITY" in prolog:
                raise Refusal("doctype")
    with archive.open("[Content_Types].xml") as part:
        if b"macroEnabled" in part.read(MEGABYTE):
            raise Refusal("macros")


_FOREIGN_PARTS = re.compile(
    r"^xl/(externallinks|connections\.|querytables|embeddings|activex|ctrlprops|model|webextensions|customdata)"
)
_CELLS = r"(?:\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?|\$?\d+:\$?\d+|\$?[A-Z]{1,3}:\$?[A-Z]{1,3})"
_RANGE = rf"(?:(?:'(?:[^'\[\]]|'')+'|[^'\[\]|!:(),\"\s=+*/&<>^%-]+)!)?{_CELLS}"
_HARMLESS_NAME = re.compile(f"{_RANGE}(?:,{_RANGE})*")
"""Ranges of sheets of this workbook: what filters, print areas and print titles are stored as."""
_HARMLESS_LINK = re.compile(r"(?i)(?:mailto|https?):")
"""What spreadsheet programs make of an address that is typed."""


def check_form(archive: zipfile.ZipFile) -> None:
    """Refuse what nobody who fills a form in adds, and what acts when the next person opens the file."""
    for name in archive.namelist():
        if _FOREIGN_PARTS.search(name.lower()):
            raise Refusal("foreign_part", part=name)
        if name.lower().endswith(".rels"):
            with archive.open(name) as part:
                for _, tag, element in iterate_elements(part):
                    if tag == "Relationship" and element.get("TargetMode") == "External":
                        _check_link(name, element.get("Type", ""), element.get("Target", ""))
    with archive.open("xl/workbook.xml") as part:
        for _, tag, element in iterate_elements(part):
            value = (element.text or "").strip()
            if tag == "definedName" and not _HARMLESS_NAME.fullmatch(value):
                raise Refusal("defined_name", name=element.get("name", "")[:80], value=value[:80])


def _check_link(part: str, kind: str, target: str) -> None:
    if not kind.endswith("/hyperlink") or not _HARMLESS_LINK.match(target):
        raise Refusal("foreign_part", part=f"{part} → {target[:80]}")


def iterate_elements(part: IO[bytes], *, starts: bool = False) -> Iterator[tuple[str, str, Any]]:
    """Event, local name and element of a small part. Raises DTDForbidden."""
    for event, element in iterparse(part, events=("start", "end") if starts else ("end",), forbid_dtd=True):
        yield event, element.tag.rpartition("}")[2], element


def find_sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, str]]:
    """Name, state and part of each sheet."""
    targets: dict[str, str] = {}
    with archive.open("xl/_rels/workbook.xml.rels") as part:
        for _, tag, element in iterate_elements(part):
            if tag == "Relationship" and element.get("TargetMode") != "External":
                targets[element.get("Id", "")] = element.get("Target", "")
    with archive.open("xl/workbook.xml") as part:
        for _, tag, element in iterate_elements(part):
            if tag == "sheet":
                relation = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
                target = targets[relation]
                name = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
                yield element.get("name", ""), element.get("state", "visible"), name


_BUILT_IN_DATES = frozenset([*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)])
"""ECMA-376 part 1, §18.8.30, with the East Asian formats; 18–21 and 45–47 show times alone."""

_NOT_SIGNS = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')


def date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """The numbers of the cell formats (as the attribute `s` writes them) that show a day."""
    styles: set[str] = set()
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    dates = {str(number) for number in _BUILT_IN_DATES}
    with archive.open("xl/styles.xml") as part:
        formats: list[str] = []
        is_cell_format = False
        for event, tag, element in iterate_elements(part, starts=True):
            if tag == "cellXfs":
                is_cell_format = event == "start"
            elif event == "end" and tag == "numFmt":
                signs = _NOT_SIGNS.sub("", element.get("formatCode", "")).lower()
                if ("y" in signs or "d" in signs) and "general" not in signs:
                    dates.add(element.get("numFmtId", ""))
                else:
                    dates.discard(element.get("numFmtId", ""))
            elif event == "end" and tag == "xf" and is_cell_format:
                formats.append(element.get("numFmtId", "0"))
        styles.update(str(number) for number, format_ in enumerate(formats) if format_ in dates)
    return frozenset(styles)


def counts_from_1904(archive: zipfile.ZipFile) -> bool:
    """Whether serial dates count from 1904."""
    with archive.open("xl/workbook.xml") as part:
        return any(
            tag == "workbookPr" and element.get("date1904", "0") in ("1", "true")
            for _, tag, element in iterate_elements(part)
        )
