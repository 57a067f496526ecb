"""Numbers that carry a check digit, made by the thousand: resident IDs, social credit codes, VINs, bank accounts.

Vectorised makers for the reference core only; judging such numbers is the validation engine's work and shares no code
with this module, so that the two keep each other honest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from resources.reference_core.drawing import Bools, Days, Ints, padded, words

_RESIDENT_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_RESIDENT_CHECKS = "10X98765432"
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_VIN_ALPHABET = "0123456789ABCDEFGHJKLMNPRSTUVWXYZ"
_VIN_VALUES = np.array([*range(10), *range(1, 9), *range(1, 6), 7, 9, *range(2, 10)])
_VIN_WEIGHTS = np.array([8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2])
_MOBILE_PREFIXES = np.array([133, 135, 138, 139, 150, 158, 159, 176, 186, 188, 199])


def resident_ids(regions: Ints, births: Days, is_male: Bools, order: Ints) -> pl.Series:
    """18-character resident IDs (GB 11643): region, birth date, order code whose parity is the sex, check digit.

    `order` is 0…499 per person and becomes 000…999 with odd numbers for men.
    """
    born = births.astype("datetime64[D]")
    years = born.astype("datetime64[Y]").astype(np.int64) + 1970
    months = born.astype("datetime64[M]").astype(np.int64) % 12 + 1
    in_month = (born - born.astype("datetime64[M]")).astype(np.int64) + 1
    bodies = (regions * 10**8 + years * 10_000 + months * 100 + in_month) * 1000 + order * 2 + is_male
    checks = (_digits(bodies, 17) * _RESIDENT_WEIGHTS).sum(axis=1) % 11
    return padded(bodies, 17) + words(list(_RESIDENT_CHECKS), checks)


def social_credit_codes(regions: Ints, order: Ints) -> pl.Series:
    """18-character unified social credit codes (GB 32100) of enterprises, each with a valid GB 11714 code inside.

    `91`, region, `MA` and six characters of `order` with their GB 11714 check, and the GB 32100 check.
    """
    count = len(order)
    places = np.zeros((count, 18), dtype=np.int64)
    places[:, 0:2] = 9, 1
    places[:, 2:8] = _digits(regions, 6)
    places[:, 8:10] = [_USCC_ALPHABET.index(c) for c in "MA"]
    places[:, 10:16] = order[:, None] // 31 ** np.arange(5, -1, -1) % 31
    values = np.array([_ORGANISATION_ALPHABET.index(c) for c in _USCC_ALPHABET])
    rest = 11 - (values[places[:, 8:16]] * _ORGANISATION_WEIGHTS).sum(axis=1) % 11
    places[:, 16] = np.select([rest == 11, rest == 10], [0, _USCC_ALPHABET.index("X")], rest)
    weights = np.array([pow(3, place, 31) for place in range(17)])
    places[:, 17] = (31 - (places[:, :17] * weights).sum(axis=1) % 31) % 31
    return _texts(_USCC_ALPHABET, places)


def social_credit_code(region: int, order: int) -> str:
    return str(social_credit_codes(np.array([region]), np.array([order]))[0])


def vins(series: Ints, serials: Ints) -> pl.Series:
    """17-character vehicle identification numbers (GB 16735) with the check digit in place 9.

    `series` (below 33³) and `serials` (below a million) tell vehicles apart.
    """
    places = np.zeros((len(serials), 17), dtype=np.int64)
    places[:, 0:3] = [_VIN_ALPHABET.index(c) for c in "LZZ"]
    places[:, 3:6] = series[:, None] // 33 ** np.arange(2, -1, -1) % 33
    places[:, 6:8] = serials[:, None] // np.array([7, 11]) % 23 + 10
    places[:, 9] = _VIN_ALPHABET.index("P") + serials % 3
    places[:, 10] = _VIN_ALPHABET.index("A")
    places[:, 11:17] = _digits(serials, 6)
    check = (_VIN_VALUES[places] * _VIN_WEIGHTS).sum(axis=1) % 11
    places[:, 8] = np.where(check == 10, _VIN_ALPHABET.index("X"), check)
    return _texts(_VIN_ALPHABET, places)


def account_numbers(rng: np.random.Generator, count: int) -> pl.Series:
    """19-digit bank account numbers of a made-up bank, the last digit by the Luhn formula (ISO/IEC 7812)."""
    bodies: Ints = 622_848 * 10**12 + rng.integers(0, 10**12, count)
    digits = _digits(bodies, 18)
    doubled = digits[:, 1::2] * 2
    total = digits[:, 0::2].sum(axis=1) + (doubled // 10 + doubled % 10).sum(axis=1)
    return padded(bodies * 10 + (10 - total % 10) % 10, 19)


def mobiles(rng: np.random.Generator, count: int) -> pl.Series:
    """11-digit mainland mobile numbers."""
    prefixes: Ints = _MOBILE_PREFIXES[rng.integers(0, len(_MOBILE_PREFIXES), count)]
    return padded(prefixes * 10**8 + rng.integers(0, 10**8, count), 11)


def broken_check(number: str) -> str:
    """`number` with another last character: everything before it still reads as it did."""
    return number[:-1] + ("1" if number[-1] != "1" else "2")


def with_wrong_organisation_code(code: str) -> str:
    """A social credit code whose own check holds while the GB 11714 code inside it does not."""
    body = code[:16] + ("1" if code[16] != "1" else "2")
    total = sum(_USCC_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(body))
    return body + _USCC_ALPHABET[(31 - total % 31) % 31]


def _digits(numbers: Ints, width: int) -> Ints:
    return numbers[:, None] // 10 ** np.arange(width - 1, -1, -1, dtype=np.int64) % 10


def _texts(alphabet: str, places: Ints) -> pl.Series:
    """Rows of places in an alphabet as texts."""
    letters: npt.NDArray[np.uint8] = np.frombuffer(alphabet.encode("ascii"), dtype=np.uint8)
    width = places.shape[1]
    if not len(places):
        return pl.Series([], dtype=pl.String)
    return pl.Series(np.ascontiguousarray(letters[places]).view(f"S{width}").ravel().astype(f"U{width}"))
