"""A program of its own: prints the cells of a hostile .xlsx as JSON lines, within limits of memory and time.

Run as `python -I parse_xlsx_input.py FILE LIMITS`, the limits in JSON as `raw_cells_input.Limits` has them. The first line
names the sheets or the reason for refusing; each further line is one row that holds something. It knows nothing of what
a workbook should say, imports nothing of the house, and trusts no dimension and no order of a file.

openpyxl is not used here: read-only it drops rows behind a false dimension or out of order, and otherwise it
holds hundreds of megabytes (both measured). The cells are read by expat itself, since an element tree of them takes six
times as long. ECMA-376 part 1, §18.3.1 (sheets), §18.4 (shared strings).
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
from xml.parsers import expat

from defusedxml import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import iterparse

MEGABYTE = 1 << 20
MEMORY_LIMIT = 1536 * MEGABYTE
RATIO_LIMIT = 150
"""Uncompressed to compressed; our own sheets of equal lines reach about 60."""
PARTS_LIMIT = 2_000
TEXT_LIMIT = 32_767
CHUNK = 1 << 18

_ESCAPE = re.compile("_x[0-9A-Fa-f]{4}_")
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_STRANGE_NAME = re.compile(r"^/|\\|:|\x00|(^|/)\.\.?(/|$)")
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
        expat.ExpatError,
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
    try:
        file = open(path, "rb")  # noqa: PTH123, SIM115 (few imports; closed below)
    except OSError as error:
        raise Refusal("unreadable", reason=error.strerror) from None
    with file:
        try:
            head = file.read(8)
        except OSError as error:
            raise Refusal("unreadable", reason=error.strerror) from None
        if head == _OLE:
            body = head + file.read(4 * MEGABYTE)
            is_encrypted = "EncryptedPackage".encode("utf-16-le") in body
            raise Refusal("encrypted" if is_encrypted else "old_format")
        if head[:4] != b"PK\x03\x04":
            raise Refusal("not_xlsx")
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            _check_archive(archive, limits["unpacked_megabytes"])
            if limits["is_form"]:
                _check_form(archive)
            sheets = list(_sheets(archive))
            yield {
                "sheets": [[name, state] for name, state, _ in sheets],
                "is_1904": limits["dates"] and _counts_from_1904(archive),
            }
            book = _Book(_shared_strings(archive), _date_styles(archive) if limits["dates"] else frozenset())
            for number, (name, _, part) in enumerate(sheets):
                if limits["only_sheet"] not in (None, name):
                    continue
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
    for entry in entries:
        if _STRANGE_NAME.search(entry.orig_filename):
            raise Refusal("damaged", reason=f"part named {entry.orig_filename!r}")
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


_FOREIGN_PARTS = re.compile(
    r"^xl/(externallinks|connections\.|querytables|embeddings|activex|ctrlprops|model|webextensions|customdata)"
)
_HARMLESS_NAME = re.compile(
    r"(?:(?:'(?:[^'\[\]|]|'')+'|[^\W\d][\w.]*)!)?\$?[A-Z]{1,3}\$?\d+(?::\$?[A-Z]{1,3}\$?\d+)?"
)
"""A range of a sheet of this workbook: what filters and print areas are stored as."""


def _check_form(archive: zipfile.ZipFile) -> None:
    """Refuse what nobody who fills a form in adds, and what acts when the next person opens the file."""
    for name in archive.namelist():
        if _FOREIGN_PARTS.search(name.lower()):
            raise Refusal("foreign_part", part=name)
        if name.lower().endswith(".rels"):
            with archive.open(name) as part:
                for _, tag, element in _events(part):
                    if tag != "Relationship" or element.get("TargetMode") != "External":
                        continue
                    if not element.get("Type", "").endswith(
                        "/hyperlink"
                    ):  # made of every address that is typed
                        raise Refusal("foreign_part", part=f"{name} → {element.get('Target', '')[:80]}")
    with archive.open("xl/workbook.xml") as part:
        for _, tag, element in _events(part):
            if tag == "definedName" and not _HARMLESS_NAME.fullmatch((element.text or "").strip()):
                raise Refusal(
                    "defined_name", name=element.get("name", "")[:80], value=(element.text or "")[:80]
                )


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
    if name is None:
        return []
    reader = _StringReader()
    with archive.open(name) as part:
        while chunk := part.read(CHUNK):
            reader.parse(chunk)
        reader.parse(b"", is_end=True)
    return reader.strings


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


class _Reader:
    """What reading sheets and strings have in common: no DOCTYPE, local names, the text of `is` and `si`.

    Runs are joined, phonetic hints (`rPh`) left out.
    """

    def __init__(self) -> None:
        parser: Any = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        self._parser = parser
        self._pieces: list[str] = []
        self._hints = 0

    def parse(self, chunk: bytes, *, is_end: bool = False) -> None:
        self._parser.Parse(chunk, is_end)

    def _refuse_doctype(self, *_: object) -> None:
        raise Refusal("doctype")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition("}")[2]
        if tag == "t":
            if not self._hints:
                self._parser.CharacterDataHandler = self._pieces.append
        elif tag == "rPh":
            self._hints += 1
        else:
            self._open(tag, attributes)

    def _end(self, name: str) -> None:
        tag = name.rpartition("}")[2]
        if tag == "t":
            self._parser.CharacterDataHandler = None
        elif tag == "rPh":
            self._hints -= 1
        else:
            self._close(tag)

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def _close(self, tag: str) -> None:
        raise NotImplementedError


class _StringReader(_Reader):
    def __init__(self) -> None:
        super().__init__()
        self.strings: list[str] = []

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            self._pieces.clear()

    def _close(self, tag: str) -> None:
        if tag == "si":
            self.strings.append("".join(self._pieces))


class _SheetReader(_Reader):
    """Rows of a sheet, gathered while its chunks are parsed and then taken away."""

    def __init__(self, sheet: str, book: _Book, max_rows: int, max_columns: int) -> None:
        super().__init__()
        self.sheet, self.book, self.max_rows, self.max_columns = sheet, book, max_rows, max_columns
        self.rows: list[tuple[int, list[list[Any]]]] = []
        self.row = self.column = 0
        self.cells: list[list[Any]] = []
        self.cell: dict[str, str] = {}
        self.value: list[str] | None = None
        self.formula: list[str] | None = None
        self.is_inline = False

    def take(self) -> list[tuple[int, list[list[Any]]]]:
        taken, self.rows = self.rows, []
        return taken

    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "c":
            self.cell, self.value, self.formula, self.is_inline = attributes, None, None, False
        elif tag == "v":
            self.value = []
            self._parser.CharacterDataHandler = self.value.append
        elif tag == "f":
            self.formula = []
            self._parser.CharacterDataHandler = self.formula.append
        elif tag == "is":
            self.is_inline = True
            self._pieces.clear()
        elif tag == "row":
            row = int(attributes.get("r") or self.row + 1)
            if row <= self.row:
                raise Refusal("damaged", reason=f"{self.sheet}: row {row} after row {self.row}")
            self.row, self.column, self.cells = row, 0, []
        elif tag == "mergeCell":
            raise Refusal("merged", sheet=self.sheet, cells=attributes.get("ref", ""))

    def _close(self, tag: str) -> None:
        if tag == "c":
            self._take_cell()
        elif tag in ("v", "f"):
            self._parser.CharacterDataHandler = None
        elif tag == "row" and self.cells:
            self.rows.append((self.row, self.cells))

    def _take_cell(self) -> None:
        reference = self.cell.get("r")
        self.column = _column(reference, self.row, self.column, self.sheet)
        kind, text = self._content()
        if not kind:
            return
        where = reference or f"{self.row}/{self.column}"
        if self.row > self.max_rows or self.column > self.max_columns:
            raise Refusal(
                "beyond", sheet=self.sheet, cell=where, rows=self.max_rows, columns=self.max_columns
            )
        if len(text) > TEXT_LIMIT and (length := len(_ESCAPE.sub("x", text))) > TEXT_LIMIT:
            raise Refusal("damaged", reason=f"{self.sheet}!{where}: {length} characters")
        self.cells.append([self.column, kind, text])

    def _content(self) -> tuple[str, str]:
        """Kind (s text, n number, b boolean, d date, e error, f formula, empty = nothing) and text as stored."""
        kind = self.cell.get("t", "n")
        if self.formula is not None:
            return "f", "=" + "".join(self.formula)
        if kind == "inlineStr":
            text = "".join(self._pieces) if self.is_inline else ""
            return ("s", text) if text else ("", "")
        value = "".join(self.value or ())
        if kind == "s" and value:
            number = int(value)
            if not 0 <= number < len(self.book.strings):
                raise Refusal("damaged", reason=f"shared string {number} of {len(self.book.strings)}")
            value = self.book.strings[number]
        if not value:
            return "", ""
        if kind == "n" and self.cell.get("s") in self.book.date_styles:
            return "d", value
        return {"s": "s", "str": "s", "n": "n", "b": "b", "d": "d", "e": "e"}.get(kind, "e"), value


def _rows(
    archive: zipfile.ZipFile, name: str, sheet: str, book: _Book, max_rows: int, max_columns: int
) -> Iterator[tuple[int, list[list[Any]]]]:
    reader = _SheetReader(sheet, book, max_rows, max_columns)
    with archive.open(name) as part:
        while chunk := part.read(CHUNK):
            reader.parse(chunk)
            yield from reader.take()
        reader.parse(b"", is_end=True)
        yield from reader.take()


def _column(reference: str | None, row: int, before: int, sheet: str) -> int:
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
