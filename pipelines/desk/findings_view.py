"""The findings browser (问题数据): a page of the register, filtered, sorted, grouped, masked. Reads only.

What the filters are named in the address is told here, so that a link, a form and an export mean the same rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

import polars as pl

from pipelines.desk.scope import visible_findings
from pipelines.desk.visit import Visit
from pipelines.errors import Refused
from pipelines.stages.masking import masked_finding, personal_fields
from pipelines.stages.selection import Selection

FILTERS = ("rule", "severity", "table", "branch", "department", "state", "holder")
GROUPS = ("rule", "branch", "state")
SORTS = ("rule", "table", "branch", "department", "state", "since", "due")
PAGE_ROWS = 50
_LONGEST_PAGE = 7
_LONGEST_PLACE = 12
_ACTS = ("review_seq", "asked_seq", "answer_seq", "decided_seq")
Groups = Mapping[str, tuple[tuple[str, int], ...]]
"""The values of each filter with how many findings have them, most first."""
_COLUMNS = (
    "finding", "state", "holder", "rule", "severity", "table", "key", "field", "value", "expected", "difference", "branch",
    "organisation", "department", "since", "due", "handling", "new_value", "answer_reason", "answered_by", "conflict", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What a reader asks for: values by filter (none: all), words that key or value hold, order, page from 1; `group`: not the
    findings but how many each rule, branch or state has of them."""

    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    words: str = ""
    sort: str = ""
    is_descending: bool = False
    page: int = 1
    group: str = ""

    def query(self, **changes: object) -> str:
        """The address of these rows with some of it changed; another filter begins at its first page."""
        return urlencode(self.parts(**changes))

    def parts(self, **changes: object) -> list[tuple[str, str]]:
        """The same part by part, as a form sends it on."""
        parts: list[tuple[str, str]] = [
            (n, v) for n, values in self.chosen.items() if n not in changes for v in values
        ]
        parts += [("words", self.words)] if self.words and "words" not in changes else []
        kept: dict[str, object] = {
            "sort": self.sort, "desc": "1" if self.is_descending else "", "group": self.group, **changes,
        }  # fmt: skip
        return parts + [(name, str(value)) for name, value in kept.items() if value not in ("", None)]


@dataclass(frozen=True)
class Shown:
    """A page of findings: `count` match of the `total` that the reader may see; `groups` counts each filter's values among those
    that the other filters leave."""

    asked: Asked
    rows: tuple[dict[str, Any], ...]
    count: int
    total: int
    groups: Groups

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // PAGE_ROWS))

    def held(self, holder: str) -> int:
        """How many of what is shown on all pages wait for this kind of holder."""
        wanted = self.asked.chosen.get("holder", (holder,))
        return dict(self.groups.get("holder", ())).get(holder, 0) if holder in wanted else 0


def asked_for(query: Mapping[str, Any], getlist: Any) -> Asked:
    """What an address or a form asks for; what it does not know is left out, and so is a file where a text belongs."""
    chosen = {name: tuple(v for v in getlist(name) if v and isinstance(v, str)) for name in FILTERS}
    page = str(query.get("page", "1"))
    sort, group, words = str(query.get("sort", "")), str(query.get("group", "")), query.get("words", "")
    return Asked(
        {name: values for name, values in chosen.items() if values},
        words=words.strip()[:100] if isinstance(words, str) else "",
        sort=sort if sort in SORTS else "",
        is_descending=query.get("desc") == "1",
        page=max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < _LONGEST_PAGE else 1,
        group=group if group in GROUPS else "",
    )


def asked_of(visit: Visit) -> Asked:
    """What the address of a visit asks for."""
    query = visit.request.query_params
    return asked_for(query, query.getlist)


def visible_rows(visit: Visit) -> pl.LazyFrame:
    """The register of the visit's filing as far as the person sees it."""
    rows = visit.desk.reading.register(visit.state)
    if visit.state.content is None:
        return rows
    return rows.filter(visible_findings(visit.installation.deployment, visit.user))


