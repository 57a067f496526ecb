"""The metrics of submissions: what each is called, which way is better, from how many on it is judged, what flags it.

The formulas stand in the modules that list the keys. What a deployment sets in `assessment` goes before what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from pipelines.assessment.small_numbers import Weights
from pipelines.errors import BadInput
from resources.deployment import AssessmentConfig

MetricKind = Literal["proportion", "rate", "duration", "mean"]
Better = Literal["more", "less"]

PROPORTION_WEIGHTS = Weights(20, 50, 200)
ROW_WEIGHTS = Weights(4_000, 10_000, 40_000)
"""Rows that a prior weighs; to a branch's least rows as the strength of a proportion is to its least cases."""

PER_ROWS = 10_000


@dataclass(frozen=True)
class Metric:
    """`least`: below it a value is shown and not judged. `threshold` in the metric's unit; None flags nothing.

    Proportions are k of n; rates are events per 10,000 rows; durations are working hours, judged by their 90th percentile;
    a mean is k per n.
    """

    id: str
    zh: str
    en: str
    kind: MetricKind
    better: Better
    least: int
    threshold: Decimal | None = None
    weights: Weights = PROPORTION_WEIGHTS

    @property
    def scale(self) -> int:
        return PER_ROWS if self.kind == "rate" else 1


FIRST_FINDINGS, IN_TIME, TURNAROUND = "SUB-03", "SUB-04", "SUB-05"
ROUNDS, REPEATED, VANISHED, DRIFT = "SUB-06", "SUB-07", "SUB-15", "SUB-16"

SUBMISSION_METRICS = (
    Metric(FIRST_FINDINGS, "首检问题率", "first-pass findings per 10,000 rows", "rate", "less", 2_000, None, ROW_WEIGHTS),
    Metric(IN_TIME, "整改及时率", "answers in time", "proportion", "more", 10, Decimal("0.98")),
    Metric(TURNAROUND, "整改耗时", "turnaround, working hours", "duration", "less", 10, Decimal(24)),
    Metric(ROUNDS, "重新提取轮次", "re-extraction rounds", "mean", "less", 2, Decimal(3)),
    Metric(REPEATED, "重复问题率", "repeated findings", "proportion", "less", 20, Decimal("0.03")),
    Metric(VANISHED, "无据消失问题率", "silently vanished findings", "proportion", "less", 20, Decimal(0)),
    Metric(DRIFT, "无据变化率", "unexplained changes between rounds", "proportion", "less", 20),
)  # fmt: skip
"""In the order in which they are shown."""


def metrics_of(config: AssessmentConfig) -> Mapping[str, Metric]:
    """The metrics by id, with the deployment's limits. Raises BadInput for a limit or prior of a metric that there is not."""
    known = {metric.id: metric for metric in SUBMISSION_METRICS}
    named = {*config.metrics, *(metric for priors in config.priors.values() for metric in priors)}
    if unknown := sorted(named - set(known)):
        raise BadInput("assessment.unknown_metric", metrics=", ".join(unknown), known=", ".join(known))
    for id_, limits in config.metrics.items():
        metric = known[id_]
        known[id_] = replace(
            metric,
            least=metric.least if limits.least is None else limits.least,
            threshold=metric.threshold if limits.threshold is None else limits.threshold,
        )
    return known
