"""A sign-off in words: opinions, seats and what became void, as `baosong filing show`, `sign-off` and `sign` tell it."""

from __future__ import annotations

from pipelines.errors import text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_state import Given
from pipelines.stages.installation import Installation
from pipelines.stages.rejection import went_back_to
from pipelines.stages.seats import due, seat_name


def opinion_line(given: Given) -> str:
    """Who said what at which seat, and for whom."""
    fact = given.fact
    seat = f"{fact.role} {fact.department}".strip()
    who = f"{given.actor}（{fact.on_behalf_of}）" if fact.on_behalf_of else given.actor
    return f"{seat} {who}: {fact.opinion} {fact.comment}"


def seat_lines(installation: Installation, state: FilingState) -> list[str]:
    """Where opinions are awaited now, and by when."""
    step = state.current_step
    if step is None:
        return []
    until = due(installation, state, step)
    shown = text("cli.seat_due", due=f"{until:%Y-%m-%d %H:%M}") if until else ""
    return [f"{seat_name(installation, seat)}{shown}" for seat in step.open_seats]


def deviations(state: FilingState) -> dict[str, int]:
    """How many deviations the compliance reviews listed that opinions were given on, void ones included: they never disappear."""
    return {
        f"{o.fact.role} {o.actor} {o.fact.compliance.digest[:12]}": o.fact.compliance.deviations
        for o in state.opinions
        if o.fact.compliance
    }


def sent_back_to(state: FilingState) -> str | None:
    """To whom a rejection sent the content back."""
    rejection = went_back_to(state)
    return text(f"sign_off.rejection.{rejection}") if rejection else None
