"""The steps of a judging: what each kind of rule runs in the session, and what becomes of a rule that raises.

Findings gather in the session's table `found`; which rules are judged, and in which order, is decided in `plan` and
`judging`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from validations.engine import row_sql, shape_sql
from validations.engine.field_constraints import Period
from validations.engine.finding_sql import COLUMNS, NO_KEY
from validations.engine.parameters import bound, wanted
from validations.engine.plan import Plan
from validations.engine.session import literal
from validations.engine.shape_statements import shape_statements
from validations.engine.sql_text import Query
from validations.engine.standard import Rule, Standard

REASONS = 100
"""Rows of a rule that cannot be judged, each with a reason of its own; a sample is enough to mend the rule or the data."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much is done, of how much."""


@dataclass(frozen=True)
class Step:
    """One thing to do, and how to call it to people."""

    label: str
    run: Callable[[], None]


@dataclass(frozen=True)
class Steps:
    """Runs rules in one session."""

    connection: duckdb.DuckDBPyConnection
    standard: Standard
    tables: Mapping[str, Path]
    report: str | None
    parameters: Mapping[str, str]
    period: Period | None
    nil_returns: frozenset[str]

    def __post_init__(self) -> None:
        for kind, names in (
            ("rule_id", (rule.id for rule in self.standard.rules)),
            ("table_name", self.standard.tables),
        ):
            listed = ", ".join(literal(name) for name in sorted(names))
            self.connection.execute(f"CREATE TYPE {kind} AS ENUM ({listed})")
        columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        self.connection.execute(f"CREATE TABLE found ({columns})")

    def listed(self, plan: Plan) -> list[Step]:
        """The steps of a plan, in the order in which they run."""
        steps = [
            Step(table, lambda table=table, judged=judged: self._contract(table, judged))
            for table, judged in plan.constraints.items()
        ]
        steps += [
            Step(table, lambda table=table, rules=rules: self._holds(table, rules))
            for table, rules in plan.holds.items()
        ]
        steps += [Step(rule.id, lambda rule=rule: self._shape(rule)) for rule in plan.shapes]
        steps += [
            Step(rule.id, lambda rule=rule, query=query: self._query(rule, query))
            for rule, query in plan.queries
        ]
        return steps

    def _contract(self, table: str, judged: Sequence[tuple[Rule, str, str]]) -> None:
        from validations.engine.contract import contract, failures  # noqa: PLC0415  # 2 s: only who judges pays

        rules: dict[tuple[str, str], list[str]] = {}
        for rule, field, constraint in judged:
            rules.setdefault((constraint, field), []).append(rule.id)
        checked = contract(self.standard, table, report=self.report, period=self.period, wanted=rules)
        declared = self.standard.table(table)
        named_by = dict.fromkeys([*declared.stored_key, *filter(None, [declared.organisation])])
        for failing in failures(checked, self.tables[table], list(named_by)):
            found = [
                each.rows.with_columns(rule=pl.lit(rule), field=pl.lit(each.field))
                for each in failing
                for rule in rules[each.constraint, each.field]
            ]
            if found:
                self.connection.register("failing", pl.concat(found).to_arrow())
                self._insert(row_sql.contract_findings(declared))
                self.connection.unregister("failing")

    def _holds(self, name: str, rules: Sequence[Rule]) -> None:
        table = self.standard.table(name)
        read = [row_sql.row_rule(self.standard, table, rule) for rule in rules]
        try:
            self._insert(row_sql.row_findings(table, read), self._values(read))
        except duckdb.Error:
            for each in read:  # some row is too strange for some rule: find out which
                self._guarded(each.rule, name, lambda each=each: self._one_row_rule(name, each))

    def _one_row_rule(self, name: str, rule: row_sql.RowRule) -> None:
        """One rule by itself; if it raises, row by row: what cannot be judged is a finding with the reason."""
        table, values = self.standard.table(name), self._values([rule])
        try:
            self._insert(row_sql.row_findings(table, [rule]), values)
            return
        except duckdb.Error as error:
            reason = _reason(error)
        self._run(f"CREATE OR REPLACE TEMP TABLE suspects AS {row_sql.suspects(table, rule)}", values)
        self._note_reasons(rule, reason, values)
        try:
            self._insert(row_sql.suspect_findings(table, rule, with_expected=True), values)
        except duckdb.Error:  # what is expected cannot be computed either
            self._insert(row_sql.suspect_findings(table, rule, with_expected=False))

    def _note_reasons(self, rule: row_sql.RowRule, reason: str, values: Mapping[str, object]) -> None:
        """Why each of the first rows cannot be judged; of the many after them, what the first pass said."""
        self._run('ALTER TABLE suspects ADD COLUMN "the reason" VARCHAR')
        self._run('UPDATE suspects SET "the reason" = $reason WHERE "is raised"', {"reason": reason})
        rows = self.connection.execute(
            f'SELECT row FROM suspects WHERE "is raised" ORDER BY row LIMIT {REASONS}'
        ).fetchall()
        for (row,) in rows:
            try:
                self._run(
                    f"SELECT {rule.fails} FROM suspects AS t WHERE row = $row_", {**values, "row_": row}
                )
            except duckdb.Error as error:
                said = {"reason": _reason(error), "row_": row}
                self._run('UPDATE suspects SET "the reason" = $reason WHERE row = $row_', said)

    def _shape(self, rule: Rule) -> None:
        for name, statement in shape_statements(self.standard, rule, self.tables, self.nil_returns):
            self._guarded(
                rule, name, lambda s=statement: self._insert(s.sql, self._named(rule, s.parameters))
            )

    def _query(self, rule: Rule, query: Query) -> None:
        self._guarded(rule, str(rule.table), lambda: self._answer(rule, query))

    def _answer(self, rule: Rule, query: Query) -> None:
        values = self._named(rule, query.parameters)
        self._run(f"CREATE OR REPLACE TEMP TABLE answer AS\n{query.text}", values)
        columns = [str(c[0]) for c in self.connection.execute("FROM answer LIMIT 0").description or ()]
        field = shape_sql.field_of_answer(rule, columns)
        named = self.connection.execute(f"SELECT DISTINCT {field} FROM answer AS q").fetchall()
        if named:
            fields = sorted(str(name) for (name,) in named if name is not None)
            table = self.standard.table(str(rule.table))
            self._insert(shape_sql.query_findings(rule, table, columns, fields))

    def _guarded(self, rule: Rule, table: str, work: Callable[[], None]) -> None:
        """A rule over whole tables that raises is a finding on the table: it never passes."""
        try:
            work()
        except duckdb.Error as error:
            self.connection.execute(
                f"INSERT INTO found (rule, \"table\", key, field, reason) VALUES (?, ?, '{NO_KEY}', ?, ?)",
                [rule.id, table, rule.field, _reason(error)],
            )

    def _values(self, rules: Sequence[row_sql.RowRule]) -> dict[str, object]:
        names = {name for each in rules for name in each.parameters}
        return bound(self.standard, wanted(self.parameters, names, (each.rule.id for each in rules)))

    def _named(self, rule: Rule, names: Sequence[str]) -> dict[str, object]:
        return bound(self.standard, wanted(self.parameters, names, [rule.id]))

    def _insert(self, select: str, values: Mapping[str, object] | None = None) -> None:
        self._run(f"INSERT INTO found {select}", values)

    def _run(self, sql: str, values: Mapping[str, object] | None = None) -> None:
        self.connection.execute(sql, dict(values)) if values else self.connection.execute(sql)


def _reason(error: duckdb.Error) -> str:
    return next(_lines(error))


def _lines(error: duckdb.Error) -> Iterator[str]:
    yield from str(error).splitlines()
    yield type(error).__name__
