"""circ_audit beyond its examples: covers, overlaps and chains of premiums against independent ones by hand, and books in
which one wrong cent is blamed once.

What each rule lets pass and finds stands in the standard's `examples/`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validations.engine import arrow_schema, judge, load_standard

STANDARD = load_standard("circ_audit")
PARAMETERS = {
    "date_from": "2026-01-01",
    "date_to": "2026-03-31",
    "period_from": "202601",
    "period_to": "202603",
    "report": "detail",
}
FIRST = date(2026, 1, 1)
Row = Mapping[str, object]
Found = list[tuple[str, str]]
Judged = Callable[[Mapping[str, Sequence[Row]], Collection[str]], Found]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Judge some rules on some tables; fields that a row does not name are NULL: [(rule, first value of the key)]."""

    def judge_tables(tables: Mapping[str, Sequence[Row]], rules: Collection[str]) -> Found:
        folder = tmp_path_factory.mktemp("tables")
        paths: dict[str, Path] = {}
        for name, rows in tables.items():
            schema = arrow_schema(STANDARD.table(name))
            columns = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
            paths[name] = folder / f"{name}.parquet"
            pq.write_table(pa.Table.from_arrays(columns, schema=schema), paths[name])
        findings = folder / "findings.parquet"
        judgement = judge(
            STANDARD,
            paths,
            report="detail",
            parameters=PARAMETERS,
            findings=findings,
            rules=rules,
            partial=True,
        )
        assert set(judgement.counts) == set(rules)
        keys: list[tuple[str, str]] = list(pl.read_parquet(findings).select("rule", "key").iter_rows())
        return sorted((rule, " ".join(json.loads(key).values())) for rule, key in keys)

    return judge_tables


Endorsement = tuple[int, int | None, int | None, bool]
endorsements = st.tuples(
    st.integers(0, 20),
    st.none() | st.integers(0, 20),
    st.none() | st.integers(0, 20),
    st.booleans(),
)


def is_covered(start: int, end: int, changes: Sequence[Endorsement], accident: int) -> bool:
    """Endorsements one after the other; the last one effective by the day of the accident counts, a surrender ends all."""
    for effective, new_start, new_end, _ in changes:
        if effective <= accident:
            start = start if new_start is None else new_start
            end = end if new_end is None else new_end
    surrenders = [e for e, _, _, is_surrender in changes if is_surrender and e <= accident]
    until = min([end, *surrenders])
    return start > until or start <= accident <= until  # a period turned round is D01's matter


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 20), st.integers(0, 20), st.lists(endorsements, max_size=3), st.integers(0, 20)
        ),
        min_size=40,
        max_size=60,
    )
)
def test_cover_as_endorsed_agrees_with_one_by_hand(
    judged: Judged, policies: list[tuple[int, int, list[Endorsement], int]]
) -> None:
    tables: dict[str, list[Row]] = {"BDXXB": [], "PDXXB": [], "PAXXB": []}
    for number, (start, end, changes, accident) in enumerate(policies):
        tables["BDXXB"].append({"BDH": f"P{number}", "QBRQ": day(start), "ZBRQ": day(end)})
        tables["PAXXB"].append({"PAH": f"C{number}", "BDH": f"P{number}", "CXRQ": day(accident)})
        tables["PDXXB"] += [
            {
                "PDH": f"E{number}-{order}", "BDH": f"P{number}", "PDXH": order, "PDSXRQ": day(effective),
                "PGLX": "退保" if is_surrender else "保费变更",
                "PGHQBRQ": None if new_start is None else day(new_start),
                "PGHZBRQ": None if new_end is None else day(new_end),
            }
            for order, (effective, new_start, new_end, is_surrender) in enumerate(changes, 1)
        ]  # fmt: skip
    expected = [("D04", f"C{n}") for n, policy in enumerate(policies) if not is_covered(*policy)]
    assert judged(tables, ["D04"]) == sorted(expected)


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("AB"),
            st.sampled_from(("JQ", "SY")),
            st.integers(0, 60),
            st.integers(0, 12),
            st.booleans(),
        ),
        max_size=16,
    )
)
def test_overlapping_policies_of_a_vehicle_agree_with_every_pair(
    judged: Judged, policies: list[tuple[str, str, int, int, bool]]
) -> None:
    tables: dict[str, list[Row]] = {"BDXXB": [], "CXBDB": []}
    for n, (vin, line, start, days, is_over) in enumerate(policies):
        tables["BDXXB"].append(
            {
                "BDH": f"P{n:02}", "XL": line, "QBRQ": day(start), "ZBRQ": day(start + days),
                "BDZT": "退保" if is_over else "有效",
            }
        )  # fmt: skip
        tables["CXBDB"].append({"BDH": f"P{n:02}", "BDXH": 1, "CJH": vin})
    numbered = [
        (start, n, vin, line, start + days)
        for n, (vin, line, start, days, over) in enumerate(policies)
        if not over
    ]
    later = {
        second[1]
        for first in numbered
        for second in numbered
        if first[:2] < second[:2] and first[2:4] == second[2:4] and second[0] <= first[4]
    }
    assert judged(tables, ["E13"]) == [("E13", f"P{n:02} 1") for n in sorted(later)]


