"""Judging content: every rule of a standard over its tables, every finding counted and written. Fails closed.

The dictionary is a pandera schema whose expressions run over slices, the rules are SQL in DuckDB. Findings gather in
DuckDB, within its memory limit, and leave it sorted. What becomes of a finding is not known here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.errors import BadInput
from validations.engine.asked import require_known, require_period, roots_of
from validations.engine.field_constraints import Period
from validations.engine.findings import blocking_rules, write_findings
from validations.engine.judgement import Judgement, NotJudged
from validations.engine.parameters import complete, period
from validations.engine.plan import Plan, Scope, due_tables, not_demanded, plan_rules, rules_in_force
from validations.engine.session import create_views, open_session
from validations.engine.standard import Phase, Rule, Standard
from validations.engine.steps import Progress, Steps
from validations.engine.types import require_columns
from validations.engine.waivers import Waiver


def judge(
    standard: Standard,
    tables: Mapping[str, Path],
    *,
    report: str | None = None,
    parameters: Mapping[str, str],
    findings: Path,
    references: Mapping[str, Mapping[str, Path]] | None = None,
    rules: Collection[str] | None = None,
    waivers: Sequence[Waiver] = (),
    nil_returns: Collection[str] = (),
    memory_limit: str = "1GB",
    partial: bool = False,
    demanded: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Judgement:
    """Judge Parquet tables (derived ones included) and write `findings` (`FINDINGS_SCHEMA`, sorted) atomically.

    With `report` its tables are due, else all of the standard, as far as they are in force at the period's end. `references`
    holds tables of other contents by namespace: `previous`, the name of another standard, or of this one for another
    report. `rules` narrows to these ids; what may explain their findings is judged too, and not written. `demanded` narrows the
    due tables to some of them; rules that need one of the others are listed as not demanded.

    A due table that is missing raises BadInput "validations.table_missing", unless `partial`: then rules that need it are
    listed as not judged. Raises BadInput as well for columns that are not the dictionary's, a parameter that lacks, names
    that the standard does not have, a waiver beyond the period, and a standard whose files changed since it was loaded.
    """
    require_known(standard, rules or (), nil_returns, demanded or ())
    values = complete(standard, {**({"report": report} if report else {}), **parameters})
    days = period(values)
    on = days[1] if days else None
    reported = due_tables(standard, report, on)
    due = reported if demanded is None else tuple(name for name in reported if name in set(demanded))
    missing = [name for name in due if name not in tables]
    if missing and not partial:
        raise BadInput("validations.table_missing", tables=", ".join(missing), standard=standard.name)
    if waivers and on is None:
        raise BadInput("validations.period_needed", standard=standard.name, what="waivers")
    too_long = [f"{w.sign_off} ({w.expires})" for w in waivers if on is not None and w.expires > on]
    if too_long:
        raise BadInput("validations.waiver_too_long", waivers=", ".join(too_long), date_to=on)
    present = {name: tables[name] for name in due if name in tables}
    wanted = {rule.id for rule in standard.rules} if rules is None else set(rules)
    needed = wanted | roots_of(standard, wanted)
    chosen = [rule for rule in rules_in_force(standard, on) if rule.id in needed]
    job = _Job(
        standard,
        report,
        present,
        references or {},
        values,
        days,
        frozenset(nil_returns),
        due,
        tuple(waivers),
        progress,
    )
    require_period(standard, chosen, present, on)
    rows = job.rows()
    findings.parent.mkdir(parents=True, exist_ok=True)
    read = [*present.values(), *(path for tables in job.references.values() for path in tables.values())]
    with open_session(findings.parent, read=read, memory_limit=memory_limit) as connection:
        judged, not_judged = job.run(connection, chosen)
        not_judged = [*not_demanded(standard, chosen, reported, due), *not_judged]
        tally = write_findings(
            connection, standard, findings, waivers, on, rules=None if rules is None else wanted
        )
    return Judgement(
        rows=rows,
        counts={rule.id: tally.counts.get(rule.id, 0) for rule in judged if rule.id in wanted},
        by_severity=tally.by_severity,
        findings=findings,
        standard_version=standard.version,
        standard_digest=standard.digest,
        severities={rule.id: rule.severity for rule in standard.rules},
        not_judged=tuple(each for each in not_judged if each.rule in wanted),
        waived=tally.waived,
        cannot=tally.cannot,
    )


@dataclass(frozen=True)
class _Job:
    """One judging, phase by phase."""

    standard: Standard
    report: str | None
    tables: Mapping[str, Path]
    references: Mapping[str, Mapping[str, Path]]
    parameters: Mapping[str, str]
    period: Period | None
    nil_returns: frozenset[str]
    due: tuple[str, ...]
    waivers: tuple[Waiver, ...]
    progress: Progress | None

    def rows(self) -> dict[str, int]:
        """Rows of every table at hand. Raises BadInput listing every column that is not the dictionary's."""
        rows: dict[str, int] = {}
        problems: list[BadInput] = []
        for name, path in self.tables.items():
            try:
                rows[name] = require_columns(self.standard.table(name), path)
            except BadInput as problem:
                problems.append(problem)
        if problems:
            raise BadInput("validations.tables_differ", details=problems, standard=self.standard.name)
        return rows

    def run(
        self, connection: duckdb.DuckDBPyConnection, chosen: Sequence[Rule]
    ) -> tuple[list[Rule], list[NotJudged]]:
        create_views(connection, self.tables)
        for namespace, tables in self.references.items():
            create_views(connection, tables, namespace=namespace)
        scope = Scope(self.due, self.tables, self.references)
        steps = Steps(
            connection,
            self.standard,
            self.tables,
            self.report,
            self.parameters,
            self.period,
            self.nil_returns,
        )
        judged: list[Rule] = []
        not_judged: list[NotJudged] = []
        plans = self._plans(chosen, scope)
        listed = [step for plan in plans for step in steps.listed(plan)]
        done = 0
        for phase, plan in zip(self._phases(), plans, strict=True):
            for step in steps.listed(plan):
                if self.progress:
                    self.progress(step.label, done, len(listed))
                step.run()
                done += 1
            judged += plan.rules
            not_judged += plan.not_judged
            if not phase.stops:
                continue
            blocking = blocking_rules(connection, self.standard, self.waivers, self.period and self.period[1])
            stoppers = sorted(blocking & {rule.id for rule in plan.rules})
            if stoppers:
                for later in plans[plans.index(plan) + 1 :]:
                    not_judged += later.not_judged
                    not_judged += [NotJudged(rule.id, "phase", ", ".join(stoppers)) for rule in later.rules]
                break
        if self.progress:
            self.progress(self.standard.name, len(listed), len(listed))
        order = {rule.id: place for place, rule in enumerate(self.standard.rules)}
        return sorted(judged, key=lambda rule: order[rule.id]), not_judged

    def _phases(self) -> tuple[Phase, ...]:
        return self.standard.phases or (Phase(tuple({rule.group for rule in self.standard.rules})),)

    def _plans(self, chosen: Sequence[Rule], scope: Scope) -> list[Plan]:
        return [
            plan_rules(self.standard, [rule for rule in chosen if rule.group in phase.groups], scope)
            for phase in self._phases()
        ]
