"""Granting a waiver (豁免) takes two people: its department proposes it, somebody else agrees. Nothing is waived by a proposal.

What a waiver covers, and until when it holds, is `waivers`' matter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipelines.errors import BadInput, BaosongError, Refused
from pipelines.ledger.filing import FilingState, Recorded
from pipelines.ledger.filing_events import Opinion, WaiverGranted, WaiverProposed, WaiverRefused
from pipelines.stages.bulk_facts import CELL, frame, keep
from pipelines.stages.held import record_with_held
from pipelines.stages.installation import Installation, require_role
from pipelines.stages.register import found_in
from pipelines.stages.waivers import (
    owners_of,
    require_branches,
    require_open,
    require_owner,
    waivers_in_force,
)
from resources.deployment import User

AGREES = "audit_reviewer"
"""May agree for every department."""
_LONGEST = timedelta(days=366)
"""What is accepted for longer is to be mended or asked for again."""


@dataclass(frozen=True)
class WaiverDraft:
    """What is to be accepted: a rule's findings, of one table or one key (canonical JSON) where given, up to `expires`."""

    rule: str
    sign_off: str
    reason: str
    expires: date
    table: str | None = None
    key: str | None = None


def propose_waiver(
    installation: Installation, filing: str, draft: WaiverDraft, user: User, *, seen: int | None = None
) -> str:
    """Propose that findings are accepted as they are now; returns the number. The same while it waits or holds is one.

    Raises BadInput with everything that is wrong, Refused during the sign-off and for a user who does not speak for every
    department that may own what it covers: a rule on many tables is waived table by table; a user of some branches waives their
    findings one by one. `seen` is the place in the ledger that the proposer looked at: Refused when findings were judged since.
    """
    require_role(user, "business_reviewer", act="waive")
    state = installation.state(filing)
    require_open(state)
    problems = _problems(installation, state, draft)
    if problems:
        raise BadInput("waivers.refused", rule=draft.rule, details=problems)
    require_owner(installation, state, user, draft.rule, draft.table)
    require_branches(installation, state, user, draft.rule, draft.table, draft.key)
    if seen is not None and state.content is not None and state.content.seq > seen:
        raise Refused("waivers.judged_since")
    numbers = {each.fact.number for each in (*state.waivers_proposed, *state.waivers)}
    fact = WaiverProposed(
        number=f"{filing}-V{state.version}-HM{len(numbers) + 1:03d}",
        rule=draft.rule,
        table=draft.table,
        key=draft.key,
        sign_off=draft.sign_off.strip(),
        reason=draft.reason.strip(),
        expires=draft.expires,
        rule_digest=installation.standard(state.opened.fact.standard).rule(draft.rule).digest,
        findings=_findings_now(installation, state, draft),
        departments=owners_of(installation, state, draft.rule, draft.table),
    )
    same = [(each.fact.rule, each.fact.table, each.fact.key) for each in state.open_waivers]
    for given in (*waivers_in_force(installation, state), *(each.fact for each in state.open_waivers)):
        if _what(given) == _what(fact):
            return given.number
    if (fact.rule, fact.table, fact.key) in same:
        raise Refused("waivers.waits", rule=fact.rule)
    installation.record(state, fact, actor=user.id, command=f"waiver:{fact.number}:proposal")
    return fact.number


def decide_waiver(
    installation: Installation, filing: str, number: str, user: User, *, opinion: Opinion, comment: str = ""
) -> FilingState:
    """Agree to a proposed waiver, or not, which takes a comment. The same opinion again changes nothing.

    One's own proposal one can only take back. Raises BadInput for one that does not exist and for what is wrong with it by now;
    Refused for a user who neither speaks for its departments nor is of the audit department, for one that is decided otherwise,
    during the sign-off, and when the findings or the rule are others than those that were proposed.
    """
    require_role(user, "business_reviewer", AGREES, act="waive")
    state = installation.state(filing)
    proposed = next((each for each in state.waivers_proposed if each.fact.number == number), None)
    if proposed is None:
        raise BadInput("waivers.unknown", number=number, filing=filing)
    fact = proposed.fact
    if not user.has_role(AGREES):
        require_owner(installation, state, user, fact.rule, fact.table)
    require_branches(installation, state, user, fact.rule, fact.table, fact.key)
    if proposed not in state.open_waivers:
        if (number in {each.fact.number for each in state.waivers}) == (opinion == "agree"):
            return state
        raise Refused("waivers.decided", number=number)
    require_open(state)
    if opinion == "agree":
        return _grant(installation, state, proposed, user)
    if not comment.strip():
        raise BadInput("waivers.no_comment", number=number)
    refused = WaiverRefused(number=number, comment=comment.strip())
    return installation.record(state, refused, actor=user.id, command=f"waiver:{number}:refusal")