@settings(max_examples=6, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.lists(st.tuples(st.integers(-2, 2), st.integers(-1, 1)), max_size=4)),
        min_size=10,
        max_size=30,
    )
)
def test_premiums_of_endorsements_follow_on_the_policy_and_all_changes(
    judged: Judged, policies: list[tuple[int, list[tuple[int, int]]]]
) -> None:
    """Each endorsement says a change and a premium after it that may be off; every one that is off is found."""
    tables: dict[str, list[Row]] = {"BDXXB": [], "PDXXB": []}
    expected: Found = []
    for number, (premium, changes) in enumerate(policies):
        tables["BDXXB"].append({"BDH": f"P{number}", "BF": Decimal(premium)})
        so_far = premium
        for order, (change, off) in enumerate(changes, 1):
            so_far += change
            tables["PDXXB"].append(
                {
                    "PDH": f"E{number}-{order}", "BDH": f"P{number}", "PDXH": order, "BXJGDM": "440000",
                    "BFBHL": Decimal(change), "PGHBF": Decimal(so_far + off),
                    "PGQBF": Decimal(so_far + off - change),
                }
            )  # fmt: skip
            expected += [("E03", f"E{number}-{order}")] if off else []
    assert judged(tables, ["D06", "E02", "E03"]) == sorted(expected)


PARENTS = {
    "1002": None,
    "4001": None,
    "6031": None,
    "6031JQ": "6031",
    "6031SY": "6031",
    "6511": None,
    "6511SY": "6511",
}
LEAVES = ("1002", "4001", "6031JQ", "6031SY", "6511SY")
MONTHS = ("202601", "202602", "202603")
BRANCHES = ("350000", "440000")
HEAD = "000000"
BOOK_RULES = [
    rule.id for rule in STANDARD.rules if rule.id in ("A02", "R04", "R05", "R06", "R07", "R08", "R10", "P01")
]
Booking = tuple[str, str, str, str, int]
bookings = st.tuples(
    st.sampled_from(BRANCHES),
    st.sampled_from(MONTHS),
    st.sampled_from(LEAVES),
    st.sampled_from(LEAVES),
    st.integers(-300, 300),
)


@dataclass
class Book:
    """Vouchers of branches, and the ledgers that follow: leaves, the accounts above them, the company as their sum."""

    vouchers: list[dict[str, object]]
    ledger: dict[tuple[str, str, str], dict[str, object]]

    def tables(self) -> dict[str, Sequence[Row]]:
        organisations = [{"FZJGDM": code, "SJJGDM": HEAD} for code in BRANCHES] + [{"FZJGDM": HEAD}]
        return {"JGXXB": organisations, "CWPZXXB": self.vouchers, "ZZKJQKMB": list(self.ledger.values())}


