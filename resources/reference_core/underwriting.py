"""Products, policies, coverages: what the simulated insurer sold from July 2025 to April 2026.

Money is whole cents: premium = net + VAT with net = premium / 1.06 rounded half up, and the coverages of a policy add up
to its premium and its sum insured exactly. What happens to a policy afterwards is in `servicing` and `claims`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from resources.reference_core.catalogue import (
    CURRENCY,
    FIRST_DAY,
    LAST_DAY,
    LINES,
    VAT_PERCENT,
    OrganisationSeed,
)
from resources.reference_core.check_digits import Ints, Texts
from resources.reference_core.people import Customers

_DIRECT = ("直销", "电销", "网销")
_CHANNELS = np.array(["直销", "个代", "专代", "兼代", "经纪", "电销", "网销"], dtype=object)
_CHANNEL_WEIGHTS = (0.18, 0.22, 0.2, 0.14, 0.1, 0.08, 0.08)
_WITH_INTERMEDIARY = ("专代", "兼代", "经纪")
_OWN_ACCOUNT_WEIGHT = 0.1


def net_of(premium_cents: Ints) -> Ints:
    """The part of a premium with VAT that is income: half up, symmetric for refunds."""
    magnitude = np.abs(premium_cents)
    hundred = 100 + VAT_PERCENT
    return np.sign(premium_cents) * ((magnitude * 200 + hundred) // (2 * hundred))


def make_products() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "product_code": f"{line.code}{number:02d}",
                "name": name,
                "line": line.code,
                "clause_code": f"T{line.code}{number:02d}",
                "filing_no": f"(示范财险)(备-{line.name})【2020】(主){place * 2 + number:03d}号",
                "effective_on": "2020-09-19",
                "ceased_on": None,
                "is_main": 1,
                "is_compulsory": int(line.code == "JQ"),
                "design_type": "行业示范" if line.is_vehicle else "自主开发",
            }
            for place, line in enumerate(LINES)
            for number, name in enumerate(line.products, start=1)
        ],
        schema_overrides={"ceased_on": pl.String},
    )


def spread_over_branches(rng: np.random.Generator, branches: Sequence[OrganisationSeed], count: int) -> Ints:
    """The branch (its place) of each policy; the head office's own account writes few, large risks."""
    weights = np.array([_OWN_ACCOUNT_WEIGHT if seed.is_own_account else 1.0 for seed in branches])
    return np.sort(rng.choice(len(branches), count, p=weights / weights.sum()))


def make_policies(
    rng: np.random.Generator,
    organisations: Sequence[OrganisationSeed],
    branches: Sequence[OrganisationSeed],
    branch: Ints,
    customers: Customers,
) -> pl.DataFrame:
    """One row per policy, columns of the table `policy` (status and endorsement_count still as on the first day)."""
    count = len(branch)
    line = _choose_lines(rng, branches, branch)
    is_vehicle = np.array([kind.is_vehicle for kind in LINES])[line]
    is_corporate = np.array([kind.is_corporate for kind in LINES])[line]
    by_company = is_corporate | (is_vehicle & (rng.random(count) < 0.1))
    applicant = _choose_customers(rng, customers, branch, by_company)
    other = _choose_customers(rng, customers, branch, by_company)
    insured = np.where(rng.random(count) < 0.85, applicant, other)

    first, last = np.datetime64(FIRST_DAY), np.datetime64(LAST_DAY)
    signed = first + rng.integers(0, (last - first).astype(int) + 1, count).astype("timedelta64[D]")
    starts = signed + rng.integers(0, 16, count).astype("timedelta64[D]")
    is_cargo = np.array([kind.code == "HY" for kind in LINES])[line]
    length = np.where(is_cargo, rng.integers(20, 91, count), 365)
    ends = starts + (length - 1).astype("timedelta64[D]")

    premium = _premiums(rng, line)
    net = net_of(premium)
    is_compulsory = np.array([kind.code == "JQ" for kind in LINES])[line]
    tax = np.where(is_compulsory, rng.choice(np.array([30_000, 36_000, 42_000, 66_000]), count), 0)
    channel: Texts = _CHANNELS[rng.choice(len(_CHANNELS), count, p=_CHANNEL_WEIGHTS)]
    rate = np.where(is_compulsory, rng.integers(2, 5, count) * 100, rng.integers(6, 16, count) * 100)
    rate[np.isin(channel, _DIRECT)] = 0
    has_intermediary = np.isin(channel, _WITH_INTERMEDIARY)
    seller = rng.integers(1, 40, count)
    product = rng.integers(1, 3, count)
    agency = rng.integers(1, 12, count)
    renewal = (rng.random(count) < 0.35).astype(np.int64)

    org = np.array([seed.code for seed in branches], dtype=object)[branch]
    undertaking = _undertaking(rng, organisations, branches, branch)
    line_codes = np.array([kind.code for kind in LINES], dtype=object)[line]
    years = signed.astype("datetime64[Y]").astype(np.int64) + 1970
    numbers = [
        f"{o}{c}{y}{n:08d}" for n, (o, c, y) in enumerate(zip(org, line_codes, years, strict=True), start=1)
    ]
    names: Texts = np.array(customers.frame["name"].to_list(), dtype=object)
    ids: Texts = np.array(customers.frame["customer_id"].to_list(), dtype=object)
    cutoff = np.datetime64(LAST_DAY)
    return pl.DataFrame(
        {
            "policy_no": numbers,
            "proposal_no": ["T" + number for number in numbers],
            "product_code": [f"{c}{p:02d}" for c, p in zip(line_codes, product, strict=True)],
            "line": line_codes.tolist(),
            "org_code": org.tolist(),
            "undertaking_org": undertaking.tolist(),
            "applicant_id": ids[applicant].tolist(),
            "insured_id": ids[insured].tolist(),
            "applicant_name": names[applicant].tolist(),
            "insured_name": names[insured].tolist(),
            "signed_on": signed.astype("datetime64[D]"),
            "underwritten_on": signed.astype("datetime64[D]"),
            "starts_on": starts.astype("datetime64[D]"),
            "ends_on": ends.astype("datetime64[D]"),
            "currency": pl.Series([CURRENCY], dtype=pl.String).new_from_index(0, count),
            "sum_insured_cents": _limits(line, premium).sum(axis=1),
            "premium_cents": premium,
            "premium_net_cents": net,
            "vat_cents": premium - net,
            "vehicle_tax_cents": tax,
            "channel": channel.tolist(),
            "intermediary_code": [
                f"ZJ{o}{a:03d}" if h else None for o, a, h in zip(org, agency, has_intermediary, strict=True)
            ],
            "seller_code": [f"XS{o}{s:03d}" for o, s in zip(org, seller, strict=True)],
            "commission_rate_bp": rate,
            "is_renewal": renewal,
            "status": np.where(ends <= cutoff, "满期", "有效").tolist(),
            "endorsement_count": np.zeros(count, dtype=np.int64),
        }
    )


