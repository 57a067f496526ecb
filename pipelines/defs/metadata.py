"""What people want to see on an asset: rows, digests, a masked preview, findings by rule, plots. Nothing is computed anew."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import dagster as dg
import polars as pl

from pipelines.defs.bar_chart import bar_chart
from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation
from validations.engine import Rule, Standard, Table

PREVIEW_ROWS = 5


def desk_link(installation: Installation, state: FilingState) -> dict[str, dg.RawMetadataValue]:
    """Where the filing is at the desk; nothing where nobody said where the desk is (`BAOSONG_DESK_URL`)."""
    url = installation.settings.desk_url.rstrip("/")
    return {"审核台": dg.MetadataValue.url(f"{url}/filings/{state.id}")} if url else {}


def preview(table: Table, parquet: Path) -> dg.MarkdownMetadataValue:
    """The first rows, personal data masked."""
    frame = pl.scan_parquet(parquet).head(PREVIEW_ROWS).collect()
    shown = table.stored_fields[:12]
    lines = [
        "| " + " | ".join(f"{f.name} {f.title.zh}" for f in shown) + " |",
        "|" + " --- |" * len(shown),
    ]
    for row in frame.iter_rows(named=True):
        cells = ["***" if f.personal and row[f.name] else _cell(row[f.name]) for f in shown]
        lines.append("| " + " | ".join(cells) + " |")
    return dg.MetadataValue.md("\n".join(lines))


def findings_by_rule(standard: Standard, counts: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """A table of the rules that found something, most first."""
    found = sorted(((n, rule) for rule, n in counts.items() if n), reverse=True)
    if not found:
        return dg.MetadataValue.md(f"全部 {len(counts)} 条规则通过，没有问题数据。")
    severities = {"block": "阻断", "explain": "需签报说明", "note": "提示"}
    lines = ["| 规则 | 说明 | 严重程度 | 条数 |", "| --- | --- | --- | ---: |"]
    for number, rule_id in found:
        rule: Rule = standard.rule(rule_id)
        lines.append(f"| {rule_id} | {rule.message.zh} | {severities[rule.severity]} | {number:,} |")
    return dg.MetadataValue.md("\n".join(lines))


def sums_by_field(table: Table, sums: Mapping[str, str]) -> dict[str, dg.MarkdownMetadataValue]:
    """The sums that agreed with the source, each with its field's Chinese name; no entry for a table without amounts."""
    if not sums:
        return {}
    titles = {field.name: field.title.zh for field in table.stored_fields}
    lines = ["| 字段 | 合计 |", "| --- | ---: |"]
    lines += [f"| {name} {titles.get(name, '')} | {value} |" for name, value in sums.items()]
    return {"金额合计（已与数据源核对）": dg.MetadataValue.md("\n".join(lines))}


def document(text: str) -> dg.JsonMetadataValue | dg.TextMetadataValue:
    """What the other side wrote: as a tree when it is JSON, else as it came."""
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return dg.MetadataValue.text(text)
    if isinstance(parsed, dict | list):
        return dg.MetadataValue.json(cast("dict[str, Any] | list[Any]", parsed))
    return dg.MetadataValue.text(text)


def bar_plot(title: str, values: Mapping[str, int], unit: str) -> dict[str, dg.MarkdownMetadataValue]:
    """A horizontal bar chart as an image under its title; the values stand at the bars. No values, no chart."""
    if not values:
        return {}
    encoded = base64.b64encode(bar_chart(title, values, unit).encode()).decode()
    return {title: dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{encoded})")}


def _cell(value: object) -> str:
    return "—" if value is None else str(value).replace("|", "\\|")
