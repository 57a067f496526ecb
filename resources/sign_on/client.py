"""The way to the provider and back: the address that a person is sent to, the exchange of the code, the ID token judged.

Authorization code with PKCE (RFC 7636), OpenID Connect Core 1.0 sections 3.1.2 and 3.1.3. Only the ID token says who
somebody is; nothing is asked with the access token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from pipelines.errors import Refused, Unavailable
from resources.accounts import Flow, Identity
from resources.clock import SystemClock
from resources.deployment import Deployment, OidcConfig
from resources.secrets import resolve
from resources.sign_on.provider import Provider
from resources.sign_on.transport import client_of

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: never `none`, never a shared secret."""
_SCOPE = "openid profile"
_LEEWAY_SECONDS = 60
_LONGEST_SUBJECT = 255


class SignOn:
    """One deployment's sign-on. Threads may share it. Its secret is never shown."""

    def __init__(
        self,
        config: OidcConfig,
        secret: str,
        client: httpx.Client,
        now: Callable[[], datetime],
        *,
        provider: Provider | None = None,
    ) -> None:
        self.config, self._secret, self._client, self._now = config, secret, client, now
        self._provider = provider or Provider(config.issuer, client)

    def __repr__(self) -> str:
        return f"SignOn({self.config.issuer})"

    def address(self, flow: Flow, redirect_uri: str) -> str:
        """Where the person goes now. To authenticate anew the provider must ask them again, whatever it remembers."""
        again = {"prompt": "login", "max_age": "0"} if flow.session else {}
        url, _ = self._oauth(redirect_uri).create_authorization_url(
            self._provider.endpoints().authorization,
            state=flow.state,
            code_verifier=flow.verifier,
            nonce=flow.nonce,
            **again,
        )
        return url

    def identity(self, flow: Flow, came: Mapping[str, str], redirect_uri: str) -> Identity:
        """Whom the provider vouches for, by what the person's browser brought back (`code`, `error`, `iss`).

        Refused `sign_on.declined` where the provider or the person said no, `sign_on.not_exchanged` where the provider does not
        take the code, `sign_on.untrusted` for an answer that is not to be believed: `why` names the check. Unavailable
        `sign_on.down`, `sign_on.wrong_provider`.
        """
        if came.get("iss", self.config.issuer) != self.config.issuer:  # RFC 9207
            raise untrusted("iss")
        if came.get("error") or not came.get("code"):
            raise Refused("sign_on.declined", reason=_shown(came.get("error", "no code")))
        claims = self._claims(self._id_token(flow, came["code"], redirect_uri), flow)
        named, at = claims.get(self.config.claim), claims.get("auth_time")
        if not isinstance(named, str) or not named:
            raise untrusted(self.config.claim)
        return Identity(
            issuer=self.config.issuer,
            subject=claims["sub"],
            user_id=self.config.user_of(named),
            authenticated_at=_moment(at),
        )

    def _oauth(self, redirect_uri: str) -> Any:
        return OAuth2Client(
            self._client,
            client_id=self.config.client_id,
            scope=_SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _id_token(self, flow: Flow, code: str, redirect_uri: str) -> str:
        endpoints, config = self._provider.endpoints(), self.config
        header = (quote(config.client_id, safe=""), quote(self._secret, safe=""))  # RFC 6749 section 2.3.1
        body = {} if endpoints.takes_basic else {"client_id": config.client_id, "client_secret": self._secret}
        try:
            answer = self._oauth(redirect_uri).fetch_token(
                endpoints.token,
                grant_type="authorization_code",
                code=code,
                redirect_uri=redirect_uri,
                code_verifier=flow.verifier,
                auth=httpx.BasicAuth(*header) if endpoints.takes_basic else httpx.Auth(),
                **body,
            )
        except AuthlibBaseError as error:
            raise Refused("sign_on.not_exchanged", reason=_shown(str(error.error))) from error
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            reason = type(error).__name__
            raise Unavailable("sign_on.down", url=endpoints.token, reason=reason) from error
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise untrusted("id_token")
        return token

    def _claims(self, token: str, flow: Flow) -> dict[str, Any]:
        """The claims of the ID token, every one that the protocol names checked (Core 1.0, section 3.1.3.7)."""
        try:
            try:
                read = jwt.decode(token, self._provider.keys(), algorithms=ALGORITHMS)
            except InvalidKeyIdError:
                read = jwt.decode(token, self._provider.keys(anew=True), algorithms=ALGORITHMS)
            claims = CodeIDToken(
                read.claims,
                read.header,
                options={
                    "iss": {"essential": True, "value": self.config.issuer},
                    "aud": {"essential": True, "value": self.config.client_id},
                    "nonce": {"essential": True, "value": flow.nonce},
                    "sub": {"essential": True},
                },
                params={"nonce": flow.nonce, "client_id": self.config.client_id},
            )
            claims.validate(int(self._now().timestamp()), _LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise untrusted(str(error) or type(error).__name__) from error
        if len(claims["sub"]) > _LONGEST_SUBJECT:
            raise untrusted("sub")
        return dict(claims)


def untrusted(why: str) -> Refused:
    """An answer that is not to be believed; `why` is the check that it failed, for the trail."""
    return Refused("sign_on.untrusted", why=_shown(why))


def open_sign_on(deployment: Deployment) -> SignOn | None:
    """The sign-on that the deployment configures, if it does. BadInput and Refused as `resources.secrets.resolve`.

    The provider is first asked when somebody comes in by it, and goes by the real time.
    """
    config = deployment.oidc
    if config is None:
        return None
    home = deployment.home
    ca_file = config.ca_file.path(home=home, deployment=deployment.path) if config.ca_file else None
    secret = resolve(config.client_secret, home)
    client = client_of(ca_file, config.timeout_seconds)
    return SignOn(config, secret, client, SystemClock(deployment.timezone).now)


def _moment(seconds: object) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _shown(reason: str) -> str:
    """A word of the other side's, cut and cleaned."""
    return "".join(each if each.isascii() and each.isprintable() else "?" for each in reason[:60])
