"""Examples are tried and mutants hunted: what a rule's author is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipelines.cli import standard_kit
from pipelines.errors import BadInput
from tests.validations.kit.conftest import EXAMPLES, WORLD
from validations.engine import load_standard
from validations.kit.examples import Suite
from validations.kit.examples_run import run_examples
from validations.kit.mutation import run_mutants
from validations.kit.read_examples import read_suite

Read = Callable[..., Suite]
D = ["D01", "D02"]


def command(*arguments: object) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(standard_kit.test)
    done = CliRunner().invoke(app, [str(item) for item in arguments], catch_exceptions=False)
    return done.exit_code, done.stdout


def test_every_rule_of_schedule_p_is_shown_to_pass_and_to_fail_and_no_mutant_survives(tmp_path: Path) -> None:
    suite = read_suite(load_standard("schedule_p"))
    ran = run_examples(suite, tmp_path / "examples")
    assert (ran.tables, ran.rules, ran.examples) == (1, 16, 42)
    assert (ran.failures, ran.dead, ran.silent) == ((), (), ())
    hunted = run_mutants(suite, tmp_path / "mutants")
    assert (hunted.total, hunted.killed, hunted.survivors) == (24, 24, ())


def test_examples_that_say_the_truth_are_counted(read: Read, tmp_path: Path) -> None:
    ran = run_examples(read(), tmp_path, D)
    assert (ran.rules, ran.examples, ran.failures, ran.dead, ran.silent) == (2, 5, (), (), ())


def test_a_rule_without_a_failing_example_is_dead_and_one_without_a_passing_one_is_named(
    read: Read, tmp_path: Path
) -> None:
    ran = run_examples(read({"examples/d.yaml": EXAMPLES.partition("D02")[0]}), tmp_path, D)
    assert (ran.dead, ran.silent) == (("D02",), ("D02",))
    assert not ran.is_good


@pytest.mark.parametrize(
    ("old", "new", "missing", "surplus"),
    [
        ("PREMIUM: 999.99", "PREMIUM: 1000.01", [], ["POLICY {NO: P1}, field: PREMIUM, value: 1000.01"]),
        ("finds: [{NO: P1}]", "finds: [{NO: P2}]", ["{NO: P2}"], ["POLICY {NO: P1}, field: PREMIUM, value: 1000.00"]),
        ("finds: [{NO: P1}]", "finds: [{NO: P1}, {NO: P1}]", ["{NO: P1}"], []),
        ("finds: [{NO: P1}]", "finds: [{NO: P1, value: 1000.1}]", ["{NO: P1}, value: 1000.10"],
         ["POLICY {NO: P1}, field: PREMIUM, value: 1000.00"]),
    ],
)  # fmt: skip
def test_what_is_not_as_said_is_shown_on_both_sides(
    read: Read, tmp_path: Path, old: str, new: str, missing: list[str], surplus: list[str]
) -> None:
    assert old in EXAMPLES
    (failure,) = run_examples(
        read({"examples/d.yaml": EXAMPLES.replace(old, new)}), tmp_path, ["D02"]
    ).failures
    assert (list(failure.missing), list(failure.surplus)) == (missing, surplus)


def test_figures_are_compared_as_numbers(read: Read, tmp_path: Path) -> None:
    text = EXAMPLES.replace("finds: [{NO: P1}]", "finds: [{NO: P1, field: PREMIUM, value: 1000}]")
    assert run_examples(read({"examples/d.yaml": text}), tmp_path, ["D02"]).failures == ()


def test_the_world_must_pass_every_rule(read: Read, tmp_path: Path) -> None:
    world = WORLD.replace("AMOUNT: 59.00", "AMOUNT: 58.00")
    (failure,) = run_examples(read({"examples/world.yaml": world}), tmp_path, ["E04"]).failures
    assert (failure.rule, failure.example) == ("E04", "")
    assert failure.surplus == (
        "POLICY {NO: P1}, field: PREMIUM, value: 60.00, expected: 59.00, difference: 1.00",
    )


def test_rows_are_copied_removed_and_derived(read: Read, tmp_path: Path) -> None:
    text = """\
A02:
  pass: [{name: another number, add: {COVER: [{like: {NO: P1, SEQ: 1}, SEQ: 3}]}}]
  fail: [{name: twice, add: {COVER: [{like: {NO: P1, SEQ: 1}}]}, finds: [{table: COVER, NO: P1, SEQ: 1}]}]
E01:
  pass: [{name: none left, remove: {COVER: [{NO: P1}], POLICY: [{NO: P1}]}}]
  fail:
    - name: without policy
      remove: {POLICY: [{NO: P1}]}
      finds: [{table: COVER, NO: P1, SEQ: 1}, {table: COVER, NO: P1, SEQ: 2}]
F01:
  pass: [{name: a figure of its own, set: {ITEM: [{ORG: "440000", CODE: A01, VALUE: 2}]}}]
  fail: [{name: not equal, set: {POLICY: [{NO: P1, PREMIUM: 2}]}, finds: [{ORG: "440000", CODE: A01, value: 3, expected: 2}]}]
derived:
  ITEM:
    - name: of policies begun in the period
      set: {POLICY: [{NO: P1, BEGINS: 2027-01-01}]}
      gives: [{ORG: "440000", CODE: A02, VALUE: 1}]
      lacks: [{CODE: A02, VALUE: 2}]
