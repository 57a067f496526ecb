"""A filing whose events are made by hand, with the files that they name: what the register reads, without any core.

Only what the register looks at is true of these events; what a life may be is `plain_findings`' matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from pipelines.ledger import filing_events as e
from pipelines.ledger.filing import FilingState, Recorded, after
from pipelines.stages.bulk_facts import ANSWERS, DECIDED, PROBLEMS, REVIEWED, frame, keep
from pipelines.stages.installation import Installation
from validations.engine import FINDINGS_SCHEMA

START = datetime(2026, 5, 6, 1, tzinfo=UTC)
FOUND = pl.DataFrame(schema=pl.from_arrow(FINDINGS_SCHEMA.empty_table()).schema).schema  # type: ignore[union-attr]


class FilingByHand:
    """One filing of a standard; every event comes a minute after the one before."""

    def __init__(self, installation: Installation, standard: str, report: str, name: str) -> None:
        self.installation = installation
        opened = e.FilingOpened(
            standard=standard, report=report, key=name, authority="—", date_from=date(2026, 1, 1),
            date_to=date(2026, 3, 31), organisations=("440000",), deadline=date(2026, 5, 15),
            planned_on=date(2026, 5, 15), opened_by="request", basis=name,
        )  # fmt: skip
        filing = f"{standard}.{report}.{name}"
        self.state = FilingState(filing, Recorded(1, "hand", START, "", opened), seq=1)

    @property
    def next_at(self) -> datetime:
        """The moment of the event to come."""
        return START + timedelta(minutes=self.state.seq)

    def judge(
        self, found: pl.DataFrame, round_: int, rules: Iterable[str], not_judged: Iterable[str] = (),
        content: str | None = None,
    ) -> str:  # fmt: skip
        """A content was judged; returns its digest, one of its own unless given."""
        content = content or hashlib.sha256(f"{self.state.id} {self.state.seq}".encode()).hexdigest()
        path = self.installation.folder("contents", self.state.id) / content / "findings.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        found.write_parquet(path)
        counts = dict.fromkeys(rules, 0)
        fact = e.ContentValidated(
            content=content, round=round_, standard_version="—", standard_digest="—",
            findings=hashlib.sha256(path.read_bytes()).hexdigest(), rows=0, counts=counts, block=0, explain=0,
            note=0, overlays=0, not_judged=dict.fromkeys(not_judged, "—"),
        )  # fmt: skip
        self._record(fact)
        return content

    def review(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._record(
            e.FindingsReviewed(
                content="—",
                decisions=self._keep(rows, REVIEWED),
                confirmed=0,
                dismissed=0,
                assigned=0,
                held=(),
            )
        )

    def dispatch(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._record(
            e.FindingsDispatched(
                round=1, content="—", department="—", sign_off="—", answer_by=date(2026, 5, 8),
                problems=self._keep(rows, PROBLEMS), workbooks=(), held=(),
            )
        )  # fmt: skip

    def answer(self, user: str, rows: Iterable[Mapping[str, Any]], round_: int) -> None:
        self._record(
            e.AnswersReceived(
                round=round_, content="—", organisation="—", department="—", workbook="—",
                answers=self._keep(rows, ANSWERS), handlings={}, returned=0, annotated="", held=(),
            ),
            actor=user,
        )  # fmt: skip

    def decide(self, rows: Iterable[Mapping[str, Any]], round_: int) -> None:
        decided = list(rows)
        asked = [row for row in decided if row["decision"] == "send_back"]
        self._record(
            e.AnswersReviewed(
                round=round_, content="—", department="—", decisions=self._keep(decided, DECIDED), accepted={},
                sent_back=len(asked), answer_by=date(2026, 5, 8),
                problems=self._keep(asked, PROBLEMS) if asked else "", workbooks=(), held=(),
            )
        )  # fmt: skip

    def _keep(self, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, Any]) -> str:
        path = self.installation.folder("facts", self.state.id)
        path.mkdir(parents=True, exist_ok=True)
        picked = ({name: row.get(name) for name in columns} for row in rows)
        return keep(self.installation, self.state.id, frame(picked, columns))

    def _record(self, fact: e.FilingEvent, *, actor: str = "hand") -> None:
        self.state = after(self.state, fact, actor=actor, at=self.next_at)


def found_rows(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows of a findings file; what is not named is NULL."""
    return frame(({name: row.get(name) for name in FOUND} for row in rows), FOUND)
