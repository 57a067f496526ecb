"""From what a source's driver returns to the Arrow types of the dictionary, exactly or not at all.

Shapes: one column of a batch at a time. A `__cents` column holds integer hundredths, `__bp` integer ten-
thousandths; dates are ISO texts or dates. Nothing is rounded, guessed or truncated, and no float is ever
taken for an amount. Reading the rows is `sources.py`.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

SUFFIXES = {"__cents": 2, "__bp": 4}
"""What an alias may end with, and how many decimals its integers stand for."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class ColumnPlan:
    """How one column of the result fills one field: `decimals` of an alias' suffix, None without one."""

    position: int
    alias: str
    field: Any
    decimals: int | None

    @property
    def expected(self) -> str:
        """What the values must be, for messages."""
        return f"{self.field.type}" + (f" ← integer 10^-{self.decimals}" if self.decimals else "")


class NotExactError(Exception):
    """A value cannot become its field's type without changing it; `index` is its place in the batch."""

    def __init__(self, index: int, value: object) -> None:
        super().__init__(index)
        self.index = index
        self.value = value

    @property
    def shown(self) -> str:
        """Type and length only, since the value may be personal."""
        return f"{type(self.value).__name__}[{len(str(self.value))}]"


def plan_columns(
    aliases: Sequence[str], schema: pa.Schema
) -> tuple[list[ColumnPlan], list[str], list[str], list[str]]:
    """Match aliases to fields, in the schema's order; also missing fields, extra and double aliases.

    Letter case is disregarded, since some databases fold it.
    """
    fields = {name.casefold(): name for name in schema.names}
    plans: dict[str, ColumnPlan] = {}
    extra: list[str] = []
    double: list[str] = []
    for position, alias in enumerate(aliases):
        base, decimals = split_alias(alias)
        name = fields.get(base.casefold()) or fields.get(alias.casefold())
        if name is None:
            extra.append(alias)
        elif name in plans:
            double.append(alias)
        else:
            plans[name] = ColumnPlan(position, alias, schema.field(name), decimals)
    missing = [name for name in schema.names if name not in plans]
    return [plans[name] for name in schema.names if name in plans], missing, extra, double


def split_alias(alias: str) -> tuple[str, int | None]:
    """`BF__cents` → ("BF", 2); a plain alias has no decimals."""
    for suffix, decimals in SUFFIXES.items():
        if alias.casefold().endswith(suffix):
            return alias[: -len(suffix)], decimals
    return alias, None


def convert(values: Sequence[object], plan: ColumnPlan) -> pa.Array:
    """One column as Arrow. Raises NotExactError for the first value that does not fit."""
    kind = plan.field.type
    exact = _converter(kind, plan.decimals)
    ready = list(values)
    # One look at the types decides whether anything needs converting value by value.
    if not set(map(type, values)) <= _NATIVE.get((str(kind), plan.decimals), set()):
        for index, value in enumerate(values):
            if value is not None:
                try:
                    ready[index] = exact(value)
                except (ValueError, ArithmeticError):
                    raise NotExactError(index, value) from None
    try:
        return pa.array(ready, kind)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        raise _first_misfit(ready, values, kind) from None


_NATIVE: dict[tuple[str, int | None], set[type]] = {
    ("string", None): {str, type(None)},
    ("int64", None): {int, type(None)},
    ("date32[day]", None): {date, type(None)},
}


def _first_misfit(ready: Sequence[object], values: Sequence[object], kind: Any) -> NotExactError:
    for index, value in enumerate(ready):
        try:
            pa.array([value], kind)
        except (pa.ArrowException, OverflowError, UnicodeEncodeError):
            return NotExactError(index, values[index])
    raise AssertionError("every value fits alone, yet the column does not")


def _converter(kind: Any, decimals: int | None) -> Any:
    if pa.types.is_decimal(kind):
        return _scaled(decimals) if decimals is not None else _decimal
    if decimals is not None:
        raise TypeError(f"a scaled integer cannot fill a field of type {kind}")
    converters = {pa.string(): _text, pa.int64(): _integer, pa.date32(): _date}
    if kind not in converters:
        raise TypeError(f"no exact conversion to {kind}")
    return converters[kind]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _integer(value: object) -> int:
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT64:
        return value
    raise ValueError


def _decimal(value: object) -> Decimal:
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return value
    raise ValueError


def _scaled(decimals: int) -> Any:
    def scale(value: object) -> Decimal:
        return scale_integer(_integer(value), decimals)

    return scale


def scale_integer(value: int, decimals: int) -> Decimal:
    """`12345` at 2 decimals is exactly `123.45`; built from digits, so no context can round it."""
    return Decimal((int(value < 0), tuple(map(int, str(abs(value)))), -decimals))


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError
