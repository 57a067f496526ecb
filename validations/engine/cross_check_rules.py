"""Whether each rule can be judged: one judge, known names, SQL that parses, reads only, and binds."""

from __future__ import annotations

from dataclasses import dataclass

from validations.engine.binder import Binder
from validations.engine.calculators import CHECKS
from validations.engine.cross_check_place import CheckedPlace
from validations.engine.cross_check_shapes import check_shape
from validations.engine.cross_check_tables import check_effective
from validations.engine.located import Located, read_text
from validations.engine.scope import EVERY_TABLE, fields_named, has_fields, tables_of
from validations.engine.sql_text import SqlMistake, read_query
from validations.engine.standard import Rule, Standard, Table

_OPTIONAL_COLUMNS = ("field", "value", "expected", "difference", "organisation")


def check_rules(standard: Standard, drafts: list[tuple[Rule, Located, int]], binder: Binder) -> None:
    """Note all that is wrong with the rules of a standard whose dictionary is known."""
    first: dict[str, str] = {}
    for rule, located, index in drafts:
        if rule.id in first:
            located.wrong("validations.duplicate_rule", (index, "id"), id=rule.id, first=first[rule.id])
        first.setdefault(rule.id, f"{located.path.name}:{located.line((index, 'id'))}")
    for rule, located, index in drafts:
        _RuleCheck(standard, located, (index,), rule.id, binder, rule).run()
    _check_circles(standard, drafts)


def _check_circles(standard: Standard, drafts: list[tuple[Rule, Located, int]]) -> None:
    """Rules that are each other's root cause would all vanish from the findings."""
    roots = {rule.id: {root.rule for root in rule.suppressed_by} for rule in standard.rules}
    for rule, located, index in drafts:
        reached: set[str] = set()
        following = set(roots[rule.id])
        while following - reached:
            reached |= following
            following = {root for name in reached for root in roots.get(name, ())}
        if rule.id in reached:
            circle = [name for name in sorted(reached) if rule.id in roots.get(name, ()) or name == rule.id]
            located.wrong("validations.root_circle", (index, "suppressed_by"), rules=", ".join(circle))


@dataclass(frozen=True)
class _RuleCheck(CheckedPlace):
    """One rule under its standard."""

    rule: Rule

    def run(self) -> None:
        rule = self.rule
        judges = [
            name for name in ("constraint", "holds", "query", "shape") if getattr(rule, name) is not None
        ]
        if len(judges) != (1 if rule.judges == "content" else 0):
            self.wrong("validations.one_judge", "id", found=", ".join(judges) or "–")
            return
        table = self.table("table", rule.table) if rule.table and rule.table != EVERY_TABLE else None
        if rule.table == EVERY_TABLE and rule.holds is None:
            self.wrong("validations.every_table", "table")
        if table is not None and rule.field:
            self.fields(table, (rule.field,), "field")
        self.roots()
        effective = self.located.data[self.place[0]].get("effective", {})
        check_effective(self.located, (*self.place, "effective"), effective)
        if rule.constraint is not None:
            self.constraint()
        for name in ("expected", "when"):
            if getattr(rule, name) is not None and rule.holds is None:
                self.wrong("validations.only_with_holds", name, key=name)
        if rule.holds is not None or rule.query is not None:
            self.sql(table)
        if rule.shape is not None:
            check_shape(
                CheckedPlace(self.standard, self.located, (*self.place, "shape"), self.rule_id, self.binder),
                rule.shape,
            )

    def roots(self) -> None:
        known = {other.id: other for other in self.standard.rules}
        for number, root in enumerate(self.rule.suppressed_by):
            if root.rule not in known or root.rule == self.rule.id:
                self.wrong("validations.unknown_rule", "suppressed_by", number, name=root.rule)
                continue
            stored = {
                field.name
                for name in tables_of(self.standard, known[root.rule])
                for field in self.standard.table(name).stored_fields
            }
            unknown = [name for name in root.fields if name not in stored]
            if unknown:
                values = {"name": ", ".join(unknown), "of": root.rule, "known": ", ".join(sorted(stored))}
                self.wrong("validations.root_fields", "suppressed_by", number, **values)
            for rule in (self.rule, known[root.rule]):
                keys = [set(self.standard.table(name).stored_key) for name in tables_of(self.standard, rule)]
                unknown = [name for name in root.on if not any(name in key for key in keys)]
                if unknown:
                    names = ", ".join(sorted(set[str]().union(*keys)))
                    self.wrong(
                        "validations.root_on",
                        "suppressed_by",
                        number,
                        name=", ".join(unknown),
                        of=rule.id,
                        known=names,
                    )

    def sql(self, table: Table | None) -> None:
        rule = self.rule
        if rule.table is None:
            self.wrong("validations.key_missing", "id", key="table")
        if rule.query is not None:
            if table is not None:
                self.query(table)
            return
        tables = [table] if table is not None else self.tables_of_all()
        for name, text in (("when", rule.when), ("holds", rule.holds), ("expected", rule.expected)):
            for each in tables if text is not None else ():
                try:
                    self.expression(str(text), each, is_predicate=name != "expected")
                except SqlMistake as mistake:
                    self.wrong(mistake.code, name, **mistake.values)
                    break

    def tables_of_all(self) -> list[Table]:
        """The tables that a rule over "*" judges; one that judges none is a mistake."""
        if self.rule.table != EVERY_TABLE:
            return []
        try:
            named = fields_named(self.standard, self.rule)
        except SqlMistake as mistake:
            self.wrong(mistake.code, "holds", **mistake.values)
            return []
        found = [table for table in self.standard.tables.values() if has_fields(table, named)]
        if not found:
            known = ", ".join(self.standard.tables)
            self.wrong("validations.no_such_fields", "table", fields=", ".join(sorted(named)), known=known)
        return found

    def constraint(self) -> None:
        kind, _, name = str(self.rule.constraint).partition(":")
        if kind == "check" and name not in CHECKS:
            self.wrong("validations.unknown_check", "constraint", name=name, known=", ".join(CHECKS))
        if kind == "codes" and name and name not in self.standard.codes:
            known = ", ".join(self.standard.codes) or "–"
            self.wrong("validations.unknown_codes", "constraint", name=name, known=known)

    def query(self, table: Table) -> None:
        path = self.rule.query
        if path is None or not path.is_file():
            self.wrong("validations.file_missing", "query", name=f"rules/{path.name if path else ''}")
            return
        text = read_text(path, self.located.mistakes)
        if text is None:
            return
        try:
            query = read_query(
                text,
                self.standard.tables,
                references=None if self.binder.is_alone else self.binder.references,
                parameters=self.standard.parameters,
            )
            if any(space not in self.binder.references for space, _ in query.references):
                return  # of a standard that is not at hand
            columns = self.binder.columns(query.text, query.parameters)
            missing = [name for name in table.stored_key if name not in columns]
            unknown = [name for name in columns if name not in (*table.stored_key, *_OPTIONAL_COLUMNS)]
            if missing or unknown:
                values = {"missing": ", ".join(missing) or "–", "unknown": ", ".join(unknown) or "–"}
                expected = ", ".join((*table.stored_key, *_OPTIONAL_COLUMNS))
                raise SqlMistake("validations.query_columns", {**values, "expected": expected})
        except SqlMistake as mistake:
            self.located.mistakes.add(mistake.code, path, mistake.line, rule=self.rule.id, **mistake.values)
