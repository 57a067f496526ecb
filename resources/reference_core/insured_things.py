"""What policies insure: one vehicle for each motor policy, one item for each other, and the shares of coinsured risks.

The two motor policies of one vehicle name each other and describe it alike.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core.catalogue import LINES, VEHICLE_LINES
from resources.reference_core.check_digits import vins
from resources.reference_core.drawing import NEVER, Ints, days, either, padded, run_numbers, words
from resources.reference_core.part import Part
from resources.reference_core.places import plate_of
from resources.reference_core.products import line_places

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_MODELS = ("示例牌SL7150", "示例牌SL6480", "示范牌SF1041", "示范牌SF5020")
_OTHERS = (("FS01", "甲示范财产保险股份有限公司（模拟）"), ("FS02", "乙示范财产保险股份有限公司（模拟）"))
_OWN = ("0099", "示范财产保险股份有限公司（模拟）")
_LEADING_BP, _FOLLOWING_BP = (6_000, 2_500, 1_500), (3_000, 5_000, 2_000)


def make_vehicles(rng: np.random.Generator, part: Part, policies: pl.DataFrame) -> pl.DataFrame:
    """One row per motor policy; the twins of a vehicle share everything but the policy number."""
    rows = np.flatnonzero(policies["line"].is_in(VEHICLE_LINES).to_numpy())
    count = len(rows)
    place_of_row = np.full(policies.height, -1, dtype=np.int64)
    place_of_row[rows] = np.arange(count)
    twin = policies["twin"].to_numpy()[rows]
    vehicle = np.where(twin >= 0, place_of_row[twin], np.arange(count))  # whose description it has
    related = np.where(twin >= 0, twin, -1)
    related[vehicle[twin >= 0]] = rows[twin >= 0]

    branch = part.branch[rows]
    serial = run_numbers(branch)
    by_company = policies["by_company"].to_numpy()[rows]
    is_electric = policies["is_new_energy"].to_numpy()[rows]
    is_truck = by_company & (rng.random(count) < 0.6)
    is_new = rng.random(count) < 0.03
    first = np.datetime64("2014-01-01") + days(rng.integers(0, 4_000, count))
    price = rng.integers(60, 400, count) * 100_000
    frame = pl.DataFrame(
        {
            "seq": np.ones(count, dtype=np.int64),
            "plate_no": either(is_new, None, _plates(part, branch, serial, is_electric)),
            "plate_colour": either(is_new, None, either(is_electric, "绿", either(is_truck, "黄", "蓝"))),
            "vin": vins(part.first + branch + 1, serial),
            "engine_no": "E" + padded(part.first + branch, 2) + padded(serial, 7),
            "model": words(_MODELS, rng.integers(0, 2, count) + 2 * is_truck),
            "vehicle_class": either(is_truck, "货车", "客车"),
            "vehicle_use": either(is_truck, "营业", either(by_company, "非营业", "家庭自用")),
            "seats": np.where(is_truck, 3, rng.choice(np.array([5, 5, 5, 7]), count)),
            "load_kg": np.where(is_truck, rng.integers(10, 120, count) * 100, 0),
            "first_registered_on": np.where(is_new, NEVER, first),
            "new_price_cents": price,
            "ncd_bp": rng.choice(np.array([6_000, 7_000, 8_500, 10_000, 12_500]), count),
        }
    )[vehicle]
    numbers = policies["policy_no"]
    return frame.with_columns(
        numbers.gather(rows).alias("policy_no"),
        either(related >= 0, numbers.gather(np.maximum(related, 0)), None).alias("related_policy_no"),
    )


def make_items(rng: np.random.Generator, part: Part, policies: pl.DataFrame) -> pl.DataFrame:
    """One row per policy of the other lines."""
    rows = np.flatnonzero(~policies["line"].is_in(VEHICLE_LINES).to_numpy())
    chosen = policies[rows]
    line = line_places(chosen["line"])
    _, regions = part.draw_units(rng, part.branch[rows])
    insured = chosen["sum_insured_cents"].to_numpy()
    kinds = words([kind.item for kind in LINES], line)
    return pl.DataFrame(
        {
            "policy_no": chosen["policy_no"],
            "seq": np.ones(len(rows), dtype=np.int64),
            "kind": kinds,
            "name": chosen["insured_name"].fill_null("") + "的" + kinds,
            "address": "示范路" + pl.Series(rng.integers(1, 900, len(rows))).cast(pl.String) + "号",
            "region_code": padded(regions, 6),
            "quantity": np.where(kinds == "种植养殖", rng.integers(1, 500, len(rows)), 1),
            "value_cents": insured * rng.integers(100, 121, len(rows)) // 100,
            "sum_insured_cents": insured,
            "premium_cents": chosen["premium_cents"],
        }
    )


def make_coinsurance(policies: pl.DataFrame) -> pl.DataFrame:
    """Three shares of every coinsured policy, this company's first; they are the whole risk together."""
    chosen = policies.filter(pl.col("coinsurance") != "否")
    leads = (chosen["coinsurance"] == "主共").to_numpy()
    bp = np.where(leads[:, None], np.array(_LEADING_BP), np.array(_FOLLOWING_BP))
    premium, insured = chosen["premium_cents"].to_numpy(), chosen["sum_insured_cents"].to_numpy()
    shares: list[pl.DataFrame] = []
    for place, (code, name) in enumerate((_OWN, *_OTHERS)):
        constant = np.zeros(chosen.height, dtype=np.int64)
        is_lead: Ints = (leads if place == 0 else (~leads & (place == 1))).astype(np.int64)
        shares.append(
            pl.DataFrame(
                {
                    "policy_no": chosen["policy_no"],
                    "seq": constant + place + 1,
                    "participant_code": words([code], constant),
                    "participant_name": words([name], constant),
                    "is_lead": is_lead,
                    "is_own": constant + (place == 0),
                    "share_bp": bp[:, place],
                    "sum_insured_cents": insured * bp[:, place] // bp[:, 0],
                    "premium_cents": premium * bp[:, place] // bp[:, 0],
                }
            )
        )
    return pl.concat(shares).sort("policy_no", "seq")


def _plates(part: Part, branch: Ints, serial: Ints, is_electric: np.ndarray) -> pl.Series:
    """Two letters and three digits, or D and five digits on the green plates of electric vehicles; each once in a branch."""
    mixed = (serial * 314_159 + 271_828) % (24 * 24 * 1_000)
    letters = [*_LETTERS]
    plain = words(letters, mixed // 24_000) + words(letters, mixed // 1_000 % 24) + padded(mixed % 1_000, 3)
    electric = words(letters, 3 + serial // 100_000) + padded(serial % 100_000, 5)
    return words([plate_of(seed.region) for seed in part.branches], branch) + either(
        is_electric, electric, plain
    )
