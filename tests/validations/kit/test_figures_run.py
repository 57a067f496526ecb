"""`standard test` adds the figures of the examples' world up: an author hears which one is not what its SQL says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.validations.engine.sample_standard import ITEM, ITEM_SQL, STANDARD, replaced
from validations.engine import load_standard
from validations.kit.examples import Suite
from validations.kit.examples_run import run_examples
from validations.kit.figures_run import try_figures
from validations.kit.read_examples import read_suite
from validations.kit.trial import Trial

Read = Callable[..., Suite]

SQL = "SELECT ORG, 'A01' AS CODE, 'POLICY' AS part, NO AS part_NO, 1 AS weight FROM POLICY"
PREMIUM_ONLY = ITEM_SQL.partition("UNION ALL")[0]


# F01 holds the sample's premium against its count, which the world does not pass: its failure stands before those of figures.


def explaining(sql: str, *, into: str = "POLICY: PREMIUM", derive: str = PREMIUM_ONLY) -> dict[str, str]:
    said = f"explains: [{{field: VALUE, query: ITEM.explain.sql, into: {{{into}}}}}]\nfields:"
    return {
        "tables/ITEM.yaml": replaced(ITEM, "fields:", said),
        "tables/ITEM.sql": derive,
        "tables/ITEM.explain.sql": sql,
    }


def reasons(read: Read, folder: Path, changes: dict[str, str]) -> list[tuple[str, ...]]:
    return [each.reasons for each in try_figures(Trial(read(changes), folder))]


def test_figures_that_add_up_are_not_mentioned(read: Read, tmp_path: Path) -> None:
    suite = read(explaining(SQL))
    assert try_figures(Trial(suite, tmp_path / "a")) == []
    assert {failure.rule for failure in run_examples(suite, tmp_path / "b").failures} == {"F01"}


def test_a_figure_that_its_parts_do_not_come_to_fails_the_test_of_the_standard(
    read: Read, tmp_path: Path
) -> None:
    ran = run_examples(read(explaining(SQL + " WHERE NO <> 'P2'")), tmp_path)
    assert [(failure.rule, failure.surplus) for failure in ran.failures[1:]] == [
        (
            "ITEM",
            ('ITEM {"ORG":"440000","CODE":"A01"} is 61.00, its parts come to 60.00, the difference is 1.00',),
        )
    ]
    assert str(ran.failures[1].place) == "sample/examples/world.yaml:1"
    assert not ran.is_good


def test_a_figure_that_nothing_explains_fails_unless_it_is_zero(read: Read, tmp_path: Path) -> None:
    (found,) = reasons(read, tmp_path, explaining(SQL, derive=ITEM_SQL))
    assert found == (
        'ITEM {"ORG":"440000","CODE":"A02"} is 2.00, its parts come to 0.00, the difference is 2.00',
    )


def test_a_figure_that_opens_into_itself_is_a_circle(read: Read, tmp_path: Path) -> None:
    sql = "SELECT ORG, CODE, 'ITEM' AS part, ORG AS part_ORG, CODE AS part_CODE, 1 AS weight FROM ITEM"
    (found,) = reasons(read, tmp_path, explaining(sql, into="ITEM: VALUE"))
    assert found == (
        'ITEM.explain.sql: ITEM {"ORG":"440000","CODE":"A01"} opens into itself; correct its SQL',
    )


def test_a_part_that_is_not_in_the_world_is_named(read: Read, tmp_path: Path) -> None:
    (found,) = reasons(read, tmp_path, explaining(SQL.replace("NO AS part_NO", "NO || 'x' AS part_NO")))
    assert 'POLICY {"NO":"P1x"}' in found[0]


def test_an_indicator_of_several_rows_is_named(read: Read, tmp_path: Path) -> None:
    said = "indicators: [{name: premium, title: {zh: 保费, en: Premium}, sql: SELECT PREMIUM AS value FROM POLICY}]\n"
    found = try_figures(Trial(read({"standard.yaml": STANDARD + said}), tmp_path))
    assert [(each.subject, each.reasons) for each in found] == [
        ("premium", ("the SQL of the key indicator premium returns more than one row; it names one figure",))
    ]


def test_every_figure_of_the_statistics_adds_up_whatever_the_report_demands(tmp_path: Path) -> None:
    suite = read_suite(load_standard("circ_statistics"))
    same = [example for example in suite.derived if not example.changes]
    assert {example.parameters.get("report") for example in same} >= {
        "monthly",
        "flash",
        "quarterly",
        "half_year",
    }
    assert try_figures(Trial(suite, tmp_path)) == []
