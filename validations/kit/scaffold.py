"""A first draft of a standard from CSV files: it loads, its examples run green, and every guess says that it is one.

What the data suggest is `proposals`' matter; here it is written as a person would write it.
"""

from __future__ import annotations

import csv
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import BadInput
from validations.engine.loader import load_folder
from validations.kit.proposals import FieldProposal, TableProposal, propose
from validations.kit.scaffold_examples import examples_yaml, quoted, world_yaml

CONFIRM = "待确认 to confirm"
"""What stands behind every guess."""

_DELIMITERS = ("|", "\u0001", "~", "^")


@dataclass(frozen=True)
class Scaffold:
    """What was written: the standard's folder, and CSV files with new headers where columns had to be renamed."""

    folder: Path
    tables: tuple[TableProposal, ...]
    data: tuple[Path, ...]


def scaffold(name: str, sources: Sequence[Path], out: Path) -> Scaffold:
    """Write `out/name`. Raises BadInput for a name that cannot be one, a folder that exists, a CSV that cannot be read."""
    folder = out / name
    if not re.fullmatch("[A-Za-z][A-Za-z0-9_]*", name):
        raise BadInput("kit.new_name", name=name)
    if folder.exists():
        raise BadInput("kit.new_exists", path=folder)
    tables = _proposals(sources)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".tmp-new-", dir=out) as temporary:
        draft = Path(temporary) / name
        for path, content in _files(name, tables):
            (draft / path).parent.mkdir(parents=True, exist_ok=True)
            (draft / path).write_text(content, encoding="utf-8")
        load_folder(draft)
        shutil.move(draft, folder)
    renamed = tuple(_renamed(table, out / f"{name}_data") for table in tables if table.is_renamed)
    return Scaffold(folder, tables, renamed)


def _proposals(sources: Sequence[Path]) -> tuple[TableProposal, ...]:
    tables: list[TableProposal] = []
    problems: list[BadInput] = []
    for source in sources:
        try:
            table = propose(source)
        except BadInput as problem:
            problems.append(problem)
            continue
        if table.name.lower() in {known.name.lower() for known in tables}:
            problems.append(BadInput("kit.new_twice", path=source, table=table.name))
        tables.append(table)
    if problems:
        raise BadInput("kit.new_sources", details=problems, count=len(problems))
    return tuple(tables)


def _renamed(table: TableProposal, folder: Path) -> Path:
    """A copy of the CSV under the dictionary's names, so that it can be judged."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{table.name}.csv"
    with (
        table.source.open(encoding="utf-8-sig", newline="") as source,
        path.open("w", encoding="utf-8", newline="") as target,
    ):
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([field.name for field in table.fields])
        reader = csv.reader(source, strict=True)
        next(reader)
        writer.writerows(reader)
    return path


def _files(name: str, tables: Sequence[TableProposal]) -> Iterator[tuple[str, str]]:
    delimiter = _delimiter(tables)
    yield "standard.yaml", _standard_yaml(name, tables, delimiter)
    for table in tables:
        yield f"tables/{table.name}.yaml", _table_yaml(table)
        for field in table.fields:
            if field.codes:
                yield f"codes/{code_list(table, field)}.csv", _codes_csv(field)
    yield "rules/a.yaml", _rules_yaml(tables)
    yield "examples/world.yaml", world_yaml(tables)
    yield "examples/a.yaml", examples_yaml(tables, delimiter)


def code_list(table: TableProposal, field: FieldProposal) -> str:
    """The name of the list of a coded field."""
    return f"{table.name}_{field.name}".lower()


def _delimiter(tables: Sequence[TableProposal]) -> str:
    used = {
        character
        for table in tables
        for row in table.rows
        for value in row.values()
        for character in value or ""
    }
    return next(
        delimiter for delimiter in _DELIMITERS if delimiter not in used or delimiter == _DELIMITERS[-1]
    )


def _standard_yaml(name: str, tables: Sequence[TableProposal], delimiter: str) -> str:
    return f"""\
