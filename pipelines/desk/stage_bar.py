"""The bar of stages above every filing: what is done, what is going on, who is waited for since when, what is in the way.

It tells what the ledger knows; nothing depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pipelines.desk.rendering import label, number, said
from pipelines.desk.scope import SEES_ALL, visible_branches
from pipelines.ledger.filing import FilingState, Stage
from pipelines.ledger.filing_events import Holder
from resources.deployment import Deployment, User

Name = Literal[
    "request", "extract", "validate", "review", "correct", "sign_off", "package", "deliver", "receipt"
]
Status = Literal["done", "current", "waiting", "blocked", "ahead"]
MOST_NAMED = 3
NAMES: tuple[Name, ...] = ("request", "extract", "validate", "review", "correct", "sign_off", "package", "deliver", "receipt")  # fmt: skip

AT: dict[Stage, tuple[Name, Status]] = {
    "opened": ("extract", "current"),
    "extracted": ("validate", "current"),
    "validated": ("review", "current"),
    "first_review": ("review", "waiting"),
    "to_issue": ("review", "waiting"),
    "in_review": ("correct", "waiting"),
    "answered": ("correct", "waiting"),
    "reviewed": ("sign_off", "waiting"),
    "in_sign_off": ("sign_off", "waiting"),
    "rejected": ("correct", "blocked"),
    "approved": ("package", "current"),
    "packaged": ("deliver", "current"),
    "delivering": ("deliver", "current"),
    "delivered": ("receipt", "waiting"),
    "handed_over": ("receipt", "waiting"),
    "accepted": ("receipt", "current"),
    "refused": ("receipt", "blocked"),
    "archived": ("receipt", "done"),
    "withdrawn": ("request", "blocked"),
}
_HOLDERS: dict[Stage, Holder] = {
    "first_review": "first_review",
    "to_issue": "issue",
    "in_review": "answer",
    "answered": "decide",
}


@dataclass(frozen=True)
class Step:
    """One stage of the flow; `said` tells of a stage that is not simply done or ahead."""

    name: Name
    status: Status
    said: str = ""


def stage_bar(deployment: Deployment, state: FilingState, user: User) -> tuple[Step, ...]:
    """The nine stages in the order of the flow; what other branches hold is not told to somebody of a branch."""
    here, status = AT[state.stage]
    place = NAMES.index(here)
    told = _said(deployment, state, user)
    if state.stage == "reviewed" and state.unexplained_drift:
        status = "blocked"
    return tuple(
        Step(name, "done" if at < place else "ahead") if at != place else Step(name, status, told)
        for at, name in enumerate(NAMES)
    )


def since(state: FilingState) -> datetime:
    """When the filing came to where it stands now: its last act of the flow."""
    acts = (state.opened, *state.rounds, *state.contents, *state.listings, *state.first_reviews, *state.dispatches,
            *state.answers, *state.answer_reviews, *state.opinions, *state.packages)  # fmt: skip
    single = (state.sign_off, state.sent, state.handover, state.receipt, state.evidence, state.withdrawn)
    return max(act.at for act in (*acts, *(each for each in single if each)))


def _said(deployment: Deployment, state: FilingState, user: User) -> str:
    if holder := _HOLDERS.get(state.stage):
        return _held_by(deployment, state, user, holder)
    is_told = bool(user.roles & (SEES_ALL | {"business_reviewer"}))
    if state.stage == "reviewed" and state.unexplained_drift and is_told:
        return label("stage.drift", count=number(state.unexplained_drift))
    if state.stage == "rejected" and state.decision and is_told:
        return label(
            "stage.rejected", who=_name(deployment, state.decision.actor), comment=state.decision.fact.comment
        )
    if state.stage == "withdrawn" and state.withdrawn:
        return label("stage.withdrawn", reason=state.withdrawn.fact.reason)
    return label(f"stage.at_{state.stage}")


def _department(deployment: Deployment, code: str) -> str:
    known = deployment.departments.get(code)
    return said(known.title) if known else code


def _name(deployment: Deployment, user: str) -> str:
    known = deployment.users.get(user)
    return known.name if known else user


def _held_by(deployment: Deployment, state: FilingState, user: User, holder: Holder) -> str:
    """Who is waited for, and for how many findings."""
    held = [each for each in state.held if each.holder == holder]
    if not held:
        return label("stage.judging_due")
    branches = visible_branches(deployment, user)
    if branches is not None:
        held = [each for each in held if each.organisation in branches]
        if not held:
            return label(f"stage.others_{holder}")
    if holder == "first_review":
        who = [label("stage.audit_department")]
    elif holder == "answer":
        names = {each.code: each.name for each in deployment.organisations}
        who = [names.get(code, code) for code in sorted({each.organisation for each in held})]
    else:
        who = [_department(deployment, code) for code in sorted({each.department for each in held})]
    code = f"stage.waits_{holder}" if len(who) <= MOST_NAMED else f"stage.waits_{holder}_many"
    count = number(sum(each.count for each in held))
    return label(code, who=label("list_comma").join(who[:MOST_NAMED]), all=len(who), count=count)
