"""Waivers (豁免): findings of a rule are accepted under a sign-off, for a reason, until a day. Granting one is `waiver_granting`'s.

They free whoever holds what they cover at once. They hold over rounds, and over later filings of the standard until they
expire, while what they accepted stays as it was: another value of an accepted cell and another wording of the rule are
asked about anew. What a waiver covers is the engine's
matter; a row that could not be judged is covered by none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.errors import BadInput, Refused, text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import WaiverGranted, WaiverProposed, WaiverRevoked
from pipelines.ledger.recorded import Recorded
from pipelines.stages.bulk_facts import kept
from pipelines.stages.held import record_with_held
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.register import register
from pipelines.stages.scope import visible_branches
from resources.deployment import User
from validations.engine import Waiver
from validations.engine.scope import tables_of

ACCEPTED = ("table", "key", "field", "value")


def revoke_waiver(
    installation: Installation, filing: str, number: str, user: User, *, reason: str
) -> FilingState:
    """A waiver no longer holds: what it was granted for since the last judging is held again at once, the rest from the next.

    Once its filing is packaged, this changes nothing there: it no longer covers later filings. Raises Refused for a user who does
    not speak for every department that it concerns, or works for some branches and not for all that it covers.
    """
    require_role(user, "business_reviewer", act="waive")
    state = installation.state(filing)
    if state.is_in_sign_off and not state.packages:
        raise Refused("waivers.closed", filing=filing, stage=text(f"cli.stage.{state.stage}"))
    granted = next((waiver.fact for waiver in state.waivers if waiver.fact.number == number), None)
    if granted is None:
        raise BadInput("waivers.unknown", number=number, filing=filing)
    require_owner(installation, state, user, granted.rule, granted.table)
    require_branches(installation, state, user, granted.rule, granted.table, granted.key)
    if number in {each.fact.number for each in state.revocations}:
        return state
    if not reason.strip():
        raise BadInput("waivers.no_reason")
    fact = WaiverRevoked(number=number, reason=reason.strip(), held=())
    return record_with_held(installation, state, fact, actor=user.id, command=f"revoke:{number}")


def require_owner(
    installation: Installation, state: FilingState, user: User, rule: str, table: str | None
) -> None:
    """Raises Refused for a user who does not speak for every department that a waiver of the rule concerns."""
    others = [each for each in owners_of(installation, state, rule, table) if not user.speaks_for(each)]
    if others:
        named = ", ".join(map(installation.department_name, others))
        raise Refused("waivers.other_department", user=user.name, rule=rule, department=named)


def require_branches(
    installation: Installation, state: FilingState, user: User, rule: str, table: str | None, key: str | None
) -> None:
    """Raises Refused for a user of some branches, unless the waiver is of one key that is theirs."""
    if not is_of_branches(installation, state, user, rule, table, key):
        raise Refused("waivers.other_branch", user=user.name, rule=rule)


def is_of_branches(
    installation: Installation, state: FilingState, user: User, rule: str, table: str | None, key: str | None
) -> bool:
    """Whether all that a waiver covers is of the user's branches: a whole rule or table never is, of one key every finding."""
    branches = visible_branches(installation.deployment, user)
    if branches is None:
        return True
    if table is None or key is None or state.content is None:
        return False
    same = (pl.col("rule") == rule, pl.col("table") == table, pl.col("key") == key)
    found = set(register(installation, state).filter(*same)["branch"])
    return bool(found) and found <= branches


def owners_of(
    installation: Installation, state: FilingState, rule: str, table: str | None
) -> tuple[str, ...]:
    """The departments that own what a waiver of a rule may cover, on one table where given; none of a rule that is no more."""
    standard = installation.standard(state.opened.fact.standard)
    known = next((each for each in standard.rules if each.id == rule), None)
    if known is None:
        return ()
    department_of = installation.deployment.department_of
    tables = [table] if table else tables_of(standard, known)
    found = {department_of(standard.name, rule=rule, table=name, group=known.group) for name in tables}
    return tuple(sorted(found))


