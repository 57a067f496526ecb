"""The cells of sheets and the shared strings, by expat itself: an element tree of them takes six times as long.

ECMA-376 part 1, §18.3.1 (sheets), §18.4 (shared strings).
"""

from __future__ import annotations

import re
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from archive_parts import Refusal

TEXT_LIMIT = 32_767
CHUNK = 1 << 18

_ESCAPE = re.compile("_x[0-9A-Fa-f]{4}_")
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")


class Book:
    """What cells refer to: the shared strings, and the numbers of the styles that show dates."""

    def __init__(self, strings: list[str], date_styles: frozenset[str]) -> None:
        self.strings, self.date_styles = strings, date_styles


def shared_strings(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells refer to by number; the part's name is found whatever its case."""
    name = {name.lower(): name for name in archive.namelist()}.get("xl/sharedstrings.xml")
    if name is None:
        return []
    reader = _StringReader()
    with archive.open(name) as part:
        while chunk := part.read(CHUNK):
            reader.parse(chunk)
        reader.parse(b"", is_end=True)
    return reader.strings


class _Reader(ABC):
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

    @abstractmethod
    def _open(self, tag: str, attributes: dict[str, str]) -> None:
        """An element other than text begins."""

    @abstractmethod
    def _close(self, tag: str) -> None:
        """An element other than text ends."""


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

    def __init__(self, sheet: str, book: Book, max_rows: int, max_columns: int) -> None:
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


def read_rows(
    archive: zipfile.ZipFile, name: str, sheet: str, book: Book, max_rows: int, max_columns: int
) -> Iterator[tuple[int, list[list[Any]]]]:
    """The rows of the part `name` that hold something, as they stand in the file; a cell is [column, kind, text]."""
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
