"""The automatic stages by name, in the order data goes: what `baosong run` and Dagster's assets start."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.ledger.filing import FilingState
from pipelines.stages.acknowledge import fetch_receipt
from pipelines.stages.archive import archive
from pipelines.stages.compare import compare
from pipelines.stages.deliver import deliver
from pipelines.stages.extract import extract
from pipelines.stages.installation import Installation
from pipelines.stages.package import package
from pipelines.stages.review import review
from pipelines.stages.validate import validate

STAGES: dict[str, Callable[[Installation, str], FilingState]] = {
    "extract": extract,
    "validate": validate,
    "review": review,
    "compare": compare,
    "package": package,
    "deliver": deliver,
    "acknowledge": fetch_receipt,
    "archive": archive,
}
