"""Loading a standard from its folder: files found, read, turned into models, mistakes raised all at once.

One file's own form is held against its JSON Schema in `located`; what must fit between files in `cross_check`.
Nothing is judged here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipelines.errors import BadInput
from validations.engine.code_lists import read_codes
from validations.engine.constraints import constraint_fields
from validations.engine.cross_check import cross_check, neighbours
from validations.engine.located import Located, Mistakes, read_yaml
from validations.engine.parse import (
    parse_indicators,
    parse_macros,
    parse_parameters,
    parse_phases,
    parse_report,
    parse_rule,
    parse_table,
    parse_title,
)
from validations.engine.reports import PackageProfile
from validations.engine.scope import tables_of
from validations.engine.standard import CodeList, Rule, Standard, Table

STANDARDS = Path(__file__).parents[1] / "standards"


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


def load_standard(name: str, folders: Sequence[Path] = (STANDARDS,), *, alone: bool = False) -> Standard:
    """The standard of that name from the first folder that has it; its queries may read the others of all folders.

    `alone`: those others are not at hand, as in evidence, and what queries say of them is not checked. Raises BadInput
    "validations.standard_unknown", or "validations.standard_invalid" with all mistakes as `details`.
    """
    for folder in folders:
        if (folder / name / "standard.yaml").is_file():
            return load_folder(folder / name, folders, alone=alone)
    raise BadInput(
        "validations.standard_unknown",
        name=name,
        known=", ".join(list_standards(folders)) or "–",
        folders=", ".join(str(folder) for folder in folders),
    )


def load_folder(path: Path, folders: Sequence[Path] = (), *, alone: bool = False) -> Standard:
    """The standard in this very folder; others beside it or in `folders`. Raises BadInput as `load_standard`.

    A process loads it once, and again only when a byte of it, or of a dictionary that its queries may read, has changed.
    """
    beside = () if alone else (path.parent, *folders)
    files = {*path.rglob("*"), *(file for folder in beside for file in folder.glob("*/tables/*.yaml"))}
    content = tuple((file, _bytes_digest(file)) for file in sorted(files) if file.is_file())
    return _loaded(path, tuple(folders), alone, content)


def _bytes_digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        return str(error)  # a mistake, if it is to be read


@lru_cache(maxsize=16)
def _loaded(
    path: Path, folders: tuple[Path, ...], alone: bool, _content: tuple[tuple[Path, str], ...]
) -> Standard:
    mistakes = Mistakes(path)
    drafts = Drafts(read_yaml(path / "standard.yaml", "standard", mistakes))
    for file in sorted((path / "codes").glob("*.csv")):
        drafts.codes[file.stem] = read_codes(file, mistakes)
    for file in sorted((path / "tables").glob("*.yaml")):
        located = read_yaml(file, "table", mistakes)
        if located.data is not None:
            table = parse_table(located.data, file.parent)
            drafts.tables[table.name] = (table, located)
    for file in sorted((path / "rules").glob("*.yaml")):
        located = read_yaml(file, "rules", mistakes)
        drafts.rules += [
            (parse_rule(item, file.parent), located, i) for i, item in enumerate(located.data or ())
        ]
    standard = _standard(drafts, path)
    if standard is not None and not mistakes.problems:
        others = None if alone else neighbours(standard, (path.parent, *folders))
        cross_check(standard, drafts, mistakes, others)
    if standard is None or mistakes.problems:
        raise BadInput(
            "validations.standard_invalid",
            details=mistakes.problems,
            name=path.name,
            path=path,
            count=len(mistakes.problems),
        )
    return replace(standard, rules=tuple(_digested(standard, drafts)))


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


def _standard(drafts: Drafts, path: Path) -> Standard | None:
    data = drafts.standard.data
    if data is None:
        return None
    return Standard(
        name=data["name"],
        title=parse_title(data["title"]),
        version=data["version"],
        effective=data["effective"],
        authority=parse_title(data["authority"]),
        status=data["status"],
        note=parse_title(data["note"]),
        reports=tuple(parse_report(report) for report in data["reports"]),
        tables={name: table for name, (table, _) in drafts.tables.items()},
        rules=tuple(rule for rule, _, _ in drafts.rules),
        packages={profile["name"]: PackageProfile(**profile) for profile in data["packages"]},
        codes=drafts.codes,
        groups={letters: parse_title(title) for letters, title in data.get("groups", {}).items()},
        macros=parse_macros(data.get("macros", {})),
        parameters=parse_parameters(data.get("parameters", {})),
        phases=parse_phases(data.get("phases", ())),
        digest=folder_digest(path),
        path=path,
        missing_date=data.get("missing_date"),
        indicators=parse_indicators(data.get("indicators", ())),
    )


def _digested(standard: Standard, drafts: Drafts) -> list[Rule]:
    """The rules with their digests: of all words that decide what they find, in the rule, the dictionary and the standard."""
    declared = {**drafts.standard.data.get("macros", {}), **drafts.standard.data.get("parameters", {})}
    entries = {name: _entries(codes) for name, codes in drafts.codes.items()}
    rules: list[Rule] = []
    for rule, located, index in drafts.rules:
        query = rule.query.read_text(encoding="utf-8") if rule.query else None
        said: list[Any] = [located.data[index], query]
        codes: list[Any] = []
        for name, (table, dictionary) in drafts.tables.items() if rule.constraint else ():
            judged = constraint_fields(standard, table, rule)
            fields = [item for item in dictionary.data["fields"] if item["name"] in judged]
            said.append([name, fields])
            codes += [entries[field["codes"]] for field in fields if "codes" in field]
        if rule.constraint:
            said += [drafts.standard.data.get(key) for key in ("packages", "missing_date")]
        for name in tables_of(standard, rule) if rule.shape else ():
            dictionary = drafts.tables[name][1].data
            differing = [f for f in dictionary["fields"] if f.get("varies") or f.get("assigned")]
            said.append([name, dictionary["key"], differing])
        named = _named(declared, json.dumps(said, ensure_ascii=False))
        text = json.dumps([said, codes, named], ensure_ascii=False, sort_keys=True)
        rules.append(replace(rule, digest=hashlib.sha256(text.encode()).hexdigest()))
    return rules


def _named(declared: Mapping[str, Any], text: str) -> dict[str, Any]:
    """The macros and parameters that a text names, and those that these name in turn."""
    named: dict[str, Any] = {}
    while more := {
        name: value
        for name, value in declared.items()
        if name not in named and re.search(rf"\b{name}\b", text)
    }:
        named |= more
        text = json.dumps(more, ensure_ascii=False)
    return named


def _entries(codes: CodeList) -> list[list[str]]:
    return [[c.code, str(c.effective.start), str(c.effective.end)] for c in codes.codes]
