"""What a judging says on the screen: as text for people, as JSON for programs. True counts, waived findings apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import duckdb

from pipelines.errors import LANGUAGE, text
from validations.engine import Judgement, Standard
from validations.engine.session import parquet_rows


def as_json(
    standard: Standard, judgement: Judgement, report: str | None, parameters: Mapping[str, str]
) -> str:
    """Counts by rule, severity and table; what was not judged, with the reason."""
    said: dict[str, Any] = {
        "standard": standard.name,
        "version": judgement.standard_version,
        "digest": judgement.standard_digest,
        "report": report,
        "parameters": dict(parameters),
        "rows": dict(judgement.rows),
        "counts": dict(judgement.counts),
        "by_severity": dict(judgement.by_severity),
        "by_table": _by_table(judgement),
        "waived": dict(judgement.waived),
        "cannot_judge": dict(judgement.cannot),
        "total": judgement.total,
        "not_judged": {each.rule: str(each) for each in judgement.not_judged},
        "findings": str(judgement.findings),
    }
    return json.dumps(said, ensure_ascii=False, indent=2)


def as_text(standard: Standard, judgement: Judgement) -> str:
    """The standard, the rows of each table, each rule with its count, what was not judged and why, the total."""
    language = LANGUAGE.get()
    lines = [f"{standard.name} {standard.version} {getattr(standard.title, language)}"]
    lines += [f"  {table} {rows:,}" for table, rows in judgement.rows.items()]
    for rule_id, count in judgement.counts.items():
        rule = standard.rule(rule_id)
        waived = judgement.waived.get(rule_id, 0)
        cannot = judgement.cannot.get(rule_id, 0)
        note = f"  [{text('validations.waived', count=f'{waived:,}')}]" if waived else ""
        note += f"  [{text('validations.cannot', count=f'{cannot:,}')}]" if cannot else ""
        lines.append(
            f"  {rule_id:<5} {rule.severity:<8} {count:>9,}  {getattr(rule.message, language)}{note}"
        )
    lines += [f"  {each.rule:<5} {each}" for each in judgement.not_judged]
    lines.append(text("validations.summary", total=f"{judgement.total:,}", path=judgement.findings))
    return "\n".join(lines)


def _by_table(judgement: Judgement) -> dict[str, int]:
    """Findings that no waiver covers, zero too."""
    with duckdb.connect() as connection:
        counted = connection.execute(
            f'SELECT "table", count(*) FROM {parquet_rows(judgement.findings)} WHERE waiver IS NULL GROUP BY ALL ORDER BY ALL'
        ).fetchall()
    return {**dict.fromkeys(judgement.rows, 0), **{str(table): int(count) for table, count in counted}}
