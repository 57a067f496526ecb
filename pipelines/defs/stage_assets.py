"""What the assets of one standard have in common: their keys `[standard, stage…]`, owners, partitions and group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from pipelines.defs.partitions import filings_of
from validations.engine import Standard

OWNERS = ["team:data-engineering"]


def key(standard: Standard, *stage: str) -> dg.AssetKey:
    """`[standard, stage…]`."""
    return dg.AssetKey([standard.name, *stage])


def round_keys(standard: Standard) -> list[dg.AssetKey]:
    """The extracted tables of a round."""
    return [key(standard, "round", t.name) for t in standard.tables.values() if t.derive is None]


def stage_asset(
    standard: Standard,
    stage: str,
    *,
    after: Sequence[dg.AssetKey],
    kinds: set[str],
    description: str,
    checks: Sequence[dg.AssetCheckSpec] = (),
    may_be_skipped: bool = False,
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """Decorates the step that runs a stage on one filing: an asset `[standard, stage]`, one partition per filing."""
    return dg.asset(
        key=key(standard, stage),
        deps=list(after),
        check_specs=list(checks),
        partitions_def=filings_of(standard.name),
        group_name=standard.name,
        owners=OWNERS,
        kinds=kinds,
        description=description,
        output_required=not may_be_skipped,
    )
