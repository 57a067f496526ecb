"""What the regulator's document (红头文件) demands, as its receiver writes it down, and everything that may be wrong with it.

Nothing is recorded here: `request.py` registers, `request_amend.py` changes what was registered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.errors import BadInput, BaosongError, text
from pipelines.ledger.request import RequestState, is_key, request_key
from pipelines.stages.documents import document_problems
from pipelines.stages.installation import Installation
from validations.engine import Report
from validations.engine.parameters import require_in_force

LONGEST_TEXT = 200
RESERVED_KEY = "new"
"""No request goes by this: the page that registers one does."""


@dataclass(frozen=True)
class RequestDraft:
    """What is demanded. Dates inclusive; `annexes` are further scans beside the document itself.

    `key` names the filing (default: made of the number); `dated` is the document's own date. `tables` empty: all of the
    report. `nil_returns`: tables that are rightly empty, with the reason.
    """

    number: str
    standard: str
    report: str
    authority: str
    date_from: date
    date_to: date
    organisations: tuple[str, ...]
    deadline: date
    document: Path
    key: str | None = None
    annexes: tuple[Path, ...] = ()
    dated: date | None = None
    tables: tuple[str, ...] = ()
    nil_returns: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def filing(self) -> str:
        return f"{self.standard}.{self.report}.{self.key or request_key(self.number)}"

    @property
    def documents(self) -> tuple[Path, ...]:
        return (self.document, *self.annexes)


def request_folder(installation: Installation, number: str) -> Path:
    """Where the documents of a request are kept."""
    return installation.home / "requests" / request_key(number)


def in_report_order(
    installation: Installation, standard: str, report: str, tables: Sequence[str]
) -> tuple[str, ...]:
    """Demanded tables, each once, as the report lists them."""
    wanted = set(tables)
    return tuple(name for name in installation.standard(standard).report(report).tables if name in wanted)


def draft_problems(installation: Installation, draft: RequestDraft) -> list[BaosongError]:
    """Everything wrong with a draft at once."""
    return [
        *_number_problems(draft),
        *demand_problems(installation, draft),
        *_day_problems(installation, draft),
        *document_problems(draft.documents),
        *_filing_problems(installation, draft),
    ]


def demand_problems(installation: Installation, draft: RequestDraft) -> Iterator[BaosongError]:
    """What is wrong with the demand itself: report, period, deadline's year, scope, tables."""
    report: Report | None = None
    try:
        standard = installation.standard(draft.standard)
        report = standard.report(draft.report)
        require_in_force(standard, draft.date_to)
        installation.filing_config(draft.standard)
    except KeyError:
        yield BadInput("request.unknown_report", standard=draft.standard, report=draft.report)
    except BaosongError as error:
        yield error
    if not is_plain(draft.authority):
        yield BadInput("request.text", what="authority", longest=LONGEST_TEXT)
    if draft.date_from > draft.date_to:
        yield BadInput("request.dates", date_from=draft.date_from, date_to=draft.date_to)
    if not installation.calendar.knows(draft.deadline):
        yield BadInput("request.deadline_year", deadline=draft.deadline, year=draft.deadline.year)
    known = {o.code for o in installation.deployment.organisations}
    unknown = [code for code in draft.organisations if code not in known]
    if unknown or not draft.organisations:
        yield BadInput("request.organisations", unknown=", ".join(unknown) or "—")
    if report is not None:
        yield from _table_problems(report, draft)


def _table_problems(report: Report, draft: RequestDraft) -> Iterator[BaosongError]:
    if report.rhythm not in ("on_request", "annual"):
        yield BadInput("request.calendar_report", report=draft.report)
    if unknown := [name for name in draft.tables if name not in report.tables]:
        yield BadInput(
            "request.tables", tables=", ".join(unknown), report=draft.report, known=", ".join(report.tables)
        )
    due = draft.tables or report.tables
    for name, reason in draft.nil_returns.items():
        if name not in due:
            yield BadInput("request.nil_return_table", table=name, filing=draft.filing)
        if not reason.strip():
            yield BadInput("request.no_reason", what=name)


def _number_problems(draft: RequestDraft) -> Iterator[BaosongError]:
    if not is_plain(draft.number):
        yield BadInput("request.number", number=ascii(draft.number), longest=LONGEST_TEXT)
    if request_key(draft.number) == RESERVED_KEY:
        yield BadInput("request.number_taken", number=draft.number)
    if draft.key is not None and not is_key(draft.key):
        yield BadInput("request.key", key=ascii(draft.key))


def _day_problems(installation: Installation, draft: RequestDraft) -> Iterator[BaosongError]:
    today = installation.now().date()
    if draft.deadline < today:
        yield BadInput("request.deadline", deadline=draft.deadline)
    if draft.dated is not None and draft.dated > today:
        yield BadInput("request.dated", dated=draft.dated)


def _filing_problems(installation: Installation, draft: RequestDraft) -> Iterator[BaosongError]:
    """One filing is opened by one document, whether it was opened yet or only asked for."""
    if any(
        state.id == draft.filing and state.opened.fact.basis != draft.number
        for state in installation.states(draft.standard)
    ) or any(
        request.latest.fact.filing == draft.filing
        and request.number != draft.number
        and not request.is_closed
        for request in installation.requests()
    ):
        yield BadInput("request.filing_exists", filing=draft.filing)


def is_plain(text: str) -> bool:
    """Whether a text is a line that can be printed as it stands: no control characters, no blank edges, not too long."""
    return bool(text) and text.isprintable() and text == text.strip() and len(text) <= LONGEST_TEXT


def stage_word(request: RequestState) -> str:
    """How far a request is, in a word of the reader's language."""
    return text(f"cli.request_stage.{request.stage}")
