"""Explained figures, indicators and findings as JSON: amounts are texts, so that nothing rounds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pipelines.stages.explain import Explained
from pipelines.stages.figure_lines import cut, decimal_of, is_row
from pipelines.stages.figure_tree import Figure, Part
from pipelines.stages.finding_history import FindingStory
from pipelines.stages.judged_figures import Earlier
from pipelines.stages.key_indicators import Indicator
from validations.engine.accounts import added


def explained_json(explained: Explained, rows: int) -> str:
    """Everything, amounts as texts so that nothing rounds them; `rows` limits the source rows, not their count or sum."""
    said: dict[str, Any] = {
        name: getattr(explained, name)
        for name in ("filing", "content", "round", "table", "title", "cell", "field", "standard_changed")
    }
    said["figure"] = _figure_json(explained.figure, rows) if explained.figure else None
    said["last_period"] = _earlier_json(explained.last_period)
    said["last_year"] = _earlier_json(explained.last_year)
    said["rows"] = [
        {"row": number, "cells": [asdict(cell) for cell in cells]} for number, cells in explained.rows
    ]
    said["overlays"] = [asdict(each) for each in explained.overlays]
    said["findings"] = [asdict(each) for each in explained.findings]
    return _json(said)


def indicators_json(indicators: Sequence[Indicator]) -> str:
    return _json([asdict(each) for each in indicators])


def story_json(story: FindingStory) -> str:
    return _json(asdict(story))


def _figure_json(figure: Figure, rows: int) -> dict[str, Any]:
    inner = [part for part in figure.parts if not is_row(part)]
    shown, left = cut([part for part in figure.parts if is_row(part)], rows)
    return {
        "table": figure.table,
        "key": dict(figure.key),
        "names": dict(figure.names),
        "field": figure.field,
        "value": figure.value,
        "last_period": figure.last_period,
        "last_year": figure.last_year,
        "rows": list(figure.rows) if figure.is_extracted else None,
        "ratio": figure.ratio,
        "total": figure.total,
        "adds_up": figure.adds_up if figure.total is not None else None,
        "parts": [_part_json(part, rows) for part in (*inner, *shown)],
        "parts_not_shown": {"count": len(left), "sum": added(part.amount for part in left)} if left else None,
        "differences": [
            {
                "amount": decimal_of(d.amount),
                "cause": d.cause,
                "overlay": asdict(d.overlay) if d.overlay else None,
            }
            for d in figure.differences
        ],
        "compared": [_part_json(part, rows) for part in figure.compared],
        "opens_further": figure.may_open and figure.total is None,
    }


def _part_json(part: Part, rows: int) -> dict[str, Any]:
    said: dict[str, Any] = {"weight": part.weight, "side": part.side, "amount": part.amount}
    return {**said, **_figure_json(part.figure, rows)}


def _earlier_json(earlier: Earlier | None) -> dict[str, Any] | None:
    return asdict(earlier) if earlier is not None else None


def _json(said: object) -> str:
    return json.dumps(said, ensure_ascii=False, indent=2, default=_as_text)


def _as_text(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
