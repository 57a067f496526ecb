"""Check digits of whole columns: one table look-up per place, summed, over the bytes of all values at once.

A table holds, for every byte that may stand at a place, its value × weight, and a mark for every other byte, so the form is
judged together with the sum. Each kernel takes texts and returns booleans, null for null; the plain functions of
`calculators` say the same of one value, and tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes = npt.NDArray[np.uint8]
Sums = npt.NDArray[np.uint16]
Flags = npt.NDArray[np.bool_]

DIGITS = "0123456789"
BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_REFUSED = 1 << 12  # above any sum of 32 places below a modulus of 31

RESIDENT_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: no I, O, S, V, Z
USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
ORGANISATION_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714
VIN_VALUES = dict(
    zip("0123456789ABCDEFGHJKLMNPRSTUVWXYZ", map(int, "012345678912345678123457923456789"), strict=True)
)
VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)  # GB 16735, ISO 3779


def _number(character: str) -> int:
    """A digit's value; X stands for ten."""
    return 10 if character == "X" else int(character)


def _tables(
    places: Sequence[str], weights: Sequence[int], value: Callable[[str], int], modulus: int
) -> npt.NDArray[np.uint16]:
    """One table of 256 entries per place: what each byte adds to the sum."""
    tables = np.full((len(places), 256), _REFUSED, dtype=np.uint16)
    for place, (allowed, weight) in enumerate(zip(places, weights, strict=True)):
        for character in allowed:
            tables[place, ord(character)] = value(character) * weight % modulus
    return tables


_RESIDENT_ID = _tables([DIGITS] * 17 + [DIGITS + "X"], [*RESIDENT_ID_WEIGHTS, 1], _number, 11)
_USCC = _tables(
    [USCC_ALPHABET] * 2 + [DIGITS] * 6 + [USCC_ALPHABET] * 10, [*USCC_WEIGHTS, 1], USCC_ALPHABET.index, 31
)
_ORGANISATION_CODE = np.concatenate(
    [
        _tables([BASE36] * 8, ORGANISATION_CODE_WEIGHTS, BASE36.index, 11),
        _tables([DIGITS + "X"], [1], _number, 11),
    ]
)
_VIN = _tables(["".join(VIN_VALUES)] * 17, VIN_WEIGHTS, VIN_VALUES.__getitem__, 11)
_VIN[8] = _tables([DIGITS + "X"], [10], _number, 11)[
    0
]  # the check, as −1 ≡ 10 (mod 11): all places then sum to zero


def _days() -> npt.NDArray[np.uint8]:
    """By month × 100 + day: 1 for a day that exists in every year, 2 for 29 February."""
    days = np.zeros(10_000, dtype=np.uint8)
    for month in range(1, 13):
        last = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
        days[month * 100 + 1 : month * 100 + last + 1] = 1
    days[229] = 2
    return days


_DAYS = _days()


def resident_ids(values: pl.Series) -> pl.Series:
    """Form, birth date and check digit of GB 11643; see `calculators.resident_id`."""
    fits, rows = _places(values, 18)
    total = _total(rows, _RESIDENT_ID)
    holds = (total < _REFUSED) & (total % 11 == 1)
    born = (rows[:, 6:14] - np.uint8(ord("0"))).astype(np.int16)
    day = born[:, 4] * 1000 + born[:, 5] * 100 + born[:, 6] * 10 + born[:, 7]
    day[~holds] = 0
    kind = _DAYS[day]
    year = born[:, :4] @ np.array([1000, 100, 10, 1], dtype=np.int16)
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return _answer(values, fits, holds & (year > 0) & ((kind == 1) | ((kind == 2) & is_leap)))


def usccs(values: pl.Series) -> pl.Series:
    """Form and check character of GB 32100; see `calculators.uscc`."""
    fits, rows = _places(values, 18)
    return _answer(values, fits, _divisible(rows, _USCC, 31))


def usccs_gb11714(values: pl.Series) -> pl.Series:
    """The same, with a valid organisation code at the places 9 to 17."""
    fits, rows = _places(values, 18)
    return _answer(
        values, fits, _divisible(rows, _USCC, 31) & _divisible(rows[:, 8:17], _ORGANISATION_CODE, 11)
    )


def organisation_codes(values: pl.Series) -> pl.Series:
    """Form and check character of GB 11714; see `calculators.organisation_code`."""
    fits, rows = _places(values, 9)
    return _answer(values, fits, _divisible(rows, _ORGANISATION_CODE, 11))


def vins(values: pl.Series) -> pl.Series:
    """Form and check digit of GB 16735; see `calculators.vin`."""
    fits, rows = _places(values, 17)
    return _answer(values, fits, _divisible(rows, _VIN, 11))


def luhns(values: pl.Series, lengths: range) -> pl.Series:
    """Digits of these lengths whose Luhn sum (ISO/IEC 7812) is a multiple of ten."""
    holds = np.zeros(len(values), dtype=np.bool_)
    for length in lengths:
        # From the right: the check digit once, its neighbour doubled (9 → 9), and so on.
        doubled = [(length - 1 - place) % 2 == 1 for place in range(length)]
        table = np.full((length, 256), _REFUSED, dtype=np.uint16)
        for digit in range(10):
            twice = digit * 2 - 9 * (digit > 4)
            table[:, ord("0") + digit] = np.where(doubled, twice, digit)
        fits, rows = _places(values, length)
        holds |= _answer(values, fits, _divisible(rows, table, 10)).fill_null(value=False).to_numpy()
    answer = pl.Series(values.name, holds)
    return (
        pl.select(pl.when(values.is_not_null()).then(answer)).to_series() if values.null_count() else answer
    )


def _places(values: pl.Series, length: int) -> tuple[pl.Series, Bytes]:
    """Which values have so many bytes, and those bytes, one row each."""
    fits = (values.str.len_bytes() == length).fill_null(value=False)
    array = values.filter(fits).to_arrow()
    _, offsets, data = array.buffers()
    if not len(array) or data is None:
        return fits, np.empty((0, length), dtype=np.uint8)
    first = np.frombuffer(offsets, dtype=np.int64 if array.type == "large_string" else np.int32)[array.offset]
    rows = np.frombuffer(data, dtype=np.uint8, count=len(array) * length, offset=int(first))
    return fits, rows.reshape(-1, length)


def _total(rows: Bytes, tables: npt.NDArray[np.uint16]) -> Sums:
    """The sum of every row; at least `_REFUSED` where a byte may not stand at its place."""
    total = np.zeros(len(rows), dtype=np.uint16)
    for place, table in enumerate(tables):
        # An 18th refused byte would run past 16 bits: once refused, a row stays so.
        total = np.minimum(total, _REFUSED) + table[rows[:, place]]
    return total


def _divisible(rows: Bytes, tables: npt.NDArray[np.uint16], modulus: int) -> Flags:
    total = _total(rows, tables)
    return (total < _REFUSED) & (total % modulus == 0)


def _answer(values: pl.Series, fits: pl.Series, holds: Flags) -> pl.Series:
    """`holds` at the values that fit, false at the others, null where there is none."""
    whole = np.zeros(len(values), dtype=np.bool_)
    whole[fits.to_numpy()] = holds
    answer = pl.Series(values.name, whole)
    return (
        pl.select(pl.when(values.is_not_null()).then(answer)).to_series() if values.null_count() else answer
    )
