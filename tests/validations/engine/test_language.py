"""What a standard can say beyond plain rules: dates, conditions, many values, macros, other contents."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import (
    COVER,
    FILES,
    PERIOD,
    POLICY,
    RULES,
    STANDARD,
    Judge,
    Write,
    mistakes_text,
    replaced,
    rule,
    with_rules,
    write_rows,
)
from validations.engine.loader import load_folder


def rows_of(found: list[dict[str, Any]], rule_id: str) -> set[int | None]:
    return {each["row"] for each in found if each["rule"] == rule_id}


def test_a_rule_is_in_force_for_periods_that_end_within_its_dates(
    write_standard: Write, judged: Judge
) -> None:
    dated = rule("D05", "holds: 'false'", table="POLICY", effective="{from: 2026-07-01, to: 2026-12-31}")
    standard = load_folder(write_standard(with_rules(dated.replace("'false'", "NO <> NO"))))
    policies = {"POLICY": [{"NO": "P1"}], "COVER": []}
    for last, judges in (
        ("2026-06-30", False),
        ("2026-07-01", True),
        ("2026-12-31", True),
        ("2027-01-01", False),
    ):
        judgement, _ = judged(
            policies, standard=standard, report="detail", parameters={**PERIOD, "date_to": last}
        )
        assert ("D05" in judgement.counts) == judges, last
    with pytest.raises(BadInput, match="dates its rules, so the period must be known"):
        judged(policies, standard=standard, report="detail", parameters={"date_from": "2026-01-01"})


def test_a_table_is_due_while_it_is_in_force(write_standard: Write, judged: Judge) -> None:
    cover = replaced(COVER, "key: [NO, SEQ]", "key: [NO, SEQ]\neffective: {from: 2026-07-01}")
    standard = load_folder(write_standard({"tables/COVER.yaml": cover}))
    before = {**PERIOD, "date_to": "2026-06-30"}
    judgement, _ = judged({"POLICY": []}, standard=standard, report="detail", parameters=before)
    assert set(judgement.rows) == {"POLICY"} and "E04" not in judgement.counts
    with pytest.raises(BadInput, match="due tables are missing: COVER"):
        judged({"POLICY": []}, standard=standard, report="detail")


DATED_CODES = """\
code,title_zh,title_en,from,to
110105,朝阳,Chaoyang,,
330199,旧区,gone,,2020-12-31
330114,新区,new,2021-04-09,
440199,来去,came and went,2000-01-01,2005-12-31
440199,又来,came again,2010-01-01,2012-12-31
"""


@pytest.mark.parametrize(
    ("code", "on", "is_known"),
    [
        ("110105", date(1999, 1, 1), True),
        ("330199", date(2020, 12, 31), True),
        ("330199", date(2021, 1, 1), False),
        ("330114", date(2021, 4, 8), False),
        ("330114", date(2021, 4, 9), True),
        ("330114", None, True),
        ("330199", None, False),
        ("440199", date(2005, 12, 31), True),
        ("440199", date(2007, 1, 1), False),
        ("440199", date(2011, 1, 1), True),
        ("999999", date(2011, 1, 1), False),
        (None, date(2011, 1, 1), True),
    ],
)
def test_a_code_must_have_been_in_force_on_the_day_named(
    write_standard: Write, judged: Judge, code: str | None, on: date | None, is_known: bool
) -> None:
    policy = replaced(POLICY, "check: region_code}", "codes: region, as_of: BEGINS}").replace(
        "length: 6, mandatory: true", "length: 6"
    )
    rules = RULES.replace("constraint: check:region_code", "constraint: codes:region")
    standard = load_folder(
        write_standard(
            {"tables/POLICY.yaml": policy, "rules/rules.yaml": rules, "codes/region.csv": DATED_CODES}
        )
    )
    _, found = judged(
        {"POLICY": [{"NO": "P1", "ORG": code, "BEGINS": on}], "COVER": []}, standard=standard, report="detail"
    )
    assert rows_of(found, "B03") == (set() if is_known else {0})
    assert rows_of(found, "B00") == set()  # `codes` leaves the list that has a rule of its own


def test_without_a_day_a_code_must_be_in_force_at_some_time_of_the_period(
    write_standard: Write, judged: Judge
) -> None:
    policy = replaced(POLICY, "check: region_code}", "codes: region}")
    rules = RULES.replace("constraint: check:region_code", "constraint: codes:region")
    standard = load_folder(
        write_standard(
            {"tables/POLICY.yaml": policy, "rules/rules.yaml": rules, "codes/region.csv": DATED_CODES}
        )
    )
    policies = [{"NO": str(n), "ORG": code} for n, code in enumerate(("330199", "330114", "440199"))]
    for first, last, unknown in (
        ("2020-12-31", "2021-04-09", {2}),
        ("2021-01-01", "2021-04-08", {0, 1, 2}),
        ("2012-12-31", "2013-01-01", {1}),
    ):
        _, found = judged(
            {"POLICY": policies, "COVER": []},
            standard=standard,
            report="detail",
            parameters={"date_from": first, "date_to": last},
        )
        assert rows_of(found, "B03") == unknown


def test_a_field_may_be_mandatory_on_a_condition(write_standard: Write, judged: Judge) -> None:
    policy = replaced(POLICY, "codes: kind}", 'codes: kind, mandatory: "is_person_no OR PREMIUM > 100"}')
    standard_yaml = STANDARD.replace("macros: {", "macros: {is_person_no: \"NO LIKE 'R%'\", ")
    standard = load_folder(write_standard({"standard.yaml": standard_yaml, "tables/POLICY.yaml": policy}))
    rows = [
        {"ORG": "110105", "NO": "R1"},
        {"ORG": "110105", "NO": "R2", "KIND": "个人"},
        {"ORG": "110105", "NO": "P3", "PREMIUM": Decimal("100.00")},
        {"ORG": "110105", "NO": "P4", "PREMIUM": Decimal("100.01")},
        {"ORG": "110105", "NO": "P5"},
    ]
    _, found = judged({"POLICY": rows, "COVER": []}, standard=standard, report="detail")
    assert {(f["row"], f["field"]) for f in found if f["rule"] == "A10"} == {(0, "KIND"), (3, "KIND")}


def test_a_field_may_have_several_checks_each_for_its_rows(write_standard: Write, judged: Judge) -> None:
    policy = replaced(
        POLICY,
        "check: resident_id, when: \"KIND = '个人'\"",
        "check: [{name: resident_id, when: \"KIND = '个人'\"}, {name: uscc, when: \"KIND = '单位'\"}]",
    )
    changes = {**with_rules(rule("B09", "constraint: check:uscc")), "tables/POLICY.yaml": policy}
    standard = load_folder(write_standard(changes))
    person, company = "11010519491231002X", "91350100M000100Y43"
    rows = [
        {"NO": str(n), "KIND": kind, "IDNO": number}
        for n, (kind, number) in enumerate(
            [("个人", person), ("个人", company), ("单位", company), ("单位", person), (None, "x")]
        )
    ]
    _, found = judged({"POLICY": rows, "COVER": []}, standard=standard, report="detail")
    assert (rows_of(found, "B01"), rows_of(found, "B09")) == ({1}, {3})


def test_every_part_of_a_field_with_many_values_is_judged(write_standard: Write, judged: Judge) -> None:
    policy = replaced(POLICY, "codes: kind}", 'codes: kind, separator: ";"}')
    standard = load_folder(write_standard({"tables/POLICY.yaml": policy}))
    values = ["个人", "个人;单位", "个人;其他", "个人;", "", None]
    rows = [{"NO": str(n), "KIND": value} for n, value in enumerate(values)]
    _, found = judged({"POLICY": rows, "COVER": []}, standard=standard, report="detail")
    assert rows_of(found, "B00") == {2, 3, 4}


def test_macros_take_arguments_and_call_each_other(write_standard: Write, judged: Judge) -> None:
    macros = (
        "macros:\n"
        "  is_person: \"KIND = '个人'\"\n"
        "  parts(list): \"string_split(list, ';')\"\n"
        '  has(list, code): "list_contains(parts(list), code)"\n'
        '  alone(list, code): "has(list, code) AND len(parts(list)) = 1"\n'
    )
    standard_yaml = STANDARD[: STANDARD.index("macros:")] + macros
    alone = rule(
        "D07", "holds: \"NOT has(PHONE, '977') OR alone(PHONE, '977')\"", table="POLICY", field="PHONE"
    )
    standard = load_folder(write_standard({"standard.yaml": standard_yaml, **with_rules(alone)}))
    rows = [{"NO": str(n), "PHONE": phone} for n, phone in enumerate(["1;3", "977", "1;977", "9770", None])]
    _, found = judged({"POLICY": rows, "COVER": []}, standard=standard, report="detail")
    assert rows_of(found, "D07") == {2}


@pytest.mark.parametrize(
    ("macros", "expected"),
    [
        ('{a: "b", b: "a"}', "refer to each other without end"),
        ('{"pair(x)": "x", c: "pair(1, 2)"}', "takes 1 argument(s), 2 given"),
        ('{"sum(x)": "x"}', "has the name of an SQL function or word"),
        ('{"only(x)": "x"}', "has the name of an SQL function or word"),
    ],
)
def test_macros_that_cannot_be_expanded_are_named(write_standard: Write, macros: str, expected: str) -> None:
    text = STANDARD[: STANDARD.index("macros:")] + f"macros: {macros}\n"
    assert expected in mistakes_text(write_standard({"standard.yaml": text}))


def test_when_limits_a_rule_and_unknown_is_not_judged(write_standard: Write, judged: Judge) -> None:
    limited = rule("D08", "holds: PREMIUM > 0", when="is_person", table="POLICY", field="PREMIUM")
    standard = load_folder(write_standard(with_rules(limited)))
    rows = [
        {"NO": str(n), "KIND": kind, "PREMIUM": premium}
        for n, (kind, premium) in enumerate(
            [
                ("个人", Decimal(0)),
                ("单位", Decimal(0)),
                (None, Decimal(0)),
                ("个人", None),
                ("个人", Decimal(1)),
            ]
        )
    ]
    _, found = judged({"POLICY": rows, "COVER": []}, standard=standard, report="detail")
    assert rows_of(found, "D08") == {0}


def test_a_rule_over_every_table_judges_those_that_have_its_fields(
    write_standard: Write, judged: Judge
) -> None:
    named = rule(
        "A20", "holds: NO <> $forbidden", table='"*"', field="NO", expected="\"'not ' || $forbidden\""
    )
    text = (
        STANDARD + "parameters: {forbidden: {title: {zh: 禁用, en: forbidden}, type: text, default: 'X'}}\n"
    )
    standard = load_folder(write_standard({"standard.yaml": text, **with_rules(named)}))
    tables = {"POLICY": [{"NO": "X"}, {"NO": "Y"}], "COVER": [{"NO": "Y", "SEQ": 1}, {"NO": "X", "SEQ": 2}]}
    _, found = judged(tables, standard=standard, report="detail")
    a20 = {(f["table"], f["row"], f["expected"]) for f in found if f["rule"] == "A20"}
    assert a20 == {("POLICY", 0, "not X"), ("COVER", 1, "not X")}
    _, found = judged(tables, standard=standard, report="detail", parameters={**PERIOD, "forbidden": "Y"})
    assert {(f["table"], f["row"]) for f in found if f["rule"] == "A20"} == {("POLICY", 1), ("COVER", 0)}


def test_parameters_are_known_and_of_their_type(write_standard: Write, judged: Judge) -> None:
    text = STANDARD + "parameters: {limit: {title: {zh: 上限, en: limit}, type: decimal, default: '50'}}\n"
    standard = load_folder(write_standard({"standard.yaml": text}))
    tables: dict[str, Any] = {"POLICY": [], "COVER": []}
    for value in ("1_0", "NaN", "x", "１０"):
        with pytest.raises(BadInput, match="parameter limit"):
            judged(tables, standard=standard, report="detail", parameters={**PERIOD, "limit": value})
    with pytest.raises(BadInput, match=r"has no parameter limits; there are: .*limit"):
        judged(tables, standard=standard, report="detail", parameters={**PERIOD, "limits": "1"})


def test_a_query_reads_the_previous_content_where_there_is_one(
    write_standard: Write, judged: Judge, tmp_path: Path
) -> None:
    query = "SELECT p.NO, 'NO' AS field FROM previous.POLICY AS p ANTI JOIN POLICY AS n ON n.NO = p.NO"
    changes = {"rules/P03.sql": query, **with_rules(rule("P03", "query: P03.sql", table="POLICY"))}
    standard = load_folder(write_standard(changes))
    tables = {"POLICY": [{"NO": "P1"}], "COVER": []}
    judgement, _ = judged(tables, standard=standard, report="detail")
    (lacking,) = judgement.not_judged
    assert (lacking.rule, lacking.why, lacking.missing) == ("P03", "reference", "previous.POLICY")
    (tmp_path / "before").mkdir()
    before = write_rows(standard, "POLICY", [{"NO": "P1"}, {"NO": "P2"}], tmp_path / "before")
    judgement, found = judged(
        tables, standard=standard, report="detail", references={"previous": {"POLICY": before}}
    )
    assert [f["key"] for f in found if f["rule"] == "P03"] == ['{"NO":"P2"}']
    assert judgement.not_judged == ()


def test_a_query_reads_another_standard_that_stands_beside_this_one(
    write_standard: Write, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    for name, content in FILES.items():
        path = other / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace("name: sample", "name: other"), encoding="utf-8")
    query = "SELECT p.NO FROM POLICY AS p JOIN other.COVER AS c ON c.NO = p.NO WHERE c.AMOUNT <> p.PREMIUM"
    changes = {"rules/R11.sql": query, **with_rules(rule("R11", "query: R11.sql", table="POLICY"))}
    assert load_folder(write_standard(changes)).rule("R11").id == "R11"
    changes["rules/R11.sql"] = query.replace("other.COVER", "other.NOTHING")
    assert "other.NOTHING AS c is none" in mistakes_text(write_standard(changes))
