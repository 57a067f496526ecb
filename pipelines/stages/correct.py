"""Answers come back in workbooks: explanations, promised source fixes, report corrections. Whoever answers decides nothing.

A genuine workbook is taken line by line: what the contract or a rule refuses comes back in an annotated workbook, the rest
waits for its department. Baosong never writes to the core; accepting is `decide`'s work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused, text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import AnswersReceived
from pipelines.stages.bulk_facts import ANSWERS, frame, keep, kept
from pipelines.stages.canonical import file_digest, write_durably
from pipelines.stages.finding_acts import answers_given
from pipelines.stages.handlings import Handled
from pipelines.stages.held import record_with_held
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.issue import problem
from pipelines.stages.register import register
from pipelines.stages.trial import breaking
from pipelines.stages.typed_value import typed_value
from pipelines.stages.workbooks import (
    Answer,
    Answers,
    GivenAnswer,
    Problem,
    WorkbookIdentity,
    read_answers,
    read_identity,
    write_branch_workbook,
)
from resources.deployment import User
from validations.engine import Standard


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

    done = Imported(identity, unanswered=len(answers.unanswered), notices=answers.notices)
    said, returned = _sort(installation, state, standard, asked, answers, user, done)
    done.handlings = dict(Counter(each.handling for each in said.values()))
    done.returned = {finding: why for finding, (_, why) in returned.items()}
    if returned:
        done.annotated = _annotate(installation, identity, workbook, problems, answers, returned)
    annotated = file_digest(done.annotated) if done.annotated else ""
    is_known = any(a.fact.annotated == annotated and a.actor == user.id for a in state.answers)
    if said or (returned and not is_known):
        keep_workbook(installation, filing, workbook, identity)
        digest = file_digest(workbook)
        fact = AnswersReceived(
            round=identity.round,
            content=identity.content,
            organisation=identity.organisation,
            department=identity.department,
            workbook=digest,
            answers=keep(installation, filing, frame(map(asdict, said.values()), ANSWERS)),
            handlings=done.handlings,
            returned=len(returned),
            annotated=annotated,
            held=(),
        )
        command = f"answers:{state.seq}:{user.id}:{digest[:16]}"
        record_with_held(installation, state, fact, actor=user.id, command=command)
    return done


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
    if state.is_in_sign_off or state.packages:
        raise Refused("correct.not_awaited", filing=state.id, stage=text(f"cli.stage.{state.stage}"))
    return kept(installation, state.id, asked.problems).filter(
        pl.col("organisation") == identity.organisation,
        pl.col("department") == identity.department,
        pl.col("part") == identity.part,
    )


def _sort(
    installation: Installation,
    state: FilingState,
    standard: Standard,
    asked: pl.DataFrame,
    answers: Answers,
    user: User,
    done: Imported,
) -> tuple[dict[str, Handled], dict[str, tuple[GivenAnswer, str]]]:
    """The answers to take and the lines to return with their reason, by finding."""
    known = register(installation, state)
    now = {
        row["finding"]: row for row in known.join(asked.select("finding"), on="finding").iter_rows(named=True)
    }
    rows = {row["finding"]: row for row in asked.iter_rows(named=True)}
    mine = _said_by(installation, state, user)
    said: dict[str, Handled] = {}
    returned = {line.finding: (line.given, line.remark) for line in answers.mistaken}
    for answer in answers.answers:
        row = now[answer.finding]
        is_open = row["holder"] in ("answer", "decide") and row["asked_seq"] == done.identity.dispatch
        again = row["holder"] == "decide" and mine.get(answer.finding) == (
            answer.handling, answer.new_value, answer.reason,
        )  # fmt: skip
        if not is_open or again:
            done.unchanged += 1
        elif mistake := _mistake(standard, rows[answer.finding], answer):
            returned[answer.finding] = (answer.given, str(mistake))
        else:
            said[answer.finding] = _handled(rows[answer.finding], answer, user)
    given = {answer.finding: answer.given for answer in answers.answers}
    corrections = [each for each in said.values() if each.handling == "report_correction"]
    for finding, why in breaking(installation, state, corrections, _undecided(known, said)).items():
        returned[finding] = (given[finding], why)
        del said[finding]
    return said, returned


def _said_by(
    installation: Installation, state: FilingState, user: User
) -> dict[str, tuple[str, str | None, str]]:
    """What this person answered last to each finding."""
    said: dict[str, tuple[str, str | None, str]] = {}
    for answers in answers_given(installation, state):
        theirs = answers.filter(pl.col("user") == user.id)
        for finding, *answer in theirs.select("finding", "handling", "new_value", "reason").iter_rows():
            said[finding] = (answer[0], answer[1], answer[2])
    return said


def _undecided(known: pl.DataFrame, said: Mapping[str, Handled]) -> list[Handled]:
    """Corrections of others that wait for a decision: they may stand beside these, or make them wrong."""
    waiting = known.filter(
        pl.col("holder") == "decide",
        pl.col("handling") == "report_correction",
        ~pl.col("finding").is_in(list(said)),
    )
    return [
        Handled(
            **{
                name: row[name]
                for name in ("finding", "rule", "severity", "table", "key", "field", "department")
            },
            rule_digest=row["answered_digest"],
            value=row["answered_value"],
            expected=row["answered_expected"],
            difference=row["answered_difference"],
            handling="report_correction",
            new_value=row["new_value"],
            reason=row["answer_reason"],
            organisation=row["branch"],
            user=row["answered_by"],
        )
        for row in waiting.iter_rows(named=True)
    ]


def _mistake(standard: Standard, row: Mapping[str, Any], answer: Answer) -> BaosongError | None:
    sheet, line = answer.sheet, answer.row
    if answer.handling == "explanation" and row["severity"] == "block":
        rule = standard.rule(row["rule"])
        return BadInput(
            "correct.block_explained", rule=rule.id, message=rule.message.zh, sheet=sheet, row=line
        )
    if answer.handling == "report_correction":
        table, name = standard.table(row["table"]), row["field"]
        if not name or name in table.key or table.derive is not None:
            return BadInput("correct.key_correction", field=name or "—", sheet=sheet, row=line)
        try:
            typed_value(table, name, answer.new_value or "")
        except BadInput as error:
            return BadInput("correct.value", details=[error], sheet=sheet, row=line)
    return None


def _handled(row: Mapping[str, Any], answer: Answer, user: User) -> Handled:
    of_cell = {name: row[name] for name in ANSWERS if name in row}
    return Handled(
        **of_cell,
        handling=answer.handling,
        new_value=answer.new_value,
        reason=answer.reason,
        user=user.id,
    )


def _annotate(
    installation: Installation,
    identity: WorkbookIdentity,
    workbook: Path,
    problems: list[Problem],
    answers: Answers,
    returned: Mapping[str, tuple[GivenAnswer, str]],
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
        remarks={finding: why for finding, (_, why) in returned.items()},
    )
    return path


def keep_workbook(
    installation: Installation, filing: str, workbook: Path, identity: WorkbookIdentity
) -> None:
    """Keep what came back as it came, durably, before an event names it."""
    name = f"{identity.organisation}-{identity.department}-{file_digest(workbook)[:16]}.xlsx"
    write_durably(installation.folder("answers", filing) / name, workbook.read_bytes())