def scope_of(visit: Visit) -> Hashable:
    """What decides which findings a person sees: people with the same see the same."""
    return (visit.user.roles, visit.user.organisations, visit.user.departments)


def visible_row(visit: Visit, finding: str) -> pl.DataFrame:
    """The finding's row of the register; empty for one that does not exist for this person.

    Its rule, where the address says it (`?of=`), keeps most of a large register unread.
    """
    rule = visit.request.query_params.get("of")
    same = [pl.col("finding") == finding, *([pl.col("rule") == rule] if rule else [])]
    return visible_rows(visit).filter(*same).collect() if visit.state.content else pl.DataFrame()


def sees_finding(visit: Visit, finding: str) -> bool:
    """Whether there is such a finding for this person."""
    if visit.state.content is None:
        return False
    return bool(visible_rows(visit).filter(pl.col("finding") == finding).select(pl.len()).collect().item())


def find(visit: Visit, asked: Asked) -> Shown:
    """One page of what is asked for; the last where there are not so many."""
    if visit.state.content is None:
        return Shown(asked, (), 0, 0, {})
    rows = visible_rows(visit)
    has_words = _has_words(visit, asked.words)
    wanted = dict(zip(asked.chosen, _wanted(asked), strict=True))
    wished = rows.filter(has_words, *wanted.values())
    what = (scope_of(visit), tuple(asked.chosen.items()), asked.words)
    counted = visit.desk.reading.remembered(
        visit.state, what, lambda: _count(rows, wished, has_words, wanted)
    )
    asked = replace(asked, page=min(asked.page, max(1, -(-counted[0] // PAGE_ROWS))))
    if asked.sort:
        wished = wished.sort(asked.sort, "finding", descending=[asked.is_descending, False], nulls_last=True)
    shown = wished.select(_COLUMNS).slice((asked.page - 1) * PAGE_ROWS, PAGE_ROWS).collect()
    standard = visit.installation.standard(visit.state.opened.fact.standard)
    return Shown(
        asked, tuple(masked_finding(standard, row) for row in shown.iter_rows(named=True)), *counted
    )  # fmt: skip


def _count(
    rows: pl.LazyFrame, wished: pl.LazyFrame, has_words: pl.Expr, wanted: Mapping[str, pl.Expr]
) -> tuple[int, int, Groups]:
    """How many are wished for, of how many; and the values of every filter among those that the other filters leave."""
    counts = [
        rows.filter(has_words, *(w for other, w in wanted.items() if other != name))
        .group_by(name)
        .len("count")
        for name in FILTERS
    ]
    count, total, *groups = pl.collect_all([wished.select(pl.len()), rows.select(pl.len()), *counts])
    return (
        count.item(),
        total.item(),
        {
            name: tuple(
                (str(value), n)
                for value, n in group.drop_nulls().sort("count", name, descending=[True, False]).iter_rows()
            )
            for name, group in zip(FILTERS, groups, strict=True)
        },
    )


@dataclass(frozen=True)
class Group:
    """How many of the findings asked for have this value, how many of them are there now, and how many wait for somebody."""

    value: str
    count: int
    present: int
    open: int


def grouped(visit: Visit, asked: Asked) -> tuple[Group, ...]:
    """What is asked for by rule, branch or state, the largest first; nothing where no group is asked for."""
    if visit.state.content is None or not asked.group:
        return ()
    rows = visible_rows(visit).filter(_has_words(visit, asked.words), *_wanted(asked))
    what = ("grouped", scope_of(visit), tuple(asked.chosen.items()), asked.words, asked.group)

    def count() -> tuple[Group, ...]:
        found = rows.group_by(value=pl.col(asked.group).cast(pl.String).fill_null("")).agg(
            count=pl.len(), present=pl.col("is_present").sum(), open=pl.col("holder").is_not_null().sum()
        )
        listed = found.sort("count", "value", descending=[True, False]).collect()
        return tuple(Group(**row) for row in listed.iter_rows(named=True))

    return visit.desk.reading.remembered(visit.state, what, count)


@dataclass(frozen=True)
class Neighbours:
    """Where a finding stands among those that are asked for, from 1, and the ones beside it; `place` is None where it is not one of
    them (any more): then the first of them is `following`."""

    place: int | None
    count: int
    previous: str | None
    following: str | None


def neighbours(visit: Visit, asked: Asked, finding: str) -> Neighbours:
    """The findings before and after one in the order in which the browser lists what is asked for."""
    rows = visible_rows(visit).filter(_has_words(visit, asked.words), *_wanted(asked))
    if asked.sort:
        rows = rows.sort(asked.sort, "finding", descending=[asked.is_descending, False], nulls_last=True)
    listed = rows.select("finding").with_row_index("place")
    found, first, count = pl.collect_all(
        [listed.filter(pl.col("finding") == finding), listed.head(1), listed.select(pl.len())]
    )
    if found.is_empty():
        return Neighbours(None, count.item(), None, first["finding"][0] if first.height else None)
    place = int(found["place"][0])
    around = listed.slice(max(place - 1, 0), 3).collect()
    by_place = dict(zip(around["place"], around["finding"], strict=True))
    return Neighbours(place + 1, count.item(), by_place.get(place - 1), by_place.get(place + 1))


def _wanted(asked: Asked) -> list[pl.Expr]:
    return [pl.col(name).is_in(list(values)) for name, values in asked.chosen.items()]


def place_seen(given: str) -> int:
    """The place in the ledger that a form says its page was made at; 0, which is before everything, where it says none."""
    return int(given) if given.isascii() and given.isdigit() and len(given) < _LONGEST_PLACE else 0


def chosen(visit: Visit, asked: Asked, ticked: tuple[str, ...], *, holder: str, seen: int) -> Selection:
    """The ticked findings that the person sees, or with none ticked all that the filters show and that wait for this holder.

    `seen` is the place in the ledger of the page that they were chosen on: Refused when any was answered or handled since, for
    what is decided is what was seen. Refused before there is anything to choose from.
    """
    if visit.state.content is None:
        raise Refused("desk.filing.not_judged")
    rows = visible_rows(visit)
    if ticked:
        rows = rows.filter(pl.col("finding").is_in(list(ticked)))
    else:
        rows = rows.filter(pl.col("holder") == holder, _has_words(visit, asked.words), *_wanted(asked))
    last = pl.max_horizontal(*(pl.col(name).fill_null(0) for name in _ACTS))
    found = rows.select("finding", is_later=last > seen).collect()
    if later := found["is_later"].sum():
        raise Refused("desk.changed_since_shown", count=later)
    return Selection(findings=tuple(found["finding"]))


def _has_words(visit: Visit, words: str) -> pl.Expr:
    """Rows whose key holds the words as they are typed, or whose number begins with them. What is personal is not searched."""
    if not words:
        return pl.lit(value=True)
    standard = visit.installation.standard(visit.state.opened.fact.standard)
    plain = [
        name
        for name, table in standard.tables.items()
        if not set(table.key) & personal_fields(standard, name)
    ]
    in_key = pl.col("table").is_in(plain) & pl.col("key").str.contains(words, literal=True)
    return in_key | pl.col("finding").str.starts_with(words)


def export_rows(visit: Visit, asked: Asked) -> Iterator[dict[str, Any]]:
    """All that match, masked, in the register's order; read before the first is asked for, so that what fails fails in time."""
    if visit.state.content is None:
        return iter(())
    rows = visible_rows(visit).filter(_has_words(visit, asked.words), *_wanted(asked))
    rows = rows.select(_COLUMNS).collect()
    standard = visit.installation.standard(visit.state.opened.fact.standard)
    return (masked_finding(standard, row) for row in rows.iter_rows(named=True))
