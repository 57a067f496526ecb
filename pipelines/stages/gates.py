"""The gates before a sign-off (签报关口): every reason why a content may not be signed yet, each under its name.

A gate is a function that returns its refusals; all of them answer at once. The names stand in `resources/deployment/gates.py`,
so that a route can demand more of them; a name without a function here refuses. Nothing is recorded here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import polars as pl

from pipelines.errors import BaosongError, Refused
from pipelines.ledger.filing import FilingState
from pipelines.stages.baseline import lacks_baseline, references
from pipelines.stages.change_request import changes_of, unraised_gates
from pipelines.stages.compliance import compliance
from pipelines.stages.content import Conflict, Content, build_content
from pipelines.stages.installation import Installation
from pipelines.stages.masking import masked, masked_key, personal_fields
from pipelines.stages.register import register
from pipelines.stages.request_gate import request_gates
from pipelines.stages.unjudged import unjudged_gates
from resources.deployment.gates import ALWAYS
from validations.engine import Standard


@dataclass(frozen=True)
class Considered:
    """What the gates are asked about: a filing as it stands and the content that exists now."""

    installation: Installation
    state: FilingState
    content: Content
    register: pl.DataFrame | None = None

    @cached_property
    def standard(self) -> Standard:
        return self.installation.standard(self.state.opened.fact.standard)

    @cached_property
    def rows(self) -> pl.DataFrame:
        return register(self.installation, self.state) if self.register is None else self.register


@dataclass(frozen=True)
class GateResult:
    """One gate: open, closed by these refusals, or waiting for the content to be judged first."""

    name: str
    state: Literal["open", "closed", "waits"]
    refusals: tuple[BaosongError, ...] = ()


Gate = Callable[[Considered], Iterable[BaosongError]]


def gate_results(
    installation: Installation,
    state: FilingState,
    content: Content | None = None,
    *,
    rows: pl.DataFrame | None = None,
) -> tuple[GateResult, ...]:
    """Every gate of the filing's route, in the order of their names; `rows` is the register, where somebody has it already."""
    considered = Considered(installation, state, content or build_content(installation, state), rows)
    results: list[GateResult] = []
    is_judged = True
    for name in demanded_gates(installation, state):
        gate = _GATES.get(name)
        if gate is None:
            results.append(GateResult(name, "closed", (Refused("sign_off.unknown_gate", gate=name),)))
        elif not is_judged:
            results.append(GateResult(name, "waits"))
        else:
            closed = tuple(gate(considered))
            results.append(GateResult(name, "closed" if closed else "open", closed))
            is_judged = name != "content_judged" or not closed
    return tuple(results)


def closed_gates(
    installation: Installation, state: FilingState, content: Content, *, rows: pl.DataFrame | None = None
) -> list[BaosongError]:
    """Every reason why this content may not be signed yet."""
    results = gate_results(installation, state, content, rows=rows)
    return [refusal for result in results for refusal in result.refusals]


def demanded_gates(installation: Installation, state: FilingState) -> tuple[str, ...]:
    """The names of the gates that hold for this filing: those that always do, and those its route adds."""
    route = installation.deployment.routes[state.opened.fact.standard]
    return tuple(dict.fromkeys((*ALWAYS, *route.gates)))


def _demand_stands(of: Considered) -> Iterable[BaosongError]:
    return request_gates(of.installation, of.state)


def _content_judged(of: Considered) -> Iterable[BaosongError]:
    judged = of.state.content
    if judged is None or judged.fact.content != of.content.digest:
        yield Refused("sign_off.not_judged", content=of.content.digest[:12])


def _rules_unchanged(of: Considered) -> Iterable[BaosongError]:
    if of.state.content and of.state.content.fact.standard_digest != of.standard.digest:
        yield Refused("sign_off.rules_changed", standard=of.standard.name, version=of.standard.version)


def _reference_unchanged(of: Considered) -> Iterable[BaosongError]:
    judged = of.state.content
    if judged and judged.fact.reference != references(of.installation, of.state, of.standard).digest:
        yield Refused("sign_off.reference_changed", filing=of.state.id)


def _baseline_declared(of: Considered) -> Iterable[BaosongError]:
    if rules := lacks_baseline(of.state):
        yield Refused("sign_off.no_baseline", filing=of.state.id, rules=", ".join(rules))


