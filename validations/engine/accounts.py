"""What the parts of a figure come to, exactly: sums in whole decimals, ratios as fractions rounded once.

Nothing is read here; `explaining` brings figures and parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction

_EXACT = Context(prec=120, traps=[Inexact, InvalidOperation])
"""Two decimals of 38 digits, multiplied and added up: what would be rounded raises instead."""


@dataclass(frozen=True)
class Account:
    """What parts come to. `rounded_by`: by how much a ratio was rounded to get there, zero for a sum."""

    total: Decimal
    rounded_by: Fraction = Fraction(0)


def product(weight: Decimal, value: Decimal | None) -> Decimal:
    """What a part contributes; an empty one nothing."""
    return _EXACT.multiply(weight, value) if value is not None else Decimal(0)


def added(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    total = Decimal(0)
    for amount in amounts:
        total = _EXACT.add(total, amount)
    return total


def less(figure: Decimal, total: Decimal) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(figure, total)


def sum_of(amounts: Iterable[Decimal], *, scale: int) -> Account:
    """The account of a figure that is the sum of its parts, with at least `scale` digits after the point."""
    return Account(added((Decimal(0).scaleb(-scale), *amounts)))


def ratio_of(numerator: Decimal, denominator: Decimal, *, times: int, scale: int) -> Account | None:
    """`times` × numerator ÷ denominator, half away from zero at `scale` digits; None where nothing can be divided by."""
    if denominator == 0:
        return None
    exact = times * Fraction(numerator) / Fraction(denominator)
    unit = 10**scale
    shifted = abs(exact) * unit
    whole = (2 * shifted.numerator + shifted.denominator) // (2 * shifted.denominator)
    total = Decimal(whole if exact >= 0 else -whole).scaleb(-scale, _EXACT)
    return Account(total, Fraction(total) - exact)
