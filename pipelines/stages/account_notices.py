"""The accounts of an installation, opened so that what is done to one is told: whoever could now come in the person's place is
never the only one who knows. What is done to accounts, and when it is told, is `resources/accounts`' matter.
"""

from __future__ import annotations

from functools import partial

from pipelines.stages.installation import Installation
from pipelines.stages.noticed import HappenedKind, Notice
from pipelines.stages.notify import note
from resources.accounts import AccountEvent, Accounts, open_accounts

_KINDS: dict[AccountEvent, HappenedKind] = {
    AccountEvent.INVITED: "account_invited",
    AccountEvent.RESET: "account_reset",
    AccountEvent.LINKED: "account_linked",
    AccountEvent.UNLINKED: "account_unlinked",
}
_WATCHERS = frozenset({"administrator", "audit_reviewer"})


def accounts_of(installation: Installation) -> Accounts:
    """The accounts of whoever works here now. Close them, or use them as a context manager."""
    return open_accounts(
        installation.settings,
        installation.deployment,
        installation.is_user,
        tell=partial(_tell, installation),
    )


def _tell(installation: Installation, event: AccountEvent, person: str, by: str | None) -> None:
    """Note it for the person, the administrators and the audit department, but not for the administrator `by` who did it."""
    stream = f"account/{person}"
    cause = f"{stream}:{installation.now().isoformat()}"
    told = (
        user.id
        for user in installation.deployment.users.values()
        if user.id != by and (user.id == person or user.roles & _WATCHERS)
    )
    note(installation, (Notice(each, _KINDS[event], person, stream, cause) for each in told))
