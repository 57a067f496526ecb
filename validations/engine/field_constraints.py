"""What the dictionary demands of a field, as polars expressions: null where a demand has nothing to say.

`contract` runs them; which of them are judged, and under which rule, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import polars as pl

from validations.engine.calculators import CHECKS
from validations.engine.encodings import is_longer, may_stand
from validations.engine.reports import PackageProfile
from validations.engine.row_predicates import row_predicate
from validations.engine.standard import CodeList, Field, Standard, Table

FIRST_DATE, LAST_DATE, LIFELONG = date(1900, 1, 1), date(2100, 12, 31), date(9999, 12, 31)

Period = tuple[date, date]
"""First and last day of what is judged."""


@dataclass(frozen=True)
class Constraint:
    """One demand of the dictionary on one field; `holds` is null where it has nothing to say."""

    name: str
    field: str
    holds: pl.Expr


def field_constraints(
    standard: Standard, table: Table, field: Field, report: str | None, period: Period | None
) -> list[Constraint]:
    """All that the dictionary demands of a field, in the order in which people read findings."""
    value = pl.col(field.name)

    def where(condition: str | None, holds: pl.Expr) -> pl.Expr:
        # Null when the condition is not true, and null is not judged.
        return (
            holds
            if condition is None
            else pl.when(row_predicate(condition, table, standard.macros)).then(holds)
        )

    found: list[tuple[str, pl.Expr]] = []
    if field.mandatory:
        found.append(
            ("mandatory", where(field.mandatory_when, _is_given(value, field, standard.missing_date)))
        )
    if field.type == "text":
        profile = standard.profile(table.name, report)
        if field.length is not None:
            found.append(("length", _fits(value, field.length, profile)))
        found.append(("encoding", may_stand(value, profile)))
    if field.type == "date":
        in_range = value.is_between(pl.lit(FIRST_DATE), pl.lit(LAST_DATE)) | (value == pl.lit(LIFELONG))
        found.append(("date_range", in_range))
    if field.codes is not None:
        codes = standard.codes[field.codes]
        as_of = None if field.as_of is None else pl.col(field.as_of)
        found.append((f"codes:{field.codes}", _each(value, field, lambda v: _known(v, codes, as_of, period))))
    for check in field.checks:
        holds = _each(value, field, CHECKS[check.name].expression)
        found.append((f"check:{check.name}", where(check.when, holds)))
    if field.pattern is not None:
        whole = rf"\A(?:{field.pattern})\z"
        found.append(("pattern", where(field.when, _each(value, field, lambda v: v.str.contains(whole)))))
    return [Constraint(name, field.name, holds) for name, holds in found]


def _is_given(value: pl.Expr, field: Field, missing_date: str | None) -> pl.Expr:
    if field.type == "date" and missing_date is not None:
        return value.is_not_null() & (value != pl.lit(date.fromisoformat(missing_date))).fill_null(value=True)
    if field.type != "text":
        return value.is_not_null()
    return value.is_not_null() & (value.str.strip_chars().str.len_bytes() > 0).fill_null(value=True)


def _each(value: pl.Expr, field: Field, judged: Callable[[pl.Expr], pl.Expr]) -> pl.Expr:
    """The demand on the value or, where it holds several, on every part of it."""
    if field.separator is None:
        return judged(value)
    return value.str.split(field.separator).list.eval(judged(pl.element())).list.all()


def _known(value: pl.Expr, codes: CodeList, as_of: pl.Expr | None, period: Period | None) -> pl.Expr:
    if as_of is None:
        return value.is_in(list(codes.in_force(*period) if period else codes.values))
    on = as_of if period is None else as_of.fill_null(pl.lit(period[1]))
    holds = value.is_in([code.code for code in codes.codes if code.effective.is_always])
    dated = [code for code in codes.codes if not code.effective.is_always]
    while dated:  # one mapping at a time: a code that came and went stands in several
        this = {code.code: code for code in reversed(dated)}
        starts = [code.effective.start or date.min for code in this.values()]
        ends = [code.effective.end or date.max for code in this.values()]
        since = value.replace_strict(list(this), starts, default=None, return_dtype=pl.Date)
        until = value.replace_strict(list(this), ends, default=None, return_dtype=pl.Date)
        holds = holds | on.is_between(since, until).fill_null(value=False)
        dated = [code for code in dated if this[code.code] is not code]
    return pl.when(value.is_not_null() & on.is_not_null()).then(holds)


def _fits(value: pl.Expr, length: int, profile: PackageProfile) -> pl.Expr:
    def judged(values: pl.Series) -> pl.Series:
        return ~is_longer(values, length, profile.encoding)

    return value.map_batches(judged, return_dtype=pl.Boolean)
