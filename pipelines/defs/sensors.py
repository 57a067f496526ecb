"""Sensors: they ask the ledger what is due and launch it, nothing more.

A step's key names its cause, so asking a thousand times launches one run; a lost Dagster history asks again and the
stage finds its event in the ledger. An approval becomes a run within one interval.
"""

# Dagster reads the annotations of steps when they are defined, so they are not postponed here.

from collections.abc import Mapping, Sequence

import dagster as dg

from pipelines.defs.jobs import AssetJob, Job
from pipelines.defs.partitions import filings_of
from pipelines.defs.people_checks import people_check_keys
from pipelines.defs.resources import InstallationResource
from pipelines.defs.stage_assets import key
from pipelines.stages.next_step import NextStep, Step, next_step
from resources.deployment import Route
from validations.engine import Standard

INTERVAL_SECONDS = 2


def flow_sensors(
    standard: Standard, route: Route, jobs: Mapping[Job, AssetJob], resource: InstallationResource
) -> list[dg.SensorDefinition]:
    """Three sensors per standard: what data waits for, what people decided, what the regulator owes."""
    watched: dict[str, tuple[tuple[Step, ...], str]] = {
        "extraction": (("extract", "validate"), "已开启的任务、到齐的答复、要求的重新提取 → 提取与校验"),
        "approval": (("release", "reject"), "签报结论 → 打包与传送；不同意只运行检查"),
        "receipt": (("acknowledge",), "已传送或已登记回执 → 取回执与归档"),
    }
    return [
        _sensor(standard, route, jobs, resource, name, steps, description)
        for name, (steps, description) in watched.items()
    ]


def _sensor(
    standard: Standard,
    route: Route,
    jobs: Mapping[Job, AssetJob],
    resource: InstallationResource,
    name: str,
    steps: Sequence[Step],
    description: str,
) -> dg.SensorDefinition:
    partitions = filings_of(standard.name)

    @dg.sensor(
        name=f"{standard.name}_{name}_sensor",
        jobs=[job for name, job in jobs.items() if name in {_job(step) for step in steps}],
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"{standard.title.zh}：{description}",
    )
    def sense(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        with resource.open() as installation:
            due = {
                state.id: step
                for state in installation.states(standard.name)
                if (step := next_step(state, installation)) and step.step in steps
            }
        known = set(context.instance.get_dynamic_partitions(str(partitions.name)))
        opened = [filing for filing in due if filing not in known]
        if not due:
            return dg.SensorResult(skip_reason="没有到期的自动步骤")
        return dg.SensorResult(
            dynamic_partitions_requests=[partitions.build_add_request(opened)] if opened else [],
            run_requests=[_request(standard, route, filing, step) for filing, step in due.items()],
        )

    return sense


def _job(step: Step) -> Job:
    return "release" if step == "reject" else step


def _request(standard: Standard, route: Route, filing: str, step: NextStep) -> dg.RunRequest:
    """A rejection runs people's checks alone: it shows, and nothing is packaged."""
    if step.step == "reject":
        return dg.RunRequest(
            run_key=f"{filing}:{step.key}",
            job_name=f"{standard.name}_release",
            partition_key=filing,
            asset_selection=[],
            asset_check_keys=people_check_keys(key(standard, "content"), route),
            tags={"baosong/step": step.key},
        )
    return dg.RunRequest(
        run_key=f"{filing}:{step.key}",
        job_name=f"{standard.name}_{_job(step.step)}",
        partition_key=filing,
        tags={"baosong/step": step.key},
    )
