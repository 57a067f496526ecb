"""A report correction asks for more than itself: production is to be corrected too (改库签报), by other people.

Baosong never writes to the core: execution happens outside and is recorded; every later round of the standard is asked
whether it shows the value. Correcting the report is `content`'s work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused, text
from pipelines.ledger.change import (
    ChangeEvent,
    ChangeExecuted,
    ChangeRaised,
    ChangeReviewed,
    ChangeShown,
    ChangeState,
    fold_change,
)
from pipelines.ledger.filing import FilingState
from pipelines.stages.content import Content, find_rows, sign_off_number
from pipelines.stages.handlings import Handled, accepted_handlings
from pipelines.stages.installation import SYSTEM, Installation, require_role
from pipelines.stages.typed_value import typed_value
from resources.deployment import User


def raise_changes(installation: Installation, filing: str, user: User) -> list[ChangeState]:
    """IT raises a change request for every accepted report correction of the filing that has none; returns all of the filing."""
    require_role(user, "data_engineer", act="raise_change")
    state = installation.state(filing)
    known = changes_of(installation, filing)
    number = len(known)
    for correction in _without_request(installation, state, known):
        number += 1
        assert correction.field is not None, "a correction names its field"
        fact = ChangeRaised(
            standard=state.opened.fact.standard,
            filing=filing,
            finding=correction.finding,
            rule=correction.rule,
            table=correction.table,
            key=correction.key,
            field=correction.field,
            old=correction.value,
            new=correction.new_value or "",
            reason=correction.reason,
            department=correction.department,
            organisation=correction.organisation,
        )
        name = f"{sign_off_number(state)}-GK{number:03d}"
        _append(installation, name, fact, actor=user.id, command=f"{filing}:{fact.finding}:{fact.new}", seq=0)
    return changes_of(installation, filing)


def review_change(
    installation: Installation,
    number: str,
    user: User,
    *,
    opinion: Literal["approve", "refuse"],
    comment: str,
) -> ChangeState:
    """The department concerned approves or refuses; never the person who raised it, nor the one who answered for the branch."""
    require_role(user, "business_reviewer", act="review_change")
    change = change_request(installation, number)
    if change.stage != "raised":
        raise Refused("change.stage", number=number, stage=text(f"change.stage.{change.stage}"))
    if user.id == change.raised_by:
        raise Refused("change.own", number=number, user=user.id)
    if user.id in installation.state(change.raised.filing).answerers:
        raise Refused("change.answered", number=number, user=user.id)
    if not user.speaks_for(change.raised.department):
        raise Refused("change.other_department", user=user.id, department=change.raised.department)
    if not comment.strip():
        raise BadInput("change.no_comment")
    fact = ChangeReviewed(opinion=opinion, comment=comment.strip())
    return _append(installation, number, fact, actor=user.id, command="review", seq=change.seq)


def execute_change(
    installation: Installation, number: str, user: User, *, day: date, reference: str
) -> ChangeState:
    """Record that a third person corrected production outside Baosong, under a work order."""
    require_role(user, "data_engineer", "branch_it", "it", act="execute_change")
    change = change_request(installation, number)
    if change.stage != "approved":
        raise Refused("change.stage", number=number, stage=text(f"change.stage.{change.stage}"))
    if user.id in (change.raised_by, change.reviewed_by):
        raise Refused("change.same_person", number=number, user=user.id)
    problems: list[BaosongError] = []
    if not reference.strip():
        problems.append(BadInput("change.no_reference"))
    if not change.raised_at.date() <= day <= installation.now().date():
        problems.append(
            BadInput("change.day", day=day, first=change.raised_at.date(), last=installation.now().date())
        )
    if problems:
        raise BadInput("change.refused", number=number, details=problems)
    fact = ChangeExecuted(day=day, reference=reference.strip())
    return _append(installation, number, fact, actor=user.id, command="execute", seq=change.seq)


def note_shown(installation: Installation, state: FilingState) -> list[ChangeState]:
    """Ask the latest round which open change requests of the standard it shows, and record those that it does."""
    shown: list[ChangeState] = []
    waiting = [
        change
        for change in change_requests(installation)
        if change.stage not in ("shown", "refused") and change.raised.standard == state.opened.fact.standard
    ]
    for change in _shown_by(installation, state, waiting):
        fact = ChangeShown(filing=state.id, round=state.round)
        shown.append(
            _append(installation, change.number, fact, actor=SYSTEM, command="shown", seq=change.seq)
        )
    return shown


def change_requests(installation: Installation) -> list[ChangeState]:
    """All change requests, by number."""
    streams = installation.ledger.streams("change/")
    folded = (fold_change(installation.ledger.events(stream)) for stream in streams)
    return sorted((state for state in folded if state is not None), key=lambda change: change.number)


def changes_of(installation: Installation, filing: str) -> list[ChangeState]:
    """The change requests that a filing's corrections caused."""
    return [change for change in change_requests(installation) if change.raised.filing == filing]


def change_request(installation: Installation, number: str) -> ChangeState:
    """Raises BadInput when there is none of this number."""
    state = fold_change(installation.ledger.events(f"change/{number}"))
    if state is None:
        raise BadInput("change.unknown", number=number)
    return state


def unraised_gates(installation: Installation, state: FilingState, content: Content) -> list[BaosongError]:
    """A correction without its change request closes the sign-off."""
    laid_over = {each.finding for each in content.overlays}
    lacking = [
        each
        for each in _without_request(installation, state, changes_of(installation, state.id))
        if each.finding in laid_over
    ]
    return [Refused("sign_off.change_not_raised", count=len(lacking), filing=state.id)] if lacking else []


def _without_request(
    installation: Installation, state: FilingState, known: Sequence[ChangeState]
) -> list[Handled]:
    asked = {(change.raised.finding, change.raised.new) for change in known if change.stage != "refused"}
    return [
        each
        for each in accepted_handlings(installation, state).values()
        if each.handling == "report_correction" and (each.finding, each.new_value or "") not in asked
    ]


def _shown_by(
    installation: Installation, state: FilingState, waiting: Sequence[ChangeState]
) -> list[ChangeState]:
    """The change requests whose new value stands in every row of their key in the latest round."""
    standard = installation.standard(state.opened.fact.standard)
    folder = installation.rounds.path(state.id, state.round)
    shown: list[ChangeState] = []
    for name in sorted({change.raised.table for change in waiting}):
        path = folder / f"{name}.parquet"
        if name not in standard.tables or not path.is_file():
            continue
        theirs = [change for change in waiting if change.raised.table == name]
        table = standard.table(name)
        columns = [*table.stored_key, *{change.raised.field for change in theirs}]
        frame = pl.read_parquet(path, columns=list(dict.fromkeys(columns)))
        places = find_rows(frame, table, [change.raised.key for change in theirs])
        for change in theirs:
            rows = places.get(change.raised.key, [])
            values = set(frame[rows, change.raised.field].to_list())
            if rows and values == {typed_value(table, change.raised.field, change.raised.new)}:
                shown.append(change)
    return shown


def _append(
    installation: Installation, number: str, fact: ChangeEvent, *, actor: str, command: str, seq: int
) -> ChangeState:
    installation.ledger.append(
        f"change/{number}",
        fact.kind,
        fact.payload(),
        actor=actor,
        at=installation.now(),
        command_id=f"change:{number}:{command}",
        expected_seq=seq,
    )
    return change_request(installation, number)
