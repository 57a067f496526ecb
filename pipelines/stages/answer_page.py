"""Answers that a branch gives without a workbook: to one finding, or the same to many. All of them are taken, or none.

Each is judged as a line of a workbook would be (`answer_judging`); what a line would come back for is raised with its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.again import asked_again
from pipelines.stages.answer_judging import Sorted, sort_answers
from pipelines.stages.correct import record_answers
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.issue import problem
from pipelines.stages.questions import questions
from pipelines.stages.register import register
from pipelines.stages.workbooks import HANDLING_WORDS, Answer, GivenAnswer, MistakenLine, Problem, judge_given
from resources.deployment import User

MOST_AT_ONCE = 500
NAMED = 12
"""The beginning of a finding's number, enough to find it by."""


@dataclass(frozen=True)
class Taken:
    """How many answers were taken by handling; how many say what was said before."""

    handlings: dict[str, int]
    unchanged: int


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
) -> Taken:
    """Take one answer. The same twice changes nothing.

    Raises BadInput for an answer that cannot be taken, Refused for another branch's finding, for one that waits for no answer,
    and when nothing is awaited.
    """
    given = GivenAnswer(_word(handling), new_value, reason)
    state, taken, refusals = _judge(installation, filing, user, [finding], lambda _: given)
    if refusals:
        raise refusals[0]
    if found := taken.returned:
        _, why = found[finding]
        raise BadInput("correct.answer_refused", details=[_without_place(each) for each in why])
    return _record(installation, state, user, taken)


@asked_again
def answer_findings(
    installation: Installation,
    filing: str,
    user: User,
    findings: Sequence[str],
    *,
    handling: str,
    reason: str = "",
    is_trial: bool = False,
) -> Taken:
    """Give the same answer to many findings; a report correction takes each one's expected value. A trial records nothing.

    Raises BadInput for more than `MOST_AT_ONCE`, for none, and with every reason for which any of them cannot be taken; then none is.
    """
    wanted = tuple(dict.fromkeys(findings))
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise BadInput("correct.together_many", count=len(wanted), most=MOST_AT_ONCE)

    def given(question: Problem) -> GivenAnswer:
        value = (question.expected or "") if handling == "report_correction" else ""
        return GivenAnswer(_word(handling), value, reason)

    state, taken, refusals = _judge(installation, filing, user, wanted, given)
    whys = [(refusal, "") for refusal in refusals]
    whys += [
        (_without_place(each), finding) for finding, (_, found) in taken.returned.items() for each in found
    ]
    if whys:
        raise BadInput("correct.together_refused", count=len(wanted), details=_grouped(whys))
    if is_trial:
        return _counted(taken)
    return _record(installation, state, user, taken)


def _judge(
    installation: Installation,
    filing: str,
    user: User,
    findings: Sequence[str],
    given: Callable[[Problem], GivenAnswer],
) -> tuple[FilingState, Sorted, list[Refused]]:
    """The filing as it was judged, what becomes of the answers; and why some findings await none of this person."""
    require_role(user, "branch_preparer", act="answer")
    state = installation.state(filing)
    known = register(installation, state)
    asked, refusals = questions(installation, state, known, findings, user)
    standard = installation.standard(state.opened.fact.standard)
    asking = [problem(standard, row) for row in asked.iter_rows(named=True)]
    judged = [judge_given(question, given(question)) for question in asking]
    answers = [each for each in judged if isinstance(each, Answer)]
    mistaken = [each for each in judged if isinstance(each, MistakenLine)]
    found = sort_answers(installation, state, known, asked, answers, mistaken, user, is_masked=True)
    return state, found, refusals


def _record(installation: Installation, state: FilingState, user: User, found: Sorted) -> Taken:
    if found.said:
        record_answers(installation, state, found, user)
    return _counted(found)


def _counted(found: Sorted) -> Taken:
    return Taken(dict(Counter(each.handling for each in found.said.values())), found.unchanged)


def _word(handling: str) -> str:
    """The handling as a workbook writes it; an unknown one as it was given, to be named in the refusal."""
    words = {code: word for word, code in HANDLING_WORDS.items()}
    return words.get(handling, handling)


def _grouped(whys: Sequence[tuple[BaosongError, str]]) -> list[BaosongError]:
    """Every reason once, with the findings that it holds for."""
    findings: dict[str, list[str]] = {}
    for why, finding in whys:
        findings.setdefault(str(why), []).append(finding[:NAMED])
    return [
        BadInput("correct.together_why", count=len(named), findings=", ".join(filter(None, named)) or "—", why=why)
        for why, named in findings.items()
    ]  # fmt: skip


def _without_place(error: BaosongError | str) -> BaosongError:
    """Why a line cannot be taken, where there is no sheet and no cell to name."""
    if isinstance(error, str):
        return BadInput("correct.here.rule", why=error)
    name = error.code.rsplit(".", 1)[-1]
    return BadInput(f"correct.here.{name}", details=error.details, **error.values)
