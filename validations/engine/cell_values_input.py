"""One cell of a workbook as the text of a value, or why it is none. No sheets, no files.

Excel's numbers have 15 digits and its dates are numbers, so a cell is taken for what it was stored as: text as text,
a number where a number is due, a date (a number shown as one) where a date is due.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from validations.engine.raw_cells_input import RawCell
from validations.engine.standard import Field

EARLIEST_SERIAL, LATEST_SERIAL = 61, 2_958_465
"""1900-03-01, before which Excel counts a 29 February 1900 that never was, and 9999-12-31."""

_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_STORED_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_STORED_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T00:00:00(\.0+)?Z?)?")
_WHY_NOT = {"f": "input.why.formula", "e": "input.why.error_value", "b": "input.why.boolean"}
_WHY_NUMBER = {"text": "input.why.number_for_text", "date": "input.why.number_for_date"}
_WHY_DATE = {"text": "input.why.date_for_text"}


def cell_text(declared: Field, cell: RawCell, *, is_1904: bool) -> tuple[str | None, str | None]:
    """The text of the value (None: nothing there) and None, or None and the code of the text that says why not."""
    if cell.kind == "s":
        plain = _unescaped(cell.text)
        return (None, "input.why.no_text") if plain is None else (plain or None, None)
    if cell.kind == "d":
        if declared.type != "date":
            return None, _WHY_DATE.get(declared.type, "input.why.date_for_number")
        day = _day(cell.text, is_1904=is_1904)
        return (day.isoformat(), None) if day else (None, "input.why.serial_wrong")
    if cell.kind == "n":
        if declared.type in _WHY_NUMBER:
            return None, _WHY_NUMBER[declared.type]
        number = _exact(cell.text)
        return (number, None) if number else (None, "input.why.number_inexact")
    return None, _WHY_NOT[cell.kind]


def _unescaped(text: str) -> str | None:
    """OOXML's own escapes resolved (§22.9.2.19); None where that gives NUL or half a character."""
    if not _ESCAPE.search(text):
        return text
    units = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
    try:
        plain = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        return None
    return None if "\0" in plain else plain


def _exact(stored: str) -> str | None:
    """The one number of at most 15 digits that the stored double is; None where digits were lost."""
    if not _STORED_NUMBER.fullmatch(stored):
        return None
    number = float(stored)
    shown = format(number, ".15g")
    if abs(number) >= 1e15 or float(shown) != number:
        return None
    return format(Decimal(shown), "f")


def _day(stored: str, *, is_1904: bool) -> date | None:
    if iso := _STORED_DAY.fullmatch(stored):
        try:
            return date.fromisoformat(iso.group(1))
        except ValueError:
            return None
    if not re.fullmatch(r"[0-9]{1,7}(\.0+)?", stored):
        return None
    days = int(stored.partition(".")[0]) + (1462 if is_1904 else 0)
    if not EARLIEST_SERIAL <= days <= LATEST_SERIAL:
        return None
    return date.fromordinal(date(1899, 12, 30).toordinal() + days)
