"""Examples in the words of people: what changes in the world, what must be found. Only for showing; nothing is judged."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.errors import text
from validations.kit.cells import as_text
from validations.kit.examples import CONTENT, Change, Example, Expected, Row

_LONGEST = 60


def changes_said(example: Example) -> list[str]:
    """One line per row that is set, added or removed, and per parameter."""
    lines: list[str] = []
    for reference, tables in example.changes.items():
        for table, change in tables.items():
            name = table if reference == CONTENT else f"{reference}.{table}"
            lines += _change(name, change)
    lines += [f"${name} = {value}" for name, value in example.parameters.items()]
    if example.nil_returns is not None:
        lines.append(text("kit.docs.nil_returns", tables=", ".join(example.nil_returns) or "–"))
    return lines


def found_said(found: Expected) -> str:
    """A finding that must be found."""
    parts = {
        "field": found.field,
        "value": found.value,
        "expected": found.expected,
        "difference": found.difference,
    }
    said = [f"{text(f'kit.docs.{name}')} {value}" for name, value in parts.items() if value is not None]
    key = "{" + ", ".join(f"{name}: {value}" for name, value in found.key.items()) + "}"
    return " · ".join([f"{found.table} {key}" if found.table else key, *said])


def _change(table: str, change: Change) -> Iterator[str]:
    for setting in change.set:
        yield f"{table} {_row(setting.by)} ← {_row(setting.cells)}"
    for addition in change.add:
        like = text("kit.docs.like", row=_row(addition.like)) if addition.like is not None else ""
        yield f"{table} + {_row(addition.cells)}{like}"
    for removal in change.remove:
        yield f"{table} − {_row(removal.by)}"


def _row(row: Row) -> str:
    return "{" + ", ".join(f"{name}: {_short(as_text(value))}" for name, value in row.items()) + "}"


def _short(value: str | None) -> str:
    if value is None:
        return "NULL"
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}… ({len(value)})"
