"""Drawing the tables of the core, each room from a stream of its own: the company's once, the business part by part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from resources.reference_core import (
    claim_payments,
    claims,
    commissions,
    insured_things,
    people,
    products,
    receipts,
    reinsurance,
    sales_force,
    servicing,
    underwriting,
    vouchers,
)
from resources.reference_core.catalogue import OrganisationSeed
from resources.reference_core.chart import make_account_map, make_accounts
from resources.reference_core.month_ends import bill_rank, book_month_ends
from resources.reference_core.part import Part

_ROOMS = 13


def company_tables(organisations: Sequence[OrganisationSeed]) -> dict[str, pl.DataFrame]:
    """What stands once for the whole company."""
    return {
        "organisation": people.make_organisations(organisations),
        "product": products.make_products(),
        "treaty": reinsurance.make_treaties(),
        "treaty_share": reinsurance.make_shares(),
        "gl_account": make_accounts(),
        "account_map": make_account_map(),
    }


def part_tables(seed: np.random.SeedSequence, part: Part) -> dict[str, pl.DataFrame]:
    """The tables of a part's branches, in the order of the schema; frames may have columns beside the table's own."""
    rngs = iter([np.random.default_rng(child) for child in seed.spawn(_ROOMS)])
    staff = sales_force.make_staff(next(rngs), part)
    intermediaries = sales_force.make_intermediaries(next(rngs), part)
    sellers = sales_force.make_sellers(next(rngs), part)
    customers = people.make_customers(next(rngs), part)
    policies = underwriting.make_policies(next(rngs), part, customers)
    vehicles = insured_things.make_vehicles(next(rngs), part, policies)
    items = insured_things.make_items(next(rngs), part, policies)
    endorsements = servicing.make_endorsements(next(rngs), part, policies)
    policies = servicing.apply_endorsements(policies, endorsements)
    accidents = claims.make_claims(next(rngs), part, policies, vehicles)
    expenses = claims.make_claim_expenses(next(rngs), accidents)

    identities = customers.frame.select("customer_id", "id_no")
    instalments = receipts.make_instalments(policies)
    premium_fees = receipts.plan_premiums(policies, endorsements, instalments)
    received = receipts.receive_premiums(next(rngs), premium_fees, identities)
    paid = claim_payments.make_claim_payments(next(rngs), accidents, policies, identities)
    earned = commissions.make_commissions(policies, endorsements)
    statements = commissions.plan_commissions(earned, _payees(intermediaries, sellers))
    payments = pl.concat([received, paid, commissions.pay_commissions(statements).select(paid.columns)])
    recoveries = reinsurance.make_recoveries(paid)
    bills = reinsurance.make_bills(policies, endorsements, recoveries)

    booked = vouchers.number_vouchers(
        pl.concat(
            [
                vouchers.book_business(policies, endorsements, payments, expenses, earned),
                book_month_ends(policies, endorsements, accidents, payments, bills),
            ]
        )
    )
    rank = pl.col("kind").replace_strict(
        {"premium": vouchers.RECEIPT, "claim": vouchers.CLAIM, "commission": vouchers.STATEMENT},
        return_dtype=pl.Int32,
    )
    fee_columns = [
        *("fee_no", "kind", "business_no", "policy_no", "org_code"),
        *("seq", "due_on", "amount_cents", "currency", "party_name"),
    ]
    return {
        "staff": staff,
        "intermediary": intermediaries,
        "seller": sellers,
        "customer": customers.frame,
        "policy": policies,
        "insured_item": items,
        "vehicle": vehicles,
        "coverage": products.make_coverages(policies),
        "endorsement": endorsements,
        "instalment": instalments,
        "coinsurance": insured_things.make_coinsurance(policies),
        "claim": accidents,
        "claim_expense": vouchers.with_vouchers(expenses, booked, "paid_on", pl.lit(vouchers.EXPENSE)),
        "planned_fee": pl.concat(
            [
                premium_fees.select(fee_columns),
                claim_payments.plan_claim_payments(paid).select(fee_columns),
                statements.select(fee_columns),
            ]
        ),
        "payment": vouchers.with_vouchers(payments, booked, "paid_on", rank),
        "commission": vouchers.with_vouchers(earned, booked, "accrued_on", pl.lit(vouchers.COMMISSION)),
        "ceded_bill": vouchers.with_vouchers(bills, booked, "billed_on", pl.lit(bill_rank())),
        "recovery": recoveries,
        "voucher": booked,
    }


def _payees(intermediaries: pl.DataFrame, sellers: pl.DataFrame) -> pl.DataFrame:
    """Who may be owed commission: code, name, id_no, account."""
    return pl.concat(
        [
            intermediaries.select(
                pl.col("intermediary_code").alias("code"),
                "name",
                pl.col("uscc").alias("id_no"),
                pl.col("bank_account").alias("account"),
            ),
            sellers.select(
                pl.col("seller_code").alias("code"),
                "name",
                "id_no",
                pl.col("bank_account").alias("account"),
            ),
        ]
    )
