"""The simulated departments issue, the simulated branches answer every row, the departments accept."""

from __future__ import annotations

from collections.abc import Callable, Mapping

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
    standard = installation.standard(state.opened.fact.standard)
    by_person: dict[str, list[str]] = {}
    for dispatch in (d for d in state.dispatches if d.fact.content == state.content.fact.content):
        asked = kept(installation, filing, dispatch.fact.problems)
        for sent in dispatch.fact.workbooks:
            original = dispatch_folder(installation, filing, dispatch.seq) / sent.file
            filled = installation.home / "demo" / "filled" / f"{original.stem}-已填.xlsx"
            filled.parent.mkdir(parents=True, exist_ok=True)
            theirs = asked.filter(pl.col("organisation") == sent.organisation)
            problems = [problem(standard, row) for row in theirs.iter_rows(named=True)]
            fill_answers(original, filled, {p.finding: answering(sent.organisation, p) for p in problems})
            by_person.setdefault(people.get(sent.organisation, otherwise), []).append(str(filled))
    for person, files in by_person.items():
        baosong("answers", "import", filing, *files, "--as", person)


def accept_answers(installation: Installation, filing: str) -> None:
    """Every department accepts what its branches answered."""
    held = installation.state(filing).held
    for department in sorted({each.department for each in held if each.holder == "decide"}):
        baosong("answers", "accept", filing, "--department", department, "--as", DEPARTMENTS[department])
