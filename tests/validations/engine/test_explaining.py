"""How a standard says what its figures are made of: mistakes with file and line, and what its SQL may not give."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import (
    ITEM,
    PERIOD,
    STANDARD,
    Write,
    mistakes,
    replaced,
    write_rows,
)
from validations.engine.deriving import derive
from validations.engine.explaining import Figures, open_figures, tables_behind
from validations.engine.loader import load_folder
from validations.engine.parts import account

EXPLAINS = "explains: [{field: VALUE, query: ITEM.explain.sql, into: {POLICY: PREMIUM}}]\n"
SQL = """\
-- Premium only: what is counted is not explained.
SELECT ORG, 'A01' AS CODE, 'POLICY' AS part, NO AS part_NO, 1 AS weight
FROM POLICY
"""
INDICATORS = """\
indicators:
  - name: premium
    title: {zh: 保费, en: Premium}
    table: ITEM
    field: VALUE
    sql: SELECT ORG, CODE FROM ITEM WHERE CODE = 'A01'
  - name: policies
    title: {zh: 件数, en: Policies}
    sql: SELECT COUNT(*) AS value FROM POLICY
"""
Ask = Callable[..., Figures]
POLICIES = [
    {"NO": "P1", "ORG": "440000", "PREMIUM": Decimal("60.10"), "BEGINS": None},
    {"NO": "P2", "ORG": "440000", "PREMIUM": Decimal("-0.20"), "BEGINS": None},
    {"NO": "P:3", "ORG": "440000", "PREMIUM": None, "BEGINS": None},
]


def explaining(
    explains: str = EXPLAINS, sql: str = SQL, indicators: str = INDICATORS
) -> dict[str, str | None]:
    """The files of the sample whose ITEM says what its figures are made of."""
    return {
        "standard.yaml": STANDARD + indicators,
        "tables/ITEM.yaml": replaced(ITEM, "fields:", explains + "fields:"),
        "tables/ITEM.explain.sql": sql,
    }


QUERY = [
    ("NO AS part_NO, ", "", "sample/tables/ITEM.explain.sql:1", "expected: ORG, CODE, part, part_NO, weight"),
    ("NO AS part_NO", "NOPE AS part_NO", "sample/tables/ITEM.explain.sql:1", "NOPE"),
    (
        "1 AS weight",
        "0.1::DOUBLE AS weight",
        "sample/tables/ITEM.explain.sql:1",
        "the column weight is DOUBLE",
    ),
    ("FROM POLICY", "FROM NOWHERE", "sample/tables/ITEM.explain.sql:1", "NOWHERE"),
    ("FROM POLICY", "FROM previous.POLICY", "sample/tables/ITEM.explain.sql:1", "previous.POLICY"),
    ("FROM POLICY", "FROM POLICY WHERE NO = $nope", "sample/tables/ITEM.explain.sql:1", "nope"),
    ("FROM POLICY", "FROM", "sample/tables/ITEM.explain.sql:3", ""),
    ("SELECT ORG", "DELETE", "sample/tables/ITEM.explain.sql:", ""),
]


@pytest.mark.parametrize(("old", "new", "place", "said"), QUERY)
def test_a_query_that_does_not_fit_is_named_with_its_file(
    write_standard: Write, old: str, new: str, place: str, said: str
) -> None:
    (mistake,) = mistakes(write_standard(explaining(sql=replaced(SQL, old, new))))
    assert mistake.startswith(place)
    assert said in mistake


DECLARED = [
    ("field: VALUE", "field: WORTH", "table ITEM has no field WORTH; expected one of: ORG, CODE, VALUE"),
    ("field: VALUE", "field: CODE", "the field ITEM.CODE is text; what adds up is an integer or a decimal"),
    ("POLICY: PREMIUM", "POLICIES: PREMIUM", "unknown table POLICIES"),
    ("POLICY: PREMIUM", "POLICY: ENDS", "the field POLICY.ENDS is date"),
    ("ITEM.explain.sql", "ITEM.other.sql", "there is no file tables/ITEM.other.sql"),
    ("query:", "querry:", "querry"),
    ("PREMIUM}}", "PREMIUM}, ratio: 0}", "ratio"),
    ("PREMIUM}}", "PREMIUM}, compared: {POLICY: PREMIUM}}", "POLICY"),
    ("PREMIUM}}", "PREMIUM}}, {field: VALUE, query: ITEM.explain.sql, into: {POLICY: PREMIUM}}", "VALUE"),
]


@pytest.mark.parametrize(("old", "new", "said"), DECLARED)
def test_a_declaration_that_does_not_fit_is_named_with_its_line(
    write_standard: Write, old: str, new: str, said: str
) -> None:
    found = mistakes(write_standard(explaining(replaced(EXPLAINS, old, new))))
    assert found[0].startswith("sample/tables/ITEM.yaml:6 ")
    assert said in "\n".join(found)


def test_a_part_in_a_table_that_the_report_lacks_is_refused(write_standard: Write) -> None:
    changed = explaining()
    changed["standard.yaml"] = replaced(STANDARD, "[POLICY, COVER, ITEM]", "[COVER, ITEM]")
    assert any(
        mistake.startswith("sample/tables/ITEM.explain.sql:1") and "POLICY" in mistake
        for mistake in mistakes(write_standard(changed))
    )


def test_only_a_table_of_one_code_says_what_codes_are_called(write_standard: Write) -> None:
    item = replaced(ITEM, "fields:", "names: {zh: CODE, en: NOPE}\nfields:")
    found = mistakes(write_standard({"tables/ITEM.yaml": item}))
    assert [mistake.split(" ")[0] for mistake in found] == ["sample/tables/ITEM.yaml:6"] * 2
    assert "no field NOPE" in found[0]
    assert "the key of ITEM is ORG, CODE" in found[1]


DECLARED_INDICATORS = [
    (
        "COUNT(*) AS value",
        "COUNT(*) AS number",
        "sql: SELECT COUNT",
        "the columns are number; expected: value",
    ),
    ("COUNT(*) AS value", "AVG(PREMIUM) AS value", "sql: SELECT COUNT", "the column value is DOUBLE"),
    (
        "SELECT ORG, CODE FROM",
        "SELECT ORG FROM",
        "sql: SELECT ORG",
        "the columns are ORG; expected: ORG, CODE",
    ),
    ("field: VALUE", "field: CODE", "field: VALUE", "the field ITEM.CODE is text"),
    ("    field: VALUE\n", "", "- name: premium", "field"),
    ("table: ITEM", "table: ITEMS", "table: ITEM", "unknown table ITEMS"),
    ("name: policies", "name: premium", "name: policies", "premium"),
    ("FROM POLICY", "FROM circ_audit.BDXXB", "sql: SELECT COUNT", "circ_audit.BDXXB"),
]


@pytest.mark.parametrize(("old", "new", "at", "said"), DECLARED_INDICATORS)
def test_an_indicator_that_does_not_fit_is_named_with_its_line(
    write_standard: Write, old: str, new: str, at: str, said: str
) -> None:
    (mistake,) = mistakes(write_standard(explaining(indicators=replaced(INDICATORS, old, new))))
    text = STANDARD + INDICATORS
    line = text[: text.index(at)].count("\n") + 1
    assert mistake.startswith(f"sample/standard.yaml:{line} ")
    assert said in mistake


# ---- asking


@pytest.fixture
def asked(write_standard: Write, tmp_path: Path) -> Iterator[Ask]:
    """The figures of three policies, as a standard with this SQL explains them."""
    with ExitStack() as stack:

        def ask(sql: str = SQL) -> Figures:
            standard = load_folder(write_standard(explaining(sql=sql)))
            tables = {"POLICY": write_rows(standard, "POLICY", POLICIES, tmp_path)}
            tables |= derive(standard, tables, parameters=PERIOD, out=tmp_path / "derived")
            return stack.enter_context(open_figures(standard, tables, parameters=PERIOD, spill=tmp_path))

        yield ask


def test_a_figure_opens_into_the_rows_it_was_computed_from(asked: Ask) -> None:
    figures = asked()
    table = figures.standard.table("ITEM")
    explanation = table.explains[0]
    cell = figures.find(table, ["440000", "A01"])
    assert cell == '{"ORG":"440000","CODE":"A01"}'
    parts = figures.parts(table, explanation, [cell])[cell]
    assert [(part.cell, part.value, part.rows, part.amount) for part in parts] == [
        ('{"NO":"P1"}', Decimal("60.10"), (0,), Decimal("60.10")),
        ('{"NO":"P2"}', Decimal("-0.20"), (1,), Decimal("-0.20")),
        ('{"NO":"P:3"}', None, (2,), Decimal(0)),
    ]
    made = account(table, explanation, parts)
    assert made is not None
    assert figures.values(table, "VALUE", [cell])[cell].value == made.total == Decimal("59.90")
    assert tables_behind(figures.standard, table) == {"ITEM", "POLICY"}


def test_indicators_name_a_cell_or_compute_a_value(asked: Ask) -> None:
    figures = asked()
    premium, policies = figures.standard.indicators
    assert figures.indicator(premium) == ('{"ORG":"440000","CODE":"A01"}', Decimal("59.90"))
    assert figures.indicator(policies) == (None, Decimal(3))


GIVEN = [
    ("'POLICY' AS part", "'COVER' AS part", "explain.wrong_part", "COVER"),
    ("'POLICY' AS part", "CAST(NULL AS VARCHAR) AS part", "explain.wrong_part", "None"),
    ("1 AS weight", "CASE WHEN NO = 'P1' THEN 1 END AS weight", "explain.wrong_part", "weight"),
    ("NO AS part_NO", "NO || '!' AS part_NO", "explain.part_missing", "P1!"),
    (
        "1 AS weight",
        "CAST('x' || NO AS INTEGER) AS weight",
        "explain.failed",
        "Conversion",
    ),
]


@pytest.mark.parametrize(("old", "new", "code", "said"), GIVEN)
def test_what_a_query_may_not_give_is_refused_when_it_gives_it(
    asked: Ask, old: str, new: str, code: str, said: str
) -> None:
    figures = asked(replaced(SQL, old, new))
    table = figures.standard.table("ITEM")
    with pytest.raises(BadInput) as caught:
        figures.parts(table, table.explains[0], figures.cells(table, "VALUE"))
    assert caught.value.code == code
    assert said in str(caught.value)
