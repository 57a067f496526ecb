"""The parts of the desk's tables: columns and spacing kept per browser, findings grouped with the way back, what an act will do."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from pipelines.stages.register import register
from tests.flow.conftest import Resume
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.play import AUDIT, opened

PAGE = f"/filings/{AUDIT}/findings"
LINK = re.compile(rf'<th scope="row"><a href="{PAGE}(\?[^"]*)">')

SIZE = re.compile(r'<td class="n">([\d,]+)</td><td class="n">[\d,]+</td><td class="n">[\d,]+</td></tr>')


@pytest.fixture(scope="module")
def played(audit_in_review: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    home = tmp_path_factory.mktemp("desk-tables") / "home"
    shutil.copytree(audit_in_review, home)
    with opened(home) as installation, at_desk(installation) as street:
        yield street


def heads(page: str) -> list[str]:
    table = page.split("<table", 1)[1]
    return [words(each) for each in re.findall(r"<th[ >].*?</th>", table.split("</thead>")[0], re.DOTALL)]


def test_columns_and_spacing_are_kept_in_the_browser_and_obeyed_without_script(played: Street):
    reviewer, shown = played.visitor("underwriting_reviewer"), {"column": ["table", "key", "state"]}
    before = heads(reviewer.read(PAGE))
    page = reviewer.send(
        PAGE, "/account/tables", {**shown, "density": "compact", "next": f"{PAGE}?severity=block"}
    )
    told = ["表", "主键", "状态"]
    assert [each for each in heads(page) if each in before[2:]] == told
    assert 'class="frame compact"' in page and '<option value="block" selected>' in page
    row = page.split("<tbody>")[1].split("</tr>")[0]
    assert row.count("<td") == len(told) + 2, "and the box and the problem"
    assert heads(played.visitor("business_reviewer").read(PAGE)) == before
    again = reviewer.send(PAGE, "/account/tables", {"density": "normal", "next": "//elsewhere.example/"})
    assert "我的任务" in again
    cookie = dict(reviewer.client.cookies)["baosong_table"]
    assert cookie.startswith("normal.severity.table.")


@pytest.mark.parametrize("kept", ["", "nonsense", "compact.no_such.key", "normal..", "x" * 3000])
def test_a_cookie_that_says_nothing_sensible_leaves_the_page_usable(played: Street, kept: str):
    client = played.visitor("claims_reviewer").client
    answer = client.get(
        PAGE, headers={"cookie": f"baosong_session={client.cookies['baosong_session']}; baosong_table={kept}"}
    )
    assert answer.status_code == 200
    assert ("主键" in heads(answer.text)) == (kept != "compact.no_such.key")


@pytest.mark.parametrize(("group", "column"), [("rule", "rule"), ("branch", "branch"), ("state", "state")])
def test_groups_count_what_the_filters_leave_and_each_leads_back_to_its_findings(
    played: Street, group: str, column: str
):
    reviewer = played.visitor("business_reviewer")
    rows = register(played.installation, played.installation.state(AUDIT)).filter(severity="block")
    counted = Counter(rows[column].to_list())
    page = reviewer.read(f"{PAGE}?severity=block&group={group}")
    links = [unescape(link) for link in LINK.findall(page)]
    assert len(links) == len(counted) and 'name="finding"' not in page
    found: dict[str, int] = {}
    for link in links:
        assert "severity=block" in link and "group" not in link
        shown = re.search(r"筛选出 ([\d,]+) 条", reviewer.read(f"{PAGE}{link}"))
        value = re.search(rf"{group}=([^&]+)", link)
        assert shown and value
        found[value[1]] = int(shown[1].replace(",", ""))
    assert found == dict(counted)
    sizes = [int(count.replace(",", "")) for count in SIZE.findall(page)]
    assert sizes == sorted(counted.values(), reverse=True)


def test_a_branch_groups_its_own_findings_only(played: Street):
    page = played.visitor("branch_440000").read(f"{PAGE}?group=branch")
    assert re.findall(r"branch=(\d+)", "".join(LINK.findall(page))) == ["440000"]


def test_the_page_says_what_an_act_on_all_would_do_to_how_many_and_it_does(
    resume: Resume, audit_listed: Path
):
    installation = resume(audit_listed)
    listed = register(installation, installation.state(AUDIT)).filter(holder="first_review")
    rule, of_rule = listed["rule"].value_counts(sort=True).row(-1)
    assert 0 < of_rule < listed.height
    with at_desk(installation) as street:
        reviewer, business = street.visitor("audit_reviewer"), street.visitor("business_reviewer")
        assert f"待初审的有 {listed.height:,} 条" in words(reviewer.read(PAGE))
        assert f"待初审的有 {of_rule} 条" in words(reviewer.read(f"{PAGE}?rule={rule}"))
        before = words(business.read(PAGE))
        assert "待下发的有 0 条" in before and "待裁定的有 0 条" in before
        reviewer.send(f"{PAGE}?rule={rule}", PAGE, {"act": "confirm", "all": "1", "rule": rule})
        assert f"待初审的有 {listed.height - of_rule:,} 条" in words(reviewer.read(PAGE))
        assert f"待下发的有 {of_rule} 条" in words(business.read(PAGE))


def test_an_english_page_names_tables_fields_and_departments_in_english(played: Street):
    rows = register(played.installation, played.installation.state(AUDIT)).filter(branch="440000")
    row = rows.row(0, named=True)
    table = played.installation.standard("circ_audit").tables[row["table"]]
    page = words(played.visitor("data_engineer").read(f"{PAGE}/{row['finding']}?lang=en"))
    assert f"{table.title.en} {table.name}" in page and table.title.zh not in page
    department = played.installation.deployment.departments[row["department"]].title
    branch = next(o.name for o in played.installation.deployment.organisations if o.code == "440000")
    assert f"{branch} {department.en}" in page, "whom it was put to"
    assert f"{branch} {department.zh}" in words(
        played.visitor("data_engineer").read(f"{PAGE}/{row['finding']}?lang=zh")
    )
