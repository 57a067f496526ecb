"""Which findings a person means: by rule, table, branch, department, state or key. What is done with them is not known here."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_MOST_SAID = 10


@dataclass(frozen=True)
class Selection:
    """Findings that match in every named respect; nothing named means all."""

    rules: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows of the register that are meant."""
        named = {
            "rule": self.rules, "table": self.tables, "branch": self.branches, "department": self.departments,
            "finding": self.findings, "state": self.states,
        }  # fmt: skip
        wanted = [pl.col(column).is_in(list(values)) for column, values in named.items() if values]
        return rows.filter(*wanted) if wanted else rows

    def __str__(self) -> str:
        said = (*self.rules, *self.tables, *self.branches, *self.departments, *self.findings, *self.states)
        shown = ", ".join(said[:_MOST_SAID]) or "—"
        return f"{shown} … ({len(said):,})" if len(said) > _MOST_SAID else shown
