"""Whether each rule can be judged: one judge, known names, SQL that parses, reads only, and binds."""

from __future__ import annotations

from validations.engine.calculators import CHECKS
from validations.engine.located import Located, Place, read_text
from validations.engine.sql_text import Binder, SqlMistake, read_predicate, read_query
from validations.engine.standard import ForeignKey, Formula, Rule, Standard, SumEquals, Table, Unique

_OPTIONAL_COLUMNS = ("field", "value", "expected", "difference", "organisation")


def check_rules(standard: Standard, drafts: list[tuple[Rule, Located, int]], binder: Binder) -> None:
    """Note all that is wrong with the rules of a standard whose dictionary is known."""
    first: dict[str, str] = {}
    for rule, located, index in drafts:
        if rule.id in first:
            located.wrong("validations.duplicate_rule", (index, "id"), id=rule.id, first=first[rule.id])
        first.setdefault(rule.id, f"{located.path.name}:{located.line((index, 'id'))}")
    for rule, located, index in drafts:
        _RuleCheck(standard, rule, located, index, binder).run()


class _RuleCheck:
    """One rule under its standard; `wrong` notes a mistake at one of its keys."""

    def __init__(self, standard: Standard, rule: Rule, located: Located, index: int, binder: Binder) -> None:
        self.standard, self.rule, self.located, self.index, self.binder = (
            standard,
            rule,
            located,
            index,
            binder,
        )

    def wrong(self, code: str, *place: str | int, **values: object) -> None:
        inner: Place = (self.index, *place)
        self.located.wrong(code, inner, **{"rule": self.rule.id, **values})

    def run(self) -> None:
        rule = self.rule
        judges = [
            name for name in ("constraint", "holds", "query", "shape") if getattr(rule, name) is not None
        ]
        if len(judges) != (1 if rule.judges == "content" else 0):
            self.wrong("validations.one_judge", "id", found=", ".join(judges) or "–")
            return
        table = self.table("table", rule.table) if rule.table else None
        if table is not None and rule.field:
            self.fields(table, (rule.field,), "field")
        known = [other.id for other in self.standard.rules]
        for number, other in enumerate(rule.suppressed_by):
            if other not in known or other == rule.id:
                self.wrong("validations.unknown_rule", "suppressed_by", number, name=other)
        if rule.constraint is not None:
            self.constraint()
        if rule.expected is not None and rule.holds is None:
            self.wrong("validations.expected_without_holds", "expected")
        if rule.holds is not None or rule.query is not None:
            self.sql(table)
        if rule.shape is not None:
            self.shape()

    def sql(self, table: Table | None) -> None:
        rule = self.rule
        if rule.table is None:
            self.wrong("validations.key_missing", "id", key="table")
        if table is None:
            return
        if rule.query is not None:
            self.query(table)
            return
        try:
            self.holds(table)
        except SqlMistake as mistake:
            self.wrong(mistake.code, "holds", **mistake.values)
        try:
            if rule.expected is not None:
                expected = read_predicate(rule.expected, table, self.standard.macros)
                self.binder.predicate_type(expected, table.name)
        except SqlMistake as mistake:
            self.wrong(mistake.code, "expected", **mistake.values)

    def table(self, *place: str | int | None) -> Table | None:
        """The table named last, or None with a mistake noted at the place before it."""
        *where, name = place
        table = self.standard.tables.get(str(name))
        if table is None:
            known = ", ".join(self.standard.tables)
            self.wrong(
                "validations.unknown_table", *[w for w in where if w is not None], name=name, known=known
            )
        return table

    def fields(self, table: Table, names: tuple[str, ...], *place: str | int) -> bool:
        known = [field.name for field in table.stored_fields]
        unknown = [name for name in names if name not in known]
        for name in unknown:
            self.wrong(
                "validations.unknown_field", *place, name=name, table=table.name, known=", ".join(known)
            )
        return not unknown

    def constraint(self) -> None:
        name = str(self.rule.constraint).removeprefix("check:")
        if str(self.rule.constraint).startswith("check:") and name not in CHECKS:
            self.wrong("validations.unknown_check", "constraint", name=name, known=", ".join(CHECKS))

    def holds(self, table: Table) -> None:
        rule = self.rule
        predicate = read_predicate(str(rule.holds), table, self.standard.macros)
        kind = self.binder.predicate_type(predicate, table.name)
        if kind.upper() not in ("BOOLEAN", "BOOL"):
            raise SqlMistake("validations.sql_not_boolean", {"sql": rule.holds, "type": kind})

    def query(self, table: Table) -> None:
        path = self.rule.query
        if path is None or not path.is_file():
            self.wrong("validations.file_missing", "query", name=f"rules/{path.name if path else ''}")
            return
        text = read_text(path, self.located.mistakes)
        if text is None:
            return
        try:
            query = read_query(text, self.standard.tables)
            columns = self.binder.columns(query.text, query.parameters)
            missing = [name for name in table.stored_key if name not in columns]
            unknown = [name for name in columns if name not in (*table.stored_key, *_OPTIONAL_COLUMNS)]
            if missing or unknown:
                values = {"missing": ", ".join(missing) or "–", "unknown": ", ".join(unknown) or "–"}
                expected = ", ".join((*table.stored_key, *_OPTIONAL_COLUMNS))
                raise SqlMistake("validations.query_columns", {**values, "expected": expected})
        except SqlMistake as mistake:
            self.located.mistakes.add(mistake.code, path, mistake.line, rule=self.rule.id, **mistake.values)

    def shape(self) -> None:
        shape = self.rule.shape
        match shape:
            case Unique(table=str(name), fields=fields):
                table = self.table("shape", "unique", "table", name)
                if table is not None:
                    self.fields(table, fields, "shape", "unique", "fields")
            case ForeignKey(references=references):
                for number, reference in enumerate(references):
                    where = ("shape", "foreign_key", number)
                    self.pair(reference.table, reference.fields, reference.references, reference.to, where)
            case SumEquals():
                tables = self.pair(shape.table, shape.key, shape.of, shape.by, ("shape", "sum_equals"))
                if tables is not None:
                    self.numeric(tables[0], shape.value, "shape", "sum_equals", "value")
                    self.numeric(tables[1], shape.sum, "shape", "sum_equals", "sum")
            case Formula():
                table = self.table("shape", "formula", "table", shape.table)
                names = (shape.organisation, shape.item, shape.value)
                if table is not None and self.fields(table, names, "shape", "formula"):
                    self.numeric(table, shape.value, "shape", "formula", "value")
                    if set(table.key) != {shape.organisation, shape.item}:
                        key = f"{shape.organisation}, {shape.item}"
                        self.wrong(
                            "validations.formula_key", "shape", "formula", table=table.name, expected=key
                        )
            case _:
                pass

    def pair(
        self, left: str, keys: tuple[str, ...], right: str, to: tuple[str, ...], where: tuple[str | int, ...]
    ) -> tuple[Table, Table] | None:
        """Two tables and the fields that join them, pairwise of one type."""
        tables = self.table(*where, left), self.table(*where, right)
        if tables[0] is None or tables[1] is None:
            return None
        if not (self.fields(tables[0], keys, *where) and self.fields(tables[1], to, *where)):
            return None
        kinds = [tables[0].field(name).type for name in keys], [tables[1].field(name).type for name in to]
        if kinds[0] != kinds[1]:
            self.wrong(
                "validations.join_differs", *where, left=", ".join(kinds[0]), right=", ".join(kinds[1])
            )
            return None
        return tables[0], tables[1]

    def numeric(self, table: Table, name: str, *place: str | int) -> None:
        if self.fields(table, (name,), *place) and table.field(name).type not in ("integer", "decimal"):
            self.wrong("validations.not_numeric", *place, name=name, table=table.name)
