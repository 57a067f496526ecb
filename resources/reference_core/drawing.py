"""Columns from draws: words by their place in a vocabulary, numbers with leading zeros, skewed amounts, running numbers.

All of it vectorised and in whole numbers: the same draws give the same column on every machine, which the floating-point
exponentials of numpy do not promise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]
NEVER = np.datetime64("NaT", "D")


def words(vocabulary: Sequence[str | None], places: Ints) -> pl.Series:
    """`vocabulary[place]` for each place."""
    return pl.Series(vocabulary, dtype=pl.String).gather(pl.Series(places, dtype=pl.Int64))


def chosen(rng: np.random.Generator, vocabulary: Sequence[str], count: int) -> pl.Series:
    """`count` words drawn evenly."""
    return words(vocabulary, rng.integers(0, len(vocabulary), count))


def either(condition: Bools | np.bool_, yes: pl.Series | str | None, no: pl.Series | str | None) -> pl.Series:
    """Text by a condition."""
    frame = pl.DataFrame({"is": condition}).with_columns(
        *(_column(name, value) for name, value in (("yes", yes), ("no", no)))
    )
    return frame.select(pl.when("is").then("yes").otherwise("no").alias("text")).to_series()


def padded(numbers: Ints, width: int) -> pl.Series:
    """Numbers as text with leading zeros."""
    return pl.Series(numbers, dtype=pl.Int64).cast(pl.String).str.zfill(width)


def days(numbers: Ints) -> npt.NDArray[np.timedelta64]:
    return numbers.astype("timedelta64[D]")


def later(day: Days, by: Ints) -> Days:
    """Each day so many days later."""
    moved: Days = day + days(by)  # pyright: ignore[reportAssignmentType]
    return moved


def dates(column: pl.Series) -> Days:
    """A date column as numpy days; NULL becomes NaT."""
    return column.cast(pl.Date).to_numpy().astype("datetime64[D]")


def spread(count: int, places: int, rng: np.random.Generator) -> Ints:
    return rng.integers(0, places, count) if places else np.zeros(count, dtype=np.int64)


def skewed_permille(rng: np.random.Generator, count: int, *, low: int, middle: int, high: int) -> Ints:
    """Factors in thousandths from `low` on, half of them below about low + middle/2, few reaching low + middle + high."""
    draw: Ints = rng.integers(0, 1_000, count)
    tail = draw * draw // 1_000
    tail = tail * tail // 1_000
    tail = tail * tail // 1_000  # the eighth power
    return low + middle * draw // 1_000 + high * tail // 1_000


def run_numbers(groups: Ints) -> Ints:
    """0, 1, 2 … within each run of equal values; the groups must be sorted."""
    starts = np.searchsorted(groups, groups, side="left")
    return np.arange(len(groups)) - starts


def _column(name: str, value: pl.Series | str | None) -> pl.Series | pl.Expr:
    return value.alias(name) if isinstance(value, pl.Series) else pl.lit(value, pl.String).alias(name)
