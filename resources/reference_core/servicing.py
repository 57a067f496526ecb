"""What happens to policies after signing: endorsements.

The endorsements of a policy chain: the first starts from the premium as signed, each next one from where the last one
ended. The money that follows is in `receipts` and `commissions`, claims are in `claims`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from resources.reference_core.catalogue import LAST_DAY
from resources.reference_core.drawing import Days, Ints, dates, days, later, padded, run_numbers, words
from resources.reference_core.part import Part
from resources.reference_core.underwriting import net_of

_TYPES = ("保费变更", "信息变更", "退保")
_REASONS = ("标的价值调整", "联系方式变更", "标的转让退保")
_PREMIUM, _INFORMATION, _SURRENDER = range(3)


@dataclass(frozen=True)
class _Step:
    """One endorsement of each policy in `rows`, with what the policies were before it."""

    rows: Ints
    kind: Ints
    on: Days
    premium: Ints
    insured: Ints
    change: Ints
    insured_change: Ints


def make_endorsements(rng: np.random.Generator, part: Part, policies: pl.DataFrame) -> pl.DataFrame:
    """About one endorsement to five policies, some policies with two; plus the line and branch for the books.

    Columns of `endorsement`, and `org_code`, `line`, `ends_on` which only the books need.
    """
    starts = np.maximum(dates(policies["starts_on"]), dates(policies["signed_on"]))
    ends = dates(policies["ends_on"])
    premium = policies["premium_cents"].to_numpy()
    insured = policies["sum_insured_cents"].to_numpy()
    last = np.datetime64(LAST_DAY)
    rows = np.flatnonzero((rng.random(policies.height) < 0.18) & (starts < last))
    window = (np.minimum(ends, last)[rows] - starts[rows]).astype(np.int64)
    offset = (rng.random(len(rows)) * (window + 1)).astype(np.int64)
    kind = rng.choice(3, len(rows), p=(0.45, 0.4, 0.15))
    first = _step(rng, rows, kind, later(starts[rows], offset), premium[rows], insured[rows], ends)

    again = np.flatnonzero((rng.random(len(rows)) < 0.25) & (kind != _SURRENDER))
    left = window[again] - offset[again]
    then = later(first.on[again], (rng.random(len(again)) * (left + 1)).astype(np.int64))
    kind = rng.choice(3, len(again), p=(0.5, 0.3, 0.2))
    before = (first.premium + first.change)[again]
    insured_before = (first.insured + first.insured_change)[again]
    second = _step(rng, rows[again], kind, then, before, insured_before, ends)

    both = pl.concat([_frame(rng, policies, first, 1), _frame(rng, policies, second, 2)])
    both = _without_net_refunds(both.sort("policy_no", "seq"), policies)
    branch = (
        both["org_code"]
        .replace_strict({seed.code: n for n, seed in enumerate(part.branches)}, return_dtype=pl.Int64)
        .to_numpy()
    )
    serial = padded(run_numbers(branch) + 1, 7)
    years = both["effective_on"].dt.year().cast(pl.String)
    return both.with_columns(
        ("PD" + both["org_code"] + both["line"] + years + serial).alias("endorsement_no")
    )


def apply_endorsements(policies: pl.DataFrame, endorsements: pl.DataFrame) -> pl.DataFrame:
    """The policies with today's status and number of endorsements; their premium stays as signed."""
    summary = endorsements.group_by("policy_no").agg(
        pl.len().cast(pl.Int64).alias("number"),
        (pl.col("endorsement_type") == "退保").any().alias("surrendered"),
    )
    joined = policies.join(summary, on="policy_no", how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("number").fill_null(0).alias("endorsement_count"),
        pl.when(pl.col("surrendered").fill_null(value=False))
        .then(pl.lit("退保"))
        .otherwise("status")
        .alias("status"),
    ).select(policies.columns)


def _without_net_refunds(endorsements: pl.DataFrame, policies: pl.DataFrame) -> pl.DataFrame:
    """Without those of policies refunded in a month whose refunds, or the commission on them, exceed what was written.

    Small books only: there a single surrender may outweigh a branch's month, and the year to date would fall.
    """
    net, rate = pl.col("net"), pl.col("rate")
    commission = (net * rate // 10_000 - pl.when((net < 0) & (rate > 0)).then(100).otherwise(0)).alias(
        "commission"
    )
    written = policies.select(
        "policy_no",
        "org_code",
        pl.col("signed_on").dt.strftime("%Y%m").alias("month"),
        pl.col("premium_net_cents").alias("net"),
        pl.col("commission_rate_bp").alias("rate"),
    ).with_columns(commission)
    refunds = (
        endorsements.filter(pl.col("premium_net_change_cents") < 0)
        .select(
            "policy_no",
            "org_code",
            pl.col("effective_on").dt.strftime("%Y%m").alias("month"),
            pl.col("premium_net_change_cents").alias("net"),
        )
        .join(written.select("policy_no", "rate"), on="policy_no", how="left")
        .with_columns(commission)
    )
    months = (
        pl.concat([written.select(refunds.columns), refunds])
        .group_by("org_code", "month")
        .agg(pl.col("net", "commission").sum())
        .filter((pl.col("net") < 0) | (pl.col("commission") < 0))
    )
    refunded = refunds.join(months, on=["org_code", "month"], how="semi").select("policy_no")
    return endorsements.join(refunded, on="policy_no", how="anti", maintain_order="left")


def _step(
    rng: np.random.Generator, rows: Ints, kind: Ints, on: Days, premium: Ints, insured: Ints, all_ends: Days
) -> _Step:
    """Change of premium and of sum insured: a few percent up or down, nothing, or the unearned part back."""
    percent = rng.integers(2, 21, len(kind)) * rng.choice(np.array([-1, 1, 1]), len(kind))
    unused = np.clip((all_ends[rows] - on).astype(np.int64), 0, 365)
    refund = -(premium * unused // 366)
    change = np.select([kind == _PREMIUM, kind == _SURRENDER], [premium * percent // 100, refund], 0)
    insured_change = np.select(
        [kind == _PREMIUM, kind == _SURRENDER], [insured * percent // 100, -insured], 0
    )
    return _Step(rows, kind, on, premium, insured, change, insured_change)


def _frame(rng: np.random.Generator, policies: pl.DataFrame, step: _Step, seq: int) -> pl.DataFrame:
    rows, count = step.rows, len(step.rows)
    signed = dates(policies["signed_on"])[rows]
    return pl.DataFrame(
        {
            "policy_no": policies["policy_no"].gather(rows),
            "seq": np.full(count, seq),
            "endorsement_type": words(_TYPES, step.kind),
            "applied_on": np.maximum(signed, step.on - days(rng.integers(0, 6, count))),
            "effective_on": step.on,
            "premium_before_cents": step.premium,
            "premium_after_cents": step.premium + step.change,
            "premium_change_cents": step.change,
            "premium_net_change_cents": net_of(step.change),
            "sum_insured_change_cents": step.insured_change,
            "new_starts_on": pl.Series([None], dtype=pl.Date).new_from_index(0, count),
            "new_ends_on": pl.Series([None], dtype=pl.Date).new_from_index(0, count),
            "reason": words(_REASONS, step.kind),
            "org_code": policies["org_code"].gather(rows),
            "line": policies["line"].gather(rows),
            "ends_on": policies["ends_on"].gather(rows),
        }
    )
