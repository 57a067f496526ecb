"""Judging whole contents: every kind of rule against an oracle in plain Python, counts, keys, suppression, refusals."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import FILES, RULES, Judge, Write, rule, write_rows
from validations.engine import FINDINGS_SCHEMA, Standard, derive, judge
from validations.engine.loader import load_folder

PARAMETERS = {"date_from": "2026-01-01", "date_to": "2026-12-31"}
Rows = list[dict[str, Any]]
numbers = st.one_of(st.none(), st.sampled_from(["P1", "P2", "P3"]))
amounts = st.one_of(
    st.none(),
    st.sampled_from(
        [Decimal("0.00"), Decimal("0.01"), Decimal("1.10"), Decimal("999.99"), Decimal("1000.00")]
    ),
)
days = st.one_of(st.none(), st.sampled_from([date(2025, 12, 31), date(2026, 1, 1), date(2026, 6, 30)]))
policies = st.lists(
    st.fixed_dictionaries(
        {
            "NO": numbers,
            "KIND": st.sampled_from([None, "个人", "单位"]),
            "PREMIUM": amounts,
            "BEGINS": days,
            "ENDS": days,
        }
    ),
    max_size=5,
)
covers = st.lists(
    st.fixed_dictionaries({"NO": numbers, "SEQ": st.sampled_from([None, 1, 2]), "AMOUNT": amounts}),
    max_size=5,
)
quick = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)


def broken_rows(found: Rows, rule_id: str) -> list[int]:
    return sorted(f["row"] for f in found if f["rule"] == rule_id)


@quick
@given(policies, covers)
def test_every_shape_agrees_with_plain_python(judged: Judge, policy: Rows, cover: Rows) -> None:
    judgement, found = judged({"POLICY": policy, "COVER": cover}, report="detail")

    def failing(rows: Rows, fails: Any) -> list[int]:
        return [i for i, row in enumerate(rows) if fails(row)]

    def both(row: dict[str, Any], *names: str) -> bool:
        return all(row[name] is not None for name in names)

    keys = Counter(p["NO"] for p in policy if p["NO"])
    pairs = Counter((c["NO"], c["SEQ"]) for c in cover if both(c, "NO", "SEQ"))
    assert judgement.counts["A02"] == sum(n > 1 for n in [*keys.values(), *pairs.values()])
    assert broken_rows(found, "D01") == failing(
        policy, lambda p: both(p, "BEGINS", "ENDS") and p["BEGINS"] > p["ENDS"]
    )
    assert broken_rows(found, "D02") == failing(
        policy, lambda p: p["KIND"] == "个人" and both(p, "PREMIUM") and p["PREMIUM"] >= 1000
    )
    assert broken_rows(found, "E01") == failing(cover, lambda c: both(c, "NO") and c["NO"] not in keys)

    def sum_differs(p: dict[str, Any]) -> bool:
        parts = [c["AMOUNT"] for c in cover if c["NO"] == p["NO"] is not None]
        return both(p, "NO", "PREMIUM") and None not in parts and sum(parts) != p["PREMIUM"]

    assert broken_rows(found, "E04") == failing(policy, sum_differs)
    past = [p["NO"] for p in policy if both(p, "ENDS") and p["ENDS"] < date(2026, 1, 1)]
    assert sorted(json.loads(f["key"])["NO"] or "" for f in found if f["rule"] == "R01") == sorted(
        n or "" for n in past
    )
    assert judgement.counts == {**dict.fromkeys(judgement.counts, 0), **Counter(f["rule"] for f in found)}
    assert len({f["finding"] for f in found}) == len(found)


@quick
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "ORG": st.sampled_from([None, "1", "2"]),
                "CODE": st.sampled_from(["A01", "A02", "A03", "B"]),
                "VALUE": amounts,
            }
        ),
        max_size=7,
        unique_by=lambda r: (r["ORG"], r["CODE"]),
    )
)
@pytest.mark.parametrize(("rounded", "tolerance"), [("", "0"), (", rounded: true", "0.015")])
def test_formulas_agree_with_plain_python(
    write_standard: Write, judged: Judge, rounded: str, tolerance: str, items: Rows
) -> None:
    folder = write_standard(
        {"rules/rules.yaml": RULES.replace("equation: A01 = A02", f"equation: A01 - A02 = A03{rounded}")}
    )
    _, found = judged(
        {"POLICY": [], "COVER": [], "ITEM": items}, standard=load_folder(folder), report="monthly"
    )
    expected: dict[str, Decimal] = {}
    for org in ("1", "2"):
        values = {r["CODE"]: r["VALUE"] for r in items if r["ORG"] == org and r["CODE"] != "B"}
        if values and None not in values.values():
            left = (
                values.get("A01", Decimal(0)) - values.get("A02", Decimal(0)) - values.get("A03", Decimal(0))
            )
            if abs(left) > Decimal(tolerance):
                expected[org] = left
    assert {f["organisation"]: Decimal(f["difference"]) for f in found if f["rule"] == "F01"} == expected
    for f in (f for f in found if f["rule"] == "F01"):
        assert json.loads(f["key"]) == {"ORG": f["organisation"], "CODE": "A01"}
        assert Decimal(f["value"]) - Decimal(f["expected"]) == Decimal(f["difference"])


def test_a_finding_says_all_of_itself(judged: Judge, sample: Standard) -> None:
    policy = {
        "ORG": "110105",
        "NO": "P1",
        "BEGINS": date(2026, 2, 1),
        "ENDS": date(2026, 1, 31),
        "PREMIUM": Decimal("10.00"),
    }
    cover = [{"NO": "P1", "SEQ": 1, "AMOUNT": Decimal("7.50")}, {"NO": "P9", "SEQ": 2}]
    judgement, found = judged({"POLICY": [policy], "COVER": cover}, report="detail")
    assert judgement.counts["A10"] == 0
    by_rule = {f["rule"]: f for f in found}
    assert set(by_rule) == {"D01", "E01", "E04"}
    assert by_rule["D01"] == {
        "finding": hashlib.sha256(b'sample|D01|POLICY|{"NO":"P1"}|BEGINS').hexdigest()[:32],
        "rule": "D01",
        "rule_digest": sample.rule("D01").digest,
        "severity": "block",
        "table": "POLICY",
        "key": '{"NO":"P1"}',
        "organisation": "110105",
        "field": "BEGINS",
        "value": "2026-02-01",
        "expected": "2026-01-31",
        "difference": None,
        "row": 0,
        "reason": None,
        "waiver": None,
    }
    assert (by_rule["E04"]["value"], by_rule["E04"]["expected"], by_rule["E04"]["difference"]) == (
        "10.00",
        "7.50",
        "2.50",
    )
    assert (by_rule["E01"]["key"], by_rule["E01"]["value"], by_rule["E01"]["row"]) == (
        '{"NO":"P9","SEQ":"2"}',
        "P9",
        1,
    )


def test_findings_are_sorted_typed_and_the_same_whatever_the_order(judged: Judge) -> None:
    rows = [{"ORG": "1", "NO": f"P{i}", "KIND": "?", "BEGINS": date(1800, 1, 1)} for i in range(20)]
    judgement, found = judged({"POLICY": rows, "COVER": []}, report="detail")
    assert pq.read_schema(judgement.findings).equals(FINDINGS_SCHEMA)
    order = [(f["rule"], f["table"], f["key"], f["field"]) for f in found]
    assert order == sorted(order)
    _, again = judged({"POLICY": rows[::-1], "COVER": []}, report="detail")
    assert [f["finding"] for f in again] == [f["finding"] for f in found]
    assert [p.name for p in judgement.findings.parent.iterdir()] == ["findings.parquet"]


def test_rows_that_share_a_key_have_findings_of_their_own(judged: Judge) -> None:
    rows = [{"ORG": "110105", "NO": "P1", "KIND": "?"}] * 3
    judgement, found = judged({"POLICY": rows, "COVER": []}, report="detail")
    assert judgement.counts["B00"] == 3 and judgement.counts["A02"] == 1
    assert len({f["finding"] for f in found}) == 4
    (duplicate,) = [f for f in found if f["rule"] == "A02"]
    assert (duplicate["key"], duplicate["field"], duplicate["value"], duplicate["difference"]) == (
        '{"NO":"P1"}',
        "NO",
        "P1",
        "2",
    )


@pytest.mark.parametrize("number", ['a"b', "a\\b", "a'b", "中\u2028😀", "", " ", "{}"])
def test_keys_are_canonical_json_of_any_text(judged: Judge, number: str) -> None:
    _, found = judged(
        {"POLICY": [{"ORG": "110105", "NO": number, "KIND": "?"}], "COVER": []}, report="detail"
    )
    key = next(f["key"] for f in found if f["rule"] == "B00")
    assert key == json.dumps({"NO": number}, ensure_ascii=False, separators=(",", ":"))


def test_severities_are_summed(judged: Judge) -> None:
    rows = [{"ORG": "1", "NO": "P1", "KIND": "个人", "PREMIUM": Decimal(2000), "ENDS": date(2025, 1, 1)}]
    judgement, _ = judged({"POLICY": rows, "COVER": []}, report="detail")
    assert judgement.by_severity == {"block": 1, "explain": 1, "note": 2}
    assert judgement.total == 4


def test_a_rule_is_silent_for_keys_under_its_root_cause(write_standard: Write, judged: Judge) -> None:
    rules = RULES + rule("D03", "holds: BEGINS = ENDS", table="POLICY", field="ENDS", suppressed_by="[D01]")
    rows = [
        {"ORG": "110105", "NO": "P1", "BEGINS": date(2026, 2, 1), "ENDS": date(2026, 1, 31)},
        {"ORG": "110105", "NO": "P2", "BEGINS": date(2026, 1, 1), "ENDS": date(2026, 1, 31)},
    ]
    judgement, found = judged(
        {"POLICY": rows, "COVER": []},
        standard=load_folder(write_standard({"rules/rules.yaml": rules})),
        report="detail",
    )
    assert (judgement.counts["D01"], judgement.counts["D03"]) == (1, 1)
    assert [f["key"] for f in found if f["rule"] == "D03"] == ['{"NO":"P2"}']


def test_only_the_reports_rules_are_judged(judged: Judge) -> None:
    judgement, _ = judged({"POLICY": [], "COVER": []}, report="detail")
    assert "F01" not in judgement.counts
    assert judgement.not_judged == ()


def test_a_missing_table_is_refused_or_its_rules_named(judged: Judge) -> None:
    with pytest.raises(BadInput, match="due tables are missing: COVER"):
        judged({"POLICY": []}, report="detail")
    judgement, _ = judged({"POLICY": []}, report="detail", partial=True)
    # A12 and A02 are judged on POLICY, and not on COVER.
    assert [(n.rule, n.why, n.missing) for n in judgement.not_judged] == [
        ("A12", "table", "COVER"),
        ("A02", "table", "COVER"),
        ("E01", "table", "COVER"),
        ("E04", "table", "COVER"),
    ]
    assert "E01" not in judgement.counts and judgement.counts["D01"] == 0


def test_rules_of_tables_that_are_not_demanded_are_listed_as_not_due(
    sample: Standard, tmp_path: Path
) -> None:
    write_rows(sample, "POLICY", [], tmp_path)
    judgement = judge(
        sample,
        {"POLICY": tmp_path / "POLICY.parquet"},
        report="detail",
        parameters=PARAMETERS,
        findings=tmp_path / "findings.parquet",
        demanded=["POLICY"],
    )
    assert [(n.rule, n.why, n.missing) for n in judgement.not_judged] == [
        ("E01", "demand", "COVER"),
        ("E04", "demand", "COVER"),
    ]
    assert set(judgement.rows) == {"POLICY"}
    assert (judgement.counts["A02"], judgement.counts["D01"]) == (0, 0)
    assert "E04" not in judgement.counts


def test_a_demanded_table_must_be_there_and_exist(sample: Standard, tmp_path: Path) -> None:
    def asked(*demanded: str) -> None:
        judge(
            sample,
            {},
            report="detail",
            parameters=PARAMETERS,
            findings=tmp_path / "findings.parquet",
            demanded=demanded,
        )

    with pytest.raises(BadInput, match="COVER"):
        asked("COVER")
    with pytest.raises(BadInput) as caught:
        asked("NOSUCH")
    assert [detail.code for detail in caught.value.details] == ["validations.table_unknown"]


def test_a_missing_parameter_is_named(judged: Judge) -> None:
    with pytest.raises(BadInput, match=r"rule R01 needs parameter\(s\) date_from"):
        judged({"POLICY": [], "COVER": []}, report="detail", parameters={})


def test_wrong_columns_of_all_tables_are_named_at_once(sample: Standard, tmp_path: Path) -> None:
    for name in ("POLICY", "COVER"):
        pl.DataFrame({"NO": [1], "EXTRA": [2]}).write_parquet(tmp_path / f"{name}.parquet")
    with pytest.raises(BadInput) as caught:
        judge(
            sample,
            {n: tmp_path / f"{n}.parquet" for n in ("POLICY", "COVER")},
            report="detail",
            parameters=PARAMETERS,
            findings=tmp_path / "f.parquet",
        )
    assert {d.values["table"] for d in caught.value.details} == {"POLICY", "COVER"}
    assert "EXTRA" in str(caught.value) and "AMOUNT: – ≠ decimal128(20, 2)" in str(caught.value)


def test_a_row_on_which_a_rule_raises_cannot_be_judged_and_never_passes(
    write_standard: Write, judged: Judge
) -> None:
    rules = RULES + rule("D09", "holds: CAST(NO AS INTEGER) > 5", table="POLICY", field="NO", severity="note")
    rows = [{"NO": number} for number in ("x", "7", None, "3")]
    judgement, found = judged(
        {"POLICY": rows, "COVER": []},
        standard=load_folder(write_standard({"rules/rules.yaml": rules})),
        report="detail",
    )
    d09 = {f["row"]: (f["value"], f["severity"], f["reason"]) for f in found if f["rule"] == "D09"}
    assert d09[3] == ("3", "note", None)
    value, severity, reason = d09.pop(0)
    assert (value, severity) == ("x", "block")
    assert "Could not convert string 'x' to INT32" in reason
    assert set(d09) == {3}
    assert judgement.counts["D09"] == 2
    assert judgement.by_severity["note"] == 1


def test_a_query_that_raises_is_a_finding_on_its_table(write_standard: Write, judged: Judge) -> None:
    query = "SELECT NO FROM POLICY WHERE CAST(NO AS INTEGER) > 5"
    judgement, found = judged(
        {"POLICY": [{"NO": "x"}], "COVER": []},
        standard=load_folder(write_standard({"rules/R01.sql": query})),
        report="detail",
    )
    (r01,) = [f for f in found if f["rule"] == "R01"]
    assert (r01["table"], r01["key"], r01["severity"]) == ("POLICY", "{}", "block")
    assert "Could not convert string 'x'" in r01["reason"]
    assert judgement.counts["R01"] == 1


def test_progress_ends_complete(judged: Judge) -> None:
    seen: list[tuple[str, int, int]] = []
    judged(
        {"POLICY": [], "COVER": []},
        report="detail",
        progress=lambda label, done, total: seen.append((label, done, total)),
    )
    assert [done for _, done, _ in seen] == list(range(seen[-1][2] + 1))
    assert "POLICY" in {label for label, _, _ in seen}


def test_derived_tables_are_computed_exactly_and_ordered(sample: Standard, tmp_path: Path) -> None:
    rows = [
        {"ORG": o, "NO": str(i), "PREMIUM": Decimal("0.10"), "BEGINS": date(2026, 1, 1)}
        for i, o in enumerate("2112")
    ]
    tables = {"POLICY": write_rows(sample, "POLICY", rows, tmp_path)}
    derived = derive(sample, tables, parameters=PARAMETERS, out=tmp_path / "out")
    frame = pl.read_parquet(derived["ITEM"])
    assert frame.rows() == [
        ("1", "A01", Decimal("0.20")),
        ("1", "A02", Decimal("2.00")),
        ("2", "A01", Decimal("0.20")),
        ("2", "A02", Decimal("2.00")),
    ]
    assert derive(sample, {}, parameters=PARAMETERS, out=tmp_path / "out") == {}


def test_a_derived_amount_is_never_rounded_silently(write_standard: Write, tmp_path: Path) -> None:
    sql = FILES["tables/ITEM.sql"].replace(
        "sum(PREMIUM) AS VALUE", "sum(PREMIUM) * CAST(0.001 AS DECIMAL(4, 3)) AS VALUE"
    )
    standard = load_folder(write_standard({"tables/ITEM.sql": sql}))
    tables = {"POLICY": write_rows(standard, "POLICY", [{"ORG": "1", "PREMIUM": Decimal("0.10")}], tmp_path)}
    with pytest.raises(BadInput, match="fields VALUE of the derived table ITEM would be rounded"):
        derive(standard, tables, parameters=PARAMETERS, out=tmp_path / "out")
    with pytest.raises(BadInput, match=r"ITEM needs parameter\(s\) date_to"):
        derive(standard, tables, parameters={}, out=tmp_path / "out")
