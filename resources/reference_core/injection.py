"""Injecting defects into a clean core: drawing rows nobody has touched, changing them, remembering the way back.

Each row of the book carries at most one defect, so that the answer key stays exact. What a kind of defect changes is in
the rooms that `defect_kinds` registers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipelines.errors import BadInput
from resources.reference_core.answer_key import Defect, Scalar, Statement
from resources.reference_core.defect_plan import DefectRequest

Row = tuple[Scalar, ...]


class Injector:
    """The core being damaged, with what has been drawn from it."""

    def __init__(self, connection: sqlite3.Connection, rng: np.random.Generator) -> None:
        self._connection = connection
        self._rng = rng
        self._pools: dict[tuple[str, Row], list[Row]] = {}
        self._touched: set[Scalar] = set()

    def draw(self, candidates: str, parameters: Row, *, touches: int = 1) -> Row | None:
        """A random row of the query `candidates` of whose first columns none has been drawn before; None when used up.

        The first `touches` columns name what the defect touches (a policy, a customer, a month of the ledger, …); the
        query must order its rows.
        """
        pool = self._pools.get((candidates, parameters))
        if pool is None:
            rows: list[Row] = self._connection.execute(candidates, parameters).fetchall()
            pool = [rows[place] for place in self._rng.permutation(len(rows))]
            self._pools[candidates, parameters] = pool
        while pool:
            row = pool.pop()
            if self._touched.isdisjoint(row[:touches]):
                self._touched.update(row[:touches])
                return row
        return None

    def cents(self) -> int:
        """An amount to be wrong by: 1.00 to 9,999.99, never zero."""
        return int(self._rng.integers(100, 1_000_000))

    def days(self, low: int, high: int) -> int:
        return int(self._rng.integers(low, high))

    def read(self, table: str, columns: Sequence[str], where: Mapping[str, Scalar]) -> Row:
        condition, values = _condition(where)
        sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {condition}"
        row: Row = self._connection.execute(sql, values).fetchone()
        return row

    def update(self, table: str, values: Mapping[str, Scalar], where: Mapping[str, Scalar]) -> Statement:
        """Set columns of the one row that `where` names; the statement that sets them back."""
        condition, key = _condition(where)
        before = self.read(table, list(values), where)
        sql = f"UPDATE {table} SET {', '.join(f'{column} = ?' for column in values)} WHERE {condition}"
        changed = self._connection.execute(sql, (*values.values(), *key)).rowcount
        assert changed == 1, f"{table} {dict(where)}: {changed} rows"
        return Statement(sql, (*before, *key))

    def duplicate(self, table: str, where: Mapping[str, Scalar], changes: Mapping[str, Scalar]) -> Statement:
        """Enter the row that `where` names a second time with `changes`; the statement that removes it again."""
        columns = [str(row[1]) for row in self._connection.execute(f"PRAGMA table_info({table})")]
        row = dict(zip(columns, self.read(table, columns, where), strict=True)) | dict(changes)
        self._insert(table, row)
        condition, key = _condition({**where, **changes})
        return Statement(f"DELETE FROM {table} WHERE {condition}", key)

    def delete(self, table: str, where: Mapping[str, Scalar]) -> Statement:
        """Remove the one row that `where` names; the statement that enters it again (once)."""
        columns = [str(row[1]) for row in self._connection.execute(f"PRAGMA table_info({table})")]
        row = self.read(table, columns, where)
        condition, key = _condition(where)
        self._connection.execute(f"DELETE FROM {table} WHERE {condition}", key)
        marks = ", ".join("?" * len(columns))
        absent = f"NOT EXISTS (SELECT 1 FROM {table} WHERE {condition})"
        return Statement(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {marks} WHERE {absent}", (*row, *key)
        )

    def rows(self, sql: str, parameters: Row) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def _insert(self, table: str, row: Mapping[str, Scalar]) -> None:
        marks = ", ".join("?" * len(row))
        self._connection.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", tuple(row.values())
        )


Kind = Callable[[Injector, DefectRequest, str], tuple[Defect, ...] | None]
"""Injects one defect in one branch; its answers (the cause first); None when the branch has no row left for it."""


def inject(
    injector: Injector,
    requests: Sequence[DefectRequest],
    kinds: Mapping[str, Kind],
    progress: Callable[[str, int, int], None],
) -> tuple[Defect, ...]:
    """Inject all requested defects; raises BadInput naming the entries the book is too small for."""
    defects: list[Defect] = []
    problems: list[BadInput] = []
    for done, request in enumerate(requests):
        progress("注入缺陷", done, len(requests))
        open_branches = list(request.organisations)
        for number in range(request.count):
            answers = None
            while open_branches and answers is None:
                organisation = open_branches[number % len(open_branches)]
                answers = kinds[request.kind](injector, request, organisation)
                if answers is None:
                    open_branches.remove(organisation)
            if answers is None:
                problems.append(
                    BadInput(
                        "defects.no_room",
                        line=request.line,
                        kind=request.kind,
                        count=request.count,
                        found=number,
                    )
                )
                break
            defects += answers
    if problems:
        raise BadInput("defects.too_many", details=problems)
    return tuple(defects)


def _condition(where: Mapping[str, Scalar]) -> tuple[str, Row]:
    return " AND ".join(f"{column} = ?" for column in where), tuple(where.values())
