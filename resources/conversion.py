"""From what a source's driver returns to the Arrow types of the dictionary, exactly or not at all.

Shapes: one column of a batch at a time. A `__cents` column holds integer hundredths, `__bp` integer ten-
thousandths; dates are ISO texts or dates. Nothing is rounded, guessed or truncated, and no float is ever
taken for an amount. Whole Arrow columns go through vectorised casts that are as strict (`convert_column`); values of
drivers that know no Arrow go through Python one by one (`convert`). Reading the rows is `sources/`.
"""

# pyarrow has no types:
# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

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

    def __init__(self, index: int, value: object = None, *, shown: str | None = None) -> None:
        super().__init__(index)
        self.index = index
        self.value = value
        self._shown = shown

    @property
    def is_not_utf8(self) -> bool:
        """Whether it is a text in another encoding than the one it is said to have."""
        return isinstance(self.value, bytes) and self._shown is None

    @property
    def shown(self) -> str:
        """Type and length only, since the value may be personal; what is no number or no date at all by its name."""
        if self._shown is not None:
            return self._shown
        name = str(self.value).casefold()
        return name if name in _NOT_FINITE else f"{type(self.value).__name__}[{len(str(self.value))}]"


_NOT_FINITE = frozenset({"nan", "inf", "-inf", "infinity", "-infinity"})


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


def require_convertible(plan: ColumnPlan) -> None:
    """Raises TypeError, with the reason, for a field that no column of this alias can fill."""
    _converter(plan.field.type, plan.decimals)


def convert_column(column: pa.Array, plan: ColumnPlan, *, is_number: bool = False) -> pa.Array:
    """One column of a batch as Arrow, converted as a whole; `is_number`: its texts are a database's own numerals.

    Raises NotExactError for the first value that does not fit.
    """
    kind = plan.field.type
    if column.null_count == len(column):
        return pa.nulls(len(column), kind)
    try:
        if _is_text(column):
            column.validate(full=True)  # drivers hand on bytes as they come
        converted = _cast(column, plan, is_number=is_number)
    except pa.ArrowException:
        converted = None
    if converted is None:
        raise _first_misfit_in(column, plan)
    return converted


def _cast(column: pa.Array, plan: ColumnPlan, *, is_number: bool) -> pa.Array | None:
    """The column converted by Arrow's own strict casts, None where it cannot fill the field."""
    kind = plan.field.type
    if pa.types.is_decimal(kind):
        return _decimals(column, kind, plan.decimals, is_number=is_number)
    if pa.types.is_date32(kind):
        dates = column.cast(kind) if pa.types.is_date32(column.type) or _is_text(column) else None
        return dates if dates is not None and _are_of_the_calendar(dates) else None
    if pa.types.is_int64(kind):
        whole = _whole(column, is_number=is_number)
        return None if whole is None else whole.cast(kind)
    return column if _is_text(column) else None


def _decimals(column: pa.Array, kind: pa.DataType, scaled: int | None, *, is_number: bool) -> pa.Array | None:
    if scaled is not None:
        whole = _whole(column, is_number=is_number)
        return None if whole is None else _shifted(whole.cast(pa.decimal128(38, 0)), scaled).cast(kind)
    if not _is_text(column):
        return column.cast(kind) if pa.types.is_signed_integer(column.type) else None
    if not is_number and pc.all(pc.match_substring_regex(column, _PLAIN_NUMBER)).as_py() is False:
        return None
    return column.cast(kind)


def _whole(column: pa.Array, *, is_number: bool) -> pa.Array | None:
    """Integers as they come, numerals without a fraction as decimals."""
    if pa.types.is_signed_integer(column.type):
        return column
    return column.cast(pa.decimal128(38, 0)) if is_number and _is_text(column) else None


def _is_text(column: pa.Array) -> bool:
    return pa.types.is_string(column.type)


def _shifted(whole: pa.Array, decimals: int) -> pa.Array:
    """Whole numbers read as hundredths or ten-thousandths: the same 128 bits under another type."""
    kind = pa.decimal128(38, decimals)
    return pa.Array.from_buffers(
        kind, len(whole), whole.buffers(), null_count=whole.null_count, offset=whole.offset
    )


def _are_of_the_calendar(dates: pa.Array) -> bool:
    """Whether all lie in the years 1 to 9999: no 'infinity', no year before Christ."""
    bounds = pc.min_max(dates.view(pa.int32()))
    return bounds["min"].as_py() >= _FIRST_DAY and bounds["max"].as_py() <= _LAST_DAY


_PLAIN_NUMBER = r"\A[+-]?[0-9]+(\.[0-9]+)?\z"
_FIRST_DAY, _LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
_INFINITE_DAYS = {-2147472692: "infinity", -2147472691: "-infinity"}
"""What PostgreSQL's endless dates become when a driver counts them in days."""


def _first_misfit_in(column: pa.Array, plan: ColumnPlan) -> NotExactError:
    """Look at the values one by one, as the whole did not convert."""
    kind = plan.field.type
    exact = _converter(kind, plan.decimals)
    for index, cell in enumerate(column):
        if not cell.is_valid:
            continue
        if pa.types.is_date32(column.type):
            day = cell.cast(pa.int32()).as_py()
            if not _FIRST_DAY <= day <= _LAST_DAY:
                beyond = f"< {date.min}" if day < _FIRST_DAY else f"> {date.max}"
                return NotExactError(index, shown=_INFINITE_DAYS.get(day, beyond))
        try:
            value = cell.as_py()
        except UnicodeDecodeError:
            return NotExactError(index, cell.cast(pa.binary()).as_py())
        try:
            pa.array([exact(value)], kind)
        except (ValueError, ArithmeticError, pa.ArrowException):
            return NotExactError(index, value)
    raise AssertionError("every value fits alone, yet the column does not")


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
