"""A busy desk with something on every page, the list of its pages, and what a look at one of them tells: `look`.

Nothing is asserted here. `Every page` means every route that answers with a page; a test holds the list against the routes.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlencode

from axe_playwright_python.base import AXE_SCRIPT
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from playwright.sync_api import Page

from pipelines.desk.pages import ROUTERS
from pipelines.stages.answer_page import answer_finding
from pipelines.stages.cell_notation import format_cell
from pipelines.stages.correct import import_answers
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import issue
from pipelines.stages.people import PersonDraft, propose
from pipelines.stages.request import open_due, raise_request
from pipelines.stages.selection import Selection
from pipelines.stages.sign_off import give_opinion, open_sign_off
from pipelines.stages.talk import Talk, propose_extension, record_talk
from pipelines.stages.waiver_granting import WaiverDraft, propose_waiver
from tests.browser.reception import OFFICE, PHONE, Person, Reception
from tests.flow.conftest import leave_few_filers
from tests.flow.desk_play import a_change
from tests.flow.life import rows, waive
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
from tests.flow.test_findings_life import SECOND_OF_440000

WAITING = "JH-2026-004"
BUSY = (
    SECOND_OF_440000,
    (
        "deployment.yaml",
        "    organisations: all\n    first_review",
        "    organisations: all\n    off_system: {ZBHTXXB: finance}\n    first_review",
    ),
)
"""What the busy desk's deployment has beside the demo's: a second preparer of one branch, a table kept outside the systems."""
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


def furnish(home: Path, audit_listed: Path, deployment: Path) -> None:
    """Audit findings at three posts with a waiver and answers that differ, a deadline to be reviewed, Schedule P at its executive
    after one rejection, a request that waits, April's statistics."""
    shutil.copytree(audit_listed, home, dirs_exist_ok=True)
    leave_few_filers(home)
    with opened(home, deployment) as installation:
        propose(
            installation,
            "actuary2",
            PersonDraft("精算审核人乙（模拟）", ("actuarial",), ("*",)),
            installation.user("administrator"),
            reason="增设岗位（模拟）",
        )
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
        _differ(installation)
        _talk(installation, home / "JH.txt")
        waiver = WaiverDraft(
            "B01", "签报〔2026〕7号（模拟）", "历史证件（模拟）", date(2026, 6, 30), table="KHXXB"
        )
        underwriter = installation.user("underwriting_reviewer")
        waive(installation, AUDIT, waiver, underwriter)
        propose_waiver(installation, AUDIT, replace(waiver, rule="D02", table="BDXXB"), underwriter)
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


def _differ(installation: Installation) -> None:
    """A second person of a branch answers otherwise than the first."""
    row = rows(installation, rule="D05", branch="440000", holder="decide").row(0, named=True)
    other = "source_fix" if row["handling"] != "source_fix" else "report_correction"
    value = "" if other == "source_fix" else row["expected"]
    second = installation.user("second_440000")
    answer_finding(
        installation,
        AUDIT,
        second,
        row["finding"],
        handling=other,
        new_value=value,
        reason="核对凭证后（模拟）",
    )


def _talk(installation: Installation, proof: Path) -> None:
    talk = Talk("监管处（模拟）", "机构范围是否含本级？", "不含，以文件为准。", documents=(proof,))
    branch = installation.user("branch_it_440000")
    record_talk(installation, AUDIT, branch, talk)
    propose_extension(
        installation, AUDIT, branch, deadline=date(2026, 5, 22), reason="数据量大（模拟）", documents=[proof]
    )


def places(installation: Installation) -> list[Place]:
    """Every page, by somebody for whom there is something on it."""
    audit, schedule_p = {"filing": AUDIT}, {"filing": SCHEDULE_P}
    answered = rows(installation, branch="440000").drop_nulls("handling")
    wrong = rows(installation, rule="D05").row(0, named=True)
    cell = format_cell(wrong["table"], [str(value) for value in json.loads(wrong["key"]).values()])
    differing = rows(installation, conflict=True)
    waivable = rows(installation, rule="D05")
    finding = {**audit, "finding": str(answered["finding"][0])}
    return [
        Place("tasks", "audit_reviewer"), Place("tasks", "business_reviewer"), Place("tasks", "executive"),
        Place("account", "executive"), Place("notices", "executive"),
        Place("requests", "requester"), Place("new_request", "requester"), Place("request", "audit_reviewer", {"key": WAITING}),
        Place("amend_page", "requester", {"key": WAITING}), Place("withdraw_page", "requester", {"key": AUDIT.rsplit(".", 1)[-1]}),
        Place("calendar", "data_engineer"), Place("filings", "data_engineer"),
        Place("filing", "data_engineer", audit), Place("filing", "executive", schedule_p), Place("filing", "branch_it_440000", audit),
        Place("filing_data", "data_engineer", audit), Place("filing_ledger", "data_engineer", audit),
        Place("findings", "business_reviewer", audit), Place("findings", "branch_440000", audit),
        Place("finding", "branch_440000", finding),
        Place("workbooks", "branch_330000", audit), Place("workbooks", "branch_440000", audit),
        Place("finding", "business_reviewer", {**audit, "finding": str(differing["finding"][0])}),
        Place("waivers", "business_reviewer", audit),
        Place("waivers", "underwriting_reviewer", audit, {"finding": str(waivable["finding"][0])}),
        Place("off_system", "accounting_reviewer", audit), Place("talks", "audit_reviewer", audit),
        Place("talks", "branch_it_440000", audit),
        Place("gates", "data_engineer", audit), Place("sign_page", "executive", schedule_p), Place("filing_sent", "executive", schedule_p),
        Place("comparison", "data_engineer", audit), Place("explain", "data_engineer", audit),
        Place("explain", "data_engineer", audit, {"cell": cell, "field": wrong["field"]}),
        Place("changes", "data_engineer"), Place("change", "business_reviewer", {"number": f"QB-{AUDIT}-V1-GK001"}),
        Place("standards", "auditor"), Place("standard", "auditor", {"standard": "circ_audit"}),
        Place("standard_table", "auditor", {"standard": "circ_audit", "table": "BDXXB"}),
        Place("standard_rule", "auditor", {"standard": "circ_audit", "rule": "D03"}),
        Place("standard_codes", "auditor", {"standard": "circ_audit", "codes": "business_source"}),
        Place("users", "auditor"), Place("trail", "auditor"), Place("person", "administrator", {"user": "executive"}),
        Place("new_person", "administrator"), Place("appointment", "audit_reviewer", {"user": "actuary2"}),
        Place("appointment", "administrator", {"user": "actuary"}),
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
