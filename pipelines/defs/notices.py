"""Telling people: every few minutes, where the deployment configures notices. A failure is a red run and holds up nothing else."""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

import dagster as dg

from pipelines.defs.resources import InstallationResource, run_explained
from pipelines.stages.notify import notify
from resources.deployment import Deployment

CRON = "*/5 * * * *"


@dg.op(description="通知：记下新的待办、作废、退回、提醒，把到时的汇总发出；每件事每人只告知一次")
def tell_people(context: dg.OpExecutionContext, installation: InstallationResource) -> int:
    """Note what is new and send what is due; returns how many digests went out. Red when something could not be told."""
    done = run_explained(context, installation, notify, again="baosong notices send")
    if done.is_busy:
        context.log.info("另一个进程正在发送通知，本次不做")
    for each in done.digests:
        context.log.info(f"{each.channel} {each.recipient} {each.notices} 项：{each.outcome.result}")
    sent = sum(each.outcome.result == "sent" for each in done.digests)
    context.add_output_metadata({"新通知": done.noted, "已发汇总": sent, "放弃": done.given_up})
    if done.problems:
        raise dg.Failure("\n".join(done.problems), allow_retries=False)
    return sent


@dg.job(description="向有关人员发送通知汇总；失败不影响报送")
def notices() -> None:
    """The notices' part: nothing waits for it."""
    tell_people()


def notices_definitions(deployment: Deployment) -> dg.Definitions:
    """The job and its schedule, where the deployment configures notices."""
    if deployment.notices is None:
        return dg.Definitions()
    schedule = dg.ScheduleDefinition(
        name="notices_schedule",
        job=notices,
        cron_schedule=CRON,
        execution_timezone="Asia/Shanghai",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="每 5 分钟查看有无新的待办、作废、退回、提醒，汇总后告知有关人员",
    )
    return dg.Definitions(jobs=[notices], schedules=[schedule])