def keep_books(entries: Sequence[Booking]) -> Book:
    vouchers: list[dict[str, object]] = []
    moved: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for number, (branch, month, debited, credited, cents) in enumerate(entries):
        for line, (account, side) in enumerate(((debited, 0), (credited, 1)), 1):
            amounts = [Decimal(0), Decimal(0)]
            amounts[side] = Decimal(cents) / 100
            vouchers.append(
                {
                    "FZJGDM": branch, "PZH": f"V{number}", "FLH": line, "KJQJ": month, "KMBH": account,
                    "HBDM": "CNY", "JFJE": amounts[0], "DFJE": amounts[1],
                }
            )  # fmt: skip
            above = PARENTS[account]
            for organisation in (branch, HEAD):
                for each in (account, *([above] if above else [])):
                    moved[organisation, each, month][side] += cents
    ledger: dict[tuple[str, str, str], dict[str, object]] = {}
    for organisation in (*BRANCHES, HEAD):
        for account, above in PARENTS.items():
            balance = Decimal(0)
            for month in MONTHS:
                debit, credit = (Decimal(cents) / 100 for cents in moved[organisation, account, month])
                closing = balance + debit - credit
                ledger[organisation, account, month] = {
                    "FZJGDM": organisation, "KMBH": account, "KJQJ": month, "HBDM": "CNY",
                    "KMJC": 2 if above else 1, "SJKMBH": above, "BQJF": debit, "BQDF": credit,
                    "QCJF": max(balance, Decimal(0)), "QCDF": max(-balance, Decimal(0)),
                    "QMJF": max(closing, Decimal(0)), "QMDF": max(-closing, Decimal(0)),
                }  # fmt: skip
                balance = closing
    return Book(vouchers, ledger)


def add(row: dict[str, object], field: str, amount: Decimal) -> None:
    value = row[field]
    assert isinstance(value, Decimal)
    row[field] = value + amount


@settings(max_examples=5, deadline=None)
@given(st.lists(bookings, min_size=1, max_size=12))
def test_books_kept_from_vouchers_have_no_findings(judged: Judged, entries: list[Booking]) -> None:
    assert judged(keep_books(entries).tables(), BOOK_RULES) == []


MOVEMENT, OPENING, CLOSING = ("BQJF", "QMJF"), ("QCJF", "QMJF"), ("QMJF",)


@pytest.mark.parametrize(
    ("rule", "account", "month", "fields"),
    [
        ("R05", "1002", "202601", MOVEMENT),
        ("R05", "6031SY", "202602", MOVEMENT),
        ("R05", "6511SY", "202603", MOVEMENT),
        ("R06", "6031JQ", "202601", CLOSING),
        ("R06", "6511", "202603", CLOSING),
        ("R08", "6511", "202601", MOVEMENT),
        ("R08", "6511", "202603", MOVEMENT),
        ("P01", "1002", "202602", OPENING),
        ("P01", "6031", "202603", OPENING),
    ],
)
def test_one_wrong_cent_in_the_books_is_blamed_once_and_in_its_month(
    judged: Judged, rule: str, account: str, month: str, fields: Sequence[str]
) -> None:
    """Carried through the later months as a ledger would, but a closing that R06 finds; what only follows is silent."""
    pairs = (("1002", "6031SY"), ("6511SY", "1002"), ("1002", "6031JQ"), ("1002", "4001"))
    book = keep_books([(b, m, *pair, 250) for b in BRANCHES for m in MONTHS for pair in pairs])
    for each in MONTHS:
        row = book.ledger["440000", account, each]
        carried = OPENING if each > month and fields != CLOSING else ()
        for field in fields if each == month else carried:
            add(row, field, Decimal("0.01"))
    assert judged(book.tables(), BOOK_RULES) == [(rule, f"440000 {account} {month} CNY")]


def test_a_wrong_cent_in_a_voucher_is_blamed_on_the_voucher(judged: Judged) -> None:
    book = keep_books([("440000", "202601", "1002", "6031SY", 250), ("440000", "202601", "1002", "4001", 99)])
    add(book.vouchers[0], "JFJE", Decimal("0.01"))
    assert judged(book.tables(), BOOK_RULES) == [("R04", "440000 V0 1")]
