"""The simulated departments issue, the simulated branches answer every row, the departments accept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from pipelines.demo.acts import baosong
from pipelines.stages.bulk_facts import kept
from pipelines.stages.installation import Installation
from pipelines.stages.issue import dispatch_folder, problem
from pipelines.stages.workbooks import Problem
from resources.demo.fill_workbook import fill_answers

Answering = Callable[[str, Problem], tuple[str, str, str]]
"""For an organisation's problem: handling (as in the list of the workbook), new value, reason."""

DEPARTMENTS = {
    "underwriting": "underwriting_reviewer", "claims": "claims_reviewer", "finance": "accounting_reviewer",
}  # fmt: skip


def issue_findings(installation: Installation, filing: str) -> None:
    """Every department issues what was confirmed for it."""
    held = installation.state(filing).held
    for department in sorted({each.department for each in held if each.holder == "issue"}):
        baosong("findings", "issue", filing, "--department", department, "--as", DEPARTMENTS[department])


def answer_workbooks(
    installation: Installation,
    filing: str,
    answering: Answering,
    *,
    people: Mapping[str, str],
    otherwise: str,
) -> None:
    """Fill every workbook of the latest content and import it as the person of its organisation."""
    state = installation.state(filing)
    assert state.content is not None, "workbooks are about a judged content"
    by_person: dict[str, list[str]] = {}
    for dispatch in (d for d in state.dispatches if d.fact.content == state.content.fact.content):
        asked = kept(installation, filing, dispatch.fact.problems)
        for sent in dispatch.fact.workbooks:
            theirs = asked.filter(pl.col("organisation") == sent.organisation)
            original = dispatch_folder(installation, filing, dispatch.seq) / sent.file
            filled = _fill(installation, filing, original, theirs, answering)
            by_person.setdefault(people.get(sent.organisation, otherwise), []).append(filled)
    for person, files in by_person.items():
        baosong("answers", "import", filing, *files, "--as", person)


def answer_returned(installation: Installation, filing: str, answering: Answering, *, person: str) -> None:
    """The person mends what came back with its reason, in the annotated workbooks themselves."""
    state = installation.state(filing)
    asked = pl.concat(kept(installation, filing, dispatch.fact.problems) for dispatch in state.dispatches)
    for book in sorted(installation.folder("returned", filing).rglob("*.xlsx")):
        baosong(
            "answers", "import", filing, _fill(installation, filing, book, asked, answering), "--as", person
        )


def answer_sent_back(installation: Installation, filing: str, answering: Answering, *, person: str) -> None:
    """The person answers what the department sent back last, in the new workbook that says why."""
    back = installation.state(filing).answer_reviews[-1]
    asked = kept(installation, filing, back.fact.problems)
    for sent in back.fact.workbooks:
        book = dispatch_folder(installation, filing, back.seq) / sent.file
        baosong(
            "answers", "import", filing, _fill(installation, filing, book, asked, answering), "--as", person
        )


def _fill(
    installation: Installation, filing: str, book: Path, asked: pl.DataFrame, answering: Answering
) -> str:
    """The path of the book with an answer beside each of its problems."""
    standard = installation.standard(installation.state(filing).opened.fact.standard)
    problems = [(row["organisation"], problem(standard, row)) for row in asked.iter_rows(named=True)]
    filled = installation.home / "demo" / "filled" / f"{book.stem}-已填.xlsx"
    filled.parent.mkdir(parents=True, exist_ok=True)
    fill_answers(book, filled, {p.finding: answering(organisation, p) for organisation, p in problems})
    return str(filled)


def accept_answers(installation: Installation, filing: str) -> None:
    """Every department accepts what its branches answered."""
    held = installation.state(filing).held
    for department in sorted({each.department for each in held if each.holder == "decide"}):
        baosong("answers", "accept", filing, "--department", department, "--as", DEPARTMENTS[department])
