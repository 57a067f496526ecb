"""Generating the reference core: draw the book, damage it where asked, write it as one file.

The same seed gives the same rows on every machine. The rooms it calls: `people`, `underwriting`, `servicing`, `claims`
draw the business, `vouchers` and `balances` book it, `injection` damages it, `store` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.errors import BadInput
from resources.reference_core import claims, names, people, servicing, underwriting
from resources.reference_core.answer_key import Defect, repairs_path, write_answer_key, write_repairs
from resources.reference_core.balances import book_month_ends, make_accounts, make_balances
from resources.reference_core.catalogue import OrganisationSeed
from resources.reference_core.defect_plan import DefectRequest, read_defects
from resources.reference_core.injection import Injector, inject
from resources.reference_core.ledger_kinds import kinds
from resources.reference_core.store import SCHEMA, create_schema, insert, replacing
from resources.reference_core.vouchers import book_business, number_vouchers, voucher_numbers

Progress = Callable[[str, int, int], None]
_ROOMS = 7


@dataclass(frozen=True)
class CoreSummary:
    """What was written: rows per table (before defects) and how many findings the defects must bring per rule."""

    path: Path
    rows: Mapping[str, int]
    defects: Mapping[str, int]


def generate(
    path: Path,
    *,
    policies: int,
    seed: int,
    organisations: Sequence[OrganisationSeed],
    defects: Path | None,
    answer_key: Path | None,
    progress: Progress,
) -> CoreSummary:
    """Write a reference core of `policies` policies to `path`, replacing what is there only when all is written.

    With `answer_key` the findings that the defects must bring are written there, and the repair list beside it.
    Raises BadInput for a mistaken defects file, or one the book is too small for; then nothing is written.
    """
    branches = [seed_ for seed_ in organisations if seed_.level == 1]
    if policies < 1 or not branches:
        raise BadInput("core.too_small", policies=policies)
    register = kinds()
    requests: tuple[DefectRequest, ...] = ()
    if defects is not None:
        requests = read_defects(defects, kinds=register, branches={b.code for b in branches})
    book_seed, defect_seed = np.random.SeedSequence(seed).spawn(2)
    tables = draw_book(book_seed, policies, organisations, progress)
    answers: tuple[Defect, ...] = ()
    with replacing(path) as connection:
        create_schema(connection, SCHEMA)
        for done, (table, frame) in enumerate(tables.items()):
            progress(f"写入 {table}", done, len(tables))
            insert(connection, table, frame)
        if requests:
            answers = inject(
                Injector(connection, np.random.default_rng(defect_seed)), requests, register, progress
            )
    if answer_key is not None:
        write_answer_key(answer_key, answers)
        write_repairs(repairs_path(answer_key), answers)
    rules = sorted({answer.rule for answer in answers})
    return CoreSummary(
        path=path,
        rows={table: frame.height for table, frame in tables.items()},
        defects={rule: sum(answer.rule == rule for answer in answers) for rule in rules},
    )


def draw_book(
    seed: np.random.SeedSequence, count: int, organisations: Sequence[OrganisationSeed], progress: Progress
) -> dict[str, pl.DataFrame]:
    """All tables of the core in the order of the schema; each room draws from a stream of its own."""
    spread, customer_rng, policy_rng, change_rng, receipt_rng, claim_rng, payment_rng = (
        np.random.default_rng(child) for child in seed.spawn(_ROOMS)
    )
    branches = [organisation for organisation in organisations if organisation.level == 1]
    progress("客户", 0, 5)
    branch = underwriting.spread_over_branches(spread, branches, count)
    customers = people.make_customers(customer_rng, branches, np.bincount(branch, minlength=len(branches)))
    identities = customers.frame.select("customer_id", "id_no")
    progress("保单", 1, 5)
    policies = underwriting.make_policies(policy_rng, organisations, branches, branch, customers)
    coverages = underwriting.make_coverages(policies)
    endorsements = servicing.make_endorsements(change_rng, policies)
    policies = servicing.apply_endorsements(policies, endorsements)
    progress("赔案", 2, 5)
    plates = {organisation.code: names.plate_of(organisation.region) for organisation in branches}
    accidents = claims.make_claims(claim_rng, policies, plates)
    payments = pl.concat(
        [
            servicing.make_premium_receipts(receipt_rng, policies, endorsements, identities),
            claims.make_claim_payments(payment_rng, accidents, policies, identities),
        ]
    )
    progress("账务", 3, 5)
    lines = number_vouchers(
        pl.concat(
            [
                book_business(policies, endorsements, payments),
                book_month_ends(policies, endorsements, accidents),
            ]
        )
    )
    vouchers = lines.with_columns(pl.col("booked_on").dt.strftime("%Y%m").alias("period"))
    payments = payments.join(voucher_numbers(lines), on="payment_no", how="left", maintain_order="left")
    return {
        "organisation": people.make_organisations(organisations),
        "customer": customers.frame,
        "product": underwriting.make_products(),
        "policy": policies,
        "coverage": coverages,
        "endorsement": endorsements,
        "claim": accidents,
        "payment": payments,
        "gl_account": make_accounts(),
        "gl_balance": make_balances(lines, [organisation.code for organisation in branches]),
        "voucher": vouchers,
    }
