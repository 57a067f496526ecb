"""The dictionary and the rule catalogue of a standard as static pages: Chinese in the folder itself, English in `en/`.

Templates say how a page looks, `catalogue` who has to do with whom, `versions` what changed. Pages need no server, no
network and no script; only searching as one types is done by a script within the search page.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipelines.errors import LANGUAGE, Language, text
from validations.engine.showing import show_sql
from validations.engine.standard import Rule, Standard
from validations.kit.catalogue import Catalogue, catalogue
from validations.kit.examples import Suite
from validations.kit.says import changes_said, found_said
from validations.kit.versions import KINDS, Difference, as_words

TEMPLATES = Path(__file__).parent / "templates"
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True)
class Page:
    """One page: its address within a language's folder, its template and what that needs."""

    path: str
    template: str
    values: dict[str, Any]


def write_pages(
    standard: Standard,
    out: Path,
    *,
    suite: Suite | None = None,
    older: Standard | None = None,
    differences: tuple[Difference, ...] = (),
) -> int:
    """Write all pages into `out`; their number. `suite`: examples to show; `older`: what `differences` compare with."""
    environment = _environment()
    relations = catalogue(standard)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(TEMPLATES / "style.css", out / "style.css")
    written = 0
    for language in _LANGUAGES:
        token = LANGUAGE.set(language)
        try:
            for page in _pages(relations, suite, older, differences):
                _write(environment, page, relations, language, out)
                written += 1
        finally:
            LANGUAGE.reset(token)
    return written


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["said"] = lambda title: getattr(title, LANGUAGE.get())
    environment.filters["address"] = lambda name: quote(str(name))
    environment.filters["words"] = as_words
    return environment


def _label(code: str, **values: object) -> str:
    return text(f"kit.docs.{code}", **values)


def _write(environment: Environment, page: Page, relations: Catalogue, language: Language, out: Path) -> None:
    up = "../" * page.path.count("/")
    here = out if language == "zh" else out / "en"
    other = f"{up}en/{page.path}" if language == "zh" else f"{up}../{page.path}"
    path = here / page.path
    path.parent.mkdir(parents=True, exist_ok=True)
    html = environment.get_template(page.template).render(
        t=_label,
        standard=relations.standard,
        relations=relations,
        language=language,
        root=up,
        style=f"{up}style.css" if language == "zh" else f"{up}../style.css",
        other=quote(other),
        path=page.path,
        **page.values,
    )
    path.write_text(html, encoding="utf-8")


def _pages(
    relations: Catalogue, suite: Suite | None, older: Standard | None, differences: tuple[Difference, ...]
) -> Iterator[Page]:
    standard = relations.standard
    shared = {"older": older}
    yield Page("index.html", "overview.html", {**shared, **_counts(standard, suite)})
    yield Page("tables.html", "tables.html", shared)
    yield Page("rules.html", "rules.html", {**shared, "groups": rule_groups(standard)})
    yield Page("codes.html", "code_lists.html", shared)
    yield Page("search.html", "search.html", {**shared, **_search(standard)})
    for table in standard.tables.values():
        derive = table.derive.read_text(encoding="utf-8").strip() if table.derive is not None else None
        yield Page(f"tables/{table.name}.html", "table.html", {**shared, "table": table, "derive": derive})
    for rule in standard.rules:
        yield Page(f"rules/{rule.id}.html", "rule.html", {**shared, **rule_facts(relations, rule, suite)})
    for codes in standard.codes.values():
        yield Page(f"codes/{codes.name}.html", "codes.html", {**shared, "codes": codes})
    if older is not None:
        groups = [(kind, [d for d in differences if d.kind == kind]) for kind in KINDS]
        said = [(kind, found) for kind, found in groups if found]
        yield Page("changes.html", "changes.html", {**shared, "differences": said, "count": len(differences)})


def _counts(standard: Standard, suite: Suite | None) -> dict[str, Any]:
    severities = {
        name: sum(rule.severity == name for rule in standard.rules) for name in ("block", "explain", "note")
    }
    return {
        "fields": sum(len(table.fields) for table in standard.tables.values()),
        "severities": severities,
        "codes_count": sum(len(codes.codes) for codes in standard.codes.values()),
        "examples": len(suite.examples) + len(suite.derived) if suite else None,
        "groups": rule_groups(standard),
    }


def rule_groups(standard: Standard) -> list[tuple[str, Any, list[Rule]]]:
    """The rules by the letters that their ids begin with."""
    found: dict[str, list[Rule]] = {}
    for rule in standard.rules:
        found.setdefault(rule.group, []).append(rule)
    return [(letters, standard.groups.get(letters), rules) for letters, rules in found.items()]


def rule_facts(relations: Catalogue, rule: Rule, suite: Suite | None) -> dict[str, Any]:
    """What a page of a rule tells beside the rule itself: its tables, its query, the macros in it, its SQL, its examples."""
    standard = relations.standard
    examples = [
        {
            "name": example.name,
            "fails": example.fails,
            "place": str(example.place),
            "changes": changes_said(example),
            "finds": [found_said(found) for found in example.finds],
        }
        for example in (suite.of(rule.id) if suite else ())
    ]
    return {
        "rule": rule,
        "tables": [name for name, rules in relations.of_table.items() if rule in rules],
        "query": rule.query.read_text(encoding="utf-8").strip() if rule.query is not None else None,
        "macros": [(name, standard.macros[name]) for name in relations.macros(rule)],
        "sql": show_sql(standard, rule.id) if rule.judges == "content" and rule.query is None else "",
        "examples": examples,
        "suppresses": relations.suppresses.get(rule.id, ()),
    }


def _search(standard: Standard) -> dict[str, Any]:
    """What can be found, as [kind, name, title, address, words], for people and for the search page's script."""
    said: Callable[[Any], str] = lambda title: getattr(title, LANGUAGE.get())  # noqa: E731
    entries: list[list[str]] = []
    for table in standard.tables.values():
        address = f"tables/{quote(table.name)}.html"
        entries.append(["table", table.name, said(table.title), address, as_words(table.title)])
        for field in table.fields:
            words = as_words(field.title) + (f" {as_words(field.description)}" if field.description else "")
            name = f"{table.name}.{field.name}"
            entries.append(["field", name, said(field.title), f"{address}#{quote(field.name)}", words])
    for rule in standard.rules:
        words = " ".join(
            [as_words(rule.message), rule.citation, rule.holds or "", rule.table or "", rule.field or ""]
        )
        entries.append(["rule", rule.id, said(rule.message), f"rules/{quote(rule.id)}.html", words])
    for codes in standard.codes.values():
        address = f"codes/{quote(codes.name)}.html"
        entries.append(["codes", codes.name, "", address, ""])
        entries += [
            [
                "code",
                f"{codes.name} {code.code}",
                said(code.title),
                f"{address}#{quote(code.code)}",
                as_words(code.title),
            ]
            for code in codes.codes
        ]
    data = json.dumps(entries, ensure_ascii=False).replace("<", "\\u003c")
    script = (TEMPLATES / "search.mjs").read_text(encoding="utf-8")
    return {"entries": Markup(data), "script": Markup(script)}  # noqa: S704  # no "<" is left in the data; the script is ours