"""
    world = WORLD.replace("PREMIUM: 60.00", "PREMIUM: 1.00").replace("AMOUNT: 59.00", "AMOUNT: 0.00")
    suite = read({"examples/d.yaml": text, "examples/world.yaml": world})
    ran = run_examples(suite, tmp_path / "a")
    assert ran.failures == ()
    assert set(ran.dead) == {rule.id for rule in suite.standard.rules} - {"A02", "E01", "F01"}
    hunted = run_mutants(suite, tmp_path / "c")
    assert "derived ITEM.sql: BEGINS <= CAST($date_to AS DATE) → BEGINS < CAST($date_to AS DATE)" in [
        str(mutant) for mutant in hunted.survivors
    ]
    wrong = text.replace("A02, VALUE: 1}", "A02, VALUE: 9}").replace("VALUE: 2}]\n", "VALUE: 1}]\n")
    (failure,) = run_examples(
        read({"examples/d.yaml": wrong, "examples/world.yaml": world}), tmp_path / "b"
    ).failures
    assert failure.missing == ("{ORG: 440000, CODE: A02, VALUE: 9.00}",)
    assert failure.surplus == ("{CODE: A02, VALUE: 1.00}",)


def test_a_mutant_that_no_example_notices_survives(read: Read, tmp_path: Path) -> None:
    assert [str(m) for m in run_mutants(read(), tmp_path / "a", D).survivors] == []
    lax = EXAMPLES.replace("ENDS: 2026-01-10}", "ENDS: 2026-01-11}")
    hunted = run_mutants(read({"examples/d.yaml": lax}), tmp_path / "b", D)
    assert [str(m) for m in hunted.survivors] == ["D01 holds: BEGINS <= ENDS → BEGINS < ENDS"]
    assert (hunted.total, hunted.killed) == (2, 1)


def test_a_macros_mutants_are_tried_on_the_rules_that_use_it(read: Read, tmp_path: Path) -> None:
    hunted = run_mutants(read(), tmp_path / "a")
    assert "macros is_person: KIND = '个人' → KIND <> '个人'" not in [str(m) for m in hunted.survivors]
    lax = EXAMPLES.partition("D02")[0]
    hunted = run_mutants(read({"examples/d.yaml": lax}), tmp_path / "b")
    assert "macros is_person: KIND = '个人' → KIND <> '个人'" in [str(m) for m in hunted.survivors]


def test_an_excuse_excuses_exactly_the_survivor_it_names(read: Read, tmp_path: Path) -> None:
    lax = EXAMPLES.replace("ENDS: 2026-01-10}", "ENDS: 2026-01-11}")
    excuse = '  equivalent: [{mutant: "holds: BEGINS <= ENDS → BEGINS < ENDS", because: no policy of one day}]\nD02:'
    hunted = run_mutants(read({"examples/d.yaml": lax.replace("D02:", excuse)}), tmp_path / "a", D)
    assert hunted.is_good
    assert [why for _, why in hunted.excused] == ["no policy of one day"]
    killed = run_mutants(read({"examples/d.yaml": EXAMPLES.replace("D02:", excuse)}), tmp_path / "b", D)
    assert [(e.mutant, why) for e, why in killed.wrong] == [
        ("holds: BEGINS <= ENDS → BEGINS < ENDS", "killed")
    ]
    unknown = excuse.replace("BEGINS < ENDS", "BEGINS << ENDS")
    hunted = run_mutants(read({"examples/d.yaml": lax.replace("D02:", unknown)}), tmp_path / "c", D)
    assert [why for _, why in hunted.wrong] == ["unknown"]
    assert len(hunted.survivors) == 1


def test_lengths_and_the_dictionarys_predicates_are_mutated(read: Read, tmp_path: Path) -> None:
    text = """\
A11:
  pass: [{name: full, add: {POLICY: [{like: {NO: P1}, NO: "1234567890"}]}}]
  fail: [{name: one more, add: {POLICY: [{like: {NO: P1}, NO: "12345678901"}]}, finds: [{table: POLICY, NO: "12345678901"}]}]
"""
    hunted = run_mutants(read({"examples/d.yaml": text}), tmp_path, ["A11"])
    # The world's region codes fill the field, so one less is noticed; that a longer one may not stand there is not shown.
    assert [str(m) for m in hunted.survivors] == ["A11 POLICY.ORG.length: 6 → 7"]
    assert (hunted.total, hunted.killed) == (4, 3)


def test_the_command_prints_counts_and_exits_0_when_all_is_well(read: Read) -> None:
    code, out = command("schedule_p", "--rule", "S04", "--mutants")
    assert code == 0
    assert out.splitlines()[1:] == [
        "tables 1, rules 1 (and 0 on packages), examples 2, not as they say 0",
        "dead rules (no failing example makes them fire) 0",
        "rules without a passing example 0",
        "mutants 1, killed 1, said to be equivalent 0, survived 0",
    ]


def test_the_command_exits_1_and_tells_what_is_missing(read: Read) -> None:
    folder = read(
        {"examples/d.yaml": EXAMPLES.replace("ENDS: 2026-01-10}", "ENDS: 2026-01-01}")}
    ).standard.path
    code, out = command(folder, "--rule", "D01")
    assert code == 1
    assert out.splitlines()[:2] == [
        'D01 "one day" (sample/examples/d.yaml:3) is not what it says:',
        "  - found, not expected: POLICY {NO: P1}, field: BEGINS, value: 2026-01-10, expected: 2026-01-01",
    ]
    code, out = command(folder, "--json", "--rule", "D02", "--mutants")
    said = json.loads(out)
    assert (said["examples"], said["dead"], said["mutants"]["total"]) == (3, [], 1)


def test_an_unknown_rule_is_named_with_those_there_are() -> None:
    with pytest.raises(BadInput, match=r"standard schedule_p has no rule S99; there are: S01, S02"):
        command("schedule_p", "--rule", "S99")
