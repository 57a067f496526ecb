"""What the clock launches: every day the filings of the regulators' calendar and reminders to whoever holds findings; every few
minutes those of a sign-off's time limits. Deadlines are the stages'."""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import dagster as dg

from pipelines.defs.resources import InstallationResource
from pipelines.errors import BaosongError
from pipelines.stages.holders import remind
from pipelines.stages.installation import Installation
from pipelines.stages.request import open_due
from pipelines.stages.step_limits import due_reminders, remind_signers

_log = logging.getLogger("baosong.calendar")
Reminder = TypeVar("Reminder")


@dg.op(description="按节假日日历开启应报任务，已开启的不重复；并签署当日台账头")
def open_due_filings(context: dg.OpExecutionContext, installation: InstallationResource) -> list[str]:
    """Open every filing that is due by today, and sign the ledger's head of the day."""
    with installation.open() as opened:
        try:
            states = open_due(opened, opened.now().date())
        finally:
            opened.ledger.sign_head(opened.now())
    for state in states:
        context.log.info(f"已开启 {state.id}，期限 {state.deadline}，计划 {state.planned_on}")
    return [state.id for state in states]


def _told(
    context: dg.OpExecutionContext,
    resource: InstallationResource,
    record: Callable[[Installation, str], Sequence[Reminder]],
    said: Callable[[Reminder], str],
) -> int:
    """Record the reminders of every filing; one that cannot be told keeps no other from it, and fails the step at the end."""
    told, failed = 0, list[str]()
    with resource.open() as opened:
        for filing in opened.filings():
            try:
                reminded = record(opened, filing)
            except BaosongError as error:
                failed.append(f"{filing}: {error}")
                continue
            told += len(reminded)
            for each in reminded:
                context.log.info(f"{filing} {said(each)}")
    if failed:
        raise dg.Failure("\n".join(failed))
    return told


@dg.op(description="提醒经手人：今明两日到期的提醒，逾期的升级；每个工作日每人一次，记入台账")
def remind_holders(context: dg.OpExecutionContext, installation: InstallationResource) -> int:
    """Record what is due or late, of every filing, also where another's cannot be told; returns how many were reminded."""
    return _told(
        context,
        installation,
        remind,
        lambda each: (
            f"{each.level} {each.holder} {each.department} {each.organisation}：{each.count} 条，{each.due} 到期"
        ),
    )


@dg.job(description="开启应报任务，提醒经手人")
def calendar_opening() -> None:
    """The calendar's part of the flow."""
    open_due_filings()
    remind_holders()


@dg.op(
    description="签署时限：按工作时间，超过时限的提醒席位，超过两倍时限的告知等待的人；每步每级一次，记入台账"
)
def remind_late_signers(context: dg.OpExecutionContext, installation: InstallationResource) -> int:
    """Record what a sign-off's limits demand; asking twice records once. Returns how many reminders are new."""
    return _told(
        context,
        installation,
        remind_signers,
        lambda each: f"{each.level} 第 {each.step + 1} 步，时限 {each.due:%Y-%m-%d %H:%M}",
    )


@dg.job(description="签署时限的提醒与上报；不影响签署")
def time_limits() -> None:
    """The time limits' part: nothing waits for it."""
    remind_late_signers()


def _is_late(installation: Installation, filing: str) -> bool:
    """Whether anybody is to be reminded of the filing's sign-off; one that cannot be read keeps no other waiting."""
    try:
        return bool(due_reminders(installation, installation.state(filing)))
    except BaosongError as error:
        _log.warning("%s cannot be read, so nobody is reminded of it: %s", filing, error)
        return False


def _limits_schedule(resource: InstallationResource) -> dg.ScheduleDefinition:
    def is_due(context: dg.ScheduleEvaluationContext) -> bool:
        with resource.open() as installation:
            return any(_is_late(installation, filing) for filing in installation.filings())

    return dg.ScheduleDefinition(
        name="time_limits_schedule",
        job=time_limits,
        cron_schedule="*/10 * * * *",
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        should_execute=is_due,
        description="每 10 分钟查看签报各步是否超过时限（按工作时间），有新的才运行",
    )


def calendar_definitions(resource: InstallationResource) -> dg.Definitions:
    """The jobs and their schedules: the calendar's every morning at seven in Shanghai, working day or not: a missed day is caught
    up; the limits' only when somebody is to be reminded."""
    schedule = dg.ScheduleDefinition(
        name="calendar_opening_schedule",
        job=calendar_opening,
        cron_schedule="0 7 * * *",
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="每日 7:00 按报送日历开启应报任务，提醒经手人",
    )
    return dg.Definitions(
        jobs=[calendar_opening, time_limits], schedules=[schedule, _limits_schedule(resource)]
    )
