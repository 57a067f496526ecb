"""Month-end vouchers: reserves and the reinsurers' share of them, expenses and taxes, the bills of reinsurance.

Unearned premium is pro rata by days; outstanding claims are what claims themselves say, incurred-but-not-reported and the
expenses of settling are flat shares of them. Whole cents, rounded down.
"""

from __future__ import annotations

import calendar
from datetime import date

import polars as pl

from resources.reference_core.catalogue import LINES, PERIODS
from resources.reference_core.vouchers import credit, debit, post

_EXPENSE_PERCENT = 12
_SURCHARGE_PERCENT = 12
_IBNR_PERCENT = 20
_SETTLING_PERCENT = 3
_RANK_UNEARNED, _RANK_OUTSTANDING, _RANK_CEDED, _RANK_EXPENSES, _RANK_BILLS = range(8, 13)
_KEYS = ("org_code", "line", "period")


def month_end(period: str) -> date:
    year, month = int(period[:4]), int(period[4:])
    return date(year, month, calendar.monthrange(year, month)[1])


def book_month_ends(
    policies: pl.DataFrame,
    endorsements: pl.DataFrame,
    claims: pl.DataFrame,
    payments: pl.DataFrame,
    bills: pl.DataFrame,
) -> pl.DataFrame:
    """Lines of one voucher per branch, month, purpose and line of business."""
    unearned = _monthly_changes(_unearned(policies, endorsements), ["unearned"])
    outstanding = _monthly_changes(
        _outstanding(claims, payments), ["reported", "ibnr", "settling", "ceded"]
    ).with_columns((pl.col("reported") + pl.col("ibnr") + pl.col("settling")).alias("all"))
    expenses = _expenses(policies)
    return pl.concat(
        [
            post(
                unearned,
                _RANK_UNEARNED,
                "booked_on",
                "提取未到期责任准备金",
                [debit("6501", "unearned", by_line=True), credit("2601", "unearned", by_line=True)],
            ),
            post(
                outstanding,
                _RANK_OUTSTANDING,
                "booked_on",
                "提取未决赔款准备金",
                [
                    debit("6502", "all", by_line=True),
                    credit("260201", "reported", by_line=True),
                    credit("260202", "ibnr", by_line=True),
                    credit("260203", "settling", by_line=True),
                ],
            ),
            post(
                outstanding.filter(pl.col("ceded") != 0),
                _RANK_CEDED,
                "booked_on",
                "摊回未决赔款准备金",
                [debit("1212", "ceded"), credit("6201", "ceded")],
            ),
            post(
                expenses,
                _RANK_EXPENSES,
                "booked_on",
                "支付费用与税金附加",
                [
                    debit("660101", "expense"),
                    credit("1002", "expense"),
                    debit("6403", "surcharge"),
                    credit("2221", "surcharge"),
                ],
            ),
            post(
                bills,
                _RANK_BILLS,
                "billed_on",
                "分保账单入账",
                [
                    debit("6541", "premium_cents"),
                    credit("6203", "commission_cents"),
                    credit("6202", "recovered_cents"),
                    credit("2261", "balance_cents"),
                ],
            ),
        ]
    )


def bill_rank() -> int:
    return _RANK_BILLS


def _unearned(policies: pl.DataFrame, endorsements: pl.DataFrame) -> pl.DataFrame:
    """The unearned premium per branch, line and month."""
    written = pl.concat(
        [
            policies.select(
                "org_code",
                "line",
                pl.col("signed_on").alias("from"),
                pl.col("starts_on").alias("starts"),
                pl.col("ends_on").alias("ends"),
                pl.col("premium_net_cents").alias("net"),
            ),
            endorsements.select(
                "org_code",
                "line",
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
            .group_by("org_code", "line")
            .agg((pl.col("net") * left // days).sum().alias("unearned"))
            .with_columns(pl.lit(period).alias("period"))
        )
    return pl.concat(totals)


def _outstanding(claims: pl.DataFrame, payments: pl.DataFrame) -> pl.DataFrame:
    """Outstanding claims per branch, line and month: estimates of registered, open claims less what was paid on them."""
    known = claims.filter(pl.col("registered_on").is_not_null()).select(
        "claim_no", "org_code", "line", "registered_on", "closed_on", "estimate_cents"
    )
    paid = (
        payments.filter(pl.col("kind") == "claim")
        .select("claim_no", "amount_cents", "paid_on")
        .join(known.select("claim_no", "org_code", "line", "closed_on"), on="claim_no")
    )
    totals: list[pl.DataFrame] = []
    for period in PERIODS:
        end = pl.lit(month_end(period))
        is_open = pl.col("closed_on").is_null() | (pl.col("closed_on") > end)
        totals.append(
            pl.concat(
                [
                    known.filter(is_open & (pl.col("registered_on") <= end)).select(
                        "org_code", "line", pl.col("estimate_cents").alias("reported")
                    ),
                    paid.filter(is_open & (pl.col("paid_on") <= end)).select(
                        "org_code", "line", (-pl.col("amount_cents")).alias("reported")
                    ),
                ]
            )
            .group_by("org_code", "line")
            .agg(pl.col("reported").sum())
            .with_columns(pl.lit(period).alias("period"))
        )
    shares = pl.DataFrame(
        {"line": [line.code for line in LINES], "bp": [sum(line.ceded_bp) for line in LINES]}
    )
    ibnr = pl.col("reported") * _IBNR_PERCENT // 100
    return (
        pl.concat(totals)
        .join(shares, on="line", how="left")
        .with_columns(
            ibnr.alias("ibnr"),
            ((pl.col("reported") + ibnr) * _SETTLING_PERCENT // 100).alias("settling"),
            ((pl.col("reported") + ibnr) * pl.col("bp") // 10_000).alias("ceded"),
        )
    )


def _monthly_changes(totals: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    grid = (
        totals.select("org_code", "line")
        .unique()
        .join(pl.DataFrame({"period": list(PERIODS)}, schema={"period": pl.String}), how="cross")
    )
    full = (
        grid.join(totals.select(*_KEYS, *names), on=_KEYS, how="left")
        .with_columns(pl.col(names).fill_null(0))
        .sort(_KEYS)
    )
    return full.select(
        *_KEYS,
        _end_of("period"),
        *(
            (pl.col(name) - pl.col(name).shift(1, fill_value=0).over("org_code", "line")).alias(name)
            for name in names
        ),
    )


def _end_of(column: str) -> pl.Expr:
    ends = {period: month_end(period) for period in PERIODS}
    return pl.col(column).replace_strict(ends, return_dtype=pl.Date).alias("booked_on")


def _expenses(policies: pl.DataFrame) -> pl.DataFrame:
    """Administration as a share of the month's premium; surcharges on the VAT."""
    return (
        policies.group_by("org_code", pl.col("signed_on").dt.strftime("%Y%m").alias("period"))
        .agg(
            (pl.col("premium_net_cents").sum() * _EXPENSE_PERCENT // 100).alias("expense"),
            (pl.col("vat_cents").sum() * _SURCHARGE_PERCENT // 100).alias("surcharge"),
        )
        .with_columns(_end_of("period"), pl.lit("").alias("line"))
    )
