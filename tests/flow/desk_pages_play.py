"""People at the desk of an installation: a server on loopback, each person enrolled, logged in, with a browser of their own."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from html import unescape

import httpx
import uvicorn

from pipelines.demo.visitor import Visitor
from pipelines.desk.app import create_app
from pipelines.desk.reading import Reading
from pipelines.desk.visit import Desk
from pipelines.stages.installation import Installation
from resources.accounts import Accounts, Client, open_accounts

_PASSWORD = "a long sentence for the tests"


class Visitors:
    """The people of a desk by their user ids; who is asked for comes in first."""

    def __init__(self, url: str, accounts: Accounts, browsers: ExitStack) -> None:
        self._url, self._accounts, self._browsers = url, accounts, browsers
        self._known: dict[str, Visitor] = {}

    def __getitem__(self, user: str) -> Visitor:
        if user not in self._known:
            code = self._accounts.invite(user, "administrator")
            self._accounts.enrol(user, code, _PASSWORD, Client("127.0.0.1", "test"))
            browser = self._browsers.enter_context(httpx.Client(base_url=self._url, timeout=60))
            self._known[user] = Visitor(browser, user)
            self._known[user].log_in(_PASSWORD)
        return self._known[user]


@contextmanager
def desk_people(installation: Installation) -> Generator[Visitors]:
    """A desk over the installation and its visitors, served until the end."""
    with open_accounts(installation.settings, installation.deployment) as accounts, ExitStack() as browsers:
        desk = Desk(installation, accounts, Reading(installation))
        config = uvicorn.Config(create_app(desk), port=0, log_level="warning", access_log=False, lifespan="off")  # fmt: skip
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Visitors(f"http://127.0.0.1:{port}", accounts, browsers)
        finally:
            server.should_exit = True
            thread.join()


def words(page: str) -> str:
    """What a page says, as a reader sees it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