# 由数据起草的报送规范：能读、能检、示例全绿；凡注“{CONFIRM}”处都是从数据猜的，请对照监管文件逐处确认。
# A first draft from data: it loads, checks, and its examples are green; whatever says "to confirm" was guessed from the data.
name: {name}
title: {{zh: {name}, en: {name}}}  # {CONFIRM}
version: "0.1"
effective: 2026-01-01  # {CONFIRM}
authority: {{zh: 待确认, en: to confirm}}  # {CONFIRM}
status: reconstructed  # official 官方 | reconstructed 重建 | historical 历史
note:
  zh: 由数据起草，尚未与监管文件核对。
  en: Drafted from data, not yet held against the regulator's documents.
groups:
  A: {{zh: 基础格式, en: Form}}
reports:
  - name: detail
    title: {{zh: 明细数据, en: Detail}}  # {CONFIRM}
    rhythm: on_request  # flash 快报 | monthly | quarterly | half_year | annual | on_request 按要求；{CONFIRM}
    due: {{by: request}}
    tables: [{", ".join(table.name for table in tables)}]
    package: text
packages:
  - name: text
    format: delimited
    encoding: utf-8  # utf-8 | gb18030 | gb2312；{CONFIRM}
    delimiter: {quoted(delimiter)}
    header: true
    file: "{{table}}-{{date}}.txt"
"""


def _table_yaml(table: TableProposal) -> str:
    note = f"从 {table.looked_at} 行猜出 guessed from {table.looked_at} rows"
    if not table.is_key:
        note += "；这些列有重复，主键请另定 these columns repeat: choose another key"
    lines = [
        f"name: {table.name}",
        f"title: {{zh: {table.name}, en: {table.name}}}  # {CONFIRM}",
        f"key: [{', '.join(table.key)}]  # {CONFIRM}：{note}",
        f"fields:  # 类型、长度（字节）、必填、代码均{CONFIRM} types, lengths in bytes, mandatory and codes",
    ]
    for field in table.fields:
        said = [f"name: {field.name}", f"title: {{zh: {quoted(field.header)}, en: {quoted(field.header)}}}"]
        said.append(f"type: {field.type}")
        said += ["precision: 20", f"scale: {field.scale}"] if field.type == "decimal" else []
        said += [f"length: {field.length}"] if field.length else []
        said += ["mandatory: true"] if field.mandatory else []
        said += [f"codes: {code_list(table, field)}"] if field.codes else []
        lines.append(f"  - {{{', '.join(said)}}}")
    return "\n".join(lines) + "\n"


def _codes_csv(field: FieldProposal) -> str:
    rows = [("code", "title_zh", "title_en"), *((code, code, code) for code in field.codes)]
    return "".join(",".join(_cell(cell) for cell in row) + "\n" for row in rows)


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search('[",\r\n]', text) else text


RULES = (
    ("A01", "constraint: mandatory", "必填项为空", "A mandatory field is empty"),
    ("A02", "shape: {unique: every_table}", "主键重复", "The primary key stands more than once"),
    ("A03", "constraint: length", "超过字段长度（字节）", "Longer than the field allows, in bytes"),
    (
        "A04",
        "constraint: encoding",
        "含有不能写入报文的字符",
        "Holds a character that the package cannot carry",
    ),
    ("A05", "constraint: date_range", "日期不在合理范围", "The date is out of range"),
    ("A06", "constraint: codes", "不在代码表内", "Not in the code list"),
)


def _rules_yaml(tables: Sequence[TableProposal]) -> str:
    fields = [field for table in tables for field in table.fields]
    has_text, has_date = (any(field.type == kind for field in fields) for kind in ("text", "date"))
    wanted = {
        "A01": any(field.mandatory for field in fields),
        "A03": has_text,
        "A04": has_text,
        "A05": has_date,
        "A06": any(field.codes for field in fields),
    }
    rules = [
        f"""\
- id: {rule_id}
  severity: block  # block 阻断 | explain 需签报说明 | note 提示；{CONFIRM}
  judges: content
  {judge}
  message: {{zh: {zh}, en: {quoted(en)}}}
  citation: "由数据起草，依据待确认 (drafted from data; cite the demand)"
"""
        for rule_id, judge, zh, en in RULES
        if wanted.get(rule_id, True)
    ]
    return (
        "# 数据字典的要求由这些规则判断。What the dictionary demands is judged by these rules.\n"
        + "".join(rules)
    )
