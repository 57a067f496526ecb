"""A busy desk with something on every page, the list of its pages, and what a look at one of them tells: `look`.

Nothing is asserted here. `Every page` means every route that answers with a page; a test holds the list against the routes.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlencode

from axe_playwright_python.base import AXE_SCRIPT
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from playwright.sync_api import Page

from pipelines.desk.pages import ROUTERS
from pipelines.stages.cell_notation import format_cell
from pipelines.stages.correct import import_answers
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import issue
from pipelines.stages.request import open_due, raise_request
from pipelines.stages.selection import Selection
from pipelines.stages.sign_off import give_opinion, open_sign_off
from tests.browser.reception import OFFICE, PHONE, Person, Reception
from tests.flow.conftest import leave_few_filers
from tests.flow.desk_play import a_change
from tests.flow.life import rows
from tests.flow.play import (
    AUDIT,
    PREPARERS,
    SCHEDULE_P,
    START,
    answer_all,
    answer_audit,
    draft,
    explain,
    filled_workbooks,
    first_report,
    open_by_request,
    opened,
    preparer,
    run,
    schedule_p_draft,
)

WAITING = "JH-2026-004"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_MAYBE_PAGES = {"explain"}
"""Routes that answer with a page or lead to another one."""
_RUN = """(options) => axe.run(document, options).then((found) => found.violations.flatMap((violation) =>
  violation.nodes.map((node) => `${violation.id} ${node.target.join(" ")} ${node.failureSummary}`)))"""


@dataclass(frozen=True)
class Place:
    """A page: its route, who opens it, what its address takes."""

    route: str
    user: str
    path: dict[str, str] = field(default_factory=dict[str, str])
    query: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def name(self) -> str:
        return f"{self.route} {'?' if self.query else ''}as {self.user}" + (
            f" {self.path.get('filing', '')}" if self.path else ""
        )


@dataclass(frozen=True)
class Looked:
    """What was seen: violations of WCAG, in both colour schemes, and by how much the page is wider than its window, and than a phone's."""

    violations: list[str]
    too_wide: int
    too_wide_on_phone: int


def furnish(home: Path, audit_listed: Path) -> None:
    """Audit findings at three posts, Schedule P at its executive after one rejection, a request that waits, April's statistics."""
    shutil.copytree(audit_listed, home, dirs_exist_ok=True)
    leave_few_filers(home)
    with opened(home) as installation:
        raise_request(
            installation,
            draft(home, number=WAITING, deadline=date(2026, 5, 8)),
            installation.user("requester"),
        )
        open_due(installation, START.date())
        review_findings(installation, AUDIT, installation.user("audit_reviewer"), "confirm", Selection())
        for department in ("underwriting", "claims"):
            issue(installation, AUDIT, department, installation.user("business_reviewer"), Selection())
        books = filled_workbooks(installation, AUDIT, answer_audit, home / "filled")
        for book in books["440000"]:
            import_answers(installation, AUDIT, book, installation.user(PREPARERS["440000"]))
        a_change(installation, AUDIT, str(rows(installation, rule="D05")["finding"][0]))
        open_by_request(installation, schedule_p_draft(home))
        run(installation, SCHEDULE_P, "extract", "validate", "review")
        answer_all(installation, SCHEDULE_P, explain, home / "filled", otherwise="filer_correspondent")
        run(installation, SCHEDULE_P, "validate", "review")
        first_report(installation, SCHEDULE_P)
        for opinion, answer in (("disagree", ""), ("agree", "准备金口径见说明（模拟）")):
            open_sign_off(installation, SCHEDULE_P, preparer(installation), answer=answer)
            actuary = installation.user("actuary")
            give_opinion(
                installation, SCHEDULE_P, actuary, opinion=opinion, comment="准备金口径应予说明（模拟）"
            )


def places(installation: Installation) -> list[Place]:
    """Every page, by somebody for whom there is something on it."""
    audit, schedule_p = {"filing": AUDIT}, {"filing": SCHEDULE_P}
    answered = rows(installation, branch="440000").drop_nulls("handling")
    wrong = rows(installation, rule="D05").row(0, named=True)
    cell = format_cell(wrong["table"], [str(value) for value in json.loads(wrong["key"]).values()])
    finding = {**audit, "finding": str(answered["finding"][0])}
    return [
        Place("tasks", "audit_reviewer"), Place("tasks", "business_reviewer"), Place("tasks", "executive"),
        Place("account", "executive"), Place("notices", "executive"),
        Place("requests", "requester"), Place("new_request", "requester"), Place("request", "audit_reviewer", {"key": WAITING}),
        Place("calendar", "data_engineer"), Place("filings", "data_engineer"),
        Place("filing", "data_engineer", audit), Place("filing", "executive", schedule_p), Place("filing", "branch_it_440000", audit),
        Place("filing_data", "data_engineer", audit), Place("filing_ledger", "data_engineer", audit),
        Place("findings", "business_reviewer", audit), Place("findings", "branch_440000", audit),
        Place("finding", "branch_440000", finding),
        Place("workbooks", "branch_330000", audit), Place("workbooks", "branch_440000", audit),
        Place("gates", "data_engineer", audit), Place("sign_page", "executive", schedule_p),
        Place("comparison", "data_engineer", audit), Place("explain", "data_engineer", audit),
        Place("explain", "data_engineer", audit, {"cell": cell, "field": wrong["field"]}),
        Place("changes", "data_engineer"), Place("change", "business_reviewer", {"number": f"QB-{AUDIT}-V1-GK001"}),
        Place("standards", "auditor"), Place("standard", "auditor", {"standard": "circ_audit"}),
        Place("standard_table", "auditor", {"standard": "circ_audit", "table": "BDXXB"}),
        Place("standard_rule", "auditor", {"standard": "circ_audit", "rule": "D03"}),
        Place("standard_codes", "auditor", {"standard": "circ_audit", "codes": "business_source"}),
        Place("users", "auditor"), Place("trail", "auditor"), Place("person", "administrator", {"user": "executive"}),
    ]  # fmt: skip


def routes_of_pages() -> set[str]:
    """The names of all routes that a browser opens to read a page."""
    return _MAYBE_PAGES | {
        str(route.name)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" in route.methods
        if get_type_hints(route.endpoint).get("return") is HTMLResponse
    }


def address(reception: Reception, place: Place) -> str:
    server_app: Any = reception.app
    path = str(server_app.url_path_for(place.route, **place.path))
    return f"{path}?{urlencode(place.query)}" if place.query else path


def look(person: Person, *, size: tuple[int, int] = OFFICE) -> Looked:
    """Judge the page that is open, in light and in dark colours. What has no colour is the same in both."""
    page = person.page
    page.evaluate(AXE_SCRIPT)
    light = page.evaluate(_RUN, {"runOnly": _TAGS, "resultTypes": ["violations"]})
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(_RUN, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    page.emulate_media(color_scheme="light")
    wide = too_wide(page)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    on_phone = too_wide(page)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    return Looked([*light, *(f"dark: {each}" for each in dark)], wide, on_phone)


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate(
        "Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"
    )
