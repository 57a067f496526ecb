"""The insurer's own sign-on (单点登录, OpenID Connect) as configured: which provider, who the desk is there, who people are here.

The client's secret appears as a reference only. Going there and judging what comes back is the work of `resources/sign_on`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from resources.deployment.connections import PinnedFile
from resources.deployment.departments import Title
from resources.deployment.notices import Url
from resources.deployment.types import Model, Name, SecretReference


def _alone(value: str) -> str:
    """Issuers are compared letter by letter (OpenID Connect Discovery, section 4.3), but nobody means the well-known page."""
    if "/.well-known" in value:
        raise PydanticCustomError("deployment.oidc_issuer", "the issuer alone")
    return value


class OidcConfig(Model):
    """The OpenID provider at `issuer`, which knows the desk as `client_id`.

    `claim` of the ID token names the person: a user of users.yaml, or through `people` (value of the claim: user). `label`
    stands on the button. With `only` nobody comes in by a password.
    """

    issuer: Annotated[Url, AfterValidator(_alone)]
    client_id: Annotated[str, Field(min_length=1, max_length=200)]
    client_secret: SecretReference
    claim: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/-]{1,128}$")] = "preferred_username"
    people: dict[str, Name] = Field(default_factory=dict[str, str])
    label: Title | None = None
    only: bool = False
    ca_file: PinnedFile | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 10

    def user_of(self, value: str) -> str | None:
        """Who the person is here whom the provider calls so; None where `people` names others."""
        return self.people.get(value) if self.people else value
