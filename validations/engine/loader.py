"""Loading a standard from its folder: files found, read, turned into models, mistakes raised all at once.

One file's own form is held against its JSON Schema in `located`; what must fit between files in `cross_check`.
Nothing is judged here.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import BadInput
from validations.engine.cross_check import cross_check
from validations.engine.located import Located, Mistakes, read_text, read_yaml
from validations.engine.standard import (
    Code,
    CodeList,
    DueRule,
    Field,
    ForeignKey,
    Formula,
    PackageProfile,
    Reference,
    Report,
    Rule,
    Shape,
    Standard,
    SumEquals,
    Table,
    Term,
    Title,
    Unique,
)

STANDARDS = Path(__file__).parents[1] / "standards"
CODES_HEADER = ("code", "title_zh", "title_en")


@dataclass
class Drafts:
    """What the files say before it is known to fit together, with the place of each part."""

    standard: Located
    tables: dict[str, tuple[Table, Located]] = field(default_factory=dict[str, "tuple[Table, Located]"])
    rules: list[tuple[Rule, Located, int]] = field(default_factory=list["tuple[Rule, Located, int]"])
    codes: dict[str, CodeList] = field(default_factory=dict[str, CodeList])


def list_standards(folders: Sequence[Path] = (STANDARDS,)) -> list[str]:
    """Names of all standards in the folders, sorted."""
    return sorted({file.parent.name for folder in folders for file in folder.glob("*/standard.yaml")})


def load_standard(name: str, folders: Sequence[Path] = (STANDARDS,)) -> Standard:
    """The standard of that name from the first folder that has it.

    Raises BadInput "validations.standard_unknown", or "validations.standard_invalid" with all mistakes as `details`.
    """
    for folder in folders:
        if (folder / name / "standard.yaml").is_file():
            return load_folder(folder / name)
    raise BadInput(
        "validations.standard_unknown",
        name=name,
        known=", ".join(list_standards(folders)) or "–",
        folders=", ".join(str(folder) for folder in folders),
    )


def load_folder(path: Path) -> Standard:
    """The standard in this very folder. Raises BadInput as `load_standard`."""
    mistakes = Mistakes(path)
    drafts = Drafts(read_yaml(path / "standard.yaml", "standard", mistakes))
    for file in sorted((path / "codes").glob("*.csv")):
        drafts.codes[file.stem] = _codes(file, mistakes)
    for file in sorted((path / "tables").glob("*.yaml")):
        located = read_yaml(file, "table", mistakes)
        if located.data is not None:
            table = _table(located)
            drafts.tables[table.name] = (table, located)
    for file in sorted((path / "rules").glob("*.yaml")):
        located = read_yaml(file, "rules", mistakes)
        drafts.rules += [(_rule(item, file), located, i) for i, item in enumerate(located.data or ())]
    standard = _standard(drafts, path)
    if standard is not None and not mistakes.problems:
        cross_check(standard, drafts, mistakes)
    if standard is None or mistakes.problems:
        raise BadInput(
            "validations.standard_invalid",
            details=mistakes.problems,
            name=path.name,
            path=path,
            count=len(mistakes.problems),
        )
    return standard


def folder_digest(path: Path) -> str:
    """SHA-256 over the names and bytes of all files of a standard, sorted by relative path."""
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        relative = file.relative_to(path)
        if any(part.startswith((".", "__pycache__")) for part in relative.parts):
            continue
        content = file.read_bytes()
        name = relative.as_posix().encode()
        digest.update(b"%d:%b%d:" % (len(name), name, len(content)))
        digest.update(content)
    return digest.hexdigest()


def _title(data: Any) -> Title:
    return Title(data["zh"], data["en"])


def _standard(drafts: Drafts, path: Path) -> Standard | None:
    data = drafts.standard.data
    if data is None:
        return None
    return Standard(
        name=data["name"],
        title=_title(data["title"]),
        version=data["version"],
        effective=data["effective"],
        authority=_title(data["authority"]),
        status=data["status"],
        note=_title(data["note"]),
        reports=tuple(_report(report) for report in data["reports"]),
        tables={name: table for name, (table, _) in drafts.tables.items()},
        rules=tuple(rule for rule, _, _ in drafts.rules),
        packages={profile["name"]: PackageProfile(**profile) for profile in data["packages"]},
        codes=drafts.codes,
        groups={letters: _title(title) for letters, title in data.get("groups", {}).items()},
        macros=data.get("macros", {}),
        digest=folder_digest(path),
        path=path,
    )


def _report(data: Any) -> Report:
    return Report(
        name=data["name"],
        title=_title(data["title"]),
        rhythm=data["rhythm"],
        due=DueRule(**data["due"]),
        tables=tuple(data["tables"]),
        package=data["package"],
        date_kind=data.get("date_kind", "period"),
        months=tuple(data.get("months", ())),
    )


def _table(located: Located) -> Table:
    data = located.data
    derive = data.get("derive")
    return Table(
        name=data["name"],
        title=_title(data["title"]),
        key=tuple(data["key"]),
        fields=tuple(_field(item) for item in data["fields"]),
        organisation=data.get("organisation"),
        derive=located.path.parent / derive if derive else None,
    )


def _field(data: Any) -> Field:
    said: dict[str, Any] = {**data}
    for name in ("title", "description"):
        if name in said:
            said[name] = _title(said[name])
    return Field(**said)


def _rule(data: Any, file: Path) -> Rule:
    query = data.get("query")
    expected = data.get("expected")
    return Rule(
        id=data["id"],
        severity=data["severity"],
        judges=data["judges"],
        message=_title(data["message"]),
        citation=data["citation"],
        table=data.get("table"),
        field=data.get("field"),
        constraint=data.get("constraint"),
        holds=data.get("holds"),
        expected=None if expected is None else str(expected),
        query=file.parent / query if query else None,
        shape=_shape(data["shape"]) if "shape" in data else None,
        suppressed_by=tuple(data.get("suppressed_by", ())),
    )


def _shape(data: Any) -> Shape:
    ((kind, said),) = data.items()
    match kind:
        case "unique":
            return Unique() if said == "every_table" else Unique(said["table"], tuple(said["fields"]))
        case "foreign_key":
            return ForeignKey(
                tuple(
                    Reference(item["table"], tuple(item["fields"]), item["references"], tuple(item["to"]))
                    for item in said
                )
            )
        case "sum_equals":
            return SumEquals(
                said["table"], tuple(said["key"]), said["value"], said["of"], tuple(said["by"]), said["sum"]
            )
        case _:
            left, right = said["equation"].split("=")
            return Formula(**said, left=_terms(left), right=_terms(right))


def _terms(side: str) -> tuple[Term, ...]:
    signed = side.replace("-", "+-").split("+")
    return tuple(Term(t.strip().lstrip("-").strip(), -1 if t.strip().startswith("-") else 1) for t in signed)


def _codes(path: Path, mistakes: Mistakes) -> CodeList:
    text = read_text(path, mistakes)
    codes: list[Code] = []
    if text is not None:
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        try:
            header = next(reader, [])
            if tuple(header) != CODES_HEADER:
                expected, found = ",".join(CODES_HEADER), ",".join(header)
                mistakes.add("validations.codes_header", path, 1, expected=expected, found=found)
                return CodeList(path.stem, ())
            for cells in filter(None, reader):
                if len(cells) != len(CODES_HEADER) or not all(cells):
                    mistakes.add("validations.codes_cells", path, reader.line_num, expected=len(CODES_HEADER))
                elif any(code.code == cells[0] for code in codes):
                    mistakes.add("validations.codes_duplicate", path, reader.line_num, value=cells[0])
                else:
                    codes.append(Code(cells[0], Title(cells[1], cells[2])))
        except csv.Error as error:
            mistakes.add("validations.codes_unreadable", path, reader.line_num, reason=str(error))
    return CodeList(path.stem, tuple(codes))
