"""Off-system data: a department fills in a template, hands it in, and the round holds exactly what it wrote."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from openpyxl import load_workbook

from pipelines.errors import BadInput, Refused, Tampered
from pipelines.ledger.filing import FilingState
from pipelines.stages import off_system_upload
from pipelines.stages.extract import request_extraction
from pipelines.stages.installation import Installation
from pipelines.stages.next_step import next_step
from pipelines.stages.nil_return import declare_nil_return, withdraw_nil_return
from pipelines.stages.off_system import (
    missing_uploads,
    owed_tables,
    shown_state,
    table_file,
    upload_file,
)
from pipelines.stages.off_system_input import read_upload
from pipelines.stages.off_system_template import write_template
from pipelines.stages.off_system_upload import upload
from pipelines.stages.validate import read_findings
from tests.flow.conftest import Resume
from tests.flow.play import (
    AUDIT,
    answer_all,
    draft,
    open_by_request,
    own_deployment,
    preparer,
    replace_text,
    run,
    send_out,
)
from tests.flow.test_bad_input import fails
from validations.engine import load_standard, table_digest

TREATIES = "ZBHTXXB"
Row = dict[str, Any]
ROWS: tuple[Row, ...] = tuple(
    {
        "BXJGDM": "000000",
        "BXJGMC": "示范财产保险股份有限公司（模拟）",
        "CJRQ": date(2026, 3, 31),
        "ZBHTH": "00012026030000000017",
        "ZBRDM": reinsurer,
        "ZBRMC": f"再保险人{reinsurer}（模拟）",
        "ZBHTMC": "企财险比例合约",
        "ZBLX": "合约",
        "FBFS": "成数",
        "XL": None,
        "ZBQSRQ": date(2026, 1, 1),
        "ZBZZRQ": date(2026, 12, 31),
        "FCBL": share,
        "ZLE": Decimal("50000000.00"),
        "HTXE": None,
        "FBSXFBL": Decimal("0.2875"),
        "HBDM": "CNY",
        "SXBZ": lead,
    }
    for reinsurer, share, lead in (("0007", Decimal("0.3000"), "是"), ("0012", Decimal("0.1250"), "否"))
)
"""What the reinsurance department keeps: two shares of one treaty, with leading zeros and a number of twenty digits."""


PEOPLE = """\
users:
  reinsurance_440000:
    name: 广东再保岗（模拟）
    roles: [business_reviewer]
    organisations: ["440000"]
    departments: [finance]
  reinsurance2:
    name: 再保岗乙（模拟）
    roles: [business_reviewer]
    organisations: ["*"]
    departments: [finance]
"""


@pytest.fixture
def begun(begin: Resume, tmp_path: Path) -> Installation:
    """The audit's filing is open, and its treaties are kept outside the systems."""
    deployment = own_deployment(
        tmp_path / "deployment",
        (
            "deployment.yaml",
            "    channel: designated_sftp\n    organisations: all\n",
            f"    channel: designated_sftp\n    organisations: all\n    off_system: {{{TREATIES}: finance}}\n",
        ),
        (
            "users.yaml",
            "users:\n",
            PEOPLE,
        ),
    )
    installation = begin(clean=True, deployment=deployment)
    open_by_request(installation, draft(installation.home))
    return installation


def filled(installation: Installation, path: Path, rows: tuple[Row, ...] | list[Row] = ROWS) -> Path:
    """The template with these rows typed into it."""
    write_template(installation, AUDIT, TREATIES, path)
    return edited(path, lambda book: [book[TREATIES].append(list(row.values())) for row in rows])


def edited(path: Path, edit: Callable[[Any], object]) -> Path:
    book = load_workbook(path)
    edit(book)
    book.save(path)
    return path


def hand_in(installation: Installation, path: Path, user: str = "business_reviewer") -> FilingState:
    return upload(installation, AUDIT, installation.user(user), table=TREATIES, file=path)


