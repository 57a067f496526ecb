"""The simulated branches open their workbooks, answer every row, and send them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines.demo.acts import baosong
from pipelines.stages.installation import Installation
from pipelines.stages.review import problems_by_organisation, workbook_folder
from pipelines.stages.workbooks import Problem
from resources.demo.fill_workbook import fill_answers

Answering = Callable[[str, Problem], tuple[str, str, str]]
"""For an organisation's problem: handling (as in the list of the workbook), new value, reason."""


def answer_workbooks(
    installation: Installation,
    filing: str,
    answering: Answering,
    *,
    people: Mapping[str, str],
    otherwise: str,
) -> None:
    """Fill every workbook of the latest dispatch and import it as the person of its organisation."""
    state = installation.state(filing)
    assert state.dispatch is not None, "workbooks exist after a dispatch"
    problems = problems_by_organisation(installation, state, only_open=True)
    by_person: dict[str, list[str]] = {}
    for sent in state.dispatch.fact.workbooks:
        original = workbook_folder(installation, state, state.dispatch.fact.content) / sent.file
        filled = installation.home / "demo" / "filled" / f"{original.stem}-已填.xlsx"
        filled.parent.mkdir(parents=True, exist_ok=True)
        fill_answers(
            original,
            filled,
            {p.finding: answering(sent.organisation, p) for p in problems[sent.organisation]},
        )
        by_person.setdefault(people.get(sent.organisation, otherwise), []).append(str(filled))
    for person, files in by_person.items():
        baosong("answers", "import", filing, *files, "--as", person)
