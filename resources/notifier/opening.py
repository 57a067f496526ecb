"""Opening what carries notices, as the deployment configures it. A channel that cannot be opened keeps no other from sending."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Self

from pipelines.errors import BaosongError
from resources.clock import SystemClock
from resources.deployment import Deployment, MailConfig, NoticesConfig, PinnedFile, WebhookConfig
from resources.notifier.mail import MailClient
from resources.notifier.message import Digest, Outcome
from resources.notifier.shapes import MAIL, WEBHOOK
from resources.notifier.webhook import WebhookClient
from resources.secrets import resolve

Carry = Callable[[str, Digest], Outcome]


class Carriers:
    """The mail server and the webhooks of one deployment, each opened when it is first needed. A context manager."""

    def __init__(self, deployment: Deployment, config: NoticesConfig, now: Callable[[], datetime]) -> None:
        self._deployment, self._config, self._now = deployment, config, now
        self._open: dict[str, Carry] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def send(self, channel: str, recipient: str, digest: Digest) -> Outcome:
        """Never raises for a missing secret or a server that is away. Refused: the channel or the recipient is no more."""
        try:
            carry = self._open.get(channel) or self._opened(channel)
        except BaosongError as error:
            return Outcome("down", str(error)[:300])
        if carry is None:
            return Outcome("refused", "not configured any more")
        self._open[channel] = carry
        return carry(recipient, digest)

    def _opened(self, channel: str) -> Carry | None:
        if channel == MAIL:
            return self._mail(self._config.mail) if self._config.mail else None
        for webhook in self._config.webhooks:
            if channel == WEBHOOK + webhook.name:
                return self._webhook(webhook)
        return None

    def _mail(self, config: MailConfig) -> Carry:
        client = MailClient(
            config.host,
            config.port,
            sender=config.sender,
            starttls=config.starttls == "required",
            username=config.username,
            password=self._secret(config.password) or None,
            ca_file=self._file(config.ca_file),
            timeout_seconds=config.timeout_seconds,
        )

        def carry(recipient: str, digest: Digest) -> Outcome:
            user = self._deployment.users.get(recipient)
            if user is None or user.mail is None:
                return Outcome("refused", "no mail address any more")
            return client.send(user.mail, user.name, digest)

        return carry

    def _webhook(self, config: WebhookConfig) -> Carry:
        client = WebhookClient(
            config.url,
            config.kind,
            now=self._now,
            secret=self._secret(config.secret),
            token=self._secret(config.token),
            ca_file=self._file(config.ca_file),
            timeout_seconds=config.timeout_seconds,
        )
        self._stack.callback(client.close)
        return lambda _, digest: client.send(digest)

    def _secret(self, reference: str | None) -> str:
        return resolve(reference, self._deployment.home) if reference else ""

    def _file(self, pinned: PinnedFile | None) -> Path | None:
        return pinned.path(home=self._deployment.home, deployment=self._deployment.path) if pinned else None


def open_carriers(deployment: Deployment, config: NoticesConfig) -> Carriers:
    """They sign by the machine's clock even where the deployment's clock is a file: other people's servers check the real time."""
    return Carriers(deployment, config, SystemClock(deployment.timezone).now)
