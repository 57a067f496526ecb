"""How these tests come to the desk: people with accounts at real browsers, who click, type and read as people do.

A person notes what no page may do: complain on the console, fault in its script, ask another host for anything. What the
people do there is each test's matter; what a page must be like for everybody is `looks.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from pipelines.desk.pages import ROUTERS
from resources.accounts import Client
from tests.flow.desk_play import PASSWORD, Street

OFFICE = (1366, 768)
PHONE = (390, 844)
LOG_IN = {"zh": "登录", "en": "Log in"}
_WORDS = {
    "zh": {"user": "用户编号", "password": "口令"},
    "en": {"user": "User id", "password": "Password"},
}
PATIENCE_MILLISECONDS = 30_000
"""Playwright waits no longer than it must; other work may share the machine."""


@dataclass
class Person:
    """Somebody at a browser. `troubles` collects what no page may do."""

    user: str
    page: Page
    url: str
    language: str = "zh"
    troubles: list[str] = field(default_factory=list[str])

    def open(self, path: str) -> None:
        """Go to a page of the desk by its address."""
        self.page.goto(f"{self.url}{path}")

    def log_in(self, password: str = PASSWORD) -> None:
        """Come in by the form, in the person's language."""
        self.open("/login")
        if self.language == "en":
            self.follow("English")
        self.fill(_WORDS[self.language]["user"], self.user)
        self.fill(_WORDS[self.language]["password"], password)
        self.press(LOG_IN[self.language])
        expect(self.page.get_by_role("navigation")).to_be_visible()

    def begin(self, task: str, subject: str = "") -> None:
        """Take up what waits on the first page: the link of the task, in the row of its filing or request."""
        self.open("/")
        self.page.get_by_role("row").filter(has_text=subject).get_by_role(
            "link", name=task, exact=True
        ).click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def fill(self, label: str, value: str) -> None:
        self.page.get_by_label(label, exact=True).fill(value)

    def choose(self, name: str) -> None:
        """One of several, by its words."""
        self.page.get_by_role("radio", name=name, exact=True).check()

    def tick(self, name: str) -> None:
        """A box whose words begin so."""
        self.page.get_by_role("checkbox", name=name).check()

    def upload(self, label: str, *files: Path) -> None:
        self.page.get_by_label(label, exact=True).set_input_files(list(files))

    def download(self, name: str, folder: Path) -> Path:
        """Click a link that hands out a file; where it lies."""
        with self.page.expect_download() as info:
            self.follow(name)
        target = folder / info.value.suggested_filename
        info.value.save_as(target)
        return target

    def reads(self, *texts: str) -> None:
        """Each text stands on the page and can be seen."""
        for text in texts:
            expect(self.page.locator("main").get_by_text(text).first).to_be_visible()

    def is_told(self, text: str) -> None:
        """What the desk says of the last act, announced to those who cannot see it too."""
        expect(self.page.get_by_role("status").filter(has_text=text).first).to_be_visible()

    def is_warned(self, text: str) -> None:
        """What was wrong with the last act."""
        expect(self.page.get_by_role("alert").filter(has_text=text).first).to_be_visible()

    def forgive(self, complaint: str) -> None:
        """The browser complained once of what the test wanted: an answer that refuses."""
        meant = [trouble for trouble in self.troubles if complaint in trouble]
        assert len(meant) == 1, f"{self.troubles} for {complaint}"
        self.troubles.remove(meant[0])


@dataclass
class Reception:
    """Lets people come to a desk; `persons` are all who came."""

    street: Street
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list[BrowserContext])
    persons: dict[tuple[str, str], Person] = field(default_factory=dict[tuple[str, str], Person])
    known: set[str] = field(default_factory=set[str])

    @property
    def app(self) -> FastAPI:
        """The routes, to make addresses of."""
        app = FastAPI()
        for router in ROUTERS:
            app.include_router(router)
        return app

    def person(self, user: str, language: str = "zh") -> Person:
        """The person, logged in; the same browser every time."""
        if (user, language) not in self.persons:
            person = self.stranger(user, language)
            self.give_account(user)
            person.log_in()
            self.persons[user, language] = person
        return self.persons[user, language]

    def give_account(self, user: str) -> None:
        """The account of somebody who has set a password already."""
        if user not in self.known:
            code = self.street.accounts.invite(user, "administrator")
            self.street.accounts.enrol(user, code, PASSWORD, Client("127.0.0.1", "test"))
            self.known.add(user)

    def stranger(
        self, user: str, language: str = "zh", *, size: tuple[int, int] = OFFICE, **options: Any
    ) -> Person:
        """Somebody with an empty browser, before any page. `options` go to the browser's context."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            **options,
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.contexts.append(context)
        person = Person(user, context.new_page(), self.street.url, language)
        watch(person)
        return person

    def leave(self) -> list[str]:
        """Close every browser; what was noted in any of them."""
        for context in self.contexts:
            context.close()
        return [trouble for person in self.persons.values() for trouble in person.troubles]


def watch(person: Person) -> None:
    """Note what no page may do."""

    def noted(request: Request) -> None:
        if not request.url.startswith((f"{person.url}/", "data:", "blob:")):
            person.troubles.append(f"{person.page.url} asks for {request.url}")

    page, troubles = person.page, person.troubles
    page.on("request", noted)
    page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
    page.on(
        "console",
        lambda said: (
            troubles.append(f"{page.url}: {said.text}") if said.type in ("error", "warning") else None
        ),
    )
