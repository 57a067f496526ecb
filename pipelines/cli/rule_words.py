"""What running one rule says: SQL, rows, time, count and the failing rows; as text for people, as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipelines.cli.failing_rows import Cell, FailingRow
from pipelines.errors import LANGUAGE, text
from validations.engine import Rule, Standard


@dataclass(frozen=True)
class RuleRun:
    """One rule, run once. `not_judged` says why it was not."""

    standard: Standard
    rule: Rule
    sql: str
    rows: dict[str, int]
    count: int
    seconds: float
    not_judged: str | None
    failing: tuple[FailingRow, ...]


def as_json(done: RuleRun) -> str:
    """All of it."""
    said = {
        "standard": done.standard.name,
        "version": done.standard.version,
        "rule": done.rule.id,
        "severity": done.rule.severity,
        "message": {"zh": done.rule.message.zh, "en": done.rule.message.en},
        "citation": done.rule.citation,
        "sql": done.sql,
        "rows": done.rows,
        "count": done.count,
        "seconds": round(done.seconds, 3),
        "not_judged": done.not_judged,
        "failing": [asdict(row) for row in done.failing],
    }
    return json.dumps(said, ensure_ascii=False, indent=2)


def as_text(done: RuleRun) -> str:
    """The rule, its SQL, what it found, and each failing row: ► the offending field, · another that the rule names."""
    rule = done.rule
    lines = [
        f"{rule.id} {text(f'validations.severity.{rule.severity}')} {getattr(rule.message, LANGUAGE.get())}",
        f"  {rule.citation}",
        "",
        *(f"  {line}" for line in done.sql.splitlines()),
        "",
        *(f"  {table} {rows:,}" for table, rows in done.rows.items()),
    ]
    if done.not_judged:
        return "\n".join([*lines, done.not_judged])
    seconds = f"{done.seconds:.2f}"
    lines.append(text("validations.rule.counted", rule=rule.id, count=f"{done.count:,}", seconds=seconds))
    for number, row in enumerate(done.failing, 1):
        lines += ["", *_row(number, row)]
    if done.count > len(done.failing) > 0:
        lines += ["", text("validations.rule.more", count=f"{done.count - len(done.failing):,}")]
    return "\n".join(lines)


def _row(number: int, row: FailingRow) -> list[str]:
    key = ", ".join(f"{name}={value if value is not None else 'NULL'}" for name, value in row.key.items())
    place = text("validations.rule.row", row=f"{row.row:,}") if row.row is not None else ""
    lines = [f"{number}. {row.table} {key} {place}".rstrip()]
    said = {"field": row.field, "value": row.value, "expected": row.expected, "difference": row.difference}
    if not row.cells or row.expected is not None or row.difference is not None:
        words = [
            f"{text(f'validations.book.{name}')} {value}" for name, value in said.items() if value is not None
        ]
        lines += [f"   {'; '.join(words)}"] if words else []
    if row.reason is not None:
        lines.append(f"   {text('validations.book.reason')} {row.reason}")
    width = max((len(cell.field) for cell in row.cells), default=0)
    return lines + [_cell(cell, width) for cell in row.cells]


def _cell(cell: Cell, width: int) -> str:
    mark = "►" if cell.is_offending else "·" if cell.is_named else " "
    value = "NULL" if cell.value is None else cell.value
    return f"   {mark} {cell.field:<{width}} = {value}  ({cell.title})"
