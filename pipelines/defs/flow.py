"""One standard's part of the definitions: its assets, checks, jobs and sensors put together."""

from __future__ import annotations

import dagster as dg

from pipelines.defs import content_assets, release_assets
from pipelines.defs.jobs import flow_jobs
from pipelines.defs.people_checks import people_check_definitions
from pipelines.defs.resources import InstallationResource
from pipelines.defs.sensors import flow_sensors
from pipelines.defs.stage_assets import key
from resources.deployment import Route
from validations.engine import Standard


def flow_definitions(standard: Standard, route: Route, resource: InstallationResource) -> dg.Definitions:
    """Everything of one standard, with the people's checks that its route has."""
    jobs = flow_jobs(standard, route)
    return dg.Definitions(
        assets=[
            content_assets.round_asset(standard),
            content_assets.content_asset(standard),
            content_assets.review_asset(standard),
            content_assets.comparison_asset(standard),
            release_assets.package_asset(standard),
            release_assets.delivery_asset(standard),
            release_assets.receipt_asset(standard),
            release_assets.evidence_asset(standard),
        ],
        asset_checks=people_check_definitions(standard, key(standard, "content"), route),
        jobs=list(jobs.values()),
        sensors=flow_sensors(standard, route, jobs, resource),
    )
