"""The insurer's own sign-on: going to the OpenID provider of the deployment, and judging what comes back from it.

Whose account an identity opens is not told here but in `resources/accounts`; pages are the desk's.
"""

from __future__ import annotations

from resources.sign_on.client import SignOn, open_sign_on
from resources.sign_on.provider import Provider

__all__ = ["Provider", "SignOn", "open_sign_on"]
