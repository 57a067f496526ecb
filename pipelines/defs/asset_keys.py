"""How the assets of one standard are named: `[standard, stage…]`; and who owns them."""

from __future__ import annotations

import dagster as dg

from validations.engine import Standard

OWNERS = ["team:data-engineering"]


def key(standard: Standard, *stage: str) -> dg.AssetKey:
    """`[standard, stage…]`."""
    return dg.AssetKey([standard.name, *stage])


def round_keys(standard: Standard) -> list[dg.AssetKey]:
    """The extracted tables of a round."""
    return [key(standard, "round", t.name) for t in standard.tables.values() if t.derive is None]
