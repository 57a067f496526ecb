"""What a filing has to answer now: the demand it was opened with, as amendments and agreed extensions changed it since.

The flow itself (rounds, contents, opinions, packages) is `filing.py`'s part of the state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from pipelines.ledger.demand_events import (
    ExtensionDecided,
    ExtensionProposed,
    FilingAmended,
    FilingWithdrawn,
    TalkRecorded,
)
from pipelines.ledger.filing_events import FilingOpened
from pipelines.ledger.recorded import Recorded


@dataclass(frozen=True)
class DeadlineSet:
    """One deadline that held from `at` on: whose act set it, and why."""

    at: datetime
    actor: str
    cause: Literal["opened", "amended", "extended"]
    deadline: date
    planned_on: date
    reason: str


@dataclass(frozen=True)
class DemandedFiling:
    """The part of a filing's state that says what is demanded."""

    id: str
    opened: Recorded[FilingOpened]
    amendments: tuple[Recorded[FilingAmended], ...] = ()
    talks: tuple[Recorded[TalkRecorded], ...] = ()
    extensions: tuple[Recorded[ExtensionProposed], ...] = ()
    extension_decisions: tuple[Recorded[ExtensionDecided], ...] = ()
    withdrawn: Recorded[FilingWithdrawn] | None = None

    @property
    def _demand(self) -> FilingOpened | FilingAmended:
        return self.amendments[-1].fact if self.amendments else self.opened.fact

    @property
    def organisations(self) -> tuple[str, ...]:
        """The scope, by code."""
        return self._demand.organisations

    @property
    def left_organisations(self) -> frozenset[str]:
        """The organisations that an earlier demand named and the present one does not."""
        named = (code for each in (self.opened, *self.amendments) for code in each.fact.organisations)
        return frozenset(named) - frozenset(self.organisations)

    @property
    def date_from(self) -> date:
        """First day of the period."""
        return self._demand.date_from

    @property
    def date_to(self) -> date:
        """Last day of the period, inclusive."""
        return self._demand.date_to

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables demanded; empty: all of the report."""
        return self._demand.tables

    @property
    def deadline(self) -> date:
        """The last day on which it may be sent."""
        return self.deadlines[-1].deadline

    @property
    def planned_on(self) -> date:
        """The day for which it is planned: a working day not after the deadline."""
        return self.deadlines[-1].planned_on

    @property
    def deadlines(self) -> tuple[DeadlineSet, ...]:
        """Every deadline that ever held, in the order in which they were set."""
        return tuple(self._deadlines())

    def _deadlines(self) -> Iterator[DeadlineSet]:
        first, opened = self.opened, self.opened.fact
        yield DeadlineSet(first.at, first.actor, "opened", opened.deadline, opened.planned_on, opened.basis)
        agreed = [each for each in self.extension_decisions if each.fact.opinion == "agree"]
        held = opened.deadline
        for each in sorted((*self.amendments, *agreed), key=lambda recorded: recorded.seq):
            fact = each.fact
            if isinstance(fact, ExtensionDecided):
                reason = self._proposal(fact.number).fact.reason
                yield DeadlineSet(each.at, each.actor, "extended", fact.deadline, fact.planned_on, reason)
            elif fact.deadline != held:
                yield DeadlineSet(each.at, each.actor, "amended", fact.deadline, fact.planned_on, fact.reason)
            held = fact.deadline

    def _proposal(self, number: int) -> Recorded[ExtensionProposed]:
        return next(each for each in self.extensions if each.fact.number == number)

    @property
    def open_extension(self) -> Recorded[ExtensionProposed] | None:
        """The proposed deadline that nobody has given an opinion on yet."""
        decided = {each.fact.number for each in self.extension_decisions}
        return next((each for each in self.extensions if each.fact.number not in decided), None)

    @property
    def scope_amendment(self) -> Recorded[FilingAmended] | None:
        """The last amendment for which data had to be extracted anew."""
        return next((each for each in reversed(self.amendments) if each.fact.new_round), None)
