"""台账: the append-only, hash-chained record of every event, and what is folded from it."""

from __future__ import annotations

from pipelines.ledger.events import Event
from pipelines.ledger.store import Ledger
from pipelines.ledger.verify import VerifyReport

__all__ = ["Event", "Ledger", "VerifyReport"]
