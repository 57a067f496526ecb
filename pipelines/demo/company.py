"""The simulated people of the company at the desk: each with an account, a password of their own, and what they do there.

They act over HTTP alone, as their browsers would, and every act is printed with what the desk answered.
"""

from __future__ import annotations

import csv
import os
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path

import httpx

from pipelines.demo.visitor import Visitor
from pipelines.stages.installation import Installation
from resources.accounts import open_accounts
from resources.deployment import Deployment
from resources.settings import Settings

ADMINISTRATOR = "administrator"
_SAID = re.compile(r'<p class="said"[^>]*>([^<]+)</p>')
_PATIENCE_SECONDS = 120


class Company:
    """Everybody of the deployment. `password_file` lists their passwords, for whoever looks on (`make dev`)."""

    def __init__(self, settings: Settings, deployment: Deployment, url: str) -> None:
        self._deployment, self._url = deployment, url
        self._passwords = password_file(settings.home)
        self._visitors: dict[str, Visitor] = {}
        self._enrol(settings)

    def visitor(self, user: str) -> Visitor:
        """The person, logged in."""
        if user not in self._visitors:
            visitor = Visitor(self._browser(), user)
            visitor.log_in(self.password(user))
            self._visitors[user] = visitor
        return self._visitors[user]

    def password(self, user: str) -> str:
        with self._passwords.open(encoding="utf-8", newline="") as file:
            return next(row["password"] for row in csv.DictReader(file) if row["user"] == user)

    def do(
        self,
        user: str,
        page: str,
        fields: Mapping[str, str | Sequence[str]],
        *,
        to: str = "",
        files: Sequence[tuple[str, Path]] = (),
        hidden: Mapping[str, str] | None = None,
    ) -> str:
        """Send a form of a page and print what was done; `hidden` fields are not printed. Raises Declined as `Visitor.send`."""
        person = self._deployment.user(user)
        shown = "，".join(
            f"{name}={value if isinstance(value, str) else ' '.join(value)}" for name, value in fields.items()
        )
        books = "，".join(path.name for _, path in files)
        sys.stdout.write(
            f"    [审核台] {person.name} {page}：{'；'.join(part for part in (shown, books) if part)}\n"
        )
        answer = self.visitor(user).send(page, to or page, {**fields, **(hidden or {})}, files)
        for told in _SAID.findall(answer):
            sys.stdout.write(f"      {unescape(told)}\n")
        sys.stdout.flush()
        return answer

    def sign(self, user: str, filing: str, comment: str, *, content: str) -> None:
        """Agree to a content, with the password at that moment."""
        fields = {"opinion": "agree", "comment": comment}
        self.do(
            user,
            f"/filings/{filing}/sign",
            fields,
            hidden={"password": self.password(user), "content": content},
        )

    def _browser(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, timeout=_PATIENCE_SECONDS)

    def _enrol(self, settings: Settings) -> None:
        """An administrator invites everybody; each sets a password of their own at the desk."""
        self._passwords.parent.mkdir(parents=True, exist_ok=True)
        rows: list[tuple[str, str, str]] = []
        with open_accounts(settings, self._deployment) as accounts, self._browser() as browser:
            for user in self._deployment.users.values():
                password = secrets.token_urlsafe(18)
                Visitor(browser, user.id).enrol(accounts.invite(user.id, ADMINISTRATOR), password)
                rows.append((user.id, password, user.name))
        descriptor = os.open(self._passwords, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("user", "password", "name"), *rows])
        sys.stdout.write(f"    {len(rows)} 名模拟人员已受邀并在审核台各自设置口令（{self._passwords}）\n")


def password_file(home: Path) -> Path:
    """Where the passwords of the simulated people stand; readable for its owner only."""
    return home / "demo" / "passwords.csv"


def signed_content(installation: Installation, filing: str) -> str:
    """The digest of the content that is on its route now."""
    live = installation.state(filing).live_sign_off
    assert live is not None, "it was just put on its route"
    return live.fact.content
