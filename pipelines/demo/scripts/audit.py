"""稽核数据: a red-header document, defects found, fixed at the source and in the report, signed at six seats, handed over."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator

import polars as pl

from pipelines.demo.acts import baosong
from pipelines.demo.branch import download_and_hand_over
from pipelines.demo.company import Company, signed_content
from pipelines.demo.outcome import Outcome
from pipelines.demo.stage_setting import answer_key
from pipelines.demo.workbooks import (
    accept_answers,
    answer_returned,
    answer_sent_back,
    answer_workbooks,
    issue_findings,
)
from pipelines.errors import Refused
from pipelines.stages.installation import Installation
from pipelines.stages.register import register
from pipelines.stages.workbooks import Problem
from resources.reference_core import repairs_path

NUMBER = "JH-2026-003"
FILING = f"circ_audit.detail.{NUMBER}"
FINDINGS = f"/filings/{FILING}/findings"
CORRECTED = ("440000", "D05")
"""This branch's finding of this rule is corrected in the report, with a change request; all others at the source."""
WAIVED, DOUBTED = "D02", "B07"
"""One rule's findings are waived under a sign-off; Guangdong's explanations of the other come back as too thin at first."""
OPINIONS = {
    "audit_reviewer": "演示中裁定由程序代演，快于人的阅读；其余审核流程规范",
    "claims_reviewer": "理赔问题均已处理",
    "accounting_reviewer": "财务问题均已处理",
    "underwriting_reviewer": "承保问题均已处理",
    "executive": "同意",
    "president": "同意报送",
}
"""Who signs with which comment: the departments in any order, between the audit department and the executives."""
BRANCHES = {"330000": "branch_330000", "440000": "branch_440000", "510000": "branch_510000"}


def script(
    installation: Installation, outcome: Outcome, company: Company
) -> Generator[Callable[[], bool], None, None]:
    """From the document to the bureau's receipt, in two rounds."""
    document = installation.home / "demo" / f"{NUMBER}.txt"
    document.write_text("关于报送 2026 年一季度稽核数据的通知（模拟的红头文件）\n", encoding="utf-8")
    company.do(
        "requester_440000",
        "/requests/new",
        {
            "number": NUMBER, "report": "circ_audit.detail", "authority": "广东保监局（牵头，粤浙川联合稽核）",
            "date_from": "2026-01-01", "date_to": "2026-03-31", "deadline": "2026-05-15",
            "organisation": ["330000", "440000", "510000"],
        },
        files=[("document", document)],
    )  # fmt: skip
    _refused(outcome, "run", "extract", FILING)
    company.do(
        "audit_reviewer",
        f"/requests/{NUMBER}",
        {"opinion": "accept", "comment": "范围与期限无误（模拟）"},
        to=f"/requests/{NUMBER}/review",
    )
    yield lambda: installation.state(FILING).stage == "first_review"

    outcome.compare_with_answer_key(FILING)
    company.do("audit_reviewer", FINDINGS, {"act": "confirm", "all": "1"})
    company.do(
        "underwriting_reviewer",
        f"/filings/{FILING}/waivers",
        {
            "what": f"{WAIVED}|BDXXB", "sign_off": "签报〔2026〕21号", "expires": "2026-12-31",
            "reason": "补签的大项目保单，集团已批（模拟）",
        },
    )  # fmt: skip
    company.do(
        "business_reviewer",
        f"/filings/{FILING}/waivers",
        {"opinion": "agree", "proposal": f"{FILING}-V1-HM001", "comment": "集团批件已核对（模拟）"},
        to=f"/filings/{FILING}/waivers/opinion",
    )
    issue_findings(installation, company, FILING)

    def answer_hastily(organisation: str, problem: Problem) -> tuple[str, str, str]:
        if (organisation, problem.rule) == CORRECTED:
            return "报表更正", "1.00", "接口截断所致，先报一个数（模拟）"
        return answer(organisation, problem)

    def answer(organisation: str, problem: Problem) -> tuple[str, str, str]:
        if (organisation, problem.rule) == CORRECTED:
            return "报表更正", problem.expected or "", "接口截断所致，报表先更正，另提改库签报（模拟）"
        if problem.severity == "explain":
            return "情况说明", "", "业务实际如此，附件另送（模拟）"
        return "源头修正", "", "已在核心系统改正（模拟）"

    def answer_again(organisation: str, problem: Problem) -> tuple[str, str, str]:
        return "情况说明", "", "五月六日回访，客户确认号码为境外漫游号（模拟）"

    _fix_core(installation)
    answer_workbooks(
        installation, company, FILING, answer_hastily, people=BRANCHES, otherwise="head_office_preparer"
    )
    answer_returned(installation, company, FILING, answer, person="branch_440000")
    company.do(
        "underwriting_reviewer",
        FINDINGS,
        {
            "act": "send_back",
            "all": "1",
            "rule": DOUBTED,
            "branch": "440000",
            "reason": "请写明回访核实的日期（模拟）",
        },
    )
    answer_sent_back(installation, company, FILING, answer_again, person="branch_440000")
    accept_answers(installation, company, FILING)
    yield lambda: _second_round_reviewed(installation)

    _refused(outcome, "run", "package", FILING)
    baosong("change", "raise", FILING, "--as", "data_engineer")
    baosong("compare", FILING)
    baosong("drift", "list", FILING)
    baosong(
        "drift", "explain", FILING, "--table", "BDXXB", "--organisation", "440000", "--reason",
        "总账与明细核对（R01）后更正的保单明细（模拟）", "--as", "underwriting_reviewer",
    )  # fmt: skip
    baosong("baseline", "none", FILING, "--reason", "首次经本系统报送（模拟）", "--as", "data_engineer")
    baosong("gates", FILING)
    company.do("data_engineer", f"/filings/{FILING}/gates", {}, to=f"/filings/{FILING}/sign-off")
    _refused(outcome, "sign", FILING, "--as", "data_engineer", "--opinion", "agree", "--comment", "自批")
    baosong("compliance", FILING)
    content = signed_content(installation, FILING)
    for person, comment in OPINIONS.items():
        company.sign(person, FILING, f"{comment}（模拟）", content=content)
    yield lambda: installation.state(FILING).stage == "delivered"

    package, receipt = download_and_hand_over(installation, FILING)
    baosong("handover", FILING, "--as", "branch_it_440000", "--file", str(package))
    baosong("receipt", FILING, "--as", "branch_it_440000", "--file", str(receipt))
    yield lambda: installation.state(FILING).stage == "archived"


def _second_round_reviewed(installation: Installation) -> bool:
    state = installation.state(FILING)
    return state.round == 2 and state.stage == "reviewed" and bool(state.comparisons)


def _fix_core(installation: Installation) -> None:
    """The branches mend their records in the core system itself; Baosong only reads it."""
    repairs = str(repairs_path(answer_key(installation.home)))
    rows = register(installation, installation.state(FILING)).filter(pl.col("severity") == "block")
    for (organisation,), theirs in rows.group_by("branch", maintain_order=True):
        rules = [r for r in theirs["rule"].unique().sort() if (organisation, r) != CORRECTED]
        chosen = [word for rule in rules for word in ("--rule", rule)]
        baosong("core", "fix", "--repairs", repairs, "--organisation", str(organisation), *chosen)


def _refused(outcome: Outcome, *arguments: str) -> None:
    """An act that a gate must refuse."""
    try:
        baosong(*arguments)
    except Refused as refusal:
        sys.stdout.write(f"      拒绝：{refusal}\n")
        return
    outcome.require(False, f"not refused: {' '.join(arguments)}")
