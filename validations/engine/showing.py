"""What a rule runs, as a person writing it wants to read it. Nothing is run here."""

from __future__ import annotations

from validations.engine.constraints import constraints_of
from validations.engine.field_constraints import field_constraints
from validations.engine.row_sql import row_findings, row_rule
from validations.engine.scope import row_tables
from validations.engine.shape_statements import shape_statements
from validations.engine.standard import Rule, Standard


def show_sql(standard: Standard, rule_id: str, report: str | None = None) -> str:
    """The SQL of a rule over each of its tables; for a constraint the expressions of its contract. Raises KeyError."""
    rule = standard.rule(rule_id)
    names = standard.report(report).tables if report else tuple(standard.tables)
    if rule.constraint is not None:
        return "\n".join(_constraint(standard, rule, name, report) for name in names).strip()
    if rule.holds is not None:
        tables = [standard.table(name) for name in row_tables(standard, rule) if name in names]
        return "\n\n".join(_tidy(row_findings(table, [row_rule(standard, table, rule)])) for table in tables)
    if rule.query is not None:
        return rule.query.read_text(encoding="utf-8").strip()
    if rule.shape is not None:
        return "\n\n".join(_tidy(s.sql) for _, s in shape_statements(standard, rule, names, ()))
    return ""


def _constraint(standard: Standard, rule: Rule, name: str, report: str | None) -> str:
    table = standard.table(name)
    lines: list[str] = []
    for field in table.stored_fields:
        judged = constraints_of(standard, table, rule, field)
        shown = [c for c in field_constraints(standard, table, field, report, None) if c.name in judged]
        lines += [f"{name}.{field.name}: {_short(str(constraint.holds))}" for constraint in shown]
    return "\n".join(lines)


def _short(expression: str) -> str:
    return expression if len(expression) <= 2000 else expression[:2000] + " …"


def _tidy(sql: str) -> str:
    lines = sql.strip("\n").splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines).strip()
