"""A program of its own: prints the cells of a hostile .xlsx as JSON lines, within limits of memory and time.

Run as `python -I parse_xlsx_input.py FILE LIMITS`, the limits in JSON as `raw_cells_input.Limits` has them. The first line
names the sheets or the reason for refusing; each further line is one row that holds something. It knows nothing of what
a workbook should say, imports nothing of the house, and trusts no dimension and no order of a file.

openpyxl is not used here: read-only it drops rows behind a false dimension or out of order, and otherwise it
holds hundreds of megabytes (both measured). ECMA-376 part 1, §18.3.1 (sheets), §18.4 (shared strings).
"""

from __future__ import annotations

import json
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from posixpath import dirname, join, normpath
from typing import IO, Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import iterparse

MEGABYTE = 1 << 20
MEMORY_LIMIT = 1536 * MEGABYTE
RATIO_LIMIT = 150
"""Uncompressed to compressed; our own sheets of equal lines reach about 60."""
PARTS_LIMIT = 2_000
TEXT_LIMIT = 32_767

_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")


class Refusal(Exception):
    """The file cannot be read; `code` is one of the parent's catalogue."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


def main(arguments: list[str]) -> int:
    """Print the workbook's cells; a refusal is a line too, so exit code 0 says that the end was reached."""
    path, limits = arguments[0], json.loads(arguments[1])
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (
            resource.RLIMIT_FSIZE,
            64 * MEGABYTE,
        ),  # it writes to a pipe; only the coverage of our tests to a file
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    written = 0
    try:
        for line in read_cells(path, limits):
            text = json.dumps(line, ensure_ascii=True)
            written += len(text) + 1
            if written > limits["content_megabytes"] * MEGABYTE:
                raise Refusal("too_big", limit=limits["content_megabytes"])
            sys.stdout.write(text + "\n")
    except Refusal as refusal:
        _say(refusal)
    except DTDForbidden:
        _say(Refusal("doctype"))
    except MemoryError:
        _say(Refusal("too_heavy"))
    except (
        DefusedXmlException,
        ParseError,
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        LookupError,
        OSError,
        NotImplementedError,  # zipfile: a compression that it does not know
        RuntimeError,
    ) as error:
        _say(Refusal("damaged", reason=f"{type(error).__name__}: {error}"))
    sys.stdout.flush()
    return 0


def _say(refusal: Refusal) -> None:
    sys.stdout.write(json.dumps({"refused": refusal.code, "values": refusal.values}) + "\n")


