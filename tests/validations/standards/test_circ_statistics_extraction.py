"""How the reference core fills the statistics: every leaf item by hand, the ledger's side, organisations with their regions."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from resources.deployment.connections import SqliteSource
from resources.settings import CHECKOUT
from resources.sources import open_source
from validations.engine import arrow_schema, load_standard

SQL = CHECKOUT / "sql" / "reference_core"
STANDARD = load_standard("circ_statistics")
QUARTER = {
    "date_from": "2026-01-01",
    "date_to": "2026-03-31",
    "period_from": "202601",
    "period_to": "202603",
    "year_from": "2026-01-01",
    "organisations": ["440000"],
    "sub_organisations": ["440000", "440100"],
}
Figures = dict[tuple[str, str], Decimal]
Extract = Callable[..., list[dict[str, Any]]]
ORGANISATIONS = (
    ("000000", None, 0, 0), ("000001", "000000", 1, 1), ("440000", "000000", 1, 0), ("330000", "000000", 1, 0),
    ("440100", "440000", 2, 0),
)  # fmt: skip
UNIT, BRANCH = "440100", "440000"


def row(connection: sqlite3.Connection, table: str, **values: object) -> None:
    """A row with what the test says; mandatory columns it leaves out get something harmless."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    filled = {
        name: values.get(name, (0 if kind in ("INTEGER", "BIGINT") else "x") if is_mandatory else None)
        for _, name, kind, is_mandatory, *_ in columns
    }
    assert set(values) <= set(filled), set(values) - set(filled)
    marks = ", ".join("?" * len(filled))
    connection.execute(f"INSERT INTO {table} VALUES ({marks})", list(filled.values()))


def policy(connection: sqlite3.Connection, number: str, **values: object) -> None:
    standing: dict[str, object] = {
        "org_code": BRANCH, "undertaking_org": UNIT, "line": "SY", "signed_on": "2026-01-10", "channel": "直销",
        "starts_on": "2026-01-10", "ends_on": "2027-01-09", "applicant_id": "K1", "status": "有效",
    }  # fmt: skip
    row(connection, "policy", policy_no=number, **(standing | values))


def claim(connection: sqlite3.Connection, number: str, reported_on: str, **values: object) -> None:
    standing: dict[str, object] = {
        "org_code": BRANCH,
        "line": "SY",
        "occurred_on": reported_on,
        "policy_no": "P1",
    }
    row(connection, "claim", claim_no=number, reported_on=reported_on, **(standing | values))


def balance(connection: sqlite3.Connection, account: str, period: str, opening: int, movement: int) -> None:
    """One month of one account in net debits; what is owed stands on the credit side."""
    closing = opening + movement
    row(
        connection, "gl_balance", org_code=BRANCH, account_no=account, period=period,
        opening_debit_cents=max(opening, 0), opening_credit_cents=max(-opening, 0),
        debit_cents=max(movement, 0), credit_cents=max(-movement, 0),
        closing_debit_cents=max(closing, 0), closing_credit_cents=max(-closing, 0),
    )  # fmt: skip


@pytest.fixture
def core(tmp_path: Path) -> sqlite3.Connection:
    """A core with two branches, one sub-branch, two customers, and a policy of 2025 that nothing touches."""
    connection = sqlite3.connect(tmp_path / "core.db", isolation_level=None)
    connection.executescript((SQL / "schema" / "core.sql").read_text(encoding="utf-8"))
    for code, parent, level, own in ORGANISATIONS:
        row(
            connection, "organisation", org_code=code, name=code, parent_code=parent, level=level, is_own_account=own,
            established_on="2005-01-01", region_code="440106",
        )  # fmt: skip
    row(connection, "customer", customer_id="K1", customer_type="个人")
    row(connection, "customer", customer_id="K2", customer_type="单位")
    policy(connection, "P-OLD", signed_on="2025-08-01", starts_on="2025-08-01", ends_on="2026-03-31")
    policy(connection, "P-EXPIRED", signed_on="2025-01-01", starts_on="2025-01-01", ends_on="2026-03-30")
    return connection


@pytest.fixture
def extract(core: sqlite3.Connection, tmp_path: Path) -> Extract:
    def extract_table(table: str, parameters: Mapping[str, object] = QUARTER) -> list[dict[str, Any]]:
        schema = arrow_schema(STANDARD.table(table))
        text = (SQL / "circ_statistics" / f"{table}.sql").read_text(encoding="utf-8")
        source = SqliteSource(name="reference_core", kind="sqlite", database="home:core.db")
        with open_source(source, tmp_path) as snapshot:
            return pa.Table.from_batches(snapshot.stream(text, parameters, schema), schema).to_pylist()

    return extract_table


