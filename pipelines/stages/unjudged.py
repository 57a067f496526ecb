"""Rules that left the content judged last unjudged, and why: what keeps a filing from its sign-off, and what signers are told.

What a filing is compared with is `baseline`'s matter.
"""

from __future__ import annotations

from pipelines.errors import BaosongError, Refused
from pipelines.ledger.filing import FilingState
from validations.engine import NotJudged


def unjudged(state: FilingState) -> tuple[NotJudged, ...]:
    """The rules in the order of the event. Where an early event does not say why, what was missing tells: a reference has a
    namespace, and a filing's tables were never missing."""
    if state.content is None:
        return ()
    fact = state.content.fact
    return tuple(
        NotJudged(rule, fact.not_judged_why.get(rule, "reference" if "." in missing else "phase"), missing)
        for rule, missing in fact.not_judged.items()
    )


def lacking(state: FilingState, namespace: str) -> tuple[str, ...]:
    """The rules that had no content of this namespace to compare with."""
    return tuple(each.rule for each in unjudged(state) if namespace in each.namespaces)


def unjudged_gates(state: FilingState, *, is_blocked: bool) -> list[BaosongError]:
    """Why this content may not be signed: a table that lacks, a phase that was not reached, unless `is_blocked` says so
    already. A reference that does not exist closes no gate (the previous content's has its own): signers are told."""
    closed: list[BaosongError] = []
    for why, code in (("table", "sign_off.table_missing"), ("phase", "sign_off.phase_stopped")):
        left_out = [each for each in unjudged(state) if each.why == why]
        if left_out and not (why == "phase" and is_blocked):
            rules = ", ".join(each.rule for each in left_out)
            missing = ", ".join(dict.fromkeys(n for each in left_out for n in each.missing.split(", ")))
            closed.append(Refused(code, filing=state.id, rules=rules, missing=missing))
    return closed
