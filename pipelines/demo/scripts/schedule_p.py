"""Schedule P: real filings of 1997. History cannot be fixed, so every finding is explained under the sign-off."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pipelines.demo.company import Company, signed_content
from pipelines.demo.outcome import Outcome
from pipelines.demo.workbooks import accept_answers, answer_workbooks
from pipelines.stages.installation import Installation
from pipelines.stages.workbooks import Problem

FILING = "schedule_p.medmal.1997"
NUMBER = "NAIC-1997-F"


def script(
    installation: Installation, outcome: Outcome, company: Company
) -> Generator[Callable[[], bool], None, None]:
    """Requested, reviewed, extracted, explained, signed, sent over the interface."""
    document = installation.home / "demo" / f"{NUMBER}.txt"
    document.write_text(
        "NAIC Annual Statement, Schedule P, medical malpractice, 1997 (模拟的需求文件)\n", encoding="utf-8"
    )
    company.do(
        "requester",
        "/requests/new",
        {
            "number": NUMBER, "report": "schedule_p.medmal", "authority": "NAIC（历史数据演示）",
            "date_from": "1988-01-01", "date_to": "1997-12-31", "deadline": "2026-05-20",
            "organisation": "000000", "key": "1997",
        },
        files=[("document", document)],
    )  # fmt: skip
    review = {"opinion": "accept", "comment": "同意（模拟）"}
    company.do("audit_reviewer", f"/requests/{NUMBER}", review, to=f"/requests/{NUMBER}/review")
    yield lambda: installation.state(FILING).stage == "in_review"

    def explain(organisation: str, problem: Problem) -> tuple[str, str, str]:
        return "情况说明", "", "公开的历史申报数据，原样保留（模拟答复）"

    answer_workbooks(installation, company, FILING, explain, people={}, otherwise="filer_correspondent")
    accept_answers(installation, company, FILING)
    outcome.found[FILING] = "真实数据，全部作情况说明"
    yield lambda: installation.state(FILING).stage == "reviewed"
    company.do("data_engineer", f"/filings/{FILING}/gates", {}, to=f"/filings/{FILING}/sign-off")
    content = signed_content(installation, FILING)
    company.sign("actuary", FILING, "说明属实（模拟）", content=content)
    company.sign("executive", FILING, "同意（模拟）", content=content)
    yield lambda: installation.state(FILING).stage == "archived"
