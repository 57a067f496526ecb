"""Commission: what agencies, brokers and agents earn on a policy and on what its endorsements change.

It accrues with the premium, is stated per payee for every month, and paid on the 15th of the next one.
"""

from __future__ import annotations

import polars as pl

from resources.reference_core.catalogue import BANK, CURRENCY, LAST_DAY
from resources.reference_core.drawing import run_numbers
from resources.reference_core.underwriting import share_of


def make_commissions(policies: pl.DataFrame, endorsements: pl.DataFrame) -> pl.DataFrame:
    """Columns of `commission` but the accrual's voucher."""
    earning = policies.filter(pl.col("commission_rate_bp") > 0).select(
        "policy_no",
        "org_code",
        "line",
        "intermediary_code",
        pl.when(pl.col("intermediary_code").is_null()).then("seller_code").alias("seller_code"),
        pl.col("commission_rate_bp").alias("rate_bp"),
        pl.col("premium_net_cents").alias("base_cents"),
        pl.col("signed_on").alias("accrued_on"),
        pl.lit(None, pl.String).alias("endorsement_no"),
        pl.lit(0, pl.Int64).alias("place"),
    )
    changed = (
        endorsements.filter(pl.col("premium_net_change_cents") != 0)
        .select(
            "policy_no",
            pl.col("premium_net_change_cents").alias("base_cents"),
            pl.col("effective_on").alias("accrued_on"),
            "endorsement_no",
            pl.col("seq").alias("place"),
        )
        .join(
            earning.select("policy_no", "org_code", "line", "intermediary_code", "seller_code", "rate_bp"),
            on="policy_no",
            how="inner",
            maintain_order="left",
        )
    )
    rows = pl.concat([earning, changed.select(earning.columns)]).sort("policy_no", "place")
    order = rows["policy_no"].rle_id().cast(pl.Int64).to_numpy()
    payable = share_of(rows["base_cents"].to_numpy(), rows["rate_bp"].to_numpy(), 10_000)
    month_end = pl.col("accrued_on").dt.month_end()
    paid_on = month_end.dt.offset_by("15d")
    is_paid = paid_on <= pl.lit(LAST_DAY)
    payee = pl.coalesce("intermediary_code", "seller_code")
    return rows.with_columns(
        pl.Series("seq", run_numbers(order) + 1),
        pl.Series("payable_cents", payable),
        pl.when(is_paid).then(paid_on).alias("paid_on"),
        pl.concat_str(pl.lit("JS"), payee, month_end.dt.strftime("%Y%m")).alias("statement_no"),
    ).with_columns(
        pl.when(pl.col("paid_on").is_not_null()).then("payable_cents").otherwise(0).alias("paid_cents")
    )


def plan_commissions(commissions: pl.DataFrame, payees: pl.DataFrame) -> pl.DataFrame:
    """One planned fee F per statement, due on the 15th of the next month; `payees`: code, name, account, id_no."""
    statements = (
        commissions.group_by("statement_no", "org_code")
        .agg(
            pl.col("payable_cents").sum().alias("amount_cents"),
            pl.col("accrued_on").max().dt.month_end().dt.offset_by("15d").alias("due_on"),
            pl.coalesce("intermediary_code", "seller_code").first().alias("payee"),
        )
        .sort("statement_no")
    )
    return statements.join(
        payees, left_on="payee", right_on="code", how="left", maintain_order="left"
    ).with_columns(
        pl.concat_str(pl.lit("YF"), "statement_no").alias("fee_no"),
        pl.lit("F").alias("kind"),
        pl.col("statement_no").alias("business_no"),
        pl.lit(None, pl.String).alias("policy_no"),
        pl.lit(1, pl.Int64).alias("seq"),
        pl.lit(CURRENCY).alias("currency"),
        pl.col("name").alias("party_name"),
    )


def pay_commissions(fees: pl.DataFrame) -> pl.DataFrame:
    """Payments of kind commission for the statements due by the book's last day."""
    return fees.filter(pl.col("due_on") <= pl.lit(LAST_DAY)).select(
        pl.concat_str(pl.lit("SX"), "statement_no").alias("payment_no"),
        pl.lit("commission").alias("kind"),
        "fee_no",
        "org_code",
        pl.lit("").alias("line"),
        "policy_no",
        pl.lit(None, pl.String).alias("claim_no"),
        pl.lit(None, pl.String).alias("calculation_no"),
        "seq",
        pl.lit(None, pl.String).alias("coverage_code"),
        "amount_cents",
        "currency",
        pl.col("name").alias("counterparty_name"),
        pl.col("id_no").alias("counterparty_id_no"),
        pl.col("account").alias("counterparty_account"),
        pl.lit(BANK).alias("bank"),
        pl.col("due_on").alias("paid_on"),
        pl.lit("转账").alias("method"),
        pl.lit(None, pl.String).alias("relation"),
        pl.lit(0, pl.Int64).alias("is_advance"),
    )
