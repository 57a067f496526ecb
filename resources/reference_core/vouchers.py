"""The books' vouchers: every event of the business as balanced lines, numbered within branch and month.

Red-ink bookkeeping: a refund is a negative amount on the same side, so the credit side of 6031 *is* the premium income
and the debit side of 6511 *is* what was paid on claims. Balances per month are in `balances`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

_PREPARERS = ("示范会计甲", "示范会计乙")
_REVIEWER = "示范复核"


@dataclass(frozen=True)
class Posting:
    """One line of a kind of voucher: account, and which column of the event is debited or credited."""

    account: pl.Expr
    amount: pl.Expr
    is_debit: bool


def post(
    events: pl.DataFrame, rank: int, source: str, on: str, summary: str, postings: Sequence[Posting]
) -> pl.DataFrame:
    """The lines of one voucher per event; zero lines are left out."""
    lines = [
        events.select(
            "org_code",
            pl.lit(rank).alias("rank"),
            pl.col(source).alias("source"),
            pl.col(on).cast(pl.Date).alias("booked_on"),
            pl.lit(place).alias("place"),
            posting.account.alias("account_no"),
            (posting.amount if posting.is_debit else pl.lit(0)).cast(pl.Int64).alias("debit_cents"),
            (pl.lit(0) if posting.is_debit else posting.amount).cast(pl.Int64).alias("credit_cents"),
            pl.lit(summary).alias("summary"),
        )
        for place, posting in enumerate(postings)
    ]
    return pl.concat(lines).filter((pl.col("debit_cents") != 0) | (pl.col("credit_cents") != 0))


def book_business(policies: pl.DataFrame, endorsements: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """Lines for premiums, commission, endorsements, receipts and claim payments."""
    income = pl.concat_str(pl.lit("6031"), "line")
    paid = pl.concat_str(pl.lit("6511"), "line")
    money = pl.col("amount_cents")
    commission = pl.col("premium_net_cents") * pl.col("commission_rate_bp") // 10_000
    return pl.concat(
        [
            post(
                policies,
                1,
                "policy_no",
                "signed_on",
                "确认保费收入",
                [
                    Posting(pl.lit("1122"), pl.col("premium_cents") + pl.col("vehicle_tax_cents"), True),
                    Posting(income, pl.col("premium_net_cents"), False),
                    Posting(pl.lit("2221"), pl.col("vat_cents") + pl.col("vehicle_tax_cents"), False),
                    Posting(pl.lit("6421"), commission, True),
                    Posting(pl.lit("2202"), commission, False),
                ],
            ),
            post(
                endorsements,
                2,
                "endorsement_no",
                "effective_on",
                "批改保费",
                [
                    Posting(pl.lit("1122"), pl.col("premium_change_cents"), True),
                    Posting(income, pl.col("premium_net_change_cents"), False),
                    Posting(
                        pl.lit("2221"),
                        pl.col("premium_change_cents") - pl.col("premium_net_change_cents"),
                        False,
                    ),
                ],
            ),
            post(
                payments.filter(pl.col("kind") == "premium"),
                3,
                "payment_no",
                "paid_on",
                "收到保费",
                [
                    Posting(pl.lit("1002"), money, True),
                    Posting(pl.lit("1122"), money, False),
                ],
            ),
            post(
                payments.filter(pl.col("kind") == "claim"),
                4,
                "payment_no",
                "paid_on",
                "支付赔款",
                [
                    Posting(paid, money, True),
                    Posting(pl.lit("1002"), money, False),
                ],
            ),
        ]
    )


def number_vouchers(lines: pl.DataFrame) -> pl.DataFrame:
    """Lines with voucher_no `YYYYMM-nnnnnn` (running in branch and month), line_no, preparer and reviewer."""
    period = pl.col("booked_on").dt.strftime("%Y%m")
    heads = (
        lines.select("org_code", "booked_on", "rank", "source")
        .unique()
        .sort("org_code", "booked_on", "rank", "source")
        .with_columns(period.alias("period"))
        .with_columns(pl.int_range(1, pl.len() + 1).over("org_code", "period").alias("number"))
        .with_columns(
            pl.concat_str("period", pl.lit("-"), pl.col("number").cast(pl.String).str.zfill(6)).alias(
                "voucher_no"
            ),
            pl.when(pl.col("number") % 2 == 0)
            .then(pl.lit(_PREPARERS[0]))
            .otherwise(pl.lit(_PREPARERS[1]))
            .alias("prepared_by"),
            pl.lit(_REVIEWER).alias("reviewed_by"),
        )
    )
    return (
        lines.join(heads, on=["org_code", "booked_on", "rank", "source"], how="left")
        .sort("org_code", "voucher_no", "place")
        .with_columns(pl.int_range(1, pl.len() + 1).over("org_code", "voucher_no").alias("line_no"))
    )


def voucher_numbers(numbered: pl.DataFrame) -> pl.DataFrame:
    """payment_no → voucher_no."""
    return (
        numbered.filter(pl.col("rank").is_in([3, 4]))
        .select(pl.col("source").alias("payment_no"), "voucher_no")
        .unique()
    )
