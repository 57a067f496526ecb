"""What to write into a clean policy so that it breaks one rule of the benchmark standard and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from tests.benchmarks.data.columns import Numbers
from tests.benchmarks.data.identities import credit_codes, organisation_codes, people

RELATIONS = ("E01", "E02", "E03", "E04")
"""Rules between tables; their defects are made where the tables are."""

_DAY, _CENT = timedelta(days=1), Decimal("0.01")
_NEXT = {
    c: d
    for alphabet in ("0123456789", "ABCDEFGHJKLMNPQRTUWXY")
    for c, d in zip(alphabet, alphabet[1:] + alphabet[0], strict=True)
}


@dataclass(frozen=True)
class _Row:
    """A clean row as far as defects look at it, and identities that are free to be used in it."""

    number: int
    said: dict[str, Any]
    person: str
    is_male: bool
    born: date
    credit: str
    organisation: str


def row_defect(rule: str, table: pa.Table, at: Numbers) -> dict[str, pa.Array]:
    """The columns to change and their new values for the rows `at` of `table`."""
    random = np.random.default_rng([ROW_RULES.index(rule), *at[:1]])
    who = people(random, len(at))
    born = who.born.astype("datetime64[D]").tolist()
    persons, credits, organisations = (
        [bytes(row).decode() for row in matrix]
        for matrix in (who.numbers, credit_codes(random, len(at)), organisation_codes(random, len(at)))
    )
    rows = table.select(["TBRMC", "QBRQ", "BF", "ZZS"]).take(pa.array(at)).to_pylist()
    values: dict[str, list[Any]] = {}
    for place, said in enumerate(rows):
        row = _Row(
            int(at[place]), said, persons[place], bool(who.is_male[place]), born[place], credits[place], organisations[place]
        )  # fmt: skip
        for name, value in _DEFECTS[rule](row).items():
            values.setdefault(name, []).append(value)
    return {name: pa.array(given, table.schema.field(name).type) for name, given in values.items()}


def _none(name: str) -> Callable[[_Row], dict[str, Any]]:
    return lambda row: {name: None}


def _resident(row: _Row, **changes: Any) -> dict[str, Any]:
    """The row's owner has a resident identity card that fits; `changes` are what does not."""
    sex = "男" if row.is_male else "女"
    return {"ZJLX": "居民身份证", "ZJHM": row.person, "XB": sex, "CSRQ": row.born} | changes


def _passport(row: _Row, **changes: Any) -> dict[str, Any]:
    """The row's owner has a passport, so that nothing follows from the number."""
    return {"ZJLX": "护照", "ZJHM": f"E{row.number:08d}"} | changes


def _last_wrong(number: str) -> str:
    return number[:-1] + _NEXT[number[-1]]


def _long(row: _Row) -> str:
    return f"{row.said['TBRMC']}（第{row.number}号）" + "及其全体家庭成员和受益人" * 3


_DEFECTS: dict[str, Callable[[_Row], dict[str, Any]]] = {
    "M_BXJGDM": _none("BXJGDM"),
    "M_TBDH": _none("TBDH"),
    "M_XL": _none("XL"),
    "M_TBRMC": _none("TBRMC"),
    "M_ZJHM": _none("ZJHM"),
    "M_QBRQ": _none("QBRQ"),
    "M_BF": _none("BF"),
    "L_BXJGMC": lambda row: {"BXJGMC": _long(row)},
    "L_TBDH": lambda row: {"TBDH": f"T{row.number:030d}"},
    "L_TBRMC": lambda row: {"TBRMC": _long(row)},
    "L_BBXRMC": lambda row: {"BBXRMC": _long(row)},
    "C_XL": lambda row: {"XL": f"Z{row.number % 10}"},
    "C_ZJLX": lambda row: {"ZJLX": "身份证"},
    "C_XB": lambda row: _passport(row, XB="未知"),
    "C_XSQD": lambda row: {"XSQD": "代理"},
    "C_BDZT": lambda row: {"BDZT": "生效"},
    "T_CSRQ": lambda row: _passport(row, CSRQ=date(1899, 12, 31) - row.number % 900 * _DAY),
    "T_QDRQ": lambda row: {"QDRQ": date(1899, 12, 31) - row.number % 900 * _DAY},
    "T_QBRQ": lambda row: {"QBRQ": date(2101, 1, 1) + row.number % 900 * _DAY, "ZBRQ": None},
    "T_ZBRQ": lambda row: {"ZBRQ": date(2101, 1, 1) + row.number % 900 * _DAY},
    "P_XZDM": lambda row: {"XZDM": f"{row.number % 10000:04d}ab"},
    "P_CJH": lambda row: {"CJH": f"LO{row.number:015d}"},
    "N_TBRMC": lambda row: {"TBRMC": f"{row.said['TBRMC']}\n"},
    "F_SJHM": lambda row: {"SJHM": f"12{row.number % 10**9:09d}"},
    "F_XZQHDM": lambda row: {"XZQHDM": f"1101{row.number % 10}"},
    "K_ZJHM": lambda row: _resident(row, ZJHM=_last_wrong(row.person)),
    "K_BBXRZJHM": lambda row: {"BBXRZJHM": _last_wrong(row.person)},
    "K_TYDM": lambda row: {"TYDM": _last_wrong(row.credit)},
    "K_ZJJGDM": lambda row: {"ZJJGDM": _last_wrong(row.credit)},
    "K_ZZJGDM": lambda row: {"ZZJGDM": _last_wrong(row.organisation)},
    "D01": lambda row: {"ZBRQ": row.said["QBRQ"] - _DAY},
    "D02": lambda row: {"QBRQ": date(2026, 3, 1), "QDRQ": date(2026, 3, 2), "ZBRQ": date(2027, 2, 28)},
    "D03": lambda row: {"ZZS": row.said["ZZS"] + _CENT},
    "D04": lambda row: {"BE": row.said["BF"] - _CENT},
    "D05": lambda row: _resident(row, CSRQ=row.born + _DAY),
    "D06": lambda row: _resident(row, XB="女" if row.is_male else "男"),
    "D07": lambda row: {"XSQD": "专代", "ZJJGDM": None},
    "D08": lambda row: {"QDRQ": date(2026, 5, 1), "QBRQ": date(2026, 5, 2), "ZBRQ": date(2027, 5, 1)},
}

ROW_RULES = tuple(_DEFECTS)
"""The 38 row rules, in the order in which defective rows break them in turn."""
