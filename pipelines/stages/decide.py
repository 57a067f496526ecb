"""A department decides on the answers to its findings: accept, or send back with a reason in a new workbook.

Where people of one branch answered differently, the department says whose answer holds. Taking answers in is `correct`'s
work, what an accepted handling does to the content that of `content`.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

import polars as pl

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import AnswersReviewed, CorrectionDecided
from pipelines.stages.again import asked_again_unless_answered
from pipelines.stages.bulk_facts import ANSWERS, DECIDED, keep
from pipelines.stages.content import build_content
from pipelines.stages.finding_acts import answers_given
from pipelines.stages.held import record_with_held, require_any, require_people_at_work
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.issue import answering_day, forget_unsent, problems_asked, write_workbooks
from pipelines.stages.register import register
from pipelines.stages.selection import Selection
from pipelines.stages.workbooks import GivenAnswer
from pipelines.stages.workbooks.model import HANDLING_WORDS
from resources.deployment import User


@asked_again_unless_answered
def accept(
    installation: Installation, filing: str, user: User, chosen: Selection, *, answer_of: str | None = None
) -> FilingState:
    """Accept the chosen answers of the departments that the user speaks for; `answer_of` names whose holds where people differ.

    Raises Refused when none of them waits, when people differ and nobody is named, and for the user's own answers.
    """
    state, rows = _waiting(installation, filing, user, chosen)
    if answer_of is None and (differing := rows.filter("conflict")).height:
        raise Refused("decide.conflict", count=differing.height, findings=", ".join(differing["finding"][:3]))
    answers = _latest_answers(installation, state, rows, answer_of)
    if missing := rows.height - answers.height:
        raise Refused("decide.no_answer_of", user=answer_of, count=missing)
    if own := answers.filter(pl.col("user") == user.id).height:
        raise Refused("decide.own", user=user.name, count=own)
    decided = answers.with_columns(decision=pl.lit("accept"), remark=pl.lit("")).select(*DECIDED)
    return _record(installation, state, user, decided, pl.DataFrame(), {})


@asked_again_unless_answered
def send_back(
    installation: Installation, filing: str, user: User, chosen: Selection, *, reason: str
) -> FilingState:
    """Send the chosen answers back to their branches, each in a new workbook that repeats the answer and says why."""
    if not reason.strip():
        raise BadInput("decide.no_reason")
    with installation.alone(f"{filing}.workbooks"):
        state, rows = _waiting(installation, filing, user, chosen)
        answers = _latest_answers(installation, state, rows, None)
        decided = answers.with_columns(decision=pl.lit("send_back"), remark=pl.lit(reason.strip())).select(
            *DECIDED
        )
        words = {handling: word for word, handling in HANDLING_WORDS.items()}
        given = {
            row["finding"]: GivenAnswer(words[row["handling"]], row["new_value"] or "", row["reason"])
            for row in decided.iter_rows(named=True)
        }
        asked = problems_asked(
            installation.standard(state.opened.fact.standard), rows, dict.fromkeys(given, reason.strip())
        )
        return _record(installation, state, user, decided, asked, given)


def decide_correction(
    installation: Installation,
    filing: str,
    user: User,
    finding: str,
    decision: Literal["keep", "withdraw"],
    *,
    reason: str,
) -> FilingState:
    """What becomes of a report correction whose original value changed underneath: it stays over the value shown now, or goes.

    Any accepted correction may go, as when its change request was refused. Raises Refused when there is none, or none that
    conflicts with the present round to keep; when it is another department's; and for the user's own.
    """
    require_role(user, "business_reviewer", act="decide")
    state = installation.state(filing)
    require_people_at_work(state, act="decide")
    if not reason.strip():
        raise BadInput("decide.no_reason")
    content = build_content(installation, state)
    conflict = next((each for each in content.conflicts if each.handled.finding == finding), None)
    correction = conflict.handled if conflict else content.handlings.get(finding)
    if correction is None or correction.handling != "report_correction":
        raise Refused("decide.no_correction", finding=finding, filing=filing)
    if decision == "keep" and conflict is None:
        raise Refused("decide.no_conflict", finding=finding, filing=filing)
    if correction.user == user.id:
        raise Refused("decide.own", user=user.name, count=1)
    if not user.speaks_for(correction.department):
        named = installation.department_name(correction.department)
        raise Refused("decide.other_department", user=user.name, departments=named)
    if decision == "keep" and conflict and not conflict.is_there:
        raise Refused("decide.row_gone", finding=finding, table=correction.table, key=correction.key)
    shown = conflict.shown if conflict else correction.value
    fact = CorrectionDecided(finding=finding, decision=decision, shown=shown, reason=reason.strip())
    return installation.record(state, fact, actor=user.id, command=f"correction:{finding}:{state.seq}")


def _waiting(
    installation: Installation, filing: str, user: User, chosen: Selection
) -> tuple[FilingState, pl.DataFrame]:
    require_role(user, "business_reviewer", act="decide")
    state = installation.state(filing)
    require_people_at_work(state, act="decide")
    waiting = chosen.of(register(installation, state).filter(pl.col("holder") == "decide"))
    require_any(waiting, Refused("decide.nothing", filing=filing, chosen=chosen))
    departments = [code for code in waiting["department"].unique() if user.speaks_for(code)]
    theirs = waiting.filter(pl.col("department").is_in(departments))
    others = ", ".join(
        map(installation.department_name, sorted(set(waiting["department"]) - set(departments)))
    )
    return state, require_any(theirs, Refused("decide.other_department", user=user.name, departments=others))


def _latest_answers(
    installation: Installation, state: FilingState, rows: pl.DataFrame, answer_of: str | None
) -> pl.DataFrame:
    """The answer to each of these findings since it was asked: the last one, or the last of one person."""
    given = pl.concat(answers_given(installation, state)).join(
        rows.select("finding", "asked_seq"), on="finding"
    )
    given = given.filter(pl.col("answer_seq") > pl.col("asked_seq").fill_null(0))
    if answer_of is not None:
        given = given.filter(pl.col("user") == answer_of)
    return given.sort("answer_seq").unique("finding", keep="last", maintain_order=True).select(*ANSWERS)


def _record(
    installation: Installation,
    state: FilingState,
    user: User,
    decided: pl.DataFrame,
    asked: pl.DataFrame,
    given: dict[str, GivenAnswer],
) -> FilingState:
    assert state.content is not None, "people are at work on a judged content"
    is_accepted = decided["decision"] == "accept"
    answer_by = answering_day(installation, state)
    fact = AnswersReviewed(
        round=state.content.fact.round,
        content=state.content.fact.content,
        department=", ".join(decided["department"].unique().sort()),
        decisions=keep(installation, state.id, decided),
        accepted=dict(sorted(Counter(decided.filter(is_accepted)["handling"]).items())),
        sent_back=int((~is_accepted).sum()),
        answer_by=answer_by,
        problems=keep(installation, state.id, asked) if not asked.is_empty() else "",
        workbooks=write_workbooks(installation, state, asked, answer_by, given)
        if not asked.is_empty()
        else (),
        held=(),
    )
    command = f"decision:{state.seq}:{user.id}:{fact.decisions[:16]}"
    state = record_with_held(installation, state, fact, actor=user.id, command=command)
    forget_unsent(installation, state)
    return state
