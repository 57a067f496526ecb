"""Every declared shape against plain Python: on rows drawn at random, the same findings."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import POLICY, RULES, Judge, Write, rule
from validations.engine import Standard
from validations.engine.loader import load_folder

SHAPES = "".join(
    [
        rule(
            "S1",
            "shape: {no_overlap: {table: POLICY, by: [ORG], from: BEGINS, to: ENDS, where: \"KIND = '个人'\"}}",
        ),
        rule("S2", "shape: {sequence: {table: COVER, by: [NO], field: SEQ}}"),
        rule("S3", "shape: {constant: {at_least: 3}}"),
        rule("S4", "shape: {due_table: every_table}"),
        rule("S5", "shape: {same_values: {table: POLICY, fields: [NO], of: COVER, to: [NO]}}"),
        rule("S6", "shape: {unique: {table: POLICY, fields: [IDNO], where: \"KIND = '个人'\"}}"),
        rule(
            "S7",
            "shape: {foreign_key: [{table: COVER, fields: [NO], references: POLICY, to: [NO], where: SEQ > 1}]}",
        ),
        rule(
            "S8",
            "shape: {sum_equals: {table: POLICY, key: [NO], value: PREMIUM, of: COVER, by: [NO], sum: AMOUNT, "
            "when: \"KIND = '个人'\", where: SEQ > 0, rounded: true}}",
        ),
    ]
)
DAY = date(2026, 1, 1)
few = st.one_of(st.none(), st.integers(0, 3))
policies = st.lists(
    st.fixed_dictionaries({"org": few, "no": few, "kind": few, "begin": few, "length": few, "premium": few}),
    max_size=8,
)
covers = st.lists(st.fixed_dictionaries({"no": few, "seq": few, "cents": few}), max_size=8)


@pytest.fixture
def shaped(write_standard: Write) -> Standard:
    """The sample standard with every shape, its premiums varying."""
    policy = POLICY.replace(
        "type: decimal, precision: 20, scale: 2}", "type: decimal, precision: 20, scale: 2, varies: true}"
    )
    return load_folder(write_standard({"rules/rules.yaml": RULES + SHAPES, "tables/POLICY.yaml": policy}))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(policies, covers)
def test_shapes_agree_with_plain_python(
    shaped: Standard, judged: Judge, policies: list[dict[str, Any]], covers: list[dict[str, Any]]
) -> None:
    kinds = {0: "个人", 1: "单位", 2: "个人", 3: "个人"}
    policy = [
        {
            "ORG": None if p["org"] is None else f"11010{p['org']}",
            "NO": None if p["no"] is None else f"P{p['no']}",
            "KIND": kinds.get(p["kind"]),
            "IDNO": None if p["length"] is None else f"I{p['length']}",
            "BEGINS": None if p["begin"] is None else DAY + timedelta(days=2 * p["begin"]),
            "ENDS": None
            if p["begin"] is None or p["length"] is None
            else DAY + timedelta(days=2 * p["begin"] + p["length"]),
            "PREMIUM": None if p["premium"] is None else Decimal(p["premium"]) / 100,
        }
        for p in policies
    ]
    cover = [
        {
            "NO": None if c["no"] is None else f"P{c['no']}",
            "SEQ": c["seq"],
            "AMOUNT": None if c["cents"] is None else Decimal(c["cents"]) / 100,
        }
        for c in covers
    ]
    _, found = judged(
        {"POLICY": policy, "COVER": cover},
        standard=shaped,
        report="detail",
        rules={f"S{n}" for n in range(1, 9)},
    )
    said: dict[str, set[tuple[str, int | None]]] = defaultdict(set)
    for each in found:
        said[each["rule"]].add((each["table"], each["row"]))
    assert said["S1"] == _overlaps(policy)
    assert said["S2"] == _gaps(cover)
    premiums = [p["PREMIUM"] for p in policy if p["PREMIUM"] is not None]
    alike = len(premiums) >= 3 and len(set(premiums)) == 1
    empty = len(policy) >= 3 and not premiums
    assert said["S3"] == ({("POLICY", None)} if alike or empty else set())
    assert said["S4"] == {(name, None) for name, rows in (("POLICY", policy), ("COVER", cover)) if not rows}
    numbers = {"POLICY": {p["NO"] for p in policy}, "COVER": {c["NO"] for c in cover}}
    assert said["S5"] == {
        (name, n)
        for name, rows, other in (("POLICY", policy, "COVER"), ("COVER", cover, "POLICY"))
        for n, row in enumerate(rows)
        if row["NO"] is not None and row["NO"] not in numbers[other]
    }
    assert said["S6"] == _repeated(policy)
    assert said["S7"] == {
        ("COVER", n)
        for n, c in enumerate(cover)
        if c["NO"] is not None and (c["SEQ"] or 0) > 1 and c["NO"] not in numbers["POLICY"]
    }
    assert said["S8"] == _sums(policy, cover)


def _overlaps(policy: list[dict[str, Any]]) -> set[tuple[str, int | None]]:
    rows = [
        (p["ORG"], p["BEGINS"], n, p["ENDS"])
        for n, p in enumerate(policy)
        if p["KIND"] == "个人" and None not in (p["ORG"], p["BEGINS"], p["ENDS"])
    ]
    ended: dict[str, date] = {}
    wrong: set[tuple[str, int | None]] = set()
    for org, begins, n, ends in sorted(rows):
        if org in ended and begins <= ended[org]:
            wrong.add(("POLICY", n))
        ended[org] = max(ended.get(org, ends), ends)
    return wrong


def _gaps(cover: list[dict[str, Any]]) -> set[tuple[str, int | None]]:
    due: dict[str, int] = defaultdict(lambda: 1)
    wrong: set[tuple[str, int | None]] = set()
    given = [(c["NO"], c["SEQ"], n) for n, c in enumerate(cover) if None not in (c["NO"], c["SEQ"])]
    for no, seq, n in sorted(given):
        if seq != due[no]:
            wrong.add(("COVER", n))
        due[no] = seq + 1
    return wrong


def _repeated(policy: list[dict[str, Any]]) -> set[tuple[str, int | None]]:
    first: dict[str, int] = {}
    wrong: set[tuple[str, int | None]] = set()
    for n, p in enumerate(policy):
        if p["KIND"] == "个人" and p["IDNO"] is not None:
            if p["IDNO"] in first:
                wrong.add(("POLICY", first[p["IDNO"]]))
            first.setdefault(p["IDNO"], n)
    return wrong


def _sums(policy: list[dict[str, Any]], cover: list[dict[str, Any]]) -> set[tuple[str, int | None]]:
    wrong: set[tuple[str, int | None]] = set()
    for n, p in enumerate(policy):
        amounts = [c["AMOUNT"] for c in cover if c["NO"] == p["NO"] and c["SEQ"] is not None and c["SEQ"] > 0]
        if p["KIND"] != "个人" or p["NO"] is None or p["PREMIUM"] is None or None in amounts:
            continue
        if abs(p["PREMIUM"] - sum(amounts)) > Decimal("0.005") * (len(amounts) + 1):
            wrong.add(("POLICY", n))
    return wrong


def test_a_declared_nil_return_is_no_missing_table(shaped: Standard, judged: Judge) -> None:
    tables: dict[str, Any] = {"POLICY": [], "COVER": []}
    judgement, found = judged(tables, standard=shaped, report="detail", rules={"S4"}, nil_returns=["COVER"])
    assert [(f["table"], f["key"]) for f in found] == [("POLICY", "{}")] and judgement.counts == {"S4": 1}


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("{no_overlap: {table: POLICY, by: [ORG], from: NO, to: ENDS}}", "joins fields of different types"),
        ("{no_overlap: {table: NOPE, by: [ORG], from: BEGINS, to: ENDS}}", "unknown table NOPE"),
        ("{sequence: {table: COVER, by: [NO], field: NO}}", "expected to be integer or decimal"),
        ("{constant: {at_least: 3}}", "nothing to judge"),
        ("{constant: {at_least: 1}}", "does not fit"),
        (
            "{same_values: {table: POLICY, fields: [NO], of: COVER, to: [SEQ]}}",
            "joins fields of different types",
        ),
        ("{unique: {table: POLICY, fields: [NO], where: NOPE > 1}}", "no column NOPE"),
        (
            "{foreign_key: [{table: COVER, fields: [NO], references: POLICY, to: [NO], where: SEQ + 1}]}",
            "expected a boolean",
        ),
        ("{overlap: {table: POLICY}}", "unknown key overlap"),
    ],
)
def test_a_shape_that_does_not_fit_is_named(write_standard: Write, shape: str, expected: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_folder(write_standard({"rules/rules.yaml": RULES + rule("S9", f"shape: {shape}")}))
    assert any(expected in str(detail) for detail in caught.value.details), caught.value.details
