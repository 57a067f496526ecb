"""The frame of every page: the column on the left, the person's name, the links that lead somewhere for them."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.desk.visit import Visit

LINKS = ("tasks", "calendar", "requests", "filings", "standards", "users", "trail")
_ABOVE = {
    "request": "requests",
    "new_request": "requests",
    "raise_request": "requests",
    "review_request": "requests",
    "person": "users",
    "administer": "users",
    "standard": "standards",
    "standard_table": "standards",
    "standard_rule": "standards",
    "standard_codes": "standards",
}
_OF_A_FILING = ("filing", "findings", "finding", "gates", "sign_page", "sign", "workbooks", "upload_answers", "reveal",
                "comparison", "explain_drift", "explain", "answer_finding")  # fmt: skip


@dataclass(frozen=True)
class Link:
    route: str
    is_here: bool


@dataclass(frozen=True)
class Frame:
    """`links`: the column; `here`: the entry of it that the page belongs to."""

    links: tuple[Link, ...]
    here: str


def frame_of(visit: Visit) -> Frame:
    route: str = visit.request.scope["route"].name
    above = "filings" if route.startswith(("filing_", "findings_")) or route in _OF_A_FILING else route
    here = _ABOVE.get(above, above)
    return Frame(tuple(Link(name, name == here) for name in LINKS if visit.may_open(name)), here)
