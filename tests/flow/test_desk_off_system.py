"""Off-system data at the desk: a department takes its template, hands its table in, sees every wrong cell; nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import load_workbook

from pipelines.demo.visitor import Declined
from pipelines.stages.installation import Installation
from tests.flow.desk_play import Street, at_desk, words
from tests.flow.life import events
from tests.flow.play import AUDIT
from tests.flow.test_off_system import ROWS, TREATIES, begun, filled  # noqa: F401 - `begun` is found by its name

PAGE = f"/filings/{AUDIT}/off-system"
OWNER = "accounting_reviewer"


@pytest.fixture
def people(begun: Installation) -> Iterator[Street]:  # noqa: F811 - the fixture
    with at_desk(begun) as visitors:
        yield visitors


def test_a_department_takes_its_template_and_hands_its_table_in(
    begun: Installation,  # noqa: F811 - the fixture
    people: Street,
    tmp_path: Path,
) -> None:
    owner = people.visitor(OWNER)
    assert f'<a href="{PAGE}">上传系统外数据</a>' in owner.read("/")
    page = owner.read(PAGE)
    assert "还有 1 张表等待上传" in page and "未交" in page and "还没有人上传。" in page
    book = tmp_path / "再保合同.xlsx"
    book.write_bytes(owner.fetch(f"{PAGE}/{TREATIES}.xlsx"))
    opened = load_workbook(book)
    for row in ROWS:
        opened[TREATIES].append(list(row.values()))
    opened.save(book)
    page = words(owner.send(PAGE, PAGE, {"table": TREATIES}, [("workbook", book)]))
    assert "已接收，整表代替前一次上传。" in page and "您部门的表已全部交齐。" in page
    assert "财务会计部审核人（模拟）" in page and "再保合同.xlsx" in page
    fact = begun.state(AUDIT).off_system[TREATIES].fact
    assert (fact.name, fact.rows, fact.department) == ("再保合同.xlsx", 2, "finance")
    assert "上传系统外数据" not in words(owner.read("/"))
    recorded = events(begun)
    again = owner.send(PAGE, PAGE, {"table": TREATIES}, [("workbook", book)])
    assert "与此前上传的文件相同，未作改动。" in again and events(begun) == recorded


def test_every_wrong_cell_is_named_by_sheet_row_and_column_and_nothing_is_taken(
    begun: Installation,  # noqa: F811 - the fixture
    people: Street,
    tmp_path: Path,
) -> None:
    wrong = [{**ROWS[0], "HBDM": "XYZ"}, {**ROWS[1], "FCBL": "三成", "SXBZ": None, "ZLE": Decimal(1)}]
    book = filled(begun, tmp_path / "wrong.xlsx", wrong)
    owner, recorded = people.visitor(OWNER), events(begun)
    page = owner.client.post(
        PAGE,
        data={"table": TREATIES, "csrf": owner.read(PAGE).split('name="csrf" value="')[1].split('"')[0]},
        files={"workbook": ("wrong.xlsx", book.read_bytes())},
    )
    assert page.status_code == 400
    said = words(page.text)
    assert "wrong.xlsx 有" in said and "处错误，没有接收" in said
    assert (
        f'<td>{TREATIES}</td><td class="n">3</td><td>M</td><td>列 {TREATIES}.FCBL：“三成” 不是' in page.text
    )
    assert "baosong-upload" not in page.text, "where the desk put the file down is nobody's matter"
    assert events(begun) == recorded and begun.state(AUDIT).uploads == ()

    coded = filled(begun, tmp_path / "coded.xlsx", [{**ROWS[0], "HBDM": "XYZ"}])
    with pytest.raises(Declined, match=r"coded\.xlsx 有 1 处错误"):
        owner.send(PAGE, PAGE, {"table": TREATIES}, [("workbook", coded)])


def test_bad_files_and_forms_are_refused_in_words(
    begun: Installation,  # noqa: F811 - the fixture
    people: Street,
    tmp_path: Path,
) -> None:
    owner, recorded = people.visitor(OWNER), events(begun)
    empty, text = filled(begun, tmp_path / "empty.xlsx", []), tmp_path / "note.txt"
    text.write_text("x", encoding="utf-8")
    for given, files, why in (
        ({"table": TREATIES}, [], "“工作簿”没有填写"),
        ({"table": TREATIES}, [("workbook", empty), ("workbook", text)], "一次只能上传"),
        ({"table": TREATIES}, [("workbook", empty)], r"^empty\.xlsx：表 ZBHTXXB 没有一行数据"),
        ({"table": TREATIES}, [("workbook", text)], r"^note\.txt 不能作为系统外数据上传"),
        ({"table": "KHXXB"}, [("workbook", empty)], "没有此页面"),
    ):
        with pytest.raises(Declined, match=why):
            owner.send(PAGE, PAGE, given, files)
    assert events(begun) == recorded


def test_other_departments_and_branches_neither_see_nor_hand_in_the_table(
    begun: Installation,  # noqa: F811 - the fixture
    people: Street,
    tmp_path: Path,
) -> None:
    book, recorded = filled(begun, tmp_path / "t.xlsx"), events(begun)
    claims = people.visitor("claims_reviewer")
    assert "没有您部门的系统外数据" in claims.read(PAGE) and TREATIES not in claims.read(PAGE)
    with pytest.raises(Declined, match="没有此页面"):
        claims.read(f"{PAGE}/{TREATIES}.xlsx")
    with pytest.raises(Declined, match="没有此页面"):
        claims.send(PAGE, PAGE, {"table": TREATIES}, [("workbook", book)])
    for user in ("branch_440000", "audit_reviewer", "executive"):
        with pytest.raises(Declined, match="403"):
            people.visitor(user).read(PAGE)
    assert events(begun) == recorded
    engineer = people.visitor("data_engineer")
    engineer.send(PAGE, PAGE, {"table": TREATIES}, [("workbook", book)])
    assert begun.state(AUDIT).uploads[-1].actor == "data_engineer"


def test_what_a_colleague_handed_in_meanwhile_is_not_replaced_unseen(
    begun: Installation,  # noqa: F811 - the fixture
    people: Street,
    tmp_path: Path,
) -> None:
    book, other = filled(begun, tmp_path / "t.xlsx"), filled(begun, tmp_path / "u.xlsx", [ROWS[0]])
    owner, seen = people.visitor(OWNER), str(begun.state(AUDIT).seq)
    people.visitor("data_engineer").send(PAGE, PAGE, {"table": TREATIES}, [("workbook", book)])
    recorded = events(begun)
    with pytest.raises(Declined, match="页面打开之后，数据工程师（模拟） 已上传过表"):
        owner.send(PAGE, PAGE, {"table": TREATIES, "seen": seen}, [("workbook", other)])
    assert events(begun) == recorded
    same = owner.send(PAGE, PAGE, {"table": TREATIES, "seen": seen}, [("workbook", book)])
    assert "与此前上传的文件相同" in same and events(begun) == recorded
    owner.send(PAGE, PAGE, {"table": TREATIES}, [("workbook", other)])
    assert begun.state(AUDIT).off_system[TREATIES].fact.rows == 1
