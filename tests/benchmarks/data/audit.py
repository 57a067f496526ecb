"""Table BDXXB of circ_audit at any size: the real dictionary, fields without a maker of their own filled by type and codes.

Rows are clean by the rules that look at this table alone; what the standard's rules find in it is reported, not assumed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.benchmarks.data.columns import choices, dates, day, decimals, digits, letters, texts
from tests.benchmarks.data.identities import names
from validations.engine import Field, Standard, arrow_schema
from validations.engine.types import PRECISION

BLOCK_ROWS = 122_880
SEED = 20260430
FROM, TO = "2026-01-01", "2026-04-30"
PARAMETERS = {
    "date_from": FROM, "date_to": TO, "year_from": FROM, "period_from": "202601", "period_to": "202604",
    "report": "detail", "key": "bench", "previous_from": "2025-09-01", "previous_to": "2025-12-31",
}  # fmt: skip


def write(path: Path, standard: Standard, rows: int) -> None:
    """Write so many policies, a row group at a time."""
    table = standard.table("BDXXB")
    schema = arrow_schema(table)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for first in range(0, rows, BLOCK_ROWS):
            count = min(BLOCK_ROWS, rows - first)
            random = np.random.default_rng([SEED, first, 3])
            made = _made(random, first, count)
            columns = [
                (made[f.name] if f.name in made else _by_type(standard, f, random, count)).cast(schema.field(f.name).type)
                for f in table.stored_fields
            ]  # fmt: skip
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), row_group_size=BLOCK_ROWS)


def _made(random: np.random.Generator, first: int, count: int) -> dict[str, pa.Array]:
    """Fields that rules hold against each other."""
    numbers = np.arange(first, first + count)
    none = np.zeros((count, 1), dtype=np.int64)
    signed = random.integers(day(FROM), day(TO) + 1, count)
    starts = signed + random.integers(0, 30, count)
    premium = random.integers(5_000, 3_000_000, count)
    tax = premium * 6 // 106
    branch = random.integers(0, 36, count)
    codes = [f"{number:02d}0000" for number in range(11, 47)]
    agent = random.random(count) < 0.4
    return {
        "BXJGDM": choices(codes, branch),
        "BXJGMC": choices([f"报送财产保险股份有限公司{code}分公司" for code in codes], branch),
        "GLJGDM": choices(codes, branch),
        "CDJGDM": choices(codes, branch),
        "CJRQ": dates(np.full(count, day(TO))),
        "BDH": texts(letters("P", none), digits(numbers, 14)),
        "TBDH": texts(letters("T", none), digits(numbers * 7919 % 10_000_000_019, 14)),
        "TBRMC": names(random, count),
        "BBXRMC": names(random, count),
        "TBRKHBH": texts(letters("K", none), digits(random.integers(0, 10**8, count), 10)),
        "BBXRKHBH": texts(letters("K", none), digits(random.integers(0, 10**8, count), 10)),
        "QDRQ": dates(signed),
        "HBRQ": dates(signed),
        "QBRQ": dates(starts),
        "ZBRQ": dates(starts + 365),
        "HBDM": choices(["CNY"], none[:, 0]),
        "BE": decimals(premium * random.integers(10, 2_000, count), 20, 2),
        "BF": decimals(premium, 20, 2),
        "BFBHS": decimals(premium - tax, 20, 2),
        "ZZS": decimals(tax, 20, 2),
        "CCS": decimals(random.integers(0, 100_000, count), 20, 2),
        "XSQD": choices(["直销", "经纪"], agent.astype(np.int64)),
        "ZJJGBM": texts(letters("Z", none), digits(random.integers(0, 5000, count), 6), valid=agent),
        "SXFBL": decimals(np.where(agent, random.integers(100, 2500, count), 0), 10, 4),
        "BDZT": choices(["有效"], none[:, 0]),
        "XBBDH": pa.nulls(count, pa.string()),
        "PGCS": pa.array(np.zeros(count, dtype=np.int64)),
    }


def _by_type(standard: Standard, field: Field, random: np.random.Generator, count: int) -> pa.Array:
    if field.codes is not None:
        values = standard.codes[field.codes].values
        return choices(values, random.integers(0, len(values), count))
    match field.type:
        case "text":
            number = digits(
                random.integers(0, 10 ** min(field.length or 8, 8), count), min(field.length or 8, 8)
            )
            return texts(number)
        case "integer":
            return pa.array(random.integers(0, 12, count))
        case "decimal":
            return decimals(random.integers(0, 10_000, count), field.precision or PRECISION, field.scale or 0)
        case "date":
            return dates(random.integers(day(FROM), day(TO) + 1, count))
