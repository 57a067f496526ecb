"""Time limits of a sign-off's steps, in working time: who is late, and telling it once.

When a step's limit has passed, whoever sits at its open seats is reminded; when twice the limit has passed, whoever waits for
them is told. It decides nothing. Sending it to people is the notifier's work.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipelines.ledger.filing import FilingState
from pipelines.ledger.sign_off_events import ReminderLevel, Seat, StepReminded
from pipelines.ledger.sign_off_state import LiveStep
from pipelines.stages.installation import SYSTEM, Installation
from pipelines.stages.seats import end_of_limit

_LEVELS: dict[ReminderLevel, int] = {"reminder": 1, "escalation": 2}
"""After how many times its limit."""


@dataclass(frozen=True)
class TimedStep:
    """A step with a limit whose turn has come: when it was due, and whether it was late then or is now."""

    step: LiveStep
    due: datetime
    is_late: bool


def timed_steps(installation: Installation, state: FilingState) -> Iterator[TimedStep]:
    """Every step with a limit, over all sign-offs of the version, rejected and void ones too."""
    for walk in state.walks:
        for step in walk.steps:
            due = end_of_limit(installation, walk, step)
            if due is None:
                continue
            until = step.decision.at if step.decision else walk.ended or installation.now()
            yield TimedStep(step, due, until > due)


def due_reminders(installation: Installation, state: FilingState) -> list[StepReminded]:
    """What is to be recorded now; on working days only."""
    live, step = state.live_sign_off, state.current_step
    now = installation.now()
    if state.withdrawn or live is None or step is None or not installation.calendar.is_workday(now.date()):
        return []
    due = end_of_limit(installation, state.walks[-1], step)
    if due is None:
        return []
    said = {(r.fact.step, r.fact.level) for r in state.step_reminders if r.seq > live.seq}
    seats = tuple(Seat(role=seat.role, department=seat.department) for seat in step.open_seats)
    found: list[StepReminded] = []
    for level, times in _LEVELS.items():
        end = end_of_limit(installation, state.walks[-1], step, times=times)
        if end is None or now <= end or (step.place, level) in said:
            continue
        found.append(
            StepReminded(
                number=live.fact.number,
                content=live.fact.content,
                step=step.place,
                level=level,
                seats=seats,
                due=due,
            )
        )
    return found


def remind_signers(installation: Installation, filing: str) -> list[StepReminded]:
    """Record what is due; once per sign-off, step and level, however often it is asked."""
    state = installation.state(filing)
    told = due_reminders(installation, state)
    for fact in told:
        assert state.live_sign_off is not None, "only a live sign-off has a step that is late"
        command = f"remind-step:{state.live_sign_off.seq}:{fact.step}:{fact.level}"
        state = installation.record(state, fact, actor=SYSTEM, command=command)
    return told