def as_parquet(path: Path, rows: tuple[Row, ...] = ROWS) -> Path:
    """The same rows, written by somebody who needs no workbook."""
    standard = load_standard("circ_audit")
    types: Mapping[str, Any] = {
        "text": pl.String, "date": pl.Date, "integer": pl.Int64, "decimal": None,
    }  # fmt: skip
    schema = {
        f.name: types[f.type] or pl.Decimal(f.precision, f.scale or 0)
        for f in standard.table(TREATIES).stored_fields
    }
    pl.DataFrame(list(rows), schema=schema).write_parquet(path)
    return path


def refusal(installation: Installation, path: Path, user: str = "business_reviewer") -> str:
    """The words with which an upload is refused; nothing of it is taken."""
    before = installation.state(AUDIT)
    with pytest.raises((BadInput, Refused)) as caught:
        hand_in(installation, path, user)
    assert installation.state(AUDIT) == before
    folder = installation.folder("off_system", AUDIT)
    kept = {p.name for p in folder.iterdir()} if folder.exists() else set[str]()
    recorded = {
        file.name
        for u in before.uploads
        for file in (
            upload_file(installation, AUDIT, u.fact),
            table_file(installation, AUDIT, TREATIES, u.fact.digest),
        )
    }
    assert kept == recorded
    return str(caught.value)


def test_the_round_holds_exactly_what_the_department_typed(begun: Installation, tmp_path: Path) -> None:
    state = begun.state(AUDIT)
    assert [each.table.name for each in missing_uploads(begun, state)] == [TREATIES]
    assert next_step(state, begun) is None  # people are at work
    fails(
        begun, AUDIT, "extract", BadInput, 2,
        f"系统外表 {TREATIES} 尚未上传，等待 finance：baosong off-system upload {AUDIT} {TREATIES} 文件.xlsx",
    )  # fmt: skip
    state = hand_in(begun, filled(begun, tmp_path / "再保合同.xlsx"))
    fact = state.off_system[TREATIES].fact
    table = begun.standard("circ_audit").table(TREATIES)
    assert fact.digest == table_digest(table, as_parquet(tmp_path / "same.parquet"))
    assert (fact.name, fact.rows, fact.department) == ("再保合同.xlsx", 2, "finance")
    assert fact.sums == {"FCBL": "0.4250", "ZLE": "100000000.00", "HTXE": "0.00", "FBSXFBL": "0.5750"}
    due = next_step(state, begun)
    assert due is not None
    assert due.key == "extract:round-1:0"

    state = run(begun, AUDIT, "extract")
    written = pl.read_parquet(begun.rounds.path(AUDIT, 1) / f"{TREATIES}.parquet")
    assert written.to_dicts() == list(ROWS)
    assert state.rounds[0].fact.tables[TREATIES].digest == fact.digest
    manifest = begun.rounds.verify(AUDIT, 1, digest=state.rounds[0].fact.manifest)
    assert TREATIES not in manifest.extra["sql"]
    entry = manifest.extra["certificate"]["tables"][TREATIES]
    assert (entry["upload"], entry["department"], entry["statement"]) == (fact.file, "finance", "")
    assert entry["counted"] == entry["written"] == {"rows": 2, "sums": dict(fact.sums)}

    findings = read_findings(begun, run(begun, AUDIT, "validate")).filter(pl.col("table") == TREATIES)
    assert findings.select("rule", "severity").unique().sort("rule").rows() == []


def test_the_rules_judge_what_was_handed_in(begun: Installation, tmp_path: Path) -> None:
    late = [{**ROWS[0], "CJRQ": date(2026, 2, 28), "ZBZZRQ": date(2025, 12, 31)}, ROWS[1]]
    hand_in(begun, filled(begun, tmp_path / "t.xlsx", late))
    state = run(begun, AUDIT, "extract", "validate")
    findings = read_findings(begun, state).filter(pl.col("table") == TREATIES)
    assert ("A04", "CJRQ", "2026-02-28") in findings.select("rule", "field", "value").rows()