def make_coverages(policies: pl.DataFrame) -> pl.DataFrame:
    """The coverages of every policy, in their order; the first takes the cents that do not divide."""
    codes = [kind.code for kind in LINES]
    line = np.array([codes.index(code) for code in policies["line"].to_list()], dtype=np.int64)
    premium = policies["premium_cents"].to_numpy()
    shares, limits = _shares(line, premium), _limits(line, premium)
    numbers = policies["policy_no"]
    parts: list[pl.DataFrame] = []
    for place in range(shares.shape[1]):
        names = np.array(
            [k.coverages[place].code if place < len(k.coverages) else "" for k in LINES], dtype=object
        )
        chosen = np.array([place < len(k.coverages) for k in LINES])[line]
        rows = np.flatnonzero(chosen)
        parts.append(
            pl.DataFrame(
                {
                    "policy_no": numbers.gather(rows),
                    "seq": np.full(len(rows), place + 1),
                    "coverage_code": names[line[rows]].tolist(),
                    "sum_insured_cents": limits[rows, place],
                    "premium_cents": shares[rows, place],
                },
                schema_overrides={"coverage_code": pl.String},
            )
        )
    return pl.concat(parts).sort("policy_no", "seq")


def _choose_lines(rng: np.random.Generator, branches: Sequence[OrganisationSeed], branch: Ints) -> Ints:
    weights = np.array([kind.weight for kind in LINES])
    corporate = np.array([kind.is_corporate for kind in LINES])
    line = rng.choice(len(LINES), len(branch), p=weights / weights.sum())
    own = np.array([seed.is_own_account for seed in branches])[branch]
    line[own] = rng.choice(np.flatnonzero(corporate), int(own.sum()))
    return line


def _choose_customers(
    rng: np.random.Generator, customers: Customers, branch: Ints, by_company: np.ndarray
) -> Ints:
    start = np.where(by_company, customers.company_start[branch], customers.person_start[branch])
    size = np.where(by_company, customers.company_count[branch], customers.person_count[branch])
    return start + (rng.random(len(branch)) * size).astype(np.int64)


def _premiums(rng: np.random.Generator, line: Ints) -> Ints:
    medians = np.array([kind.median_premium_cents for kind in LINES])[line]
    drawn = (medians * np.exp(rng.normal(0.0, 0.45, len(line)))).astype(np.int64) + 1_000
    tariff = rng.choice(np.array([66_500, 76_000, 85_500, 95_000, 110_000, 123_500]), len(line))
    is_compulsory = np.array([kind.code == "JQ" for kind in LINES])[line]
    return np.where(is_compulsory, tariff, drawn)


def _table(line: Ints, attribute: str) -> Ints:
    widest = max(len(kind.coverages) for kind in LINES)
    rows = [
        [getattr(c, attribute) for c in kind.coverages] + [0] * (widest - len(kind.coverages))
        for kind in LINES
    ]
    return np.array(rows, dtype=np.int64)[line]


def _shares(line: Ints, premium: Ints) -> Ints:
    shares = premium[:, None] * _table(line, "share_percent") // 100
    shares[:, 0] += premium - shares.sum(axis=1)
    return shares


def _limits(line: Ints, premium: Ints) -> Ints:
    return premium[:, None] * _table(line, "limit_times") // 100_000 * 100_000


def _undertaking(
    rng: np.random.Generator,
    organisations: Sequence[OrganisationSeed],
    branches: Sequence[OrganisationSeed],
    branch: Ints,
) -> Texts:
    result: Texts = np.empty(len(branch), dtype=object)
    for place, seed in enumerate(branches):
        below = [o.code for o in organisations if o.parent == seed.code and o.level == 2] or [seed.code]
        rows = np.flatnonzero(branch == place)
        result[rows] = np.array(below, dtype=object)[rng.integers(0, len(below), len(rows))]
    return result
