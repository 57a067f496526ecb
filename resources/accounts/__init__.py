"""Who may come in to the desk: the credential of each user of users.yaml, their sessions, the trail of what happened.

What people may do once they are in is not told here but by their roles in the deployment.
"""

from __future__ import annotations

from resources.accounts.accounts import Accounts
from resources.accounts.opening import open_accounts
from resources.accounts.policy import AccountPolicy, Limit
from resources.accounts.shapes import (
    Account,
    Client,
    Flow,
    Identity,
    Means,
    Session,
    TotpEnrolment,
    TrailEntry,
)
from resources.accounts.trail import AccountEvent

__all__ = [
    "Account",
    "AccountEvent",
    "AccountPolicy",
    "Accounts",
    "Client",
    "Flow",
    "Identity",
    "Limit",
    "Means",
    "Session",
    "TotpEnrolment",
    "TrailEntry",
    "open_accounts",
]