@dataclass(frozen=True)
class KnownWaiver:
    """A waiver that concerns a filing: `filing` is where it was granted, `by` whom it was agreed to; `covers` counts the findings it was
    granted for."""

    fact: WaiverGranted
    filing: str
    proposed: Recorded[WaiverProposed] | None
    by: str
    at: datetime
    covers: int
    is_in_force: bool
    revoked: Recorded[WaiverRevoked] | None


def known_waivers(
    installation: Installation, state: FilingState, filings: Sequence[FilingState]
) -> list[KnownWaiver]:
    """All that were granted in this filing and those of others that hold for it; the ones in force first, the newest first.

    `filings` are those of its standard. Raises Tampered when what a waiver was granted for is not what was recorded.
    """
    holding = {fact.number for _, fact in _in_force(installation, state, filings)}
    others = [other for other in filings if other.id != state.id]
    known = [
        KnownWaiver(
            fact=waiver.fact,
            filing=granted_in.id,
            proposed=next(
                (p for p in granted_in.waivers_proposed if p.fact.number == waiver.fact.number), None
            ),
            by=waiver.actor,
            at=waiver.at,
            covers=kept(installation, granted_in.id, waiver.fact.findings).height
            if waiver.fact.findings
            else 0,
            is_in_force=waiver.fact.number in holding,
            revoked=next((r for r in granted_in.revocations if r.fact.number == waiver.fact.number), None),
        )
        for granted_in in (state, *others)
        for waiver in granted_in.waivers
        if granted_in is state or waiver.fact.number in holding
    ]
    return sorted(known, key=lambda each: (each.is_in_force, each.at), reverse=True)


def waivers_in_force(installation: Installation, state: FilingState) -> tuple[WaiverGranted, ...]:
    """The waivers of this standard, granted in any of its filings, that are not revoked and have not expired by the end of
    the filing's period, nor by the day on which people were asked to sign or, before that, by today."""
    found = [fact for _, fact in _in_force(installation, state, _of_standard(installation, state))]
    return tuple(sorted(found, key=lambda waiver: waiver.number))


def engine_waivers(installation: Installation, state: FilingState) -> tuple[Waiver, ...]:
    """The waivers in force as the engine takes them: for the filing's own period."""
    waivers: list[Waiver] = []
    for filing, w in _in_force(installation, state, _of_standard(installation, state)):
        values = kept(installation, filing, w.findings).select(*ACCEPTED).rows() if w.findings else ()
        waivers.append(
            Waiver(
                w.rule, w.sign_off, w.reason, state.date_to, w.table, w.key, w.rule_digest,
                tuple((table, key, field, value) for table, key, field, value in values),
            )
        )  # fmt: skip
    return tuple(waivers)


def _of_standard(installation: Installation, state: FilingState) -> list[FilingState]:
    return installation.states(state.opened.fact.standard)


def _in_force(
    installation: Installation, state: FilingState, filings: Sequence[FilingState]
) -> list[tuple[str, WaiverGranted]]:
    """Each with the filing that it was granted in, as they were when people were asked to sign: nothing moves under them."""
    is_signed = state.sign_off is not None and (state.is_in_sign_off or bool(state.packages))
    now = state.sign_off.at if state.sign_off and is_signed else installation.now()
    found: list[tuple[str, WaiverGranted]] = []
    others = [other for other in filings if other.id != state.id]
    for granted_in in (*others, state):
        revoked = {each.fact.number for each in granted_in.revocations if each.at <= now}
        found += [
            (granted_in.id, waiver.fact)
            for waiver in granted_in.waivers
            if waiver.at <= now
            and waiver.fact.number not in revoked
            and waiver.fact.expires >= max(state.date_to, now.date())
        ]
    return found


def require_open(state: FilingState) -> None:
    """Raises Refused while people are signing, and after packaging: then nothing about the content may change."""
    if state.is_in_sign_off or state.packages:
        raise Refused("waivers.closed", filing=state.id, stage=text(f"cli.stage.{state.stage}"))
