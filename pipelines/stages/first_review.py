"""First review (初审): somebody outside the business looks through the problem data before it is issued.

What is confirmed goes to the departments; what is no problem is dismissed with a reason; what belongs to somebody else
is assigned. Issuing is `issue`'s work.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import FindingsReviewed
from pipelines.stages.again import asked_again
from pipelines.stages.bulk_facts import REVIEWED, keep
from pipelines.stages.held import record_with_held, require_any, require_people_at_work
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.register import register
from pipelines.stages.selection import Selection
from resources.deployment import User

Decision = Literal["confirm", "dismiss", "assign"]


@asked_again
def review_findings(
    installation: Installation,
    filing: str,
    user: User,
    decision: Decision,
    chosen: Selection,
    *,
    reason: str = "",
    department: str | None = None,
    branch: str | None = None,
) -> FilingState:
    """Confirm, dismiss or assign the chosen findings that wait for their first review.

    What blocks cannot be dismissed: it is mended, corrected or waived. Raises Refused when nothing chosen waits, BadInput for a
    dismissal without a reason or an assignment to nobody.
    """
    state = installation.state(filing)
    role = installation.filing_config(state.opened.fact.standard).first_review
    if role is None:
        raise Refused("first_review.none", filing=filing)
    require_role(user, role, act="first_review")
    require_people_at_work(state, act="first_review")
    problems = _problems(installation, decision, reason, department, branch)
    if problems:
        raise BadInput("first_review.refused", filing=filing, details=problems)
    waiting = register(installation, state).filter(pl.col("holder") == "first_review")
    rows = require_any(chosen.of(waiting), Refused("first_review.nothing", filing=filing, chosen=chosen))
    if decision == "dismiss" and (blocking := rows.filter(pl.col("severity") == "block")).height:
        rules = ", ".join(blocking["rule"].unique().sort())
        raise Refused("first_review.dismiss_blocking", count=blocking.height, rules=rules)
    rows = rows.with_columns(
        decision=pl.lit(decision),
        reason=pl.lit(reason.strip()),
        department=pl.lit(department, dtype=pl.String),
        organisation=pl.lit(branch, dtype=pl.String),
    ).select(*REVIEWED)
    counts = {"confirm": 0, "dismiss": 0, "assign": 0, decision: rows.height}
    assert state.content is not None, "people are at work on a judged content"
    fact = FindingsReviewed(
        content=state.content.fact.content,
        decisions=keep(installation, filing, rows),
        confirmed=counts["confirm"],
        dismissed=counts["dismiss"],
        assigned=counts["assign"],
        held=(),
    )
    return record_with_held(
        installation, state, fact, actor=user.id, command=f"first-review:{state.seq}:{fact.decisions}"
    )


def _problems(
    installation: Installation, decision: Decision, reason: str, department: str | None, branch: str | None
) -> list[BaosongError]:
    deployment = installation.deployment
    problems: list[BaosongError] = []
    if decision == "dismiss" and not reason.strip():
        problems.append(BadInput("first_review.no_reason"))
    if decision == "assign" and department is None and branch is None:
        problems.append(BadInput("first_review.to_nobody"))
    if department is not None and department not in deployment.departments:
        known = ", ".join(deployment.departments)
        problems.append(BadInput("first_review.unknown_department", department=department, known=known))
    if branch is not None:
        try:
            deployment.organisation(branch)
        except BaosongError as error:
            problems.append(error)
    return problems
