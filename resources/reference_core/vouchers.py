"""The books' vouchers: a day's events of one kind and line in one voucher of balanced lines, numbered within branch and month.

Red-ink bookkeeping: a refund is a negative amount on the same side, so the credit side of 6031 *is* the premium income
and the debit side of 6511 *is* what was paid on claims. Month-end vouchers are in `month_ends`, balances in `balances`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from resources.reference_core.catalogue import CURRENCY
from resources.reference_core.drawing import run_numbers

_PREPARERS = ("示范会计甲", "示范会计乙")
_REVIEWER = "示范复核"
PREMIUM, ENDORSEMENT, RECEIPT, CLAIM, EXPENSE, COMMISSION, STATEMENT = range(1, 8)
_HEAD = ("org_code", "booked_on", "rank", "line")


@dataclass(frozen=True)
class Posting:
    """One line of a kind of voucher: account, and which column of the event is debited or credited."""

    account: pl.Expr
    amount: str
    is_debit: bool


def debit(account: str, amount: str, *, by_line: bool = False) -> Posting:
    return Posting(_account(account, by_line), amount, is_debit=True)


def credit(account: str, amount: str, *, by_line: bool = False) -> Posting:
    return Posting(_account(account, by_line), amount, is_debit=False)


def post(events: pl.DataFrame, rank: int, on: str, summary: str, postings: Sequence[Posting]) -> pl.DataFrame:
    """One voucher per branch, day and line for all events of a kind; zero lines are left out.

    `events` has org_code, line, the date column `on`, and the amounts that the postings name.
    """
    amounts = list({posting.amount: None for posting in postings})
    summed = events.group_by("org_code", "line", pl.col(on).cast(pl.Date).alias("booked_on")).agg(
        *(pl.col(amount).sum() for amount in amounts), pl.len().cast(pl.Int64).alias("attachments")
    )
    lines = [
        summed.select(
            *("org_code", "line", "booked_on", "attachments"),
            pl.lit(rank).alias("rank"),
            pl.lit(place).alias("place"),
            posting.account.alias("account_no"),
            pl.col(posting.amount).cast(pl.Int64).alias("amount"),
            pl.lit(posting.is_debit).alias("is_debit"),
            pl.lit(summary).alias("summary"),
        )
        for place, posting in enumerate(postings)
    ]
    return pl.concat(lines).filter(pl.col("amount") != 0)


def book_business(
    policies: pl.DataFrame,
    endorsements: pl.DataFrame,
    payments: pl.DataFrame,
    expenses: pl.DataFrame,
    commissions: pl.DataFrame,
) -> pl.DataFrame:
    """Lines for premiums, endorsements, receipts, claims and their expenses, commission."""
    written = policies.with_columns(
        (pl.col("premium_cents") + pl.col("vehicle_tax_cents")).alias("gross"),
        (pl.col("vat_cents") + pl.col("vehicle_tax_cents")).alias("tax"),
    )
    changed = endorsements.with_columns(
        (pl.col("premium_change_cents") - pl.col("premium_net_change_cents")).alias("tax")
    )
    money = "amount_cents"
    by_kind = {kind: payments.filter(pl.col("kind") == kind) for kind in ("premium", "claim", "commission")}
    return pl.concat(
        [
            post(
                written,
                PREMIUM,
                "signed_on",
                "确认保费收入",
                [
                    debit("1122", "gross"),
                    credit("6031", "premium_net_cents", by_line=True),
                    credit("2221", "tax"),
                ],
            ),
            post(
                changed,
                ENDORSEMENT,
                "effective_on",
                "批改保费",
                [
                    debit("1122", "premium_change_cents"),
                    credit("6031", "premium_net_change_cents", by_line=True),
                    credit("2221", "tax"),
                ],
            ),
            post(
                by_kind["premium"],
                RECEIPT,
                "paid_on",
                "收到保费",
                [debit("1002", money), credit("1122", money)],
            ),
            post(
                by_kind["claim"],
                CLAIM,
                "paid_on",
                "支付赔款",
                [debit("6511", money, by_line=True), credit("1002", money)],
            ),
            post(
                expenses,
                EXPENSE,
                "paid_on",
                "支付直接理赔费用",
                [debit("660102", money), credit("1002", money)],
            ),
            post(
                commissions,
                COMMISSION,
                "accrued_on",
                "计提手续费",
                [debit("6421", "payable_cents", by_line=True), credit("2202", "payable_cents")],
            ),
            post(
                by_kind["commission"],
                STATEMENT,
                "paid_on",
                "支付手续费",
                [debit("2202", money), credit("1002", money)],
            ),
        ]
    )


def number_vouchers(lines: pl.DataFrame) -> pl.DataFrame:
    """Rows of `voucher`, with `rank` and `line`: numbers `YYYYMM-nnnnnn` run in branch and month."""
    ordered = lines.sort(*_HEAD, "place").with_columns(
        pl.col("booked_on").dt.strftime("%Y%m").alias("period"), pl.struct(_HEAD).rle_id().alias("head")
    )
    heads = ordered.group_by("head", maintain_order=True).agg(pl.col("org_code", "period").first())
    month = heads.select(pl.struct("org_code", "period").rle_id().cast(pl.Int64)).to_series().to_numpy()
    heads = heads.select("head", pl.Series("number", run_numbers(month) + 1))
    head = ordered["head"].cast(pl.Int64).to_numpy()
    return (
        ordered.join(heads, on="head", how="left", maintain_order="left")
        .with_columns(
            pl.concat_str("period", pl.lit("-"), pl.col("number").cast(pl.String).str.zfill(6)).alias(
                "voucher_no"
            ),
            pl.Series("line_no", run_numbers(head) + 1),
            pl.lit(CURRENCY).alias("currency"),
            pl.when("is_debit").then("amount").otherwise(0).alias("debit_cents"),
            pl.when("is_debit").then(0).otherwise("amount").alias("credit_cents"),
            pl.when(pl.col("number") % 2 == 0)
            .then(pl.lit(_PREPARERS[0]))
            .otherwise(pl.lit(_PREPARERS[1]))
            .alias("prepared_by"),
            pl.lit(_REVIEWER).alias("reviewed_by"),
        )
        .drop("head", "number", "amount", "is_debit", "place")
    )


def with_vouchers(events: pl.DataFrame, vouchers: pl.DataFrame, on: str, rank: pl.Expr) -> pl.DataFrame:
    """`events` with the number of the voucher that booked each of them on the day in column `on`."""
    numbers = vouchers.select(*_HEAD, "voucher_no").unique()
    return (
        events.with_columns(rank.cast(pl.Int32).alias("rank"), pl.col(on).alias("booked_on"))
        .join(numbers, on=_HEAD, how="left", maintain_order="left")
        .drop("rank", "booked_on")
    )


def _account(number: str, by_line: bool) -> pl.Expr:
    return pl.concat_str(pl.lit(number), "line") if by_line else pl.lit(number)
