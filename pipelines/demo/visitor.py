"""One simulated person at the desk: logs in, reads pages, sends their forms over HTTP, as a browser without script does.

What the desk answers is taken as it is: an error of the page is raised as `Declined`, with the words that a person would read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any

import httpx

_HIDDEN = re.compile(r'<input type="hidden" name="(csrf|seen|content|review|seat)" value="([^"]*)"')
_WRONG = re.compile(r'class="wrong"[^>]*>(.*?)</(?:div|p|section)>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_OK, _SEE_OTHER = 200, 303


class Declined(Exception):
    """The desk did not do what it was asked; the text is what stood on the page."""


class Visitor:
    """A person with a browser of their own. `client` talks to the desk; it keeps the session's cookie."""

    def __init__(self, client: httpx.Client, user: str) -> None:
        self.client, self.user = client, user

    def enrol(self, code: str, password: str) -> None:
        """Set the first password with the code of the invitation. Raises Declined."""
        fields = {"user": self.user, "code": code, "password": password, "again": password}
        self._done(self.client.post("/enrol", data=fields))

    def log_in(self, password: str, code: str = "") -> None:
        """Come in. Raises Declined when the desk does not let the person in."""
        self._done(
            self.client.post(
                "/login", data={"user": self.user, "password": password, "code": code, "next": "/"}
            )
        )

    def read(self, path: str) -> str:
        """A page's text as it came. Raises Declined for anything but a page."""
        answer = self.client.get(path)
        if answer.status_code != _OK:
            raise Declined(f"{answer.status_code} {said(answer.text)}")
        return answer.text

    def fetch(self, path: str) -> bytes:
        """A file that a page links to."""
        answer = self.client.get(path)
        if answer.status_code != _OK:
            raise Declined(f"{answer.status_code} {said(answer.text)}")
        return answer.content

    def send(
        self,
        page: str,
        action: str,
        fields: Mapping[str, str | Sequence[str]],
        files: Sequence[tuple[str, Path]] = (),
    ) -> str:
        """Send a form of `page` to `action`; the text of the page that follows. Raises Declined with what stood there."""
        data: dict[str, Any] = {**dict(_HIDDEN.findall(self.read(page))), **fields}
        given = [(name, (path.name, path.read_bytes())) for name, path in files]
        answer = self.client.post(action, data=data, files=given or None)
        if answer.status_code == _SEE_OTHER:
            return self.read(answer.headers["location"])
        if answer.status_code != _OK:
            raise Declined(said(answer.text))
        return answer.text

    @staticmethod
    def _done(answer: httpx.Response) -> None:
        if answer.status_code != _SEE_OTHER:
            raise Declined(said(answer.text))


def said(page: str) -> str:
    """What a page says was wrong, as plain text; empty where it says nothing."""
    found = [unescape(_TAG.sub("", part)).strip() for part in _WRONG.findall(page)]
    return "\n".join(line.strip() for part in found for line in part.splitlines() if line.strip())
