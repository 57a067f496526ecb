"""Long lists in pages: filings, code lists, the audit trail; and what stands on a page in the reader's own language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pipelines.desk.paging import PAGE_ROWS
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, Street, at_desk, words

TRAIL = re.compile(r'<tr><td class="nowrap">')


@pytest.fixture
def street(begin: Resume) -> Iterator[Street]:
    with at_desk(begin()) as street:
        yield street


def rows(page: str) -> list[str]:
    return re.findall(r'<th scope="row">(.*?)</th>', page.split("<main")[1], re.DOTALL)


def test_a_long_code_list_is_read_page_by_page_and_searched_by_code_and_name(street: Street):
    standard = street.installation.standard("circ_audit")
    longest = max(standard.codes.values(), key=lambda each: len(each.codes))
    page, reader = f"/standards/circ_audit/codes/{longest.name}", street.visitor("auditor")
    count = len(longest.codes)
    assert count > 4_000
    pages = -(-count // PAGE_ROWS)
    last = reader.read(f"{page}?page={pages}")
    assert [len(rows(reader.read(page))), len(rows(last))] == [PAGE_ROWS, count - (pages - 1) * PAGE_ROWS]
    assert f"第 {pages} 页，共 {pages} 页" in words(last) and 'rel="next"' not in last
    assert longest.codes[-1].code in rows(last)[-1]
    for nothing in ("0", "-1", "x", "99999", "9" * 50):
        assert len(rows(reader.read(f"{page}?page={nothing}"))) in (PAGE_ROWS, len(rows(last)))
    wanted = longest.codes[count // 2]
    found = reader.read(f"{page}?words={wanted.code}")
    assert rows(found) == [
        f"<code>{each.code}</code>" for each in longest.codes if each.code.startswith(wanted.code)
    ]
    named = reader.read(f"{page}?words={wanted.title.zh}")
    assert f"<code>{wanted.code}</code>" in rows(named)
    assert "没有这样的代码" in reader.read(f"{page}?words=no+such+code")


def test_the_trail_goes_back_to_its_beginning_and_is_read_by_person_and_event(street: Street):
    accounts, reader = street.accounts, street.visitor("auditor")
    for number in range(PAGE_ROWS + 20):
        accounts.record("actuary", "revealed", {"number": str(number)})
    first = reader.read("/trail")
    assert (
        len(TRAIL.findall(first)) == PAGE_ROWS and "number 119" in first and "number 19 " not in words(first)
    )
    older = re.search(r'href="\?([^"]+)" rel="next"', first)
    assert older
    second = reader.read(f"/trail?{older[1]}")
    assert "number 19" in words(second) and "number 0" in words(second) and "最新的" in second
    assert 'rel="next"' not in second and "登录" in second
    told = words(reader.read("/trail?user=auditor&event=logged_in"))
    assert told.count("auditor") >= 1 and "actuary" not in told
    assert "没有符合条件的记录" in reader.read("/trail?user=nobody")
    mine = reader.read("/trail?user=actuary&event=revealed")
    older = re.search(r'href="\?([^"]+)" rel="next"', mine)
    assert older and len(TRAIL.findall(reader.read(f"/trail?{older[1].replace('&amp;', '&')}"))) == 20
    for nothing in ("x", "-1", "9" * 40, "0"):
        assert reader.client.get(f"/trail?before={nothing}").status_code == 200
    assert PASSWORD not in first


def test_filings_and_calendar_are_read_page_by_page_in_the_order_of_their_deadlines(
    street: Street, monkeypatch: pytest.MonkeyPatch
):
    from datetime import date

    from pipelines.stages.request import open_due

    for month in range(5, 13):
        open_due(street.installation, date(2026, month, 10))
    count = len(street.installation.states())
    monkeypatch.setattr("pipelines.desk.paging.PAGE_ROWS", 10)
    reader = street.visitor("data_engineer")
    for page in ("/filings", "/calendar"):
        shown: list[str] = []
        for number in range(1, -(-count // 10) + 1):
            shown += rows(reader.read(f"{page}?page={number}"))
        assert count > 10 and len(shown) == len(set(shown)) == count
    assert "第 1 页" in words(reader.read("/filings"))


def test_tables_and_fields_go_by_their_english_names_on_an_english_page(street: Street):
    reader, standard = street.visitor("auditor"), street.installation.standard("circ_audit")
    page = words(reader.read("/standards/circ_audit/tables/BDXXB?lang=en"))
    table = standard.tables["BDXXB"]
    assert table.title.en in page and table.title.zh not in page
    assert all(field.title.en in page for field in table.fields)
