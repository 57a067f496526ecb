"""Opening the accounts of an installation: where they lie, whose users they are of, and by which clock they go."""

from __future__ import annotations

from collections.abc import Callable

from resources.accounts.accounts import Accounts
from resources.accounts.administration import Tell, tell_nobody
from resources.clock import SystemClock
from resources.deployment import Deployment
from resources.settings import Settings


def open_accounts(
    settings: Settings,
    deployment: Deployment,
    is_user: Callable[[str], bool] | None = None,
    *,
    tell: Tell = tell_nobody,
) -> Accounts:
    """The accounts of this deployment's users. Close it, or use it as a context manager.

    `is_user` says who works here now; by default whoever the deployment names. `tell` as in `Accounts.open`.

    They go by the machine's clock even where the deployment's clock is a file: an authenticator shows codes of the real
    time, and advancing a rehearsal by days must neither end every session nor forgive every lock-out.
    """
    clock, oidc = SystemClock(deployment.timezone), deployment.oidc
    return Accounts.open(
        settings.accounts_database_url,
        settings.home,
        clock.now,
        is_user or deployment.users.__contains__,
        provider=oidc.issuer if oidc else None,
        takes_passwords=not (oidc and oidc.only),
        tell=tell,
    )
