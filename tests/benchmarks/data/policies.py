"""The benchmark standard's three tables, block by block: clean rows, then one defect in every n-th row.

Any number of rows in the memory of one block; the same bytes every time; no row is another's copy. A defect breaks one
rule and no other, so what must be found is known without looking: `answers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.data.columns import (
    Numbers,
    choices,
    dates,
    day,
    decimals,
    digits,
    letters,
    replaced,
    texts,
    without,
)
from tests.benchmarks.data.defects import RELATIONS, ROW_RULES, row_defect
from tests.benchmarks.data.identities import (
    REGIONS,
    credit_codes,
    mobiles,
    names,
    organisation_codes,
    people,
    vehicles,
)

BLOCK_ROWS = 122_880
SEED = 20260430
COLLECTED = day("2026-04-30")

LINES = ("JQ", "SY", "QC", "JC", "HY", "ZR", "YW")
CHANNELS = ("直销", "个代", "专代", "兼代", "经纪", "电销", "网销")
AGENTS = (2, 3, 4)
DOCUMENTS = ("居民身份证", "护照", "统一社会信用代码", "其他")
STATES = ("有效", "满期", "退保", "注销")
BRANCHES = tuple(
    f"{province:02d}0000" for province in (11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41)
)


@dataclass(frozen=True)
class Folder:
    """Where the tables lie."""

    policies: Path
    customers: Path
    coverages: Path


def write(folder: Path, *, rows: int, every: int, relations: bool) -> Folder:
    """Write the tables of so many policies with a defect in every `every`-th; customers and coverages where wanted."""
    files = Folder(folder / "BDXXB.parquet", folder / "KHXXB.parquet", folder / "BDXBB.parquet")
    customers = max(rows // 4, 1)
    policies = Writer(files.policies)
    coverages = Writer(files.coverages) if relations else None
    for first, table in blocks(rows, every):
        policies.write(table)
        if coverages is not None:
            coverages.write(_coverages(table, first, every))
    policies.close()
    if coverages is not None:
        coverages.close()
        writer = Writer(files.customers)
        for first in range(0, customers, BLOCK_ROWS):
            writer.write(_customers(first, min(BLOCK_ROWS, customers - first)))
        writer.close()
    return files


def answers(rows: int, every: int) -> Iterator[tuple[str, int]]:
    """The rule that every defective row breaks, and its number."""
    for row in range(0, rows, every):
        yield ROW_RULES[row // every % len(ROW_RULES)], row


def blocks(rows: int, every: int) -> Iterator[tuple[int, pa.Table]]:
    """Policies in blocks, with the number of the first row of each."""
    for first in range(0, rows, BLOCK_ROWS):
        count = min(BLOCK_ROWS, rows - first)
        random = np.random.default_rng([SEED, first])
        table = _clean(random, first, count, max(rows // 4, 1))
        numbers = np.arange(first, first + count)
        for place, rule in enumerate(ROW_RULES):
            at = np.flatnonzero((numbers % every == 0) & (numbers // every % len(ROW_RULES) == place))
            for name, values in row_defect(rule, table, at).items():
                table = _set(table, name, replaced(table[name].combine_chunks(), at, values))
        at = _relation_rows(numbers, every, "E02")
        lost = pa.array([f"K{number:010d}" for number in 9_000_000_000 + numbers[at]], pa.string())
        table = _set(table, "TBRKHBH", replaced(table["TBRKHBH"].combine_chunks(), at, lost))
        yield first, table


class Writer:
    """One Parquet file, a row group per block."""

    def __init__(self, path: Path) -> None:
        self.path, self._writer = path, None

    def write(self, table: pa.Table) -> None:
        self._writer = self._writer or pq.ParquetWriter(self.path, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=BLOCK_ROWS)

    def close(self) -> None:
        assert self._writer is not None
        self._writer.close()


def _set(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def _relation_rows(numbers: Numbers, every: int, rule: str) -> Numbers:
    """The rows, between the defective ones, from which a defect between tables starts."""
    wanted = (numbers % every == every // 2) & (numbers // every % len(RELATIONS) == RELATIONS.index(rule))
    return np.flatnonzero(wanted) if every > 1 else np.array([], dtype=np.int64)


def _clean(random: np.random.Generator, first: int, count: int, customers: int) -> pa.Table:
    numbers = np.arange(first, first + count)
    owner, insured = people(random, count), people(random, count)
    document = np.searchsorted([0.7, 0.8, 0.95], random.random(count))
    channel = random.integers(0, len(CHANNELS), count)
    has_agent = np.isin(channel, AGENTS) | (random.random(count) < 0.1)
    branch = random.integers(0, len(BRANCHES), count)
    signed = COLLECTED - random.integers(0, 900, count)
    starts = signed + random.integers(0, 30, count)
    premium = random.integers(5_000, 3_000_000, count)
    tax = premium * 6 // 106
    serial = numbers * 7919 % 10_000_000_019
    is_resident, is_passport = document == 0, document == 1
    return pa.table(
        {
            "BXJGDM": choices(BRANCHES, branch),
            "BXJGMC": choices([f"报送财产保险股份有限公司{code}分公司" for code in BRANCHES], branch),
            "CJRQ": dates(np.full(count, COLLECTED)),
            "BDH": texts(letters("P", np.zeros((count, 1), dtype=np.int64)), digits(numbers, 12)),
            "TBDH": texts(letters("T", np.zeros((count, 1), dtype=np.int64)), digits(serial, 14)),
            "XZDM": texts(
                digits(random.integers(0, 300, count), 4),
                letters("ABCDEF", random.integers(0, 6, (count, 2))),
            ),
            "XL": choices(LINES, random.integers(0, len(LINES), count)),
            "TBRKHBH": texts(
                letters("K", np.zeros((count, 1), dtype=np.int64)),
                digits(random.integers(0, customers, count), 10),
            ),
            "TBRMC": names(random, count),
            "ZJLX": choices(DOCUMENTS, document),
            "ZJHM": texts(
                owner.numbers,
                letters("EG", random.integers(0, 2, (count, 1))),
                digits(random.integers(0, 10**8, count), 8),
                credit_codes(random, count),
                keep={0: is_resident, 1: is_passport, 2: is_passport | (document == 3), 3: document == 2},
            ),
            "XB": choices(("女", "男"), owner.is_male.astype(np.int64)),
            "CSRQ": dates(owner.born),
            "TYDM": texts(credit_codes(random, count), valid=random.random(count) < 0.4),
            "BBXRMC": names(random, count),
            "BBXRZJHM": texts(insured.numbers),
            "SJHM": texts(mobiles(random, count)),
            "XZQHDM": texts(digits(REGIONS[random.integers(0, len(REGIONS), count)], 6)),
            "CJH": texts(vehicles(random, count)),
            "QDRQ": dates(signed),
            "QBRQ": dates(starts),
            "ZBRQ": dates(starts + random.integers(30, 731, count)),
            "BE": decimals(premium * random.integers(1, 2_000, count), 18, 2),
            "BF": decimals(premium, 18, 2),
            "BFBHS": decimals(premium - tax, 18, 2),
            "ZZS": decimals(tax, 18, 2),
            "XSQD": choices(CHANNELS, channel),
            "ZJJGDM": texts(credit_codes(random, count), valid=has_agent),
            "ZZJGDM": without(texts(organisation_codes(random, count)), random.random(count) < 0.5),
            "BDZT": choices(STATES, random.integers(0, len(STATES), count)),
        }
    )


def _customers(first: int, count: int) -> pa.Table:
    random = np.random.default_rng([SEED, first, 1])
    return pa.table(
        {
            "KHBH": texts(letters("K", np.zeros((count, 1), dtype=np.int64)), digits(np.arange(first, first + count), 10)),
            "KHMC": names(random, count),
            "XZQHDM": texts(digits(REGIONS[random.integers(0, len(REGIONS), count)], 6)),
        }
    )  # fmt: skip


def _coverages(policies: pa.Table, first: int, every: int) -> pa.Table:
    """One coverage for even policies, two for odd ones; they add up to the premium but where a defect is due."""
    count = policies.num_rows
    numbers = np.arange(first, first + count)
    random = np.random.default_rng([SEED, first, 2])
    premium = (
        np.frombuffer(policies["BF"].combine_chunks().buffers()[1], dtype=np.int64)
        .reshape(-1, 2)[:count, 0]
        .copy()
    )
    premium[np.asarray(policies["BF"].combine_chunks().is_null())] = 0
    second = np.where(numbers % 2 == 1, premium * random.integers(10, 90, count) // 100, 0)
    two = np.flatnonzero(numbers % 2 == 1)
    doubled, lost = _relation_rows(numbers, every, "E01"), _relation_rows(numbers, every, "E03")
    cent = np.zeros(count, dtype=np.int64)
    cent[_relation_rows(numbers, every, "E04")] = 1
    of = np.concatenate([np.arange(count), two, doubled, lost])
    number = np.repeat([1, 2, 1, 1], [count, len(two), len(doubled), len(lost)])
    amount = np.concatenate(
        [premium - second + cent, second[two], np.zeros(len(doubled) + len(lost), dtype=np.int64)]
    )
    policy = np.concatenate([numbers, numbers[two], numbers[doubled], 900_000_000_000 + numbers[lost]])
    order = np.argsort(of, kind="stable")
    table = pa.table(
        {
            "BDH": texts(letters("P", np.zeros((len(of), 1), dtype=np.int64)), digits(policy, 12)),
            "BDXH": pa.array(number),
            "XBDM": texts(digits(random.integers(0, 90, len(of)), 4)),
            "XBBE": decimals(amount * 100, 18, 2),
            "XBBF": decimals(amount, 18, 2),
        }
    )
    return table.take(pa.array(order))
