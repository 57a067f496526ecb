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

from validations.engine import check_kernels
from validations.engine.check_kernels import (
    ORGANISATION_CODE_WEIGHTS,
    RESIDENT_ID_WEIGHTS,
    USCC_ALPHABET,
    USCC_WEIGHTS,
    VIN_VALUES,
    VIN_WEIGHTS,
)

RESIDENT_ID_CHECK = "10X98765432"

# `\A … \z` in both engines' words: Python's `$` would accept a final newline.
_RESIDENT_ID = r"[0-9]{17}[0-9X]"
_USCC = r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"
_ORGANISATION_CODE = r"[0-9A-Z]{8}[0-9X]"
_MOBILE = r"1[3-9][0-9]{9}"
_SIX_DIGITS = r"[0-9]{6}"
_VIN = r"[0-9A-HJ-NPR-Z]{8}[0-9X][0-9A-HJ-NPR-Z]{8}"
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = (  # GA 36: five places after the province and letter, the last may be a word; six on green plates
    rf"[{_PROVINCES}][A-HJ-NP-Z](?:[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9挂学警港澳]|[0-9]{{5}}[A-HJK]|[A-HJK][A-HJ-NP-Z0-9][0-9]{{4}})"
)
_BANK_ACCOUNT = r"[0-9]{8,32}"
_CARD_LENGTHS = range(16, 20)


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


def vin(text: str) -> bool:
    """Vehicle identification number of 17 places with its check digit in the ninth (GB 16735, ISO 3779)."""
    if not re.fullmatch(_VIN, text):
        return False
    total = sum(w * VIN_VALUES[c] for w, c in zip(VIN_WEIGHTS, text, strict=True))
    return text[8] == "0123456789X"[total % 11]


def plate(text: str) -> bool:
    """Number plate of the mainland (GA 36), without separators; green plates have one place more."""
    return re.fullmatch(_PLATE, text) is not None


def bank_account(text: str) -> bool:
    """Bank account: 8 to 32 digits; a card of 16 to 19 digits that begins with 62 carries a Luhn digit (ISO/IEC 7812)."""
    if not re.fullmatch(_BANK_ACCOUNT, text):
        return False
    return not _is_card(text) or _luhn(text)


def _is_card(text: str) -> bool:
    return text.startswith("62") and len(text) in _CARD_LENGTHS


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _has_form(value: pl.Expr, pattern: str) -> pl.Expr:
    return value.str.contains(rf"\A(?:{pattern})\z")


def _by(kernel: Callable[[pl.Series], pl.Series]) -> Callable[[pl.Expr], pl.Expr]:
    return lambda value: value.map_batches(kernel, return_dtype=pl.Boolean)


def _bank_account(value: pl.Expr) -> pl.Expr:
    def judged(values: pl.Series) -> pl.Series:
        is_card = values.str.starts_with("62") & values.str.len_bytes().is_between(16, 19)
        return ~is_card | check_kernels.luhns(values, _CARD_LENGTHS)

    return _has_form(value, _BANK_ACCOUNT) & value.map_batches(judged, return_dtype=pl.Boolean)


@dataclass(frozen=True)
class Calculator:
    """One registered check: `plain` for a value at hand, `expression` for a column (null in, null out)."""

    plain: Callable[[str], bool]
    expression: Callable[[pl.Expr], pl.Expr]


CHECKS: dict[str, Calculator] = {
    "resident_id": Calculator(resident_id, _by(check_kernels.resident_ids)),
    "uscc": Calculator(uscc, _by(check_kernels.usccs)),
    "uscc_gb11714": Calculator(uscc_gb11714, _by(check_kernels.usccs_gb11714)),
    "organisation_code": Calculator(organisation_code, _by(check_kernels.organisation_codes)),
    "vin": Calculator(vin, _by(check_kernels.vins)),
    "plate": Calculator(plate, lambda value: _has_form(value, _PLATE)),
    "bank_account": Calculator(bank_account, _bank_account),
    "mobile": Calculator(mobile, lambda value: _has_form(value, _MOBILE)),
    "postcode": Calculator(postcode, lambda value: _has_form(value, _SIX_DIGITS)),
    "region_code": Calculator(region_code, lambda value: _has_form(value, _SIX_DIGITS)),
}
