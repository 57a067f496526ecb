"""What Dagster loads: the definitions of the deployment that the settings name, and nothing else."""

from __future__ import annotations

import dagster as dg

from pipelines.defs import build_definitions
from resources.deployment import load_deployment
from resources.settings import Settings


@dg.definitions
def definitions() -> dg.Definitions:
    """Read the settings once, when Dagster asks, and build everything from the deployment they name."""
    settings = Settings.load()
    return build_definitions(settings, load_deployment(settings.deployment, settings.home))
