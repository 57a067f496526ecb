"""One insurer's configuration: `load_deployment` checks it whole, `models` says what it holds."""

from __future__ import annotations

from resources.deployment.addresses import resolve_address
from resources.deployment.assessment import AssessmentConfig, FrozenPrior, MetricLimits
from resources.deployment.connections import (
    Address,
    AnswersInbox,
    ChannelConfig,
    DatabaseSource,
    InterfaceConfig,
    OfficeConfig,
    PinnedFile,
    SftpConfig,
    SourceConfig,
    SqliteSource,
)
from resources.deployment.departments import Department, Merger, Title
from resources.deployment.gates import GATES
from resources.deployment.loading import load_deployment
from resources.deployment.models import (
    AccountsConfig,
    CalendarOverrides,
    Corporation,
    Deployment,
    FilingConfig,
    Organisation,
    ReviewConfig,
    Substitute,
    User,
)
from resources.deployment.notices import MailConfig, NoticesConfig, WebhookConfig
from resources.deployment.oidc import OidcConfig
from resources.deployment.people import flaws, vacant_departments, vacant_roles
from resources.deployment.roles import ROLES, SIGNERS
from resources.deployment.routes import Route, RouteStep
from resources.deployment.scaffold import init_deployment
from resources.deployment.working_hours import USUAL_HOURS, Session

__all__ = [
    "GATES",
    "ROLES",
    "SIGNERS",
    "USUAL_HOURS",
    "AccountsConfig",
    "Address",
    "AnswersInbox",
    "AssessmentConfig",
    "CalendarOverrides",
    "ChannelConfig",
    "Corporation",
    "DatabaseSource",
    "Department",
    "Deployment",
    "FilingConfig",
    "FrozenPrior",
    "InterfaceConfig",
    "MailConfig",
    "Merger",
    "MetricLimits",
    "NoticesConfig",
    "OfficeConfig",
    "OidcConfig",
    "Organisation",
    "PinnedFile",
    "ReviewConfig",
    "Route",
    "RouteStep",
    "Session",
    "SftpConfig",
    "SourceConfig",
    "SqliteSource",
    "Substitute",
    "Title",
    "User",
    "WebhookConfig",
    "flaws",
    "init_deployment",
    "load_deployment",
    "resolve_address",
    "vacant_departments",
    "vacant_roles",
]
