"""All mutants of a standard: every comparison its texts make, every length its dictionary sets, each changed by one.

A mutant is the standard with one such change. What examples make of it is `mutation`'s matter; how a comparison is turned,
`flips`'.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, cast

from validations.engine.constraints import constraint_fields, constraints_of
from validations.engine.standard import Field, FieldCheck, Rule, Standard, Table
from validations.kit.flips import flip_predicate, flip_query, unflipped_predicate, unflipped_query

MACROS, DERIVED = "macros", "derived"
"""Owners of mutants that belong to no single rule."""

_PREDICATES = ("when", "where")
_CONDITIONS = {"mandatory": "mandatory", "pattern": "when"}


@dataclass(frozen=True)
class Mutant:
    """One change: whose (`owner`: a rule, `macros`, `derived`), where and what; and the part that it replaces.

    Exactly one of `rule` (the mutated rule), `field` (the mutated field of `table`), `text` (of the macro or derived
    table that `subject` names) is given.
    """

    owner: str
    place: str
    change: str
    rule: Rule | None = None
    table: str = ""
    field: Field | None = None
    subject: str = ""
    text: str = ""

    @property
    def label(self) -> str:
        """The mutant as printed, without its owner."""
        return f"{self.place}: {self.change}"

    def __str__(self) -> str:
        return f"{self.owner} {self.label}"


def rule_mutants(rule: Rule, queries: Mapping[str, str]) -> tuple[Rule, tuple[Mutant, ...]]:
    """The rule with its texts as the parser gives them back, and its mutants. `queries`: the text of its query file.

    A mutated query stands as text in `Mutant.text`; whoever judges it writes it to a file.
    """
    mutants: list[Mutant] = []
    plain = rule
    for name in ("when", "holds"):
        said: str | None = getattr(rule, name)
        if said is not None:
            plain = replace(plain, **{name: unflipped_predicate(said)})
            mutants += _labelled(
                Mutant(rule.id, name, f"{f.original} → {f.mutant}", rule=replace(rule, **{name: f.text}))
                for f in flip_predicate(said)
            )
    if rule.shape is not None:
        mutants += _labelled(
            Mutant(rule.id, place, change, rule=replace(rule, shape=shape))
            for place, change, shape in _shape_mutants(rule.shape, "shape")
        )
    if rule.query is not None:
        mutants += _labelled(
            Mutant(rule.id, rule.query.name, f"{f.original} → {f.mutant}", rule=rule, text=f.text)
            for f in flip_query(queries[rule.id])
        )
    return plain, tuple(mutants)


def plain_query(text: str) -> str:
    """A query as the parser gives it back, nothing flipped: mutants of it differ from this in one comparison only."""
    return unflipped_query(text)


def field_mutants(standard: Standard) -> tuple[Mutant, ...]:
    """Lengths one more and one less, and the flips of the dictionary's predicates, under the rule that judges them."""
    mutants: list[Mutant] = []
    for table in standard.tables.values():
        for field in table.stored_fields:
            mutants += _labelled(_field_mutants(standard, table, field))
    return tuple(mutants)


def macro_mutants(standard: Standard) -> tuple[Mutant, ...]:
    """The flips of the macros."""
    return _labelled(
        Mutant(MACROS, name, f"{f.original} → {f.mutant}", subject=name, text=f.text)
        for name, macro in standard.macros.items()
        for f in flip_predicate(macro.sql)
    )


def derive_mutants(standard: Standard) -> tuple[Mutant, ...]:
    """The flips of the SQL that computes derived tables."""
    return _labelled(
        Mutant(DERIVED, table.derive.name, f"{f.original} → {f.mutant}", subject=name, text=f.text)
        for name, table in standard.tables.items()
        if table.derive is not None and table.derive.suffix == ".sql"
        for f in flip_query(table.derive.read_text(encoding="utf-8"))
    )


def users_of_macro(standard: Standard, macro: str) -> tuple[str, ...]:
    """The rules in whose outcome a macro has a say: by their own texts, by other macros, by the dictionary's predicates."""
    names = {macro}
    while more := {n for n, m in standard.macros.items() if n not in names and _uses(m.sql, names)}:
        names |= more
    return tuple(rule.id for rule in standard.rules if _says(standard, rule, names))


