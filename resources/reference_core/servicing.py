"""What happens to policies after signing: endorsements and the money that applicants pay or get back.

The endorsements of a policy chain: the first starts from the premium as signed, each next one from where the last one
ended. Claims are in `claims`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core import names
from resources.reference_core.catalogue import CURRENCY, LAST_DAY
from resources.reference_core.check_digits import Ints
from resources.reference_core.underwriting import net_of

_TYPES = np.array(["保费变更", "信息变更", "退保"], dtype=object)
_REASONS = np.array(["标的价值调整", "联系方式变更", "车辆转让退保"], dtype=object)
_PREMIUM, _INFORMATION, _SURRENDER = range(3)


def make_endorsements(rng: np.random.Generator, policies: pl.DataFrame) -> pl.DataFrame:
    """About one endorsement to five policies, some policies with two; plus the line and branch for the books.

    Columns of `endorsement`, and `org_code`, `line`, `ends_on` which only the books need.
    """
    starts = policies["starts_on"].to_numpy().astype("datetime64[D]")
    ends = policies["ends_on"].to_numpy().astype("datetime64[D]")
    premium = policies["premium_cents"].to_numpy()
    insured = policies["sum_insured_cents"].to_numpy()
    last = np.datetime64(LAST_DAY)
    has_first = (rng.random(policies.height) < 0.18) & (starts < last)
    rows = np.flatnonzero(has_first)
    window = (np.minimum(ends, last)[rows] - starts[rows]).astype(np.int64)
    offset = (rng.random(len(rows)) * (window + 1)).astype(np.int64)
    kind = rng.choice(3, len(rows), p=(0.45, 0.4, 0.15))
    first_on = starts[rows] + offset.astype("timedelta64[D]")
    change, insured_change = _changes(
        rng, kind, premium[rows], insured[rows], first_on, starts[rows], ends[rows]
    )
    first = _frame(policies, rows, 1, kind, first_on, premium[rows], change, insured_change, rng)

    again = np.flatnonzero((rng.random(len(rows)) < 0.25) & (kind != _SURRENDER))
    left = window[again] - offset[again]
    second_on = first_on[again] + (rng.random(len(again)) * (left + 1)).astype(np.int64).astype(
        "timedelta64[D]"
    )
    kind = rng.choice(3, len(again), p=(0.5, 0.3, 0.2))
    before = premium[rows][again] + change[again]
    insured_before = insured[rows][again] + insured_change[again]
    change2, insured_change2 = _changes(
        rng, kind, before, insured_before, second_on, starts[rows][again], ends[rows][again]
    )
    second = _frame(policies, rows[again], 2, kind, second_on, before, change2, insured_change2, rng)
    both = pl.concat([first, second]).sort("policy_no", "seq")
    numbers = [
        f"PD{org}{line}{on.year}{place:07d}"
        for place, (org, line, on) in enumerate(
            both.select("org_code", "line", "effective_on").iter_rows(), start=1
        )
    ]
    return both.with_columns(pl.Series("endorsement_no", numbers, dtype=pl.String))


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


def make_premium_receipts(
    rng: np.random.Generator, policies: pl.DataFrame, endorsements: pl.DataFrame, identities: pl.DataFrame
) -> pl.DataFrame:
    """Receipts of premiums (vehicles: on the day of signing) and of endorsement premiums; refunds are negative.

    `identities` maps customer_id to id_no. What would be paid after the book's last day is still receivable.
    """
    last = np.datetime64(LAST_DAY)
    count = policies.height
    is_vehicle = np.isin(np.array(policies["line"].to_list(), dtype=object), ("JQ", "SY"))
    delay = np.where(is_vehicle, 0, rng.integers(0, 25, count))
    paid = policies["signed_on"].to_numpy().astype("datetime64[D]") + delay.astype("timedelta64[D]")
    overdue = ~is_vehicle & (rng.random(count) < 0.05)
    signed = policies.select(
        "org_code",
        "line",
        "policy_no",
        "applicant_name",
        "applicant_id",
        (pl.col("premium_cents") + pl.col("vehicle_tax_cents")).alias("amount_cents"),
    ).with_columns(pl.lit(1, pl.Int64).alias("seq"), pl.Series("paid_on", paid))
    signed = signed.filter(pl.Series((paid <= last) & ~overdue))

    changed = endorsements.filter(pl.col("premium_change_cents") != 0)
    later = rng.integers(0, 10, changed.height).astype("timedelta64[D]")
    paid = changed["effective_on"].to_numpy().astype("datetime64[D]") + later
    after = (
        changed.select(
            "org_code",
            "line",
            "policy_no",
            pl.col("premium_change_cents").alias("amount_cents"),
            (pl.col("seq") + 1).alias("seq"),
        )
        .with_columns(pl.Series("paid_on", paid))
        .filter(pl.Series(paid <= last))
        .join(
            policies.select("policy_no", "applicant_name", "applicant_id"),
            on="policy_no",
            how="left",
            maintain_order="left",
        )
    )
    both = pl.concat([signed, after.select(signed.columns)]).sort("policy_no", "seq")
    both = both.join(
        identities, left_on="applicant_id", right_on="customer_id", how="left", maintain_order="left"
    )
    return both.select(
        pl.concat_str(pl.lit("SF"), "policy_no", pl.col("seq").cast(pl.String).str.zfill(2)).alias(
            "payment_no"
        ),
        pl.lit("premium").alias("kind"),
        "org_code",
        "line",
        "policy_no",
        pl.lit(None, pl.String).alias("claim_no"),
        pl.lit(None, pl.String).alias("calculation_no"),
        "seq",
        pl.lit(None, pl.String).alias("coverage_code"),
        "amount_cents",
        pl.lit(CURRENCY).alias("currency"),
        pl.col("applicant_name").alias("counterparty_name"),
        pl.col("id_no").alias("counterparty_id_no"),
        pl.Series("counterparty_account", names.account_numbers(rng, both.height).tolist(), dtype=pl.String),
        pl.lit("示范银行").alias("bank"),
        "paid_on",
        pl.lit("转账").alias("method"),
        pl.lit(None, pl.String).alias("relation"),
        pl.lit(0, pl.Int64).alias("is_advance"),
    )


def _changes(
    rng: np.random.Generator,
    kind: Ints,
    premium: Ints,
    insured: Ints,
    on: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
) -> tuple[Ints, Ints]:
    """Change of premium and of sum insured: a few percent up or down, nothing, or the unearned part back."""
    percent = rng.integers(2, 21, len(kind)) * rng.choice(np.array([-1, 1, 1]), len(kind))
    adjusted = premium * percent // 100
    days = (ends - starts).astype(np.int64) + 1
    unused = np.clip((ends - on).astype(np.int64), 0, days)
    refund = -np.minimum(premium, premium * unused // days)
    change = np.select([kind == _PREMIUM, kind == _SURRENDER], [adjusted, refund], 0)
    insured_change = np.select(
        [kind == _PREMIUM, kind == _SURRENDER], [insured * percent // 100, -insured], 0
    )
    return change, insured_change


def _frame(
    policies: pl.DataFrame,
    rows: Ints,
    seq: int,
    kind: Ints,
    on: np.ndarray,
    before: Ints,
    change: Ints,
    insured_change: Ints,
    rng: np.random.Generator,
) -> pl.DataFrame:
    signed = policies["signed_on"].to_numpy().astype("datetime64[D]")[rows]
    applied = np.maximum(signed, on - rng.integers(0, 6, len(rows)).astype("timedelta64[D]"))
    return pl.DataFrame(
        {
            "policy_no": policies["policy_no"].gather(rows),
            "seq": np.full(len(rows), seq),
            "endorsement_type": _TYPES[kind].tolist(),
            "applied_on": applied,
            "effective_on": on.astype("datetime64[D]"),
            "premium_before_cents": before,
            "premium_after_cents": before + change,
            "premium_change_cents": change,
            "premium_net_change_cents": net_of(change),
            "sum_insured_change_cents": insured_change,
            "reason": _REASONS[kind].tolist(),
            "org_code": policies["org_code"].gather(rows),
            "line": policies["line"].gather(rows),
            "ends_on": policies["ends_on"].gather(rows),
        },
        schema_overrides={"endorsement_type": pl.String, "reason": pl.String},
    )