def figures(extract: Extract, *indicators: str) -> Figures:
    """Values other than zero, of these indicators."""
    return {
        (line["JGDM"], line["XMDM"]): line["JE"]
        for line in extract("XMZ")
        if line["JE"] and line["XMDM"][:2] in indicators
    }


MONEY = {"premium_net_cents": 100_050, "vat_cents": 6_003, "sum_insured_cents": 7}


def test_premium_by_line_and_by_channel_of_the_year_to_date(
    core: sqlite3.Connection, extract: Extract
) -> None:
    policy(core, "P1", channel="经纪", **MONEY)
    policy(core, "P2", line="TF", undertaking_org=BRANCH, applicant_id="K2", **MONEY)
    policy(core, "P-LATER", signed_on="2026-04-01", **MONEY)
    policy(core, "P-ELSEWHERE", org_code="330000", undertaking_org="330000", **MONEY)
    for number, number_of, kind, on, net in (
        ("E1", "P1", "退保", "2026-02-01", -50),
        ("E2", "P1", "保费变更", "2026-02-02", -10),
        ("E3", "P-OLD", "保费变更", "2025-12-31", -10),
        ("E4", "P-OLD", "保费变更", "2026-03-31", 5),
        ("PD440000QC20260001", "P-GONE", "保费变更", "2026-01-01", 3),
    ):
        row(
            core, "endorsement", endorsement_no=number, policy_no=number_of, endorsement_type=kind, effective_on=on,
            premium_net_change_cents=net, premium_change_cents=net - 1, sum_insured_change_cents=1,
        )  # fmt: skip
    assert figures(extract, "BF", "QB", "BE", "QD", "QS", "ZZ", "TB", "PJ") == {
        (UNIT, "BF030200"): Decimal("999.95"),  # 1000.50 - 0.50 - 0.10 + 0.05
        (BRANCH, "BF110000"): Decimal("1000.50"),
        (BRANCH, "BF010000"): Decimal("0.03"),
        (UNIT, "QB030005"): Decimal("999.90"),
        (UNIT, "QB030001"): Decimal("0.05"),
        (BRANCH, "QB900001"): Decimal("1000.53"),  # no policy, no channel: direct
        (UNIT, "BE030200"): Decimal("0.10"),
        (BRANCH, "BE110000"): Decimal("0.07"),
        (BRANCH, "BE010000"): Decimal("0.01"),
        (UNIT, "QD030200"): Decimal(1),
        (BRANCH, "QD110000"): Decimal(1),
        (UNIT, "QS000005"): Decimal(1),
        (BRANCH, "QS000001"): Decimal(1),
        (UNIT, "ZZ000000"): Decimal("60.00"),
        (BRANCH, "ZZ000000"): Decimal("60.02"),
        (UNIT, "TB030200"): Decimal("0.50"),
        (UNIT, "PJ030200"): Decimal("0.10"),
    }


def test_policies_in_force_vehicles_and_policyholders(core: sqlite3.Connection, extract: Extract) -> None:
    policy(core, "P1")
    policy(core, "P2", applicant_id="K2", line="JQ", signed_on="2026-03-31", starts_on="2026-03-31")
    policy(core, "P3", applicant_id="K2", undertaking_org=BRANCH, starts_on="2026-04-01")
    policy(core, "P4", signed_on="2025-12-31", starts_on="2026-01-01")
    policy(core, "P5", status="注销")
    for number, on in (("P4", "2026-03-31"), ("P1", "2026-04-01")):
        row(
            core,
            "endorsement",
            endorsement_no=number,
            policy_no=number,
            endorsement_type="退保",
            effective_on=on,
        )
    for number in ("P1", "P2", "P4"):
        row(core, "vehicle", policy_no=number)
    assert figures(extract, "YX", "CL", "KH") == {
        (UNIT, "YX030200"): Decimal(2),  # P1, surrendered only afterwards, and P-OLD, whose last day it is
        (UNIT, "YX030100"): Decimal(1),
        (UNIT, "CL030200"): Decimal(1),
        (UNIT, "CL030100"): Decimal(1),
        (UNIT, "KH010000"): Decimal(1),
        (UNIT, "KH020000"): Decimal(1),
        (BRANCH, "KH010000"): Decimal(1),
        (BRANCH, "KH020000"): Decimal(1),
        ("000000", "KH010000"): Decimal(1),
        ("000000", "KH020000"): Decimal(1),
    }


