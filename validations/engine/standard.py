"""What a standard says, as frozen models: tables, fields, code lists, rules. Its reports are in `reports`.

The loader fills them from YAML, SQL and CSV; contract, rules, workbooks and packages read them. Nothing here reads
a file, runs SQL or knows what any regulator demands.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as part
from datetime import date
from pathlib import Path
from string import ascii_letters
from typing import Literal

from validations.engine.figures import Explanation, Indicator, Names
from validations.engine.reports import PackageProfile, Report
from validations.engine.shapes import Shape
from validations.engine.terms import ALWAYS, Effective, Title

FieldType = Literal["text", "integer", "decimal", "date"]
Severity = Literal["block", "explain", "note"]
Status = Literal["official", "reconstructed", "historical"]


@dataclass(frozen=True)
class Code:
    """One entry of a code list; a code may stand several times, in periods that do not overlap."""

    code: str
    title: Title
    effective: Effective = ALWAYS


@dataclass(frozen=True)
class CodeList:
    """A code list of the standard, `codes/<name>.csv`, in the order of the file."""

    name: str
    codes: tuple[Code, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The codes alone, each once."""
        return tuple(dict.fromkeys(code.code for code in self.codes))

    def in_force(self, first: date, last: date) -> tuple[str, ...]:
        """The codes in force on some day of a period."""
        return tuple(dict.fromkeys(c.code for c in self.codes if c.effective.touches(first, last)))


@dataclass(frozen=True)
class FieldCheck:
    """A registered check of a field, and the rows for which it must hold (an SQL predicate; None: all)."""

    name: str
    when: str | None = None


@dataclass(frozen=True)
class Field:
    """One column of a table.

    `length` is bytes in the package's encoding. `mandatory_when` limits `mandatory`, `when` limits `pattern`, to rows for
    which an SQL predicate holds. `as_of` names the date field on which a code must have been in force. With `separator`
    every part of the value is judged. `varies`: the column must not be constant.
    """

    name: str
    title: Title
    type: FieldType
    mandatory: bool = False
    mandatory_when: str | None = None
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    codes: str | None = None
    as_of: str | None = None
    checks: tuple[FieldCheck, ...] = ()
    pattern: str | None = None
    when: str | None = None
    separator: str | None = None
    varies: bool = False
    personal: bool = False
    assigned: bool = False
    description: Title | None = None


@dataclass(frozen=True)
class Table:
    """One table of the data dictionary. `derive`: the SQL that computes it, or the CSV that holds it, when it is not extracted.

    `explains`: how its figures open into others. `names`: what its code is called, wherever another table's key has the code.
    """

    name: str
    title: Title
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    organisation: str | None = None
    derive: Path | None = None
    effective: Effective = ALWAYS
    explains: tuple[Explanation, ...] = ()
    names: Names | None = None

    def explanation(self, field: str) -> Explanation | None:
        """How that field opens; None where the standard does not say."""
        return next((each for each in self.explains if each.field == field), None)

    def field(self, name: str) -> Field:
        """The field of that code. Raises KeyError."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name}.{name}")

    @property
    def stored_fields(self) -> tuple[Field, ...]:
        """The fields that rounds hold: all but those assigned when the package is made."""
        return tuple(field for field in self.fields if not field.assigned)

    @property
    def stored_key(self) -> tuple[str, ...]:
        """The key in the order of the dictionary, as findings name it."""
        return tuple(field.name for field in self.stored_fields if field.name in self.key)


@dataclass(frozen=True)
class RootCause:
    """A rule whose finding explains this rule's: of the same table and key or, with `on`, of equal key fields; with
    `fields`, on one of these fields alone."""

    rule: str
    on: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """One rule with one judge: `constraint`, `holds`, `query` or `shape`; none when the package is judged.

    `table` "*" means every due table that has the fields it names. `when` limits `holds` to rows. `digest` is SHA-256 over
    all that decides what the rule does, so a finding tells which wording of its rule found it.
    """

    id: str
    severity: Severity
    judges: Literal["content", "package"]
    message: Title
    citation: str
    digest: str = ""
    table: str | None = None
    field: str | None = None
    constraint: str | None = None
    when: str | None = None
    holds: str | None = None
    expected: str | None = None
    query: Path | None = None
    shape: Shape | None = None
    effective: Effective = ALWAYS
    suppressed_by: tuple[RootCause, ...] = ()

    @property
    def group(self) -> str:
        """The letters that its id begins with."""
        return self.id[: len(self.id) - len(self.id.lstrip(ascii_letters))]


@dataclass(frozen=True)
class Macro:
    """A named SQL expression of a standard, with the names of its arguments."""

    sql: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """A context parameter that a standard's rules may name beside the filing's own; `default` as text."""

    name: str
    title: Title
    type: FieldType
    default: str


@dataclass(frozen=True)
class Phase:
    """Groups of rules that are judged together; with `stops` a blocking finding keeps later phases from running."""

    groups: tuple[str, ...]
    stops: bool = False


@dataclass(frozen=True)
class Standard:
    """A loaded standard. `digest` is SHA-256 over all its files, so a changed comma is another standard.

    `groups` titles the groups of rules by the letters that their ids begin with. `missing_date` is the day by which the
    standard's tables say that there is no date; a mandatory field may not hold it.
    """

    name: str
    title: Title
    version: str
    effective: str
    authority: Title
    status: Status
    note: Title
    reports: tuple[Report, ...] = part(repr=False)
    tables: dict[str, Table] = part(repr=False)
    rules: tuple[Rule, ...] = part(repr=False)
    packages: dict[str, PackageProfile] = part(repr=False)
    codes: dict[str, CodeList] = part(repr=False)
    groups: dict[str, Title] = part(repr=False)
    macros: dict[str, Macro] = part(repr=False)
    parameters: dict[str, Parameter] = part(repr=False)
    phases: tuple[Phase, ...] = part(repr=False)
    digest: str
    path: Path
    missing_date: str | None = None
    indicators: tuple[Indicator, ...] = part(default=(), repr=False)

    def report(self, name: str) -> Report:
        """The report of that name. Raises KeyError."""
        for report in self.reports:
            if report.name == name:
                return report
        raise KeyError(f"{self.name}.{name}")

    def table(self, name: str) -> Table:
        """The table of that name. Raises KeyError."""
        return self.tables[name]

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id. Raises KeyError."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise KeyError(f"{self.name}.{rule_id}")

    def profile(self, table: str, report: str | None = None) -> PackageProfile:
        """How a table is sent: the profile of `report`, else that of the first report that has it."""
        for candidate in self.reports:
            if table in candidate.tables and report in (None, candidate.name):
                return self.packages[candidate.package]
        raise KeyError(f"{self.name}.{report or '*'}: {table}")
