"""What both peers are given alike: the policies in pandas, and the columns of which they have no notion.

Runs in a peer's own environment and imports nothing of Baosong. Byte lengths, check digits and conditions between
fields are worked out here, whole columns at a time, so that no peer pays for Python row by row; where a peer has a
judge of its own (not null, in a set, between, regex, pairs) it is the peer that judges.
"""

from __future__ import annotations

import csv
import hashlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

MANDATORY = ("BXJGDM", "TBDH", "XL", "TBRMC", "ZJHM", "QBRQ", "BF")
LENGTHS = {"BXJGMC": 60, "TBDH": 30, "TBRMC": 60, "BBXRMC": 60}
CODES = {"XL": "line", "ZJLX": "identity_type", "XB": "sex", "XSQD": "channel", "BDZT": "policy_status"}
DATES = ("CSRQ", "QDRQ", "QBRQ", "ZBRQ")
FIRST, LAST = pd.Timestamp("1900-01-01"), pd.Timestamp("2100-12-31")
FORMS = {
    "P_XZDM": ("XZDM", r"^[0-9]{4}[A-Z]{2}\Z"),
    "P_CJH": ("CJH", r"^[0-9A-HJ-NPR-Z]{17}\Z"),
    "F_SJHM": ("SJHM", r"^1[3-9][0-9]{9}\Z"),
    "F_XZQHDM": ("XZQHDM", r"^[0-9]{6}\Z"),
}
BANNED = r"[\x00\r\n\x01]"
PAIRS = {"D01": ("ZBRQ", "QBRQ"), "D02": ("QBRQ", "QDRQ"), "D04": ("BE", "BF"), "D08": ("CJRQ", "QDRQ")}
"""The first is not less than the second."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC = r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"


def load(path: Path) -> pd.DataFrame:
    """The policies: texts as pandas keeps them, dates as datetime64, decimals exact in Arrow."""
    table = pq.read_table(path)

    def mapped(kind: pa.DataType) -> pd.ArrowDtype | None:
        return pd.ArrowDtype(kind) if pa.types.is_decimal(kind) else None

    return table.to_pandas(types_mapper=mapped, date_as_object=False)


def codes(standard: Path, name: str) -> list[str]:
    """The codes of a list of the benchmark standard."""
    with (standard / "codes" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [row["code"] for row in csv.DictReader(file)]


def byte_lengths(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Length rule → bytes in GB18030 of each text; null for null."""
    return {f"L_{name}": frame[name].str.encode("gb18030").str.len() for name in LENGTHS}


def conditions(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Rule → whether each row keeps it, for the rules no peer has a judge for."""
    resident = frame["ZJLX"] == "居民身份证"
    number = frame["ZJHM"]
    has_number = resident & (number.str.len() == 18)
    born = pd.to_datetime(number.where(has_number).str.slice(6, 14), format="%Y%m%d", errors="coerce")
    sex = number.where(has_number).str.slice(16, 17)
    wanted = sex.isin(["1", "3", "5", "7", "9"]).map({True: "男", False: "女"})
    return {
        "K_ZJHM": ~resident | _holds(number, r"[0-9]{17}[0-9X]", _resident),
        "K_BBXRZJHM": _holds(frame["BBXRZJHM"], r"[0-9]{17}[0-9X]", _resident),
        "K_TYDM": _holds(frame["TYDM"], USCC, _uscc),
        "K_ZJJGDM": _holds(
            frame["ZJJGDM"], USCC, lambda matrix: _uscc(matrix) & _organisation(matrix[:, 8:17])
        ),
        "K_ZZJGDM": _holds(frame["ZZJGDM"], r"[0-9A-Z]{8}[0-9X]", _organisation),
        "D03": (frame["BF"] == frame["BFBHS"] + frame["ZZS"]).fillna(value=True).astype(bool),
        "D05": ~has_number | born.isna() | frame["CSRQ"].isna() | (frame["CSRQ"] == born),
        "D06": ~has_number | frame["XB"].isna() | (frame["XB"] == wanted),
        "D07": ~frame["XSQD"].isin(["专代", "兼代", "经纪"]) | frame["ZJJGDM"].notna(),
    }


def _holds(texts: pd.Series, form: str, judge: Callable[[np.ndarray], np.ndarray]) -> pd.Series:
    holds = texts.isna()
    fits = texts.str.fullmatch(form).fillna(value=False).astype(bool)
    given = texts[fits].to_numpy(dtype="S18" if "{17}" in form or form == USCC else "S9")
    matrix = given.view(np.uint8).reshape(len(given), -1)
    holds[fits] = judge(matrix)
    return holds


def _resident(matrix: np.ndarray) -> np.ndarray:
    value = matrix[:, :17].astype(np.int32) - 48
    total = value @ np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
    check = np.frombuffer(b"10X98765432", dtype=np.uint8)[total % 11]
    birth = pd.Series(matrix[:, 6:14].copy().view("S8").ravel().astype(str))
    return (check == matrix[:, 17]) & pd.to_datetime(
        birth, format="%Y%m%d", errors="coerce"
    ).notna().to_numpy()


def _uscc(matrix: np.ndarray) -> np.ndarray:
    index = np.zeros(256, dtype=np.int32)
    index[np.frombuffer(ALPHABET.encode(), dtype=np.uint8)] = np.arange(31)
    total = index[matrix[:, :17]] @ np.array([pow(3, i, 31) for i in range(17)], dtype=np.int32)
    return index[matrix[:, 17]] == -total % 31


def _organisation(matrix: np.ndarray) -> np.ndarray:
    base36 = np.where(matrix[:, :8] > 57, matrix[:, :8] - 55, matrix[:, :8] - 48).astype(np.int32)
    total = base36 @ np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int32)
    return np.frombuffer(b"0123456789X", dtype=np.uint8)[-total % 11] == matrix[:, 8]


def report(work: Callable[[], Iterable[tuple[str, int]]]) -> None:
    """Time the work, imports left out, and print what it cost and what it found."""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
    found = sorted(work())
    after, wall = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
    digest = hashlib.sha256("".join(f"{rule}\t{row}\n" for rule, row in found).encode()).hexdigest()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    json.dump({"cpu": cpu, "wall": wall, "findings": len(found), "digest": digest}, sys.stdout)