def test_a_source_fix_of_an_off_system_table_is_another_upload(begun: Installation, tmp_path: Path) -> None:
    late = [{**ROWS[0], "CJRQ": date(2026, 2, 28)}, ROWS[1]]
    wrong = filled(begun, tmp_path / "wrong.xlsx", late)
    hand_in(begun, wrong)
    run(begun, AUDIT, "extract", "validate", "review")
    send_out(begun, AUDIT)
    state = answer_all(
        begun, AUDIT, lambda *_: ("源头修正", "", "改后重新上传（模拟）"), tmp_path / "answers"
    )
    (owed,) = owed_tables(begun, state)
    assert shown_state(owed).endswith("已答复源头修正，等待重新上传")
    assert next_step(state, begun) is None
    assert next_step(hand_in(begun, wrong), begun) is None  # the same file mends nothing
    state = hand_in(begun, filled(begun, tmp_path / "mended.xlsx"))
    due = next_step(state, begun)
    assert due is not None
    assert due.key == "extract:round-2:0"
    later = read_findings(begun, run(begun, AUDIT, "extract", "validate"))
    assert later.filter(pl.col("table") == TREATIES).is_empty()


def test_a_data_engineer_need_not_wait_for_a_promised_upload(begun: Installation, tmp_path: Path) -> None:
    late = [{**ROWS[0], "CJRQ": date(2026, 2, 28)}, ROWS[1]]
    hand_in(begun, filled(begun, tmp_path / "wrong.xlsx", late))
    run(begun, AUDIT, "extract", "validate", "review")
    answer_all(begun, AUDIT, lambda *_: ("源头修正", "", "改后重新上传（模拟）"), tmp_path / "answers")
    due = next_step(request_extraction(begun, AUDIT, preparer(begun), reason="部门说明无须更改"), begun)
    assert due is not None
    assert due.key == "extract:round-2:0"


def test_another_upload_takes_the_place_and_makes_another_round_due(
    begun: Installation, tmp_path: Path
) -> None:
    first = filled(begun, tmp_path / "first.xlsx")
    hand_in(begun, first)
    state = run(begun, AUDIT, "extract", "validate", "review")
    again = hand_in(begun, first)
    assert (again.seq, next_step(again, begun)) == (state.seq, None)  # the same file changes nothing

    shuffled = filled(begun, tmp_path / "shuffled.xlsx", [ROWS[1], ROWS[0]])
    state = hand_in(begun, shuffled, "reinsurance2")
    assert [u.actor for u in state.uploads] == ["business_reviewer", "reinsurance2"]
    assert next_step(state, begun) is None  # other bytes, the same rows

    corrected = [{**ROWS[0], "FCBL": Decimal("0.4000")}, ROWS[1]]
    state = hand_in(begun, filled(begun, tmp_path / "second.xlsx", corrected), "reinsurance2")
    assert [u.fact.name for u in state.uploads] == ["first.xlsx", "shuffled.xlsx", "second.xlsx"]
    due = next_step(state, begun)
    assert due is not None
    assert due.key == "extract:round-2:0"
    state = run(begun, AUDIT, "extract")
    assert [r.fact.tables[TREATIES].sums["FCBL"] for r in state.rounds] == ["0.4250", "0.5250"]
    assert next_step(hand_in(begun, tmp_path / "second.xlsx", "reinsurance2"), begun) == next_step(
        state, begun
    )


def test_a_command_killed_before_its_event_is_repeated_and_ends_the_same(
    begun: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = filled(begun, tmp_path / "t.xlsx")

    class Killed(BaseException):
        pass

    def kill(*_: object, **__: object) -> FilingState:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Installation, "record", kill)
        with pytest.raises(Killed):
            hand_in(begun, book)
    folder = begun.folder("off_system", AUDIT)
    left = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(left) == 2
    assert begun.state(AUDIT).uploads == ()
    (folder / ".tmp-999999999-killed").mkdir()  # and one that was killed while it read
    state = hand_in(begun, book)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == left
    assert len(state.uploads) == 1
    assert upload_file(begun, AUDIT, state.uploads[0].fact).read_bytes() == book.read_bytes()


