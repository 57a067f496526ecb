"""The simulated departments issue, the simulated branches answer every row, the departments accept: all at the desk."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path

import polars as pl

from pipelines.demo.company import Company
from pipelines.stages.bulk_facts import kept
from pipelines.stages.installation import Installation
from pipelines.stages.issue import problem
from pipelines.stages.workbooks import Problem
from resources.demo.fill_workbook import fill_answers

Answering = Callable[[str, Problem], tuple[str, str, str]]
"""For an organisation's problem: handling (as in the list of the workbook), new value, reason."""

DEPARTMENTS = {
    "underwriting": "underwriting_reviewer", "claims": "claims_reviewer", "finance": "accounting_reviewer",
}  # fmt: skip

BOOKS_AT_ONCE = 20
_RETURNED = re.compile(r'href="([^"]+/returned/\d+)"')
_RESULT = re.compile(r'<section class="(?:said|wrong)" role="status">(.*?)</section>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def issue_findings(installation: Installation, company: Company, filing: str) -> None:
    """Every department issues what was confirmed for it."""
    held = installation.state(filing).held
    for department in sorted({each.department for each in held if each.holder == "issue"}):
        company.do(DEPARTMENTS[department], f"/filings/{filing}/findings", {"act": "issue", "all": "1"})


def answer_workbooks(
    installation: Installation,
    company: Company,
    filing: str,
    answering: Answering,
    *,
    people: Mapping[str, str],
    otherwise: str,
) -> None:
    """Each branch downloads the workbooks of the latest content, fills them and uploads them."""
    state = installation.state(filing)
    assert state.content is not None, "workbooks are about a judged content"
    by_person: dict[str, list[Path]] = {}
    for dispatch in (d for d in state.dispatches if d.fact.content == state.content.fact.content):
        asked = kept(installation, filing, dispatch.fact.problems)
        for sent in dispatch.fact.workbooks:
            theirs = asked.filter(pl.col("organisation") == sent.organisation)
            person = people.get(sent.organisation, otherwise)
            book = _download(
                installation, company, person, f"/filings/{filing}/workbooks/{dispatch.seq}/{sent.file}"
            )
            by_person.setdefault(person, []).append(_fill(installation, filing, book, theirs, answering))
    for person, files in by_person.items():
        for some in batched(files, BOOKS_AT_ONCE):
            _upload(company, filing, person, some)


def answer_returned(
    installation: Installation, company: Company, filing: str, answering: Answering, *, person: str
) -> None:
    """The person mends what came back with its reason, in the annotated workbooks themselves."""
    state = installation.state(filing)
    asked = pl.concat(kept(installation, filing, dispatch.fact.problems) for dispatch in state.dispatches)
    page = company.visitor(person).read(f"/filings/{filing}/workbooks")
    for link in _RETURNED.findall(page):
        book = _download(
            installation, company, person, unescape(link), name=f"退回-{link.rsplit('/', 1)[-1]}.xlsx"
        )
        _upload(company, filing, person, [_fill(installation, filing, book, asked, answering)])


def answer_sent_back(
    installation: Installation, company: Company, filing: str, answering: Answering, *, person: str
) -> None:
    """The person answers what the department sent back last, in the new workbook that says why."""
    back = installation.state(filing).answer_reviews[-1]
    asked = kept(installation, filing, back.fact.problems)
    for sent in back.fact.workbooks:
        book = _download(installation, company, person, f"/filings/{filing}/workbooks/{back.seq}/{sent.file}")
        _upload(company, filing, person, [_fill(installation, filing, book, asked, answering)])


def accept_answers(installation: Installation, company: Company, filing: str) -> None:
    """Every department accepts what its branches answered."""
    held = installation.state(filing).held
    for department in sorted({each.department for each in held if each.holder == "decide"}):
        company.do(DEPARTMENTS[department], f"/filings/{filing}/findings", {"act": "accept", "all": "1"})


def _download(
    installation: Installation, company: Company, person: str, path: str, *, name: str = ""
) -> Path:
    """A workbook as the branch has it on its own disc."""
    book = installation.home / "demo" / "downloaded" / (name or path.rsplit("/", 1)[-1])
    book.parent.mkdir(parents=True, exist_ok=True)
    book.write_bytes(company.visitor(person).fetch(path))
    return book


def _upload(company: Company, filing: str, person: str, books: Sequence[Path]) -> None:
    """Upload filled workbooks and print what the desk says of each."""
    page = company.do(
        person,
        f"/filings/{filing}/workbooks",
        {},
        to=f"/filings/{filing}/answers",
        files=[("workbook", book) for book in books],
    )
    for told in _RESULT.findall(page):
        lines = [line.strip() for line in unescape(_TAG.sub("", told)).splitlines()]
        sys.stdout.write("".join(f"      {line}\n" for line in lines if line))


def _fill(
    installation: Installation, filing: str, book: Path, asked: pl.DataFrame, answering: Answering
) -> Path:
    """The book with an answer beside each of its problems."""
    standard = installation.standard(installation.state(filing).opened.fact.standard)
    problems = [(row["organisation"], problem(standard, row)) for row in asked.iter_rows(named=True)]
    filled = installation.home / "demo" / "filled" / f"{book.stem}-已填.xlsx"
    filled.parent.mkdir(parents=True, exist_ok=True)
    fill_answers(book, filled, {p.finding: answering(organisation, p) for organisation, p in problems})
    return filled


def batched(books: Sequence[Path], size: int) -> Iterator[Sequence[Path]]:
    """So many at a time."""
    for place in range(0, len(books), size):
        yield books[place : place + size]
