"""Text to the dictionary's types, exactly or not at all, and why a text is none of its type. No files, no places.

CSV cells, text cells of workbooks and numbers written out all come through here, so a value means one thing everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from pipelines.errors import BadInput, text
from validations.engine.standard import Field, Table
from validations.engine.types import PRECISION

CELL_LIMIT_BYTES = 1 << 20
"""No field of any regulator comes near it; a longer cell is a quote that was never closed or another file."""

SHOWN = 50
"""Mistakes listed before the rest is only counted."""

NAMES_SHOWN = 20


@dataclass
class Mistakes:
    """What is wrong with one file: the first `SHOWN` in full, all of them counted."""

    count: int = 0
    shown: list[BadInput] = field(default_factory=list[BadInput])

    def add(self, code: str, **values: object) -> None:
        """One more mistake; its text is made only when it will be shown."""
        self.count += 1
        if len(self.shown) < SHOWN:
            self.shown.append(BadInput(code, details=(), **values))

    def add_value(self, place: object, table: Table, declared: Field, value: str) -> None:
        """A text at `place` that is no value of its field."""
        self.add(
            "input.value",
            place=place,
            table=table.name,
            field=declared.name,
            value=visible(value),
            expected=expected(declared),
            why=text(reason(declared, value)) if len(self.shown) < SHOWN else "",
        )


def read_values(texts: pl.Expr, declared: Field) -> pl.Expr:
    """The values, null where a text is none of its type; the form is checked on the text, since casts round."""
    if declared.type == "text":
        return texts
    if declared.type == "date":
        form, value = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z", texts.str.to_date("%Y-%m-%d", strict=False)
    elif declared.type == "integer":
        form, value = r"\A-?[0-9]{1,19}\z", texts.cast(pl.Int64, strict=False)
    else:
        scale = declared.scale or 0
        form = rf"\A-?[0-9]+(\.[0-9]{{0,{scale}}}0*)?\z"
        # Zeros beyond the scale say nothing; without them the cast is exact.
        exact = texts.str.replace(rf"(\.[0-9]{{{scale}}})0+\z", "$1")
        value = exact.cast(pl.Decimal(declared.precision or PRECISION, scale), strict=False)
    return pl.when(texts.str.contains(form)).then(value)


def expected(declared: Field) -> str:
    """The type as a message names it."""
    if declared.type == "decimal":
        return f"decimal({declared.precision or PRECISION},{declared.scale or 0})"
    return {"date": "YYYY-MM-DD", "integer": "-?[0-9]+ (64 bit)"}.get(declared.type, declared.type)


_NUMBER = r"[+-]?[0-9]*\.?[0-9]+"
_REASONS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("input.why.not_finite", re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)),
    ("input.why.word_for_nothing", re.compile(r"null|none|n/?a|#n/?a|nil|-|—|无|空", re.IGNORECASE)),
    ("input.why.underscore", re.compile(r"[+-]?[0-9][0-9_.]*_[0-9_.]+")),
    ("input.why.exponent", re.compile(rf"{_NUMBER}[eE][+-]?[0-9]+")),
    ("input.why.plus", re.compile(r"\+[0-9.]+")),
    ("input.why.thousands", re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")),
    ("input.why.unit", re.compile(rf"[¥$￥€]\s*{_NUMBER}|{_NUMBER}\s*(%|元|万元|万|CNY|RMB)")),
)
_DATES = re.compile(
    r"[0-9]{4}([-/.年])[0-9]{1,2}[-/.月][0-9]{1,2}日?([T ].*)?|[0-9]{8}|[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}"
)


def reason(declared: Field, value: str) -> str:
    """The code of the text that says why `value` is none of its type and what to write instead."""
    if any("\uff01" <= c <= "\uff5e" or c == "\u3000" for c in value):
        return "input.why.full_width"
    if value != value.strip():
        return "input.why.spaces"
    general = next((code for code, form in _REASONS if form.fullmatch(value)), None)
    return general or {"date": _why_no_date, "integer": _why_no_integer}.get(declared.type, _why_no_decimal)(
        declared, value
    )


def _why_no_date(_: Field, value: str) -> str:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return "input.why.no_such_day"
    if _DATES.fullmatch(value):
        return "input.why.date_form"
    return "input.why.serial" if re.fullmatch(r"[0-9]{5}(\.[0-9]+)?", value) else "input.why.other"


def _why_no_integer(_: Field, value: str) -> str:
    if re.fullmatch(r"-?[0-9]+", value):
        return "input.why.too_large"
    return "input.why.fraction" if re.fullmatch(_NUMBER, value) else "input.why.other"


def _why_no_decimal(declared: Field, value: str) -> str:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]*)?", value):
        return "input.why.other"
    decimals = len(value.partition(".")[2].rstrip("0"))
    return "input.why.too_large" if decimals <= (declared.scale or 0) else "input.why.decimals"


def visible(value: str, limit: int = 60) -> str:
    """A value as a message can show it: cut, and with what cannot be seen written out."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in value[:limit]) + (
        "…" if len(value) > limit else ""
    )


def check_header(table: Table, place: object, header: Sequence[str]) -> list[str]:
    """The header, when it has exactly the stored columns of the table in any order. Raises BadInput with all differences."""
    if not any(header):
        raise BadInput("input.no_header", place=place, table=table.name)
    wanted = [declared.name for declared in table.stored_fields]
    known = set(wanted)
    seen: set[str] = set()
    repeated: list[str] = []
    for name in header:
        if name in seen:
            repeated.append(name)
        seen.add(name)
    missing = [name for name in wanted if name not in seen]
    unknown = [name for name in header if name not in known]
    if not (missing or unknown or repeated):
        return list(header)
    if len(header) == 1 and (mark := _other_delimiter(header[0], known)):
        raise BadInput("input.delimiter", place=place, table=table.name, found=mark)
    raise BadInput(
        "input.columns",
        place=place,
        table=table.name,
        found=len(header),
        expected=len(wanted),
        missing=_names(missing),
        unknown=_names(unknown),
        repeated=_names(repeated),
    )


def _other_delimiter(header: str, known: set[str]) -> str | None:
    for mark in ("\t", ";", "|", "，"):
        if len(known.intersection(header.split(mark))) > 1:
            return "TAB" if mark == "\t" else mark
    return None


def _names(names: Sequence[str]) -> str:
    listed = ", ".join(visible(name, 40) or '""' for name in dict.fromkeys(names[:NAMES_SHOWN]))
    rest = len(names) - NAMES_SHOWN
    return (listed + (text("input.more_names", count=rest) if rest > 0 else "")) or "–"
