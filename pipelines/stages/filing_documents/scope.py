"""What a filing is about, as every document begins: authority, period, organisations, deadline, basis, source."""

from __future__ import annotations

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.stages.installation import Installation

_NAMED = 12


def scope_of(installation: Installation, state: FilingState) -> list[tuple[str, str]]:
    """Names and values in the order in which they are read."""
    opened, extracted = state.opened.fact, state.rounds[-1].fact
    names = {o.code: o.name for o in installation.deployment.organisations}
    organisations = [f"{names.get(code) or ''} {code}".strip() for code in state.organisations]
    shown = "、".join(organisations[:_NAMED]) + (
        f" … {len(organisations)}" if len(organisations) > _NAMED else ""
    )
    values = {
        "authority": opened.authority,
        "period": f"{state.date_from} … {state.date_to}",
        "organisations": shown,
        "deadline": str(state.deadline),
        "basis": opened.basis,
        "source": extracted.source,
        "snapshot": f"{extracted.snapshot_at:%Y-%m-%d %H:%M:%S}",
        "nil": "、".join(sorted(state.nil_returns)) or "—",
    }
    return [(text(f"documents.scope.{name}"), value) for name, value in values.items()]