def _says(standard: Standard, rule: Rule, names: set[str]) -> bool:
    texts = [rule.when, rule.holds, rule.expected]
    if rule.query is not None:
        texts.append(rule.query.read_text(encoding="utf-8"))
    if rule.shape is not None:
        texts += [text for _, text in _predicates(rule.shape, "")]
    if rule.constraint is not None:
        for table in standard.tables.values():
            for name in constraint_fields(standard, table, rule):
                texts += [text for _, text, _ in _field_predicates(table.field(name))]
    return any(_uses(text, names) for text in texts if text)


def _uses(text: str, names: Iterable[str]) -> bool:
    return any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)


def _field_mutants(standard: Standard, table: Table, field: Field) -> Iterator[Mutant]:
    place = f"{table.name}.{field.name}"

    def judge_of(constraint: str) -> str | None:
        judges = (r.id for r in standard.rules if constraint in constraints_of(standard, table, r, field))
        return next(judges, None)

    owner = judge_of("length")
    if owner is not None and field.length is not None:
        for length in (field.length + 1, field.length - 1):
            change = f"{field.length} → {length}"
            mutant = replace(field, length=length)
            yield Mutant(owner, f"{place}.length", change, table=table.name, field=mutant)
    for constraint, said, with_text in _field_predicates(field):
        owner = judge_of(constraint)
        if owner is None:
            continue
        where = f"{place}.{_CONDITIONS.get(constraint) or constraint.removeprefix('check:') + '.when'}"
        for flip in flip_predicate(said):
            change = f"{flip.original} → {flip.mutant}"
            yield Mutant(owner, where, change, table=table.name, field=with_text(flip.text))


def _field_predicates(field: Field) -> Iterator[tuple[str, str, Callable[[str], Field]]]:
    """The predicates of a field: the constraint each limits, its text, the field with another text."""
    if field.mandatory_when is not None:
        yield "mandatory", field.mandatory_when, lambda text: replace(field, mandatory_when=text)
    if field.pattern is not None and field.when is not None:
        yield "pattern", field.when, lambda text: replace(field, when=text)
    for number, check in enumerate(field.checks):
        if check.when is not None:

            def with_text(text: str, number: int = number, check: FieldCheck = check) -> Field:
                checks = (*field.checks[:number], replace(check, when=text), *field.checks[number + 1 :])
                return replace(field, checks=checks)

            yield f"check:{check.name}", check.when, with_text


def _shape_mutants(part: Any, place: str) -> Iterator[tuple[str, str, Any]]:
    """Where, what, and the shape with it."""
    for name, text in _predicates(part, place):
        attribute = name.rpartition(".")[2]
        for flip in flip_predicate(text):
            if name == f"{place}.{attribute}":
                yield name, f"{flip.original} → {flip.mutant}", replace(part, **{attribute: flip.text})
    for item in fields(part):
        value: Any = getattr(part, item.name)
        if isinstance(value, tuple):
            for number, inner in enumerate(cast("tuple[Any, ...]", value)):
                if not is_dataclass(inner):
                    continue
                for where, change, mutant in _shape_mutants(inner, f"{place}.{number}"):
                    changed = (*value[:number], mutant, *value[number + 1 :])
                    yield where, change, replace(part, **{item.name: changed})


def _predicates(part: Any, place: str) -> Iterator[tuple[str, str]]:
    for item in fields(part):
        value: Any = getattr(part, item.name)
        if item.name in _PREDICATES and isinstance(value, str):
            yield f"{place}.{item.name}", value
        elif isinstance(value, tuple):
            for number, inner in enumerate(cast("tuple[Any, ...]", value)):
                if is_dataclass(inner):
                    yield from _predicates(inner, f"{place}.{number}")


def _labelled(mutants: Iterable[Mutant]) -> tuple[Mutant, ...]:
    """Where one place has the same change several times, the later ones carry their number."""
    seen = Counter[tuple[str, str]]()
    found: list[Mutant] = []
    for mutant in mutants:
        key = (mutant.place, mutant.change)
        seen[key] += 1
        found.append(replace(mutant, change=f"{mutant.change} ({seen[key]})") if seen[key] > 1 else mutant)
    return tuple(found)
