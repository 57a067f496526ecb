"""What left the demand when its document was amended: it was not mended, it is no longer asked for."""

from __future__ import annotations

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import ContentValidated
from pipelines.stages.installation import Installation


def is_no_longer_demanded(
    installation: Installation, state: FilingState, content: ContentValidated
) -> pl.Expr:
    """Of a finding that this content lacks (`rule`, `table`, `organisation`): its table, its organisation or a table that its
    rule needs left the demand."""
    rules = [rule for rule, why in content.not_judged_why.items() if why == "demand"]
    return (
        ~pl.col("table").is_in(installation.tables(state))
        | pl.col("organisation").is_in(_left(installation, state)).fill_null(value=False)
        | pl.col("rule").is_in(rules)
    )


def is_unjudged(content: ContentValidated) -> pl.Expr:
    """Of a finding: its rule was due and could not be judged, so that the finding's absence says nothing."""
    why = content.not_judged_why
    return pl.col("rule").is_in([rule for rule in content.not_judged if why.get(rule) != "demand"])


def _left(installation: Installation, state: FilingState) -> list[str]:
    """The organisations that an earlier demand named, or that lie below one, and that the present demand does not hold."""
    now, former = set(state.organisations), state.left_organisations
    known = {each.code: each.parent for each in installation.deployment.organisations}

    def has_left(code: str | None) -> bool:
        while code is not None and code not in now:
            if code in former:
                return True
            code = known.get(code)
        return False

    return [code for code in {*known, *former} if has_left(code)]