def _uploads_extracted(of: Considered) -> Iterable[BaosongError]:
    if of.state.has_new_upload:
        yield Refused("off_system.not_extracted", filing=of.state.id, round=of.state.round + 1)


def _problems_listed(of: Considered) -> Iterable[BaosongError]:
    if not of.state.is_listed:
        yield Refused("sign_off.not_reviewed")


def _rounds_compared(of: Considered) -> Iterable[BaosongError]:
    if not of.state.is_compared:
        yield Refused("sign_off.not_compared", round=of.state.round)


def _drift_explained(of: Considered) -> Iterable[BaosongError]:
    if of.state.unexplained_drift:
        yield Refused("sign_off.drift", count=of.state.unexplained_drift, round=of.state.round)


def _unhandled(of: Considered, severity: Literal["block", "explain"], code: str) -> list[BaosongError]:
    is_open = (pl.col("state") != "accepted") | (severity == "block") | pl.col("promised")
    unhandled = of.rows.filter(
        "is_present",
        pl.col("severity") == severity,
        is_open,
        ~pl.col("state").is_in(["waived", "dismissed"]),
    )
    if not unhandled.height:
        return []
    who = ", ".join(unhandled["holder"].drop_nulls().unique().sort())
    rules = ", ".join(unhandled["rule"].unique().sort())
    return [Refused(code, count=unhandled.height, rules=rules, holders=who or "—")]


def _nothing_blocks(of: Considered) -> Iterable[BaosongError]:
    return _unhandled(of, "block", "sign_off.blocking")


def _all_explained(of: Considered) -> Iterable[BaosongError]:
    return _unhandled(of, "explain", "sign_off.unexplained")


def _all_rules_judged(of: Considered) -> Iterable[BaosongError]:
    return unjudged_gates(of.state, is_blocked=bool(list(_nothing_blocks(of))))


def _changes_raised(of: Considered) -> Iterable[BaosongError]:
    return unraised_gates(of.installation, of.state, of.content)


def _corrections_fit(of: Considered) -> Iterable[BaosongError]:
    for conflict in of.content.conflicts:
        cell = conflict.handled
        yield Refused(
            "sign_off.conflict",
            finding=cell.finding,
            table=cell.table,
            key=masked_key(cell.key, personal_fields(of.standard, cell.table)),
            field=cell.field,
            old=_shown(of.standard, conflict, cell.value),
            shown=_shown(of.standard, conflict, conflict.shown),
        )


def _shown(standard: Standard, conflict: Conflict, value: str | None) -> str:
    """A value of the corrected cell, masked where it is personal."""
    cell = conflict.handled
    return masked(value, cell.field in personal_fields(standard, cell.table)) or "—"


def _changes_executed(of: Considered) -> Iterable[BaosongError]:
    waiting = [
        c.number for c in changes_of(of.installation, of.state.id) if c.stage in ("raised", "approved")
    ]
    if waiting:
        yield Refused("sign_off.changes_waiting", numbers=", ".join(waiting))


def _review_compliant(of: Considered) -> Iterable[BaosongError]:
    if found := compliance(of.installation, of.state, rows=of.rows).deviations:
        yield Refused("sign_off.deviations", count=len(found), filing=of.state.id)


def _before_deadline(of: Considered) -> Iterable[BaosongError]:
    if of.installation.now().date() > of.state.deadline:
        yield Refused("sign_off.deadline_passed", deadline=of.state.deadline)


_GATES: dict[str, Gate] = {
    "demand_stands": _demand_stands,
    "content_judged": _content_judged,
    "rules_unchanged": _rules_unchanged,
    "reference_unchanged": _reference_unchanged,
    "baseline_declared": _baseline_declared,
    "uploads_extracted": _uploads_extracted,
    "problems_listed": _problems_listed,
    "rounds_compared": _rounds_compared,
    "drift_explained": _drift_explained,
    "nothing_blocks": _nothing_blocks,
    "all_explained": _all_explained,
    "all_rules_judged": _all_rules_judged,
    "changes_raised": _changes_raised,
    "corrections_fit": _corrections_fit,
    "changes_executed": _changes_executed,
    "review_compliant": _review_compliant,
    "before_deadline": _before_deadline,
}
KNOWN_GATES = frozenset(_GATES)
"""The names that have a gate."""