def test_claims_and_what_was_paid(core: sqlite3.Connection, extract: Extract) -> None:
    policy(core, "P1")
    claim(core, "C0", "2025-12-31", closed_on="2026-01-01", recourse_cents=500)
    claim(core, "C-DONE", "2025-12-01", closed_on="2025-12-31", recourse_cents=100)
    claim(core, "C1", "2026-01-01")
    claim(core, "C2", "2026-03-31", closed_on="2026-04-01", recourse_cents=100)
    claim(core, "C3", "2026-04-01")
    claim(core, "C-ORPHAN", "2026-02-01", policy_no="P-GONE", line="NY")
    for number, claim_no, on, amount in (
        ("1", "C0", "2025-12-31", 111), ("2", "C0", "2026-01-01", 999), ("3", "C1", "2026-03-31", 1), ("4", "C1", "2026-04-01", 7),
    ):  # fmt: skip
        row(
            core, "payment", payment_no=number, kind="claim", org_code=BRANCH, policy_no="P1", claim_no=claim_no,
            amount_cents=amount, paid_on=on,
        )  # fmt: skip
        row(core, "claim_expense", claim_no=claim_no, seq=1, org_code=BRANCH, amount_cents=amount, paid_on=on)
    row(
        core, "claim_expense", claim_no="C-GONE", seq=1, org_code=BRANCH, amount_cents=4, paid_on="2026-02-01"
    )
    assert figures(extract, "NJ", "BJ", "YJ", "WJ", "PK", "LP", "ZK") == {
        (UNIT, "NJ030200"): Decimal(1),
        (UNIT, "BJ030200"): Decimal(2),
        (UNIT, "YJ030200"): Decimal(1),
        (UNIT, "WJ030200"): Decimal(2),
        (BRANCH, "BJ120000"): Decimal(1),
        (BRANCH, "WJ120000"): Decimal(1),
        (UNIT, "PK030200"): Decimal("10.00"),
        (UNIT, "LP030200"): Decimal("10.00"),
        (BRANCH, "LP190000"): Decimal("0.04"),
        (UNIT, "ZK000000"): Decimal("5.00"),
    }


def test_commission_and_reinsurance(core: sqlite3.Connection, extract: Extract) -> None:
    policy(core, "P1", channel="专代")
    for number, line, on, amount in (
        ("P1", "SY", "2026-01-01", 1_250), ("P1", "SY", "2026-03-31", -50), ("P1", "SY", "2026-04-01", 9),
        ("P-GONE", "HY", "2026-02-01", 7),
    ):  # fmt: skip
        row(
            core,
            "commission",
            policy_no=number,
            org_code=BRANCH,
            line=line,
            payable_cents=amount,
            accrued_on=on,
        )
    for number, on in (("1", "2025-12-31"), ("2", "2026-01-31"), ("3", "2026-03-31"), ("4", "2026-04-30")):
        row(
            core, "ceded_bill", bill_no=number, org_code=BRANCH, line="GC", period="x", billed_on=on,
            premium_cents=1_000, commission_cents=200, recovered_cents=30,
        )  # fmt: skip
    assert figures(extract, "SX", "SQ", "FC", "TP", "TF") == {
        (UNIT, "SX030200"): Decimal("12.00"),
        (UNIT, "SQ000003"): Decimal("12.00"),
        (BRANCH, "SX050000"): Decimal("0.07"),
        (BRANCH, "SQ000001"): Decimal("0.07"),
        (BRANCH, "FC070000"): Decimal("20.00"),
        (BRANCH, "TP070000"): Decimal("0.60"),
        (BRANCH, "TF000000"): Decimal("4.00"),
    }


ACCOUNTS = {  # net debits before the year, then of January, February and March
    "1002": (5_000, 10, 20, 30), "1122": (0, 100, 0, 0), "1211": (7, 0, 0, 0), "1212": (3, 0, 0, 1), "1601": (2, 0, 0, 0),
    "2202": (0, -5, 0, 0), "2221": (0, 0, -6, 0), "2261": (-8, 0, 0, 0), "2241": (-1, 0, 0, 0),
    "2601SY": (-40, -10, 0, -1), "260201SY": (-20, 0, -4, 0), "260202SY": (-2, 0, 0, 0), "260203JQ": (-1, 0, 0, -2),
    "4001": (-4_900, 0, 0, 0), "4103": (-40, 0, 0, 0),
    "6031SY": (0, -150, -20, -40), "6501SY": (0, 10, 0, 1), "6502SY": (0, 0, 4, 0), "6502JQ": (0, 0, 0, 2),
    "6403": (0, 3, 0, 0), "660101": (0, 42, 5, 9), "660102": (0, 0, 1, 0),
}  # fmt: skip


