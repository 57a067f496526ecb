"""From the values of YAML files, already held against their schemas, to the models of `standard` and `shapes`.

Nothing is read from disk, nothing is checked across files here.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from validations.engine.figures import Explanation, Indicator, Names
from validations.engine.reports import DueRule, Report
from validations.engine.shapes import (
    Constant,
    DueTable,
    ForeignKey,
    Formula,
    NoOverlap,
    Reference,
    SameValues,
    Sequence,
    Shape,
    SumEquals,
    Term,
    Unique,
)
from validations.engine.standard import Field, FieldCheck, Macro, Parameter, Phase, RootCause, Rule, Table
from validations.engine.terms import ALWAYS, Effective, Title


def parse_title(data: Any) -> Title:
    return Title(data["zh"], data["en"])


def parse_effective(data: Any) -> Effective:
    """Of `{from, to}`; a date that does not exist is noted by `cross_check` and counts as none here."""
    return Effective(_date(data.get("from")), _date(data.get("to"))) if data else ALWAYS


def parse_report(data: Any) -> Report:
    said: dict[str, Any] = {**data, "tables": tuple(data["tables"])}
    said["title"], said["due"] = parse_title(data["title"]), DueRule(**data["due"])
    said["months"] = tuple(data.get("months", ()))
    return Report(**said)


def parse_macros(data: Any) -> dict[str, Macro]:
    """`name` or `name(argument, …)`: SQL."""
    found: dict[str, Macro] = {}
    for declared, sql in data.items():
        name, *arguments = re.findall(r"[A-Za-z0-9_]+", declared)
        found[name] = Macro(sql, tuple(arguments))
    return found


def parse_parameters(data: Any) -> dict[str, Parameter]:
    return {
        name: Parameter(name, parse_title(said["title"]), said["type"], said["default"])
        for name, said in data.items()
    }


def parse_phases(data: Any) -> tuple[Phase, ...]:
    return tuple(Phase(tuple(said["groups"]), said.get("stops", False)) for said in data)


def parse_table(data: Any, folder: Path) -> Table:
    derive = data.get("derive")
    return Table(
        name=data["name"],
        title=parse_title(data["title"]),
        key=tuple(data["key"]),
        fields=tuple(_field(item) for item in data["fields"]),
        organisation=data.get("organisation"),
        derive=folder / derive if derive else None,
        effective=parse_effective(data.get("effective")),
        explains=tuple(
            Explanation(**{**said, "query": folder / said["query"]}) for said in data.get("explains", ())
        ),
        names=Names(**data["names"]) if "names" in data else None,
    )


def parse_indicators(data: Any) -> tuple[Indicator, ...]:
    return tuple(
        Indicator(said["name"], parse_title(said["title"]), said["sql"], said.get("table"), said.get("field"))
        for said in data
    )


def _field(data: Any) -> Field:
    said: dict[str, Any] = {**data}
    for name in ("title", "description"):
        if name in said:
            said[name] = parse_title(said[name])
    if isinstance(said.get("mandatory"), str):
        said["mandatory_when"], said["mandatory"] = said["mandatory"], True
    checks: Any = said.pop("check", ())
    if isinstance(checks, str):
        checks = [{"name": checks, "when": said.get("when")}]
    said["checks"] = tuple(FieldCheck(check["name"], check.get("when")) for check in checks)
    return Field(**said)


def parse_rule(data: Any, folder: Path) -> Rule:
    query, expected = data.get("query"), data.get("expected")
    return Rule(
        id=data["id"],
        severity=data["severity"],
        judges=data["judges"],
        message=parse_title(data["message"]),
        citation=data["citation"],
        table=data.get("table"),
        field=data.get("field"),
        constraint=data.get("constraint"),
        when=data.get("when"),
        holds=data.get("holds"),
        expected=None if expected is None else str(expected),
        query=folder / query if query else None,
        shape=_shape(data["shape"]) if "shape" in data else None,
        effective=parse_effective(data.get("effective")),
        suppressed_by=tuple(
            RootCause(root)
            if isinstance(root, str)
            else RootCause(root["rule"], tuple(root.get("on", ())), tuple(root.get("fields", ())))
            for root in data.get("suppressed_by", ())
        ),
    )


def _shape(data: Any) -> Shape:  # noqa: PLR0911  # one case per shape
    ((kind, said),) = data.items()
    match kind:
        case "unique":
            return Unique() if said == "every_table" else Unique(**_tupled(said))
        case "foreign_key":
            return ForeignKey(tuple(Reference(**_tupled(item)) for item in said))
        case "sum_equals":
            return SumEquals(**_tupled(said))
        case "no_overlap":
            start, end = said["from"], said["to"]
            others = {name: value for name, value in _tupled(said).items() if name not in ("from", "to")}
            return NoOverlap(**others, start=start, end=end)
        case "sequence":
            return Sequence(**_tupled(said))
        case "constant":
            return Constant(**said)
        case "due_table":
            return DueTable()
        case "same_values":
            return SameValues(**_tupled(said))
        case _:
            left, right = said["equation"].split("=")
            return Formula(**said, left=_terms(left), right=_terms(right))


def _tupled(data: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}


def _terms(side: str) -> tuple[Term, ...]:
    signed = side.replace("-", "+-").split("+")
    return tuple(Term(t.strip().lstrip("-").strip(), -1 if t.strip().startswith("-") else 1) for t in signed)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
