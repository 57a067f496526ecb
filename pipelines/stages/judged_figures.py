"""The figures of the content judged last, with those of the period before and of the year before, opened together.

Everything is verified before it is read: the round against its manifest, the content against its digest. What a figure is
made of is `explain`'s matter, which ones matter most `key_indicators`'.
"""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipelines.errors import Refused, text
from pipelines.ledger.filing import FilingState
from pipelines.stages.baseline import a_year_earlier, last_years_content, previous_content
from pipelines.stages.content import parameters_of
from pipelines.stages.installation import Installation
from pipelines.stages.stored_content import StoredContent, stored_content, verified_tables
from validations.engine import Standard
from validations.engine.explaining import Figures, open_figures
from validations.engine.standard import Table


@dataclass(frozen=True)
class Earlier:
    """A value of another content: None with the reason why there is none. `date_to`: when that period ended, if there is one."""

    value: Decimal | None
    reason: str = ""
    date_to: date | None = None


@dataclass(frozen=True)
class Before:
    """The figures of an earlier content; None with the reason why nothing can be asked."""

    figures: Figures | None
    reason: str = ""
    date_to: date | None = None

    def value(self, table: Table, field: str, cell: str | None) -> Earlier:
        """What a cell held then."""
        if self.figures is None:
            return Earlier(None, self.reason)
        if table.name not in self.figures.tables:
            return Earlier(None, text("explain.none.table", table=table.name), self.date_to)
        found = self.figures.values(table, field, [cell]) if cell is not None else {}
        if cell is None or cell not in found:
            return Earlier(None, text("explain.none.cell", table=table.name), self.date_to)
        value = found[cell].value
        return Earlier(value, "" if value is not None else text("explain.none.empty"), self.date_to)


@dataclass(frozen=True)
class JudgedFigures:
    """What is asked: the content judged last and its figures; those of its round where a correction was laid over them."""

    state: FilingState
    standard: Standard
    content: StoredContent
    figures: Figures
    extracted: Figures
    last_period: Before
    last_year: Before

    @property
    def is_overlaid(self) -> bool:
        """Whether any value of this content is not the round's."""
        return bool(self.content.parts["overlays"])


@contextmanager
def open_judged(
    installation: Installation, state: FilingState, tables: Collection[str] | None = None
) -> Generator[JudgedFigures]:
    """The figures of the content judged last, `tables` only (None: all).

    Raises Refused before anything was judged, Tampered when a round or a content is not what the ledger recorded.
    """
    if state.content is None:
        raise Refused("explain.not_judged", filing=state.id)
    judged = state.content.fact
    standard = installation.standard(state.opened.fact.standard)
    manifest = next(r.fact.manifest for r in state.rounds if r.fact.round == judged.round)
    installation.rounds.verify(state.id, judged.round, digest=manifest)
    content = stored_content(installation, state, judged.content)
    own = verified_tables(content, standard, tables)
    spill = installation.folder("contents", state.id) / judged.content
    parameters = parameters_of(state)
    overlaid = {overlay[0] for overlay in content.parts["overlays"]}
    rounds = installation.rounds.tables(state.id, judged.round)
    with ExitStack() as stack:

        def opened(paths: dict[str, Path]) -> Figures:
            return stack.enter_context(open_figures(standard, paths, parameters=parameters, spill=spill))

        def before(found: StoredContent | None, reason: str) -> Before:
            if found is None:
                return Before(None, reason)
            return Before(opened(verified_tables(found, standard, tables)), date_to=found.date_to)

        yield JudgedFigures(
            state,
            standard,
            content,
            opened(own),
            opened({name: rounds[name] for name in own if name in overlaid}),
            before(previous_content(installation, state), _no_last_period(state)),
            before(
                last_years_content(installation, state),
                text(
                    "explain.none.year",
                    report=state.opened.fact.report,
                    date_to=a_year_earlier(state.date_to),
                ),
            ),
        )


def _no_last_period(state: FilingState) -> str:
    declared = state.baseline.fact if state.baseline else None
    if declared is not None and declared.digest is None:
        return text("explain.none.first", reason=declared.reason)
    return text("explain.none.filing")
