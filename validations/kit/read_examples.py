"""Reading `examples/`: the world and every rule's examples, typed by the dictionary, all mistakes with file and line.

What is checked here is what the author wrote; whether a rule does what its examples say is `trial`'s matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelines.errors import BadInput
from validations.engine.loader import STANDARDS, list_standards, load_standard
from validations.engine.located import Located, Mistakes, read_yaml
from validations.engine.located import Place as Where
from validations.engine.sql_text import PREVIOUS
from validations.engine.standard import Field, Standard, Table
from validations.kit.cells import WrongCell, cell, said_as_text
from validations.kit.examples import (
    CONTENT,
    Addition,
    Change,
    Equivalent,
    Example,
    Expected,
    Place,
    Row,
    Rows,
    Selection,
    Suite,
    World,
)
from validations.kit.worlds import MissingRow, applied

_WORLD = ("parameters", "tables", "nil_returns")
_EXAMPLE = ("name", "set", "add", "remove", "parameters", "nil_returns", "finds", "gives", "lacks")
_NOT_KEY = ("table", "field", "value", "expected", "difference")


def read_suite(standard: Standard, folders: Sequence[Path] = (STANDARDS,)) -> Suite:
    """The examples of a standard. Raises BadInput "kit.no_examples", or "kit.examples_invalid" with all mistakes."""
    folder = standard.path / "examples"
    if not (folder / "world.yaml").is_file():
        raise BadInput("kit.no_examples", name=standard.name, path=folder / "world.yaml")
    mistakes = Mistakes(standard.path)
    reader = _Reader(standard, folders)
    world = reader.world(read_yaml(folder / "world.yaml", "world", mistakes))
    for file in sorted(folder.glob("*.yaml")):
        if file.name != "world.yaml":
            reader.file(read_yaml(file, "examples", mistakes), world)
    if mistakes.problems:
        raise BadInput(
            "kit.examples_invalid",
            details=mistakes.problems,
            name=standard.name,
            count=len(mistakes.problems),
        )
    return Suite(
        standard,
        world,
        tuple(reader.examples),
        tuple(reader.derived),
        tuple(reader.equivalent),
        {name: other for name, other in reader.references.items() if other is not None and name != CONTENT},
    )


class _Reader:
    """Collects examples file by file; mistakes go to the file they stand in."""

    def __init__(self, standard: Standard, folders: Sequence[Path]) -> None:
        self.standard, self.folders = standard, folders
        self.examples: list[Example] = []
        self.derived: list[Example] = []
        self.equivalent: list[Equivalent] = []
        self.references: dict[str, Standard | None] = {CONTENT: standard, PREVIOUS: standard}

    def world(self, located: Located) -> World:
        data: Any = located.data or {"tables": {}}
        references = {
            name: self._tables(located, name, (name,), said)
            for name, said in data.items()
            if name not in _WORLD
        }
        return World(
            parameters=_parameters(data),
            tables=self._tables(located, CONTENT, ("tables",), data["tables"]),
            references=references,
            nil_returns=tuple(data.get("nil_returns", ())),
        )

    def file(self, located: Located, world: World) -> None:
        data: Any = located.data or {}
        rules = [rule.id for rule in self.standard.rules]
        for subject, said in data.items():
            if subject == "equivalent":
                self._equivalents(located, "", (subject,), said)
            elif subject == "derived":
                for name, examples in said.items():
                    table = self._table(located, self.standard, (subject, name), name)
                    if table is not None and table.derive is None:
                        located.wrong("kit.not_derived", (subject, name), table=name)
                    for number, example in enumerate(examples):
                        place = (subject, name, number)
                        self.derived.append(self._example(located, name, place, example, world))
            elif subject not in rules:
                located.wrong("kit.no_such_rule", (subject,), name=subject)
            else:
                for kind in ("pass", "fail"):
                    for number, example in enumerate(said.get(kind, ())):
                        place = (subject, kind, number)
                        self.examples.append(self._example(located, subject, place, example, world))
                self._equivalents(located, subject, (subject, "equivalent"), said.get("equivalent", ()))

    def _equivalents(self, located: Located, owner: str, where: Where, said: Any) -> None:
        for number, item in enumerate(said):
            place = _place(located, (*where, number))
            self.equivalent.append(Equivalent(owner, item["mutant"], item["because"], place))

    def _example(self, located: Located, subject: str, where: Where, said: Any, world: World) -> Example:
        changes = {CONTENT: self._changes(located, CONTENT, where, said)}
        for name, change in said.items():
            if name not in _EXAMPLE:
                changes[name] = self._changes(located, name, (*where, name), change)
        self._require_rows(located, where, changes, world)
        table = self.standard.tables.get(subject)
        return Example(
            subject=subject,
            name=said["name"],
            place=_place(located, where),
            changes={name: change for name, change in changes.items() if change},
            parameters=_parameters(said),
            nil_returns=tuple(said["nil_returns"]) if "nil_returns" in said else None,
            finds=tuple(self._expected(located, subject, where, said.get("finds", ()))),
            gives=self._rows(located, table, (*where, "gives"), said.get("gives", ())),
            lacks=self._rows(located, table, (*where, "lacks"), said.get("lacks", ())),
        )

    def _changes(self, located: Located, reference: str, where: Where, said: Any) -> dict[str, Change]:
        standard = self._reference(located, reference, where)
        if standard is None:
            return {}
        sets: dict[str, tuple[Selection, ...]] = {}
        for name, table, place, rows in self._named(located, standard, (*where, "set"), said.get("set", {})):
            sets[name] = tuple(self._setting(located, table, place, rows))
        adds: dict[str, tuple[Addition, ...]] = {}
        for name, table, place, rows in self._named(located, standard, (*where, "add"), said.get("add", {})):
            adds[name] = tuple(self._adding(located, table, place, rows))
        removes: dict[str, tuple[Selection, ...]] = {}
        removed = said.get("remove", {})
        for name, table, place, rows in self._named(located, standard, (*where, "remove"), removed):
            removes[name] = tuple(
                Selection(row, {}, _place(located, (*place, number)))
                for number, row in enumerate(self._rows(located, table, place, rows))
            )
        names = dict.fromkeys((*sets, *adds, *removes))
        return {n: Change(sets.get(n, ()), adds.get(n, ()), removes.get(n, ())) for n in names}

    def _setting(self, located: Located, table: Table, where: Where, rows: Any) -> Iterator[Selection]:
        for number, row in enumerate(self._rows(located, table, where, rows)):
            place = (*where, number)
            lacking = [name for name in table.stored_key if name not in row]
            if lacking:
                located.wrong("kit.key_lacking", place, table=table.name, fields=", ".join(lacking))
            by = {name: value for name, value in row.items() if name in table.stored_key}
            yield Selection(by, {n: v for n, v in row.items() if n not in by}, _place(located, place))

    def _adding(self, located: Located, table: Table, where: Where, rows: Any) -> Iterator[Addition]:
        for number, row in enumerate(rows):
            place = (*where, number)
            cells = {name: value for name, value in row.items() if name != "like"}
            like = self._row(located, table, (*place, "like"), row["like"]) if "like" in row else None
            yield Addition(like, self._row(located, table, place, cells), _place(located, place))

    def _require_rows(
        self, located: Located, where: Where, changes: dict[str, dict[str, Change]], world: World
    ) -> None:
        """Every row that an example changes or copies is there. A derived table is known only when it is tried."""
        for reference, tables in changes.items():
            given = world.tables if reference == CONTENT else world.references.get(reference, {})
            for name, change in tables.items():
                if reference == CONTENT and name not in given and self.standard.table(name).derive:
                    continue
                try:
                    applied(given.get(name, ()), change)
                except MissingRow as missing:
                    located.mistakes.add(
                        "kit.no_such_row", located.path, missing.place.line, table=name, row=missing.shown
                    )

    def _expected(self, located: Located, subject: str, where: Where, said: Any) -> Iterator[Expected]:
        rule = next((rule for rule in self.standard.rules if rule.id == subject), None)
        for number, found in enumerate(said):
            place = (*where, "finds", number)
            name = found.get("table") or (rule.table if rule else None)
            table = self._table(located, self.standard, place, name) if name not in (None, "*") else None
            fields = {field.name: field for field in table.stored_fields} if table else {}
            key: dict[str, str | None] = {}
            for part, value in found.items():
                if part in _NOT_KEY:
                    continue
                if table is not None and part not in table.stored_key:
                    known = ", ".join(table.stored_key)
                    located.wrong("kit.not_a_key", (*place, part), field=part, table=name, known=known)
                    continue
                try:
                    key[part] = said_as_text(fields.get(part), value)
                except WrongCell as wrong:
                    located.wrong("kit.wrong_cell", (*place, part), field=part, value=value, expected=wrong)
            named = found.get("field")
            judged = (
                fields.get(named or (rule.field if rule else None) or "")
                if not isinstance(named, list)
                else None
            )
            figures = {name: _figure(judged, found.get(name)) for name in _NOT_KEY[2:]}
            for field in named if isinstance(named, list) else [named]:
                yield Expected(key, found.get("table"), field, **figures)

    def _tables(self, located: Located, reference: str, where: Where, said: Any) -> dict[str, Rows]:
        standard = self._reference(located, reference, where)
        if standard is None:
            return {}
        return {
            name: self._rows(located, table, place, rows)
            for name, table, place, rows in self._named(located, standard, where, said)
        }

    def _named(
        self, located: Located, standard: Standard, where: Where, said: Any
    ) -> Iterator[tuple[str, Table, Where, Any]]:
        for name, rows in said.items():
            table = self._table(located, standard, (*where, name), name)
            if table is not None:
                yield name, table, (*where, name), rows

    def _table(self, located: Located, standard: Standard, where: Where, name: Any) -> Table | None:
        if name not in standard.tables:
            located.wrong("validations.unknown_table", where, name=name, known=", ".join(standard.tables))
        return standard.tables.get(name)

    def _reference(self, located: Located, name: str, where: Where) -> Standard | None:
        if name not in self.references:
            known = list_standards(self.folders)
            if name not in known:
                located.wrong("kit.no_such_reference", where, name=name, known=", ".join([PREVIOUS, *known]))
            self.references[name] = load_standard(name, self.folders) if name in known else None
        return self.references[name]

    def _rows(self, located: Located, table: Table | None, where: Where, rows: Any) -> Rows:
        if table is None:
            return ()
        return tuple(self._row(located, table, (*where, number), row) for number, row in enumerate(rows))

    def _row(self, located: Located, table: Table, where: Where, said: Any) -> Row:
        fields = {field.name: field for field in table.stored_fields}
        row: Row = {}
        for name, value in said.items():
            if name not in fields:
                known = ", ".join(fields)
                located.wrong(
                    "validations.unknown_field", (*where, name), name=name, table=table.name, known=known
                )
                continue
            try:
                row[name] = cell(fields[name], value)
            except WrongCell as wrong:
                located.wrong("kit.wrong_cell", (*where, name), field=name, value=value, expected=wrong)
        return row


def _place(located: Located, where: Where) -> Place:
    root = located.mistakes.root
    return Place(f"{root.name}/{located.path.relative_to(root)}", located.line(where))


def _figure(field: Field | None, said: object) -> str | None:
    """A figure as findings write it; a query may say anything, so what is none of the field's type stays as it is."""
    try:
        return said_as_text(field, said)
    except WrongCell:
        return str(said)


def _parameters(data: Any) -> dict[str, str]:
    return {name: str(value) for name, value in data.get("parameters", {}).items()}
