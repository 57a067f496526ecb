"""Check digits and forms of single values, as plain functions and as polars expressions that agree on any text.

`CHECKS` is the register from which dictionaries name them (`check: resident_id`). No field, rule or table is known
here; byte lengths and encodings are `encodings`' matter. Functions never raise, whatever the text holds.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

RESIDENT_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643
RESIDENT_ID_CHECK = "10X98765432"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100: no I, O, S, V, Z
USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
ORGANISATION_CODE_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714

# `\A … \z` in both engines' words: Python's `$` would accept a final newline.
_RESIDENT_ID = r"[0-9]{17}[0-9X]"
_USCC = r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"
_ORGANISATION_CODE = r"[0-9A-Z]{8}[0-9X]"
_MOBILE = r"1[3-9][0-9]{9}"
_SIX_DIGITS = r"[0-9]{6}"


def resident_id(text: str) -> bool:
    """Resident identity number of 18 places: digits, an existing birth date, check digit (GB 11643)."""
    if not re.fullmatch(_RESIDENT_ID, text):
        return False
    year, month, day = int(text[6:10]), int(text[10:12]), int(text[12:14])
    if not (year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return False
    total = sum(w * int(c) for w, c in zip(RESIDENT_ID_WEIGHTS, text, strict=False))
    return text[17] == RESIDENT_ID_CHECK[total % 11]


def uscc(text: str) -> bool:
    """Unified social credit code of 18 places with its check character (GB 32100)."""
    if not re.fullmatch(_USCC, text):
        return False
    total = sum(w * USCC_ALPHABET.index(c) for w, c in zip(USCC_WEIGHTS, text, strict=False))
    return text[17] == USCC_ALPHABET[-total % 31]


def organisation_code(text: str) -> bool:
    """Organisation code of 9 places without its hyphen (GB 11714)."""
    if not re.fullmatch(_ORGANISATION_CODE, text):
        return False
    total = sum(w * int(c, 36) for w, c in zip(ORGANISATION_CODE_WEIGHTS, text, strict=False))
    return text[8] == "0123456789X"[-total % 11]


def uscc_gb11714(text: str) -> bool:
    """A USCC whose places 9 to 17 are a valid organisation code as well; older registrations may not be."""
    return uscc(text) and organisation_code(text[8:17])


def mobile(text: str) -> bool:
    """Mobile number of the mainland: 11 digits, 13 to 19."""
    return re.fullmatch(_MOBILE, text) is not None


def postcode(text: str) -> bool:
    """Postcode: six digits."""
    return re.fullmatch(_SIX_DIGITS, text) is not None


def region_code(text: str) -> bool:
    """Form of a GB/T 2260 code: six digits. Whether the county exists is for a code list to say."""
    return re.fullmatch(_SIX_DIGITS, text) is not None


def _has_form(value: pl.Expr, pattern: str) -> pl.Expr:
    return value.str.contains(rf"\A(?:{pattern})\z")


def _byte(value: pl.Expr, place: int) -> pl.Expr:
    # Null beyond the end: polars evaluates both branches of when/then, so nothing here may raise.
    return value.cast(pl.Binary).bin.get(place, null_on_oob=True).cast(pl.Int32)


def _digit(value: pl.Expr, place: int) -> pl.Expr:
    return _byte(value, place) - 48


def _base36(value: pl.Expr, place: int) -> pl.Expr:
    byte = _byte(value, place)
    return pl.when(byte > 57).then(byte - 55).otherwise(byte - 48)


def _uscc_index(value: pl.Expr, place: int) -> pl.Expr:
    byte = _byte(value, place)
    skipped = sum((byte > ord(c)).cast(pl.Int32) for c in "IOSV")
    return pl.when(byte > 57).then(byte - 55 - skipped).otherwise(byte - 48)


def _sum(
    weights: tuple[int, ...], digit: Callable[[pl.Expr, int], pl.Expr], value: pl.Expr, start: int = 0
) -> pl.Expr:
    return pl.sum_horizontal([digit(value, start + i) * w for i, w in enumerate(weights)])


def _resident_id(value: pl.Expr) -> pl.Expr:
    year = sum(_digit(value, 6 + i) * w for i, w in enumerate((1000, 100, 10, 1)))
    month = _digit(value, 10) * 10 + _digit(value, 11)
    day = _digit(value, 12) * 10 + _digit(value, 13)
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    days = (
        pl.when(month.is_in([4, 6, 9, 11]))
        .then(30)
        .when(month != 2)
        .then(31)
        .when(leap)
        .then(29)
        .otherwise(28)
    )
    born = (year >= 1) & month.is_between(1, 12) & (day >= 1) & (day <= days)
    # 12 − (Σ mod 11), mod 11, is the check as a number, where X stands for 10.
    check = _byte(value, 17)
    number = pl.when(check == ord("X")).then(10).otherwise(check - 48)
    total = _sum(RESIDENT_ID_WEIGHTS, _digit, value)
    return _has_form(value, _RESIDENT_ID) & born & ((12 - total % 11) % 11 == number)


def _uscc_expression(value: pl.Expr) -> pl.Expr:
    total = _sum(USCC_WEIGHTS, _uscc_index, value)
    return _has_form(value, _USCC) & ((31 - total % 31) % 31 == _uscc_index(value, 17))


def _uscc_gb11714(value: pl.Expr) -> pl.Expr:
    total = _sum(ORGANISATION_CODE_WEIGHTS, _base36, value, 8)
    check = _byte(value, 16)
    number = pl.when(check == ord("X")).then(10).otherwise(check - 48)
    return _uscc_expression(value) & ((11 - total % 11) % 11 == number)


def _organisation_code(value: pl.Expr) -> pl.Expr:
    check = _byte(value, 8)
    number = pl.when(check == ord("X")).then(10).otherwise(check - 48)
    total = _sum(ORGANISATION_CODE_WEIGHTS, _base36, value)
    return _has_form(value, _ORGANISATION_CODE) & ((11 - total % 11) % 11 == number)


@dataclass(frozen=True)
class Calculator:
    """One registered check: `plain` for a value at hand, `expression` for a column (null in, null out)."""

    plain: Callable[[str], bool]
    expression: Callable[[pl.Expr], pl.Expr]


CHECKS: dict[str, Calculator] = {
    "resident_id": Calculator(resident_id, _resident_id),
    "uscc": Calculator(uscc, _uscc_expression),
    "uscc_gb11714": Calculator(uscc_gb11714, _uscc_gb11714),
    "organisation_code": Calculator(organisation_code, _organisation_code),
    "mobile": Calculator(mobile, lambda value: _has_form(value, _MOBILE)),
    "postcode": Calculator(postcode, lambda value: _has_form(value, _SIX_DIGITS)),
    "region_code": Calculator(region_code, lambda value: _has_form(value, _SIX_DIGITS)),
}
