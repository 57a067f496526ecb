"""The waivers of a filing as far as a person sees them: a department its own, whoever works on whole filings all. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from pipelines.desk.findings_view import scope_of, visible_row, visible_rows
from pipelines.desk.visit import Visit
from pipelines.errors import BadInput, Refused
from pipelines.ledger.filing import Recorded
from pipelines.ledger.filing_events import WaiverGranted, WaiverProposed, WaiverRefused
from pipelines.stages.bulk_facts import kept
from pipelines.stages.masking import masked_key, personal_fields
from pipelines.stages.scope import sees_filing, visible_branches
from pipelines.stages.waiver_granting import AGREES
from pipelines.stages.waivers import KnownWaiver, is_of_branches, known_waivers, owners_of

_JOINT = "|"


@dataclass(frozen=True)
class ShownWaiver:
    """A waiver with its key masked; `may_revoke`: granted in this filing, in force, and this person's to take back."""

    known: KnownWaiver
    key: str | None
    departments: tuple[str, ...]
    may_revoke: bool
    may_open: bool


@dataclass(frozen=True)
class ShownProposal:
    """A waiver that waits for an opinion or got none that agrees; `may_agree`, `may_disagree`: this person's opinions now."""

    proposed: Recorded[WaiverProposed]
    key: str | None
    covers: int
    refused: Recorded[WaiverRefused] | None
    may_agree: bool
    may_disagree: bool


@dataclass(frozen=True)
class Waivable:
    """What a person may waive: a rule's findings in one table, `count` of which are there and not waived."""

    rule: str
    table: str
    count: int

    @property
    def name(self) -> str:
        """As a form calls it."""
        return f"{self.rule}{_JOINT}{self.table}"


@dataclass(frozen=True)
class Meant:
    """What a form means: a rule in a table, of one key (canonical JSON) where `finding` was chosen alone."""

    rule: str
    table: str
    key: str | None = None


def shown_waivers(visit: Visit) -> list[ShownWaiver]:
    """Those in force first."""
    shown: list[ShownWaiver] = []
    is_open = _is_open(visit)
    deployment = visit.installation.deployment
    standard = visit.state.opened.fact.standard
    filings = [each for each in visit.desk.reading.filings() if each.opened.fact.standard == standard]
    for known in known_waivers(visit.installation, visit.state, filings):
        fact = known.fact
        owners = owners_of(visit.installation, visit.state, fact.rule, fact.table)
        is_own = bool(owners) and all(visit.user.speaks_for(owner) for owner in owners)
        if not (visit.is_of_whole or is_own):
            continue
        is_here = known.filing == visit.state.id
        other = None if is_here else visit.desk.reading.filing(known.filing)
        shown.append(
            ShownWaiver(
                known,
                _shown_key(visit, fact.table, fact.key),
                owners,
                may_revoke=is_here
                and is_own
                and is_open
                and known.revoked is None
                and known.is_in_force
                and _is_of_branches(visit, fact),
                may_open=other is not None and sees_filing(deployment, visit.user, other),
            )
        )
    return shown


def shown_proposals(visit: Visit) -> list[ShownProposal]:
    """The proposals that were not granted, those that wait first, then the newest first."""
    state, user = visit.state, visit.user
    refused = {each.fact.number: each for each in state.waivers_refused}
    granted = {each.fact.number for each in state.waivers}
    agrees = user.has_role(AGREES)
    shown: list[ShownProposal] = []
    for each in reversed(state.waivers_proposed):
        fact = each.fact
        is_own = all(map(user.speaks_for, fact.departments))
        if fact.number in granted or not (visit.is_of_whole or is_own):
            continue
        waits = fact.number not in refused and _is_open(visit)
        may_decide = waits and visit.may_open("decide_waiver") and (is_own or agrees)
        may_decide = may_decide and _is_of_branches(visit, fact)
        shown.append(
            ShownProposal(
                each,
                _shown_key(visit, fact.table, fact.key),
                kept(visit.installation, state.id, fact.findings).height if fact.findings else 0,
                refused.get(fact.number),
                may_agree=may_decide and each.actor != user.id,
                may_disagree=may_decide,
            )
        )
    return sorted(shown, key=lambda each: each.refused is not None)


def waivable(visit: Visit) -> list[Waivable]:
    """What stands in the register, is not waived, and is this person's to waive now: nothing whole for whoever is of some branches."""
    if not visit.may_open("propose_waiver") or visit.state.content is None or not _is_open(visit):
        return []
    if not _is_of_all(visit):
        return []
    counted = visit.desk.reading.remembered(
        visit.state, ("waivable", scope_of(visit)), lambda: _counted(visible_rows(visit))
    )
    return [
        Waivable(rule, table, count)
        for rule, table, count in counted.iter_rows()
        if _is_owner(visit, rule, table)
    ]


def may_waive(visit: Visit, row: Mapping[str, Any]) -> bool:
    """Whether this person may propose now that a finding is waived, by its row of the register."""
    is_left = row["is_present"] and row["state"] != "waived" and row["reason"] is None
    may_act = visit.may_open("propose_waiver") and _is_open(visit)
    return is_left and may_act and _is_owner(visit, row["rule"], row["table"])


def _counted(rows: pl.LazyFrame) -> pl.DataFrame:
    left = rows.filter("is_present", pl.col("state") != "waived", pl.col("reason").is_null())
    return left.group_by("rule", "table").len("count").sort("rule", "table").collect()


def _is_owner(visit: Visit, rule: str, table: str) -> bool:
    owners = owners_of(visit.installation, visit.state, rule, table)
    return bool(owners) and all(map(visit.user.speaks_for, owners))


def meant_by(visit: Visit, what: str, finding: str, *, is_one: bool) -> Meant:
    """What the form chose. BadInput for nothing, Refused for a finding that does not exist for this person."""
    if not finding:
        rule, _, table = what.partition(_JOINT)
        if not rule or not table:
            raise BadInput("desk.waivers.nothing_chosen")
        return Meant(rule, table)
    row = visible_row(visit, finding)
    if row.is_empty():
        raise Refused("desk.out_of_scope")
    found = row.row(0, named=True)
    return Meant(found["rule"], found["table"], found["key"] if is_one else None)


def next_to_expire(shown: list[ShownWaiver]) -> date | None:
    """The first day on which a waiver in force ends."""
    return min((each.known.fact.expires for each in shown if each.known.is_in_force), default=None)


def _is_of_all(visit: Visit) -> bool:
    return visible_branches(visit.installation.deployment, visit.user) is None


def _is_of_branches(visit: Visit, fact: WaiverGranted | WaiverProposed) -> bool:
    return is_of_branches(visit.installation, visit.state, visit.user, fact.rule, fact.table, fact.key)


def _is_open(visit: Visit) -> bool:
    return not visit.state.is_in_sign_off and not visit.state.packages


def _shown_key(visit: Visit, table: str | None, key: str | None) -> str | None:
    if key is None or table is None:
        return key
    standard = visit.installation.standard(visit.state.opened.fact.standard)
    return masked_key(key, personal_fields(standard, table))
