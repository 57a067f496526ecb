"""How a digest reads: Chinese with English below, kinds with their number, subjects with their counts. Nothing but counts, no names.

What goes to a group says how many people it waits for, not whom.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from pipelines.errors import LANGUAGE, Language, text
from resources.notifier import Batch, Digest, Item, Told

_MARKS = str.maketrans("[]()<>*`", "［］（）＜＞＊｀")
"""A document's number is somebody's text: in a group it makes no links."""
_MOST_LISTED = 20
"""So many subjects of one kind are named; the rest are counted."""


@dataclass(frozen=True)
class _Line:
    subject: str
    count: int
    due: date | None


def digest_of(batch: Batch, at: datetime, *, desk_url: str) -> Digest:
    """Everything of a batch in one message. A thing that waits for several people of a group stands there once."""
    by_kind = _by_kind(batch.notices)
    number = sum(len(lines) for lines in by_kind.values())
    link = f"{desk_url.rstrip('/')}/notices" if desk_url else ""
    pages = {language: _page(language, by_kind, number, link) for language in ("zh", "en")}
    items = tuple(
        Item(kind, line.subject, line.count, line.due.isoformat() if line.due else "")
        for kind, lines in by_kind.items()
        for line in lines
    )
    return Digest(
        id=batch.digest,
        at=at,
        title=_said("zh", "notices.title", count=number),
        text="\n".join([*pages["zh"], "", "—" * 20, "", *pages["en"], ""]),
        markdown="\n".join(_markdown(by_kind, number, link)),
        items=items,
        link=link,
    )


def _by_kind(notices: Iterable[Told]) -> dict[str, list[_Line]]:
    """One line per kind and subject, in the order noted: the last known count and the earliest day."""
    found: dict[str, dict[str, _Line]] = {}
    for each in notices:
        lines = found.setdefault(each.kind, {})
        before = lines.get(each.subject)
        days = [day for day in (each.due, before.due if before else None) if day]
        lines[each.subject] = _Line(each.subject, each.count, min(days, default=None))
    return {kind: list(lines.values()) for kind, lines in found.items()}


def _page(language: Language, by_kind: dict[str, list[_Line]], number: int, link: str) -> Iterator[str]:
    yield _said(language, "notices.title", count=number)
    for kind, lines in by_kind.items():
        yield ""
        yield _said(language, "notices.kind", kind=_said(language, f"notices.kind.{kind}"), count=len(lines))
        for line in lines[:_MOST_LISTED]:
            yield "  " + _shown(language, line)
        if len(lines) > _MOST_LISTED:
            yield "  " + _said(language, "notices.more", count=len(lines) - _MOST_LISTED)
    yield ""
    yield _said(language, "notices.link", link=link) if link else _said(language, "notices.see")


def _markdown(by_kind: dict[str, list[_Line]], number: int, link: str) -> Iterator[str]:
    yield f"### {_said('zh', 'notices.title', count=number)}"
    for kind, lines in by_kind.items():
        yield ""
        counted = {
            language: _said(
                language, "notices.kind", kind=_said(language, f"notices.kind.{kind}"), count=len(lines)
            )
            for language in ("zh", "en")
        }
        yield f"**{counted['zh']}** {counted['en']}"
        for line in lines[:_MOST_LISTED]:
            yield f"> {_shown('zh', line).translate(_MARKS)}"
        if len(lines) > _MOST_LISTED:
            yield f"> {_said('zh', 'notices.more', count=len(lines) - _MOST_LISTED)}"
    yield ""
    if link:
        yield f"[{_said('zh', 'notices.open')}]({link})"


def _shown(language: Language, line: _Line) -> str:
    said = [" ".join(line.subject.split())]
    if line.count:
        said.append(_said(language, "notices.findings", count=line.count))
    if line.due:
        said.append(_said(language, "notices.due", day=line.due.isoformat()))
    return _said(language, "notices.comma").join(said)


def _said(language: Language, code: str, **values: object) -> str:
    token = LANGUAGE.set(language)
    try:
        return text(code, **values)
    finally:
        LANGUAGE.reset(token)
