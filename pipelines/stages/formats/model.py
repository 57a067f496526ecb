"""What a package is made for, what it consists of, and what an inspection finds. No bytes here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.errors import BadInput


@dataclass(frozen=True)
class PackageContext:
    """For what a package is made; all that its names and headers say beside the data.

    `key` is the last part of the filing's id; `stamp` the day in file names and running numbers.
    """

    filing: str
    version: int
    content: str
    corporation: str
    date_from: date
    date_to: date
    key: str
    stamp: date


@dataclass(frozen=True)
class PackedFile:
    """One file of a package, `is_sent` itself or inside the one that is; rows are data rows or items."""

    name: str
    size: int
    sha256: str
    rows: int
    table: str | None = None
    organisation: str | None = None
    is_sent: bool = False


class PackageFinding(BadInput):
    """A package rule broken by a file that was written. `rule` is of the standard (A03, A06, R12); line 0: whole file."""

    def __init__(self, code: str, /, *, rule: str, file: str, line: int = 0, **values: str | int) -> None:
        super().__init__(code, details=(), rule=rule, file=file, line=line, **values)
        self.rule = rule
        self.file = file
        self.line = line

    @property
    def message(self) -> str:
        """The finding in words, in the language of this process."""
        return str(self)
