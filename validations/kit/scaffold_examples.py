"""The first examples of a drafted standard: the first rows as the world, and for every drafted rule one pass and one fail."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence

from validations.kit.proposals import FieldProposal, TableProposal

_TOO_EARLY = "1899-12-31"
_NOT_PLAIN = re.compile("[^\x20-\x7e\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""What YAML refuses, or takes for the end of a line."""


def quoted(text: str) -> str:
    """A text as YAML writes it in double quotes, whatever it holds."""
    return _NOT_PLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def world_yaml(tables: Sequence[TableProposal]) -> str:
    """The first rows of every CSV."""
    lines = [
        "# 一个小世界：所有规则都应通过。取自数据的前几行；含个人信息的请改成虚构的。",
        "# A small world that all rules pass, from the first rows of the data. Replace what is personal by something made up.",
        "parameters: {date_from: 2026-01-01, date_to: 2026-03-31, report: detail}",
        "tables:",
    ]
    for table in tables:
        lines.append(f"  {table.name}:")
        lines += [f"    - {_row(table, row)}" for row in table.rows]
    return "\n".join(lines) + "\n"


def examples_yaml(tables: Sequence[TableProposal], delimiter: str) -> str:
    """Examples of the drafted rules, each on the first table that has something to show."""
    parts = [
        "# 每条规则至少一个通过、一个不通过的示例：世界加上改动。At least one example that passes and one that fails per rule.",
        _of("A01", _mandatory(tables)),
        _of("A02", _unique(tables)),
        _of("A03", _length(tables)),
        _of("A04", _encoding(tables, delimiter)),
        _of("A05", _date_range(tables)),
        _of("A06", _codes(tables)),
    ]
    return "\n".join(part for part in parts if part) + "\n"


_Pair = tuple[list[str], list[str]]


def _of(rule: str, examples: _Pair | None) -> str:
    if examples is None:
        return ""
    passing, failing = examples
    return "\n".join(
        [
            f"{rule}:",
            "  pass:",
            *(f"    {line}" for line in passing),
            "  fail:",
            *(f"    {line}" for line in failing),
        ]
    )


def _mandatory(tables: Sequence[TableProposal]) -> _Pair | None:
    found = _first(tables, lambda table, field: field.mandatory)
    if found is None:
        return None
    table, field = found
    key = _key_after(table, {field.name: None})
    failing = [
        _named(f"{field.header} 为空 is empty"),
        f"  add: {{{table.name}: [{{like: {_key(table)}, {field.name}: null}}]}}",
        f"  finds: [{{table: {table.name}, {key}, field: {field.name}}}]",
    ]
    return ["- name: 世界本身 the world itself"], failing


def _unique(tables: Sequence[TableProposal]) -> _Pair:
    table = tables[0]
    failing = [
        "- name: 同一行录入了两次 one row entered twice",
        f"  add: {{{table.name}: [{{like: {_key(table)}}}]}}",
        f"  finds: [{{table: {table.name}, {_key_after(table, {})}}}]",
    ]
    return ["- name: 世界本身 the world itself"], failing


def _length(tables: Sequence[TableProposal]) -> _Pair | None:
    """Every text field of every table at its length, and one byte more."""
    passing: list[str] = []
    failing: list[str] = []
    for table in tables:
        texts = [field for field in table.fields if field.length]
        if not texts:
            continue
        for lines, more in ((passing, 0), (failing, 1)):
            cells = {field.name: "x" * ((field.length or 0) + more) for field in texts}
            briefly = ", ".join(f"{name}: {{repeat: x, times: {len(text)}}}" for name, text in cells.items())
            lines += [
                f"- name: {table.name} 各字段{'多一个字节 one byte more' if more else '恰好用满 just full'}",
                f"  add: {{{table.name}: [{{like: {_key(table)}, {briefly}}}]}}",
            ]
            if more:
                named = ", ".join(field.name for field in texts)
                key = _key_after(table, cells)
                lines.append(f"  finds: [{{table: {table.name}, {key}, field: [{named}]}}]")
    return (passing, failing) if passing else None


def _encoding(tables: Sequence[TableProposal], delimiter: str) -> _Pair | None:
    found = _first(tables, lambda table, field: field.type == "text" and field.name not in table.key)
    found = found or _first(tables, lambda table, field: field.type == "text")
    if found is None:
        return None
    table, field = found
    text = f"a{delimiter}b"
    failing = [
        _named(f"{field.header} 含分隔符 holds the delimiter"),
        f"  add: {{{table.name}: [{{like: {_key(table)}, {field.name}: {quoted(text)}}}]}}",
        f"  finds: [{{table: {table.name}, {_key_after(table, {field.name: text})}, field: {field.name}}}]",
    ]
    return ["- name: 世界本身 the world itself"], failing


def _date_range(tables: Sequence[TableProposal]) -> _Pair | None:
    found = _first(tables, lambda table, field: field.type == "date")
    if found is None:
        return None
    table, field = found
    failing = [
        _named(f"{field.header} 早于 1900 年 before 1900"),
        f"  add: {{{table.name}: [{{like: {_key(table)}, {field.name}: {_TOO_EARLY}}}]}}",
        f"  finds: [{{table: {table.name}, {_key_after(table, {field.name: _TOO_EARLY})}, field: {field.name}}}]",
    ]
    return ["- name: 世界本身 the world itself"], failing


def _codes(tables: Sequence[TableProposal]) -> _Pair | None:
    found = _first(tables, lambda table, field: bool(field.codes))
    if found is None:
        return None
    table, field = found
    other = "?" if "?" not in field.codes else "??"
    failing = [
        _named(f"{field.header} 不在代码表内 is no code"),
        f"  add: {{{table.name}: [{{like: {_key(table)}, {field.name}: {quoted(other)}}}]}}",
        f"  finds: [{{table: {table.name}, {_key_after(table, {field.name: other})}, field: {field.name}}}]",
    ]
    return ["- name: 世界本身 the world itself"], failing


def _named(name: str) -> str:
    return f"- name: {quoted(name)}"


def _first(
    tables: Sequence[TableProposal], wanted: Callable[[TableProposal, FieldProposal], bool]
) -> tuple[TableProposal, FieldProposal] | None:
    """The first such field, outside the key if there is one."""
    found = [(table, field) for table in tables for field in table.fields if wanted(table, field)]
    return next((pair for pair in found if pair[1].name not in pair[0].key), found[0] if found else None)


def _key(table: TableProposal) -> str:
    """The first row's key, to copy that row."""
    row = table.rows[0]
    fields = {field.name: field for field in table.fields}
    return "{" + ", ".join(f"{name}: {_value(fields[name], row[name])}" for name in table.key) + "}"


def _key_after(table: TableProposal, cells: Mapping[str, str | None]) -> str:
    """The key of a copy of the first row with other cells, in the dictionary's order."""
    row = {**table.rows[0], **cells}
    named = [field for field in table.fields if field.name in table.key]
    return ", ".join(f"{field.name}: {_value(field, row[field.name])}" for field in named)


def _row(table: TableProposal, row: dict[str, str | None]) -> str:
    given = [field for field in table.fields if row[field.name] is not None]
    return "{" + ", ".join(f"{field.name}: {_value(field, row[field.name])}" for field in given) + "}"


def _value(field: FieldProposal, text: str | None) -> str:
    if text is None:
        return "null"
    return quoted(text) if field.type in {"text", "decimal"} else text
