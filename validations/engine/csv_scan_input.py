"""A CSV's bytes at the speed of memory: is it so plain that every reader must read it alike, and how many records has it?

RFC 4180, vectorised: quotes stand only around whole cells (doubled inside), no NUL, no carriage return of its own. Where
the answer is no, nothing is said of why: `csv_slow_input` explains.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

BLOCK_BYTES = 4 << 20
RECORD_LIMIT_BYTES = 4 << 20
"""A longer record goes to the slow reader, which names it or its cell."""

_COMMA, _QUOTE, _LF, _CR = b',"\n\r'


@dataclass(frozen=True)
class Scan:
    """`records` counts line ends outside quotes, blank lines left out; only right where `is_plain`."""

    is_plain: bool
    records: int


_DOUBTFUL = Scan(is_plain=False, records=0)


def scan(file: IO[bytes]) -> Scan:
    """Read `file` from where it stands, the start of a record, to its end."""
    inside = records = 0
    while chunk := file.read(BLOCK_BYTES):
        # Every chunk ends with a line, so the byte beside a quote is always at hand.
        if not chunk.endswith(b"\n"):
            rest = file.readline(RECORD_LIMIT_BYTES)
            chunk += rest
            if len(rest) == RECORD_LIMIT_BYTES:
                return _DOUBTFUL
        if b"\0" in chunk or chunk.count(b"\r") != chunk.count(b"\r\n"):
            return _DOUBTFUL
        codes = np.frombuffer(chunk, dtype=np.uint8)
        ends = np.flatnonzero(codes == _LF)
        if inside or b'"' in chunk:
            quotes = np.flatnonzero(codes == _QUOTE)
            if not _quotes_stand_well(codes, quotes, inside):
                return _DOUBTFUL
            ends = ends[(np.searchsorted(quotes, ends) + inside) % 2 == 0]
            records += _records(codes, ends, starts_inside=bool(inside))
            inside = (inside + len(quotes)) % 2
        else:
            records += _records(codes, ends, starts_inside=False)
        if not inside and codes[-1] != _LF:
            records += 1  # the last line of the file, without an end
    return Scan(is_plain=not inside, records=records)


def _quotes_stand_well(codes: Any, quotes: Any, inside: int) -> bool:
    """Openers follow a comma, a line end or (doubled) a quote; closers stand before a comma, a line end or a quote."""
    openers, closers = quotes[inside::2], quotes[1 - inside :: 2]
    before = codes[openers[openers > 0] - 1]
    after = codes[closers[closers < len(codes) - 1] + 1]
    return bool(
        np.isin(before, (_COMMA, _LF, _QUOTE)).all() and np.isin(after, (_COMMA, _LF, _CR, _QUOTE)).all()
    )


def _records(codes: Any, ends: Any, *, starts_inside: bool) -> int:
    """The records that end here: all line ends but those of blank lines."""
    if not len(ends):
        return 0
    starts = np.concatenate(([-1], ends[:-1]))
    # A chunk that starts inside quotes cannot start with a blank line.
    lengths = ends - starts - 1
    is_blank = (lengths == 0) | ((lengths == 1) & (codes[ends - 1] == _CR))
    if starts_inside:
        is_blank[0] = False
    return int(len(ends) - is_blank.sum())


def lines_of_records(file: IO[bytes], wanted: Collection[int]) -> dict[int, int]:
    """The line, from 1, on which each of the wanted records, from 0, begins; for what `scan` has called plain."""
    found: dict[int, int] = {}
    record = -1
    is_inside = False
    for number, line in enumerate(file, 1):
        if not is_inside and line not in (b"\n", b"\r\n"):
            record += 1
            if record in wanted:
                found[record] = number
                if len(found) == len(wanted):
                    break
        is_inside ^= bool(line.count(b'"') % 2)
    return found
