"""Month-end vouchers (reserves, expenses, commission paid) and the monthly balances of every leaf account.

The balances are summed from the vouchers, so that vouchers, general ledger and business agree by construction. Income
and expense accounts run on without a year-end closing entry: a flow is the sum of the months' movements.
"""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Sequence
from datetime import date

import polars as pl

from resources.reference_core.catalogue import CURRENCY, LEAF_ACCOUNTS, PERIODS, SUMMARY_ACCOUNTS
from resources.reference_core.vouchers import Posting, post

_OPENING_CAPITAL_CENTS = 2_000_000_000_00
_EXPENSE_PERCENT = 12
_SURCHARGE_PERCENT = 12


def month_end(period: str) -> date:
    year, month = int(period[:4]), int(period[4:])
    return date(year, month, calendar.monthrange(year, month)[1])


def book_month_ends(policies: pl.DataFrame, endorsements: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """Lines of one voucher per branch, month and purpose."""
    spread = pl.concat([_unearned(policies, endorsements), _outstanding(claims)])
    unearned = spread.filter(pl.col("what") == "unearned")
    outstanding = spread.filter(pl.col("what") == "outstanding")
    expenses, commission = _expenses(policies, claims), _commission(policies)
    amount = pl.col("amount_cents")
    return pl.concat(
        [
            post(
                unearned,
                5,
                "period",
                "booked_on",
                "提取未到期责任准备金",
                [
                    Posting(pl.lit("6501"), amount, True),
                    Posting(pl.lit("2601"), amount, False),
                ],
            ),
            post(
                outstanding,
                6,
                "period",
                "booked_on",
                "提取未决赔款准备金",
                [
                    Posting(pl.lit("6502"), amount, True),
                    Posting(pl.lit("2602"), amount, False),
                ],
            ),
            post(
                expenses,
                7,
                "period",
                "booked_on",
                "支付费用与税金附加",
                [
                    Posting(pl.lit("6601"), amount, True),
                    Posting(pl.lit("1002"), amount, False),
                    Posting(pl.lit("6403"), pl.col("surcharge_cents"), True),
                    Posting(pl.lit("2221"), pl.col("surcharge_cents"), False),
                ],
            ),
            post(
                commission,
                8,
                "period",
                "booked_on",
                "支付上月手续费",
                [
                    Posting(pl.lit("2202"), amount, True),
                    Posting(pl.lit("1002"), amount, False),
                ],
            ),
        ]
    )


def make_balances(lines: pl.DataFrame, branches: Sequence[str]) -> pl.DataFrame:
    """Every branch × leaf account × month of the book, zero movements too; closing = next opening."""
    accounts = pl.DataFrame(
        {"account_no": [a.number for a in LEAF_ACCOUNTS], "direction": [a.direction for a in LEAF_ACCOUNTS]}
    )
    frame = (
        pl.DataFrame({"org_code": list(branches)})
        .join(accounts, how="cross")
        .join(pl.DataFrame({"period": list(PERIODS)}), how="cross")
    )
    moved = lines.group_by(
        "org_code", "account_no", pl.col("booked_on").dt.strftime("%Y%m").alias("period")
    ).agg(pl.col("debit_cents").sum(), pl.col("credit_cents").sum())
    keys = ["org_code", "account_no", "period"]
    frame = (
        frame.join(moved, on=keys, how="left")
        .with_columns(pl.col("debit_cents").fill_null(0), pl.col("credit_cents").fill_null(0))
        .sort(keys)
    )
    is_debit = pl.col("direction") == "借"
    movement = (
        pl.when(is_debit)
        .then(pl.col("debit_cents") - pl.col("credit_cents"))
        .otherwise(pl.col("credit_cents") - pl.col("debit_cents"))
    )
    capital = pl.when(pl.col("account_no").is_in(["1002", "4001"])).then(_OPENING_CAPITAL_CENTS).otherwise(0)
    frame = frame.with_columns(movement.alias("movement"))
    frame = frame.with_columns(
        (capital + pl.col("movement").cum_sum().over("org_code", "account_no")).alias("closing")
    )
    frame = frame.with_columns((pl.col("closing") - pl.col("movement")).alias("opening"))

    def side(amount: str, *, debit: bool) -> pl.Expr:
        return pl.when(is_debit if debit else ~is_debit).then(amount).otherwise(0).cast(pl.Int64)

    return frame.select(
        *keys,
        pl.lit(CURRENCY).alias("currency"),
        side("opening", debit=True).alias("opening_debit_cents"),
        side("opening", debit=False).alias("opening_credit_cents"),
        "debit_cents",
        "credit_cents",
        side("closing", debit=True).alias("closing_debit_cents"),
        side("closing", debit=False).alias("closing_credit_cents"),
    )


def make_accounts() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "account_no": a.number,
                "name": a.name,
                "level": 1 if a.parent is None else 2,
                "parent_no": a.parent,
                "direction": a.direction,
            }
            for a in sorted((*SUMMARY_ACCOUNTS, *LEAF_ACCOUNTS), key=lambda account: account.number)
        ],
        schema_overrides={"parent_no": pl.String},
    )


