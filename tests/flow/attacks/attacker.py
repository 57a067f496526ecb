"""Who means it ill: sends what is no honest value to every way into the desk, and looks hard at what comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlencode

import httpx
import yaml

from pipelines.demo.visitor import Visitor
from tests.flow.attacks.honest import Honest, There, page_of, places_of
from tests.flow.attacks.ways import Way
from tests.flow.attacks.ways import way as way_of
from tests.flow.desk_play import PASSWORD, Street, form_of

PEOPLE = {
    "business_reviewer": "business_reviewer", "data_engineer": "data_engineer", "audit_reviewer": "audit_reviewer",
    "branch_preparer": "branch_440000", "requester": "requester_440000", "branch_it": "branch_it_440000",
    "branch_it_manager": "branch_it_manager_440000", "finance": "finance_reviewer", "actuarial": "actuary",
    "it": "it_reviewer", "executive": "executive", "president": "president", "auditor": "auditor",
    "administrator": "administrator",
}  # fmt: skip
"""A person of every role; whose role opens a way first, takes it."""
HEADERS = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options", "permissions-policy",
           "cross-origin-opener-policy", "cross-origin-resource-policy")  # fmt: skip
COOKIES = ("baosong_session", "baosong_language", "baosong_table")
INSIDE = ("Traceback (most recent", 'File "/', "site-packages", "sqlalchemy", "sqlite3", "psycopg", "polars.", "pydantic",
          "jinja2", "starlette", "SQLite format 3", "root:x:0:0", "BEGIN PRIVATE", "uid=", "49028003", "OperationalError")  # fmt: skip
"""What no answer holds: the inside of the desk, files of the machine, anything that was computed."""
NUMBERS = count(1)
Slot = Literal["place", "asked", "field"]


@cache
def corpora() -> dict[str, tuple[str, ...]]:
    """What is sent, by kind."""
    data = yaml.safe_load((Path(__file__).parent / "corpora.yaml").read_text(encoding="utf-8"))
    return {
        kind: tuple(each if isinstance(each, str) else each["times"][0] * each["times"][1] for each in listed)
        for kind, listed in data.items()
    }


@dataclass
class Attacker:
    """Attacks over one street; `sent` keeps what was sent, to be looked for on every page afterwards."""

    street: Street
    there: There
    sent: set[str] = field(default_factory=set[str])
    requests: int = 0

    def person(self, way: Way) -> Visitor:
        """Somebody who may take the way, logged in: attacks end sessions and lock accounts."""
        visitor = self.street.visitor(next(user for role, user in PEOPLE.items() if role in way.roles))
        return self.logged_in(visitor)

    def logged_in(self, visitor: Visitor) -> Visitor:
        visitor.client.headers["x-forwarded-for"] = address()
        if self.session_of(visitor) is None:
            self.street.accounts.unlock(visitor.user, "administrator")
            visitor.log_in(PASSWORD)
        return visitor

    def session_of(self, visitor: Visitor) -> Any:
        return self.street.accounts.session(visitor.client.cookies.get("baosong_session", ""), is_use=False)

    def send(
        self,
        way: Way,
        changed: Mapping[tuple[Slot, str], str],
        *,
        files: list[tuple[str, tuple[str, bytes]]] | None = None,
        extra: tuple[tuple[str, str], ...] = (),
    ) -> httpx.Response:
        """Take a way with honest values but for those changed."""
        self.requests += 1
        self.sent.update(changed.values())
        client, secret = self._client(way)
        query = [(name, value) for (slot, name), value in changed.items() if slot == "asked"]
        url = path_of(
            way, {**self.honest_places(way), **{n: v for (s, n), v in changed.items() if s == "place"}}
        )
        if query:
            url += "?" + urlencode(query, errors="surrogatepass")
        if way.method == "GET":
            return client.get(url)
        honest = {**self.honest_fields(way), "csrf": secret}
        fields = {**honest, **{n: v for (s, n), v in changed.items() if s == "field"}}
        if files is None and way.files:
            files = [(name, ("doc.pdf", b"%PDF-1.4 simulated")) for name in way.files]
        if files:
            sent = {name: value.encode("utf-8", "surrogatepass") for name, value in (*fields.items(), *extra)}
            return client.post(url, data=sent, files=files)
        body = urlencode([*fields.items(), *extra], errors="surrogatepass")
        return client.post(url, content=body, headers={"content-type": "application/x-www-form-urlencoded"})

    def _client(self, way: Way) -> tuple[httpx.Client, str]:
        if way.is_public:
            client = self.street.known.setdefault(
                "nobody", Visitor(self.street.new_client(), "nobody")
            ).client
            client.cookies.clear()
            client.headers["x-forwarded-for"] = address()
            return client, ""
        visitor = self.person(way)
        return visitor.client, self.session_of(visitor).csrf_secret

    def honest_places(self, way: Way) -> dict[str, str]:
        """Where the route leads to something that is there."""
        return places_of(self.there, way.name)

    def honest_fields(self, way: Way) -> dict[str, str]:
        """What a form needs to be taken, or to come as far as it can; what its page says to it, as it says now."""
        return {**self._said(way), **self.honest.fields(way.name, next(NUMBERS))}

    @cached_property
    def honest(self) -> Honest:
        return Honest(self.there)

    def _said(self, way: Way) -> Mapping[str, str]:
        page = page_of(way.name)
        if page is None:
            return {}
        action = path_of(way, self.honest_places(way))
        shown = path_of(way_of(page), self.honest_places(way))
        form = form_of(self.person(way).client.get(shown).text, action)
        return {name: values[0] for name, values in form.items() if name != "csrf"}

    def look_at(self, answer: httpx.Response, what: object) -> None:
        """No fault, all headers, words for whoever is refused, nothing of the inside, nothing that was sent as it was sent."""
        said = f"{answer.request.method} {answer.request.url} {answer.status_code} after {what!r:.300}"
        assert answer.status_code < 500, f"{said}\n{answer.text[:300]}"
        assert [name for name in HEADERS if name not in answer.headers] == [], said
        assert not {"x-evil", "access-control-allow-origin"} & answer.headers.keys(), said
        assert all(name in COOKIES for name in answer.cookies), said
        kind = answer.headers.get("content-type", "")
        if answer.status_code >= 400 and not answer.request.url.path.startswith("/authorised/"):
            assert kind in ("text/html; charset=utf-8", "text/plain; charset=utf-8"), said
            assert 'class="wrong"' in answer.text or kind.startswith("text/plain"), said
        if answer.is_redirect:
            target = answer.headers["location"]
            assert target.startswith("/") and not target.startswith(("//", "/\\")), f"{said} → {target!r}"
        if "html" in kind or answer.status_code >= 400:
            self.look_at_page(answer.text, said)

    def look_at_page(self, page: str, said: str) -> None:
        home = str(self.street.installation.home)
        found = [each for each in (*INSIDE, home) if each in page and not any(each in s for s in self.sent)]
        assert found == [], said
        raw = [each for each in self.sent if is_markup(each) and each in page]
        assert raw == [], f"{said}: unescaped {raw}"


def is_markup(sent: str) -> bool:
    """Whether a page that holds the text as it is has not escaped it, and does not hold it by chance."""
    breaks_out = sent.startswith(('"', "'")) and " " in sent
    return len(sent) > 5 and (bool(set(sent) & set("<>")) or breaks_out)


def address() -> str:
    """A client of its own, so that neither the count per address nor the lock-out hides what is behind them."""
    number = next(NUMBERS)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def path_of(way: Way, places: Mapping[str, str]) -> str:
    """The address of a way; what is encoded already is sent as it is, so that it is decoded once or twice as it meant to be."""
    return way.path.format_map(
        {
            name: value if is_encoded(value) else quote(value, safe="", errors="surrogatepass") or "%20"
            for name, value in places.items()
        }
    )


def is_encoded(value: str) -> bool:
    return "%" in value and value.isascii() and value.isprintable() and not set(value) & set(' "<>?#{}|\\^`')


def slots(way: Way) -> Iterator[tuple[Slot, str]]:
    """Everything of a way that holds what the sender likes."""
    yield from (("place", name) for name in way.places)
    yield from (("asked", name) for name in way.asked)
    yield from (("field", name) for name in way.fields)
    if way.method == "POST" and not way.is_public:
        yield ("field", "csrf")
