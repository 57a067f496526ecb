"""The pages of standards: every report with its deadline, every table, rule and code list, and nothing as markup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html import escape

import pytest

from pipelines.demo.visitor import Declined
from pipelines.desk.paging import PAGE_ROWS
from pipelines.desk.standards_view import due_said
from pipelines.errors import LANGUAGE
from pipelines.stages.installation import Installation
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.play import Cores, opened
from validations.engine.reports import DueRule


@pytest.fixture(scope="module")
def installation(cores: Cores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A home in which nothing happened yet."""
    with opened(cores.furnish(tmp_path_factory.mktemp("standards"))) as it:
        yield it


@pytest.fixture(scope="module")
def people(installation: Installation) -> Iterator[Street]:
    with at_desk(installation) as visitors:
        yield visitors


@pytest.mark.parametrize("user", ["branch_330000", "business_reviewer", "president", "administrator"])
def test_everybody_who_has_logged_in_finds_the_standards_in_the_navigation(people: Street, user: str) -> None:
    assert '<a href="/standards">规范</a>' in people.visitor(user).read("/")
    said = words(people.visitor(user).read("/standards"))
    assert "财产保险稽核数据" in said and "按需求文件规定的期限" in said
    assert "统计月报 monthly 月 期末后 10 日内，遇节假日不顺延" in said


@pytest.mark.parametrize("name", ["circ_audit", "circ_statistics", "schedule_p"])
def test_every_table_rule_and_code_list_of_a_standard_has_its_page(
    installation: Installation, people: Street, name: str
) -> None:
    standard, visitor = installation.standard(name), people.visitor("branch_330000")
    page = visitor.read(f"/standards/{name}")
    for rule in standard.rules:
        assert f'<a href="/standards/{name}/rules/{rule.id}">{escape(rule.message.zh)}</a>' in page
        told = visitor.read(f"/standards/{name}/rules/{rule.id}")
        assert escape(rule.citation, quote=False) in told.replace("&#34;", '"').replace("&#39;", "'")
        if rule.holds:
            assert " ".join(rule.holds.split()) in words(told)
    for table in standard.tables.values():
        assert f'href="/standards/{name}/tables/{table.name}"' in page
        told = visitor.read(f"/standards/{name}/tables/{table.name}")
        assert all(f'<tr id="{field.name}">' in told for field in table.fields)
    for codes in standard.codes.values():
        told = visitor.read(f"/standards/{name}/codes/{codes.name}")
        assert told.count('<th scope="row"><code>') == min(len(codes.codes), PAGE_ROWS)


def test_sql_is_shown_as_text(installation: Installation, people: Street) -> None:
    compared = next(r for r in installation.standard("circ_audit").rules if r.holds and "<" in r.holds)
    page = people.visitor("it_reviewer").read(f"/standards/circ_audit/rules/{compared.id}")
    assert f'<pre tabindex="0">{escape(compared.holds or "", quote=False)}</pre>' in page.replace(
        "&#39;", "'"
    )
    assert compared.holds not in page


@pytest.mark.parametrize(
    "path", ["nope", "circ_audit/rules/X99", "circ_audit/tables/NOPE", "circ_audit/codes/nope", "..%2F.."]
)
def test_what_no_standard_has_is_not_there(people: Street, path: str) -> None:
    with pytest.raises(Declined, match="404"):
        people.visitor("it_reviewer").read(f"/standards/{path}")


def test_nobody_reads_them_without_a_login(people: Street) -> None:
    browser = people.visitor("it_reviewer").client
    answer = browser.get("/standards", headers={"cookie": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/standards")


def test_deadlines_in_words_of_both_languages() -> None:
    rules = {
        "within 2 working days of the period's end": DueRule("period_end", working_days=2),
        "within 10 days of the period's end; 3 days later when that is a statutory holiday": DueRule(
            "period_end", days=10, postponement="plus3"
        ),
        "within 15 days of the period's end, else on the next working day": DueRule(
            "period_end", days=15, postponement="next_workday"
        ),
        "by the deadline of the request": DueRule("request"),
    }
    token = LANGUAGE.set("en")
    try:
        assert {due_said(rule): rule for rule in rules.values()} == rules
    finally:
        LANGUAGE.reset(token)


def test_the_day_a_standard_is_in_force_from_is_told(installation: Installation, people: Street) -> None:
    day = date.fromisoformat(str(installation.standard("circ_audit").effective))
    assert f"{day} 起施行" in words(people.visitor("it_reviewer").read("/standards/circ_audit"))
