"""What the data of a CSV suggest about its table: types, lengths, what is mandatory, a key, code lists.

Proposals only: that no cell was empty this time does not make a field mandatory. `scaffold` writes them down as such.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, islice
from pathlib import Path

from pipelines.errors import BadInput
from validations.engine.standard import FieldType

LOOKED_AT = 100_000
"""Rows that proposals are made from."""

_NICE_LENGTHS = (1, 2, 4, 6, 8, 10, 20, 30, 50, 100, 200, 500, 1000, 2000, 4000)
_KEY_FIELDS, _KEY_CANDIDATES = 4, 8
_FEW_CODES, _ROWS_PER_CODE = 12, 3
_CODE_DIGITS = 6
"""Digits of one width from here on are codes (an organisation, a region), not numbers to reckon with."""


@dataclass(frozen=True)
class FieldProposal:
    """One column. `header` is what the CSV calls it; `codes` its distinct values where they are few."""

    name: str
    header: str
    type: FieldType
    mandatory: bool
    length: int | None = None
    scale: int | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableProposal:
    """One CSV as a table; `rows` are its first rows as texts, None for an empty cell; `is_key`: no two rows share it."""

    name: str
    source: Path
    fields: tuple[FieldProposal, ...]
    key: tuple[str, ...]
    is_key: bool
    looked_at: int
    rows: tuple[dict[str, str | None], ...]

    @property
    def is_renamed(self) -> bool:
        """Whether a column has another name than in the CSV."""
        return any(field.name != field.header for field in self.fields)


def propose(source: Path, *, shown: int = 3) -> TableProposal:
    """Look at a CSV (UTF-8, header). Raises BadInput for one that cannot be read, has no rows or a header that repeats."""
    header, rows = _read(source)
    columns = [[row[index] or None for row in rows] for index in range(len(header))]
    names = [_name(text, f"F{number:02d}") for number, text in enumerate(header, start=1)]
    key, is_key = _key(names, columns)
    fields = tuple(
        _field(name, text, column, is_key=name in key)
        for name, text, column in zip(names, header, columns, strict=True)
    )
    first = tuple(dict(zip(names, (cell or None for cell in row), strict=True)) for row in rows)
    return TableProposal(
        name=_name(source.stem, "T1"),
        source=source,
        fields=fields,
        key=key,
        is_key=is_key,
        looked_at=len(rows),
        rows=_distinct(first, key)[:shown],
    )


def _read(source: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with source.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            rows = [row for row in islice(reader, LOOKED_AT) if row]
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput("kit.csv_unreadable", path=source, reason=reason) from error
    except UnicodeDecodeError as error:
        raise BadInput("kit.csv_not_utf8", path=source, reason=error.reason) from error
    except csv.Error as error:
        raise BadInput("kit.csv_broken", path=source, reason=error) from error
    repeated = sorted({name for name in header if header.count(name) > 1 or not name.strip()})
    if repeated or not header:
        raise BadInput("kit.csv_header", path=source, columns=", ".join(repeated) or "–")
    if not rows:
        raise BadInput("kit.csv_empty", path=source)
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise BadInput("kit.csv_cells", path=source, row=number, expected=len(header), found=len(row))
    return header, rows


def _name(text: str, otherwise: str) -> str:
    """A name a standard can use: letters, digits and _."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text.strip()).strip("_")
    return name if re.match("[A-Za-z]", name) else otherwise


def _field(name: str, header: str, column: Sequence[str | None], *, is_key: bool) -> FieldProposal:
    values = [value for value in column if value is not None]
    mandatory = len(values) == len(column)
    kind, scale = _type(values)
    if kind != "text":
        return FieldProposal(name, header, kind, mandatory, scale=scale)
    longest = max((len(value.encode()) for value in values), default=1)
    length = next((nice for nice in _NICE_LENGTHS if nice >= longest), longest)
    distinct = tuple(sorted(set(values)))
    is_coded = (
        not is_key and 1 < len(distinct) <= _FEW_CODES and len(values) >= _ROWS_PER_CODE * len(distinct)
    )
    return FieldProposal(name, header, "text", mandatory, length, codes=distinct if is_coded else ())


def _type(values: Sequence[str]) -> tuple[FieldType, int | None]:
    if not values:
        return "text", None
    if all(_is_date(value) for value in values):
        return "date", None
    if all(re.fullmatch("-?(0|[1-9][0-9]{0,17})", value) for value in values):
        is_code = len(values[0]) >= _CODE_DIGITS and len({len(value) for value in values}) == 1
        return ("text" if is_code and len(values) > 1 else "integer"), None
    if all(re.fullmatch(r"-?(0|[1-9][0-9]{0,15})(\.[0-9]{1,6})?", value) for value in values):
        return "decimal", max(len(value.partition(".")[2]) for value in values)
    return "text", None


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _key(names: Sequence[str], columns: Sequence[Sequence[str | None]]) -> tuple[tuple[str, ...], bool]:
    """The fewest leading columns that tell all rows apart; amounts and dates are no keys if others do."""
    filled = [index for index, column in enumerate(columns) if None not in column]
    tests: tuple[Callable[[int], bool], ...] = (
        lambda index: (
            _type([value for value in columns[index] if value is not None])[0] in ("text", "integer")
        ),
        lambda index: True,
    )
    for test in tests:
        candidates = [index for index in filled if test(index)][:_KEY_CANDIDATES]
        for size in range(1, _KEY_FIELDS + 1):
            for chosen in combinations(candidates, size):
                rows = zip(*(columns[index] for index in chosen), strict=True)
                if len(set(rows)) == len(columns[0]):
                    return tuple(names[index] for index in chosen), True
    return tuple(names[index] for index in filled) or tuple(names), False


def _distinct(rows: Sequence[dict[str, str | None]], key: Sequence[str]) -> tuple[dict[str, str | None], ...]:
    found: dict[tuple[str | None, ...], dict[str, str | None]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in key), row)
    return tuple(found.values())
