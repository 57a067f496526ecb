"""Products and what a policy's premium is divided into: coverages, with their limits and deductibles."""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.reference_core.catalogue import CODES, LINES
from resources.reference_core.drawing import Ints, words


def make_products() -> pl.DataFrame:
    """Two products of each line, and one that has ceased."""
    return pl.DataFrame(
        [
            {
                "product_code": f"{line.code}{number:02d}",
                "name": name,
                "line": line.code,
                "clause_code": f"T{line.code}{number:02d}",
                "filing_no": f"(示范财险)(备-{line.name})【{'2015' if ceased else '2020'}】(主){place * 3 + number:03d}号",
                "effective_on": "2015-03-01" if ceased else "2020-09-19",
                "ceased_on": ceased,
                "is_main": 1,
                "is_compulsory": int(line.code == "JQ"),
                "design_type": "行业示范" if line.is_vehicle else "自主开发",
                "commission_cap_bp": line.commission_cap_bp,
            }
            for place, line in enumerate(LINES)
            for number, name, ceased in (
                *((n, name, None) for n, name in enumerate(line.products, start=1)),
                (3, f"{line.name}（2015版）", "2025-06-30"),
            )
        ],
        schema_overrides={"ceased_on": pl.String},
    )


def line_places(column: pl.Series) -> Ints:
    """The place in `LINES` of each line code."""
    places = {code: place for place, code in enumerate(CODES)}
    return column.replace_strict(places, return_dtype=pl.Int64).to_numpy()


def make_coverages(policies: pl.DataFrame) -> pl.DataFrame:
    """The coverages of every policy, in their order; the first takes the cents that do not divide."""
    line = line_places(policies["line"])
    premium = policies["premium_cents"].to_numpy()
    shares, limits = _shares(line, premium), limits_of(line, premium)
    numbers = policies["policy_no"]
    parts: list[pl.DataFrame] = []
    for place in range(shares.shape[1]):
        codes = [k.coverages[place].code if place < len(k.coverages) else None for k in LINES]
        rows = np.flatnonzero(np.array([code is not None for code in codes])[line])
        premium_of = shares[rows, place]
        is_free = (premium_of % 3 == 0).astype(np.int64)
        parts.append(
            pl.DataFrame(
                {
                    "policy_no": numbers.gather(rows),
                    "seq": np.full(len(rows), place + 1),
                    "item_seq": np.ones(len(rows), dtype=np.int64),
                    "coverage_code": words(codes, line[rows]),
                    "sum_insured_cents": limits[rows, place],
                    "premium_cents": premium_of,
                    "deductible_cents": (1 - is_free) * (premium_of // 1_000) * 100,
                    "deductible_bp": (1 - is_free) * 500,
                    "no_deductible": is_free,
                }
            )
        )
    return pl.concat(parts).sort("policy_no", "seq")


def limits_of(line: Ints, premium: Ints) -> Ints:
    """Sums insured per policy and coverage, whole thousands of yuan."""
    return premium[:, None] * _table(line, "limit_times") // 100_000 * 100_000


def _shares(line: Ints, premium: Ints) -> Ints:
    shares = premium[:, None] * _table(line, "share_percent") // 100
    shares[:, 0] += premium - shares.sum(axis=1)
    return shares


def _table(line: Ints, attribute: str) -> Ints:
    widest = max(len(kind.coverages) for kind in LINES)
    rows = [
        [getattr(c, attribute) for c in kind.coverages] + [0] * (widest - len(kind.coverages))
        for kind in LINES
    ]
    return np.array(rows, dtype=np.int64)[line]
