"""Documents as pages: one self-contained HTML file each, to be read on screen and printed; no script, no network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.errors import LANGUAGE, text
from pipelines.stages.canonical import write_durably

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Bar:
    """A bar of a chart: its name, its value, and its length in percent of the longest."""

    name: str
    value: int
    percent: float


def bars(values: dict[str, int], *, most: int = 15) -> list[Bar]:
    """The largest values as bars, most first."""
    ordered = sorted(values.items(), key=lambda each: (-each[1], each[0]))[:most]
    longest = max((value for _, value in ordered), default=0)
    return [Bar(name, value, round(value * 100 / longest, 2) if longest else 0) for name, value in ordered]


def write_page(path: Path, template: str, **values: object) -> None:
    """Fill a template and write it whole or not at all."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known: dict[str, Any] = environment.globals  # jinja's own type knows its own functions only
    known["t"] = _label
    known["language"] = {"zh": "zh-CN", "en": "en"}[LANGUAGE.get()]
    known["style"] = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))  # noqa: S704 - ours
    environment.filters["said"] = lambda title: getattr(title, LANGUAGE.get())
    environment.filters["number"] = number
    environment.filters["time"] = lambda at: f"{at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else str(at)
    write_durably(path, environment.get_template(template).render(**values).encode())


def _label(code: str, **named: object) -> str:
    return text(f"documents.{code}", **named)


def number(value: int | Decimal | str | None) -> str:
    """A number with thousands separators; a dash for none."""
    if value is None:
        return "—"
    return f"{Decimal(value) if isinstance(value, str) else value:,}"