def _unearned(policies: pl.DataFrame, endorsements: pl.DataFrame) -> pl.DataFrame:
    """Change of the unearned premium per branch and month, pro rata by days, whole cents rounded down."""
    written = pl.concat(
        [
            policies.select(
                "org_code",
                pl.col("signed_on").alias("from"),
                pl.col("starts_on").alias("starts"),
                pl.col("ends_on").alias("ends"),
                pl.col("premium_net_cents").alias("net"),
            ),
            endorsements.select(
                "org_code",
                pl.col("effective_on").alias("from"),
                pl.col("effective_on").alias("starts"),
                pl.col("ends_on").alias("ends"),
                pl.col("premium_net_change_cents").alias("net"),
            ),
        ]
    )
    totals: list[pl.DataFrame] = []
    days = (pl.col("ends") - pl.col("starts")).dt.total_days() + 1
    for period in PERIODS:
        end = pl.lit(month_end(period))
        left = (pl.col("ends") - end).dt.total_days().clip(0, days)
        totals.append(
            written.filter(pl.col("from") <= end)
            .group_by("org_code")
            .agg((pl.col("net") * left // days).sum().alias("total"))
            .with_columns(pl.lit(period).alias("period"))
        )
    return _monthly_changes(pl.concat(totals), "unearned")


def _outstanding(claims: pl.DataFrame) -> pl.DataFrame:
    """Change of the outstanding claims per branch and month; after the last month it is the claims' reserve."""
    known = claims.filter(pl.col("registered_on").is_not_null())
    totals: list[pl.DataFrame] = []
    for period in PERIODS:
        end = pl.lit(month_end(period))
        is_last = period == PERIODS[-1]
        totals.append(
            known.filter(
                (pl.col("registered_on") <= end)
                & (pl.col("closed_on").is_null() | (pl.col("closed_on") > end))
            )
            .group_by("org_code")
            .agg(pl.col("reserve_cents" if is_last else "estimate_cents").sum().alias("total"))
            .with_columns(pl.lit(period).alias("period"))
        )
    return _monthly_changes(pl.concat(totals), "outstanding")


def _monthly_changes(totals: pl.DataFrame, what: str) -> pl.DataFrame:
    grid = totals.select("org_code").unique().join(pl.DataFrame({"period": list(PERIODS)}), how="cross")
    full = (
        grid.join(totals, on=["org_code", "period"], how="left")
        .with_columns(pl.col("total").fill_null(0))
        .sort("org_code", "period")
    )
    change = pl.col("total") - pl.col("total").shift(1, fill_value=0).over("org_code")
    return full.select(
        "org_code", "period", _end_of("period"), change.alias("amount_cents"), pl.lit(what).alias("what")
    )


def _end_of(column: str) -> pl.Expr:
    ends = {period: month_end(period) for period in PERIODS}
    return pl.col(column).replace_strict(ends, return_dtype=pl.Date).alias("booked_on")


def _expenses(policies: pl.DataFrame, claims: pl.DataFrame) -> pl.DataFrame:
    """Administration as a share of the month's premium, with the claims' expenses; surcharges on the VAT."""
    month = pl.col("signed_on").dt.strftime("%Y%m").alias("period")
    written = policies.group_by("org_code", month).agg(
        (pl.col("premium_net_cents").sum() * _EXPENSE_PERCENT // 100).alias("amount_cents"),
        (pl.col("vat_cents").sum() * _SURCHARGE_PERCENT // 100).alias("surcharge_cents"),
    )
    closed = (
        claims.filter(pl.col("closed_on").is_not_null())
        .group_by("org_code", pl.col("closed_on").dt.strftime("%Y%m").alias("period"))
        .agg(
            pl.col("expense_cents").sum().alias("amount_cents"), pl.lit(0, pl.Int64).alias("surcharge_cents")
        )
    )
    both = (
        pl.concat([written, closed], how="vertical_relaxed")
        .group_by("org_code", "period")
        .agg(pl.col("amount_cents").sum(), pl.col("surcharge_cents").sum())
    )
    return both.sort("org_code", "period").with_columns(_end_of("period"))


def _commission(policies: pl.DataFrame) -> pl.DataFrame:
    """What was owed to intermediaries in one month is paid in the next."""
    following = dict(itertools.pairwise(PERIODS))
    owed = pl.col("premium_net_cents") * pl.col("commission_rate_bp") // 10_000
    paid = policies.group_by("org_code", pl.col("signed_on").dt.strftime("%Y%m").alias("period")).agg(
        owed.sum().alias("amount_cents")
    )
    return (
        paid.filter(pl.col("period") != PERIODS[-1])
        .with_columns(pl.col("period").replace_strict(following, return_dtype=pl.String))
        .sort("org_code", "period")
        .with_columns(_end_of("period"))
    )
