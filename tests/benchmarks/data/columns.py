"""Numpy to Arrow without a loop over rows: texts from byte matrices, exact decimals from cents, dates from days.

What the values mean is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Bytes = np.ndarray[tuple[int, int], np.dtype[np.uint8]]
Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]
Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


def letters(alphabet: str, indices: np.ndarray) -> Bytes:
    """A matrix of the ASCII characters of `alphabet` at the given places."""
    return np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)[indices]


def digits(numbers: Numbers, places: int) -> Bytes:
    """Numbers as ASCII digits with leading zeros."""
    powers = 10 ** np.arange(places - 1, -1, -1, dtype=np.int64)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def choices(texts: Sequence[str], picks: Numbers) -> pa.Array:
    """One of a few texts per row."""
    return pa.DictionaryArray.from_arrays(
        pa.array(picks.astype(np.int32)), pa.array(texts)
    ).dictionary_decode()


def texts(*parts: Bytes, keep: dict[int, Mask] | None = None, valid: Mask | None = None) -> pa.Array:
    """Texts of the parts side by side. `keep`: the rows that have that part; `valid`: the rows that have a text."""
    matrix = np.concatenate(parts, axis=1)
    wanted = np.ones(matrix.shape, dtype=bool)
    at = 0
    for number, part in enumerate(parts):
        if keep and number in keep:
            wanted[:, at : at + part.shape[1]] &= keep[number][:, None]
        at += part.shape[1]
    if valid is not None:
        wanted &= valid[:, None]
    offsets = np.zeros(len(matrix) + 1, dtype=np.int32)
    np.cumsum(wanted.sum(axis=1), out=offsets[1:])
    buffers = [_validity(valid), pa.py_buffer(offsets), pa.py_buffer(matrix[wanted])]
    return pa.Array.from_buffers(pa.string(), len(matrix), buffers)


def characters(text: str, picks: Numbers) -> Bytes:
    """One Chinese character per row: three bytes of UTF-8."""
    table = np.frombuffer(text.encode("utf-8"), dtype=np.uint8).reshape(-1, 3)
    return table[picks]


def decimals(units: Numbers, precision: int, scale: int) -> pa.Array:
    """Exact decimals from whole units of their last digit."""
    words = np.empty((len(units), 2), dtype=np.int64)
    words[:, 0], words[:, 1] = units, units >> 63
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(units), [None, pa.py_buffer(words)])


def dates(days: Numbers) -> pa.Array:
    """Dates from days since 1970."""
    return pa.array(days.astype(np.int32)).cast(pa.date32())


def day(text: str) -> int:
    """Days since 1970 of an ISO date."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def replaced(column: pa.Array, rows: Numbers, values: pa.Array) -> pa.Array:
    """The column with other values, or none, in the given rows (ascending)."""
    mask = np.zeros(len(column), dtype=bool)
    mask[rows] = True
    return pc.replace_with_mask(column, pa.array(mask), values.cast(column.type))


def without(column: pa.Array, empty: Mask) -> pa.Array:
    """The column with nothing in those rows."""
    return pc.if_else(pa.array(empty), pa.scalar(None, column.type), column)


def _validity(valid: Mask | None) -> pa.Buffer | None:
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