def read_cells(path: str, limits: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The sheets' names, then each row that holds something; a cell is [column, kind, text].

    With `dates` a number in a date format is of kind d, its text still the serial; `is_1904` says from when it counts.
    """
    with open(path, "rb") as file:  # noqa: PTH123 (this program keeps to few imports)
        head = file.read(8)
        if head == _OLE:
            body = head + file.read(4 * MEGABYTE)
            is_encrypted = "EncryptedPackage".encode("utf-16-le") in body
            raise Refusal("encrypted" if is_encrypted else "old_format")
        if head[:4] != b"PK\x03\x04":
            raise Refusal("not_xlsx")
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            _check_archive(archive, limits["unpacked_megabytes"])
            sheets = list(_sheets(archive))
            yield {
                "sheets": [[name, state] for name, state, _ in sheets],
                "is_1904": limits["dates"] and _counts_from_1904(archive),
            }
            book = _Book(_shared_strings(archive), _date_styles(archive) if limits["dates"] else frozenset())
            for number, (name, _, part) in enumerate(sheets):
                for row, cells in _rows(archive, part, name, book, limits["rows"], limits["columns"]):
                    yield {"sheet": number, "row": row, "cells": cells}


class _Book:
    """What cells refer to: the shared strings, and the numbers of the styles that show dates."""

    def __init__(self, strings: list[str], date_styles: frozenset[str]) -> None:
        self.strings, self.date_styles = strings, date_styles


def _check_archive(archive: zipfile.ZipFile, unpacked_megabytes: int) -> None:
    entries = archive.infolist()
    names = [entry.filename.lower() for entry in entries]
    if len(entries) > PARTS_LIMIT:
        raise Refusal("bomb", limit=unpacked_megabytes)
    total = sum(entry.file_size for entry in entries)
    for entry in entries:
        if entry.file_size > MEGABYTE and entry.file_size > RATIO_LIMIT * max(entry.compress_size, 1):
            total = (unpacked_megabytes + 1) * MEGABYTE
    if total > unpacked_megabytes * MEGABYTE:
        raise Refusal("bomb", limit=unpacked_megabytes)
    if any(entry.flag_bits & 0x1 for entry in entries):
        raise Refusal("encrypted")
    if len(set(names)) != len(names):
        raise Refusal("damaged", reason="duplicate parts")
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise Refusal("not_xlsx")
    if any(name.endswith("vbaproject.bin") or "/macrosheets/" in name for name in names):
        raise Refusal("macros")
    for entry in entries:
        if entry.filename.lower().endswith((".xml", ".rels", ".vml")):
            with archive.open(entry) as part:
                prolog = part.read(4096).replace(b"\x00", b"").upper()
            if b"<!DOCTYPE" in prolog or b"<!ENTITY" in prolog:
                raise Refusal("doctype")
    with archive.open("[Content_Types].xml") as part:
        if b"macroEnabled" in part.read(MEGABYTE):
            raise Refusal("macros")


def _events(part: IO[bytes], *, starts: bool = False) -> Iterator[tuple[str, str, Any]]:
    for event, element in iterparse(part, events=("start", "end") if starts else ("end",), forbid_dtd=True):
        yield event, element.tag.rpartition("}")[2], element


def _sheets(archive: zipfile.ZipFile) -> Iterator[tuple[str, str, str]]:
    targets: dict[str, str] = {}
    with archive.open("xl/_rels/workbook.xml.rels") as part:
        for _, tag, element in _events(part):
            if tag == "Relationship" and element.get("TargetMode") != "External":
                targets[element.get("Id", "")] = element.get("Target", "")
    with archive.open("xl/workbook.xml") as part:
        for _, tag, element in _events(part):
            if tag == "sheet":
                relation = next((v for k, v in element.attrib.items() if k.endswith("}id")), "")
                target = targets[relation]
                name = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
                yield element.get("name", ""), element.get("state", "visible"), name


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    folder = {name.lower(): name for name in archive.namelist()}
    name = folder.get(join(dirname("xl/workbook.xml"), "sharedstrings.xml"))
    strings: list[str] = []
    if name is None:
        return strings
    with archive.open(name) as part:
        root = None
        for event, tag, element in _events(part, starts=True):
            root = element if root is None else root
            if event == "end" and tag == "si":
                strings.append(_text(element))
                root.clear()
    return strings


_BUILT_IN_DATES = frozenset([*range(14, 18), 22, *range(27, 32), 36, *range(50, 59)])
"""ECMA-376 part 1, §18.8.30, with the East Asian formats; 18–21 and 45–47 show times alone."""

_NOT_SIGNS = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')


def _date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """The numbers of the cell formats (as the attribute `s` writes them) that show a day."""
    styles: set[str] = set()
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    dates = {str(number) for number in _BUILT_IN_DATES}
    with archive.open("xl/styles.xml") as part:
        formats: list[str] = []
        is_cell_format = False
        for event, tag, element in _events(part, starts=True):
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


def _counts_from_1904(archive: zipfile.ZipFile) -> bool:
    with archive.open("xl/workbook.xml") as part:
        return any(
            tag == "workbookPr" and element.get("date1904", "0") in ("1", "true")
            for _, tag, element in _events(part)
        )


def _text(element: Any) -> str:
    """The text of an `si` or `is`: its runs joined, phonetic hints (`rPh`) left out."""
    pieces: list[str] = []
    for child in element:
        tag = child.tag.rpartition("}")[2]
        if tag == "t":
            pieces.append(child.text or "")
        elif tag == "r":
            pieces += [t.text or "" for t in child if t.tag.rpartition("}")[2] == "t"]
    return "".join(pieces)


def _rows(
    archive: zipfile.ZipFile, name: str, sheet: str, book: _Book, max_rows: int, max_columns: int
) -> Iterator[tuple[int, list[list[Any]]]]:
    with archive.open(name) as part:
        data: Any = None
        row = last = column = 0
        cells: list[list[Any]] = []
        for event, tag, element in _events(part, starts=True):
            if event == "start":
                if tag == "sheetData":
                    data = element
                elif tag == "row":
                    row, column, cells = int(element.get("r") or row + 1), 0, []
                    if row <= last:
                        raise Refusal("damaged", reason=f"{sheet}: row {row} after row {last}")
                    last = row
                elif tag == "mergeCell":
                    raise Refusal("merged", sheet=sheet, cells=element.get("ref", ""))
            elif tag == "c":
                column = _column(element, row, column, sheet)
                kind, text = _cell(element, book)
                if kind:
                    where = f"{element.get('r') or f'{row}/{column}'}"
                    if row > max_rows or column > max_columns:
                        raise Refusal("beyond", sheet=sheet, cell=where, rows=max_rows, columns=max_columns)
                    if len(text) > TEXT_LIMIT:
                        raise Refusal("damaged", reason=f"{sheet}!{where}: {len(text)} characters")
                    cells.append([column, kind, text])
            elif tag == "row":
                if cells:
                    yield row, cells
                data.clear()


def _column(element: Any, row: int, before: int, sheet: str) -> int:
    reference = element.get("r")
    if reference is None:
        return before + 1
    match = _REFERENCE.fullmatch(reference)
    if match is None or int(match.group(2)) != row:
        raise Refusal("damaged", reason=f"{sheet}: cell {reference} in row {row}")
    column = 0
    for letter in match.group(1):
        column = column * 26 + ord(letter) - 64
    if column <= before:
        raise Refusal("damaged", reason=f"{sheet}: cell {reference} out of order")
    return column


def _cell(element: Any, book: _Book) -> tuple[str, str]:
    """Kind (s text, n number, b boolean, d date, e error, f formula, empty = nothing) and text as stored."""
    parts = {child.tag.rpartition("}")[2]: child for child in element}
    kind = element.get("t", "n")
    if "f" in parts:
        return "f", "=" + (parts["f"].text or "")
    if kind == "inlineStr":
        text = _text(parts["is"]) if "is" in parts else ""
        return ("s", text) if text else ("", "")
    value = (parts["v"].text or "") if "v" in parts else ""
    if kind == "s" and value:
        number = int(value)
        if not 0 <= number < len(book.strings):
            raise Refusal("damaged", reason=f"shared string {number} of {len(book.strings)}")
        value = book.strings[number]
    if not value:
        return "", ""
    if kind == "n" and element.get("s") in book.date_styles:
        return "d", value
    return {"s": "s", "str": "s", "n": "n", "b": "b", "d": "d", "e": "e"}.get(kind, "e"), value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
