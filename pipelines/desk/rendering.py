"""Templates filled in: one Jinja environment, everything escaped, an unknown name an error. No page is decided here."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from pipelines.desk import words
from pipelines.errors import LANGUAGE, catalogue, text

FOLDER = Path(__file__).parent
_NONE = "—"


@cache
def environment() -> Environment:
    """The desk's templates with their filters; loaded once."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known: dict[str, Any] = made.globals  # jinja's own type knows its own functions only
    known.update(t=label, word=word, done_text=done_text, language=LANGUAGE.get, **words.GLOBALS)
    made.filters.update(words.FILTERS)
    made.filters.update(
        number=number, time=time, said=said, digest=digest, signed=signed, svg=Markup
    )  # fmt: skip
    return made


def filled(template: str, request: Request, **values: object) -> str:
    """The template with its values; `url` in it makes the address of a route of the app."""
    return environment().get_template(template).render(url=request.app.url_path_for, **values)


def label(code: str, **named: object) -> str:
    """A text of the desk in the reader's language."""
    return text(f"desk.{code}", **named)


def word(code: str) -> str:
    """A word that the catalogue may not have (a new kind of event, say): then the code itself."""
    return text(code) if code in catalogue() else code.rsplit(".", 1)[-1]


def done_text(code: str) -> str:
    """What an act says when it is done; nothing for a code that is none of ours."""
    known = f"desk.done.{code}"
    return text(known) if known in catalogue() else ""


def said(title: Any) -> str:
    """A title that the standards give in both languages."""
    return getattr(title, LANGUAGE.get())


def number(value: int | Decimal | str | None) -> str:
    """Thousands separated, a dash for none; negative with a minus sign."""
    if value is None:
        return _NONE
    shown = f"{Decimal(value) if isinstance(value, str) else value:,}"
    return shown.replace("-", "−", 1)


def signed(value: Decimal | None) -> str:
    """A change: with its sign."""
    return _NONE if value is None else f"{value:+,}".replace("-", "−", 1)


def time(at: datetime | date | None) -> str:
    if at is None:
        return _NONE
    return f"{at:%Y-%m-%d %H:%M}" if isinstance(at, datetime) else f"{at:%Y-%m-%d}"


def digest(value: str | None) -> str:
    """The beginning of a digest, enough to tell two apart."""
    return value[:12] if value else _NONE
