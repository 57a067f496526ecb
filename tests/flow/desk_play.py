"""How these tests visit the desk: a real server on loopback over an installation, people with accounts, pages and forms over HTTP.

A real browser is `tests/browser`'s matter.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx
import polars as pl

from pipelines.demo.visitor import Visitor
from pipelines.desk.live import Pace
from pipelines.desk.reading import Reading
from pipelines.desk.serving import server_of
from pipelines.desk.visit import Desk
from pipelines.ledger.change import ChangeRaised
from pipelines.stages.account_notices import accounts_of
from pipelines.stages.installation import Installation
from pipelines.stages.register import register
from resources.accounts import Accounts, Client

_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
PASSWORD = "ein langer Satz fuer die Probe 26"


@dataclass
class Street:
    """The desk at `url`, and whoever comes to it: `visitor(user)` has an account and is logged in."""

    desk: Desk
    url: str
    clients: ExitStack
    known: dict[str, Visitor] = field(default_factory=dict[str, Visitor])

    @property
    def accounts(self) -> Accounts:
        return self.desk.accounts

    @property
    def installation(self) -> Installation:
        return self.desk.installation

    def visitor(self, user: str) -> Visitor:
        if user not in self.known:
            code = self.accounts.invite(user, "administrator")
            self.accounts.enrol(user, code, PASSWORD, Client("127.0.0.1", "test"))
            visitor = Visitor(self.new_client(), user)
            visitor.log_in(PASSWORD)
            self.known[user] = visitor
        return self.known[user]

    def new_client(self) -> httpx.Client:
        """A browser without cookies."""
        return self.clients.enter_context(httpx.Client(base_url=self.url, timeout=60))


@contextmanager
def at_desk(
    installation: Installation,
    *,
    pace: Pace = Pace(),  # noqa: B008 - frozen
    accounts: Accounts | None = None,
) -> Generator[Street]:
    """Serve the desk over an installation until the end, with accounts of its own or those that are given."""
    opened = accounts or accounts_of(installation)
    with opened as known, ExitStack() as clients:
        desk = Desk(installation, known, Reading(installation))
        server = server_of(desk, is_behind_proxy=True, pace=pace)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive(), "the server did not start"
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Street(desk, f"http://127.0.0.1:{port}", clients)
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive(), "the server did not end"


def a_change(installation: Installation, filing: str, finding: str) -> str:
    """A change request as it stands once somebody raised it; its number. What led to it is not played."""
    row = register(installation, installation.state(filing)).row(
        by_predicate=pl.col("finding") == finding, named=True
    )
    number = f"QB-{filing}-V1-GK001"
    fact = ChangeRaised(
        standard=installation.state(filing).opened.fact.standard, filing=filing, finding=finding, rule=row["rule"],
        table=row["table"], key=row["key"], field=row["field"], old=row["value"], new="0", reason="接口截断所致（模拟）",
        department=row["department"], organisation=row["branch"],
    )  # fmt: skip
    installation.ledger.append(
        f"change/{number}",
        fact.kind,
        fact.payload(),
        actor="data_engineer",
        at=installation.now(),
        command_id=number,
    )
    return number


def words(page: str) -> str:
    """What a page says, as a reader sees it."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def form_of(page: str, action: str) -> dict[str, list[str]]:
    """What the forms of a page that are sent to this address hold unseen: the values of each field."""
    found: dict[str, list[str]] = {}
    for form in _FORM.findall(page):
        for name, value in _HIDDEN.findall(form) if f'action="{action}"' in form else ():
            found.setdefault(name, []).append(unescape(value))
    return found


def kept_in(page: str, *names: str) -> dict[str, str]:
    """What stands in fields of a page; what it has no such field for is left out."""
    found: dict[str, str] = {}
    for name in names:
        shown = re.search(
            rf'<input[^>]* name="{name}" value="([^"]*)"|<textarea[^>]* name="{name}"[^>]*>([^<]*)</textarea>|'
            rf'<select[^>]* name="{name}"(?:(?!</select>).)*<option value="([^"]*)" selected',
            page,
            re.DOTALL,
        )
        if shown is not None:
            found[name] = unescape(next(each for each in shown.groups() if each is not None))
    return found


def refusal(
    visitor: Visitor,
    page: str,
    action: str,
    fields: Mapping[str, str],
    files: Sequence[tuple[str, Path]] = (),
) -> str:
    """The whole page that answers a form which is refused."""
    given = [(name, (path.name, path.read_bytes())) for name, path in files]
    data = {**form_of(visitor.read(page), action), **fields}
    answer = visitor.client.post(action, data=data, files=given or None)
    assert answer.status_code in (400, 404, 409), answer.status_code
    return answer.text


def status(client: httpx.Client, path: str) -> int:
    """What an address answers with; a stream of events is not waited for."""
    with client.stream("GET", path) as answer:
        return answer.status_code
