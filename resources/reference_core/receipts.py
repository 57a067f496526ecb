"""Premiums: what applicants owe, in how many instalments, and what they have paid by the book's last day.

Motor premiums are received on the day of signing (见费出单); others within weeks, some not at all. A planned fee is paid
in full by one payment or not yet. Refunds are negative. Claims and commission are paid elsewhere.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core.catalogue import BANK, CURRENCY, LAST_DAY, VEHICLE_LINES
from resources.reference_core.check_digits import account_numbers
from resources.reference_core.drawing import dates, days

_EVERY_DAYS = 90


def make_instalments(policies: pl.DataFrame) -> pl.DataFrame:
    """The plan of policies that pay in instalments: every 90 days from signing, the first takes the odd cents."""
    chosen = policies.filter(pl.col("payment_mode") == "分期")
    row = np.repeat(np.arange(chosen.height), chosen["instalments"].to_numpy())
    seq = np.arange(len(row)) - np.searchsorted(row, row, side="left")
    number = chosen["instalments"].to_numpy()[row]
    premium = chosen["premium_cents"].to_numpy()[row]
    share = premium // number
    return pl.DataFrame(
        {
            "policy_no": chosen["policy_no"].gather(row),
            "seq": seq + 1,
            "due_on": dates(chosen["signed_on"])[row] + days(seq * _EVERY_DAYS),
            "amount_cents": np.where(seq == 0, premium - share * (number - 1), share),
        }
    )


def plan_premiums(
    policies: pl.DataFrame, endorsements: pl.DataFrame, instalments: pl.DataFrame
) -> pl.DataFrame:
    """Planned fees P (with the vehicle tax) and E, with `line` and `applicant_id` for the other rooms."""
    of_policy = policies.select("policy_no", "org_code", "line", "applicant_name", "applicant_id")
    at_once = policies.filter(pl.col("payment_mode") != "分期").select(
        "policy_no",
        pl.lit(1, pl.Int64).alias("seq"),
        pl.col("signed_on").alias("due_on"),
        (pl.col("premium_cents") + pl.col("vehicle_tax_cents")).alias("amount_cents"),
    )
    premiums = pl.concat([at_once, instalments]).with_columns(
        pl.lit("P").alias("kind"),
        pl.col("policy_no").alias("business_no"),
        pl.concat_str("policy_no", pl.col("seq").cast(pl.String).str.zfill(2)).alias("serial"),
    )
    changes = endorsements.filter(pl.col("premium_change_cents") != 0).select(
        "policy_no",
        pl.lit(1, pl.Int64).alias("seq"),
        pl.col("effective_on").alias("due_on"),
        pl.col("premium_change_cents").alias("amount_cents"),
        pl.lit("E").alias("kind"),
        pl.col("endorsement_no").alias("business_no"),
        pl.col("endorsement_no").alias("serial"),
    )
    return (
        pl.concat([premiums, changes])
        .join(of_policy, on="policy_no", how="left", maintain_order="left")
        .sort("policy_no", "kind", "business_no", "seq")
        .with_columns(
            pl.concat_str(pl.lit("YS"), "serial").alias("fee_no"),
            pl.lit(CURRENCY).alias("currency"),
            pl.col("applicant_name").alias("party_name"),
        )
    )


def receive_premiums(rng: np.random.Generator, fees: pl.DataFrame, identities: pl.DataFrame) -> pl.DataFrame:
    """Payments of kind premium; `identities` maps customer_id to id_no. Later ones are still receivable."""
    count, last = fees.height, np.datetime64(LAST_DAY)
    is_premium = (fees["kind"] == "P").to_numpy()
    is_motor = fees["line"].is_in(VEHICLE_LINES).to_numpy()
    delay = np.where(is_premium, rng.integers(0, 25, count), rng.integers(0, 10, count))
    paid = dates(fees["due_on"]) + days(np.where(is_premium & is_motor, 0, delay))
    is_overdue = is_premium & ~is_motor & (rng.random(count) < 0.05)
    received = fees.with_columns(pl.Series("paid_on", paid)).filter(pl.Series((paid <= last) & ~is_overdue))
    received = received.join(
        identities, left_on="applicant_id", right_on="customer_id", how="left", maintain_order="left"
    )
    return received.select(
        pl.concat_str(pl.lit("SF"), "serial").alias("payment_no"),
        pl.lit("premium").alias("kind"),
        "fee_no",
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
        account_numbers(rng, received.height).alias("counterparty_account"),
        pl.lit(BANK).alias("bank"),
        "paid_on",
        pl.lit("转账").alias("method"),
        pl.lit(None, pl.String).alias("relation"),
        pl.lit(0, pl.Int64).alias("is_advance"),
    )
