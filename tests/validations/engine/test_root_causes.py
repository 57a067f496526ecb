"""What silences a finding: its root cause, a phase that stopped before it, a waiver; and what says so."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from tests.validations.engine.sample_standard import (
    RULES,
    STANDARD,
    Judge,
    Write,
    mistakes_text,
    rule,
    with_rules,
)
from validations.engine import Waiver
from validations.engine.loader import load_folder
from validations.engine.waivers import read_waivers


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
    assert "missing R, unknown X" in mistakes_text(write_standard({"standard.yaml": text}))


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
    assert "rules D11, D12 suppress each other" in mistakes_text(write_standard(with_rules(one, two)))


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
    found = mistakes_text(
        write_standard(with_rules(rule("D09", "holds: PREMIUM > 0", table="POLICY", suppressed_by=roots)))
    )
    assert "SEQ, TYPO is no key field of the tables that rule D09 judges; there are: NO" in found
    assert "TYPO is no key field of the tables that rule E01 judges; there are: NO, SEQ" in found
