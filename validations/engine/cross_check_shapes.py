"""Whether the shape that a rule declares fits the dictionary: known tables and fields, types that join and add."""

from __future__ import annotations

from validations.engine.cross_check_place import CheckedPlace
from validations.engine.shapes import (
    Constant,
    ForeignKey,
    Formula,
    NoOverlap,
    SameValues,
    Sequence,
    Shape,
    SumEquals,
    Unique,
)
from validations.engine.sql_text import SqlMistake
from validations.engine.standard import Table


def check_shape(at: CheckedPlace, shape: Shape) -> None:
    """Note all that is wrong with the shape that stands at a place."""
    _ShapeCheck(at.standard, at.located, at.place, at.rule_id, at.binder).run(shape)


class _ShapeCheck(CheckedPlace):
    """One shape under its standard."""

    def run(self, shape: Shape) -> None:  # noqa: PLR0912  # one case per shape
        match shape:
            case Unique(table=str(name), fields=fields, where=where):
                table = self.table("unique", "table", name)
                if table is not None and self.fields(table, fields, "unique", "fields"):
                    self.predicate(table, where, "unique", "where")
            case ForeignKey(references=references):
                for number, reference in enumerate(references):
                    at = ("foreign_key", number)
                    tables = self.pair(
                        reference.table, reference.fields, reference.references, reference.to, *at
                    )
                    if tables is not None:
                        self.predicate(tables[0], reference.where, *at, "where")
            case SumEquals():
                self.sum_equals(shape)
            case NoOverlap():
                table = self.table("no_overlap", "table", shape.table)
                if table is not None and self.fields(
                    table, (*shape.by, shape.start, shape.end), "no_overlap"
                ):
                    kinds = {table.field(name).type for name in (shape.start, shape.end)}
                    if len(kinds) > 1 or kinds & {"text"}:
                        self.wrong(
                            "validations.join_differs", "no_overlap", left=shape.start, right=shape.end
                        )
                    self.predicate(table, shape.where, "no_overlap", "where")
            case Sequence():
                table = self.table("sequence", "table", shape.table)
                if table is not None and self.fields(table, shape.by, "sequence", "by"):
                    self.numeric(table, shape.field, "sequence", "field")
            case Constant():
                if not any(field.varies for table in self.standard.tables.values() for field in table.fields):
                    self.wrong("validations.nothing_varies", "constant")
            case SameValues():
                self.pair(shape.table, shape.fields, shape.of, shape.to, "same_values")
            case Formula():
                self.formula(shape)
            case _:
                pass

    def sum_equals(self, shape: SumEquals) -> None:
        tables = self.pair(shape.table, shape.key, shape.of, shape.by, "sum_equals")
        if tables is not None:
            self.numeric(tables[0], shape.value, "sum_equals", "value")
            self.numeric(tables[1], shape.sum, "sum_equals", "sum")
            self.predicate(tables[0], shape.when, "sum_equals", "when")
            self.predicate(tables[1], shape.where, "sum_equals", "where")

    def formula(self, shape: Formula) -> None:
        table = self.table("formula", "table", shape.table)
        names = (shape.organisation, shape.item, shape.value)
        if table is not None and self.fields(table, names, "formula"):
            self.numeric(table, shape.value, "formula", "value")
            if set(table.key) != {shape.organisation, shape.item}:
                key = f"{shape.organisation}, {shape.item}"
                self.wrong("validations.formula_key", "formula", table=table.name, expected=key)

    def predicate(self, table: Table, text: str | None, *place: str | int) -> None:
        if text is None:
            return
        try:
            self.expression(text, table, is_predicate=True)
        except SqlMistake as mistake:
            self.wrong(mistake.code, *place, **mistake.values)

    def pair(
        self, left: str, keys: tuple[str, ...], right: str, to: tuple[str, ...], *where: str | int
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
