"""How people are told what waits for them (通知), as configured: a mail server, webhooks, how often, where the desk is.

Secrets appear as references only, and no address carries one. Sending is the work of `resources/notifier`, what is told the
stages'.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from resources.deployment.connections import PinnedFile
from resources.deployment.types import Model, Name, Role, SecretReference

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_MAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$"
MailAddress = Annotated[str, Field(pattern=_MAIL)]
"""A plain address without a name, in ASCII: what every mail server takes."""
WebhookKind = Literal["json", "wecom", "dingtalk"]
_SECRETS: dict[WebhookKind, frozenset[str]] = {
    "json": frozenset({"secret"}),
    "wecom": frozenset({"token"}),
    "dingtalk": frozenset({"token", "secret"}),
}


def _encrypted(value: str) -> str:
    """An address without user, query or fragment; https but on this machine."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or not value.isprintable() or " " in value:
        raise PydanticCustomError("deployment.notice_url", "https://…")
    if parts.query or parts.fragment or parts.username is not None or parts.password is not None:
        raise PydanticCustomError("deployment.notice_url_secret", "no secrets in it")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise PydanticCustomError("deployment.notice_http", "https", {"host": host})
    return value


Url = Annotated[str, AfterValidator(_encrypted)]


class MailConfig(Model):
    """The SMTP server that takes our mail. `starttls: never` is for this machine only."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    starttls: Literal["required", "never"] = "required"
    username: Annotated[str, Field(min_length=1)] | None = None
    password: SecretReference | None = None
    sender: MailAddress
    ca_file: PinnedFile | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 20

    @model_validator(mode="after")
    def _mail_travels_encrypted(self) -> Self:
        if self.starttls == "never" and self.host not in LOOPBACK:
            raise PydanticCustomError("deployment.mail_unencrypted", "required", {"host": self.host})
        if (self.username is None) != (self.password is None):
            raise PydanticCustomError("deployment.mail_login", "username and password, or neither")
        return self


class WebhookConfig(Model):
    """A group's webhook: what people of `roles` are told goes there too, without saying whom it waits for.

    `secret` signs (json: the body; dingtalk: the time, 加签); `token` is what WeCom calls `key` and DingTalk `access_token`,
    which stand in the addresses that they hand out.
    """

    name: Name
    url: Url
    kind: WebhookKind
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    secret: SecretReference | None = None
    token: SecretReference | None = None
    ca_file: PinnedFile | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 10

    @model_validator(mode="after")
    def _its_secrets(self) -> Self:
        given = frozenset(name for name in ("secret", "token") if getattr(self, name) is not None)
        if given != _SECRETS[self.kind]:
            needed = ", ".join(sorted(_SECRETS[self.kind]))
            raise PydanticCustomError("deployment.webhook_secrets", "secrets", {"needed": needed})
        return self


class NoticesConfig(Model):
    """Who is told outside the desk, and how often at most; without mail and webhooks notices stand in the desk alone."""

    mail: MailConfig | None = None
    webhooks: tuple[WebhookConfig, ...] = ()
    digest_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
