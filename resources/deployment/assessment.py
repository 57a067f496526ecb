"""What an insurer sets about the assessment (`assessment` in deployment.yaml): limits of metrics, and means frozen per quarter.

Which metrics there are, and what counts where nothing is set, is `pipelines.assessment`'s matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from resources.deployment.types import Model

MetricId = Annotated[str, Field(pattern=r"^[A-Z]{2,4}-\d{2}$")]
Quarter = Annotated[str, Field(pattern=r"^\d{4}Q[1-4]$")]


class MetricLimits(Model):
    """`least` is how many a metric needs to be judged at all, `threshold` what it must be proven worse than to be flagged."""

    least: Annotated[int, Field(ge=1)] | None = None
    threshold: Annotated[Decimal, Field(ge=0)] | None = None


class FrozenPrior(Model):
    """The mean over all branches, and how many observations of a branch it weighs, for one quarter (签报 beside it)."""

    mean: Annotated[Decimal, Field(ge=0)]
    strength: Annotated[Decimal, Field(gt=0)]


class AssessmentConfig(Model):
    """`priors` by quarter and metric; where a quarter has none, they are estimated from the twelve months up to the one assessed."""

    metrics: Mapping[MetricId, MetricLimits] = Field(default_factory=dict)
    priors: Mapping[Quarter, Mapping[MetricId, FrozenPrior]] = Field(default_factory=dict)
