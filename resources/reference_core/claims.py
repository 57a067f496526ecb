"""Claims and their direct expenses.

Occurred ≤ reported ≤ registered ≤ closed ≤ the book's last day, within the policy's period; a closed claim has no
reserve, an open one its estimate less what was paid in advance. A claim whose next date would fall after the last day has
not come so far yet. What is paid on claims is in `claim_payments`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core import names
from resources.reference_core.catalogue import BANK, LAST_DAY, LINES
from resources.reference_core.check_digits import account_numbers
from resources.reference_core.drawing import (
    NEVER,
    Days,
    Ints,
    dates,
    days,
    either,
    later,
    padded,
    run_numbers,
    skewed_permille,
    words,
)
from resources.reference_core.part import Part
from resources.reference_core.products import line_places

_EXPENSES = ("查勘费", "公估费", "诉讼费")
SPLIT_PERCENT = 60  # of a settlement in two payments, the first
ADVANCE_PERCENT = 30
_LIABILITY_BP = np.array([10_000, 10_000, 7_000, 5_000, 3_000])


def make_claims(
    rng: np.random.Generator, part: Part, policies: pl.DataFrame, vehicles: pl.DataFrame
) -> pl.DataFrame:
    """Columns of `claim`. Surrendered policies have no claims."""
    last = np.datetime64(LAST_DAY)
    starts = np.maximum(dates(policies["starts_on"]), dates(policies["signed_on"]))
    chance = np.array([line.claim_permille for line in LINES])[line_places(policies["line"])]
    happens = rng.integers(0, 1_000, policies.height) < chance
    rows = np.flatnonzero(happens & (starts < last) & (policies["status"] != "退保").to_numpy())
    chosen = policies[rows]
    count = len(rows)
    occurred, reported, registered, closed = _days_of_claims(rng, starts[rows], dates(chosen["ends_on"]))
    is_registered, is_closed = ~np.isnat(registered), ~np.isnat(closed)

    premium, insured = chosen["premium_cents"].to_numpy(), chosen["sum_insured_cents"].to_numpy()
    factor = skewed_permille(rng, count, low=400, middle=2_600, high=9_000)
    loss = np.minimum(premium * factor // 1_000 + 10_000, insured)
    is_zero = is_closed & (rng.random(count) < 0.08)
    advance = np.where(
        is_registered & ~is_closed & (rng.random(count) < 0.15), loss * ADVANCE_PERCENT // 100, 0
    )
    # Never below what is paid before the claim closes, so that an open claim keeps a reserve.
    estimate = np.maximum(loss * rng.integers(80, 131, count) // 100, loss * SPLIT_PERCENT // 100 + 100)
    expense = np.where(is_closed, rng.integers(50, 400, count) * 100, 0)
    is_litigated = is_closed & (rng.random(count) < 0.03)
    is_motor = np.array([line.is_vehicle for line in LINES])[line_places(chosen["line"])]
    _, regions = part.draw_units(rng, part.branch[rows])

    serial = (
        chosen["org_code"]
        + chosen["line"]
        + pl.Series(reported.astype("datetime64[Y]").astype(np.int64) + 1970).cast(pl.String)
        + padded(run_numbers(part.branch[rows]) + 1, 7)
    )
    plates = chosen.select("policy_no").join(
        vehicles.select("policy_no", "plate_no"), on="policy_no", how="left", maintain_order="left"
    )
    return pl.DataFrame(
        {
            "claim_no": "PA" + serial,
            "report_no": "BA" + serial,
            "register_no": either(is_registered, "LA" + serial, None),
            "policy_no": chosen["policy_no"],
            "product_code": chosen["product_code"],
            "line": chosen["line"],
            "org_code": chosen["org_code"],
            "occurred_on": occurred,
            "reported_on": reported,
            "registered_on": registered,
            "closed_on": closed,
            "cause": words([line.cause for line in LINES], line_places(chosen["line"])),
            "place": "示范路" + pl.Series(rng.integers(100, 1_000, count)).cast(pl.String) + "号附近",
            "region_code": padded(regions, 6),
            "liability_bp": np.where(is_motor, _LIABILITY_BP[rng.integers(0, 5, count)], 10_000),
            "loss_cents": np.where(is_zero, 0, loss),
            "estimate_cents": np.where(is_registered, estimate, 0),
            "reserve_cents": np.where(is_registered & ~is_closed, estimate - advance, 0),
            "settled_cents": np.where(is_closed & ~is_zero, loss, advance),
            "expense_cents": expense,
            "status": either(is_closed, "已结案", either(is_registered, "已立案", "已报案")),
            "close_type": either(is_closed, either(is_zero, "零结案", "赔付结案"), None),
            "is_litigated": is_litigated.astype(np.int64),
            "recourse_cents": np.zeros(count, dtype=np.int64),
            "salvage_cents": np.zeros(count, dtype=np.int64),
            "plate_no": plates["plate_no"],
        }
    )


def make_claim_expenses(rng: np.random.Generator, claims: pl.DataFrame) -> pl.DataFrame:
    """The survey of every closed claim, in one of three followed by an adjuster's or a court's fee; plus the line."""
    closed = claims.filter(pl.col("expense_cents") > 0)
    total, count = closed["expense_cents"].to_numpy(), closed.height
    is_split = (rng.random(count) < 0.33) | (closed["is_litigated"] == 1).to_numpy()
    first = np.where(is_split, total * 40 // 100, total)
    last_day = dates(closed["closed_on"])
    half = ((last_day - dates(closed["registered_on"])).astype(np.int64)) // 2
    kind = np.where((closed["is_litigated"] == 1).to_numpy(), 2, 1)

    def paid(rows: Ints, seq: int, amount: Ints, kinds: Ints, on: Days) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "claim_no": closed["claim_no"].gather(rows),
                "seq": np.full(len(rows), seq),
                "org_code": closed["org_code"].gather(rows),
                "line": closed["line"].gather(rows),
                "kind": words(_EXPENSES, kinds[rows]),
                "amount_cents": amount[rows],
                "paid_on": on[rows],
            }
        )

    split = np.flatnonzero(is_split)
    expenses = pl.concat(
        [
            paid(np.arange(count), 1, first, np.zeros(count, dtype=np.int64), last_day - days(half)),
            paid(split, 2, total - first, kind, last_day),
        ]
    ).sort("claim_no", "seq")
    payees = names.company_names(rng, words(["示范"], np.zeros(expenses.height, dtype=np.int64)))
    return expenses.with_columns(
        payees.alias("payee_name"),
        account_numbers(rng, expenses.height).alias("payee_account"),
        pl.lit(BANK).alias("bank"),
    )


def _days_of_claims(rng: np.random.Generator, starts: Days, ends: Days) -> tuple[Days, Days, Days, Days]:
    last, count = np.datetime64(LAST_DAY), len(starts)
    window = (np.minimum(ends, last) - starts).astype(np.int64)
    occurred = later(starts, (rng.random(count) * (window + 1)).astype(np.int64))
    reported = np.minimum(later(occurred, rng.integers(0, 4, count)), last)
    registered = later(reported, rng.integers(0, 5, count))
    closed = later(registered, rng.integers(3, 60, count))
    registered[registered > last] = NEVER
    closed[np.isnat(registered) | (closed > last)] = NEVER
    return occurred, reported, registered, closed
