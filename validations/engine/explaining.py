"""Asking figures what they are made of: cells of a content's tables, and the parts that the standard's SQL gives of them.

Every cell goes by its table and the canonical JSON of its key, as findings do. Which cells a person asks for, how far they
are opened and what they were before is the stage's matter.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb

from pipelines.errors import BadInput
from validations.engine.figures import (
    DENOMINATOR,
    NUMERATOR,
    PART,
    SIDE,
    WEIGHT,
    Explanation,
    Indicator,
)
from validations.engine.finding_sql import key_json
from validations.engine.parameters import bound, complete
from validations.engine.parts import CellValue, PartRow
from validations.engine.session import create_views, literal, open_session, quoted, rows_of
from validations.engine.sql_text import read_query
from validations.engine.standard import Standard, Table


class Figures:
    """The figures of one content, in a session of their own; a relation is computed once, when it is first asked for."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        standard: Standard,
        tables: Mapping[str, Path],
        parameters: Mapping[str, str],
    ) -> None:
        self.standard = standard
        self.tables = tables
        self._connection = connection
        self._parameters = bound(standard, complete(standard, parameters))
        self._made: dict[tuple[str, str, str], str] = {}
        create_views(connection, tables)

    def find(self, table: Table, key: Sequence[str | None]) -> str | None:
        """The cell of that key, given as texts in the order of the dictionary; None where there is no such row."""
        same = " AND ".join(
            f"CAST(t.{quoted(name)} AS VARCHAR) IS NOT DISTINCT FROM ?" for name in table.stored_key
        )
        found = self._connection.execute(
            f"SELECT {key_json(table)} FROM {quoted(table.name)} AS t WHERE {same} LIMIT 1", list(key)
        ).fetchone()
        return str(found[0]) if found else None

    def nearest(self, table: Table, given: str, limit: int = 5) -> list[str]:
        """The cells whose key is most like what was given (values joined by colons), the most like first."""
        parts = ", ".join(f"CAST(t.{quoted(name)} AS VARCHAR)" for name in table.stored_key)
        found = self._connection.execute(
            f"SELECT DISTINCT {key_json(table)} AS cell, levenshtein(concat_ws(':', {parts}), ?) AS far "
            f"FROM {quoted(table.name)} AS t ORDER BY far, cell LIMIT {limit}",
            [given],
        ).fetchall()
        return [str(cell) for cell, _ in found]

    def rows(self, table: Table, cell: str) -> list[tuple[int, dict[str, str | None]]]:
        """The rows of one cell, whole, as texts, with their numbers (from 0)."""
        fields = [field.name for field in table.stored_fields]
        texts = ", ".join(f"CAST(t.{quoted(name)} AS VARCHAR)" for name in fields)
        found = self._connection.execute(
            f"SELECT t.row, {texts} FROM {quoted(rows_of(table.name))} AS t WHERE {key_json(table)} = ? ORDER BY t.row",
            [cell],
        ).fetchall()
        return [(int(row[0]), dict(zip(fields, row[1:], strict=True))) for row in found]

    def cells(self, table: Table, field: str) -> list[str]:
        """All cells of a field, in the order of their keys."""
        values = self._values(table, field)
        return [
            str(cell)
            for (cell,) in self._connection.execute(f"SELECT cell FROM {values} ORDER BY cell").fetchall()
        ]

    def values(self, table: Table, field: str, cells: Iterable[str]) -> dict[str, CellValue]:
        """The values of those cells that are there."""
        found = self._connection.execute(
            f"SELECT v.cell, v.value, v.rows FROM (SELECT unnest($cells) AS cell) AS w JOIN {self._values(table, field)} AS v USING (cell)",
            {"cells": list(dict.fromkeys(cells))},
        ).fetchall()
        return {str(cell): CellValue(value, tuple(rows)) for cell, value, rows in found}

    def parts(
        self, table: Table, explanation: Explanation, cells: Iterable[str]
    ) -> dict[str, tuple[PartRow, ...]]:
        """The parts of each of these figures, in the order of the standard's SQL; those compared with it among them.

        Raises BadInput when the SQL gives what it may not: a table it does not name, no weight, a part that is not there.
        """
        relation = self._relation(table, explanation)
        wanted = list(dict.fromkeys(cells))
        placed: dict[str, list[tuple[int, PartRow]]] = {cell: [] for cell in wanted}
        for other, field in explanation.fields.items():
            values = self._values(self.standard.table(other), field)
            found = self._connection.execute(
                f"SELECT r.place, r.cell, r.part_cell, r.weight, r.side, v.value, v.rows "
                f"FROM (SELECT unnest($cells) AS cell) AS w JOIN {relation} AS r USING (cell) "
                f"LEFT JOIN {values} AS v ON v.cell = r.part_cell WHERE r.part = {literal(other)}",
                {"cells": wanted},
            ).fetchall()
            for place, cell, part_cell, weight, side, value, rows in found:
                if rows is None:
                    raise BadInput(
                        "explain.part_missing",
                        file=explanation.query.name,
                        figure=f"{table.name} {cell}",
                        part=f"{other} {part_cell}",
                    )
                row = PartRow(other, part_cell, field, Decimal(weight), side, value, tuple(rows))
                placed[cell].append((place, row))
        return {
            cell: tuple(row for _, row in sorted(found, key=lambda item: item[0]))
            for cell, found in placed.items()
        }

    def indicator(self, indicator: Indicator) -> tuple[str | None, Decimal | None]:
        """The cell an indicator means, where it means one, and its value. Raises BadInput when it means several."""
        query = read_query(
            indicator.sql, self.standard.tables, references={}, parameters=self.standard.parameters
        )
        values = {name: self._parameters[name] for name in query.parameters if name in self._parameters}
        try:
            found = self._connection.execute(f"SELECT * FROM (\n{query.text}\n) LIMIT 2", values or None)
            names = [column[0] for column in found.description]
            rows = found.fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise BadInput("explain.indicator_failed", name=indicator.name, reason=reason) from error
        if len(rows) > 1:
            raise BadInput("explain.indicator_rows", name=indicator.name)
        if not rows:
            return None, None
        if indicator.table is None or indicator.field is None:
            value = rows[0][0]
            return None, None if value is None else Decimal(value)
        table = self.standard.table(indicator.table)
        row = dict(zip(names, rows[0], strict=True))
        cell = self.find(table, [None if row[n] is None else str(row[n]) for n in table.stored_key])
        if cell is None:
            return None, None
        return cell, self.values(table, indicator.field, [cell])[cell].value

    def names(self, field: str, codes: Iterable[str], language: Literal["zh", "en"]) -> dict[str, str]:
        """What the codes of a key field are called, by the table of this content whose own key is that field and nothing else."""
        for name in self.tables:
            table = self.standard.table(name)
            if table.names is not None and table.stored_key == (field,):
                key, words = (quoted(each) for each in (field, getattr(table.names, language)))
                found = self._connection.execute(
                    f"SELECT CAST({key} AS VARCHAR), min(CAST({words} AS VARCHAR)) FROM {quoted(name)} "
                    f"JOIN (SELECT unnest($codes) AS code) AS w ON w.code = CAST({key} AS VARCHAR) GROUP BY 1",
                    {"codes": list(dict.fromkeys(codes))},
                ).fetchall()
                return {str(code): str(said) for code, said in found if said is not None}
        return {}

    def _values(self, table: Table, field: str) -> str:
        """The temporary table of all cells of a field: cell, value, rows."""

        def make(name: str) -> None:
            value = f"CAST(t.{quoted(field)} AS DECIMAL(38, {table.field(field).scale or 0}))"
            self._connection.execute(
                f"CREATE TEMP TABLE {name} AS SELECT {key_json(table)} AS cell, sum({value}) AS value, list(t.row ORDER BY t.row) AS rows "
                f"FROM {quoted(rows_of(table.name))} AS t GROUP BY 1"
            )

        return self._once(("values", table.name, field), make)

    def _relation(self, table: Table, explanation: Explanation) -> str:
        """The temporary table of all parts of a field: place, cell, part, part_cell, weight, side."""
        file = explanation.query

        def make(name: str) -> None:
            query = read_query(
                file.read_text(encoding="utf-8"),
                self.standard.tables,
                references={},
                parameters=self.standard.parameters,
            )
            lacking = [each for each in query.parameters if each not in self._parameters]
            if lacking:
                raise BadInput("validations.derive_parameter", table=file.name, parameters=", ".join(lacking))
            values = {each: self._parameters[each] for each in query.parameters}
            side = quoted(SIDE) if explanation.ratio is not None else "NULL"
            raw = quoted(f"given by {file.name}")
            try:
                self._connection.execute(
                    f"CREATE TEMP TABLE {raw} AS SELECT *, row_number() OVER () AS place FROM (\n{query.text}\n)",
                    values or None,
                )
                self._refuse(raw, explanation)
                selects = [
                    f"SELECT r.place, {key_json(table, 'r')} AS cell, {literal(other)} AS part, "
                    f"{key_json(self.standard.table(other), 'r', prefix=f'{PART}_')} AS part_cell, r.{quoted(WEIGHT)} AS weight, "
                    f"CAST({side} AS VARCHAR) AS side FROM {raw} AS r WHERE r.{quoted(PART)} = {literal(other)}"
                    for other in explanation.fields
                ]
                self._connection.execute(f"CREATE TEMP TABLE {name} AS {' UNION ALL '.join(selects)}")
                self._connection.execute(f"DROP TABLE {raw}")
            except duckdb.Error as error:
                reason = str(error).splitlines()[0]
                raise BadInput("explain.failed", file=file.name, table=table.name, reason=reason) from error

        return self._once(("parts", table.name, explanation.field), make)

    def _refuse(self, raw: str, explanation: Explanation) -> None:
        """Raise BadInput for what an explaining query may not give, whatever figure it gives it for."""
        known = ", ".join(literal(name) for name in explanation.fields)
        checks = {"part": (f"{quoted(PART)} IS NULL OR {quoted(PART)} NOT IN ({known})", PART)}
        checks["weight"] = (f"{quoted(WEIGHT)} IS NULL", WEIGHT)
        if explanation.ratio is not None:
            sides = f"{literal(NUMERATOR)}, {literal(DENOMINATOR)}"
            checks["side"] = (f"{quoted(SIDE)} IS NULL OR {quoted(SIDE)} NOT IN ({sides})", SIDE)
        for column, (wrong, name) in checks.items():
            found = self._connection.execute(
                f"SELECT {quoted(name)} FROM {raw} WHERE {wrong} LIMIT 1"
            ).fetchone()
            if found is not None:
                raise BadInput(
                    "explain.wrong_part", file=explanation.query.name, column=column, value=found[0]
                )

    def _once(self, what: tuple[str, str, str], make: Callable[[str], None]) -> str:
        if what not in self._made:
            name = quoted(f"{what[0]} of {what[1]}.{what[2]}")
            make(name)
            self._made[what] = name
        return self._made[what]


@contextmanager
def open_figures(
    standard: Standard, tables: Mapping[str, Path], *, parameters: Mapping[str, str], spill: Path
) -> Generator[Figures]:
    """The figures of these tables (Parquet). `spill`: a folder in which the session may put what memory does not hold."""
    with open_session(spill, read=tables.values()) as connection:
        yield Figures(connection, standard, tables, parameters)


def tables_behind(standard: Standard, table: Table) -> set[str]:
    """The tables that explaining a table's figures reads, itself among them, and those that say what codes are called."""
    found: set[str] = set()
    waiting = {table.name}
    while waiting:
        name = waiting.pop()
        found.add(name)
        for explanation in standard.table(name).explains:
            text = explanation.query.read_text(encoding="utf-8")
            query = read_query(text, standard.tables, references={}, parameters=standard.parameters)
            waiting |= {*explanation.fields, *query.tables} - found
    return found | {each.name for each in standard.tables.values() if each.names is not None}
