"""Run every rule on the content that exists now, and record what was found. What people make of it is `review`'s work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import ContentValidated
from pipelines.stages.baseline import references
from pipelines.stages.canonical import file_digest
from pipelines.stages.content import Content, build_content, parameters_of
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.register import found_in
from pipelines.stages.waivers import engine_waivers
from validations.engine import judge


def validate(
    installation: Installation, filing: str, *, progress: Callable[[str, int, int], None] | None = None
) -> FilingState:
    """Build the content of the latest round and judge it.

    The same content is judged once per standard version and per content that it is compared with.
    """
    state = installation.state(filing)
    content = build_content(installation, state)
    standard = installation.standard(state.opened.fact.standard)
    compared = references(installation, state, standard)
    judged = state.content.fact if state.content else None
    found = findings_path(content)
    if (
        judged
        and judged.content == content.digest
        and judged.reference == compared.digest
        and found.is_file()
        and file_digest(found) == judged.findings
    ):
        return state
    judgement = judge(
        standard,
        content.tables,
        report=state.opened.fact.report,
        parameters={**parameters_of(state), **compared.parameters},
        findings=findings_path(content),
        references=compared.tables,
        waivers=engine_waivers(installation, state),
        nil_returns=state.nil_returns,
        demanded=state.tables or None,
        progress=progress,
    )
    severities = judgement.by_severity
    fact = ContentValidated(
        content=content.digest,
        round=content.round,
        standard_version=judgement.standard_version,
        standard_digest=judgement.standard_digest,
        findings=file_digest(judgement.findings),
        rows=sum(judgement.rows.values()),
        counts=judgement.counts,
        block=severities.get("block", 0),
        explain=severities.get("explain", 0),
        note=severities.get("note", 0),
        overlays=len(content.overlays),
        reference=compared.digest,
        not_judged={each.rule: each.missing for each in judgement.not_judged},
        not_judged_why={each.rule: each.why for each in judgement.not_judged},
    )
    return installation.record(
        state, fact, actor=SYSTEM, command=f"content:{content.digest}:after:{_after(state)}"
    )


def findings_path(content: Content) -> Path:
    """Where the findings of a content lie."""
    return content.folder / "findings.parquet"


def read_findings(installation: Installation, state: FilingState) -> pl.DataFrame:
    """The findings of the content judged last. Raises Tampered when the file is not the one recorded."""
    assert state.content is not None, "read only after validation"
    return found_in(installation, state, state.content.fact)


def _after(state: FilingState) -> int:
    """Content may return to an earlier state; then it is judged, and recorded, anew."""
    return state.content.seq if state.content else 0
