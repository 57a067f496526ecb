"""The dictionary as a pandera contract: every constraint, NULL not judged, rows named over slices, any number of failures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandera.errors import SchemaErrors

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import Judge, write_rows
from validations.engine import Standard, contract, judge, schema
from validations.engine.calculators import resident_id
from validations.engine.field_constraints import Period

GOOD: dict[str, Any] = {
    "ORG": "110105",
    "NO": "P1",
    "KIND": "个人",
    "IDNO": "11010519491231002X",
    "PHONE": "010-12345678",
    "PREMIUM": Decimal("1.00"),
    "BEGINS": date(2026, 1, 1),
    "ENDS": date(2026, 12, 31),
}


def broken(standard: Standard, path: Path, period: Period | None = None) -> set[tuple[int, str, str]]:
    """Row, field and constraint of all that breaks the contract of POLICY."""
    checked = contract.contract(standard, "POLICY", period=period)
    return {
        (row, failing.field, failing.constraint)
        for failing in chain.from_iterable(contract.failures(checked, path, ["NO"]))
        for row in failing.rows["row"]
    }


def broken_by_pandera(standard: Standard, path: Path) -> set[tuple[str, str]]:
    """Field and check of all that the schema finds by itself, as a data engineer would use it in a notebook."""
    try:
        schema(standard, "POLICY").validate(pl.read_parquet(path), lazy=True)
    except SchemaErrors as errors:
        return {(str(e.schema.name), str(e.check.name)) for e in errors.schema_errors}
    return set()


CASES = [
    ({}, set()),
    ({"ORG": None}, {("ORG", "mandatory")}),
    ({"ORG": ""}, {("ORG", "mandatory"), ("ORG", "check:region_code")}),
    ({"NO": " \u3000"}, {("NO", "mandatory")}),
    ({"NO": "保单号保单号"}, {("NO", "length")}),
    ({"NO": "保单号保单"}, set()),
    ({"NO": "㛃㛃㛃"}, {("NO", "length")}),
    ({"NO": "A|B"}, {("NO", "encoding")}),
    ({"NO": "A\nB"}, {("NO", "encoding")}),
    ({"KIND": "其他"}, {("KIND", "codes:kind")}),
    ({"IDNO": "11010519491231002x"}, {("IDNO", "check:resident_id")}),
    ({"IDNO": "x", "KIND": "单位"}, set()),
    ({"IDNO": "x", "KIND": None}, set()),
    ({"IDNO": None}, set()),
    ({"PHONE": "010-12345678\n"}, {("PHONE", "pattern"), ("PHONE", "encoding")}),
    ({"PHONE": "０10-12345678"}, {("PHONE", "pattern")}),
    ({"BEGINS": date(1899, 12, 31)}, {("BEGINS", "date_range")}),
    ({"BEGINS": date(2101, 1, 1)}, {("BEGINS", "date_range")}),
    ({"ENDS": date(9999, 12, 31)}, set()),
    (dict.fromkeys(set(GOOD) - {"ORG", "NO"}), set()),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_each_constraint(
    sample: Standard, tmp_path: Path, change: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    path = write_rows(sample, "POLICY", [GOOD, {**GOOD, **change}], tmp_path)
    assert broken(sample, path) == {(1, field, name) for field, name in expected}
    assert broken_by_pandera(sample, path) == expected


def test_a_data_engineer_gets_the_schema_by_name() -> None:
    triangle = schema("schedule_p", "TRIANGLE")
    assert isinstance(triangle, pa.DataFrameSchema)
    assert [str(check.name) for check in triangle.columns["LOB"].checks] == [
        "mandatory",
        "length",
        "encoding",
        "codes:line",
    ]


texts = st.one_of(
    st.none(),
    st.text(max_size=6),
    st.sampled_from(["个人", "单位", "11010519491231002X", "保单号保单号", "110105"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "ORG": texts,
                "NO": texts,
                "KIND": texts,
                "IDNO": texts,
                "BEGINS": st.one_of(st.none(), st.dates()),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_an_oracle_in_plain_python_agrees(
    sample: Standard, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    expected: set[tuple[int, str, str]] = set()
    for i, row in enumerate(rows):
        for name in ("ORG", "NO"):
            # White space as Unicode has it; Python's strip counts four separators more.
            if row[name] is None or all(c.isspace() and c not in "\x1c\x1d\x1e\x1f" for c in row[name]):
                expected.add((i, name, "mandatory"))
        for name in ("ORG", "NO", "KIND", "IDNO"):
            if row[name] is not None and set(row[name]) & set("\x00\r\n|"):
                expected.add((i, name, "encoding"))
        for name, length in (("ORG", 6), ("NO", 10)):
            if row[name] is not None and len(row[name].encode("gb18030")) > length:
                expected.add((i, name, "length"))
        if row["ORG"] is not None and not (
            len(row["ORG"]) == 6 and row["ORG"].isascii() and row["ORG"].isdigit()
        ):
            expected.add((i, "ORG", "check:region_code"))
        if row["KIND"] is not None and row["KIND"] not in ("个人", "单位"):
            expected.add((i, "KIND", "codes:kind"))
        if row["KIND"] == "个人" and row["IDNO"] is not None and not resident_id(row["IDNO"]):
            expected.add((i, "IDNO", "check:resident_id"))
        born = row["BEGINS"]
        if (
            born is not None
            and not date(1900, 1, 1) <= born <= date(2100, 12, 31)
            and born != date(9999, 12, 31)
        ):
            expected.add((i, "BEGINS", "date_range"))
    assert broken(sample, write_rows(sample, "POLICY", rows, tmp_path)) == expected


def test_rows_are_numbered_over_slices(
    sample: Standard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "SLICE_ROWS", 3)
    rows = [{**GOOD, "KIND": "其他" if i in (2, 3, 7) else "个人"} for i in range(8)]
    path = write_rows(sample, "POLICY", rows, tmp_path, row_group_size=2)
    assert broken(sample, path) == {(i, "KIND", "codes:kind") for i in (2, 3, 7)}


def test_an_empty_table_breaks_nothing(sample: Standard, tmp_path: Path) -> None:
    assert broken(sample, write_rows(sample, "POLICY", [], tmp_path)) == set()


def test_other_columns_are_named(sample: Standard, tmp_path: Path) -> None:
    path = tmp_path / "POLICY.parquet"
    pl.DataFrame({"NO": [1], "X": ["a"]}).write_parquet(path)
    with pytest.raises(BadInput, match="POLICY") as caught:
        list(contract.failures(contract.contract(sample, "POLICY"), path, ["NO"]))
    assert caught.value.code == "validations.columns_differ"


def test_when_every_row_fails_all_are_counted(sample: Standard, tmp_path: Path) -> None:
    rows = 300_000
    path = tmp_path / "COVER.parquet"
    frame = pl.DataFrame(
        {"NO": ["A|B"], "SEQ": [1], "AMOUNT": [Decimal("1.00")]},
        schema_overrides={"AMOUNT": pl.Decimal(20, 2)},
    )
    pl.concat([frame] * rows, rechunk=True).with_columns(
        SEQ=pl.int_range(rows, dtype=pl.Int64)
    ).write_parquet(path)
    policies = write_rows(sample, "POLICY", [], tmp_path)
    found = judge(
        sample,
        {"POLICY": policies, "COVER": path},
        report="detail",
        parameters={"date_from": "2026-01-01"},
        findings=tmp_path / "f.parquet",
    )
    assert found.counts["A12"] == rows == found.counts["E01"]
    assert pl.read_parquet(found.findings).filter(pl.col("rule") == "A12")["row"].n_unique() == rows


def test_findings_of_the_contract_carry_value_and_row(judged: Judge) -> None:
    judgement, found = judged(
        {"POLICY": [GOOD, {**GOOD, "NO": "P2", "KIND": "其他"}], "COVER": []}, report="detail"
    )
    (kind,) = [f for f in found if f["rule"] == "B00"]
    assert judgement.counts["B00"] == 1
    assert (kind["key"], kind["field"], kind["value"], kind["row"], kind["organisation"], kind["table"]) == (
        '{"NO":"P2"}',
        "KIND",
        "其他",
        1,
        "110105",
        "POLICY",
    )
