"""What differs between two versions of a standard: reports, tables, fields, rules, codes; added, removed, changed.

Nothing is rendered here; values are compared as texts that people can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, cast

from validations.engine.standard import CodeList, Standard, Table

Kind = Literal[
    "standard", "report", "package", "parameter", "macro", "table", "field", "codes", "code", "rule"
]
What = Literal["added", "removed", "changed"]
KINDS: tuple[Kind, ...] = (
    "standard",
    "report",
    "package",
    "parameter",
    "macro",
    "table",
    "field",
    "codes",
    "code",
    "rule",
)

_APART = {"path", "digest", "left", "right"}
"""Not said by the author, or said elsewhere: where the files lie, what is computed from them."""


@dataclass(frozen=True)
class Detail:
    """One property that changed; None: it was not, or is not, said."""

    name: str
    old: str | None
    new: str | None


@dataclass(frozen=True)
class Difference:
    """One thing that was added, removed or changed."""

    kind: Kind
    name: str
    what: What
    title: str
    details: tuple[Detail, ...] = ()


def differences(old: Standard, new: Standard) -> tuple[Difference, ...]:
    """All differences, in the order of `KINDS`, then of the newer standard."""
    found = [*_compared("standard", [old], [new], lambda _: new.name, without=_PARTS)]
    found += _compared("report", old.reports, new.reports, _name)
    found += _compared("package", old.packages.values(), new.packages.values(), _name)
    found += _compared("parameter", old.parameters.values(), new.parameters.values(), _name)
    found += _compared("macro", old.macros.items(), new.macros.items(), lambda item: str(item[0]))
    found += _compared(
        "table", old.tables.values(), new.tables.values(), _name, without=frozenset({"fields"})
    )
    found += _compared("field", _fields(old), _fields(new), lambda item: f"{item[0].name}.{item[1].name}")
    found += _compared("codes", old.codes.values(), new.codes.values(), _name, without=frozenset({"codes"}))
    found += _compared("code", _codes(old), _codes(new), _code_name)
    found += _compared("rule", old.rules, new.rules, lambda rule: str(rule.id))
    return tuple(found)


_PARTS = frozenset(
    {"reports", "packages", "parameters", "macros", "tables", "codes", "rules", "name", "path", "digest"}
)


def _name(item: Any) -> str:
    return str(item.name)


def _fields(standard: Standard) -> Iterator[tuple[Table, Any]]:
    for table in standard.tables.values():
        for field in table.fields:
            yield table, field


def _codes(standard: Standard) -> Iterator[tuple[CodeList, Any, int]]:
    for codes in standard.codes.values():
        seen: dict[str, int] = {}
        for code in codes.codes:
            seen[code.code] = seen.get(code.code, 0) + 1
            yield codes, code, seen[code.code]


def _code_name(item: Any) -> str:
    codes, code, number = item
    return f"{codes.name}.{code.code}" + (f" ({number})" if number > 1 else "")


def _compared(
    kind: Kind,
    old: Iterable[Any],
    new: Iterable[Any],
    name: Callable[[Any], str],
    *,
    without: frozenset[str] = frozenset(),
) -> Iterator[Difference]:
    before = {name(item): _said(item, without) for item in old}
    after = {name(item): _said(item, without) for item in new}
    for key, said in after.items():
        if key not in before:
            yield Difference(kind, key, "added", _title(said))
            continue
        names = dict.fromkeys((*before[key], *said))
        details = tuple(
            Detail(part, before[key].get(part), said.get(part))
            for part in names
            if before[key].get(part) != said.get(part)
        )
        if details:
            yield Difference(kind, key, "changed", _title(said), details)
    for key, said in before.items():
        if key not in after:
            yield Difference(kind, key, "removed", _title(said))


def _title(said: dict[str, str]) -> str:
    return said.get("title", said.get("message", ""))


def _said(item: Any, without: frozenset[str]) -> dict[str, str]:
    """What is said of a thing, property by property, as text."""
    if isinstance(item, tuple):  # a thing within another: the last dataclass, or a macro's text
        parts = [part for part in cast("tuple[Any, ...]", item) if is_dataclass(part)]
        return _said(parts[-1], without) if parts else {"sql": str(item[-1])}
    values: dict[str, str] = {}
    for part in fields(item):
        value = getattr(item, part.name)
        if part.name not in without | _APART and value not in (None, (), "", False):
            values[part.name] = as_words(value)
    return values


def as_words(value: Any) -> str:
    """Any part of a standard as one readable text."""
    if isinstance(value, Path):
        return value.read_text(encoding="utf-8").strip()
    if is_dataclass(value):
        if hasattr(value, "zh"):
            return f"{value.zh} / {value.en}"  # type: ignore[attr-defined]
        said = {part.name: getattr(value, part.name) for part in fields(value) if part.name not in _APART}
        return ", ".join(
            f"{name}: {as_words(part)}" for name, part in said.items() if part not in (None, (), "", False)
        )
    if isinstance(value, tuple):
        return "; ".join(as_words(part) for part in cast("tuple[Any, ...]", value))
    if isinstance(value, dict):
        named = cast("dict[str, Any]", value)
        return "; ".join(f"{name}: {as_words(part)}" for name, part in named.items())
    return str(value)
