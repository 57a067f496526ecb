"""A workbook is known by the signed identity it carries, never by its name."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from pipelines.errors import BadInput
from pipelines.stages.canonical import canonical_json
from pipelines.stages.workbooks import read_answers, read_identity
from tests.pipelines.stages.workbooks.sent_workbook import (
    IDENTITY,
    KEY,
    POLICIES,
    PROBLEMS,
    edited,
    put,
    refusal,
    sent,
)


def identity_refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as refused:
        read_identity(path, key=KEY)
    return refused.value


def put_meta(name: str, value: str | None) -> Any:
    def change(workbook: Any) -> None:
        for row in workbook["_meta"].iter_rows():
            if row[0].value == name:
                row[0].value, row[1].value = (name, value) if value is not None else (None, None)

    return change


def test_a_renamed_copy_is_known_by_what_it_carries(tmp_path: Path) -> None:
    path = tmp_path / "副本 别的文件(2).xlsx"
    shutil.copyfile(sent(tmp_path / "b.xlsx"), path)
    assert read_identity(path, key=KEY) == IDENTITY


def test_a_deadline_with_a_time_reads_back(tmp_path: Path) -> None:
    due = datetime(2026, 5, 7, 17, 30, tzinfo=timezone(timedelta(hours=8)))
    identity = replace(IDENTITY, answer_by=due, department="", department_name="")
    assert read_identity(sent(tmp_path / "b.xlsx", identity=identity), key=KEY) == identity


def test_only_the_meta_sheet_is_read(tmp_path: Path) -> None:
    """What was changed elsewhere is read_answers' matter: whose it is must be known even so."""

    def change(workbook: Any) -> None:
        put(workbook[POLICIES], 2, "当前值", "改掉")
        workbook.remove(workbook["汇总"])

    assert read_identity(edited(sent(tmp_path / "b.xlsx"), change), key=KEY) == IDENTITY


def test_the_signature_is_an_hmac_over_all_lines(tmp_path: Path) -> None:
    sheet = load_workbook(sent(tmp_path / "b.xlsx"))["_meta"]
    lines = {row[0].value: row[1].value or "" for row in sheet.iter_rows()}
    signature = lines.pop("signature")
    text = b"baosong workbook\n" + canonical_json(lines).encode()
    assert hmac.new(KEY, text, hashlib.sha256).hexdigest() == signature
    assert lines["signed_by"] not in KEY.hex() and len(lines["signed_by"]) == 16


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("filing", "circ_audit.detail.JH-2026-004"),
        ("round", "2"),
        ("organisation", "440000"),
        ("department", "LP"),
        ("part", "3"),
        ("parts", "9"),
        ("answer_by", "2027-01-01"),
        ("sha256", "0" * 64),
        ("signature", "0" * 64),
    ],
)
def test_an_edited_identity_does_not_fit_its_signature(tmp_path: Path, name: str, value: str) -> None:
    path = edited(sent(tmp_path / "b.xlsx"), put_meta(name, value))
    for refused in (identity_refused(path), refusal(path)):
        assert [detail.code for detail in refused.details] == ["workbooks.signature_altered"]
        assert "b.xlsx" in str(refused) and "_meta 与其签名不符" in str(refused)


def test_an_unsigned_workbook_is_refused_where_a_key_is_known(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx", key=None)
    for refused in (identity_refused(path), refusal(path)):
        assert [detail.code for detail in refused.details] == ["workbooks.signature_missing"]
        assert "_meta 没有签名" in str(refused)
    assert len(read_answers(path, IDENTITY, PROBLEMS).unanswered) == 4


def test_a_signature_of_another_key_is_foreign(tmp_path: Path) -> None:
    path = sent(tmp_path / "b.xlsx", key=b"another")
    for refused in (identity_refused(path), refusal(path)):
        assert [detail.code for detail in refused.details] == ["workbooks.signature_foreign"]
        assert "用另一把密钥" in str(refused)


def test_a_foreign_signature_under_our_keys_name_is_altered(tmp_path: Path) -> None:
    ours = load_workbook(sent(tmp_path / "a.xlsx"))["_meta"]
    name = next(row[1].value for row in ours.iter_rows() if row[0].value == "signed_by")
    path = edited(sent(tmp_path / "b.xlsx", key=b"another"), put_meta("signed_by", name))
    assert [d.code for d in identity_refused(path).details] == ["workbooks.signature_altered"]


def test_a_line_taken_out_is_named(tmp_path: Path) -> None:
    path = edited(sent(tmp_path / "b.xlsx"), put_meta("parts", None))
    assert "_meta 被改动过（parts）" in str(identity_refused(path))


def test_a_workbook_without_identity_is_not_ours(tmp_path: Path) -> None:
    path = edited(sent(tmp_path / "b.xlsx"), lambda book: book.remove(book["_meta"]))
    assert [d.code for d in identity_refused(path).details] == ["workbooks.meta_missing"]


def test_signing_changes_no_other_cell(tmp_path: Path) -> None:
    signed, plain = (load_workbook(sent(tmp_path / "b.xlsx", key=key)) for key in (KEY, None))
    for sheet in plain.worksheets:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        assert [[c.value for c in row] for row in signed[sheet.title].iter_rows()][: len(rows)] == rows
