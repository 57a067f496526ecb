"""What may be said of a branch with few observations: intervals that prove, and estimates drawn towards all branches.

Proportions are k of n; rates are k events in an exposure n. Intervals are score intervals (Wilson; for rates the same idea
for Poisson counts) of 90 %, two-sided. Estimates are the means of conjugate posteriors, their priors matched by moments.
All arithmetic is exact or in decimals of 28 digits, so that every machine says the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Literal

Kind = Literal["proportion", "rate"]
Counted = tuple[int, int]
"""k and n of one branch."""

Z = Decimal("1.6448536269514722")
"""The normal quantile of 95 %: five in a hundred on either side."""

FEWEST_BRANCHES = 3
TRIMMED_FROM = 5
_DIGITS = Context(prec=28)


@dataclass(frozen=True)
class Prior:
    """What is believed of a branch before anything is counted: `mean`, and the observations or exposure that it weighs.

    `source`: frozen by the deployment for the quarter, estimated from all branches, or usual, where too few branches differ.
    """

    mean: Fraction
    strength: Fraction
    source: Literal["frozen", "estimated", "usual"]


@dataclass(frozen=True)
class Weights:
    """Between which bounds a prior's strength is believed, and what it is where nothing can be estimated."""

    least: int
    usual: int
    most: int


def shrunk(k: int, n: int, prior: Prior) -> Fraction:
    """The posterior mean of a proportion or rate: (k + mean·strength) / (n + strength)."""
    return (k + prior.mean * prior.strength) / (n + prior.strength)


def interval(kind: Kind, k: int, n: int) -> tuple[Fraction, Fraction]:
    """The score interval of k in n. Raises ValueError for n = 0, of which nothing can be said."""
    if n <= 0 or k < 0 or (kind == "proportion" and k > n):
        raise ValueError(f"no interval for {k} of {n}")
    with localcontext(_DIGITS):
        # Both ends are the roots of (k - n·x)² = z²·variance; the variance is n·x·(1 - x), or n·x for rates.
        z2 = Z * Z
        under = Decimal(k * (n - k)) / n if kind == "proportion" else Decimal(k)
        whole = n + z2 if kind == "proportion" else Decimal(n)
        spread = Z * (under + z2 / 4).sqrt()
        low, high = (Fraction((k + z2 / 2 + end) / whole) for end in (-spread, spread))
    is_all = kind == "proportion" and k == n
    return (low if k else Fraction(0)), (Fraction(1) if is_all else high)  # what rounding leaves of 0 and 1


def estimate(kind: Kind, counts: Sequence[Counted], weights: Weights) -> Prior | None:
    """The prior that branches tell together; None where nothing was counted.

    The branches with the lowest and the highest value are left out where there are enough: one outlier would make all
    branches look different. Strength is what makes the spread between branches as large as seen, within its bounds.
    """
    counted = sorted(((k, n) for k, n in counts if n), key=lambda each: (Fraction(each[0], each[1]), each[1]))
    if not counted:
        return None
    kept = counted[1:-1] if len(counted) >= TRIMMED_FROM else counted
    total = sum(n for _, n in kept)
    mean = Fraction(sum(k for k, _ in kept), total)
    if len(kept) < FEWEST_BRANCHES:
        return Prior(mean, Fraction(weights.usual), "usual")
    share = [Fraction(n, total) for _, n in kept]
    seen = sum((w * (Fraction(k, n) - mean) ** 2 for w, (k, n) in zip(share, kept, strict=True)), Fraction())
    between = sum((w * (1 - w) for w in share), Fraction())
    by_chance = sum((w * (1 - w) / n for w, (_, n) in zip(share, kept, strict=True)), Fraction())
    strength = _strength(kind, mean, seen, between, by_chance)
    bounded = (
        Fraction(weights.most)
        if strength is None
        else min(max(strength, Fraction(weights.least)), Fraction(weights.most))
    )
    return Prior(mean, bounded, "estimated")


def _strength(
    kind: Kind, mean: Fraction, seen: Fraction, between: Fraction, by_chance: Fraction
) -> Fraction | None:
    """None where branches differ no more than chance makes them.

    Expected of `seen`: for proportions mean·(1 - mean)·(by_chance·(1 - g) + between·g) with strength 1/g - 1; for rates
    mean·by_chance + variance·between with strength mean/variance.
    """
    if kind == "proportion":
        spread = mean * (1 - mean)
        excess = seen - spread * by_chance
        if excess <= 0:
            return None
        g = excess / (spread * (between - by_chance)) if between > by_chance else Fraction(1)
        return 1 / g - 1
    excess = seen - mean * by_chance
    return None if excess <= 0 else mean * between / excess


def median(values: Sequence[int]) -> Fraction:
    """The middle value, or the mean of the two in the middle."""
    ordered, half = sorted(values), len(values) // 2
    return Fraction(ordered[half]) if len(ordered) % 2 else Fraction(ordered[half - 1] + ordered[half], 2)


def p90(values: Sequence[int]) -> int:
    """The smallest value that nine in ten do not exceed: one that was observed."""
    return sorted(values)[-(-len(values) * 9 // 10) - 1]
