"""Which rules can be judged on the tables at hand, and which cannot and why. No SQL is generated or run here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pipelines.errors import BadInput
from validations.engine.constraints import constraints_of
from validations.engine.judgement import NotJudged
from validations.engine.scope import EVERY_TABLE, row_tables, shape_tables
from validations.engine.shapes import ForeignKey
from validations.engine.sql_text import Query, read_query
from validations.engine.standard import Rule, Standard


@dataclass
class Plan:
    """The rules to judge, by their judge: `constraints` by table as (rule, field, constraint), `holds` by table."""

    rules: list[Rule] = field(default_factory=list[Rule])
    not_judged: list[NotJudged] = field(default_factory=list[NotJudged])
    constraints: dict[str, list[tuple[Rule, str, str]]] = field(
        default_factory=dict[str, "list[tuple[Rule, str, str]]"]
    )
    holds: dict[str, list[Rule]] = field(default_factory=dict[str, "list[Rule]"])
    shapes: list[Rule] = field(default_factory=list[Rule])
    queries: list[tuple[Rule, Query]] = field(default_factory=list["tuple[Rule, Query]"])


@dataclass(frozen=True)
class Scope:
    """What is judged: the due tables, those at hand, the tables of other contents by namespace."""

    due: tuple[str, ...]
    present: Collection[str]
    references: Mapping[str, Collection[str]]


def due_tables(standard: Standard, report: str | None, on: date | None) -> tuple[str, ...]:
    """The tables of a report, or of the standard, that are in force on the last day of the period.

    Raises BadInput "validations.period_needed" where that day decides and is not known.
    """
    names = standard.report(report).tables if report else tuple(standard.tables)
    effective = {name: standard.table(name).effective for name in names}
    return tuple(
        name
        for name, dates in effective.items()
        if dates.covers(_known(standard, "tables", dates.is_always, on))
    )


def rules_in_force(standard: Standard, on: date | None) -> list[Rule]:
    """The content rules in force on the last day of the period. Raises BadInput as `due_tables`."""
    return [
        rule
        for rule in standard.rules
        if rule.judges == "content"
        and rule.effective.covers(_known(standard, "rules", rule.effective.is_always, on))
    ]


def _known(standard: Standard, what: str, is_always: bool, on: date | None) -> date:
    if on is None and not is_always:
        raise BadInput("validations.period_needed", standard=standard.name, what=what)
    return on or date.min


def references_of(standard: Standard, report: str) -> set[tuple[str, str]]:
    """The tables of other contents, as (namespace, table), that the rules of a report read."""
    due = set(standard.report(report).tables)
    found: set[tuple[str, str]] = set()
    for rule in standard.rules:
        if rule.query is not None:
            query = _query_of(standard, rule)
            if {*query.tables, str(rule.table)} <= due:
                found |= set(query.references)
    return found


def rules_reading(standard: Standard, tables: Collection[str]) -> frozenset[str]:
    """The content rules whose verdict may change when these tables change, or what is derived from them."""
    changed = set(tables) | {name for name, table in standard.tables.items() if table.derive is not None}
    return frozenset(
        rule.id
        for rule in standard.rules
        if rule.judges == "content" and changed & tables_read(standard, rule)
    )


def tables_read(standard: Standard, rule: Rule) -> set[str]:
    """The tables on which a content rule's verdict depends."""
    if rule.query is not None:
        return {*_query_of(standard, rule).tables, *([rule.table] if rule.table else [])}
    if rule.holds is not None:
        return set(row_tables(standard, rule))
    if rule.shape is not None:
        return {name for group in shape_tables(rule) for name in group} or set(standard.tables)
    return {rule.table} if rule.table else set(standard.tables)


def plan_rules(standard: Standard, rules: Sequence[Rule], scope: Scope) -> Plan:
    """Sort rules by their judge. A rule over tables that are not due is not this report's rule; one that lacks a due
    table, or a content to compare with, is listed as not judged."""
    plan = Plan()
    for rule in rules:
        if rule.constraint is not None:
            _plan_constraint(standard, rule, scope, plan)
        elif rule.holds is not None:
            _plan_holds(standard, rule, scope, plan)
        elif rule.shape is not None:
            _plan_shape(rule, scope, plan)
        else:
            _plan_query(standard, rule, scope, plan)
    return plan


def not_demanded(
    standard: Standard, rules: Sequence[Rule], reported: Sequence[str], demanded: Sequence[str]
) -> list[NotJudged]:
    """The rules of a report that need a table of it which is not demanded this time, with those tables.

    A rule over every table that has its fields is judged on those that are demanded; it is listed where none of them is.
    """
    left_out = [name for name in reported if name not in demanded]
    listed: list[NotJudged] = []
    for rule in rules if left_out else ():
        if named := _named(standard, rule):
            due = [group for group in named if group <= set(reported)]
            lacking = [name for name in left_out if any(name in group for group in due)]
        else:
            due = [name for name in reported if name in _with_its_fields(standard, rule)]
            lacking = due if set(due) <= set(left_out) else []
        if lacking:
            listed.append(NotJudged(rule.id, "demand", ", ".join(lacking)))
    return listed


