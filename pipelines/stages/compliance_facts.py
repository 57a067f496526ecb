"""What the compliance review reads: every time a finding was reviewed, asked, answered and decided, each with its event.

The register tells only the latest of each; a review of the process needs them all. What is asked of them is
`compliance_checks.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.ledger.recorded import Recorded
from pipelines.stages.bulk_facts import kept
from pipelines.stages.finding_acts import MOMENT, moment
from pipelines.stages.installation import Installation
from pipelines.stages.register import register

_COLUMNS: dict[str, Any] = {
    "finding": pl.String, "user": pl.String, "decision": pl.String, "handling": pl.String,
}  # fmt: skip
_EVENT: dict[str, Any] = {"seq": pl.Int64, "at": MOMENT, "who": pl.String, "due": pl.Date}


@dataclass(frozen=True)
class Acts:
    """`rows` of the register; the others have a row per finding and act: `seq`, `at` and `who` of the event, `due` of a question,
    `user` of an answer or of the answer decided on."""

    installation: Installation
    state: FilingState
    rows: pl.DataFrame
    reviewed: pl.DataFrame
    asked: pl.DataFrame
    answered: pl.DataFrame
    decided: pl.DataFrame

    def of(self, department: str) -> Acts:
        """The same for the findings of one department."""
        rows = self.rows.filter(pl.col("department") == department)
        found = rows.select("finding")
        return replace(
            self,
            rows=rows,
            reviewed=self.reviewed.join(found, on="finding", how="semi"),
            asked=self.asked.join(found, on="finding", how="semi"),
            answered=self.answered.join(found, on="finding", how="semi"),
            decided=self.decided.join(found, on="finding", how="semi"),
        )

    @property
    def departments(self) -> tuple[str, ...]:
        """Those that own findings, in the deployment's order."""
        owners = set() if self.rows.is_empty() else set(self.rows["department"].unique())
        return tuple(code for code in self.installation.deployment.departments if code in owners)

    @property
    def accepted(self) -> pl.DataFrame:
        return self.decided.filter(pl.col("decision") == "accept")


def read_acts(installation: Installation, state: FilingState, rows: pl.DataFrame | None = None) -> Acts:
    """All that people did about the findings of a filing; `rows` is its register, where somebody has it already."""
    asked = [(r, r.fact.problems) for r in (*state.dispatches, *state.answer_reviews) if r.fact.problems]
    answers = [(r, r.fact.answers) for r in state.answers if r.fact.answers]
    return Acts(
        installation,
        state,
        register(installation, state) if rows is None else rows,
        _facts(installation, state, [(r, r.fact.decisions) for r in state.first_reviews]),
        _facts(installation, state, asked),
        _facts(installation, state, answers),
        _facts(installation, state, [(r, r.fact.decisions) for r in state.answer_reviews]),
    )


def _facts(
    installation: Installation, state: FilingState, named: Sequence[tuple[Recorded[Any], str]]
) -> pl.DataFrame:
    frames = [pl.DataFrame(schema={**_COLUMNS, **_EVENT})]
    for recorded, digest in named:
        rows = kept(installation, state.id, digest)
        columns = [
            pl.col(name) if name in rows.columns else pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in _COLUMNS.items()
        ]
        frames.append(
            rows.select(
                *columns,
                seq=pl.lit(recorded.seq, dtype=pl.Int64),
                at=moment(recorded.at),
                who=pl.lit(recorded.actor),
                due=pl.lit(getattr(recorded.fact, "answer_by", None), dtype=pl.Date),
            )
        )
    return pl.concat(frames)


def day() -> pl.Expr:
    """The day of an act, where it was recorded."""
    return pl.col("at").dt.convert_time_zone("Asia/Shanghai").dt.date()
