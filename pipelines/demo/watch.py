"""A line per stage as the ledger learns of it, with counts and times. It only reads."""

from __future__ import annotations

import sys
import time

from pipelines.ledger import filing_events as e
from pipelines.stages.installation import Installation


class Watch:
    """Tells each event of every filing once."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._seen: dict[str, int] = {}
        self._began = time.monotonic()

    def tell_news(self) -> None:
        """Print the events that came since the last call."""
        ledger = self._installation.ledger
        for stream in ledger.streams("filing/"):
            events = ledger.events(stream)
            for event in events[self._seen.get(stream, 0) :]:
                if event.payload is not None and (
                    line := tell(e.EVENTS[event.type].model_validate(event.payload))
                ):
                    filing = stream.removeprefix("filing/")
                    sys.stdout.write(f"[{time.monotonic() - self._began:5.1f} s] {filing:<32} {line}\n")
            self._seen[stream] = len(events)
        sys.stdout.flush()


def tell(fact: e.FilingEvent) -> str | None:  # noqa: PLR0911 - one line per kind of event
    """An event in words; None for those that the person's own command has told already."""
    match fact:
        case e.FilingOpened():
            return f"开启　期限 {fact.deadline}，计划 {fact.planned_on}"
        case e.RoundExtracted():
            rows = sum(table.rows for table in fact.tables.values())
            return f"提取　第 {fact.round} 轮，{len(fact.tables)} 表 {rows:,} 行，行数与金额已与数据源核对"
        case e.ContentValidated():
            rules = len(fact.counts)
            return f"校验　{rules} 条规则：阻断 {fact.block}，需说明 {fact.explain}，提示 {fact.note}；内容 {fact.content[:12]}"
        case e.FindingsDispatched():
            problems = sum(workbook.problems for workbook in fact.workbooks)
            return f"下发　{fact.department}：{len(fact.workbooks)} 份工作簿，{problems} 条问题，{fact.answer_by} 前答复"
        case e.FindingsReviewed():
            return f"初审　确认 {fact.confirmed}，排除 {fact.dismissed}，改派 {fact.assigned}"
        case e.RoundsCompared():
            return (
                f"比对　第 {fact.earlier}→{fact.later} 轮：行 +{fact.added} −{fact.removed} ~{fact.changed}；"
                f"未说明 {fact.unexplained}；问题 已解决 {fact.resolved}，仍存在 {fact.remaining}，新出现 {fact.appeared}"
            )
        case e.PackageBuilt():
            return f"打包　{len(fact.files)} 个文件，摘要 {fact.package[:12]}"
        case e.DeliverySent():
            return f"传送　{fact.channel}：{fact.remote}（{fact.verified_by}）"
        case e.ReceiptReceived():
            return f"回执　{fact.number} {'接收' if fact.result == 'accepted' else '退回'}（{fact.issuer}）"
        case e.EvidenceArchived():
            return f"归档　{fact.evidence[:12]}"
        case _:
            return None
