"""The text of an extraction: one reading SELECT with named parameters, the same file for every kind of database.

`:name` is a value, `IN :name` and `NOT IN :name` take a list. Which places those are is decided by the database's own
tokens, so a colon in a text, a comment or a cast is none. Values never enter the text: each room binds them its own way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from pipelines.errors import BadInput, Refused

_WRITING = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.Create,
    exp.Drop,
    exp.Alter,
    exp.Into,
    exp.Lock,
    exp.Command,
)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)


@dataclass(frozen=True)
class Placeholder:
    """One place of a parameter: `text[start:end]`, which for a list includes the IN before it."""

    name: str
    start: int
    end: int
    is_list: bool
    is_negated: bool


def check_select(sql: str, sql_file: Path | str, *, dialect: str) -> None:
    """Raises Refused `source.not_a_select` unless it is one single SELECT, BadInput `source.unparsable`."""
    try:
        statements = sqlglot.parse(sql, read=_reading(dialect))
    except (ParseError, TokenError) as error:
        details: list[Any] = getattr(error, "errors", [])
        line = details[0].get("line", "?") if details else "?"
        raise BadInput("source.unparsable", file=sql_file, line=line) from None
    parsed = [each for each in statements if each is not None and not isinstance(each, exp.Semicolon)]
    single = parsed[0] if len(parsed) == 1 else None
    if not isinstance(single, exp.Query) or single.find(*_WRITING) is not None:
        raise Refused("source.not_a_select", file=sql_file, count=len(parsed))


def without_semicolon(sql: str, *, dialect: str) -> str:
    """The statement without its end mark and what comments follow it, so that it can be wrapped."""
    tokens = sqlglot.tokenize(sql, read=_reading(dialect))
    last = tokens[-1] if tokens else None
    return sql[: last.start] if last is not None and last.token_type == sqlglot.TokenType.SEMICOLON else sql


def bound_values(
    sql: str, parameters: Mapping[str, object], sql_file: Path | str, *, dialect: str
) -> list[tuple[Placeholder, object]]:
    """Every place of a parameter in the order of the text, with its value.

    Raises BadInput `source.parameter` for parameters not given, `source.list_parameter` for a list without IN and an IN
    without list.
    """
    places = _placeholders(sql, dialect)
    missing = sorted({place.name for place in places} - set(parameters))
    if missing:
        known = ", ".join(sorted(parameters)) or "-"
        raise BadInput("source.parameter", file=sql_file, missing=", ".join(missing), known=known)
    found = [(place, parameters[place.name]) for place in places]
    mixed = [place.name for place, value in found if place.is_list != is_list(value)]
    if mixed:
        raise BadInput("source.list_parameter", file=sql_file, names=", ".join(sorted(set(mixed))))
    return found


def is_list(value: object) -> bool:
    return isinstance(value, list | tuple | set | frozenset)


def render(sql: str, places: list[Placeholder], written: Callable[[int, Placeholder], str]) -> str:
    """The text with every place replaced by what `written` says for its number in the text."""
    pieces: list[str] = []
    end = 0
    for number, place in enumerate(places):
        pieces += [sql[end : place.start], written(number, place)]
        end = place.end
    return "".join([*pieces, sql[end:]])


def quoted(name: str) -> str:
    """An identifier as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def _placeholders(sql: str, dialect: str) -> list[Placeholder]:
    tokens = sqlglot.tokenize(sql, read=_reading(dialect))
    places: list[Placeholder] = []
    for index, (colon, name) in enumerate(pairwise(tokens)):
        if colon.token_type != sqlglot.TokenType.COLON or name.start != colon.end + 1:
            continue
        if not _NAME.fullmatch(name.text) or sql[name.start : name.end + 1] != name.text:
            continue
        before = [token.token_type for token in tokens[max(index - 2, 0) : index]]
        is_in = before[-1:] == [sqlglot.TokenType.IN]
        is_negated = before == [sqlglot.TokenType.NOT, sqlglot.TokenType.IN]
        first = tokens[index - 1 - is_negated] if is_in else colon
        places.append(Placeholder(name.text, first.start, name.end + 1, is_in, is_negated))
    return places


def _reading(dialect: str) -> str:
    """sqlglot's name of a database's SQL."""
    return {"postgresql": "postgres", "mssql": "tsql"}.get(dialect, dialect)
