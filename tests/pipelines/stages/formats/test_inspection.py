"""The inspection finds whatever is not exactly the content: every byte, every number, every name."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.stages.canonical import canonical_json
from pipelines.stages.formats import inspect_package, package_digest, write_package
from pipelines.stages.formats.sealed_zip import write_sealed_zip
from tests.pipelines.stages.formats.packages import (
    CONTEXT,
    POLICIES,
    ROWS,
    STATISTICS,
    TEXT,
    XML,
    package_folder,
    policies,
    statistics,
)

ZIP = "circ_audit.detail.JH-2026-003-v1.zip"
NAME = "330000-BDXXB-20260331.txt"


@pytest.fixture
def packed(tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    folder = package_folder(tmp_path)
    data = {"BDXXB": policies(tmp_path / "p.parquet", ROWS)}
    write_package(TEXT, [POLICIES], data, CONTEXT, folder)
    return folder, data


def inspect(packed: tuple[Path, dict[str, Path]]):
    folder, data = packed
    return inspect_package(TEXT, [POLICIES], data, CONTEXT, folder)


def rewrite(folder: Path, change: Callable[[Path], None]) -> None:
    """Unpack, let `change` edit the files, and pack again as the writer would."""
    inside = package_folder(folder.parent, "inside")
    with zipfile.ZipFile(folder / ZIP) as archive:
        archive.extractall(inside)
    change(inside)
    write_sealed_zip(folder / ZIP, inside.iterdir())


def consistent(inside: Path) -> None:
    """Make control file and manifest agree with the data file, as somebody who covers his tracks would."""
    data = (inside / NAME).read_bytes()
    log = inside / NAME.replace(".txt", ".log")
    lines = log.read_text().splitlines()
    facts = {"rows": data.count(b"\n"), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    lines = [f"{k}={facts.get(k, v)}" for k, v in (line.split("=", 1) for line in lines)]
    log.write_text("\n".join(lines) + "\n")
    manifest = json.loads((inside / "manifest.json").read_text())
    manifest["files"][0] |= facts | {"control_sha256": hashlib.sha256(log.read_bytes()).hexdigest()}
    (inside / "manifest.json").write_text(canonical_json(manifest))


def test_a_good_package_has_no_findings(packed) -> None:
    assert inspect(packed) == ()


def test_every_flipped_byte_of_the_package_is_found(packed) -> None:
    folder, _ = packed
    original = (folder / ZIP).read_bytes()
    digest = package_digest(folder)
    for place in range(0, len(original), 23):
        changed = bytearray(original)
        changed[place] ^= 1 << (place % 8)
        (folder / ZIP).write_bytes(changed)
        assert inspect(packed), f"byte {place} of {len(original)}"
        assert package_digest(folder) != digest
    (folder / ZIP).write_bytes(original)
    assert inspect(packed) == ()


def test_every_flipped_byte_inside_a_well_formed_zip_is_found(packed, tmp_path: Path) -> None:
    folder, _ = packed
    inside = package_folder(tmp_path, "unpacked")
    with zipfile.ZipFile(folder / ZIP) as archive:
        archive.extractall(inside)
    for path in sorted(inside.iterdir()):
        original = path.read_bytes()
        for place in range(0, len(original), 19):
            changed = bytearray(original)
            changed[place] ^= 0x01
            path.write_bytes(changed)
            write_sealed_zip(folder / ZIP, inside.iterdir())
            assert inspect(packed), f"{path.name} byte {place}"
        path.write_bytes(original)


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(inside: Path) -> None:
        text = (inside / NAME).read_bytes().decode("gb18030")
        assert old in text
        (inside / NAME).write_bytes(text.replace(old, new, 1).encode("gb18030"))
        consistent(inside)

    return change


@pytest.mark.parametrize(
    ("change", "rule", "expected"),
    [
        (edit("0000000002\x01", "0000000003\x01"), "A03", "应为“330000202603310000000002”"),
        (edit("P10", "P1\x010"), "A06", "有 8 个字段，应为 7 个"),
        (edit("P10", "P1\r0"), "A06", "含有回车或空字符"),
        (edit("P10", "P11"), "R12", "3 行与报送内容的值不一致"),
        (edit("0.01", "0.02"), "R12", "字段 BF 合计 1234567.02，报送内容合计 1234567.01"),
        (edit("0.01", "abc"), "A08", "字段 BF 的值“abc”不是 2 位小数的数值"),
        (edit("0.01", "0.010"), "A08", "字段 BF 的值“0.010”不是"),
        (edit("0.01", "0.1"), "A08", "字段 BF 的值“0.1”不是"),
        (edit("0.01", ".01"), "A08", "字段 BF 的值“.01”不是"),
        (edit("0.01", "+0.01"), "A08", "字段 BF 的值“+0.01”不是"),
        (edit("0.01", "０.01"), "A08", "字段 BF 的值“０.01”不是"),
        (edit("1234567.00", "1,234,567.00"), "A08", "字段 BF 的值“1,234,567.00”不是"),
        (
            edit("330000202603310000000002\x01330000\x01P10\x01\x01\x010.01\x010\n", ""),
            "R12",
            "有 2 行，报送内容有 3 行",
        ),
    ],
)
def test_a_change_that_covers_its_tracks_is_found(packed, change, rule: str, expected: str) -> None:
    rewrite(packed[0], change)
    found = [f for f in inspect(packed) if f.rule == rule and expected in f.message]
    assert found and found[0].file == NAME


def test_bytes_that_are_not_the_encoding_are_named_with_their_line(packed) -> None:
    def change(inside: Path) -> None:
        data = (inside / NAME).read_bytes()
        (inside / NAME).write_bytes(data.replace(b"P2\x01", b"P2\x01\xff\xff"))

    rewrite(packed[0], change)
    assert any(f.rule == "A06" and "不是 gb18030 编码" in f.message for f in inspect(packed))


def test_missing_and_extra_files_are_named(packed) -> None:
    folder, data = packed

    def change(inside: Path) -> None:
        (inside / NAME).rename(inside / "999999-BDXXB-20260331.txt")

    rewrite(folder, change)
    (folder / "note.txt").write_text("x")
    messages = "\n".join(f.message for f in inspect(packed))
    assert f"缺少文件 {NAME}" in messages
    assert "多出文件 999999-BDXXB-20260331.txt" in messages
    assert "多出文件 note.txt" in messages
    shutil.rmtree(folder)
    folder.mkdir()
    assert [f.file for f in inspect_package(TEXT, [POLICIES], data, CONTEXT, folder)] == [ZIP]


def test_a_content_that_changed_after_packing_is_found(packed, tmp_path: Path) -> None:
    folder, _ = packed
    changed = [(*row[:4], Decimal("0.02") if row[1] == "P10" else row[4], row[5]) for row in ROWS]
    data = {"BDXXB": policies(tmp_path / "changed.parquet", changed)}
    found = inspect_package(TEXT, [POLICIES], data, CONTEXT, folder)
    assert any("报送内容合计 1234567.02" in f.message for f in found)


@pytest.fixture
def xml(tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    folder = package_folder(tmp_path)
    items = [
        ("110000", "A02", "2.50"),
        ("000000", "A01", "-3.00"),
        ("110000", "A01", "1.00"),
        ("000000", "A02", "0.00"),
    ]
    data = {"BSXM": statistics(tmp_path / "s.parquet", items)}
    write_package(XML, [STATISTICS], data, CONTEXT, folder)
    return folder, data


def test_every_flipped_byte_of_the_statistics_is_found(xml) -> None:
    folder, data = xml
    for path in sorted(folder.iterdir()):
        original = path.read_bytes()
        for place in range(0, len(original), 3):
            changed = bytearray(original)
            changed[place] ^= 1 << (place % 8)
            path.write_bytes(changed)
            assert inspect_package(XML, [STATISTICS], data, CONTEXT, folder), f"{path.name} byte {place}"
        path.write_bytes(original)
    assert inspect_package(XML, [STATISTICS], data, CONTEXT, folder) == ()


@pytest.mark.parametrize(
    ("old", "new", "rule", "expected"),
    [
        ("<value>2.50</value>", "<value>2.51</value>", "R12", "为 2.51，报送内容为 2.50"),
        ("<value>2.50</value>", "<value>2,50</value>", "R12", "“2,50”应为两位小数"),
        ("<intervaltype>2", "<intervaltype>3", "R12", "元素 intervaltype 的内容“3”"),
        ("<areaid>0099", "<areaid>0098", "R12", "元素 areaid 的内容"),
        ("gb2312", "gbk", "A06", "应声明 gb2312"),
        ("<remark/>", "<remark x='1'/>", "R12", "元素 remark 不符合接口规定"),
        ("<remark/>", "<note/>", "R12", "元素 note 不符合接口规定"),
        ("<area>", "<!DOCTYPE x []><area>", "R12", "不是正确的 XML"),
        ("</area>", "", "R12", "不是正确的 XML"),
        ("A02", "A01", "R12", "指标 A01 出现两次"),
    ],
)
def test_what_is_wrong_in_the_statistics_is_said(xml, old: str, new: str, rule: str, expected: str) -> None:
    folder, data = xml
    path = folder / "DATA00992026032.xml"
    text = path.read_bytes().decode("gb2312")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode("gb2312"))
    found = inspect_package(XML, [STATISTICS], data, CONTEXT, folder)
    assert any(f.rule == rule and expected in f.message for f in found), [str(f) for f in found]
