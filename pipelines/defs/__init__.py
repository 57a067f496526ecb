"""Dagster's room: assets, checks, jobs, sensors and schedules, built from the standards and the deployment.

What belongs here: how the flow shows and what launches it. What does not: any decision about a filing. Every step calls
a stage with the partition key as filing; every gate is the stage's, which asks the ledger.
"""

from __future__ import annotations

import warnings

import dagster as dg

from pipelines.defs.assessment_assets import assessment_definitions
from pipelines.defs.calendar import calendar_definitions
from pipelines.defs.flow import flow_definitions
from pipelines.defs.inbox import inbox_definitions
from pipelines.defs.notices import notices_definitions
from pipelines.defs.resources import InstallationResource
from resources.deployment import Deployment
from resources.settings import Settings
from validations.engine import load_standard


def build_definitions(settings: Settings, deployment: Deployment) -> dg.Definitions:
    """Definitions for every standard that the deployment files."""
    resource = InstallationResource.of(settings)
    with warnings.catch_warnings():
        # Partitioned checks are a preview of exactly the version that is pinned; what they must do is tested.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        parts = [
            flow_definitions(
                load_standard(name, deployment.standard_folders), deployment.routes[name], resource
            )
            for name in sorted(deployment.filings)
        ]
        parts.append(assessment_definitions(resource))
    shared = dg.Definitions(resources={"installation": resource}, executor=dg.in_process_executor)
    inbox = inbox_definitions(deployment, resource)
    notices = notices_definitions(deployment)
    return dg.Definitions.merge(*parts, calendar_definitions(resource), inbox, notices, shared)
