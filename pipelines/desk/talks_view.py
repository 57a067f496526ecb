"""Talks with the regulator as a person sees them: head office all, whoever is of a branch those that its own people recorded.

Reads only. The organisations decide, not the roles.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.desk.scope import sees_organisations
from pipelines.desk.visit import Visit
from pipelines.ledger.demand_events import ExtensionDecided, ExtensionProposed, TalkRecorded
from pipelines.ledger.filing import Recorded
from pipelines.ledger.recorded import Document


@dataclass(frozen=True)
class Proposal:
    """A proposed deadline and what became of it; `may_agree`, `may_disagree`: whether this person gives that opinion now."""

    proposed: Recorded[ExtensionProposed]
    decided: Recorded[ExtensionDecided] | None
    may_agree: bool
    may_disagree: bool


def talks_of(visit: Visit) -> list[Recorded[TalkRecorded]]:
    """The newest first."""
    return [talk for talk in reversed(visit.state.talks) if _is_seen(visit, talk.actor)]


def proposals_of(visit: Visit) -> list[Proposal]:
    """The newest first."""
    decided = {each.fact.number: each for each in visit.state.extension_decisions}
    may_decide = visit.may_open("decide_extension")
    return [
        Proposal(
            each,
            decided.get(each.fact.number),
            may_agree=may_decide and each.fact.number not in decided and each.actor != visit.user.id,
            may_disagree=may_decide and each.fact.number not in decided,
        )
        for each in reversed(visit.state.extensions)
        if _is_seen(visit, each.actor)
    ]


def document_of(visit: Visit, file: str) -> Document | None:
    """A proof that the person sees, by the name it is kept under."""
    acts = [*talks_of(visit), *(each.proposed for each in proposals_of(visit))]
    return next((d for act in acts for d in act.fact.documents if d.file == file), None)


def _is_seen(visit: Visit, actor: str) -> bool:
    """Of a branch only what somebody of it recorded: what another asked, or head office, may speak of others' data."""
    if "*" in visit.user.organisations:
        return True
    deployment = visit.installation.deployment
    recorder = deployment.users.get(actor)
    if actor == visit.user.id:
        return True
    if recorder is None or "*" in recorder.organisations:
        return False
    return all(sees_organisations(deployment, visit.user, (code,)) for code in recorder.organisations)
