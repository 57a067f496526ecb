"""What branches drop into the inbox becomes a run per file: the sensor looks, the job takes in. Neither decides about a file."""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

import dagster as dg

from pipelines.defs.resources import InstallationResource, run_explained
from pipelines.stages.inbox import Taken, take_in, told
from pipelines.stages.inbox_folder import waiting_files
from pipelines.stages.installation import Installation
from resources.deployment import Deployment

INTERVAL_SECONDS = 5
OP = "take_in_dropped_file"


class DroppedFile(dg.Config):
    """Which arrival: `Dropped.key`. Its name is for people only, since a name proves nothing."""

    key: str
    shown: str


@dg.op(name=OP, description="收取一个文件：按签名识别工作簿，以目录所属用户导入，结果写回该目录")
def take_in_file(
    context: dg.OpExecutionContext, config: DroppedFile, installation: InstallationResource
) -> None:
    """Take in the file if it still waits; another run or a person may have been quicker."""

    def act(opened: Installation) -> Taken | None:
        dropped = next((each for each in waiting_files(opened) if each.key == config.key), None)
        return take_in(opened, dropped) if dropped else None

    taken = run_explained(context, installation, act, again="baosong answers inbox")
    if taken is None:
        context.log.info(f"{config.shown} 已不在待收之列")
        return
    (context.log.warning if taken.error else context.log.info)(told(taken))
    facts: dict[str, dg.MetadataValue | str] = {"结果": told(taken), "文件": str(taken.kept or "—")}
    if taken.error:
        facts["理由"] = dg.MetadataValue.text(str(taken.error))
    if taken.imported:
        facts["报送任务"] = taken.imported.identity.filing
        facts["收下"] = str(sum(taken.imported.handlings.values()))
        facts["退回"] = str(len(taken.imported.returned))
    context.add_output_metadata(facts)


@dg.job(description="收取分公司放入收件目录的一个工作簿")
def take_in_answers() -> None:
    """The inbox's part of the flow."""
    take_in_file()


def inbox_definitions(deployment: Deployment, resource: InstallationResource) -> dg.Definitions:
    """The job and its sensor, where the deployment has an inbox."""
    if deployment.answers_inbox is None:
        return dg.Definitions()

    @dg.sensor(
        name="answers_inbox_sensor",
        job_name=take_in_answers.name,  # by name: Dagster builds sensors that hold a job anew, with a beta warning
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="分公司放入收件目录且已静止的文件 → 收取答复",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with resource.open() as installation:
            waiting = waiting_files(installation)
        if not waiting:
            return dg.SensorResult(skip_reason="收件目录中没有待收的文件")
        return dg.SensorResult(
            run_requests=[
                dg.RunRequest(
                    run_key=dropped.key,
                    run_config={"ops": {OP: {"config": {"key": dropped.key, "shown": dropped.shown}}}},
                    tags={"baosong/user": dropped.user},
                )
                for dropped in waiting
            ]
        )

    return dg.Definitions(jobs=[take_in_answers], sensors=[sense])
