"""Answers come back: explanations, promised source fixes, report corrections with their change requests.

Baosong never writes to the core: a source fix is made there by the branch and must show in the next round. A report
correction becomes an overlay when the next content is built. Judging the result is `validate`'s work.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState, Recorded
from pipelines.ledger.filing_events import AnswersReceived, ChangeRequestRaised
from pipelines.stages.canonical import canonical_json, file_digest
from pipelines.stages.content import sign_off_number, typed_value
from pipelines.stages.handlings import Handled, current_handlings, write_answers
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.review import problems_by_organisation, workbook_identity
from pipelines.stages.workbooks import Answer, Problem, read_answers
from resources.deployment import User
from validations.engine import Standard


def import_answers(installation: Installation, filing: str, workbook: Path, user: User) -> FilingState:
    """Take in one organisation's filled workbook: all of it or, with every mistake named, nothing of it.

    Importing the same workbook twice changes nothing. Raises BadInput for a workbook that is not the one sent out,
    Refused for another organisation's workbook or when nothing is awaited.
    """
    require_role(user, "branch_preparer", "business_reviewer", act="answer")
    state = installation.state(filing)
    if not workbook.is_file():
        raise BadInput("correct.no_workbook", file=workbook)
    if again := latest_import(state, workbook):
        _require_organisation(user, again.fact.organisation)
        return state
    dispatch = state.dispatch
    judged = state.content.fact.content if state.content else None
    if dispatch is None or dispatch.fact.content != judged or state.is_in_sign_off or state.packages:
        raise Refused("correct.not_awaited", filing=filing, stage=state.stage)
    organisation = _organisation_of(workbook, filing, state)
    _require_organisation(user, organisation)
    problems = problems_by_organisation(
        installation,
        state,
        only_open=True,
        handlings=current_handlings(installation, state, before=dispatch.seq),
    ).get(organisation, [])
    identity = workbook_identity(installation, state, organisation, dispatch.fact.answer_by)
    answers = read_answers(workbook, identity, problems)
    if answers.mistaken:
        raise BadInput("workbooks.refused", file=workbook.name, details=answers.mistakes)

    standard = installation.standard(state.opened.fact.standard)
    by_finding = {problem.finding: problem for problem in problems}
    mistakes = [m for a in answers.answers if (m := _mistake(standard, by_finding[a.finding], a))]
    if mistakes:
        raise BadInput("correct.answers_refused", file=workbook.name, details=mistakes)
    handled = [_handled(by_finding[a.finding], a, organisation, user) for a in answers.answers]

    earlier = {
        finding
        for finding, answer in current_handlings(installation, state, after=dispatch.seq).items()
        if answer.organisation == organisation
    }
    kept = installation.folder("answers", filing) / f"{organisation}-{file_digest(workbook)[:16]}.xlsx"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(workbook, kept)
    digest = write_answers(installation, filing, handled)
    for answer in handled:
        if answer.handling == "report_correction":
            state = _raise_change_request(installation, state, answer, user)
    fact = AnswersReceived(
        round=state.round,
        organisation=organisation,
        workbook=file_digest(workbook),
        answers=digest,
        handlings=dict(Counter(answer.handling for answer in handled)),
        unanswered=len(set(by_finding) - {h.finding for h in handled} - earlier),
    )
    return installation.record(
        state,
        fact,
        actor=user.id,
        command=f"answers:{state.round}:{organisation}:{len(state.answers)}:{fact.answers}",
    )


def latest_import(state: FilingState, workbook: Path) -> Recorded[AnswersReceived] | None:
    """The import of this very file, if it is what its organisation sent last."""
    latest = {received.fact.organisation: received for received in state.answers}
    digest = file_digest(workbook)
    return next((received for received in latest.values() if received.fact.workbook == digest), None)


def _require_organisation(user: User, organisation: str) -> None:
    if not user.may_see(organisation):
        raise Refused("correct.other_organisation", user=user.id, organisation=organisation)


def _organisation_of(workbook: Path, filing: str, state: FilingState) -> str:
    """Whose workbook it claims to be, by the name it was sent under; its hidden identity is checked when it is read."""
    assert state.dispatch is not None, "asked only after a dispatch"
    for sent in state.dispatch.fact.workbooks:
        if Path(sent.file).stem in workbook.stem:
            return sent.organisation
    names = ", ".join(sent.file for sent in state.dispatch.fact.workbooks)
    raise BadInput("correct.unknown_workbook", file=workbook.name, filing=filing, expected=names or "—")


def _mistake(standard: Standard, problem: Problem, answer: Answer) -> BaosongError | None:
    if answer.handling == "explanation" and problem.severity == "block":
        return BadInput(
            "correct.block_explained",
            sheet=answer.sheet,
            row=answer.row,
            rule=problem.rule,
            message=problem.message,
        )
    if answer.handling == "report_correction":
        if not problem.field or problem.field in standard.table(problem.table).key:
            return BadInput("correct.key_correction", sheet=answer.sheet, row=answer.row, field=problem.field)
        try:
            typed_value(standard.table(problem.table), problem.field, answer.new_value or "")
        except BadInput as error:
            return BadInput("correct.value", sheet=answer.sheet, row=answer.row, details=[error])
    return None


def _handled(problem: Problem, answer: Answer, organisation: str, user: User) -> Handled:
    return Handled(
        finding=problem.finding,
        rule=problem.rule,
        table=problem.table,
        key=canonical_json(dict(problem.key)),
        field=problem.field,
        value=problem.value,
        expected=problem.expected,
        difference=problem.difference,
        handling=answer.handling,
        new_value=answer.new_value,
        reason=answer.reason,
        organisation=organisation,
        user=user.id,
    )


def _raise_change_request(
    installation: Installation, state: FilingState, answer: Handled, user: User
) -> FilingState:
    fact = ChangeRequestRaised(
        number=f"{sign_off_number(state)}-GK{len(state.change_requests) + 1:03d}",
        finding=answer.finding,
        table=answer.table,
        key=answer.key,
        field=answer.field,
        old=answer.value,
        new=answer.new_value or "",
        reason=answer.reason,
    )
    known = {(c.fact.finding, c.fact.new): c for c in state.change_requests}
    if (fact.finding, fact.new) in known:
        return state
    command = f"change:{answer.finding}:{fact.new}"
    return installation.record(state, fact, actor=user.id, command=command)
