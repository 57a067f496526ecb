"""The posts' monthly numbers as an asset with two checks, and the schedule that computes them. No number is decided here."""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import dagster as dg

from pipelines.assessment.metric import FIRST_FINDINGS, IN_TIME
from pipelines.assessment.showing import cell_text, value_text
from pipelines.assessment.submission_metrics import SubmissionMetrics, submission_metrics, write_metrics
from pipelines.defs.metadata import bar_plot
from pipelines.defs.resources import InstallationResource
from pipelines.defs.stage_assets import OWNERS
from pipelines.errors import BaosongError
from pipelines.stages.installation import Installation

GROUP = "it_assessment"
SUBMISSION_METRICS = dg.AssetKey([GROUP, "submission_metrics"])
COMPUTED, THRESHOLDS = "all_computed", "within_thresholds"
WORKDAY = 3
"""Of the following month: reports and tickets of the month are in by then."""

FIRST_MONTH = datetime(2026, 1, 1)  # noqa: DTZ001 - in the partitions' own zone
TIMEZONE = "Asia/Shanghai"


def months() -> dg.MonthlyPartitionsDefinition:
    """The months that are assessed, the present one included: it can be looked at before it is closed."""
    return dg.MonthlyPartitionsDefinition(
        start_date=FIRST_MONTH, timezone=TIMEZONE, fmt="%Y-%m", end_offset=1
    )


def assessment_definitions(resource: InstallationResource) -> dg.Definitions:
    """The asset, its job and its schedule."""
    job = dg.define_asset_job(
        "submission_metrics_month",
        selection=dg.AssetSelection.assets(SUBMISSION_METRICS),
        description="信息技术岗考核：计算一个月的报送指标",
    )
    return dg.Definitions(assets=[_metrics_asset()], jobs=[job], schedules=[_schedule(resource, job)])


def _metrics_asset() -> dg.AssetsDefinition:
    checks = {
        COMPUTED: "应有数据的机构，各项指标是否都已算出。",
        THRESHOLDS: "是否有机构确证劣于部署设定的预警线（以 90% 区间为证，不以运气定论），或到期未提交任何答复。",
    }

    @dg.asset(
        key=SUBMISSION_METRICS,
        partitions_def=months(),
        group_name=GROUP,
        owners=OWNERS,
        kinds={"parquet"},
        check_specs=[
            dg.AssetCheckSpec(
                name=name, asset=SUBMISSION_METRICS, description=description, partitions_def=months()
            )
            for name, description in checks.items()
        ],
        description="报送指标：按机构、按月由台账算出首检问题率、整改及时率与耗时、重新提取轮次、重复问题、无据消失与无据变化；"
        "每个数字都保留分子、分母与剔除项的明细，同一台账重算结果逐字节相同。",
    )
    def measure_submissions(
        context: dg.AssetExecutionContext, installation: InstallationResource
    ) -> Iterator[dg.MaterializeResult[Any] | dg.AssetCheckResult]:
        month = context.partition_key
        try:
            with installation.open() as opened:
                result = submission_metrics(opened, month, as_of=opened.now())
                path = write_metrics(opened, result)
        except BaosongError as error:
            raise dg.Failure(
                description=str(error),
                metadata={"错误代码": error.code, "查看": f"baosong assessment submissions --month {month}"},
                allow_retries=False,
            ) from None
        yield dg.MaterializeResult(
            asset_key=SUBMISSION_METRICS,
            metadata={
                "月份": month,
                "计算编号": result.score_id,
                "文件": dg.MetadataValue.path(str(path)),
                "报送指标": dg.MetadataValue.md(_table(result)),
                "查看明细": dg.MetadataValue.md(f"`baosong assessment submissions --month {month} --keys`"),
                **_plot(result, FIRST_FINDINGS, "首检问题率图（每万行，收缩值）", "条/万行", 1),
                **_plot(result, IN_TIME, "整改及时率图（收缩值）", "%", 100),
            },
            data_version=dg.DataVersion(result.score_id),
        )
        yield _computed(result)
        yield _thresholds(result)

    return measure_submissions


def _computed(result: SubmissionMetrics) -> dg.AssetCheckResult:
    failed = [each for each in result.measured if each.status == "failed"]
    told = "；".join(f"{each.filing} {each.metric}：{each.error}" for each in result.failures)
    return dg.AssetCheckResult(
        asset_key=SUBMISSION_METRICS,
        check_name=COMPUTED,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=told or "各机构应有的指标均已算出。",
        metadata={"无法计算": len(failed)},
    )


def _thresholds(result: SubmissionMetrics) -> dg.AssetCheckResult:
    told = [
        f"{result.branches[each.branch]} {result.metrics[each.metric].zh} "
        + ("未提交" if each.status == "not_delivered" else value_text(result.metrics[each.metric], each.raw))
        for each in result.measured
        if each.is_flagged or each.status == "not_delivered"
    ]
    limits = "，".join(f"{m.zh} {m.threshold}" for m in result.metrics.values() if m.threshold is not None)
    return dg.AssetCheckResult(
        asset_key=SUBMISSION_METRICS,
        check_name=THRESHOLDS,
        passed=not told,
        severity=dg.AssetCheckSeverity.WARN,
        description="；".join(told) or "没有机构确证劣于预警线。",
        metadata={"预警": len(told), "预警线": limits or "—"},
    )


def _table(result: SubmissionMetrics) -> str:
    """A row per branch to which anything applies, a column per metric."""
    lines = [
        "| 机构 | " + " | ".join(f"{m.id} {m.zh}" for m in result.metrics.values()) + " |",
        "| --- |" + " ---: |" * len(result.metrics),
    ]
    for code, name in result.branches.items():
        row = [result.of(id_, code) for id_ in result.metrics]
        if any(each.status != "not_applicable" for each in row):
            cells = [cell_text(result.metrics[each.metric], each) for each in row]
            lines.append(f"| {code} {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) if len(lines) > 2 else "本月没有首次提取的报送任务，各机构均不适用。"


def _plot(
    result: SubmissionMetrics, metric: str, heading: str, unit: str, scale: int
) -> dict[str, dg.MarkdownMetadataValue]:
    """What is estimated of each branch, in whole units."""
    values = {
        result.branches[each.branch]: round(each.shrunk * Decimal(scale))
        for each in result.measured
        if each.metric == metric and each.shrunk is not None
    }
    return bar_plot(heading, values, unit)


def _schedule(resource: InstallationResource, job: Any) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="submission_metrics_schedule",
        job=job,
        cron_schedule="0 6 * * *",
        execution_timezone=TIMEZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="每月第 3 个工作日 6:00 计算上月的报送指标；当天未运行的，之后补算",
    )
    def assess_last_month() -> dg.RunRequest | dg.SkipReason:
        with resource.open() as opened:
            return _request(opened)

    return assess_last_month


def _request(installation: Installation) -> dg.RunRequest | dg.SkipReason:
    """Last month's run from the third working day on; its key names the month, so that it runs once."""
    today = installation.now().date()
    third = installation.calendar.workday_of_month(today.year, today.month, WORKDAY)
    if today < third:
        return dg.SkipReason(f"上月的报送指标在 {third} 计算")
    year, last = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    month = f"{year:04}-{last:02}"
    if month < f"{installation.ledger.began_at():%Y-%m}" or month not in months().get_partition_keys():
        return dg.SkipReason(f"{month} 没有台账可供计算")
    return dg.RunRequest(run_key=f"submission_metrics:{month}", partition_key=month)
