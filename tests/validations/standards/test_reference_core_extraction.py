"""How the reference core fills the standards: every field has its column, in order; scope, orphans and the period's end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from sqlglot import exp

from resources.conversion import split_alias
from resources.deployment.connections import SqliteSource
from resources.settings import CHECKOUT
from resources.sources import open_source
from validations.engine import arrow_schema, load_standard

SQL = CHECKOUT / "sql" / "reference_core"
STANDARDS = {name: load_standard(name) for name in ("circ_audit", "circ_statistics")}
EXTRACTED = [
    (standard, table)
    for standard in STANDARDS.values()
    for table in standard.tables.values()
    if table.derive is None
]
KNOWN_PARAMETERS = {
    "date_from",
    "date_to",
    "period_from",
    "period_to",
    "year_from",
    "organisations",
    "sub_organisations",
}
PARAMETERS = {
    "date_from": "2026-01-01",
    "date_to": "2026-03-31",
    "period_from": "202601",
    "period_to": "202603",
    "year_from": "2026-01-01",
    "organisations": ["440000"],
    "sub_organisations": ["440000", "440100"],
}
Extract = Callable[[str, str], list[dict[str, Any]]]


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
@pytest.mark.parametrize(("standard", "table"), EXTRACTED, ids=[f"{s.name}-{t.name}" for s, t in EXTRACTED])
def test_each_sql_selects_the_dictionarys_fields_in_order(standard: Any, table: Any, dialect: str) -> None:
    text = (SQL / standard.name / f"{table.name}.sql").read_text(encoding="utf-8")
    (statement,) = sqlglot.parse(text, read=dialect)
    assert isinstance(statement, exp.Select)
    assert [split_alias(name)[0] for name in statement.named_selects] == [f.name for f in table.stored_fields]
    assert {node.name for node in statement.find_all(exp.Placeholder)} <= KNOWN_PARAMETERS
    suffixes = {split_alias(n)[0]: split_alias(n)[1] for n in statement.named_selects}
    nulls = {e.alias for e in statement.expressions if isinstance(e.unalias(), exp.Null)}
    for field in table.stored_fields:
        if field.type == "decimal" and field.name not in nulls:
            assert suffixes[field.name] == field.scale, field.name  # never a float


def test_no_sql_fills_a_table_that_no_standard_has() -> None:
    files = {(p.parent.name, p.stem) for p in SQL.glob("*/*.sql") if p.parent.name != "schema"}
    assert files == {(standard.name, table.name) for standard, table in EXTRACTED}


def row(connection: sqlite3.Connection, table: str, **values: object) -> None:
    """A row with what the test says; mandatory columns it leaves out get something harmless."""
    columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
    filled = {
        name: values.get(name, (0 if kind in ("INTEGER", "BIGINT") else "x") if is_mandatory else None)
        for _, name, kind, is_mandatory, *_ in columns
    }
    assert set(values) <= set(filled)
    marks = ", ".join("?" * len(filled))
    connection.execute(f"INSERT INTO {table} VALUES ({marks})", list(filled.values()))


@pytest.fixture
def core(tmp_path: Path) -> sqlite3.Connection:
    """A core with two branches, one sub-branch, and a policy of 2025 that nothing touches."""
    connection = sqlite3.connect(tmp_path / "core.db", isolation_level=None)
    connection.executescript((SQL / "schema" / "core.sql").read_text(encoding="utf-8"))
    for code, parent, level in (
        ("000000", None, 0),
        ("440000", "000000", 1),
        ("330000", "000000", 1),
        ("440100", "440000", 2),
    ):
        row(
            connection,
            "organisation",
            org_code=code,
            name=code,
            parent_code=parent,
            level=level,
            established_on="2005-01-01",
            region_code="440305",
        )
    policy(connection, "P-OLD", signed_on="2025-08-01")
    return connection


def policy(connection: sqlite3.Connection, number: str, **values: object) -> None:
    standing: dict[str, object] = {
        "org_code": "440000", "undertaking_org": "440100", "line": "SY", "signed_on": "2026-01-10",
        "starts_on": "2026-01-10", "ends_on": "2027-01-09", "applicant_id": "K1",
    }  # fmt: skip
    row(connection, "policy", policy_no=number, **(standing | values))
    row(connection, "coverage", policy_no=number, seq=1)


def endorsement(
    connection: sqlite3.Connection, number: str, policy_no: str, on: str, **values: object
) -> None:
    row(connection, "endorsement", endorsement_no=number, policy_no=policy_no, effective_on=on, **values)


def claim(
    connection: sqlite3.Connection, number: str, policy_no: str, reported_on: str, **values: object
) -> None:
    standing: dict[str, object] = {"org_code": "440000", "line": "SY", "occurred_on": reported_on}
    row(
        connection,
        "claim",
        claim_no=number,
        policy_no=policy_no,
        reported_on=reported_on,
        **(standing | values),
    )


def payment(
    connection: sqlite3.Connection, claim_no: str, on: str, amount: int, policy_no: str, seq: int = 1
) -> None:
    row(
        connection,
        "payment",
        payment_no=f"{claim_no}-{seq}",
        kind="claim",
        org_code="440000",
        policy_no=policy_no,
        claim_no=claim_no,
        calculation_no="J",
        seq=seq,
        amount_cents=amount,
        paid_on=on,
    )


@pytest.fixture
def extract(core: sqlite3.Connection, tmp_path: Path) -> Extract:
    def extract_table(
        standard: str, table: str, parameters: Mapping[str, object] = PARAMETERS
    ) -> list[dict[str, Any]]:
        schema = arrow_schema(STANDARDS[standard].table(table))
        text = (SQL / standard / f"{table}.sql").read_text(encoding="utf-8")
        source = SqliteSource(name="reference_core", kind="sqlite", database="home:core.db")
        with open_source(source, tmp_path) as snapshot:
            return pa.Table.from_batches(snapshot.stream(text, parameters, schema), schema).to_pylist()

    return extract_table


def numbers(rows: list[dict[str, Any]], field: str) -> list[str]:
    return sorted(str(row[field]) for row in rows)


def test_a_policy_is_in_scope_when_signed_or_touched_in_the_period(
    core: sqlite3.Connection, extract: Extract
) -> None:
    policy(core, "P-SIGNED")
    policy(core, "P-ELSEWHERE", org_code="330000")
    policy(core, "P-LATER", signed_on="2026-04-01")
    for touched in ("P-ENDORSED", "P-REPORTED", "P-PAID", "P-ENDORSED-LATER"):
        policy(core, touched, signed_on="2025-09-01")
    endorsement(core, "PD440000SY1", "P-ENDORSED", "2026-03-31")
    endorsement(core, "PD440000SY2", "P-ENDORSED-LATER", "2026-04-01")
    claim(core, "C1", "P-REPORTED", "2026-01-01")
    claim(core, "C2", "P-PAID", "2025-12-01")
    payment(core, "C2", "2026-02-01", 100, "P-PAID")
    in_scope = ["P-ENDORSED", "P-PAID", "P-REPORTED", "P-SIGNED"]
    assert numbers(extract("circ_audit", "BDXXB"), "BDH") == in_scope
    assert numbers(extract("circ_audit", "BDXBB"), "BDH") == in_scope
    assert numbers(extract("circ_audit", "PAXXB"), "PAH") == ["C1", "C2"]


def test_endorsements_before_the_period_come_along_and_later_ones_do_not(
    core: sqlite3.Connection, extract: Extract
) -> None:
    policy(core, "P1", signed_on="2025-09-01")
    for seq, on in ((1, "2025-10-01"), (2, "2026-02-01"), (3, "2026-04-01")):
        endorsement(core, f"E{seq}", "P1", on, seq=seq, premium_change_cents=-12_345, endorsement_type="退保")
    rows = extract("circ_audit", "PDXXB")
    assert numbers(rows, "PDXH") == ["1", "2"]
    assert {row["BFBHL"] for row in rows} == {Decimal("-123.45")}
    assert {row["TBJE"] for row in rows} == {Decimal("123.45")}
    assert {(row["BXJGDM"], row["XL"]) for row in rows} == {("440000", "SY")}


def test_an_endorsement_without_policy_belongs_to_the_branch_in_its_number(
    core: sqlite3.Connection, extract: Extract
) -> None:
    endorsement(core, "PD440000HY20260001", "P-GONE", "2026-02-01")
    endorsement(core, "PD440000HY20250001", "P-GONE", "2025-11-01")
    endorsement(core, "PD330000HY20260001", "P-GONE", "2026-02-01")
    (orphan,) = extract("circ_audit", "PDXXB")
    assert (orphan["PDH"], orphan["BXJGDM"], orphan["XL"]) == ("PD440000HY20260001", "440000", "HY")


def test_a_claim_stands_as_at_the_periods_end(core: sqlite3.Connection, extract: Extract) -> None:
    policy(core, "P1")
    claim(
        core, "C1", "P1", "2026-03-01", register_no="L1", registered_on="2026-03-02", closed_on="2026-04-20",
        settled_cents=30_000, estimate_cents=25_000, status="已结案", close_type="赔付结案", expense_cents=900,
    )  # fmt: skip
    claim(core, "C2", "P1", "2026-03-30", register_no="L2", registered_on="2026-04-01", reserve_cents=500)
    row(
        core, "claim_expense", claim_no="C1", seq=1, org_code="440000", amount_cents=300, paid_on="2026-03-20"
    )
    row(
        core, "claim_expense", claim_no="C1", seq=2, org_code="440000", amount_cents=600, paid_on="2026-04-20"
    )
    claim(core, "C3", "P1", "2026-04-01")
    payment(core, "C1", "2026-03-10", 10_000, "P1")
    payment(core, "C1", "2026-04-20", 20_000, "P1", seq=2)
    first, second = sorted(extract("circ_audit", "PAXXB"), key=lambda row: row["PAH"])
    assert (first["YJPK"], first["WJPK"], first["JARQ"]) == (Decimal("100.00"), Decimal("150.00"), None)
    assert (first["ZJLPFY"], second["WJPK"]) == (Decimal("3.00"), Decimal("0.00"))
    assert [spent["FYJE"] for spent in extract("circ_audit", "ZJLPFYXXB")] == [Decimal("3.00")]
    assert (first["PAZT"], first["JALX"], first["LAH"]) == ("已立案", None, "L1")
    assert (second["PAZT"], second["LAH"], second["LARQ"]) == ("已报案", None, None)
    assert [row["PKJE"] for row in extract("circ_audit", "PKZFB")] == [Decimal("100.00")]


def test_a_payment_whose_claim_is_gone_is_still_extracted_with_its_line(
    core: sqlite3.Connection, extract: Extract
) -> None:
    policy(core, "P1", line="ZR")
    payment(core, "C-GONE", "2026-02-01", 100, "P1")
    payment(core, "C-GONE-EARLIER", "2025-12-01", 100, "P1")
    (orphan,) = extract("circ_audit", "PKZFB")
    assert (orphan["PAH"], orphan["XL"], orphan["BXJGDM"]) == ("C-GONE", "ZR", "440000")


def test_a_claim_without_policy_comes_with_all_its_payments(
    core: sqlite3.Connection, extract: Extract
) -> None:
    claim(core, "C1", "P-GONE", "2025-12-01", settled_cents=300)
    payment(core, "C1", "2025-12-15", 100, "P-GONE")
    payment(core, "C1", "2026-01-15", 200, "P-GONE", seq=2)
    claim(core, "C-EARLIER", "P-GONE", "2025-12-01")
    (orphan,) = extract("circ_audit", "PAXXB")
    assert (orphan["PAH"], orphan["YJPK"]) == ("C1", Decimal("3.00"))
    assert sum(row["PKJE"] for row in extract("circ_audit", "PKZFB")) == Decimal("3.00")


def test_rows_entered_twice_do_not_multiply_others(core: sqlite3.Connection, extract: Extract) -> None:
    policy(core, "P1")
    row(
        core,
        "policy",
        policy_no="P1",
        org_code="440000",
        line="SY",
        undertaking_org="440100",
        signed_on="2026-01-10",
        starts_on="2026-01-10",
        ends_on="2027-01-09",
        applicant_id="K1",
        insured_id="K1",
    )
    row(core, "customer", customer_id="K1", org_code="440000")
    endorsement(core, "E1", "P1", "2026-02-01")
    claim(core, "C1", "P1", "2026-02-01")
    payment(core, "C1", "2026-02-01", 100, "P1")
    counts = {
        name: len(extract("circ_audit", name))
        for name in ("BDXXB", "BDXBB", "PDXXB", "PAXXB", "PKZFB", "KHXXB")
    }
    assert counts == {"BDXXB": 2, "BDXBB": 1, "PDXXB": 1, "PAXXB": 1, "PKZFB": 1, "KHXXB": 1}


def test_coverages_without_policy_belong_to_the_branch_in_the_policy_number(
    core: sqlite3.Connection, extract: Extract
) -> None:
    row(core, "coverage", policy_no="440000SY202600000001", seq=1, premium_cents=1)
    row(core, "coverage", policy_no="330000SY202600000001", seq=1, premium_cents=1)
    (orphan,) = extract("circ_audit", "BDXBB")
    assert (orphan["BDH"], orphan["BXJGDM"], orphan["XBBF"]) == (
        "440000SY202600000001",
        "440000",
        Decimal("0.01"),
    )


def test_customers_of_the_branch_and_whoever_its_policies_name(
    core: sqlite3.Connection, extract: Extract
) -> None:
    policy(core, "P1", applicant_id="K-NAMED", insured_id="K-INSURED")
    for customer, branch in (
        ("K-OWN", "440000"),
        ("K-NAMED", "330000"),
        ("K-INSURED", "330000"),
        ("K-NO", "330000"),
    ):
        row(core, "customer", customer_id=customer, org_code=branch)
    assert numbers(extract("circ_audit", "KHXXB"), "KHBH") == ["K-INSURED", "K-NAMED", "K-OWN"]


def test_organisations_belong_to_their_branch_and_district(extract: Extract) -> None:
    rows = {row["FZJGDM"]: row for row in extract("circ_audit", "JGXXB")}
    assert set(rows) == {"440000", "440100"}
    assert {row["BXJGDM"] for row in rows.values()} == {"440000"}
    assert rows["440100"]["JGXQDM"] == "440300"  # Shenzhen has a bureau of its own


def test_what_was_due_stands_on_its_side_and_is_paid_where_that_came_in_time(
    core: sqlite3.Connection, extract: Extract
) -> None:
    policy(core, "P1", payment_mode="分期", instalments=2, coinsurance="否")
    for seq, due in ((1, "2026-01-10"), (2, "2026-04-10")):
        row(core, "instalment", policy_no="P1", seq=seq, due_on=due, amount_cents=100)
    fees = (
        ("F1", "P", "P1", "P1", 1, "2026-01-10", 100, "2026-01-11"),
        ("F2", "P", "P1", "P1", 2, "2026-04-10", 100, None),
        ("F3", "E", "E1", "P1", 1, "2026-03-01", -40, "2026-04-02"),
        ("F4", "C", "C1", "P1", 1, "2026-03-02", 70, "2026-03-02"),
        ("F5", "F", "S1", None, 1, "2026-03-15", 9, "2026-03-15"),
        ("F6", "F", "S2", None, 1, "2026-04-15", 9, None),
    )
    for number, kind, business, policy_no, seq, due, amount, paid in fees:
        common = {"org_code": "440000", "amount_cents": amount, "policy_no": policy_no, "fee_no": number}
        row(core, "planned_fee", kind=kind, business_no=business, seq=seq, due_on=due, **common)
        if paid:
            row(core, "payment", payment_no=number, kind="premium", paid_on=paid, **common)
    rows = {r["SFH"]: (r["YWLX"], r["SFBZ"], r["YSJE"], r["SSJE"]) for r in extract("circ_audit", "SFFMXB")}
    assert rows == {
        "F1": ("P", "收", Decimal("1.00"), Decimal("1.00")),
        "F3": ("E", "付", Decimal("0.40"), Decimal("0.00")),
        "F4": ("C", "付", Decimal("0.70"), Decimal("0.70")),
        "F5": ("手续费", "付", Decimal("0.09"), Decimal("0.09")),
    }
    plan = [(r["FQXH"], r["JFZT"], r["SJJE"]) for r in extract("circ_audit", "FQJFB")]
    assert sorted(plan) == [(1, "已缴", Decimal("1.00")), (2, "未缴", Decimal("0.00"))]


def test_a_receipt_of_the_period_brings_an_older_policy_into_scope(
    core: sqlite3.Connection, extract: Extract
) -> None:
    for number, paid in (("P-PAID", "2026-02-01"), ("P-PAID-LATER", "2026-04-01")):
        policy(core, number, signed_on="2025-09-01")
        row(
            core,
            "payment",
            payment_no=number,
            kind="premium",
            org_code="440000",
            policy_no=number,
            paid_on=paid,
        )
    assert numbers(extract("circ_audit", "BDXXB"), "BDH") == ["P-PAID"]


def test_commission_paid_after_the_period_is_still_owed(core: sqlite3.Connection, extract: Extract) -> None:
    policy(core, "P1")
    for seq, accrued, paid in (
        (1, "2026-01-10", "2026-02-15"),
        (2, "2026-03-10", "2026-04-15"),
        (3, "2026-04-01", None),
    ):
        row(
            core, "commission", policy_no="P1", seq=seq, org_code="440000", line="SY", base_cents=1_000, rate_bp=1_000,
            payable_cents=100, accrued_on=accrued, paid_cents=100 if paid else 0, paid_on=paid,
        )  # fmt: skip
    rows = {r["SXFXH"]: (r["YFSXF"], r["SFSXF"], r["ZFRQ"] is None) for r in extract("circ_audit", "SXFMXB")}
    assert rows == {1: (Decimal("1.00"), Decimal("1.00"), False), 2: (Decimal("1.00"), Decimal("0.00"), True)}


def test_the_head_office_stands_with_the_branches_only_when_all_are_in_scope(
    core: sqlite3.Connection, extract: Extract
) -> None:
    for code in ("000000", "330000", "440000"):
        row(core, "gl_balance", org_code=code, account_no="1002", period="202603")
    everything = PARAMETERS | {
        "organisations": ["330000", "440000"],
        "sub_organisations": ["330000", "440000", "440100"],
    }
    assert numbers(extract("circ_audit", "ZZKJQKMB"), "FZJGDM") == ["440000"]
    assert numbers(extract("circ_audit", "ZZKJQKMB", everything), "FZJGDM") == ["000000", "330000", "440000"]
    assert numbers(extract("circ_audit", "JGXXB", everything), "FZJGDM") == [
        "000000",
        "330000",
        "440000",
        "440100",
    ]
