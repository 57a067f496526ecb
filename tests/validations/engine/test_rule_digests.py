"""The digest of a rule names its wording: it changes with all that decides what the rule finds, and with nothing else."""

from __future__ import annotations

from tests.validations.engine.sample_standard import (
    FILES,
    POLICY,
    RULES,
    STANDARD,
    Write,
    replaced,
    rule,
    with_rules,
)
from validations.engine.loader import load_folder


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
