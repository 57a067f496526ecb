"""Quota shares: the treaties of each ceded line and year, monthly bills per branch, recoveries on claim payments.

The treaty is that of the accounting year. Bills are rounded once, on the month's premium of a branch and line.
"""

from __future__ import annotations

import polars as pl

from resources.reference_core.catalogue import CURRENCY, LAST_DAY, LINES
from resources.reference_core.underwriting import share_of

_REINSURERS = (("ZB01", "示范再保险股份有限公司（模拟）"), ("ZB02", "示例再保险有限公司（模拟）"))
_COMMISSION_BP = 3_200
_YEARS = (2025, 2026)


def make_treaties() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "treaty_no": f"HT{line.code}{year}",
                "name": f"{line.name}成数分保合同{year}",
                "kind": "成数",
                "line": line.code,
                "starts_on": f"{year}-01-01",
                "ends_on": f"{year}-12-31",
                "currency": CURRENCY,
                "retention_cents": 50_000_000_00,
                "limit_cents": 200_000_000_00,
                "commission_bp": _COMMISSION_BP,
            }
            for line in LINES
            for year in _YEARS
            if sum(line.ceded_bp)
        ]
    )


def make_shares() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "treaty_no": f"HT{line.code}{year}",
                "reinsurer_code": code,
                "reinsurer_name": name,
                "is_lead": int(place == 0),
                "share_bp": line.ceded_bp[place],
            }
            for line in LINES
            for year in _YEARS
            for place, (code, name) in enumerate(_REINSURERS)
            if line.ceded_bp[place]
        ]
    )


def ceded_shares() -> pl.DataFrame:
    """line, reinsurer_code, share_bp: the same in all years."""
    return pl.DataFrame(
        [
            {"line": line.code, "reinsurer_code": code, "share_bp": line.ceded_bp[place]}
            for line in LINES
            for place, (code, _) in enumerate(_REINSURERS)
            if line.ceded_bp[place]
        ]
    )


def make_recoveries(payments: pl.DataFrame) -> pl.DataFrame:
    """Each reinsurer's share of every claim payment of a ceded line, billed with the month."""
    joined = payments.filter(pl.col("kind") == "claim").join(
        ceded_shares(), on="line", how="inner", maintain_order="left_right"
    )
    amounts = share_of(joined["amount_cents"].to_numpy(), joined["share_bp"].to_numpy(), 10_000)
    return joined.select(
        pl.concat_str(pl.lit("TH"), pl.col("payment_no").str.slice(2), "reinsurer_code").alias("recovery_no"),
        _bill_no(pl.col("paid_on").dt.strftime("%Y%m")).alias("bill_no"),
        "org_code",
        _treaty_no(pl.col("paid_on").dt.year().cast(pl.String)).alias("treaty_no"),
        "reinsurer_code",
        "claim_no",
        "payment_no",
        pl.col("amount_cents").alias("paid_cents"),
        "share_bp",
        pl.Series("amount_cents", amounts),
        pl.col("paid_on").alias("recovered_on"),
        "line",
    )


def make_bills(policies: pl.DataFrame, endorsements: pl.DataFrame, recoveries: pl.DataFrame) -> pl.DataFrame:
    """The month's premium without VAT, its ceding commission and the recoveries, where any is not zero."""
    written = (
        pl.concat(
            [
                policies.select(
                    "org_code",
                    "line",
                    pl.col("signed_on").dt.strftime("%Y%m").alias("period"),
                    pl.col("premium_net_cents").alias("net"),
                ),
                endorsements.select(
                    "org_code",
                    "line",
                    pl.col("effective_on").dt.strftime("%Y%m").alias("period"),
                    pl.col("premium_net_change_cents").alias("net"),
                ),
            ]
        )
        .group_by("org_code", "line", "period")
        .agg(pl.col("net").sum())
        .join(ceded_shares(), on="line", how="inner")
        .sort("org_code", "line", "period", "reinsurer_code")
    )
    ceded = written.with_columns(
        pl.Series("premium", share_of(written["net"].to_numpy(), written["share_bp"].to_numpy(), 10_000))
    )
    keys = ["org_code", "line", "period", "reinsurer_code"]
    recovered = recoveries.group_by(
        "org_code", "line", pl.col("recovered_on").dt.strftime("%Y%m").alias("period"), "reinsurer_code"
    ).agg(pl.col("amount_cents").sum().alias("recovered_cents"))
    both = (
        ceded.select(*keys, "premium")
        .join(recovered, on=keys, how="full", coalesce=True)
        .with_columns(pl.col("premium").fill_null(0), pl.col("recovered_cents").fill_null(0))
        .filter((pl.col("premium") != 0) | (pl.col("recovered_cents") != 0))
        .sort(keys)
    )
    commission = share_of(both["premium"].to_numpy(), _COMMISSION_BP, 10_000)
    billed_on = (pl.col("period") + "01").str.to_date("%Y%m%d").dt.month_end()
    settled_on = billed_on.dt.offset_by("20d")
    return both.with_columns(
        pl.Series("commission_cents", commission),
        _bill_no(pl.col("period")).alias("bill_no"),
        _treaty_no(pl.col("period").str.slice(0, 4)).alias("treaty_no"),
        pl.col("premium").alias("premium_cents"),
        billed_on.alias("billed_on"),
        pl.lit(CURRENCY).alias("currency"),
        pl.when(settled_on <= pl.lit(LAST_DAY)).then(settled_on).alias("settled_on"),
    ).with_columns(
        (pl.col("premium_cents") - pl.col("commission_cents") - pl.col("recovered_cents")).alias(
            "balance_cents"
        )
    )


def _bill_no(period: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit("ZD"), "org_code", "line", period, "reinsurer_code")


def _treaty_no(year: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit("HT"), "line", year)
