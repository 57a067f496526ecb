"""How a measured number reads in a table: the value in its unit, how many it stands on, and why there is none."""

from __future__ import annotations

from pipelines.assessment.measuring import Measured
from pipelines.assessment.metric import Metric
from pipelines.errors import LANGUAGE, text


def title(metric: Metric) -> str:
    """The metric's name in the language of this process."""
    return metric.zh if LANGUAGE.get() == "zh" else metric.en


def value_text(metric: Metric, value: object) -> str:
    """A value of the metric in its unit; a dash for none."""
    if value is None:
        return "—"
    number = float(str(value))
    match metric.kind:
        case "proportion":
            return f"{number * 100:.1f} %"
        case "duration":
            return f"{number:.1f} h"
        case _:
            return f"{number:.2f}"


def interval_text(metric: Metric, measured: Measured) -> str:
    if measured.low is None:
        return "—"
    return f"{value_text(metric, measured.low)} – {value_text(metric, measured.high)}"


def status_text(measured: Measured) -> str:
    """The status in a word, and whether it is flagged."""
    word = text(f"assessment.status.{measured.status}")
    return f"{word} {text('assessment.flagged')}" if measured.is_flagged else word


def excluded_text(measured: Measured) -> str:
    """What was left out, by reason; a dash for nothing."""
    left_out = measured.excluded or {}
    return "，".join(f"{reason_text(reason)} {count:,}" for reason, count in left_out.items()) or "—"


def reason_text(reason: str | None) -> str:
    return "—" if reason is None else text(f"assessment.reason.{reason}")


def cell_text(metric: Metric, measured: Measured) -> str:
    """One metric of one branch in one cell: value, k/n, and what keeps it from being judged."""
    if measured.n == 0:
        return "—" if measured.status == "not_applicable" else status_text(measured)
    count = f"{measured.n:,}" if metric.kind == "duration" else f"{measured.k:,}/{measured.n:,}"
    said = f"{value_text(metric, measured.raw)}（{count}）"
    plain = measured.status == "measured" and not measured.is_flagged
    return said if plain else f"{said} {status_text(measured)}"
