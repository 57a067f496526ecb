"""What answers would do to the content, before anybody accepts them: laid over it, derived, judged by the rules concerned.

Nothing is recorded and nothing kept. Taking or returning the answers is `correct`'s work.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.errors import LANGUAGE, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.baseline import references
from pipelines.stages.content import corrected_tables, parameters_of
from pipelines.stages.handlings import Handled, accepted_handlings
from pipelines.stages.installation import Installation
from pipelines.stages.leftovers import clear_leftovers, draft_name
from pipelines.stages.masking import masked_finding
from pipelines.stages.register import found_in
from pipelines.stages.waivers import engine_waivers
from validations.engine import judge
from validations.engine.plan import rules_reading


@dataclass(frozen=True)
class _Try:
    """What a trial found, beside what stands in the content judged last."""

    present: frozenset[str]
    new: pl.DataFrame


def breaking(
    installation: Installation,
    state: FilingState,
    corrections: Sequence[Handled],
    beside: Sequence[Handled],
    *,
    is_masked: bool = False,
) -> dict[str, str]:
    """Why each of these report corrections cannot stand, by finding: it still breaks its rule, or it breaks another.

    `beside` are corrections that others answered already and nobody has decided yet. What breaks a total is laid at all
    corrections of the tables that the total is made of. `is_masked`: personal data is not told.
    """
    if not corrections:
        return {}
    tried = _try(
        installation, state, [*accepted_handlings(installation, state).values(), *beside, *corrections]
    )
    remarks: dict[str, list[str]] = {}
    standard = installation.standard(state.opened.fact.standard)
    messages = {rule.id: getattr(rule.message, LANGUAGE.get()) for rule in standard.rules}
    for correction in corrections:
        if correction.finding in tried.present:
            why = text("trial.still", rule=correction.rule, message=messages[correction.rule])
            remarks.setdefault(correction.finding, []).append(why)
    cells = {(c.table, c.key): c for c in corrections}
    for row in tried.new.iter_rows(named=True):
        own = cells.get((row["table"], row["key"]))
        reading = [c for c in corrections if row["rule"] in rules_reading(standard, {c.table})]
        shown = masked_finding(standard, row) if is_masked else row
        here = {c.organisation for c in ([own] if own else reading)}
        if (
            not own and row["organisation"] not in here
        ):  # another's row: which, and with what figures, is not theirs to read
            why = text(
                "trial.breaks_elsewhere", rule=row["rule"], message=messages[row["rule"]], table=row["table"]
            )
            for correction in reading:
                remarks.setdefault(correction.finding, []).append(why)
            continue
        why = text(
            "trial.breaks", rule=row["rule"], message=messages[row["rule"]], table=row["table"], key=shown["key"],
            expected=shown["expected"] or "—",
        )  # fmt: skip
        for correction in [own] if own else reading:
            remarks.setdefault(correction.finding, []).append(why)
    return {finding: "\n".join(dict.fromkeys(whys)) for finding, whys in remarks.items()}


def _try(installation: Installation, state: FilingState, handlings: Sequence[Handled]) -> _Try:
    assert state.content is not None, "answers are to a judged content"
    opened, judged = state.opened.fact, state.content.fact
    standard = installation.standard(opened.standard)
    changed = {each.table for each in handlings if each.handling == "report_correction"}
    rules = rules_reading(standard, changed) & set(judged.counts)
    root = installation.folder("trials", state.id)
    root.mkdir(parents=True, exist_ok=True)
    clear_leftovers(root)
    folder = Path(tempfile.mkdtemp(prefix=draft_name(""), dir=root))
    try:
        source = installation.rounds.path(state.id, judged.round)
        demanded = installation.tables(state)
        tables, _, _ = corrected_tables(standard, demanded, source, handlings, parameters_of(state), folder)
        compared = references(installation, state, standard)
        found = judge(
            standard,
            tables,
            report=opened.report,
            parameters={**parameters_of(state), **compared.parameters},
            findings=folder / "findings.parquet",
            references=compared.tables,
            rules=rules,
            waivers=engine_waivers(installation, state),
            nil_returns=state.nil_returns,
        ).findings
        trial = pl.read_parquet(found).filter(pl.col("severity") != "note", pl.col("waiver").is_null())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    before = found_in(installation, state, judged).select("finding")
    return _Try(frozenset(trial["finding"]), trial.join(before, on="finding", how="anti"))