def test_a_file_that_is_saved_while_it_is_read_is_not_taken(
    begun: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = filled(begun, tmp_path / "t.xlsx")

    def read_while_saved(*given: Any, **more: Any) -> Path:
        found = read_upload(*given, **more)
        edited(book, lambda opened: opened[TREATIES].append(list(ROWS[0].values())))
        return found

    monkeypatch.setattr(off_system_upload, "read_upload", read_while_saved)
    assert "在读取时被改动，未接收" in refusal(begun, book)


def test_only_the_department_and_the_data_engineer_hand_in(begun: Installation, tmp_path: Path) -> None:
    book = filled(begun, tmp_path / "t.xlsx")
    assert "理赔管理部审核人（模拟） 不代表部门 财务会计部，不能交回系统外表 ZBHTXXB" in refusal(
        begun, book, "claims_reviewer"
    )
    assert "其他机构的数据，或代替其已交的数据：000000" in refusal(begun, book, "reinsurance_440000")
    own = filled(begun, tmp_path / "own.xlsx", [{**row, "BXJGDM": "440000"} for row in ROWS])
    state = hand_in(begun, own, "reinsurance_440000")
    assert state.uploads[-1].actor == "reinsurance_440000"
    state = hand_in(begun, book, "data_engineer")
    assert "代替其已交的数据：000000" in refusal(begun, own, "reinsurance_440000")
    assert [u.fact.file for u in state.uploads] == [u.fact.file for u in begun.state(AUDIT).uploads]


def test_a_nil_return_takes_the_place_of_an_upload(begun: Installation, tmp_path: Path) -> None:
    book = filled(begun, tmp_path / "t.xlsx")
    hand_in(begun, book)
    nil = {"table": TREATIES, "reason": "本期无再保合同（模拟）"}
    declare_nil_return(begun, AUDIT, preparer(begun), **nil)
    assert f"表 {TREATIES} 已零申报，不能上传" in refusal(begun, book)
    state = run(begun, AUDIT, "extract")
    assert state.rounds[0].fact.tables[TREATIES].rows == 0
    withdraw_nil_return(begun, AUDIT, preparer(begun), **nil)
    request_extraction(begun, AUDIT, preparer(begun), reason="再保合同已补交")
    assert run(begun, AUDIT, "extract").rounds[1].fact.tables[TREATIES].rows == 2


def test_an_upload_that_was_changed_is_not_extracted(begun: Installation, tmp_path: Path) -> None:
    book = filled(begun, tmp_path / "t.xlsx")
    fact = hand_in(begun, book).off_system[TREATIES].fact
    kept = table_file(begun, AUDIT, TREATIES, fact.digest)
    original = upload_file(begun, AUDIT, fact)
    sound = kept.read_bytes()
    for damage in (
        lambda: kept.write_bytes(sound[:200]),
        lambda: shutil.copyfile(as_parquet(tmp_path / "p", (ROWS[0], {**ROWS[1], "ZBRMC": "另一家"})), kept),
        kept.unlink,
        lambda: original.write_bytes(original.read_bytes() + b" "),
    ):
        damage()
        fails(begun, AUDIT, "extract", Tampered, 5, f"表 {TREATIES} 的上传数据", "与台账记录不符或已丢失")
    state = begun.state(AUDIT)
    assert hand_in(begun, book) == state  # the same file again puts back what was lost
    assert run(begun, AUDIT, "extract").round == 1


def test_a_standard_that_took_other_columns_asks_for_another_upload(
    begun: Installation, tmp_path: Path
) -> None:
    hand_in(begun, filled(begun, tmp_path / "t.xlsx"))
    own = begun.deployment.path / "standards" / "circ_audit"
    shutil.copytree(begun.standard("circ_audit").path, own)
    replace_text(
        own / "tables" / f"{TREATIES}.yaml", "name: SXBZ, title: {zh: 首席", "name: SXBZ2, title: {zh: 首席"
    )
    fails(begun, AUDIT, "extract", BadInput, 2, f"报送规范在表 {TREATIES} 上传之后改变了列")
