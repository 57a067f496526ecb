"""How these tests go to a provider and back, as a browser without script does; and a deployment that sends people there."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest

from tests.flow.desk_play import Street, words
from tests.flow.play import DEMO
from tests.resources.sign_on.running import CLIENT, PASSWORD, SECRET

_TOKEN = re.compile(r"name='token' value='([^']+)'")
_ONWARD = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')


@contextmanager
def sent_to(issuer: str, folder: Path, *, secret: str = SECRET, more: str = "") -> Generator[Path]:
    """The demo's deployment with a sign-on at `issuer`; `more` lines stand in its section."""
    shutil.copytree(DEMO, folder)
    section = f"\noidc:\n  issuer: {issuer}\n  client_id: {CLIENT}\n  client_secret: env:OIDC_SECRET\n{more}"
    main = folder / "deployment.yaml"
    main.write_text(main.read_text(encoding="utf-8") + section, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OIDC_SECRET", secret)
        yield folder


@dataclass
class Traveller:
    """Somebody's browser at the desk and at the provider. `address` is where the desk believes they are."""

    desk: httpx.Client
    provider: httpx.Client

    def leave(self, next_page: str = "/", *, again: bool = False) -> dict[str, str]:
        """To the provider: what the desk sent along."""
        answer = self.desk.get("/sign-on/again" if again else "/sign-on", params={"next": next_page})
        assert answer.status_code == 303, words(answer.text)
        self.address = answer.headers["location"]
        return dict(parse_qsl(urlsplit(self.address).query))

    def come_back(self, **came: str) -> httpx.Response:
        """To the page that the provider leads to, and on from there."""
        page = self.desk.get("/sign-on/back", params=came)
        assert page.status_code == 200, words(page.text)
        onward = _ONWARD.search(page.text)
        assert onward
        return self.desk.get(unescape(onward[1]))

    def enter(self, user: str) -> dict[str, str]:
        """Give user and password at the provider, if it asks: what it sends the browser back with."""
        answer = self.provider.get(self.address)
        if answer.status_code == 200:
            token = _TOKEN.search(answer.text)
            assert token, answer.text
            form = {"token": unescape(token[1]), "username": user, "password": PASSWORD}
            answer = self.provider.post(urljoin(self.address, "/verify"), data=form)
        assert answer.status_code == 303, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def sign_on(self, user: str, next_page: str = "/", *, again: bool = False) -> httpx.Response:
        """All of the way."""
        self.leave(next_page, again=again)
        return self.come_back(**self.enter(user))


def traveller(street: Street, address: str = "192.0.2.1") -> Traveller:
    desk = street.new_client()
    desk.headers["x-forwarded-for"] = address
    return Traveller(desk, street.clients.enter_context(httpx.Client(timeout=60)))


def is_in(person: Traveller) -> bool:
    """Whether the desk shows the person their tasks."""
    return person.desk.get("/").status_code == 200
