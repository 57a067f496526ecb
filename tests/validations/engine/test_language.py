"""What a standard can say beyond plain rules: dates, conditions, many values, macros, phases, other contents, waivers."""

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
    POLICY,
    RULES,
    STANDARD,
    Judge,
    Write,
    rule,
    write_rows,
)
from validations.engine import Waiver
from validations.engine.loader import load_folder
from validations.engine.waivers import read_waivers

PERIOD = {"date_from": "2026-01-01", "date_to": "2026-12-31"}


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def mistakes(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        load_folder(folder)
    return "\n".join(str(detail) for detail in caught.value.details)


def rows_of(found: list[dict[str, Any]], rule_id: str) -> set[int | None]:
    return {each["row"] for each in found if each["rule"] == rule_id}


def with_rules(*more: str) -> dict[str, str]:
    return {"rules/rules.yaml": RULES + "".join(more)}


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
    assert expected in mistakes(write_standard({"standard.yaml": text}))


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


def test_a_blocking_finding_stops_the_phases_after_its_own(write_standard: Write, judged: Judge) -> None:
    phases = "phases:\n  - {groups: [A], stops: true}\n  - {groups: [B, D, E, F, R]}\n"
    standard = load_folder(write_standard({"standard.yaml": STANDARD + phases}))
    bad = {"NO": "P1", "BEGINS": date(2026, 2, 1), "ENDS": date(2026, 1, 1)}
    judgement, found = judged({"POLICY": [bad], "COVER": []}, standard=standard, report="detail")
    assert {f["rule"] for f in found} == {"A10"}
    stopped = {each.rule: str(each) for each in judgement.not_judged}
    assert stopped["D01"] == "not judged: an earlier phase has blocking findings (A10)"
    assert "D01" not in judgement.counts
    judgement, found = judged(
        {"POLICY": [{**bad, "ORG": "110105"}], "COVER": []}, standard=standard, report="detail"
    )
    assert {f["rule"] for f in found} == {"D01"} and judgement.not_judged == ()


def test_phases_name_every_group_once(write_standard: Write) -> None:
    text = STANDARD + "phases: [{groups: [A, B, D, E, F]}, {groups: [X]}]\n"
    assert "missing R, unknown X" in mistakes(write_standard({"standard.yaml": text}))


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
    assert "other.NOTHING AS c is none" in mistakes(write_standard(changes))


def test_a_root_cause_on_another_table_hides_what_follows_from_it(
    write_standard: Write, judged: Judge
) -> None:
    rules = RULES.replace("sum: AMOUNT}}\n", "sum: AMOUNT}}\n  suppressed_by: [{rule: D11, on: [NO]}]\n")
    rules += rule("D11", "holds: AMOUNT >= 0", table="COVER", field="AMOUNT")
    standard = load_folder(write_standard({"rules/rules.yaml": rules}))
    tables = {
        "POLICY": [{"ORG": "110105", "NO": n, "PREMIUM": Decimal(5)} for n in ("P1", "P2")],
        "COVER": [
            {"NO": "P1", "SEQ": 1, "AMOUNT": Decimal(-5)},
            {"NO": "P2", "SEQ": 1, "AMOUNT": Decimal(4)},
        ],
    }
    judgement, found = judged(tables, standard=standard, report="detail")
    assert {(f["rule"], f["key"]) for f in found} == {
        ("D11", '{"NO":"P1","SEQ":"1"}'),
        ("E04", '{"NO":"P2"}'),
    }
    assert judgement.counts["E04"] == 1


def test_rules_that_suppress_each_other_are_refused(write_standard: Write) -> None:
    one = rule("D11", "holds: NO <> ''", table="COVER", suppressed_by="[D12]")
    two = rule("D12", "holds: NO <> ''", table="COVER", suppressed_by="[D11]")
    assert "rules D11, D12 suppress each other" in mistakes(write_standard(with_rules(one, two)))


def test_a_waiver_accepts_findings_until_it_expires(write_standard: Write, judged: Judge) -> None:
    standard = load_folder(write_standard())
    bad = {"ORG": "110105", "BEGINS": date(2026, 2, 1), "ENDS": date(2026, 1, 1)}
    tables = {"POLICY": [{**bad, "NO": "P1"}, {**bad, "NO": "P2"}], "COVER": []}
    waiver = Waiver("D01", "QB-1", "合同如此", date(2026, 12, 31), key='{"NO":"P1"}')
    judgement, found = judged(tables, standard=standard, report="detail", waivers=[waiver])
    assert {(f["key"], f["waiver"]) for f in found} == {('{"NO":"P1"}', "QB-1"), ('{"NO":"P2"}', None)}
    assert (judgement.counts["D01"], judgement.waived, judgement.by_severity["block"]) == (1, {"D01": 1}, 1)
    expired = Waiver("D01", "QB-1", "合同如此", date(2026, 12, 30))
    judgement, found = judged(tables, standard=standard, report="detail", waivers=[expired])
    assert judgement.counts["D01"] == 2 and {f["waiver"] for f in found} == {None}


def test_waivers_are_read_from_a_table_with_every_mistake_named(tmp_path: Path) -> None:
    path = tmp_path / "waivers.csv"
    good = 'D01,POLICY,"{""NO"":""P1""}",QB-1,合同如此,2026-12-31\n'
    path.write_text("rule,table,key,sign_off,reason,expires\n" + good, encoding="utf-8")
    (waiver,) = read_waivers(path, ["D01"])
    assert waiver == Waiver("D01", "QB-1", "合同如此", date(2026, 12, 31), "POLICY", '{"NO":"P1"}')
    path.write_text(
        "rule,table,key,sign_off,reason,expires\n"
        + good
        + "D99,,,QB,r,2026-12-31\nD01,,,,r,2026-12-31\nD01,,,Q,r,31.12.2026\n",
        encoding="utf-8",
    )
    with pytest.raises(BadInput) as caught:
        read_waivers(path, ["D01"])
    assert [detail.values["line"] for detail in caught.value.details] == [3, 4, 5]


def test_the_digest_of_a_rule_changes_with_what_decides_it_and_nothing_else(write_standard: Write) -> None:
    def digests(changes: dict[str, str] | None = None) -> dict[str, str]:
        return {each.id: each.digest for each in load_folder(write_standard(changes)).rules}

    first = digests()
    longer = digests({"tables/POLICY.yaml": replaced(POLICY, "length: 10", "length: 11")})
    assert {name for name in first if first[name] != longer[name]} == {
        "A10",
        "A11",
        "A12",
    }  # NO's own constraints
    code = digests({"codes/kind.csv": FILES["codes/kind.csv"] + "其他,其他,other\n"})
    assert {name for name in first if first[name] != code[name]} == {"A12", "B00"}
    query = digests({"rules/R01.sql": FILES["rules/R01.sql"].replace("<", "<=")})
    assert {name for name in first if first[name] != query[name]} == {"R01"}
    reworded = digests({"rules/rules.yaml": RULES.replace("holds: BEGINS <= ENDS", "holds: BEGINS < ENDS")})
    assert {name for name in first if first[name] != reworded[name]} == {"D01"}
    macro = digests({"standard.yaml": STANDARD.replace("KIND = '个人'", "KIND <> '单位'")})
    assert {name for name in first if first[name] != macro[name]} == {"D02"}


def test_the_digest_of_a_rule_changes_with_macros_wherever_they_are_named_and_with_defaults(
    write_standard: Write,
) -> None:
    standard = STANDARD.replace("{is_person:", "{known: \"KIND <> ''\", is_person:").replace(
        "\"KIND = '个人'\"", "\"known AND KIND = '个人'\""
    )
    standard += "parameters: {limit: {title: {zh: 上限, en: limit}, type: decimal, default: '50'}}\n"
    named = {
        "standard.yaml": standard,
        "tables/POLICY.yaml": replaced(POLICY, "when: \"KIND = '个人'\"", "when: is_person"),
        **with_rules(rule("D09", "holds: PREMIUM < $limit", table="POLICY")),
    }

    def digests(changes: dict[str, str]) -> dict[str, str]:
        return {each.id: each.digest for each in load_folder(write_standard({**named, **changes})).rules}

    first = digests({})
    inner = digests({"standard.yaml": standard.replace("KIND <> ''", "KIND <> 'x'")})
    assert {name for name in first if first[name] != inner[name]} == {"B01", "D02", "A12"}
    default = digests({"standard.yaml": standard.replace("'50'", "'51'")})
    assert {name for name in first if first[name] != default[name]} == {"D09"}


def test_rules_that_lack_something_are_listed_even_when_an_earlier_phase_stops(
    write_standard: Write, judged: Judge
) -> None:
    phases = "phases:\n  - {groups: [A], stops: true}\n  - {groups: [B, D, E, F, P, R]}\n"
    query = "SELECT p.NO FROM previous.POLICY AS p ANTI JOIN POLICY AS n ON n.NO = p.NO"
    changes = {
        "standard.yaml": STANDARD + phases,
        "rules/P03.sql": query,
        **with_rules(rule("P03", "query: P03.sql", table="POLICY")),
    }
    standard = load_folder(write_standard(changes))
    judgement, _ = judged({"POLICY": [{"NO": "P1"}], "COVER": []}, standard=standard, report="detail")
    assert {each.rule: each.missing for each in judgement.not_judged}["P03"] == "previous.POLICY"
    assert {each.rule for each in judgement.not_judged} | set(judgement.counts) == {
        each.id for each in standard.rules if each.id != "F01"
    }


def test_the_keys_by_which_a_root_cause_is_found_are_keys_of_both_rules(write_standard: Write) -> None:
    roots = "[{rule: D01, on: [NO]}, {rule: E01, on: [SEQ, TYPO]}]"
    found = mistakes(
        write_standard(with_rules(rule("D09", "holds: PREMIUM > 0", table="POLICY", suppressed_by=roots)))
    )
    assert "SEQ, TYPO is no key field of the tables that rule D09 judges; there are: NO" in found
    assert "TYPO is no key field of the tables that rule E01 judges; there are: NO, SEQ" in found
