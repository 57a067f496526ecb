"""The statistics XML as published (docs/interface.md, "Statistics XML"): rules S01–S11. No receipts here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from resources.embedded.layouts import Limits, Problem, UnreadableError

_NAME = re.compile(r"DATA(?P<corp>[0-9]{4})(?P<year>[0-9]{4})(?P<month>0[1-9]|1[0-2])(?P<type>[1-5])\.xml")
_DECLARATION = re.compile(rb"<\?xml\s+version=[\"']1\.0[\"']\s+encoding=[\"']([A-Za-z0-9_-]+)[\"'][^?]*\?>")
_VALUE = re.compile(r"-?(?:0|[1-9][0-9]{0,15})\.[0-9]{2}")
_COMPANY = "000000"


@dataclass
class _Area:
    organisation: str
    values: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    items: set[str] = field(default_factory=set[str])


def judge_statistics(path: Path, *, name: str, limits: Limits) -> list[Problem]:
    """All problems of a statistics file; raises `UnreadableError` where nothing further can be read."""
    named = _NAME.fullmatch(name)
    if named is None:
        raise UnreadableError(Problem("S01", f"文件名 {name} 不符合 DATA+公司代码+年月+报表类型.xml"))
    root = _parse(path, limits)
    problems: list[Problem] = []
    expected = f"DATA{named['corp']}{named['year']}{named['month']}"
    if root.tag != expected:
        problems.append(Problem("S02", f"根元素为 {root.tag}，按文件名应为 {expected}"))
    areas: dict[str, _Area] = {}
    for element in root:
        if element.tag != "area":
            problems.append(Problem("S05", f"根元素下出现未公布的元素 {element.tag}"))
            continue
        area = _read_area(element, named["corp"], named["type"], problems)
        if area is None:
            continue
        if area.organisation in areas:
            problems.append(Problem("S07", "同一机构出现两次", area.organisation))
        else:
            areas[area.organisation] = area
    if _COMPANY not in areas:
        problems.append(Problem("S06", "缺少全公司（000000）的数据", _COMPANY))
    problems += _same_items(list(areas.values()))
    problems += _part_within_whole(areas)
    return problems


def _parse(path: Path, limits: Limits) -> Element:
    if path.stat().st_size > limits.xml_bytes:
        raise UnreadableError(Problem("G03", f"文件超过 {limits.xml_bytes} 字节上限"))
    raw = path.read_bytes()
    declared = _DECLARATION.match(raw)
    if declared is None or declared[1].lower() != b"gb2312":
        raise UnreadableError(Problem("S04", "首行应为声明 gb2312 编码的 XML 声明"))
    try:
        body = raw[declared.end() :].decode("gb2312")
    except UnicodeDecodeError as error:
        at = declared.end() + error.start
        raise UnreadableError(Problem("S04", f"声明为 gb2312，但第 {at} 字节起不是 gb2312")) from None
    try:
        return fromstring(body, forbid_dtd=True)
    except ParseError as error:
        raise UnreadableError(Problem("S03", f"XML 不完整或不合法：{error}")) from None
    except DefusedXmlException:
        raise UnreadableError(Problem("S03", "不接受 DOCTYPE、实体和外部引用")) from None


def _texts(parent: Element, tags: list[str], organisation: str, problems: list[Problem]) -> list[str] | None:
    """The texts of exactly these children in this order, or None with a problem noted."""
    if [child.tag for child in parent] != tags or parent.attrib:
        found = "、".join(child.tag for child in parent) or "空"
        problems.append(
            Problem("S05", f"元素 {parent.tag} 应依次含 {'、'.join(tags)}，实际为 {found}", organisation)
        )
        return None
    return [(child.text or "").strip() for child in parent]


def _read_area(element: Element, corporation: str, report_type: str, problems: list[Problem]) -> _Area | None:
    area_id = (element.findtext("areaid") or "").strip()
    if re.fullmatch(re.escape(corporation) + r"[0-9]{6}", area_id) is None:
        problems.append(Problem("S06", f"areaid“{area_id}”应为公司代码 {corporation} 加 6 位机构代码"))
        return None
    area = _Area(area_id.removeprefix(corporation))
    for position, child in enumerate(element):
        if (child.tag == "areaid") != (position == 0) or child.tag not in ("areaid", "item"):
            problems.append(
                Problem("S05", f"area 中第 {position + 1} 个元素 {child.tag} 的位置未公布", area.organisation)
            )
        elif child.tag == "item":
            _read_item(child, area, report_type, problems)
    return area


def _read_item(item: Element, area: _Area, report_type: str, problems: list[Problem]) -> None:
    texts = _texts(item, ["PK", "value", "remark"], area.organisation, problems)
    key_element = item.find("PK")
    keys = (
        None
        if key_element is None
        else _texts(key_element, ["key", "intervaltype"], area.organisation, problems)
    )
    if texts is None or keys is None:
        return
    (code, interval), value = keys, texts[1]
    if not code:
        problems.append(Problem("S05", "指标代码为空", area.organisation))
        return
    if interval != report_type:
        problems.append(
            Problem("S08", f"intervaltype 为 {interval}，文件名为 {report_type}", area.organisation, code)
        )
    if code in area.items:
        problems.append(Problem("S07", "同一机构的指标出现两次", area.organisation, code))
        return
    area.items.add(code)
    if _VALUE.fullmatch(value) is None:
        problems.append(Problem("S09", f"数值“{value}”应为两位小数且无千分位分隔符", area.organisation, code))
        return
    area.values[code] = Decimal(value)


def _same_items(areas: list[_Area]) -> list[Problem]:
    every = set[str]().union(*(area.items for area in areas))
    return [
        Problem("S10", "该机构缺少其他机构已报的指标", area.organisation, code)
        for area in areas
        for code in sorted(every - area.items)
    ]


def _part_within_whole(areas: dict[str, _Area]) -> list[Problem]:
    """S11, the regulator's own: where no area is negative, no branch may exceed the whole company."""
    company = areas.get(_COMPANY)
    if company is None:
        return []
    problems: list[Problem] = []
    for code, whole in company.values.items():
        parts = {name: area.values[code] for name, area in areas.items() if code in area.values}
        if min(parts.values()) < 0:
            continue
        problems += [
            Problem("S11", f"机构数值 {part} 大于全公司数值 {whole}", name, code)
            for name, part in parts.items()
            if part > whole
        ]
    return problems
