"""Schedule P: real filings of 1997. History cannot be fixed, so every finding is explained under the sign-off."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pipelines.demo.acts import baosong
from pipelines.demo.outcome import Outcome
from pipelines.demo.workbooks import accept_answers, answer_workbooks
from pipelines.stages.installation import Installation
from pipelines.stages.workbooks import Problem

FILING = "schedule_p.medmal.1997"


def script(installation: Installation, outcome: Outcome) -> Generator[Callable[[], bool], None, None]:
    """Requested, reviewed, extracted, explained, signed, sent over the interface."""
    document = installation.home / "demo" / "NAIC-1997-F.txt"
    document.write_text(
        "NAIC Annual Statement, Schedule P, medical malpractice, 1997 (模拟的需求文件)\n", encoding="utf-8"
    )
    baosong(
        "request", "raise", "NAIC-1997-F", "--standard", "schedule_p", "--report", "medmal",
        "--authority", "NAIC（历史数据演示）", "--from", "1988-01-01", "--to", "1997-12-31",
        "--deadline", "2026-05-20", "--document", str(document), "--organisation", "000000",
        "--key", "1997", "--as", "requester_440000",
    )  # fmt: skip
    baosong(
        "request",
        "review",
        "NAIC-1997-F",
        "--opinion",
        "accept",
        "--comment",
        "同意（模拟）",
        "--as",
        "audit_reviewer",
    )
    yield lambda: installation.state(FILING).stage == "in_review"

    def explain(organisation: str, problem: Problem) -> tuple[str, str, str]:
        return "情况说明", "", "公开的历史申报数据，原样保留（模拟答复）"

    answer_workbooks(installation, FILING, explain, people={}, otherwise="filer_correspondent")
    accept_answers(installation, FILING)
    outcome.found[FILING] = "真实数据，全部作情况说明"
    yield lambda: installation.state(FILING).stage == "reviewed"
    baosong("sign-off", FILING, "--as", "data_engineer")
    baosong("sign", FILING, "--as", "actuary", "--opinion", "agree", "--comment", "说明属实（模拟）")
    baosong("sign", FILING, "--as", "executive", "--opinion", "agree", "--comment", "同意（模拟）")
    yield lambda: installation.state(FILING).stage == "archived"
