"""Mutants of one SQL text: each comparison turned the other way or moved by one, one at a time.

= ↔ <>, < ↔ <=, > ↔ >=, IN ↔ NOT IN, IS NULL ↔ IS NOT NULL, LIKE ↔ NOT LIKE, and each bound of BETWEEN left out. Which texts
a standard has is known to `mutants`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

_OTHER: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.LT: exp.LTE,
    exp.LTE: exp.LT,
    exp.GT: exp.GTE,
    exp.GTE: exp.GT,
    exp.NullSafeEQ: exp.NullSafeNEQ,
    exp.NullSafeNEQ: exp.NullSafeEQ,
}
_NEGATED = (exp.In, exp.Is, exp.Like, exp.ILike)


@dataclass(frozen=True)
class Flip:
    """One mutant of a text: the comparison before and after, and the whole text with it."""

    original: str
    mutant: str
    text: str


def flip_predicate(text: str) -> tuple[Flip, ...]:
    """All mutants of an SQL expression."""
    root = sqlglot.parse_one(f"SELECT {text}", dialect="duckdb")
    return tuple(
        Flip(original, mutant, shown(whole.expressions[0])) for original, mutant, whole in _mutants(root)
    )


def flip_query(text: str) -> tuple[Flip, ...]:
    """All mutants of a query."""
    root = sqlglot.parse_one(text, dialect="duckdb")
    return tuple(Flip(original, mutant, shown(whole)) for original, mutant, whole in _mutants(root))


def unflipped_predicate(text: str) -> str:
    """The text as it comes back from the parser with nothing flipped: what mutants of it are compared with."""
    return shown(sqlglot.parse_one(f"SELECT {text}", dialect="duckdb").expressions[0])


def unflipped_query(text: str) -> str:
    """The query as it comes back from the parser with nothing flipped."""
    return shown(sqlglot.parse_one(text, dialect="duckdb"))


def shown(node: exp.Expr) -> str:
    """SQL text of a parsed part, names of functions as they were written, without comments."""
    return node.sql(dialect="duckdb", comments=False, normalize_functions=False)


def _mutants(root: exp.Expr) -> Iterator[tuple[str, str, exp.Expr]]:
    """What stood there, what stands there now, and the whole with it; in the order of the text."""
    for number, node in enumerate(root.dfs()):
        for choice in range(_choices(node)):
            whole = root.copy()
            copied = next(other for index, other in enumerate(whole.dfs()) if index == number)
            before, after = _turned(copied, choice)
            original, mutant = _label(before), _label(after)
            before.replace(after)
            yield original, mutant, whole


def _label(node: exp.Expr) -> str:
    """The part as people write it: `a IS NOT NULL`, where the parser says `NOT a IS NULL`."""
    inner = node.args["this"] if isinstance(node, exp.Not) else None
    if isinstance(inner, exp.Is):
        return f"{shown(inner.this)} IS NOT {shown(inner.expression)}"
    if isinstance(inner, exp.In):
        value = shown(inner.this)
        return f"{value} NOT {shown(inner).removeprefix(value).lstrip()}"
    return shown(node)


def _choices(node: exp.Expr) -> int:
    return 2 if isinstance(node, exp.Between) else int(isinstance(node, (*_OTHER, *_NEGATED)))


def _turned(node: exp.Expr, choice: int) -> tuple[exp.Expr, exp.Expr]:
    """The part to replace and what replaces it."""
    if isinstance(node, exp.Between):
        value, low, high = (node.args[name].copy() for name in ("this", "low", "high"))
        sides = (exp.GT, exp.LTE) if choice == 0 else (exp.GTE, exp.LT)
        bounds = exp.And(
            this=sides[0](this=value, expression=low), expression=sides[1](this=value.copy(), expression=high)
        )
        return node, exp.Paren(this=bounds)
    if isinstance(node, _NEGATED):
        if isinstance(node.parent, exp.Not):
            return node.parent, node.copy()
        return node, exp.Not(this=node.copy())
    other = _OTHER[type(node)]
    return node, other(this=node.args["this"].copy(), expression=node.args["expression"].copy())
