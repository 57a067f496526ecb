"""One standard's part of the definitions: its assets, checks, jobs and sensors put together."""

from __future__ import annotations

import dagster as dg

from pipelines.defs import assets
from pipelines.defs.checks import approval_check
from pipelines.defs.jobs import flow_jobs
from pipelines.defs.resources import InstallationResource
from pipelines.defs.sensors import flow_sensors
from validations.engine import Standard


def flow_definitions(standard: Standard, resource: InstallationResource) -> dg.Definitions:
    """Everything of one standard."""
    jobs = flow_jobs(standard)
    return dg.Definitions(
        assets=[
            assets.round_asset(standard),
            assets.content_asset(standard),
            assets.review_asset(standard),
            assets.comparison_asset(standard),
            assets.package_asset(standard),
            assets.delivery_asset(standard),
            assets.receipt_asset(standard),
            assets.evidence_asset(standard),
        ],
        asset_checks=[approval_check(standard, assets.key(standard, "content"))],
        jobs=list(jobs.values()),
        sensors=flow_sensors(standard, jobs, resource),
    )
