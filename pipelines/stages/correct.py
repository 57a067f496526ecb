"""Answers come back, in workbooks or one by one: explanations, promised source fixes, report corrections.

A genuine workbook is taken line by line: what the contract or a rule refuses comes back in an annotated workbook, the rest
waits for its department. Whoever answers decides nothing, and Baosong never writes to the core. Whether an answer can be
taken `answer_judging` says; accepting is `decide`'s work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused, text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import AnswersReceived
from pipelines.stages.again import asked_again
from pipelines.stages.answer_judging import Sorted, remark_of, sort_answers
from pipelines.stages.bulk_facts import ANSWERS, frame, keep, kept
from pipelines.stages.canonical import file_digest, write_durably
from pipelines.stages.held import record_with_held
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.issue import problem, workbook_identity
from pipelines.stages.register import register
from pipelines.stages.workbooks import (
    HANDLING_WORDS,
    Answers,
    GivenAnswer,
    Problem,
    WorkbookIdentity,
    judge_given,
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
    found = sort_answers(installation, state, known, asked, answers, user)
    done = _imported(answers, found)
    if found.returned:
        done.annotated = _annotate(installation, identity, workbook, problems, answers, found.returned)
    annotated = file_digest(done.annotated) if done.annotated else ""
    is_known = any(a.fact.annotated == annotated and a.actor == user.id for a in state.answers)
    if found.said or (found.returned and not is_known):
        keep_workbook(installation, filing, workbook, identity)
        digest = file_digest(workbook)
        _record(installation, state, identity, found, user, workbook=digest, annotated=annotated)
    return done


@asked_again
def answer_finding(
    installation: Installation,
    filing: str,
    user: User,
    finding: str,
    *,
    handling: str,
    new_value: str = "",
    reason: str = "",
) -> Imported:
    """Take one answer that was given without a workbook, as a line of one; what a line would come back for is raised instead.

    The same answer twice changes nothing. Raises BadInput for an answer that cannot be taken, Refused for another branch's
    finding, for one that waits for no answer, and when nothing is awaited.
    """
    require_role(user, "branch_preparer", act="answer")
    state = installation.state(filing)
    known = register(installation, state)
    identity, asked = _question(installation, state, known, finding, user)
    question = problem(installation.standard(state.opened.fact.standard), asked.row(0, named=True))
    words = {code: word for word, code in HANDLING_WORDS.items()}
    answers = judge_given(question, identity, GivenAnswer(words.get(handling, handling), new_value, reason))
    found = sort_answers(installation, state, known, asked, answers, user, is_masked=True)
    if found.returned:
        _, why = found.returned[finding]
        raise BadInput("correct.answer_refused", details=[_without_place(each) for each in why])
    if found.said:
        _record(installation, state, identity, found, user)
    return _imported(answers, found)


def _imported(answers: Answers, found: Sorted) -> Imported:
    return Imported(
        answers.identity,
        handlings=dict(Counter(each.handling for each in found.said.values())),
        returned={finding: remark_of(why) for finding, (_, why) in found.returned.items()},
        unchanged=found.unchanged,
        unanswered=len(answers.unanswered),
        notices=answers.notices,
    )


def _record(
    installation: Installation,
    state: FilingState,
    identity: WorkbookIdentity,
    found: Sorted,
    user: User,
    *,
    workbook: str = "",
    annotated: str = "",
) -> None:
    """Say in the ledger which answers were taken and how many came back; without a workbook its digests are empty."""
    fact = AnswersReceived(
        round=identity.round,
        content=identity.content,
        organisation=identity.organisation,
        department=identity.department,
        workbook=workbook,
        answers=keep(installation, state.id, frame(map(asdict, found.said.values()), ANSWERS)),
        handlings=dict(Counter(each.handling for each in found.said.values())),
        returned=len(found.returned),
        annotated=annotated,
        held=(),
    )
    command = f"answers:{state.seq}:{user.id}:{(workbook or fact.answers)[:16]}"
    record_with_held(installation, state, fact, actor=user.id, command=command)


def _question(
    installation: Installation, state: FilingState, known: pl.DataFrame, finding: str, user: User
) -> tuple[WorkbookIdentity, pl.DataFrame]:
    """What was asked last about one finding, of whom. Raises Refused when it waits for no answer of this person's branch."""
    rows = known.filter(pl.col("finding") == finding) if state.content else known
    if rows.is_empty():
        raise Refused("correct.not_asked", finding=finding)
    row = rows.row(0, named=True)
    if not user.may_see(row["branch"]):
        raise Refused("correct.other_branch", user=user.id, organisation=row["branch"])
    _require_awaited(state)
    asking = (*state.dispatches, *state.answer_reviews)
    act = next((each for each in asking if each.seq == row["asked_seq"]), None)
    assert state.content is not None, "the register has the finding"
    if row["holder"] not in ("answer", "decide") or act is None:
        raise Refused("correct.not_asked", finding=finding)
    if act.fact.content != state.content.fact.content:
        raise Refused("correct.asked_before", round=act.fact.round, now=state.round)
    asked = kept(installation, state.id, act.fact.problems).filter(pl.col("finding") == finding)
    line = asked.row(0, named=True)
    identity = workbook_identity(
        installation,
        state,
        line["department"],
        line["organisation"],
        act.fact.answer_by,
        part=line["part"],
        parts=line["part"],
    )
    return replace(identity, dispatch=act.seq), asked


def _without_place(error: BaosongError | str) -> BaosongError:
    """Why a line cannot be taken, where there is no sheet and no cell to name."""
    if isinstance(error, str):
        return BadInput("correct.here.rule", why=error)
    name = error.code.rsplit(".", 1)[-1]
    return BadInput(f"correct.here.{name}", details=error.details, **error.values)


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
    _require_awaited(state)
    return kept(installation, state.id, asked.problems).filter(
        pl.col("organisation") == identity.organisation,
        pl.col("department") == identity.department,
        pl.col("part") == identity.part,
    )


def _require_awaited(state: FilingState) -> None:
    if state.is_in_sign_off or state.packages:
        raise Refused("correct.not_awaited", filing=state.id, stage=text(f"cli.stage.{state.stage}"))


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
