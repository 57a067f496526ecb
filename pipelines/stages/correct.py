"""Answers come back in workbooks: explanations, promised source fixes, report corrections.

A genuine workbook is taken line by line: what the contract or a rule refuses comes back in an annotated workbook, the rest
waits for its department. Whoever answers decides nothing, and Baosong never writes to the core. Whether an answer can be
taken `answer_judging` says, answers given on a page are `answer_page`'s, accepting is `decide`'s work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import AnswersReceived
from pipelines.stages.again import asked_again
from pipelines.stages.answer_judging import Sorted, remark_of, sort_answers
from pipelines.stages.bulk_facts import ANSWERS, frame, keep, kept
from pipelines.stages.canonical import file_digest, write_durably
from pipelines.stages.held import record_with_held
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.issue import problem
from pipelines.stages.questions import require_awaited
from pipelines.stages.register import register
from pipelines.stages.workbooks import (
    Answers,
    GivenAnswer,
    Problem,
    WorkbookIdentity,
    read_answers,
    read_identity,
    write_branch_workbook,
)
from resources.deployment import User


@dataclass
class Imported:
    """What became of a workbook: the handlings taken, the lines that came back and why, the workbook that says so, how many
    lines say what was said or decided already, how many are still open, what was adjusted while reading."""

    identity: WorkbookIdentity
    handlings: dict[str, int] = field(default_factory=dict[str, int])
    returned: dict[str, str] = field(default_factory=dict[str, str])
    annotated: Path | None = None
    unchanged: int = 0
    unanswered: int = 0
    notices: tuple[str, ...] = ()


@asked_again
def import_answers(installation: Installation, filing: str, workbook: Path, user: User) -> Imported:
    """Take in one filled workbook. The same answers twice change nothing.

    Raises BadInput for a workbook that is not the one sent out or was altered, Refused for another branch's, for one of an
    earlier content, and when nothing is awaited.
    """
    require_role(user, "branch_preparer", act="answer")
    state = installation.state(filing)
    if not workbook.is_file():
        raise BadInput("correct.no_workbook", file=workbook)
    key = installation.workbook_key()
    identity = read_identity(workbook, key=key)
    if identity.filing != filing:
        raise BadInput("correct.other_filing", file=workbook.name, found=identity.filing, expected=filing)
    if not user.may_see(identity.organisation):
        raise Refused("correct.other_organisation", user=user.id, organisation=identity.organisation)
    asked = _asked(installation, state, identity, workbook)
    standard = installation.standard(state.opened.fact.standard)
    problems = [problem(standard, row) for row in asked.iter_rows(named=True)]
    answers = read_answers(workbook, identity, problems, key=key)

    known = register(installation, state)
    found = sort_answers(installation, state, known, asked, answers.answers, answers.mistaken, user)
    done = _imported(answers, found)
    if found.returned:
        done.annotated = _annotate(installation, identity, workbook, problems, answers, found.returned)
    annotated = file_digest(done.annotated) if done.annotated else ""
    is_known = any(a.fact.annotated == annotated and a.actor == user.id for a in state.answers)
    if found.said or (found.returned and not is_known):
        keep_workbook(installation, filing, workbook, identity)
        digest = file_digest(workbook)
        record_answers(installation, state, found, user, workbook=digest, annotated=annotated, of=identity)
    return done


def _imported(answers: Answers, found: Sorted) -> Imported:
    return Imported(
        answers.identity,
        handlings=dict(Counter(each.handling for each in found.said.values())),
        returned={finding: remark_of(why) for finding, (_, why) in found.returned.items()},
        unchanged=found.unchanged,
        unanswered=len(answers.unanswered),
        notices=answers.notices,
    )


def record_answers(
    installation: Installation,
    state: FilingState,
    found: Sorted,
    user: User,
    *,
    workbook: str = "",
    annotated: str = "",
    of: WorkbookIdentity | None = None,
) -> None:
    """Say in the ledger which answers were taken and how many came back, `of` which workbook; without one its digests are empty."""
    assert state.content is not None, "answers are to a judged content"
    said = found.said.values()
    organisations = {of.organisation} if of else {each.organisation for each in said}
    departments = {of.department} if of else {each.department for each in said}
    fact = AnswersReceived(
        round=state.content.fact.round,
        content=state.content.fact.content,
        organisation=", ".join(sorted(organisations)),
        department=", ".join(sorted(departments)),
        workbook=workbook,
        answers=keep(installation, state.id, frame(map(asdict, said), ANSWERS)),
        handlings=dict(Counter(each.handling for each in said)),
        returned=len(found.returned),
        annotated=annotated,
        held=(),
    )
    command = f"answers:{state.seq}:{user.id}:{(workbook or fact.answers)[:16]}"
    record_with_held(installation, state, fact, actor=user.id, command=command)


def _asked(
    installation: Installation, state: FilingState, identity: WorkbookIdentity, workbook: Path
) -> pl.DataFrame:
    """What this workbook asks, as it was sent. Raises Refused when it asks about another content than the one judged now."""
    sent = {act.seq: act.fact for act in (*state.dispatches, *state.answer_reviews)}
    asked = sent.get(identity.dispatch)
    judged = state.content.fact.content if state.content else None
    if asked is None or asked.content != judged or identity.content != judged:
        raise Refused(
            "correct.other_content",
            file=workbook.name,
            round=identity.round,
            now=state.round,
            filing=state.id,
        )
    require_awaited(state)
    return (
        kept(installation, state.id, asked.problems)
        .filter(
            pl.col("organisation") == identity.organisation,
            pl.col("department") == identity.department,
            pl.col("part") == identity.part,
        )
        .with_columns(asked_seq=pl.lit(identity.dispatch, dtype=pl.Int64))
    )


def _annotate(
    installation: Installation,
    identity: WorkbookIdentity,
    workbook: Path,
    problems: list[Problem],
    answers: Answers,
    returned: Mapping[str, tuple[GivenAnswer, tuple[BaosongError | str, ...]]],
) -> Path:
    """The workbook as it was answered, with the reason beside every line that came back; mended, it is imported like the first."""
    given = {answer.finding: answer.given for answer in answers.answers}
    given.update({finding: line for finding, (line, _) in returned.items()})
    place = (
        installation.folder("returned", identity.filing) / file_digest(workbook)[:16]
    )  # branches like one name
    path = place / f"{workbook.stem}-退回.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_branch_workbook(
        path,
        identity,
        problems,
        key=installation.workbook_key(),
        given=given,
        remarks={finding: remark_of(why) for finding, (_, why) in returned.items()},
    )
    return path


def keep_workbook(
    installation: Installation, filing: str, workbook: Path, identity: WorkbookIdentity
) -> None:
    """Keep what came back as it came, durably, before an event names it."""
    name = f"{identity.organisation}-{identity.department}-{file_digest(workbook)[:16]}.xlsx"
    write_durably(installation.folder("answers", filing) / name, workbook.read_bytes())
