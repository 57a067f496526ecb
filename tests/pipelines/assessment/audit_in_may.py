"""An audit filing played on a clock that stands still, so that every number can be worked out by hand.

Issued on Wednesday 6 May 2026 at 09:00, due on Friday the 8th; Saturday the 9th is a working day. Zhejiang answers on the 7th
at 10:00, and two sent back that day at 14:00 on the 8th at 09:00. Guangdong answers on the 8th at 17:00, its finance workbook
late, on the 9th at 10:00. Sichuan answers nothing, and mends one finding in the core without a word. Round 2: the 11th.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pipelines.stages.correct import import_answers
from pipelines.stages.decide import accept, send_back
from pipelines.stages.drift import explain_drift
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation
from pipelines.stages.issue import issue
from pipelines.stages.selection import Selection
from resources.reference_core import repair
from tests.flow.play import (
    AUDIT,
    CORRECTED,
    Cores,
    answer_audit,
    draft,
    filled_workbooks,
    open_by_request,
    run,
)

ZHEJIANG, GUANGDONG, SICHUAN, HEAD_OFFICE = "330000", "440000", "510000", "000000"
NEXT_AUDIT = "circ_audit.detail.JH-2026-004"


@dataclass
class StillClock:
    """A clock that tells what it was set to."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment

    def set(self, text: str) -> None:
        """To a time in Shanghai, e.g. 2026-05-07 10:00."""
        self.moment = at(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def on_still_clock(installation: Installation, text: str) -> tuple[Installation, Callable[[str], None]]:
    """The installation with a clock of one's own, and what sets it."""
    clock = StillClock(at(text))
    return replace(installation, clock=clock), clock.set


def play_may(opened: Installation, cores: Cores) -> None:
    """Two rounds, as told above."""
    installation, set_clock = on_still_clock(opened, "2026-05-06 09:00")
    open_by_request(installation, draft(installation.home))
    run(installation, AUDIT, "extract", "validate", "review")
    _issue(installation)
    books = filled_workbooks(installation, AUDIT, answer_audit, installation.home / "filled")
    business = installation.user("business_reviewer")

    set_clock("2026-05-07 10:00")
    _hand_in(installation, books[ZHEJIANG], "branch_330000")
    set_clock("2026-05-07 14:00")
    explained = Selection(rules=("B07",), branches=(ZHEJIANG,))
    send_back(installation, AUDIT, business, explained, reason="请附证明材料（模拟）")
    set_clock("2026-05-08 09:00")
    again = filled_workbooks(installation, AUDIT, answer_audit, installation.home / "again")[ZHEJIANG]
    _hand_in(installation, again[-1:], "branch_330000")

    set_clock("2026-05-08 17:00")
    _hand_in(installation, [b for b in books[GUANGDONG] if "-finance-" not in b.name], "branch_440000")
    set_clock("2026-05-09 10:00")
    _hand_in(installation, [b for b in books[GUANGDONG] if "-finance-" in b.name], "branch_440000")

    set_clock("2026-05-11 14:00")
    accept(installation, AUDIT, business, Selection())
    _mend(installation, cores, {ZHEJIANG: None, GUANGDONG: None, SICHUAN: {"D02"}})
    run(installation, AUDIT, "extract", "validate", "compare", "review")
    explain_drift(
        installation, AUDIT, business, table="BDXXB", organisation=GUANGDONG, field="ZZS",
        reason="按总账核对更正（模拟）",
    )  # fmt: skip


def play_june(opened: Installation, cores: Cores) -> None:
    """The next audit, of a core in which all that was mended has come back."""
    installation, _ = on_still_clock(opened, "2026-06-03 09:00")
    (installation.home / "core.db").write_bytes((cores.folder / "core.db").read_bytes())
    demand = replace(
        draft(installation.home, deadline=date(2026, 6, 15), number="JH-2026-004"), date_to=date(2026, 4, 30)
    )
    open_by_request(installation, demand)
    run(installation, NEXT_AUDIT, "extract", "validate", "review")


def _issue(installation: Installation) -> None:
    """The audit dismisses what Guangdong need not explain and confirms the rest; each department issues."""
    reviewer = installation.user("audit_reviewer")
    no_problem = Selection(rules=("B07",), branches=(GUANGDONG,))
    review_findings(installation, AUDIT, reviewer, "dismiss", no_problem, reason="证件种类已核对（模拟）")
    state = review_findings(installation, AUDIT, reviewer, "confirm", Selection())
    for department in sorted({held.department for held in state.held if held.holder == "issue"}):
        issue(installation, AUDIT, department, installation.user("business_reviewer"), Selection())


def _hand_in(installation: Installation, books: list[Path], person: str) -> None:
    assert books
    for book in books:
        assert not import_answers(installation, AUDIT, book, installation.user(person)).returned


def _mend(installation: Installation, cores: Cores, branches: dict[str, set[str] | None]) -> None:
    """Mend in the core what blocks of these branches, but for what is corrected in the report; of some only these rules."""
    for branch, only in branches.items():
        rules = only or {rule for rule in BLOCKING[branch] if (branch, rule) != CORRECTED}
        repair(installation.home / "core.db", cores.repairs, organisation=branch, rules=sorted(rules))


BLOCKING = {
    ZHEJIANG: {"A01", "B01", "B03", "D01", "D03", "E01", "E04", "E07", "R06"},
    GUANGDONG: {"A01", "A02", "A06", "B01", "B02", "C01", "D05", "D06", "E03", "E04", "R01"},
}
"""The blocking rules that the demo's defects break."""
