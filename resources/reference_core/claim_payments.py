"""What is paid on claims, and the planned fees (C) that are paid.

One or two payments per settled claim between registration and closing, advances on open claims; the payments of a claim
are what it says was settled. Their names and documents follow the payee's relation to the insured.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core import names
from resources.reference_core.catalogue import BANK, CURRENCY, LAST_DAY, LINES, VEHICLE_LINES
from resources.reference_core.check_digits import account_numbers
from resources.reference_core.claims import SPLIT_PERCENT
from resources.reference_core.drawing import Ints, dates, days, either, words

_RELATIONS = ("本人", "维修厂", "第三者")


def make_claim_payments(
    rng: np.random.Generator, claims: pl.DataFrame, policies: pl.DataFrame, identities: pl.DataFrame
) -> pl.DataFrame:
    """Payments of kind claim, with the claim's line; `identities` maps customer_id to id_no."""
    paid = claims.filter(pl.col("settled_cents") > 0)
    count, total = paid.height, paid["settled_cents"].to_numpy()
    registered, closed = dates(paid["registered_on"]), dates(paid["closed_on"])
    is_open = np.isnat(closed)
    window = (np.where(is_open, np.datetime64(LAST_DAY), closed) - registered).astype(np.int64)
    is_split = (rng.random(count) < 0.3) & ~is_open & (total > 100)
    first = np.where(is_split, total * SPLIT_PERCENT // 100, total)
    # A settlement in one payment comes with the closing: what is paid before is never more than the estimate.
    first_day = np.where(is_split, window * 2 // 3, window)
    first_day = np.where(is_open, (rng.random(count) * (window + 1)).astype(np.int64), first_day)
    relation = rng.choice(3, count, p=(0.6, 0.3, 0.1))
    is_motor = paid["line"].is_in(VEHICLE_LINES).to_numpy()
    relation[~is_motor & (relation == 1)] = 0
    others = names.person_names(rng, count)

    def part(rows: Ints, seq: int, amount: Ints, offset: Ints) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "claim_no": paid["claim_no"].gather(rows),
                "seq": np.full(len(rows), seq),
                "amount_cents": amount[rows],
                "paid_on": (registered + days(offset))[rows],
                "is_advance": is_open[rows].astype(np.int64),
                "relation": words(_RELATIONS, relation[rows]),
                "other": either(
                    (relation == 1)[rows],
                    "示范汽车维修厂",
                    others.gather(rows),
                ),
            }
        )

    parts = pl.concat(
        [
            part(np.arange(count), 1, first, first_day),
            part(np.flatnonzero(is_split), 2, total - first, window),
        ]
    ).sort("claim_no", "seq")
    joined = (
        parts.join(
            claims.select("claim_no", "org_code", "line", "policy_no"),
            on="claim_no",
            how="left",
            maintain_order="left",
        )
        .join(
            policies.select("policy_no", "insured_name", "insured_id"),
            on="policy_no",
            how="left",
            maintain_order="left",
        )
        .join(identities, left_on="insured_id", right_on="customer_id", how="left", maintain_order="left")
    )
    is_self = pl.col("relation") == "本人"
    coverage = {line.code: line.coverages[0].code for line in LINES}
    serial = pl.concat_str(pl.col("claim_no").str.slice(2), pl.col("seq").cast(pl.String).str.zfill(2))
    return joined.select(
        pl.concat_str(pl.lit("PK"), serial).alias("payment_no"),
        pl.lit("claim").alias("kind"),
        pl.concat_str(pl.lit("YF"), serial).alias("fee_no"),
        "org_code",
        "line",
        "policy_no",
        "claim_no",
        pl.concat_str(pl.lit("JS"), pl.col("claim_no").str.slice(2)).alias("calculation_no"),
        "seq",
        pl.col("line").replace_strict(coverage, return_dtype=pl.String).alias("coverage_code"),
        "amount_cents",
        pl.lit(CURRENCY).alias("currency"),
        pl.when(is_self).then("insured_name").otherwise("other").alias("counterparty_name"),
        pl.when(is_self).then("id_no").alias("counterparty_id_no"),
        account_numbers(rng, joined.height).alias("counterparty_account"),
        pl.lit(BANK).alias("bank"),
        "paid_on",
        pl.lit("转账").alias("method"),
        "relation",
        "is_advance",
    )


def plan_claim_payments(payments: pl.DataFrame) -> pl.DataFrame:
    """The planned fees of claim payments: due when paid."""
    return payments.select(
        "fee_no",
        pl.lit("C").alias("kind"),
        pl.col("claim_no").alias("business_no"),
        "policy_no",
        "org_code",
        "seq",
        pl.col("paid_on").alias("due_on"),
        "amount_cents",
        "currency",
        pl.col("counterparty_name").alias("party_name"),
    )
