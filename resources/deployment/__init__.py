"""One insurer's configuration: `load_deployment` checks it whole, `models` says what it holds."""

from __future__ import annotations

from resources.deployment.addresses import resolve_address
from resources.deployment.connections import (
    Address,
    ChannelConfig,
    DatabaseSource,
    InterfaceConfig,
    OfficeConfig,
    PinnedFile,
    SftpConfig,
    SourceConfig,
    SqliteSource,
)
from resources.deployment.loading import load_deployment
from resources.deployment.models import (
    CalendarOverrides,
    Corporation,
    Deployment,
    FilingConfig,
    Organisation,
    Route,
    RouteStep,
    Title,
    User,
)
from resources.deployment.roles import ROLES
from resources.deployment.scaffold import init_deployment

__all__ = [
    "ROLES",
    "Address",
    "CalendarOverrides",
    "ChannelConfig",
    "Corporation",
    "DatabaseSource",
    "Deployment",
    "FilingConfig",
    "InterfaceConfig",
    "OfficeConfig",
    "Organisation",
    "PinnedFile",
    "Route",
    "RouteStep",
    "SftpConfig",
    "SourceConfig",
    "SqliteSource",
    "Title",
    "User",
    "init_deployment",
    "load_deployment",
    "resolve_address",
]
