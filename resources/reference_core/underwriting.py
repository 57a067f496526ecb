"""Policies: what the simulated insurer sold from July 2025 to April 2026.

Money is whole cents: premium = net + VAT with net = premium / 1.06 rounded half up. Seven of ten commercial motor policies
insure the vehicle of a compulsory one, for the same customer and period. What is insured and covered is in
`insured_things` and `products`, what happens afterwards in `servicing` and `claims`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from resources.reference_core.catalogue import (
    CODES,
    CURRENCY,
    FIRST_DAY,
    LAST_DAY,
    LINES,
    PRODUCTS_SOLD,
    VAT_PERCENT,
)
from resources.reference_core.drawing import (
    Bools,
    Ints,
    days,
    either,
    padded,
    run_numbers,
    skewed_permille,
    words,
)
from resources.reference_core.part import Part
from resources.reference_core.people import Customers
from resources.reference_core.products import limits_of
from resources.reference_core.sales_force import (
    ACTIVE_OF_KIND,
    AGENTS,
    EMPLOYEES,
    intermediary_codes,
    intermediary_place,
)

_CHANNELS = ("直销", "个代", "专代", "兼代", "经纪", "电销", "网销")
_CHANNEL_WEIGHTS = (0.18, 0.22, 0.2, 0.14, 0.1, 0.08, 0.08)
_AGENT = 1
_KIND_OF_CHANNEL = np.array([-1, -1, 0, 1, 2, -1, -1])  # intermediary's kind
_TARIFF = np.array([66_500, 76_000, 85_500, 95_000, 110_000, 123_500])
_VEHICLE_TAX = np.array([30_000, 36_000, 42_000, 66_000])
_INSTALMENT_FROM_CENTS = 1_000_000


@dataclass(frozen=True)
class _Draft:
    """What is decided about each policy before its row is written."""

    line: Ints
    by_company: Bools
    is_new_energy: Bools
    applicant: Ints
    insured: Ints
    signed: np.ndarray
    starts: np.ndarray
    twin: Ints  # the row of the same vehicle's compulsory policy; -1 without


def net_of(premium_cents: Ints) -> Ints:
    """The part of a premium with VAT that is income: half up, symmetric for refunds."""
    return share_of(premium_cents, 100, 100 + VAT_PERCENT)


def share_of(amount: Ints, part: Ints | int, whole: int) -> Ints:
    """amount × part / whole, half up, symmetric around zero."""
    return np.sign(amount) * ((np.abs(amount) * part * 2 + whole) // (2 * whole))


def make_policies(rng: np.random.Generator, part: Part, customers: Customers) -> pl.DataFrame:
    """One row per policy, columns of the table `policy` (status and endorsement_count still as on the first day).

    Further columns for other rooms: `is_new_energy`, `by_company`, `twin` (row of the compulsory policy, -1 without).
    """
    draft = _draft(rng, part, customers)
    branch, line, count = part.branch, draft.line, len(draft.line)
    codes = part.codes(branch)
    is_cargo = line == CODES.index("HY")
    length = np.where(is_cargo, rng.integers(20, 91, count), 365)
    is_backdated = is_cargo & (rng.random(count) < 0.02)
    starts = np.where(is_backdated, draft.signed - days(rng.integers(1, 4, count)), draft.starts)
    ends = starts + days(length - 1)

    premium = _premiums(rng, line)
    net = net_of(premium)
    is_compulsory = line == CODES.index("JQ")
    channel = rng.choice(len(_CHANNELS), count, p=_CHANNEL_WEIGHTS)
    kind = _KIND_OF_CHANNEL[channel]
    earns = (kind >= 0) | (channel == _AGENT)
    rate = np.where(is_compulsory, rng.integers(2, 5, count), rng.integers(6, 16, count)) * 100 * earns
    agency = intermediary_place(np.maximum(kind, 0), rng.integers(0, ACTIVE_OF_KIND, count))
    seller = np.where(
        channel == _AGENT,
        EMPLOYEES + rng.integers(0, AGENTS - 1, count),
        rng.integers(0, EMPLOYEES - 1, count),
    )
    product = rng.integers(1, PRODUCTS_SOLD + 1, count)
    product = np.where(is_compulsory, 1 + draft.by_company, product)
    product = np.where(line == CODES.index("SY"), 1 + draft.is_new_energy, product)
    by_instalments = (
        np.array([kind.may_pay_in_instalments for kind in LINES])[line]
        & (premium >= _INSTALMENT_FROM_CENTS)
        & (rng.random(count) < 0.35)
    )
    instalments = np.where(by_instalments, rng.choice(np.array([2, 4]), count), 1)
    coinsured = (np.array([k.may_pay_in_instalments for k in LINES])[line]) & (rng.random(count) < 0.06)
    leads = rng.random(count) < 0.5
    origin = rng.random(count)
    unit, _ = part.draw_units(rng, branch)

    line_codes = words(CODES, line)
    years = draft.signed.astype("datetime64[Y]").astype(np.int64) + 1970
    serial = padded(run_numbers(branch) + 1, 8)
    numbers = codes + line_codes + pl.Series(years).cast(pl.String) + serial
    previous = codes + line_codes + pl.Series(years - 1).cast(pl.String) + serial
    ids, names = customers.frame["customer_id"], customers.frame["name"]
    return pl.DataFrame(
        {
            "policy_no": numbers,
            "proposal_no": "T" + numbers,
            "product_code": line_codes + padded(product, 2),
            "line": line_codes,
            "org_code": codes,
            "undertaking_org": unit,
            "applicant_id": ids.gather(draft.applicant),
            "insured_id": ids.gather(draft.insured),
            "applicant_name": names.gather(draft.applicant),
            "insured_name": names.gather(draft.insured),
            "signed_on": draft.signed,
            "underwritten_on": draft.signed,
            "starts_on": starts,
            "ends_on": ends,
            "currency": words([CURRENCY], np.zeros(count, dtype=np.int64)),
            "sum_insured_cents": limits_of(line, premium).sum(axis=1),
            "premium_cents": premium,
            "premium_net_cents": net,
            "vat_cents": premium - net,
            "vehicle_tax_cents": _VEHICLE_TAX[rng.integers(0, 4, count)] * is_compulsory,
            "channel": words(_CHANNELS, channel),
            "intermediary_code": either(kind >= 0, intermediary_codes(codes, agency), None),
            "seller_code": "XS" + codes + padded(seller + 1, 4),
            "commission_rate_bp": rate,
            "payment_mode": either(by_instalments, "分期", "趸交"),
            "instalments": instalments,
            "coinsurance": either(coinsured, either(leads, "主共", "从共"), "否"),
            "is_reinsured": np.array([int(sum(k.ceded_bp) > 0) for k in LINES])[line],
            "is_backdated": is_backdated.astype(np.int64),
            "is_renewal": (origin < 0.35).astype(np.int64),
            "previous_policy_no": either(origin < 0.35, previous, None),
            "source_of_business": either(origin < 0.35, "续保", either(origin < 0.45, "转保", "新保")),
            "status": either(ends <= np.datetime64(LAST_DAY), "满期", "有效"),
            "endorsement_count": np.zeros(count, dtype=np.int64),
            "is_new_energy": draft.is_new_energy,
            "by_company": draft.by_company,
            "twin": draft.twin,
        }
    )


def _draft(rng: np.random.Generator, part: Part, customers: Customers) -> _Draft:
    branch = part.branch
    count = len(branch)
    line = _choose_lines(rng, part)
    by_company = np.array([kind.is_corporate for kind in LINES])[line]
    by_company = by_company | (
        np.array([kind.is_vehicle for kind in LINES])[line] & (rng.random(count) < 0.1)
    )
    is_new_energy = rng.random(count) < 0.15
    first, last = np.datetime64(FIRST_DAY), np.datetime64(LAST_DAY)
    signed = first + days(rng.integers(0, (last - first).astype(int) + 1, count))
    starts = signed + days(rng.integers(0, 16, count))
    twin = _twins(branch, line)
    for column in (by_company, is_new_energy, signed, starts):
        column[twin >= 0] = column[twin[twin >= 0]]
    applicant = _choose_customers(rng, customers, branch, by_company)
    other = _choose_customers(rng, customers, branch, by_company)
    insured = np.where(rng.random(count) < 0.85, applicant, other)
    for column in (applicant, insured):
        column[twin >= 0] = column[twin[twin >= 0]]
    return _Draft(line, by_company, is_new_energy, applicant, insured, signed, starts, twin)


def _twins(branch: Ints, line: Ints) -> Ints:
    """For seven of ten commercial motor policies: a compulsory policy of the branch, each at most once."""
    result = np.full(len(branch), -1, dtype=np.int64)
    compulsory = np.flatnonzero(line == CODES.index("JQ"))
    commercial = np.flatnonzero(line == CODES.index("SY"))
    if not len(compulsory) or not len(commercial):
        return result
    size = len(branch) + 1
    have = branch[compulsory] * size + run_numbers(branch[compulsory])
    rank = run_numbers(branch[commercial])
    want = branch[commercial] * size + rank
    place = np.minimum(np.searchsorted(have, want), len(have) - 1)
    found = (have[place] == want) & (rank % 10 < 7)
    result[commercial[found]] = compulsory[place[found]]
    return result


def _choose_lines(rng: np.random.Generator, part: Part) -> Ints:
    weights = np.array([kind.weight for kind in LINES])
    line = rng.choice(len(LINES), len(part.branch), p=weights / weights.sum())
    own = np.array([seed.is_own_account for seed in part.branches])[part.branch]
    corporate = np.flatnonzero([kind.is_corporate for kind in LINES])
    line[own] = rng.choice(corporate, int(own.sum()))
    return line


def _choose_customers(
    rng: np.random.Generator, customers: Customers, branch: Ints, by_company: Bools
) -> Ints:
    start = np.where(by_company, customers.company_start[branch], customers.person_start[branch])
    size = np.where(by_company, customers.company_count[branch], customers.person_count[branch])
    return start + (rng.random(len(branch)) * size).astype(np.int64)


def _premiums(rng: np.random.Generator, line: Ints) -> Ints:
    medians = np.array([kind.median_premium_cents for kind in LINES])[line]
    drawn = medians * skewed_permille(rng, len(line), low=450, middle=1_000, high=1_500) // 1_000 + 1_000
    tariff = _TARIFF[rng.integers(0, len(_TARIFF), len(line))]
    return np.where(line == CODES.index("JQ"), tariff, drawn)
