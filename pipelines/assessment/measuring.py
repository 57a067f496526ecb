"""From lists of keys to numbers: what a branch scored in each metric of a month, and how sure one may be of it.

Which keys there are is not decided here; numbers are exact, and written down with four decimals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Literal

import polars as pl

from pipelines.assessment.answering import NOT_DUE, NOT_RETURNED
from pipelines.assessment.metric import Metric
from pipelines.assessment.small_numbers import Prior, estimate, interval, median, p90, shrunk
from resources.deployment import FrozenPrior

Status = Literal["measured", "insufficient", "not_applicable", "not_delivered", "failed"]
"""`insufficient`: fewer than the metric's least, shown and not judged. `not_applicable`: nothing happened that could be
measured. `not_delivered`: the branch gave none of what it owed. `failed`: it could not be computed."""

_HOUR = 3600
_PLACES = Decimal("0.0001")


@dataclass(frozen=True)
class Measured:
    """One metric of one branch in one month.

    `raw` is k/n, per 10,000 for rates, the 90th percentile in working hours for durations with `median` beside it. `shrunk` is
    drawn towards all branches, `low` and `high` are the interval of 90 %; both for proportions and rates only. `excluded` counts
    what was left out, by reason. `is_flagged`: proven worse than the threshold, not by bad luck.
    """

    metric: str
    branch: str
    status: Status
    k: int = 0
    n: int = 0
    raw: Decimal | None = None
    shrunk: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    median: Decimal | None = None
    excluded: Mapping[str, int] | None = None
    is_flagged: bool = False


def four_places(value: Fraction | int) -> Decimal:
    """The value with four decimals, halves to the even digit; from the exact fraction, so that nothing is rounded twice."""
    exact = Fraction(value) * 10_000
    return Decimal(round(exact)).scaleb(-4).quantize(_PLACES, ROUND_HALF_EVEN)


def prior_of(
    metric: Metric, frozen: FrozenPrior | None, month_keys: pl.DataFrame, branches: Collection[str]
) -> Prior | None:
    """What all branches tell of a proportion or a rate; None for other metrics, and where nothing was counted."""
    if metric.kind not in ("proportion", "rate"):
        return None
    if frozen is not None:
        return Prior(Fraction(frozen.mean) / metric.scale, Fraction(frozen.strength), "frozen")
    return estimate(metric.kind, list(_counted(metric, month_keys, branches).values()), metric.weights)


def measure(
    metric: Metric, branch: str, rows: pl.DataFrame, prior: Prior | None, *, has_failed: bool
) -> Measured:
    """The number of one branch from its `rows` of keys; `has_failed` where some of them could not be computed."""
    left_out = rows.filter(pl.col("role") == "excluded").group_by("reason").len("count").sort("reason")
    excluded = {str(reason): int(count) for reason, count in left_out.iter_rows()}
    if has_failed:
        return Measured(metric.id, branch, "failed", excluded=excluded)
    counted = rows.filter(pl.col("role") == "den")
    k, n = _sum(rows.filter(pl.col("role") == "num")), _count(metric, counted)
    status = _status(metric, n, counted, excluded)
    if n == 0:
        return Measured(metric.id, branch, status, k, n, excluded=excluded)
    if metric.kind == "duration":
        seconds = counted["value"].to_list()
        worst = four_places(Fraction(p90(seconds), _HOUR))
        middle = four_places(median(seconds) / _HOUR)
        is_flagged = status == "measured" and metric.threshold is not None and worst > metric.threshold
        return Measured(
            metric.id, branch, status, n, n, worst, median=middle, excluded=excluded, is_flagged=is_flagged
        )
    raw = four_places(Fraction(k, n) * metric.scale)
    if metric.kind == "mean":
        is_flagged = status == "measured" and metric.threshold is not None and raw > metric.threshold
        return Measured(metric.id, branch, status, k, n, raw, excluded=excluded, is_flagged=is_flagged)
    low, high = (end * metric.scale for end in interval(metric.kind, k, n))
    return Measured(
        metric.id,
        branch,
        status,
        k,
        n,
        raw,
        four_places(shrunk(k, n, prior) * metric.scale) if prior else None,
        four_places(low),
        four_places(high),
        excluded=excluded,
        is_flagged=status == "measured" and _is_proven(metric, low, high),
    )


def _status(metric: Metric, n: int, counted: pl.DataFrame, excluded: Mapping[str, int]) -> Status:
    if n >= metric.least:
        return "measured"
    if n or counted.height or NOT_DUE in excluded:
        return "insufficient"
    return "not_delivered" if NOT_RETURNED in excluded else "not_applicable"


def _is_proven(metric: Metric, low: Fraction, high: Fraction) -> bool:
    if metric.threshold is None:
        return False
    limit = Fraction(metric.threshold)
    return high < limit if metric.better == "more" else low > limit


def _counted(metric: Metric, rows: pl.DataFrame, branches: Collection[str]) -> dict[str, tuple[int, int]]:
    """k and n of each of these branches over all rows."""
    sums = (
        rows.filter((pl.col("metric") == metric.id) & pl.col("branch").is_in(list(branches)))
        .group_by("branch")
        .agg(*(pl.col("value").filter(pl.col("role") == role).sum().alias(role) for role in ("num", "den")))
        .sort("branch")
    )
    return {branch: (int(k), int(n)) for branch, k, n in sums.select("branch", "num", "den").iter_rows()}


def _count(metric: Metric, counted: pl.DataFrame) -> int:
    """A duration counts its cases: there the values are seconds."""
    return counted.height if metric.kind == "duration" else _sum(counted)


def _sum(rows: pl.DataFrame) -> int:
    return int(rows["value"].sum())
