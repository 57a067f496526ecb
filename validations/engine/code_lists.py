"""Reading a code list: `codes/<name>.csv` with the columns code, title_zh, title_en and, where codes come and go, from, to.

Both dates are ISO and included; an empty one is without end. A code may stand several times, in periods that do not
overlap. How fields use the list is the dictionary's matter.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

from validations.engine.located import Mistakes, read_text
from validations.engine.standard import Code, CodeList
from validations.engine.terms import Effective, Title

HEADER = ("code", "title_zh", "title_en")
DATED = (*HEADER, "from", "to")


def read_codes(path: Path, mistakes: Mistakes) -> CodeList:
    """The list of one file; its mistakes are noted with their lines, and the lines left out."""
    text = read_text(path, mistakes)
    codes: dict[str, list[Code]] = {}
    if text is None:
        return CodeList(path.stem, ())
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = tuple(next(reader, []))
        if header not in (HEADER, DATED):
            expected, found = ",".join(DATED), ",".join(header)
            mistakes.add("validations.codes_header", path, 1, expected=expected, found=found)
            return CodeList(path.stem, ())
        for cells in filter(None, reader):
            if len(cells) != len(header) or not all(cells[: len(HEADER)]):
                mistakes.add("validations.codes_cells", path, reader.line_num, expected=len(header))
                continue
            try:
                code = _code(cells)
            except ValueError as error:
                mistakes.add("validations.codes_dates", path, reader.line_num, value=cells[0], reason=error)
                continue
            others = codes.setdefault(code.code, [])
            if any(_overlap(code.effective, other.effective) for other in others):
                mistakes.add("validations.codes_duplicate", path, reader.line_num, value=cells[0])
            else:
                others.append(code)
    except csv.Error as error:
        mistakes.add("validations.codes_unreadable", path, reader.line_num, reason=str(error))
    return CodeList(path.stem, tuple(code for entries in codes.values() for code in entries))


def _code(cells: list[str]) -> Code:
    start, end = (date.fromisoformat(cell) if cell else None for cell in (*cells[3:], "", "")[:2])
    if start and end and end < start:
        raise ValueError(f"{end} < {start}")
    return Code(cells[0], Title(cells[1], cells[2]), Effective(start, end))


def _overlap(one: Effective, other: Effective) -> bool:
    return one.touches(other.start or date.min, other.end or date.max)
