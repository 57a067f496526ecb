"""The organisations and the customers of the reference core.

Customers belong to one branch (level 1) and stand in blocks: branch by branch, persons before companies, so that a
policy finds a customer of its branch by arithmetic. Policies and money are not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from resources.reference_core import names
from resources.reference_core.catalogue import OrganisationSeed
from resources.reference_core.check_digits import (
    Ints,
    mobiles,
    resident_ids,
    social_credit_code,
    social_credit_codes,
)

_KINDS = ("总公司", "省分", "中支")


@dataclass(frozen=True)
class Customers:
    """All customers, and where in `frame` each branch's persons and companies begin and how many they are."""

    frame: pl.DataFrame
    person_start: Ints
    person_count: Ints
    company_start: Ints
    company_count: Ints


def make_organisations(seeds: Sequence[OrganisationSeed]) -> pl.DataFrame:
    rows = [
        {
            "org_code": seed.code,
            "name": seed.name,
            "org_type": _KINDS[0 if seed.is_own_account else min(seed.level, 2)],
            "parent_code": seed.parent,
            "level": seed.level,
            "is_own_account": int(seed.is_own_account),
            "region_code": seed.region,
            "uscc": social_credit_code(int(seed.region), 1_000 + place),
            "licence_no": f"{seed.code}{seed.region}01",
            "established_on": f"{2003 + place % 12}-0{1 + place % 9}-18",
            "closed_on": None,
            "status": "开业",
            "principal": f"{'赵钱孙李周吴郑王'[place % 8]}{'文武安邦'[place % 4]}",
            "address": f"{names.place_of(seed.region)}示范路{place + 1}号",
            "postcode": f"{seed.region[:2]}{place + 1:03d}0",
            "phone": f"400-{place + 1000}-{seed.code[:4]}",
        }
        for place, seed in enumerate(seeds)
    ]
    return pl.DataFrame(rows, schema_overrides={"parent_code": pl.String, "closed_on": pl.String})


def make_customers(
    rng: np.random.Generator, branches: Sequence[OrganisationSeed], policies: Ints
) -> Customers:
    """Customers for `policies[i]` policies of `branches[i]`: about six persons and two companies to ten policies."""
    persons: Ints = np.maximum(3, policies * 6 // 10)
    companies: Ints = np.maximum(3, policies * 2 // 10)
    blocks = np.stack([persons, companies], axis=1).ravel()
    starts = np.concatenate([[0], np.cumsum(blocks)[:-1]])
    block = np.repeat(np.arange(len(blocks)), blocks)
    branch, is_person = block // 2, block % 2 == 0
    count = len(block)

    codes = np.array([seed.code for seed in branches], dtype=object)[branch]
    region_texts = np.array([seed.region for seed in branches], dtype=object)[branch]
    regions = region_texts.astype(np.int64)
    cities = np.array([names.place_of(seed.region) for seed in branches], dtype=object)[branch]
    births = np.datetime64("1955-01-01") + rng.integers(0, 18_000, count).astype("timedelta64[D]")
    is_male = rng.random(count) < 0.52
    # The order code repeats for people of one region and birthday at worst; real cores have such pairs too.
    resident = resident_ids(regions, births, is_male, rng.integers(0, 500, count))
    credit = social_credit_codes(regions, 5_000_000 + np.arange(count))
    expiry = np.datetime64("2027-01-01") + rng.integers(0, 6_000, count).astype("timedelta64[D]")
    expiry[rng.random(count) < 0.2] = np.datetime64("9999-12-31")
    phones = mobiles(rng, count)
    has_mail = rng.random(count) < 0.4
    person_names = names.person_names(rng, count)
    company_names = names.company_names(rng, cities)
    frame = pl.DataFrame(
        {
            "customer_id": [f"K{code}{place:08d}" for place, code in enumerate(codes)],
            "org_code": codes.tolist(),
            "customer_type": np.where(is_person, "个人", "单位").tolist(),
            "name": np.where(is_person, person_names, company_names).tolist(),
            "id_type": np.where(is_person, "居民身份证", "统一社会信用代码").tolist(),
            "id_no": np.where(is_person, resident, credit).tolist(),
            "id_valid_to": expiry.astype(str).tolist(),
            "sex": np.where(is_person, np.where(is_male, "男", "女"), None).tolist(),  # type: ignore[arg-type]
            "born_on": np.where(is_person, births.astype(str), None).tolist(),  # type: ignore[arg-type]
            "region_code": region_texts.tolist(),
            "address": names.addresses(rng, cities).tolist(),
            "mobile": phones.tolist(),
            "email": [f"u{place}@example.com" if has else None for place, has in enumerate(has_mail)],
        }
    )
    return Customers(frame, starts[0::2], persons, starts[1::2], companies)