def _named(standard: Standard, rule: Rule) -> list[set[str]]:
    """The tables that a rule names, in groups that are judged by themselves; none for a rule over every table."""
    if rule.query is not None:
        return [{*_query_of(standard, rule).tables, *([rule.table] if rule.table else [])}]
    if rule.shape is not None:
        return [set(group) for group in shape_tables(rule)]
    return [{rule.table}] if rule.table not in (None, EVERY_TABLE) else []


def _with_its_fields(standard: Standard, rule: Rule) -> set[str]:
    """The tables that a rule over every table finds something in."""
    if rule.holds is not None:
        return set(row_tables(standard, rule))
    if rule.constraint is None:
        return set(standard.tables)
    return {
        name
        for name, table in standard.tables.items()
        if any(constraints_of(standard, table, rule, each) for each in table.stored_fields)
    }


def _plan_constraint(standard: Standard, rule: Rule, scope: Scope, plan: Plan) -> None:
    if rule.table is not None and not _at_hand(rule, {rule.table}, scope, plan):
        return
    plan.rules.append(rule)
    lacking: list[str] = []
    for name in scope.due:
        table = standard.table(name)
        judged = [
            (rule, each.name, constraint)
            for each in table.stored_fields
            for constraint in constraints_of(standard, table, rule, each)
        ]
        if judged and name in scope.present:
            plan.constraints.setdefault(name, []).extend(judged)
        elif judged and rule.table is None:
            lacking.append(name)
    _note_lacking(rule, lacking, plan)


def _plan_holds(standard: Standard, rule: Rule, scope: Scope, plan: Plan) -> None:
    names = [name for name in row_tables(standard, rule) if name in scope.due]
    if not names:
        return
    at_hand = [name for name in names if name in scope.present]
    if not at_hand:
        plan.not_judged.append(NotJudged(rule.id, "table", ", ".join(names)))
        return
    plan.rules.append(rule)
    for name in at_hand:
        plan.holds.setdefault(name, []).append(rule)
    _note_lacking(rule, [name for name in names if name not in at_hand], plan)


def _plan_shape(rule: Rule, scope: Scope, plan: Plan) -> None:
    groups = [group for group in shape_tables(rule) if set(group) <= set(scope.due)]
    if not groups and shape_tables(rule):
        return
    needed = set[str]().union(*groups)
    if isinstance(rule.shape, ForeignKey):  # each reference is judged by itself
        whole = [group for group in groups if all(name in scope.present for name in group)]
        needed = set[str]().union(*whole) if whole else needed
    if _at_hand(rule, needed, scope, plan):
        plan.rules.append(rule)
        plan.shapes.append(rule)
        whole = scope.due if not shape_tables(rule) else [name for group in groups for name in group]
        _note_lacking(rule, [name for name in dict.fromkeys(whole) if name not in scope.present], plan)


def _plan_query(standard: Standard, rule: Rule, scope: Scope, plan: Plan) -> None:
    query = _query_of(standard, rule)
    needed = {*query.tables, *([rule.table] if rule.table else [])}
    if not _at_hand(rule, needed, scope, plan):
        return
    lacking = [
        f"{space}.{name}" for space, name in query.references if name not in scope.references.get(space, ())
    ]
    if lacking:
        plan.not_judged.append(NotJudged(rule.id, "reference", ", ".join(lacking)))
        return
    plan.rules.append(rule)
    plan.queries.append((rule, query))


def _query_of(standard: Standard, rule: Rule) -> Query:
    assert rule.query is not None, "a content rule has one judge"
    text = rule.query.read_text(encoding="utf-8")
    return read_query(text, standard.tables, references=None, parameters=standard.parameters)


def _note_lacking(rule: Rule, lacking: Sequence[str], plan: Plan) -> None:
    """List a rule that is judged, but not on all the tables it is about."""
    if lacking:
        plan.not_judged.append(NotJudged(rule.id, "table", ", ".join(lacking)))


def _at_hand(rule: Rule, needed: Collection[str], scope: Scope, plan: Plan) -> bool:
    """Whether the rule is due and its tables are there; one that is due but lacks a table is listed."""
    if not set(needed) <= set(scope.due):
        return False
    lacking = sorted(name for name in needed if name not in scope.present)
    if lacking:
        plan.not_judged.append(NotJudged(rule.id, "table", ", ".join(lacking)))
    return not lacking
