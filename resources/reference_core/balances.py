"""The monthly balances of every account: of the branches, of the whole company, of the accounts above the leaves.

They are summed from the vouchers, so that vouchers, general ledger and business agree by construction. Income and expense
accounts run on without a year-end closing entry: a flow is the sum of the months' movements.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from resources.reference_core.catalogue import CURRENCY, HEAD_OFFICE, PERIODS
from resources.reference_core.chart import ACCOUNTS

_OPENING_CAPITAL_CENTS = 2_000_000_000_00
_KEYS = ("org_code", "account_no", "period")


def movements_of(vouchers: pl.DataFrame) -> pl.DataFrame:
    """Debits and credits per branch, account and month, parents included; only what moved."""
    parents = {account.number: account.parent for account in ACCOUNTS if account.parent}
    leaves = vouchers.group_by(_KEYS).agg(pl.col("debit_cents").sum(), pl.col("credit_cents").sum())
    above = leaves.with_columns(
        pl.col("account_no").replace_strict(parents, default=None, return_dtype=pl.String)
    ).filter(pl.col("account_no").is_not_null())
    return (
        pl.concat([leaves, above])
        .group_by(_KEYS)
        .agg(pl.col("debit_cents").sum(), pl.col("credit_cents").sum())
        .sort(_KEYS)
    )


def make_balances(moved: pl.DataFrame, branches: Sequence[str]) -> pl.DataFrame:
    """Every branch × account × month of the book, zero movements too, and the head office as their sum.

    closing = next opening; an account stands on the side of its direction, negative where it is overdrawn.
    """
    accounts = pl.DataFrame(
        {"account_no": [a.number for a in ACCOUNTS], "direction": [a.direction for a in ACCOUNTS]}
    )
    company = (
        moved.group_by("account_no", "period")
        .agg(pl.col("debit_cents").sum(), pl.col("credit_cents").sum())
        .select(pl.lit(HEAD_OFFICE).alias("org_code"), "account_no", "period", "debit_cents", "credit_cents")
    )
    frame = (
        pl.DataFrame({"org_code": [*branches, HEAD_OFFICE]})
        .join(accounts, how="cross")
        .join(pl.DataFrame({"period": list(PERIODS)}), how="cross")
        .join(pl.concat([moved.select(company.columns), company]), on=_KEYS, how="left")
        .with_columns(pl.col("debit_cents").fill_null(0), pl.col("credit_cents").fill_null(0))
        .sort(_KEYS)
    )
    is_debit = pl.col("direction") == "借"
    movement = (
        pl.when(is_debit)
        .then(pl.col("debit_cents") - pl.col("credit_cents"))
        .otherwise(pl.col("credit_cents") - pl.col("debit_cents"))
    )
    capital = (
        pl.when(~pl.col("account_no").is_in(["1002", "4001"]))
        .then(0)
        .when(pl.col("org_code") == HEAD_OFFICE)
        .then(_OPENING_CAPITAL_CENTS * len(branches))
        .otherwise(_OPENING_CAPITAL_CENTS)
    )
    frame = frame.with_columns(movement.alias("movement"))
    frame = frame.with_columns(
        (capital + pl.col("movement").cum_sum().over("org_code", "account_no")).alias("closing")
    )
    frame = frame.with_columns((pl.col("closing") - pl.col("movement")).alias("opening"))

    def side(amount: str, *, debit: bool) -> pl.Expr:
        return pl.when(is_debit if debit else ~is_debit).then(amount).otherwise(0).cast(pl.Int64)

    return frame.select(
        *_KEYS,
        pl.lit(CURRENCY).alias("currency"),
        side("opening", debit=True).alias("opening_debit_cents"),
        side("opening", debit=False).alias("opening_credit_cents"),
        "debit_cents",
        "credit_cents",
        side("closing", debit=True).alias("closing_debit_cents"),
        side("closing", debit=False).alias("closing_credit_cents"),
    )