def test_reserves_and_the_balance_sheet_come_from_the_ledgers_leaf_accounts(
    core: sqlite3.Connection, extract: Extract
) -> None:
    for account, (before, *months) in ACCOUNTS.items():
        row(core, "gl_account", account_no=account, is_leaf=1)
        opening = before
        balance(core, account, "202512", 0, before)
        for period, movement in zip(("202601", "202602", "202603"), months, strict=True):
            balance(core, account, period, opening, movement)
            opening += movement
        balance(core, account, "202604", opening, 1)
    row(core, "gl_account", account_no="6031", is_leaf=0)
    balance(core, "6031", "202603", 0, -999)
    row(core, "gl_balance", org_code="000000", account_no="1002", period="202603", closing_debit_cents=1)
    items = ("ND", "WD", "TD", "NW", "YB", "IB", "LF", "TW", "YS", "YG", "SF", "ZC", "FZ", "QY")
    assert {item: str(value) for (_, item), value in figures(extract, *items).items()} == {
        "ND030200": "0.40", "TD030200": "0.11", "WD030200": "0.51",
        "NW030200": "0.22", "NW030100": "0.01", "TW030200": "0.04", "TW030100": "0.02",
        "YB030200": "0.24", "IB030200": "0.02", "LF030100": "0.03",
        "YS000000": "1.00", "YG000000": "0.56", "SF000000": "0.03",
        "ZC010000": "50.60", "ZC030000": "0.07", "ZC040000": "0.04", "ZC090000": "0.02",
        "FZ030000": "0.05", "FZ040000": "0.06", "FZ050000": "0.08", "FZ090000": "0.01",
        "QY010000": "49.00", "QY020000": "0.40", "QY030000": "1.33",
    }  # fmt: skip


def test_results_of_earlier_years_count_as_equity_where_the_ledger_goes_on_without_closing(
    core: sqlite3.Connection, extract: Extract
) -> None:
    row(core, "gl_account", account_no="6031SY", is_leaf=1)
    balance(core, "6031SY", "202602", -700, -50)  # the first month of the year that this ledger has
    balance(core, "6031SY", "202603", -750, 0)
    assert figures(extract, "QY") == {
        (BRANCH, "QY020000"): Decimal("7.00"),
        (BRANCH, "QY030000"): Decimal("0.50"),
    }


def test_a_line_that_no_item_knows_leaves_the_item_empty(core: sqlite3.Connection, extract: Extract) -> None:
    policy(core, "P1", line="ZZ", **MONEY)
    assert {str(line["JE"]) for line in extract("XMZ") if line["XMDM"] is None} == {
        "1002.57"
    }  # BF, BE, QD, YX


def test_ledger_amounts_stand_on_the_side_of_their_kind(core: sqlite3.Connection, extract: Extract) -> None:
    for account, debit, credit in (
        ("6031QC", 1, 501), ("6511JQ", 300, 0), ("6421SY", 200, 50), ("6541", 40, 0), ("6202", 0, 30), ("6203", 1, 3),
        ("660102", 6, 0), ("1002", 9, 9), ("6031", 1, 501),
    ):  # fmt: skip
        for period in ("202512", "202601", "202603", "202604"):
            row(
                core, "gl_balance", org_code=BRANCH, account_no=account, period=period,
                debit_cents=debit, credit_cents=credit,
            )  # fmt: skip
    assert {(r["JGDM"], r["XMDM"], r["KMBH"]): str(r["JE"]) for r in extract("ZZYE")} == {
        (BRANCH, "BF010000", "6031QC"): "10.00",
        (BRANCH, "PK030100", "6511JQ"): "6.00",
        (BRANCH, "SX030200", "6421SY"): "3.00",
        (BRANCH, "FC000000", "6541"): "0.80",
        (BRANCH, "TP000000", "6202"): "0.60",
        (BRANCH, "TF000000", "6203"): "0.04",
        (BRANCH, "LP000000", "660102"): "0.12",
    }


def test_superiors_of_the_scope_are_listed_up_to_the_company_with_their_regions(extract: Extract) -> None:
    scope = {**QUARTER, "sub_organisations": ["000001", BRANCH, UNIT]}
    rows = {r["JGDM"]: (r["SJJGDM"], r["CJ"], r["SFBJ"], r["XZQH"]) for r in extract("JGB", scope)}
    assert rows == {
        "000000": (None, 0, "否", None),
        "000001": ("000000", 1, "是", None),
        BRANCH: ("000000", 1, "否", "440106"),
        UNIT: (BRANCH, 2, "否", "440106"),
    }


@pytest.mark.parametrize("name", ["XMZ", "ZZYE"])
def test_every_line_of_the_core_has_its_item(name: str) -> None:
    """The SQL's table of lines: 15 lines, each a leaf of the item master."""
    said = (SQL / "circ_statistics" / f"{name}.sql").read_text(encoding="utf-8")
    lines = dict(re.findall(r"\('([A-Z]{2})', '([0-9]{6})'\)", said))
    master = (STANDARD.path / "tables" / "XMB.csv").read_text(encoding="utf-8")
    leaves = set(re.findall(r"^BF([0-9]{6}),.*,[23],1,1,0,,BF,", master, re.MULTILINE))
    assert len(lines) == len(leaves) == 15
    assert set(lines.values()) == leaves
