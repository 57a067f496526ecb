"""Are answers such as can be taken? Each is held against the dictionary, its finding and, as a trial, the rules; nothing is recorded.

However an answer came – in a workbook or on a page – it is judged here and nowhere else. Taking it in is `correct`'s work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.errors import LANGUAGE, BadInput, BaosongError
from pipelines.ledger.filing import FilingState
from pipelines.stages.bulk_facts import ANSWERS
from pipelines.stages.finding_acts import answers_given
from pipelines.stages.handlings import Handled
from pipelines.stages.installation import Installation
from pipelines.stages.trial import breaking
from pipelines.stages.typed_value import typed_value
from pipelines.stages.workbooks import Answer, GivenAnswer, MistakenLine
from resources.deployment import User
from validations.engine import Standard


@dataclass(frozen=True)
class Sorted:
    """The answers to take, by finding; those that cannot be taken, as they were given, and why; how many say nothing new."""

    said: dict[str, Handled]
    returned: dict[str, tuple[GivenAnswer, tuple[BaosongError | str, ...]]]
    unchanged: int


def remark_of(why: tuple[BaosongError | str, ...]) -> str:
    """Why an answer came back, as the column 退回说明 says it."""
    return "\n".join(str(each) for each in why)


def sort_answers(
    installation: Installation,
    state: FilingState,
    known: pl.DataFrame,
    asked: pl.DataFrame,
    answers: Sequence[Answer],
    mistaken: Sequence[MistakenLine],
    user: User,
    *,
    is_masked: bool = False,
) -> Sorted:
    """Judge a person's answers to what was `asked` (with `asked_seq`); `known` is the register. `is_masked`: reasons hide personal
    data."""
    standard = installation.standard(state.opened.fact.standard)
    now = {
        row["finding"]: row for row in known.join(asked.select("finding"), on="finding").iter_rows(named=True)
    }
    rows = {row["finding"]: row for row in asked.iter_rows(named=True)}
    mine = _said_by(installation, state, user)
    said: dict[str, Handled] = {}
    unchanged = 0
    returned: dict[str, tuple[GivenAnswer, tuple[BaosongError | str, ...]]] = {
        line.finding: (line.given, line.mistakes) for line in mistaken
    }
    for answer in answers:
        row = now[answer.finding]
        is_open = (
            row["holder"] in ("answer", "decide") and row["asked_seq"] == rows[answer.finding]["asked_seq"]
        )
        again = row["holder"] == "decide" and mine.get(answer.finding) == (
            answer.handling, answer.new_value, answer.reason,
        )  # fmt: skip
        if not is_open or again:
            unchanged += 1
        elif mistake := _mistake(standard, rows[answer.finding], answer):
            returned[answer.finding] = (answer.given, (mistake,))
        else:
            said[answer.finding] = _handled(rows[answer.finding], answer, user)
    given = {answer.finding: answer.given for answer in answers}
    corrections = [each for each in said.values() if each.handling == "report_correction"]
    beside = _undecided(known, said)
    for finding, why in breaking(installation, state, corrections, beside, is_masked=is_masked).items():
        returned[finding] = (given[finding], (why,))
        del said[finding]
    return Sorted(said, returned, unchanged)


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
            "correct.block_explained",
            rule=rule.id,
            message=getattr(rule.message, LANGUAGE.get()),
            sheet=sheet,
            row=line,
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
