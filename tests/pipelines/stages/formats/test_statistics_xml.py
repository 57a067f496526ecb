"""The statistics XML: its exact text, its order, and what it refuses to say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import BadInput
from pipelines.stages.formats import inspect_package, sent_file, write_package
from tests.pipelines.stages.formats.packages import CONTEXT, STATISTICS, XML, package_folder, statistics


def write(
    tmp_path: Path, items: list[tuple[str | None, str | None, str | None]]
) -> tuple[Path, dict[str, Path]]:
    folder = package_folder(tmp_path)
    data = {"BSXM": statistics(tmp_path / "s.parquet", items)}
    write_package(XML, [STATISTICS], data, CONTEXT, folder)
    return folder, data


def test_the_document_is_as_published_in_order(tmp_path: Path) -> None:
    folder, data = write(
        tmp_path, [("110000", "A02", "1234567.80"), ("110000", "A01", "-1.00"), ("000000", "A&<甲", "0.00")]
    )
    path = sent_file(folder)
    assert path.name == "DATA00992026032.xml"
    raw = path.read_bytes()
    assert raw.decode("gb2312") == (
        '<?xml version="1.0" encoding="gb2312"?>\n<DATA0099202603>\n'
        "<area><areaid>0099000000</areaid>\n"
        "<item><PK><key>A&amp;&lt;甲</key><intervaltype>2</intervaltype></PK><value>0.00</value><remark/></item>\n"
        "</area>\n<area><areaid>0099110000</areaid>\n"
        "<item><PK><key>A01</key><intervaltype>2</intervaltype></PK><value>-1.00</value><remark/></item>\n"
        "<item><PK><key>A02</key><intervaltype>2</intervaltype></PK><value>1234567.80</value><remark/></item>\n"
        "</area>\n</DATA0099202603>\n"
    )
    assert "甲".encode("gb2312") in raw
    assert inspect_package(XML, [STATISTICS], data, CONTEXT, folder) == ()
    assert sorted(p.name for p in folder.iterdir()) == ["DATA00992026032.xml", "manifest.json"]


def test_missing_repeated_and_unencodable_items_are_refused_together(tmp_path: Path) -> None:
    items = [
        ("110000", "A01", None),
        ("110000", "A02", "1.00"),
        ("110000", "A02", "2.00"),
        ("110000", "䶮", "1.00"),
    ]
    with pytest.raises(BadInput) as refused:
        write(tmp_path, items)
    message = str(refused.value)
    assert "机构 110000，指标 A01：机构、指标或数值为空" in message
    assert "机构 110000，指标 A02 出现两次" in message
    assert "字符 䶮 (U+4DAE) 不能用 gb2312 编码" in message
    assert list((tmp_path / "package").iterdir()) == []


def test_a_profile_that_leaves_something_out_is_refused(tmp_path: Path) -> None:
    data = {"BSXM": statistics(tmp_path / "s.parquet", [("000000", "A01", "1.00")])}
    folder = package_folder(tmp_path)
    with pytest.raises(BadInput, match="未完整指明"):
        write_package(replace(XML, report_type=None), [STATISTICS], data, CONTEXT, folder)
    with pytest.raises(BadInput, match="报送内容中没有"):
        write_package(replace(XML, table="NONE"), [STATISTICS], data, CONTEXT, folder)
