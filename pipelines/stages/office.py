"""A sign-off's reference in the office system (EOA): got from it, or typed by a person; and what the office says of it.

People's opinions are given in Baosong. What the office says is shown beside them and decides nothing.
"""

from __future__ import annotations

from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.content import sign_off_number
from pipelines.stages.installation import Installation
from pipelines.stages.request_draft import LONGEST_TEXT, is_plain
from resources.deployment import User
from resources.office import OfficeAnswer, OfficeDraft


def office_reference(
    installation: Installation,
    state: FilingState,
    user: User,
    *,
    command: str,
    route: tuple[str, ...],
    typed: str | None,
) -> str:
    """What the office calls the sign-off that `command` opens; empty where there is no office and nobody typed a reference.

    The same command has the same reference, also when a run died before its event was recorded. Raises Unavailable when the
    office cannot be reached.
    """
    if typed is not None:
        if not is_plain(typed):
            raise BadInput("office.reference", longest=LONGEST_TEXT)
        return typed
    if installation.office is None:
        return ""
    assert state.content is not None, "only what was judged is put on a route"
    draft = OfficeDraft(
        key=f"{installation.deployment.name}:{state.id}:{command}",
        filing=state.id,
        number=sign_off_number(state),
        title=f"{state.id} 第 {state.version} 版报送签报",
        content=state.content.fact.content,
        route=route,
        prepared_by=user.id,
    )
    return installation.office.create(draft)


def office_status(installation: Installation, filing: str) -> tuple[str, OfficeAnswer]:
    """The reference of the filing's last sign-off, and what the office says became of it.

    Raises Refused without a reference, or without an office to ask.
    """
    state = installation.state(filing)
    reference = state.sign_off.fact.office_reference if state.sign_off else ""
    if not reference:
        raise Refused("office.no_reference", filing=filing)
    if installation.office is None:
        raise Refused("office.not_configured", reference=reference)
    return reference, installation.office.status(reference)
