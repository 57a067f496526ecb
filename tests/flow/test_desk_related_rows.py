"""The rows that a finding speaks of: its own and those its rule compares, masked, capped, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.stages.installation import Installation
from pipelines.stages.related_rows import MOST_ROWS, related_rows
from tests.flow.conftest import Resume
from tests.flow.desk_play import at_desk, words
from tests.flow.life import one, rows
from tests.flow.play import AUDIT

NOBODY = "the codes of no branch"


@pytest.fixture
def installation(resume: Resume, audit_in_review: Path) -> Installation:
    return resume(audit_in_review)


def test_a_sum_shows_its_row_and_the_rows_that_are_added_up(installation: Installation) -> None:
    """E04: the premium of a policy against the sum over its coverages."""
    row = one(installation, rule="E04", branch="330000")
    own, coverages = related_rows(
        installation, installation.state(AUDIT), rule="E04", table=row["table"], key=row["key"]
    )
    assert (own.table, own.is_own, own.count) == (row["table"], True, 1)
    assert (coverages.table, coverages.is_own) == ("BDXBB", False)
    number = row["key"].split('"')[3]
    table = pl.read_parquet(installation.rounds.tables(AUDIT, 1)["BDXBB"]).filter(BDH=number)
    assert (coverages.count, len(coverages.values)) == (table.height, min(table.height, MOST_ROWS)) != (0, 0)
    place = coverages.fields.index("BDH")
    assert {values[place] for values in coverages.values} == {number}


def test_rows_of_other_organisations_are_not_shown(installation: Installation) -> None:
    row = one(installation, rule="E04", branch="330000")
    found = related_rows(
        installation,
        installation.state(AUDIT),
        rule="E04",
        table=row["table"],
        key=row["key"],
        may_see=lambda code: code == NOBODY,
    )
    assert [(each.is_own, each.count) for each in found] == [(True, 0)]


def test_a_rule_that_judges_each_table_by_itself_shows_its_own_row_only(installation: Installation) -> None:
    row = rows(installation, rule="B07", branch="330000").row(0, named=True)
    (own,) = related_rows(
        installation, installation.state(AUDIT), rule="B07", table=row["table"], key=row["key"]
    )
    assert own.is_own and own.values[0][own.fields.index("SJHM")] == "***"


def test_the_page_shows_them_when_it_is_asked_to(installation: Installation) -> None:
    row = one(installation, rule="E04", branch="330000")
    path = f"/filings/{AUDIT}/findings/{row['finding']}"
    with at_desk(installation) as people:
        for user in ("audit_reviewer", "branch_330000"):
            assert 'class="rows"' not in people.visitor(user).read(path)
            page = people.visitor(user).read(f"{path}?rows=1")
            assert page.count('<table class="rows">') == 2 and "保单险别表" in words(page)
            assert '<td class="here">' + row["value"] in page
