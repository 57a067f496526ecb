"""Who works and sells for the simulated insurer: staff, sellers, agencies and brokers of every branch.

Each branch keeps a few that nobody uses any more – a seller who left, agencies whose licence and contract ran out –
as real registers do. How much they are paid is in `commissions`.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core import names
from resources.reference_core.catalogue import BANK, COUNTRY
from resources.reference_core.check_digits import account_numbers, mobiles, resident_ids, social_credit_codes
from resources.reference_core.drawing import Ints, days, either, padded, words
from resources.reference_core.part import Part
from resources.reference_core.places import place_of

KINDS = ("专业代理", "兼业代理", "经纪")  # of 专代, 兼代, 经纪
ACTIVE_OF_KIND = 3
EMPLOYEES, AGENTS = 30, 10  # the sellers of a branch; one of each has left
_STAFF = 16
_EDUCATION = ("本科", "本科", "大专", "大专", "硕士研究生", "博士研究生", "其他")
_POSTS = (("办公室", "总经理"), ("财务部", "会计"), ("核保部", "核保师"), ("理赔部", "查勘员"))


def make_staff(rng: np.random.Generator, part: Part) -> pl.DataFrame:
    """The manager first; the last one has left."""
    branch, place, frame = _persons(rng, part, _STAFF)
    has_left = place == _STAFF - 1
    post = np.where(place == 0, 0, 1 + place % 3)
    return frame.with_columns(
        ("YG" + part.codes(branch) + padded(place + 1, 4)).alias("staff_id"),
        words([department for department, _ in _POSTS], post).alias("department"),
        words([position for _, position in _POSTS], post).alias("position"),
        pl.Series("left_on", _left_on(has_left)),
        either(has_left, "离职", "在职").alias("status"),
        pl.Series("is_executive", (place == 0).astype(np.int64)),
    )


def make_sellers(rng: np.random.Generator, part: Part) -> pl.DataFrame:
    """Employees first, then agents; the last of each has left."""
    branch, place, frame = _persons(rng, part, EMPLOYEES + AGENTS)
    is_agent = place >= EMPLOYEES
    has_left = (place == EMPLOYEES - 1) | (place == EMPLOYEES + AGENTS - 1)
    return frame.with_columns(
        ("XS" + part.codes(branch) + padded(place + 1, 4)).alias("seller_code"),
        either(is_agent, "个人代理人", "员工").alias("kind"),
        pl.Series("left_on", _left_on(has_left)),
        either(has_left, "离职", "在职").alias("status"),
        ("02" + part.codes(branch) + padded(800_000_000 + place, 12)).alias("certificate_no"),
        pl.Series("certificate_to", np.full(len(branch), np.datetime64("2028-12-31"))),
    )


def make_intermediaries(rng: np.random.Generator, part: Part) -> pl.DataFrame:
    """`ACTIVE_OF_KIND` of each kind, and one more of each whose licence and contract ran out in 2024."""
    of_kind = ACTIVE_OF_KIND + 1
    count = len(KINDS) * of_kind
    branch = np.repeat(np.arange(len(part.branches)), count)
    place = np.tile(np.arange(count), len(part.branches))
    kind, is_over = place // of_kind, place % of_kind == ACTIVE_OF_KIND
    regions = np.array([int(seed.region) for seed in part.branches])[branch]
    cities = words([place_of(seed.region) for seed in part.branches], branch)
    until = np.where(is_over, np.datetime64("2024-12-31"), np.datetime64("2027-12-31"))
    codes = part.codes(branch)
    business = ("保险代理有限公司", "汽车销售服务有限公司", "保险经纪有限公司")
    return pl.DataFrame(
        {
            "intermediary_code": intermediary_codes(codes, place),
            "org_code": codes,
            "name": cities + "示例" + padded(place + 1, 2) + words(business, kind),
            "kind": words(KINDS, kind),
            "uscc": social_credit_codes(regions, 900_000 + place),
            "licence_no": "2" + codes + padded(800_000_000 + place, 11),
            "licence_from": np.full(len(branch), np.datetime64("2019-01-01")),
            "licence_to": until,
            "contract_no": "HT" + codes + padded(place + 1, 4),
            "contract_from": np.full(len(branch), np.datetime64("2020-01-01")),
            "contract_to": until,
            "commission_cap_bp": rng.integers(15, 21, len(branch)) * 100,
            "status": either(is_over, "终止", "有效"),
            "bank": words([BANK], np.zeros(len(branch), dtype=np.int64)),
            "bank_account": account_numbers(rng, len(branch)),
        }
    )


def intermediary_codes(branch_codes: pl.Series, place: Ints) -> pl.Series:
    return "ZJ" + branch_codes + padded(place + 1, 3)


def intermediary_place(kind: Ints, number: Ints) -> Ints:
    """The place of the `number`-th active intermediary of a kind within its branch."""
    return kind * (ACTIVE_OF_KIND + 1) + number


def _persons(rng: np.random.Generator, part: Part, each: int) -> tuple[Ints, Ints, pl.DataFrame]:
    """`each` persons of every branch: their branch, their place in it, and what all of them have."""
    branch = np.repeat(np.arange(len(part.branches)), each)
    place = np.tile(np.arange(each), len(part.branches))
    count = len(branch)
    units, regions = part.draw_units(rng, branch)
    births = np.datetime64("1965-01-01") + days(rng.integers(0, 13_000, count))
    is_male = rng.random(count) < 0.5
    frame = pl.DataFrame(
        {
            "org_code": part.codes(branch),
            "unit_code": units,
            "name": names.person_names(rng, count),
            "sex": either(is_male, "男", "女"),
            "id_type": words(["居民身份证"], np.zeros(count, dtype=np.int64)),
            # The places make the order code their own, so that no two people of a branch share a number.
            "id_no": resident_ids(regions, births, is_male, place + 100),
            "education": words(_EDUCATION, rng.integers(0, len(_EDUCATION), count)),
            "hired_on": np.datetime64("2010-01-01") + days(rng.integers(0, 5_000, count)),
            "mobile": mobiles(rng, count),
            "country": words([COUNTRY], np.zeros(count, dtype=np.int64)),
            "bank_account": account_numbers(rng, count),
        }
    )
    return branch, place, frame


def _left_on(has_left: np.ndarray) -> np.ndarray:
    return np.where(has_left, np.datetime64("2024-10-31"), np.datetime64("NaT", "D"))
