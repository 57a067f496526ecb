"""The frame of every page: the column on the left, the person's name, the links that lead somewhere for them."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.desk.visit import Visit
from pipelines.errors import BaosongError

LINKS = ("tasks", "notices", "calendar", "requests", "filings", "changes", "standards", "users", "trail")
_ABOVE = {
    "request": "requests",
    "new_request": "requests",
    "raise_request": "requests",
    "review_request": "requests",
    "amend_page": "requests",
    "amend_request": "requests",
    "withdraw_page": "requests",
    "withdraw_request": "requests",
    "change": "changes",
    "review_change": "changes",
    "execute_change": "changes",
    "person": "users",
    "administer": "users",
    "new_person": "users",
    "propose_new": "users",
    "appointment": "users",
    "propose_person": "users",
    "decide_person": "users",
    "name_substitutes": "users",
    "standard": "standards",
    "standard_table": "standards",
    "standard_rule": "standards",
    "standard_codes": "standards",
}
_OF_A_FILING = ("filing", "findings", "finding", "gates", "sign_page", "sign", "answer_objection", "raise_changes",
                "workbooks", "upload_answers", "reveal",
                "comparison", "explain_drift", "explain", "answer_finding", "choose_answer", "answer_findings",
                "waivers", "propose_waiver", "decide_waiver", "revoke_waiver", "off_system", "upload_off_system",
                "talks", "record_talk", "propose_extension", "decide_extension", "record_handover", "record_receipt")  # fmt: skip


@dataclass(frozen=True)
class Link:
    """An entry of the column; `number` stands beside it where there is something to look at."""

    route: str
    is_here: bool
    number: int = 0


@dataclass(frozen=True)
class Frame:
    """`links`: the column; `here`: the entry of it that the page belongs to."""

    links: tuple[Link, ...]
    here: str


def frame_of(visit: Visit) -> Frame:
    route: str = visit.request.scope["route"].name
    above = "filings" if route.startswith(("filing_", "findings_")) or route in _OF_A_FILING else route
    here = _ABOVE.get(above, above)
    numbers = {"notices": _unread(visit)}
    links = (Link(name, name == here, numbers.get(name, 0)) for name in LINKS if visit.may_open(name))
    return Frame(tuple(links), here)


def _unread(visit: Visit) -> int:
    """How many notices the person has not read. No page waits for an outbox that does not answer."""
    try:
        return visit.desk.outbox.unread(visit.user.id)
    except BaosongError:
        return 0
