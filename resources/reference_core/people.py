"""The organisations and the customers of the reference core.

Customers belong to one branch (level 1) and stand in blocks: branch by branch, persons before companies, so that a
policy finds a customer of its branch by arithmetic. Who works for the company is in `sales_force`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from resources.reference_core import names
from resources.reference_core.catalogue import COUNTRY, OrganisationSeed
from resources.reference_core.check_digits import (
    mobiles,
    resident_ids,
    social_credit_code,
    social_credit_codes,
)
from resources.reference_core.drawing import Ints, days, either, padded, run_numbers, words
from resources.reference_core.part import Part
from resources.reference_core.places import place_of

_KINDS = ("总公司", "省分", "中支")
_INDUSTRIES = ("13", "26", "34", "39", "47", "51", "52", "54", "59", "65", "70", "72", "84")


@dataclass(frozen=True)
class Customers:
    """All customers of a part, and where in `frame` each branch's persons and companies begin and how many they are."""

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
            "org_type": _kind(seed),
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
            "address": f"{place_of(seed.region)}示范路{place + 1}号",
            "postcode": f"{seed.region[:2]}{place + 1:03d}0",
            "phone": f"400-{place + 1000}-{seed.code[:4]}",
        }
        for place, seed in enumerate(seeds)
    ]
    return pl.DataFrame(rows, schema_overrides={"parent_code": pl.String, "closed_on": pl.String})


def make_customers(rng: np.random.Generator, part: Part) -> Customers:
    """About six persons and two companies to ten policies of a branch."""
    persons: Ints = np.maximum(3, part.counts * 6 // 10)
    companies: Ints = np.maximum(3, part.counts * 2 // 10)
    blocks = np.stack([persons, companies], axis=1).ravel()
    starts = np.concatenate([[0], np.cumsum(blocks)[:-1]])
    block = np.repeat(np.arange(len(blocks)), blocks)
    branch, is_person = block // 2, block % 2 == 0
    count = len(block)

    codes = part.codes(branch)
    _, regions = part.draw_units(rng, branch)
    region_texts = padded(regions, 6)
    cities = words([place_of(seed.region) for seed in part.branches], branch)
    births = np.datetime64("1955-01-01") + days(rng.integers(0, 18_000, count))
    is_male = rng.random(count) < 0.52
    # The order code repeats for people of one region and birthday at worst; real cores have such pairs too.
    resident = resident_ids(regions, births, is_male, rng.integers(0, 500, count))
    serial = run_numbers(branch)
    credit = social_credit_codes(regions, 5_000_000 + serial)
    expiry = np.datetime64("2027-01-01") + days(rng.integers(0, 6_000, count))
    expiry[rng.random(count) < 0.2] = np.datetime64("9999-12-31")
    has_mail = rng.random(count) < 0.4
    person_names = names.person_names(rng, count)
    risk = rng.random(count)
    frame = pl.DataFrame(
        {
            "customer_id": "K" + codes + padded(serial + 1, 8),
            "org_code": codes,
            "customer_type": either(is_person, "个人", "单位"),
            "name": either(is_person, person_names, names.company_names(rng, cities)),
            "id_type": either(is_person, "居民身份证", "统一社会信用代码"),
            "id_no": either(is_person, resident, credit),
            "id_valid_to": expiry,
            "sex": either(is_person, either(is_male, "男", "女"), None),
            "born_on": np.where(is_person, births, np.datetime64("NaT", "D")),
            "country": either(is_person, COUNTRY, COUNTRY),
            "occupation": either(is_person, (pl.Series(rng.integers(1, 9, count)).cast(pl.String)), None),
            "industry": either(is_person, None, words(_INDUSTRIES, rng.integers(0, len(_INDUSTRIES), count))),
            "region_code": region_texts,
            "address": names.addresses(rng, cities),
            "mobile": mobiles(rng, count),
            "email": either(has_mail, "u" + codes + padded(serial + 1, 8) + "@example.com", None),
            "legal_person": either(is_person, None, person_names),
            "aml_risk": either(risk < 0.9, "低", either(risk < 0.98, "中", "高")),
            "is_related": np.zeros(count, dtype=np.int64),
        }
    )
    return Customers(frame, starts[0::2], persons, starts[1::2], companies)


def _kind(seed: OrganisationSeed) -> str:
    if seed.level == 2 and seed.name.endswith("支公司") and "中心" not in seed.name:
        return "支公司"
    return _KINDS[0 if seed.is_own_account else min(seed.level, 2)]
