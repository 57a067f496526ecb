"""Numbers that carry a check digit, made by the thousand: resident IDs, social credit codes, mobiles.

Vectorised makers for the reference core only; judging such numbers is the validation engine's work and shares no code
with this module, so that the two keep each other honest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

_RESIDENT_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_RESIDENT_CHECKS = np.array(list("10X98765432"), dtype=object)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_MOBILE_PREFIXES = np.array([133, 135, 138, 139, 150, 158, 159, 176, 186, 188, 199])


def resident_ids(
    regions: Ints, births: npt.NDArray[np.datetime64], is_male: npt.NDArray[np.bool_], order: Ints
) -> Texts:
    """18-character resident IDs (GB 11643): region, birth date, order code whose parity is the sex, check digit.

    `order` is 0…499 per person and becomes 000…999 with odd numbers for men.
    """
    days = births.astype("datetime64[D]")
    years = days.astype("datetime64[Y]").astype(np.int64) + 1970
    months = days.astype("datetime64[M]").astype(np.int64) % 12 + 1
    in_month = (days - days.astype("datetime64[M]")).astype(np.int64) + 1
    birth_numbers = years * 10_000 + months * 100 + in_month
    serials = order * 2 + is_male.astype(np.int64)
    bodies = (regions * 10**8 + birth_numbers) * 1000 + serials
    digits = bodies[:, None] // 10 ** np.arange(16, -1, -1, dtype=np.int64)[None, :] % 10
    checks = _RESIDENT_CHECKS[(digits * _RESIDENT_WEIGHTS).sum(axis=1) % 11]
    return bodies.astype(str).astype(object) + checks


def social_credit_codes(regions: Ints, order: Ints) -> Texts:
    """18-character unified social credit codes (GB 32100) of enterprises, each with a valid GB 11714 code inside."""
    return np.array(
        [social_credit_code(int(r), int(n)) for r, n in zip(regions, order, strict=True)], dtype=object
    )


def social_credit_code(region: int, order: int) -> str:
    """One code: `91`, region, `MA` and six characters of `order` with their GB 11714 check, and the GB 32100 check."""
    serial = ""
    for _ in range(6):
        order, place = divmod(order, len(_USCC_ALPHABET))
        serial = _USCC_ALPHABET[place] + serial
    code = "MA" + serial
    weighed = zip(code, _ORGANISATION_WEIGHTS, strict=True)
    rest = 11 - sum(_ORGANISATION_ALPHABET.index(c) * weight for c, weight in weighed) % 11
    body = f"91{region:06d}{code}{'0' if rest == 11 else 'X' if rest == 10 else rest}"
    total = sum(_USCC_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return body + _USCC_ALPHABET[(31 - total % 31) % 31]


def mobiles(rng: np.random.Generator, count: int) -> Texts:
    """11-digit mainland mobile numbers."""
    numbers: Any = rng.choice(_MOBILE_PREFIXES, count) * 10**8 + rng.integers(0, 10**8, count)
    return numbers.astype(str).astype(object)


def broken_check(number: str) -> str:
    """`number` with another last character: everything before it still reads as it did."""
    return number[:-1] + ("1" if number[-1] != "1" else "2")
