"""The sign-off (签报): gates before it, its route of opinions, and the approval that later stages demand.

An opinion is given on one content digest; preparer and every opinion are different people. What is computed here is
decided by the ledger alone: Dagster only shows it.
"""

from __future__ import annotations

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Opinion, OpinionGiven, SignOffOpened
from pipelines.stages.baseline import lacks_baseline, references
from pipelines.stages.change_request import unraised_gates
from pipelines.stages.content import Conflict, Content, build_content, sign_off_number
from pipelines.stages.filing_documents import write_signed_documents
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.masking import masked, masked_key, personal_fields
from pipelines.stages.office import office_reference
from pipelines.stages.register import register
from pipelines.stages.request_gate import request_gates, require_settled
from pipelines.stages.review import documents_folder
from pipelines.stages.unjudged import unjudged_gates
from pipelines.stages.validate import read_findings
from resources.deployment import User
from validations.engine import Standard


def open_sign_off(
    installation: Installation, filing: str, user: User, *, reference: str | None = None
) -> FilingState:
    """The preparer puts the content that exists now on its route. All gates answer at once.

    `reference`: what the office system (EOA) calls it, as a person typed it; by default the office is asked, where there is
    one. Raises Refused listing every gate that is closed.
    """
    require_role(user, "data_engineer", act="sign_off")
    state = installation.state(filing)
    if state.is_in_sign_off and not state.withdrawn:
        return state
    content = build_content(installation, state)
    closed = closed_gates(installation, state, content)
    if closed:
        raise Refused("sign_off.gates", filing=filing, details=closed)
    route = installation.deployment.routes[state.opened.fact.standard]
    after = state.decision.seq if state.decision else 0
    command, roles = f"sign-off:{content.digest}:{after}", tuple(step.role for step in route.steps)
    fact = SignOffOpened(
        number=sign_off_number(state),
        content=content.digest,
        route=roles,
        office_reference=office_reference(
            installation, state, user, command=command, route=roles, typed=reference
        ),
        documents=write_signed_documents(
            installation, state, content, documents_folder(installation, state, content.digest)
        ),
    )
    return installation.record(state, fact, actor=user.id, command=command)


def closed_gates(installation: Installation, state: FilingState, content: Content) -> list[BaosongError]:
    """Every reason why this content may not be signed yet."""
    closed = request_gates(installation, state)
    if state.content is None or state.content.fact.content != content.digest:
        return [*closed, Refused("sign_off.not_judged", content=content.digest[:12])]
    standard = installation.standard(state.opened.fact.standard)
    judged = state.content.fact
    if judged.standard_digest != standard.digest:
        closed.append(Refused("sign_off.rules_changed", standard=standard.name, version=standard.version))
    if judged.reference != references(installation, state, standard).digest:
        closed.append(Refused("sign_off.reference_changed", filing=state.id))
    if rules := lacks_baseline(state):
        closed.append(Refused("sign_off.no_baseline", filing=state.id, rules=", ".join(rules)))
    if state.has_new_upload:
        closed.append(Refused("off_system.not_extracted", filing=state.id, round=state.round + 1))
    if not state.is_listed:
        closed.append(Refused("sign_off.not_reviewed"))
    if not state.is_compared:
        closed.append(Refused("sign_off.not_compared", round=state.round))
    if state.unexplained_drift:
        closed.append(Refused("sign_off.drift", count=state.unexplained_drift, round=state.round))
    rows = register(installation, state)
    for severity, code in (("block", "sign_off.blocking"), ("explain", "sign_off.unexplained")):
        is_open = (pl.col("state") != "accepted") | (severity == "block") | pl.col("promised")
        unhandled = rows.filter(
            "is_present",
            pl.col("severity") == severity,
            is_open,
            ~pl.col("state").is_in(["waived", "dismissed"]),
        )
        if unhandled.height:
            who = ", ".join(unhandled["holder"].drop_nulls().unique().sort())
            rules = ", ".join(unhandled["rule"].unique().sort())
            closed.append(Refused(code, count=unhandled.height, rules=rules, holders=who or "—"))
    is_blocked = any(gate.code == "sign_off.blocking" for gate in closed)
    closed += unjudged_gates(state, is_blocked=is_blocked)
    closed += unraised_gates(installation, state, content)
    closed += [
        Refused(
            "sign_off.conflict",
            finding=c.handled.finding,
            table=c.handled.table,
            key=masked_key(c.handled.key, personal_fields(standard, c.handled.table)),
            field=c.handled.field,
            old=_shown(standard, c, c.handled.value),
            shown=_shown(standard, c, c.shown),
        )
        for c in content.conflicts
    ]
    return closed


def _shown(standard: Standard, conflict: Conflict, value: str | None) -> str:
    """A value of the corrected cell, masked where it is personal."""
    cell = conflict.handled
    return masked(value, cell.field in personal_fields(standard, cell.table)) or "—"


def give_opinion(
    installation: Installation, filing: str, user: User, *, opinion: Opinion, comment: str
) -> FilingState:
    """One opinion (意见) at the step of the route that is next.

    Raises BadInput without a comment; Refused when no sign-off is open, the step is another role's, or the person already
    acted on this content.
    """
    if not comment.strip():
        raise BadInput("sign_off.no_comment")
    state = installation.state(filing)
    require_settled(installation, state)
    live = state.live_sign_off
    if live is None:
        code = "sign_off.void" if state.sign_off else "sign_off.none"
        raise Refused(code, filing=filing)
    if state.decision:
        raise Refused("sign_off.decided", filing=filing, opinion=state.decision.fact.opinion)
    step = len(state.live_opinions)
    role = live.fact.route[step]
    if role not in user.roles:
        raise Refused("sign_off.role", user=user.id, role=role, step=step + 1)
    if user.id == live.actor:
        raise Refused("sign_off.preparer", user=user.id)
    if user.id in state.answerers:
        raise Refused("sign_off.answered", user=user.id)
    if any(earlier.actor == user.id for earlier in state.live_opinions):
        raise Refused("sign_off.twice", user=user.id)
    fact = OpinionGiven(
        number=live.fact.number,
        content=live.fact.content,
        step=step,
        role=role,
        opinion=opinion,
        comment=comment,
    )
    return installation.record(state, fact, actor=user.id, command=f"opinion:{live.seq}:{step}")


def open_seats(installation: Installation, state: FilingState, user: User) -> tuple[str, ...]:
    """The roles in which the user may give the opinion that the live sign-off waits for."""
    live = state.live_sign_off
    if live is None or state.decision or user.id == live.actor or user.id in state.answerers:
        return ()
    if any(earlier.actor == user.id for earlier in state.live_opinions):
        return ()
    role = live.fact.route[len(state.live_opinions)]
    return (role,) if role in user.roles else ()


def require_approval(installation: Installation, state: FilingState) -> Content:
    """The content as it is on disk now, if and only if its whole route agreed to exactly this; else Refused."""
    content = build_content(installation, state)
    live = state.live_sign_off
    if live is None or live.fact.content != content.digest or not state.is_approved:
        raise Refused(
            "sign_off.not_approved",
            filing=state.id,
            content=content.digest[:12],
            signed=state.sign_off.fact.content[:12] if state.sign_off else "—",
        )
    read_findings(
        installation, state
    )  # what was signed includes what was found: Tampered when the file was changed
    if not state.has_distinct_people:
        raise Refused("sign_off.same_person", filing=state.id)
    return content
