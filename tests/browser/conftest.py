"""What the browser's tests share: one chromium per process, the flow's half-played filings, and a desk that people come to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from pipelines.stages.installation import Installation
from tests.browser.every_page import BUSY, furnish
from tests.browser.reception import PATIENCE_MILLISECONDS, Reception
from tests.flow.conftest import (  # noqa: F401 - fixtures, found by their names
    audit_listed,
    begin,
    cores,
    resume,
    schedule_p_in_review,
    schedule_p_reviewed,
    servers,
)
from tests.flow.desk_play import at_desk
from tests.flow.play import opened, own_deployment

CHROMIUM = "/usr/bin/chromium"
Receive = Callable[[Installation], Reception]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's browser, without a window. Root has no sandbox."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    arguments = ["--no-sandbox"] if os.getuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def receive(chromium: Browser) -> Iterator[Receive]:
    """Open the desk of an installation: `receive(installation)`. No page may have complained at the end."""
    with ExitStack() as stack:
        receptions: list[Reception] = []

        def open_desk(installation: Installation) -> Reception:
            reception = Reception(stack.enter_context(at_desk(installation)), chromium)
            receptions.append(reception)
            return reception

        yield open_desk
        assert [trouble for each in receptions for trouble in each.leave()] == []


@pytest.fixture(scope="module")
def busy(
    request: pytest.FixtureRequest, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reception]:
    """A desk with something on every page. Nothing is decided at it: whoever comes only looks."""
    folder = tmp_path_factory.mktemp("busy")
    home, deployment = folder / "home", own_deployment(folder / "deployment", *BUSY)
    furnish(home, request.getfixturevalue("audit_listed"), deployment)
    with opened(home, deployment) as installation, at_desk(installation) as street:
        reception = Reception(street, chromium)
        yield reception
        reception.leave()
