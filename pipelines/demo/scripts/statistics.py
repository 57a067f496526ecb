"""统计快报和月报: the calendar opens April's reports; clean data goes through finance, actuary and IT together and
the executive to the interface.

Among the core's defects is a wrong GL balance, which the audit filing finds and a branch mends; the statistics agree with
the GL only afterwards, so this play begins then.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import dagster as dg

from pipelines.defs import build_definitions
from pipelines.demo.acts import baosong
from pipelines.demo.company import Company, signed_content
from pipelines.demo.outcome import Outcome
from pipelines.stages.installation import Installation

AUDIT = "circ_audit.detail.JH-2026-003"
QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
MONTHLY = "circ_statistics.monthly.2026-04"
FILINGS = ("circ_statistics.flash.2026-04", MONTHLY)
APPROVALS = {
    "it_reviewer": "提取与校验无异常（模拟）",
    "finance_reviewer": "与总账核对一致（模拟）",
    "actuary": "准备金口径无误（模拟）",
    "executive": "同意报送（模拟）",
}


def script(
    installation: Installation, outcome: Outcome, company: Company
) -> Generator[Callable[[], bool], None, None]:
    """Opened by the calendar's job, a real run in the demo's Dagster instance."""
    yield lambda: any(state.id == AUDIT and state.answers for state in installation.states())
    definitions = build_definitions(installation.settings, installation.deployment)
    job = definitions.resolve_job_def("calendar_opening")
    with dg.DagsterInstance.get() as instance:
        outcome.require(
            job.execute_in_process(instance=instance, run_config=QUIET).success, "calendar_opening"
        )
    for filing in FILINGS:
        yield lambda filing=filing: installation.state(filing).stage == "reviewed"

        if filing == MONTHLY:  # judged before the flash report was accepted, with which its rules compare
            for stage in ("validate", "review"):
                baosong("run", stage, filing)
        state = installation.state(filing)
        assert state.content is not None, "reviewed means judged"
        outcome.require(
            sum(state.content.fact.counts.values()) == 0, f"{filing}: {state.content.fact.counts}"
        )
        baosong("baseline", "none", filing, "--reason", "首次经本系统报送（模拟）", "--as", "data_engineer")
        company.do("data_engineer", f"/filings/{filing}/gates", {}, to=f"/filings/{filing}/sign-off")
        content = signed_content(installation, filing)
        for person, comment in APPROVALS.items():
            company.sign(person, filing, comment, content=content)
        yield lambda filing=filing: installation.state(filing).stage == "archived"
