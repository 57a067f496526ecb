"""The regulator's verdicts: good files pass, and every published rule is broken once."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from resources.embedded.judging import judge_file
from resources.embedded.layouts import MOST_PROBLEMS, Limits, Problem

NAME = "DATA00992026042.xml"
HEAD = '<?xml version="1.0" encoding="gb2312"?>\n'


def item(code: str, value: str = "1.00", interval: str = "2") -> str:
    return f"<item><PK><key>{code}</key><intervaltype>{interval}</intervaltype></PK><value>{value}</value><remark/></item>"


def area(code: str, *items: str) -> str:
    return f"<area><areaid>{code}</areaid>{''.join(items)}</area>"


COMPANY = area("0099000000", item("A01", "9.00"), item("A02", "-3.50"))
BRANCH = area("0099310000", item("A01", "9.00"), item("A02", "8.00"))
GOOD = f"{HEAD}<DATA0099202604>{COMPANY}{BRANCH}</DATA0099202604>"


def rules(problems: list[Problem]) -> list[str]:
    return sorted({problem.rule for problem in problems})


def judge_xml(
    tmp_path: Path, text: str | bytes, name: str = NAME, limits: Limits | None = None
) -> list[Problem]:
    path = tmp_path / "received"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("gb2312"))
    return judge_file(path, name=name, filing="a.b.c", serials=False, limits=limits or Limits())


def test_a_correct_statistics_file_has_no_problem(tmp_path: Path) -> None:
    assert judge_xml(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("DATA0099202604>", "DATA0099202605>", "S02"),
        ("</DATA0099202604>", "", "S03"),
        (HEAD, HEAD + '<!DOCTYPE a [<!ENTITY x "1">]>', "S03"),
        ("gb2312", "utf-8", "S04"),
        (HEAD, "", "S04"),
        ("<remark/>", "", "S05"),
        ("<areaid>0099310000</areaid>", "<areaid>0099310000</areaid><note/>", "S05"),
        (BRANCH, BRANCH + "<extra/>", "S05"),
        ("0099310000", "0098310000", "S06"),
        ("0099000000", "0099110000", "S06"),
        (BRANCH, BRANCH + BRANCH, "S07"),
        (item("A02", "8.00"), item("A02", "8.00") + item("A02", "8.00"), "S07"),
        (item("A02", "8.00"), item("A02", "8.00", "1"), "S08"),
        ("8.00", "8,000.00", "S09"),
        ("8.00", "8.0", "S09"),
        ("8.00", "+8.00", "S09"),
        ("8.00", "", "S09"),
        (item("A02", "8.00"), "", "S10"),
        ("-3.50", "3.50", "S11"),
    ],
)
def test_each_rule_of_the_statistics_file(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert old in GOOD
    assert rules(judge_xml(tmp_path, GOOD.replace(old, new))) == [rule]


def test_bytes_outside_gb2312_name_and_size(tmp_path: Path) -> None:
    with_name = GOOD.replace("<remark/>", "<remark>镕</remark>").encode("gbk")
    assert rules(judge_xml(tmp_path, with_name)) == ["S04"]
    assert rules(judge_xml(tmp_path, GOOD, "DATA0099202613.xml")) == ["S01"]
    assert rules(judge_xml(tmp_path, GOOD, "DATA00992026042.doc")) == ["G02"]
    assert rules(judge_xml(tmp_path, GOOD, limits=replace(Limits(), xml_bytes=10))) == ["G03"]


def test_problems_are_capped_and_the_last_says_how_many_more(tmp_path: Path) -> None:
    many = "".join(item(f"X{number}") for number in range(300))
    problems = judge_xml(tmp_path, GOOD.replace(BRANCH, area("0099310000", many)))
    assert len(problems) == MOST_PROBLEMS
    assert problems[-1].rule == "G01" and "103" in problems[-1].message


ROWS = {
    "330000-BDXXB-20260331.txt": [
        "330000202603310000000001\x01张镕\x0112.50",
        "330000202603310000000002\x01李\x01-2.00",
    ],
    "330000-KHXXB-20260331.txt": ["330000202603310000000001\x01甲\x010.10"],
}


def package_parts(rows: dict[str, list[str]], *, header: str | None = None) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    files: list[dict[str, Any]] = []
    for name, lines in rows.items():
        raw = "".join(line + "\n" for line in ([header] if header else []) + lines).encode("gb18030")
        digest, control = hashlib.sha256(raw).hexdigest(), name.replace(".txt", ".log")
        table = name.split("-")[1]
        stated = f"file={name}\ntable={table}\norganisation=330000\nrows={len(lines)}\nbytes={len(raw)}\nsha256={digest}\n"
        stated += "period_from=2026-01-01\nperiod_to=2026-03-31\nversion=1\nsum.BF=10.50\n"
        parts |= {name: raw, control: stated.encode()}
        files.append(
            {
                "name": name,
                "table": table,
                "organisation": "330000",
                "rows": len(lines),
                "bytes": len(raw),
                "sha256": digest,
                "control": control,
                "control_sha256": hashlib.sha256(stated.encode()).hexdigest(),
            }
        )
    manifest = {
        "filing": "circ_audit.detail.J1",
        "version": 1,
        "content": "c" * 64,
        "corporation": "0099",
        "period": {"from": "2026-01-01", "to": "2026-03-31"},
        "encoding": "gb18030",
        "delimiter": "\x01",
        "header": header is not None,
        "files": files,
    }
    return {**parts, "manifest.json": json.dumps(manifest).encode()}


def judge_zip(
    tmp_path: Path, parts: dict[str, bytes], *, serials: bool = True, limits: Limits | None = None
) -> list[Problem]:
    path = tmp_path / "received.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, raw in parts.items():
            package.writestr(name, raw)
    return judge_file(
        path, name="p.zip", filing="circ_audit.detail.J1", serials=serials, limits=limits or Limits()
    )


def manifest_with(change: Callable[[dict[str, Any]], object]) -> dict[str, bytes]:
    parts = package_parts(ROWS)
    manifest = json.loads(parts["manifest.json"])
    change(manifest)
    return parts | {"manifest.json": json.dumps(manifest).encode()}


def test_a_correct_text_package_has_no_problem(tmp_path: Path) -> None:
    assert judge_zip(tmp_path, package_parts(ROWS)) == []
    utf8 = {"manifest.json": package_parts({})["manifest.json"]}
    assert judge_zip(tmp_path, utf8) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda m: m.update(filing="circ_audit.detail.J2"), "T02"),
        (lambda m: m.update(more=1), "T02"),
        (lambda m: m.update(version="1"), "T02"),
        (lambda m: m["files"][0].pop("rows"), "T02"),
        (lambda m: m["files"][0].update(name="../x.txt"), "T02"),
        (lambda m: m["files"].pop(0), "T03"),
        (lambda m: m["files"].append(m["files"][0]), "T03"),
        (lambda m: m["files"][0].update(name="other.txt"), "T03"),
        (lambda m: m["files"][0].update(rows=3), "T04"),
        (lambda m: m["files"][0].update(bytes=3), "T04"),
        (lambda m: m["files"][0].update(sha256="0" * 64), "T04"),
        (lambda m: m["files"][0].update(control_sha256="0" * 64), "T04"),
        (lambda m: m.update(encoding="big5"), "T05"),
        (lambda m: m.update(encoding="utf-8"), "T05"),
        (lambda m: m.update(version=2), "T07"),
        (lambda m: m["period"].update({"from": "2025-01-01"}), "T07"),
    ],
)
def test_each_rule_of_the_manifest(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], rule: str
) -> None:
    assert rule in rules(judge_zip(tmp_path, manifest_with(change)))


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("330000202603310000000002\x01李", "T09"),
        ("330000202603310000000002\x01李\r\x01-2.00", "T09"),
        ("330000202603310000000002\x01李\x00\x01-2.00", "T09"),
        ("1\x01李\x01-2.00", "T10"),
        ("330000202604300000000002\x01李\x01-2.00", "T10"),
        ("310000202603310000000001\x01李\x01-2.00", "T10"),
        ("330000202603310000000003\x01李\x01-2.00", "T11"),
        ("330000202603310000000001\x01李\x01-2.00", "T11"),
    ],
)
def test_each_rule_of_the_lines(tmp_path: Path, line: str, rule: str) -> None:
    name = "330000-BDXXB-20260331.txt"
    problems = judge_zip(tmp_path, package_parts(ROWS | {name: [ROWS[name][0], line]}))
    assert rule in rules(problems)
    told = next(problem for problem in problems if problem.rule == rule)
    assert (told.organisation, told.item) == ("330000", name) and "第 2 行" in told.message


def test_serial_numbers_are_only_judged_at_the_bureau_and_may_go_on_over_files(tmp_path: Path) -> None:
    name = "330000-KHXXB-20260331.txt"
    assert judge_zip(tmp_path, package_parts(ROWS | {name: ["330000202603310000000003\x01甲\x010.10"]})) == []
    other = package_parts(ROWS | {name: ["x\x01甲\x010.10"]})
    assert rules(judge_zip(tmp_path, other)) == ["T10"] and judge_zip(tmp_path, other, serials=False) == []


def test_a_last_line_without_its_end_a_bad_control_file_and_false_sums(tmp_path: Path) -> None:
    parts, name = package_parts(ROWS), "330000-BDXXB-20260331"
    assert "T09" in rules(judge_zip(tmp_path, parts | {f"{name}.txt": parts[f"{name}.txt"][:-1]}))
    assert "T06" in rules(judge_zip(tmp_path, parts | {f"{name}.log": b"rows=2\n"}))
    assert "T06" in rules(judge_zip(tmp_path, parts | {f"{name}.log": b"\xff"}))
    lines = {f"{name}.txt": ROWS[f"{name}.txt"]}
    with_header = package_parts(lines, header="LSH\x01XM\x01BF")
    assert judge_zip(tmp_path, with_header, serials=False) == []
    with_header = package_parts({f"{name}.txt": lines[f"{name}.txt"][:1]}, header="LSH\x01XM\x01BF")
    assert rules(judge_zip(tmp_path, with_header)) == ["T08"]


def test_bombs_strangers_and_rubble_are_refused(tmp_path: Path) -> None:
    parts = package_parts(ROWS)
    assert rules(judge_zip(tmp_path, parts, limits=replace(Limits(), unpacked_bytes=100))) == ["G03"]
    assert rules(judge_zip(tmp_path, parts, limits=replace(Limits(), zip_entries=2))) == ["G03"]
    assert rules(judge_zip(tmp_path, parts | {"../evil.txt": b""})) == ["T03"]
    assert rules(judge_zip(tmp_path, {"a.txt": b""})) == ["T02"]
    rubble = tmp_path / "rubble"
    rubble.write_bytes((tmp_path / "received.zip").read_bytes()[:-30])
    assert rules(judge_file(rubble, name="p.zip", filing="a.b.c", serials=False, limits=Limits())) == ["T01"]


def test_a_column_without_values_sums_to_zero(tmp_path: Path) -> None:
    lines = {"330000-BDXXB-20260331.txt": ["330000202603310000000001\x01李\x01"]}
    parts = package_parts(lines, header="LSH\x01XM\x01BF")
    problems = judge_zip(tmp_path, parts)
    assert [problem.message for problem in problems] == ["控制文件 sum.BF：申报 10.50，实际 0"]
