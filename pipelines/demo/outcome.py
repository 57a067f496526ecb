"""What the play must come to: findings = answer key, evidence that verifies, a ledger that holds. And the closing table."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.demo.stage_setting import answer_key
from pipelines.stages.archive import evidence_path
from pipelines.stages.installation import Installation
from pipelines.stages.validate import read_findings
from pipelines.stages.verify_evidence import verify_evidence


class Deviation(Exception):
    """Something was not as it must be; the text says what."""


@dataclass
class Outcome:
    """Collected while the play goes on."""

    installation: Installation
    found: dict[str, str] = field(default_factory=dict[str, str])

    def require(self, is_so: bool, what: str) -> None:
        if not is_so:
            raise Deviation(what)

    def compare_with_answer_key(self, filing: str) -> None:
        """The findings of the first round are exactly the injected defects."""
        state = self.installation.state(filing)
        expected = _keyed(answer_key(self.installation.home), state.opened.fact.standard)
        frame = read_findings(self.installation, state)
        found = sorted(frame.select("table", "key", "field", "rule").fill_null("").iter_rows())
        missed = [row for row in expected if row not in found]
        extra = [row for row in found if row not in expected]
        if missed or extra or len(found) != len(expected):
            raise Deviation(
                f"{filing}: 未发现 missed {missed[:3]} ({len(missed)}), 多报 extra {extra[:3]} ({len(extra)})"
            )
        self.found[filing] = f"{len(found)} = 答案 {len(expected)}"
        sys.stdout.write(f"    ✓ 问题数据与答案逐条一致：{len(found)} / {len(expected)}\n")


def report(outcome: Outcome, *, seconds: float) -> None:
    """Verify everything once more and print the closing table. Raises Deviation."""
    installation = outcome.installation
    write = sys.stdout.write
    write("\n报送任务 · filings\n")
    for state in sorted(installation.states(), key=lambda s: s.id):
        outcome.require(state.stage == "archived", f"{state.id} {state.stage}")
        proven = verify_evidence(evidence_path(installation, state))
        assert state.receipt and state.sent, "an archived filing was sent and answered"
        rounds = " → ".join(f"{sum(t.rows for t in r.fact.tables.values()):,} 行" for r in state.rounds)
        write(
            f"\n  {state.id}（期限 {state.deadline}）\n"
            f"    轮次     {state.round}：{rounds}\n"
            f"    问题     首轮 {sum(state.contents[0].fact.counts.values())} 条"
            f"（{outcome.found.get(state.id, '无缺陷注入')}），签报时 "
            f"{sum(state.contents[-1].fact.counts.values())} 条\n"
            f"    签报     {'；'.join(proven.approvals)}\n"
            f"    报文包   {proven.package}\n"
            f"    回执     {proven.receipt}\n"
            f"    档案     {evidence_path(installation, state)}（baosong verify 属实）\n"
        )
    verdict = installation.ledger.verify()
    outcome.require(not verdict.problems, "; ".join(str(p) for p in verdict.problems))
    write(f"\n台账属实：{verdict.events} 个事件，{verdict.streams} 条流，{verdict.heads} 个签名头\n")
    write(
        f"用时 {seconds:.0f} 秒。接着看：make dev 打开 Dagster（资产图、检查、运行历史）；"
        ".venv/bin/baosong filing list；"
        f"\n工作簿 {installation.home / 'workbooks'}，报文包 {installation.home / 'packages'}\n"
    )


def _keyed(path: Path, standard: str) -> list[tuple[str, str, str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["standard"] == standard]
    return sorted((row["table"], row["key"], row["field"], row["rule"]) for row in rows)
