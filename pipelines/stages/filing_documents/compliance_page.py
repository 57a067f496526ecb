"""The compliance review (审核流程合规审查) as a page attached to the sign-off, for whoever signs and whoever examines later.

What is checked is `compliance_checks`' matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import LANGUAGE, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.compliance import Check, compliance
from pipelines.stages.content import sign_off_number
from pipelines.stages.filing_documents.pages import write_page
from pipelines.stages.installation import Installation

_RESULTS = ("kept", "deviation", "not_applicable")


@dataclass(frozen=True)
class Part:
    """The checks of one department, or of the whole filing."""

    name: str
    checks: tuple[Check, ...]
    results: Mapping[str, str]


def is_reviewed_for_compliance(installation: Installation, state: FilingState) -> bool:
    """Whether the filing's route has a compliance review."""
    route = installation.deployment.routes[state.opened.fact.standard]
    return any(step.kind == "compliance" for step in route.steps)


def write_compliance_page(
    installation: Installation, state: FilingState, path: Path, rows: pl.DataFrame
) -> None:
    """Write the review as it stands now; `rows` is the register."""
    review = compliance(installation, state, rows=rows)
    departments = installation.deployment.departments
    names = {code: getattr(each.title, LANGUAGE.get()) for code, each in departments.items()}
    results = {name: text(f"compliance.result.{name}") for name in _RESULTS}
    write_page(
        path,
        "compliance_review.html",
        filing=state.id,
        sign_off=sign_off_number(state),
        content=review.content,
        checks=len(review.checks),
        deviations=len(review.deviations),
        parts=[
            Part(names.get(code, text("compliance.whole")), review.of(code), results)
            for code in ("", *review.departments)
        ],
    )
