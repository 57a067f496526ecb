"""What a finding says and what it has been through: rule, citation, figures, and in which contents of the filing it was found.

And what people did about it. Which rows are wrong is the judge's matter, what becomes of a finding that of `register`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import polars as pl

from pipelines.errors import LANGUAGE, BadInput, Tampered, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.bulk_facts import kept
from pipelines.stages.canonical import file_digest
from pipelines.stages.installation import Installation
from pipelines.stages.masking import masked, personal_fields
from pipelines.stages.register import register
from validations.engine import Standard


@dataclass(frozen=True)
class Sighting:
    """One content that was judged, and whether the finding was in it, with what figures then."""

    seq: int
    at: datetime
    round: int
    content: str
    is_found: bool
    value: str | None = None
    expected: str | None = None
    difference: str | None = None
    waiver: str | None = None


@dataclass(frozen=True)
class Act:
    """What somebody did about the finding: `what` is a kind of act, `said` its words (handling, value, reason, remark)."""

    seq: int
    at: datetime
    who: str
    what: Literal[
        "first_review",
        "asked",
        "answered",
        "accept",
        "send_back",
        "waived",
        "waiver_revoked",
        "correction_decided",
    ]
    said: str


@dataclass(frozen=True)
class FindingStory:
    """A finding as it was found last: its rule in words, its cell, its figures; and its history, the oldest content first."""

    filing: str
    finding: str
    rule: str
    severity: str
    message: str
    citation: str
    table: str
    key: dict[str, str | None]
    organisation: str | None
    field: str | None
    value: str | None
    expected: str | None
    difference: str | None
    reason: str | None
    is_current: bool
    state: str
    holder: str | None
    history: tuple[Sighting, ...]
    acts: tuple[Act, ...]


def tell_finding(
    installation: Installation,
    state: FilingState,
    finding: str,
    *,
    rows: pl.LazyFrame | None = None,
    is_masked: bool = True,
) -> FindingStory:
    """The story of a finding by its id; personal data is masked unless somebody may see it, who records that.

    `rows` is the filing's register, where somebody has it already. Raises BadInput for one that no content of this filing
    had, Tampered when the findings of a content are not what the ledger recorded.
    """
    standard = installation.standard(state.opened.fact.standard)
    if state.content is None:
        raise BadInput("explain.no_finding", filing=state.id, contents=0, finding=finding)
    rows = register(installation, state).lazy() if rows is None else rows
    known = rows.filter(pl.col("finding") == finding).collect()
    if known.is_empty():
        raise BadInput("explain.no_finding", filing=state.id, contents=len(state.contents), finding=finding)
    now = known.row(0, named=True)
    found = dict(_rows(installation, state, now))
    row = next(found[judged.seq] for judged in reversed(state.contents) if judged.seq in found)
    history = _history(standard, state, found, is_masked=is_masked)
    rule = next((each for each in standard.rules if each.id == row["rule"]), None)
    personal = personal_fields(standard, row["table"]) if is_masked else frozenset[str]()
    hides = row["field"] in personal
    key: dict[str, str | None] = json.loads(row["key"])
    return FindingStory(
        filing=state.id,
        finding=finding,
        rule=row["rule"],
        severity=row["severity"],
        message=getattr(rule.message, LANGUAGE.get()) if rule else "",
        citation=rule.citation if rule else "",
        table=row["table"],
        key={name: masked(value, name in personal) for name, value in key.items()},
        organisation=row["organisation"],
        field=row["field"],
        value=masked(row["value"], hides),
        expected=masked(row["expected"], hides),
        difference=masked(row["difference"], hides),
        reason=masked(row["reason"], bool(personal)),
        is_current=history[-1].is_found,
        state=now["state"],
        holder=now["holder"],
        history=history,
        acts=tuple(sorted(_acts(installation, state, finding, hides=hides), key=lambda act: act.seq)),
    )


def _history(
    standard: Standard, state: FilingState, rows: Mapping[int, dict[str, Any]], *, is_masked: bool
) -> tuple[Sighting, ...]:
    """In which of the contents judged so far the finding was found (`rows` by the place of the judging), the oldest first."""
    sightings: list[Sighting] = []
    for judged in state.contents:
        row = rows.get(judged.seq)
        hides = is_masked and row is not None and row["field"] in personal_fields(standard, row["table"])
        sightings.append(
            Sighting(
                seq=judged.seq,
                at=judged.at,
                round=judged.fact.round,
                content=judged.fact.content,
                is_found=row is not None,
                value=masked(row["value"], hides) if row else None,
                expected=masked(row["expected"], hides) if row else None,
                difference=masked(row["difference"], hides) if row else None,
                waiver=row["waiver"] if row else None,
            )
        )
    return tuple(sightings)


def _acts(installation: Installation, state: FilingState, finding: str, *, hides: bool) -> Iterator[Act]:
    """Everything that people did about the finding."""

    names = {each.code: each.name for each in installation.deployment.organisations}

    def branch(code: str | None) -> str | None:
        return names.get(code, code) if code else code

    def department(code: str | None) -> str | None:
        known = installation.deployment.departments.get(code or "")
        return getattr(known.title, LANGUAGE.get()) if known else code

    def row_of(digest: str) -> dict[str, Any] | None:
        if not digest:
            return None
        rows = kept(installation, state.id, digest).filter(pl.col("finding") == finding)
        return rows.row(0, named=True) if rows.height else None

    for reviewed in state.first_reviews:
        if row := row_of(reviewed.fact.decisions):
            word = text(f"explain.review.{row['decision']}")
            said = _words(word, department(row["department"]), branch(row["organisation"]), row["reason"])
            yield Act(reviewed.seq, reviewed.at, reviewed.actor, "first_review", said)
    for asked in (*state.dispatches, *state.answer_reviews):
        if row := row_of(asked.fact.problems):
            whom = (branch(row["organisation"]), department(row["department"]))
            said = _words(*whom, str(asked.fact.answer_by), row["remark"])
            yield Act(asked.seq, asked.at, asked.actor, "asked", said)
    for answered in state.answers:
        if row := row_of(answered.fact.answers):
            handling = text(f"cli.handling.{row['handling']}")
            said = _words(handling, masked(row["new_value"], hides), row["reason"])
            yield Act(answered.seq, answered.at, answered.actor, "answered", said)
    for decided in state.answer_reviews:
        if row := row_of(decided.fact.decisions):
            yield Act(decided.seq, decided.at, decided.actor, row["decision"], row["remark"])
    numbers = {w.fact.number for w in state.waivers if row_of(w.fact.findings)}
    for waiver in (w for w in state.waivers if w.fact.number in numbers):
        fact = waiver.fact
        said = f"{fact.number} {fact.sign_off} {fact.expires} {fact.reason}"
        yield Act(waiver.seq, waiver.at, waiver.actor, "waived", said)
    for revoked in (r for r in state.revocations if r.fact.number in numbers):
        said = f"{revoked.fact.number} {revoked.fact.reason}"
        yield Act(revoked.seq, revoked.at, revoked.actor, "waiver_revoked", said)
    for correction in (c for c in state.corrections_decided if c.fact.finding == finding):
        said = f"{text(f'explain.correction.{correction.fact.decision}')} {correction.fact.reason}"
        yield Act(correction.seq, correction.at, correction.actor, "correction_decided", said)


def _words(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def _rows(
    installation: Installation, state: FilingState, known: Mapping[str, Any]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The finding's row in every content that had it, by the place of the judgement in the ledger; `known` is its row of the
    register.

    A content that was judged twice keeps one file, that of the last time; it is held against the last record of it. The files
    are sorted by rule, table and key, so that little of them is read.
    """
    latest = {judged.fact.content: judged.fact.findings for judged in state.contents}
    same = [pl.col(name) == known[name] for name in ("rule", "table", "key", "finding")]
    for judged in state.contents:
        path = installation.folder("contents", state.id) / judged.fact.content / "findings.parquet"
        if not path.is_file() or _digest(path, _version(path)) != latest[judged.fact.content]:
            raise Tampered("validate.findings_changed", path=path)
        found = pl.scan_parquet(path).filter(*same).head(1).collect()
        for row in found.iter_rows(named=True):
            yield judged.seq, row


def _version(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written: who only looks at a finding need not have the whole file hashed each time."""
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


@lru_cache(maxsize=256)
def _digest(path: Path, _: tuple[int, int, int]) -> str:
    return file_digest(path)