def _grant(
    installation: Installation, state: FilingState, proposed: Recorded[WaiverProposed], user: User
) -> FilingState:
    fact = proposed.fact
    if user.id == proposed.actor:
        raise Refused("waivers.own", number=fact.number, user=user.name)
    draft = WaiverDraft(fact.rule, fact.sign_off, fact.reason, fact.expires, fact.table, fact.key)
    if problems := _problems(installation, state, draft):
        raise BadInput("waivers.refused", rule=fact.rule, details=problems)
    rule = installation.standard(state.opened.fact.standard).rule(fact.rule)
    if (rule.digest, _findings_now(installation, state, draft)) != (fact.rule_digest, fact.findings):
        raise Refused("waivers.moved", number=fact.number)
    granted = WaiverGranted(
        number=fact.number,
        rule=fact.rule,
        table=fact.table,
        key=fact.key,
        sign_off=fact.sign_off,
        reason=fact.reason,
        expires=fact.expires,
        rule_digest=fact.rule_digest,
        findings=fact.findings,
        held=(),
    )
    return record_with_held(installation, state, granted, actor=user.id, command=f"waiver:{fact.number}")


def _what(fact: WaiverGranted | WaiverProposed) -> tuple[object, ...]:
    """What makes two waivers the same."""
    return (fact.rule, fact.table, fact.key, fact.sign_off, fact.expires, fact.rule_digest, fact.findings)


def _findings_now(installation: Installation, state: FilingState, draft: WaiverDraft) -> str:
    """The digest of the findings in the content judged last that the waiver means, as they are there; empty for none."""
    accepted = _accepted(installation, state, draft)
    return keep(installation, state.id, accepted) if accepted.height else ""


def _accepted(installation: Installation, state: FilingState, draft: WaiverDraft) -> pl.DataFrame:
    if state.content is None:
        return frame((), CELL)
    meant = [pl.col("rule") == draft.rule, pl.col("reason").is_null()]
    meant += [
        pl.col(column) == wanted
        for column, wanted in (("table", draft.table), ("key", draft.key))
        if wanted is not None
    ]
    return found_in(installation, state, state.content.fact).filter(*meant).select(*CELL)


def _problems(installation: Installation, state: FilingState, draft: WaiverDraft) -> list[BaosongError]:
    standard = installation.standard(state.opened.fact.standard)
    problems: list[BaosongError] = []
    if draft.rule not in {rule.id for rule in standard.rules}:
        problems.append(BadInput("waivers.unknown_rule", rule=draft.rule, standard=standard.name))
    if draft.table is not None and draft.table not in standard.tables:
        problems.append(BadInput("waivers.unknown_table", table=draft.table, standard=standard.name))
    if not draft.reason.strip():
        problems.append(BadInput("waivers.no_reason"))
    if not draft.sign_off.strip():
        problems.append(BadInput("waivers.no_sign_off"))
    earliest = max(state.date_to, installation.now().date())
    latest = earliest + _LONGEST
    if not earliest <= draft.expires <= latest:
        problems.append(BadInput("waivers.expires", expires=draft.expires, earliest=earliest, latest=latest))
    if draft.key is not None and not _is_key(draft.key):
        problems.append(BadInput("waivers.key", key=draft.key))
    return problems


def _is_key(text: str) -> bool:
    """Whether a key is written as findings write it; any other would cover nothing."""
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) == text
    except ValueError:
        return False
