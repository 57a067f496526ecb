"""A figure opened at the desk down to its rows: what adds up, where its parts lead, what a typed cell that is none says."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path

import polars as pl
import pytest

from pipelines.demo.visitor import Declined
from pipelines.stages.explain import explain
from pipelines.stages.figure_lines import figure_lines
from pipelines.stages.installation import Installation
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.life import one, rows
from tests.flow.play import AUDIT, STATISTICS, Cores, open_statistics, opened, run

PAGE = f"/filings/{STATISTICS}/explain"
PREMIUM = "BSXM:000000:BF000000"


@pytest.fixture(scope="module")
def judged(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which April's statistics have been judged."""
    home = cores.furnish(tmp_path_factory.mktemp("statistics-at-desk"), clean=True)
    with opened(home) as installation:
        open_statistics(installation)
        run(installation, STATISTICS, "extract", "validate")
    return home


@pytest.fixture(scope="module")
def installation(judged: Path) -> Iterator[Installation]:
    """That home, read only: explaining changes nothing."""
    with opened(judged) as it:
        before = it.state(STATISTICS)
        yield it
        assert it.state(STATISTICS) == before


@pytest.fixture(scope="module")
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


def test_without_a_cell_the_form_says_how_one_is_written_and_indicators_lead_to_theirs(
    people: Street,
) -> None:
    for path in (PAGE, f"/filings/{STATISTICS}/data"):
        page = people.visitor("finance_reviewer").read(path)
        assert f'href="{PAGE}?cell=BSXM%3A000000%3ABF000000&amp;field=JE"' in page, path
    assert "例如 HZB:JGDM:XMDM" in people.visitor("finance_reviewer").read(PAGE)


def test_the_page_says_every_line_that_the_stage_tells_with_its_amounts(
    installation: Installation, people: Street
) -> None:
    page = people.visitor("finance_reviewer").read(f"{PAGE}?cell={PREMIUM}&depth=2")
    figure = explain(installation, installation.state(STATISTICS), PREMIUM, depth=2).figure
    assert figure is not None and figure.value is not None
    lines = list(figure_lines(figure, 1, 20))
    assert len(lines) > 30
    said = words(page)
    for line in lines:
        assert f"{' '.join(line.said.split())} {line.value:,}".replace("-", "−") in said, line.said
    assert "各部分相加与此数相符。" in said and "上期没有数：首次报送" in said
    assert page.count('class="fall fall-') > 10 and "其余" in page, "the waterfall, cut to the largest"


def test_the_last_level_is_the_row_of_the_round(installation: Installation, people: Street) -> None:
    table = pl.read_parquet(installation.rounds.tables(STATISTICS, 1)["XMZ"])
    number, row = next(
        (n, row) for n, row in enumerate(table.iter_rows(named=True), 1) if row["JE"] and row["JGDM"] == "440100"
    )  # fmt: skip
    page = people.visitor("finance_reviewer").read(f"{PAGE}?cell=BSXM:440100:{row['XMDM']}&depth=99")
    assert f"第 1 轮，第 {number} 行" in page and f"{row['JE']:,}" in page


def test_every_part_that_is_due_leads_to_its_own_page(people: Street) -> None:
    page = people.visitor("finance_reviewer").read(f"{PAGE}?cell={PREMIUM}&depth=2")
    assert f'href="?cell={escape("HZB%3A440000%3ABF000000")}&amp;field=JE&amp;depth=2"' in page
    inner = people.visitor("finance_reviewer").read(f"{PAGE}?cell=HZB:440000:BF000000&field=JE&depth=1")
    assert "广东分公司" in inner


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("cell=nothing", "HZB:JGDM:XMDM"),
        ("cell=BSXM:000000", "JGDM"),
        ("cell=NOPE:1", "NOPE"),
        ("cell=BSXM:000000:BF00000X", "BF000000"),
        (f"cell={PREMIUM}&field=NOPE", "NOPE"),
    ],
)
def test_what_is_no_cell_is_said_with_the_way_out(people: Street, query: str, why: str) -> None:
    with pytest.raises(Declined, match=f"^400 .*{why}"):
        people.visitor("finance_reviewer").read(f"{PAGE}?{query}")


def test_branches_do_not_open_figures(people: Street) -> None:
    with pytest.raises(Declined, match="403"):
        people.visitor("branch_440000").read(f"{PAGE}?cell={PREMIUM}")


def test_the_row_of_a_cell_shows_its_findings_and_masks_what_is_personal(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    finding = rows(installation, rule="B07", branch="330000").row(0, named=True)
    page_of_audit = f"/filings/{AUDIT}/explain"
    with at_desk(installation) as people:
        key = finding["key"].split('"')[3]
        page = people.visitor("audit_reviewer").read(f"{page_of_audit}?cell=KHXXB:{key}&field=SJHM")
        assert f'href="/filings/{AUDIT}/findings/{finding["finding"]}"' in page
        assert finding["value"] not in words(page) and "***" in page
        other = people.visitor("claims_reviewer").client.get(f"{page_of_audit}?cell=KHXXB:{key}&field=SJHM")
        assert other.status_code == 404 and finding["finding"] not in other.text, "another department's table"
        answer = people.visitor("audit_reviewer").client.get(f"{page_of_audit}?cell={finding['finding']}")
        assert (answer.status_code, answer.headers["location"]) == (
            303, f"/filings/{AUDIT}/findings/{finding['finding']}",
        )  # fmt: skip
        numeric = one(installation, rule="D05", branch="440000")
        story = people.visitor("audit_reviewer").read(f"/filings/{AUDIT}/findings/{numeric['finding']}")
        assert f"{page_of_audit}?cell=" in story, "a finding leads to its cell"
