"""One place in a standard's files that is being checked: what is noted there, and the tables, fields and SQL named there."""

from __future__ import annotations

from dataclasses import dataclass

from validations.engine.binder import Binder
from validations.engine.located import Located, Place
from validations.engine.sql_text import SqlMistake, read_predicate
from validations.engine.standard import Standard, Table


@dataclass(frozen=True)
class CheckedPlace:
    """A place in a file of rules, and the rule that stands there."""

    standard: Standard
    located: Located
    place: Place
    rule_id: str
    binder: Binder

    def wrong(self, code: str, *inner: str | int, **values: object) -> None:
        """Note a mistake at a place within this one."""
        self.located.wrong(code, (*self.place, *inner), **{"rule": self.rule_id, **values})

    def table(self, *inner: str | int) -> Table | None:
        """The table named last, or None with a mistake noted at the place before it."""
        *where, name = inner
        table = self.standard.tables.get(str(name))
        if table is None:
            self.wrong("validations.unknown_table", *where, name=name, known=", ".join(self.standard.tables))
        return table

    def fields(self, table: Table, names: tuple[str, ...], *inner: str | int) -> bool:
        """Whether the table stores all these fields; those it does not are noted."""
        known = [field.name for field in table.stored_fields]
        unknown = [name for name in names if name not in known]
        for name in unknown:
            self.wrong(
                "validations.unknown_field", *inner, name=name, table=table.name, known=", ".join(known)
            )
        return not unknown

    def expression(self, text: str, table: Table, *, is_predicate: bool) -> None:
        """Raises SqlMistake unless a text is an expression over one row of the table, true or false if a predicate."""
        predicate = read_predicate(text, table, self.standard.macros, self.standard.parameters)
        kind = self.binder.predicate_type(predicate, table.name)
        if is_predicate and kind.upper() not in ("BOOLEAN", "BOOL"):
            raise SqlMistake("validations.sql_not_boolean", {"sql": text, "type": kind})
