"""Examples are read whole, or their mistakes are listed, each with file, line and what was expected."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pipelines.errors import BadInput
from tests.validations.kit.conftest import EXAMPLES, WORLD
from validations.engine import Field, Title
from validations.kit.cells import WrongCell, as_text, cell
from validations.kit.examples import CONTENT, Suite

Read = Callable[..., Suite]
MONEY = Field("X", Title("", ""), "decimal", precision=20, scale=2)


def test_cells_have_the_dictionarys_types(read: Read) -> None:
    suite = read()
    assert suite.world.tables["POLICY"][0] == {
        "NO": "P1",
        "ORG": "440000",
        "KIND": "单位",
        "PHONE": "010-12345678",
        "PREMIUM": Decimal("60.00"),
        "BEGINS": date(2026, 1, 10),
        "ENDS": date(2027, 1, 9),
    }
    assert [example.name for example in suite.of("D02")] == [
        "a company may",
        "a person just below",
        "a person may not",
    ]
    (passing, failing) = suite.of("D01")
    assert not passing.fails and failing.fails
    assert str(failing.place) == "sample/examples/d.yaml:6"
    assert failing.changes[CONTENT]["POLICY"].set[0].cells == {"ENDS": date(2026, 1, 9)}


@pytest.mark.parametrize(
    ("file", "old", "new", "mistake"),
    [
        ("d", "D01:", "D99:", "sample/examples/d.yaml:1 there is no rule D99"),
        ("d", "ENDS: 2026-01-10}", "END: 2026-01-10}", "d.yaml:4 D01.pass.0.set.POLICY.0.END: table POLICY has no field END"),
        ("d", "{POLICY: [{NO: P1, ENDS", "{POLICE: [{NO: P1, ENDS", "d.yaml:4 D01.pass.0.set.POLICE: unknown table POLICE"),
        ("d", "2026-01-10}", "2026-02-30}", "field ENDS cannot be 2026-02-30; expected: YYYY-MM-DD"),
        ("d", "NO: P1, ENDS: 2026-01-10", "NO: P9, ENDS: 2026-01-10", "d.yaml:4 table POLICY has no row to change, copy or remove: NO: P9"),
        ("d", "NO: P1, ENDS: 2026-01-10", "ENDS: 2026-01-10", "rows are found by their key; NO of table POLICY is missing"),
        ("d", "finds: [{NO: P1}]", "finds: [{SEQ: P1}]", "SEQ is no key field of table POLICY; expected: NO"),
        ("d", "      finds: [{NO: P1}]\n", "", "missing key(s) finds"),
        ("d", "finds: [{NO: P1}]", "finds: []", "expected: a list of findings"),
        ("d", "999.99", "999.999", "field PREMIUM cannot be 999.999; expected: decimal(20,2)"),
        ("d", "    - name: one day\n      set", "    - name: one day\n      sets",
         "d.yaml:4 D01.pass.0.sets.POLICY: unknown key POLICY; expected one of: set, add, remove"),
        ("world", 'ORG: "440000", KIND: 单位, PHONE', "ORG: 440000, KIND: 单位, PHONE", 'field ORG cannot be 440000; expected: "440000"'),
        ("world", "SEQ: 2", "SEQ: 2.5", "field SEQ cannot be 2.5; expected: -?[0-9]+"),
        ("world", "AMOUNT: 59.00", "AMOUNT: 12345678901234.56", 'cannot be 12345678901234.56; expected: "12345678901234.56"'),
    ],
)  # fmt: skip
def test_mistakes_are_named_with_their_place(read: Read, file: str, old: str, new: str, mistake: str) -> None:
    text = {"d": EXAMPLES, "world": WORLD}[file]
    assert old in text
    with pytest.raises(BadInput) as caught:
        read({f"examples/{file}.yaml": text.replace(old, new, 1)})
    assert caught.value.code == "kit.examples_invalid"
    assert any(mistake in str(detail) for detail in caught.value.details), str(caught.value)


def test_all_mistakes_are_named_at_once(read: Read) -> None:
    text = EXAMPLES.replace("D01:", "D98:").replace("D02:", "D99:")
    with pytest.raises(BadInput) as caught:
        read({"examples/d.yaml": text})
    assert [detail.values["name"] for detail in caught.value.details] == ["D98", "D99"]


def test_without_a_world_it_says_what_to_write(read: Read) -> None:
    with pytest.raises(BadInput, match=r"standard sample has no examples: write .*world\.yaml"):
        read({"examples/world.yaml": None})


def test_long_values_may_be_said_briefly(read: Read) -> None:
    world = WORLD.replace("NO: P2, ORG", 'NO: P2, IDNO: {repeat: "九", times: 3}, ORG')
    assert read({"examples/world.yaml": world}).world.tables["POLICY"][1]["IDNO"] == "九九九"


@pytest.mark.parametrize("kind", ["world", "examples"])
def test_the_json_schemas_are_schemas(kind: str) -> None:
    path = Path("validations/engine/schemas") / f"{kind}.schema.json"
    Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_amounts_are_exact_however_they_are_written(amount: Decimal) -> None:
    for said in (f"{amount:f}", float(amount)):
        assert cell(MONEY, said) == amount
        assert as_text(cell(MONEY, said)) == f"{amount + 0:f}" or amount == 0


@given(st.floats())
def test_no_float_is_rounded_silently(number: float) -> None:
    try:
        value = cell(MONEY, number)
    except WrongCell:
        return
    assert isinstance(value, Decimal) and float(value) == number
