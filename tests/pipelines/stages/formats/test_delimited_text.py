"""Delimited text: what stands in the files, what cannot be written, and that the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.errors import BadInput
from pipelines.stages.formats import inspect_package, package_digest, sent_file, write_package
from tests.pipelines.stages.formats.packages import CONTEXT, POLICIES, ROWS, TEXT, package_folder, policies
from validations.engine import Field, PackageProfile, Title

ZIP = "circ_audit.detail.JH-2026-003-v1.zip"


def write(
    tmp_path: Path, rows: list[tuple[object, ...]], profile: PackageProfile = TEXT, name: str = "p", **more
):
    folder = package_folder(tmp_path, name)
    data = {"BDXXB": policies(tmp_path / f"{name}.parquet", rows)}
    return folder, data, write_package(profile, [POLICIES], data, CONTEXT, folder, **more)


def test_each_organisation_has_a_file_ordered_by_key_with_contiguous_serials(tmp_path: Path) -> None:
    folder, _, packed = write(tmp_path, ROWS)
    with zipfile.ZipFile(folder / ZIP) as archive:
        assert archive.namelist() == [
            "330000-BDXXB-20260331.log",
            "330000-BDXXB-20260331.txt",
            "440000-BDXXB-20260331.log",
            "440000-BDXXB-20260331.txt",
            "manifest.json",
        ]
        text = archive.read("330000-BDXXB-20260331.txt").decode("gb18030")
        other = archive.read("440000-BDXXB-20260331.txt").decode("gb18030")
    assert text.replace("\x01", "|") == (
        "330000202603310000000001|330000|P1||9999-12-31||2\n"
        "330000202603310000000002|330000|P10|||0.01|0\n"
        "330000202603310000000003|330000|P2|𠅤镕|2026-01-05|1234567.00|\n"
    )
    assert other.replace("\x01", "|") == "440000202603310000000001|440000|P3|示范公司|2026-02-01|-0.50|1\n"
    assert [(f.name, f.rows, f.is_sent) for f in packed] == [
        (ZIP, 4, True),
        ("330000-BDXXB-20260331.txt", 3, False),
        ("440000-BDXXB-20260331.txt", 1, False),
    ]
    assert sent_file(folder).name == ZIP


def test_control_file_and_manifest_state_what_is_there(tmp_path: Path) -> None:
    folder, _, _ = write(tmp_path, ROWS)
    with zipfile.ZipFile(folder / ZIP) as archive:
        data = archive.read("330000-BDXXB-20260331.txt")
        control = archive.read("330000-BDXXB-20260331.log")
        manifest = json.loads(archive.read("manifest.json"))
    digest = hashlib.sha256(data).hexdigest()
    assert control.decode() == (
        "file=330000-BDXXB-20260331.txt\ntable=BDXXB\norganisation=330000\nrows=3\n"
        f"bytes={len(data)}\nsha256={digest}\nperiod_from=2026-01-01\nperiod_to=2026-03-31\nversion=1\n"
        "sum.BF=1234567.01\n"
    )
    files = manifest.pop("files")
    assert manifest == {
        "filing": CONTEXT.filing,
        "version": 1,
        "content": CONTEXT.content,
        "corporation": "0099",
        "period": {"from": "2026-01-01", "to": "2026-03-31"},
        "encoding": "gb18030",
        "delimiter": "\x01",
        "header": False,
    }
    assert files[0] == {
        "name": "330000-BDXXB-20260331.txt",
        "table": "BDXXB",
        "organisation": "330000",
        "rows": 3,
        "bytes": len(data),
        "sha256": digest,
        "control": "330000-BDXXB-20260331.log",
        "control_sha256": hashlib.sha256(control).hexdigest(),
    }


def test_one_file_per_table_with_a_header_and_without_serials(tmp_path: Path) -> None:
    profile = replace(
        TEXT, file="{table}_{key}.txt", delimiter="|", header=True, serial_field=None, encoding="utf-8"
    )
    table = replace(POLICIES, fields=POLICIES.fields[1:], organisation=None)
    folder = package_folder(tmp_path)
    data = {"BDXXB": policies(tmp_path / "p.parquet", ROWS)}
    write_package(profile, [table], data, CONTEXT, folder)
    with zipfile.ZipFile(folder / ZIP) as archive:
        lines = archive.read("BDXXB_JH-2026-003.txt").decode().splitlines()
        manifest = json.loads(archive.read("manifest.json"))
    assert lines[:2] == ["BXJGDM|BDH|TBRMC|QDRQ|BF|PGCS", "330000|P1||9999-12-31||2"]
    assert (manifest["files"][0]["rows"], manifest["files"][0]["organisation"]) == (4, None)
    assert inspect_package(profile, [table], data, CONTEXT, folder) == ()


def test_serials_count_for_each_organisation_where_a_table_is_one_file(tmp_path: Path) -> None:
    profile = replace(TEXT, file="{table}.txt", delimiter="|")
    folder, data, _ = write(tmp_path, ROWS, profile)
    with zipfile.ZipFile(folder / ZIP) as archive:
        lines = archive.read("BDXXB.txt").decode("gb18030").splitlines()
    assert [line[:24] for line in lines] == [
        "330000202603310000000001",
        "330000202603310000000002",
        "330000202603310000000003",
        "440000202603310000000001",
    ]
    assert inspect_package(profile, [POLICIES], data, CONTEXT, folder) == ()


def test_the_order_of_the_parquet_does_not_change_a_byte(tmp_path: Path) -> None:
    first, _, _ = write(tmp_path, ROWS, name="first")
    second, _, _ = write(tmp_path, ROWS[::-1], name="second")
    assert (first / ZIP).read_bytes() == (second / ZIP).read_bytes()
    assert package_digest(first) == package_digest(second)


def test_equal_keys_are_ordered_by_the_other_fields(tmp_path: Path) -> None:
    twins = [("330000", "P1", name, None, Decimal(1), 0) for name in ("乙", "甲", None)]
    first, _, _ = write(tmp_path, twins, name="first")
    second, _, _ = write(tmp_path, twins[::-1], name="second")
    assert (first / ZIP).read_bytes() == (second / ZIP).read_bytes()


PROGRAM = """
import sys
from pathlib import Path
from pipelines.stages.formats import package_digest, write_package
from tests.pipelines.stages.formats.packages import *
folder = Path(sys.argv[2])
folder.mkdir()
write_package(TEXT, [POLICIES], {"BDXXB": Path(sys.argv[1])}, CONTEXT, folder)
write_package(XML, [STATISTICS], {"BSXM": Path(sys.argv[3])}, CONTEXT, folder)
print(package_digest(folder))
"""


def test_equal_bytes_under_another_time_zone_locale_and_hash_seed(tmp_path: Path) -> None:
    from tests.pipelines.stages.formats.packages import statistics

    policies(tmp_path / "p.parquet", ROWS)
    statistics(tmp_path / "s.parquet", [("000000", "A01", "1.00"), ("110000", "A01", "1.00")])
    digests: set[str] = set()
    for number, (zone, language, seed) in enumerate(
        [("UTC", "C", "1"), ("America/New_York", "zh_CN.GB18030", "2"), ("Asia/Shanghai", "C.UTF-8", "3")]
    ):
        environment = {**os.environ, "TZ": zone, "LC_ALL": language, "PYTHONHASHSEED": seed}
        arguments = [str(tmp_path / "p.parquet"), str(tmp_path / f"out{number}"), str(tmp_path / "s.parquet")]
        done = subprocess.run(
            [sys.executable, "-X", "utf8", "-c", PROGRAM, *arguments],
            env=environment,
            cwd=Path(__file__).parents[4],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_every_unencodable_character_is_named_with_its_place(tmp_path: Path) -> None:
    profile = replace(TEXT, encoding="gb2312")
    rows = [*ROWS, ("440000", "P4", "张堃", None, None, None)]
    with pytest.raises(BadInput) as refused:
        write(tmp_path, rows, profile)
    message = str(refused.value)
    assert "2 个值不能写入报文" in message
    assert "主键 BDH=P2，字段 投保人名称 TBRMC：字符 𠅤 (U+20164)、镕 (U+9555) 不能用 gb2312 编码" in message
    assert "主键 BDH=P4，字段 投保人名称 TBRMC：字符 堃 (U+5803)" in message
    assert list((tmp_path / "p").iterdir()) == []


@pytest.mark.parametrize(
    ("character", "name"), [("\x01", "U+0001"), ("\n", "U+000A"), ("\r", "U+000D"), ("\0", "U+0000")]
)
def test_a_banned_character_inside_a_value_is_refused(tmp_path: Path, character: str, name: str) -> None:
    rows = [
        ("330000", "P1", f"某{character}公司", None, None, None),
        ("330000", "P2", "好", None, None, None),
    ]
    with pytest.raises(BadInput) as refused:
        write(tmp_path, rows)
    assert f"表 BDXXB，主键 BDH=P1，字段 投保人名称 TBRMC：含有禁用字符 {name}" in str(refused.value)
    assert "1 个值" in str(refused.value)


@pytest.mark.parametrize("delimiter", ["|", "\t", "]", "\\", "^"])
def test_any_delimiter_is_banned_inside_values_and_taken_literally(tmp_path: Path, delimiter: str) -> None:
    profile = replace(TEXT, delimiter=delimiter)
    write(tmp_path, ROWS, profile, name="good")
    with pytest.raises(BadInput, match="1 个值"):
        write(tmp_path, [*ROWS, ("330000", "P9", f"a{delimiter}b", None, None, None)], profile, name="bad")


def test_a_row_without_organisation_belongs_to_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="主键 BDH=P7：机构字段 BXJGDM 为空"):
        write(tmp_path, [(None, "P7", None, None, None, None)])


def test_a_nil_return_gives_an_empty_file_and_nothing_else_does(tmp_path: Path) -> None:
    nil = [("BDXXB", "510000")]
    folder, data, packed = write(tmp_path, ROWS, nil_returns=nil)
    assert ("510000-BDXXB-20260331.txt", 0, 0) in [(f.name, f.rows, f.size) for f in packed]
    assert inspect_package(TEXT, [POLICIES], data, CONTEXT, folder, nil_returns=nil) == ()
    undeclared = inspect_package(TEXT, [POLICIES], data, CONTEXT, folder)
    assert {f.file for f in undeclared} >= {"510000-BDXXB-20260331.txt", "510000-BDXXB-20260331.log"}


def test_an_empty_table_without_nil_return_gives_no_file(tmp_path: Path) -> None:
    _, _, packed = write(tmp_path, [])
    assert [f.name for f in packed] == [ZIP]


def test_a_scale_that_is_not_the_dictionarys_is_refused_instead_of_rounded(tmp_path: Path) -> None:
    field = replace(POLICIES.field("BF"), scale=1)
    table = replace(POLICIES, fields=tuple(field if f.name == "BF" else f for f in POLICIES.fields))
    data = {"BDXXB": policies(tmp_path / "p.parquet", ROWS)}
    with pytest.raises(BadInput, match=r"表 BDXXB 字段 BF：应为 decimal\(20,1\)，现为 decimal128\(20, 2\)"):
        write_package(TEXT, [table], data, CONTEXT, package_folder(tmp_path))


def test_a_standards_mistakes_are_named(tmp_path: Path) -> None:
    data = {"BDXXB": policies(tmp_path / "p.parquet", ROWS)}
    extra = replace(
        POLICIES, fields=(*POLICIES.fields, Field("XH", Title("序号", "no"), "text", assigned=True))
    )
    cases = [
        (replace(TEXT, delimiter="||"), POLICIES, "delimiter 应为一个字符"),
        (TEXT, extra, "字段 XH 标为 assigned"),
        (TEXT, replace(POLICIES, organisation=None), "没有声明机构字段"),
        (replace(TEXT, file="{nonsense}.txt"), POLICIES, "未知的占位符"),
        (replace(TEXT, file="../{organisation}.txt"), POLICIES, "不可用"),
    ]
    for number, (profile, table, expected) in enumerate(cases):
        with pytest.raises(BadInput, match=expected):
            write_package(profile, [table], data, CONTEXT, package_folder(tmp_path, str(number)))
    with pytest.raises(BadInput, match="报送内容中没有"):
        write_package(TEXT, [POLICIES], {}, CONTEXT, package_folder(tmp_path, "none"))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x01\r\n\0"), max_size=12)
amounts = st.decimals(-(10**12), 10**12, places=2, allow_nan=False)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["330000", "440000"]),
            texts,
            st.none() | texts,
            st.none() | st.dates(date(1900, 1, 1), date(9999, 12, 31)),
            st.none() | amounts,
            st.none() | st.integers(-(2**62), 2**62),
        ),
        max_size=8,
    )
)
def test_whatever_is_written_reads_back_as_the_content(tmp_path_factory, rows) -> None:
    folder, data, _ = write(tmp_path_factory.mktemp("any"), rows)
    assert inspect_package(TEXT, [POLICIES], data, CONTEXT, folder) == ()
