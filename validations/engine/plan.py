"""Which rules can be judged on the tables at hand, and which cannot. No SQL is generated or run here."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from validations.engine.constraints import constraint_fields
from validations.engine.sql_text import read_query
from validations.engine.standard import ForeignKey, Formula, Rule, Standard, SumEquals, Unique


@dataclass
class Plan:
    """The rules to judge, by their judge; `constraints` by table with the fields each rule judges there."""

    rules: list[Rule] = field(default_factory=list[Rule])
    not_judged: list[Rule] = field(default_factory=list[Rule])
    constraints: dict[str, list[tuple[Rule, str]]] = field(
        default_factory=dict[str, "list[tuple[Rule, str]]"]
    )
    holds: list[Rule] = field(default_factory=list[Rule])
    shapes: list[Rule] = field(default_factory=list[Rule])
    queries: list[Rule] = field(default_factory=list[Rule])
    texts: dict[str, str] = field(default_factory=dict[str, str])


def plan_rules(standard: Standard, due: tuple[str, ...], present: Container[str], report: str | None) -> Plan:
    """Sort the content rules of a standard. A rule over tables that are not due for `report` is not this report's rule;
    one that lacks a due table is listed as not judged."""
    plan = Plan()
    for rule in standard.rules:
        if rule.judges != "content":
            continue
        needed = _needed(standard, rule, due, plan)
        if needed is None:
            continue
        if any(name not in present for name in needed):
            plan.not_judged.append(rule)
            continue
        plan.rules.append(rule)
        if rule.constraint is not None:
            for name in (name for name in due if name in present):
                judged = [(rule, f) for f in constraint_fields(standard.table(name), rule)]
                if judged:
                    plan.constraints.setdefault(name, []).extend(judged)
        elif rule.holds is not None:
            plan.holds.append(rule)
        elif rule.shape is not None:
            plan.shapes.append(rule)
        else:
            plan.queries.append(rule)
    return plan


def _needed(standard: Standard, rule: Rule, due: tuple[str, ...], plan: Plan) -> set[str] | None:
    """The tables a rule cannot do without; None when it has nothing to say about the due ones."""
    match rule.shape:
        case Unique(table=None):
            return set()
        case Unique(table=str(name)) | Formula(table=name):
            needed = {name}
        case SumEquals(table=name, of=other):
            needed = {name, other}
        case ForeignKey(references=references):
            pairs = [{r.table, r.references} for r in references if {r.table, r.references} <= set(due)]
            return set[str]().union(*pairs) if pairs else None
        case _:
            needed = {rule.table} if rule.table else set[str]()
    if rule.query is not None:
        plan.texts[rule.id] = rule.query.read_text(encoding="utf-8")
        needed |= set(read_query(plan.texts[rule.id], standard.tables).tables)
    return needed if needed <= set(due) else None
