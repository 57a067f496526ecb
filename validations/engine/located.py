"""Reading a standard's files with the line of every value, and the list of what is wrong with them.

YAML becomes values with their lines and is held against its JSON Schema here; what they mean together is the
loader's matter. Mistakes are collected, never raised, so that an author sees all of them at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from pipelines.errors import BadInput, BaosongError

Place = tuple[str | int, ...]

_LIBYAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCHEMAS = Path(__file__).parent / "schemas"
_TYPES = {
    "string": "text (in quotes)",
    "integer": "a whole number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}


@cache
def _validator(kind: str) -> Draft202012Validator:
    text = (_SCHEMAS / f"{kind}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


class Mistakes:
    """All that is wrong with one standard, each with its file (relative to the standard) and line."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[BaosongError] = []

    def add(self, code: str, path: Path, line: int, **values: object) -> None:
        """Note one mistake; its text may name {file} and {line}."""
        file = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        shown: dict[str, Any] = {**values, "file": f"{self.root.name}/{file}", "line": line}
        self.problems.append(BadInput(code, **shown))


@dataclass
class Located:
    """The values of one YAML file and the line each stands on; `data` is None when it could not be read."""

    path: Path
    mistakes: Mistakes
    data: Any = None
    lines: dict[Place, int] = field(default_factory=dict[Place, int])

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest place above it."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place, 1)

    def wrong(self, code: str, place: Place, **values: object) -> None:
        """Note a mistake at a place."""
        self.mistakes.add(code, self.path, self.line(place), **{"place": _dotted(place), **values})


def _dotted(place: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in place) or "."


def read_text(path: Path, mistakes: Mistakes) -> str | None:
    """A file's text; a missing one, or one that is not UTF-8, is a mistake."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        mistakes.add("validations.file_unreadable", path, 1, reason=error.strerror or type(error).__name__)
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        mistakes.add("validations.not_utf8", path, raw.count(b"\n", 0, error.start) + 1)
        return None


def read_yaml(path: Path, kind: str, mistakes: Mistakes) -> Located:
    """Read one YAML file and hold it against `schemas/<kind>.schema.json`; data stays None if it does not fit."""
    located = Located(path, mistakes)
    source = read_text(path, mistakes)
    if source is None:
        return located
    try:
        loader = _loader(source)
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(source, loader)):
            located.wrong("validations.alias", ())  # every value has one place, and so one line
            return located
        root = yaml.compose(source, loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        located.lines[()] = mark.line + 1 if mark else 1
        located.wrong("validations.not_yaml", (), reason=error.problem or error.context or "")
        return located
    except yaml.YAMLError as error:
        located.wrong("validations.not_yaml", (), reason=str(error).splitlines()[0])
        return located
    before = len(mistakes.problems)
    data: Any = _walk(root, (), located) if root is not None else None
    errors = sorted(
        _validator(kind).iter_errors(data), key=lambda error: located.line(tuple(error.absolute_path))
    )
    for error in errors:
        _note(error, located)
    if len(mistakes.problems) == before:
        located.data = data
    return located


def _loader(source: str) -> Any:
    """libyaml's reader, ten times as fast, where it is there and can read this; PyYAML's own says best what is wrong, and where."""
    try:
        for _ in yaml.parse(source, _LIBYAML):
            pass
    except yaml.YAMLError:
        return yaml.SafeLoader
    return _LIBYAML


def _walk(node: yaml.Node, place: Place, located: Located) -> object:
    located.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        values: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*place, key)
            line = key_node.start_mark.line + 1
            if key in values:
                located.mistakes.add("validations.duplicate_key", located.path, line, key=key)
                continue
            located.lines[inner] = line
            values[key] = _walk(value_node, inner, located)
        return values
    if isinstance(node, yaml.SequenceNode):
        return [_walk(item, (*place, index), located) for index, item in enumerate(node.value)]
    return _scalar(node.tag, str(node.value))


def _scalar(tag: str, text: str) -> object:
    kind = tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool" and text.lower() in ("true", "false"):  # NO, ON and YES are names, as in YAML 1.2
        return text.lower() == "true"
    if kind in ("int", "float"):
        try:
            return int(text) if kind == "int" else float(text)
        except ValueError:
            return text
    return text  # dates too: the schema says their form


def _note(error: ValidationError, located: Located) -> None:
    """Say a schema's complaint in the words of whoever wrote the file."""
    place = tuple(error.absolute_path)
    schema = cast("dict[str, Any]", error.schema)
    match error.validator:
        case "additionalProperties":
            known = cast("dict[str, Any]", schema.get("properties", {}))
            for key in cast("dict[str, Any]", error.instance):
                if key not in known:
                    located.wrong(
                        "validations.unknown_key", (*place, key), key=key, expected=", ".join(known)
                    )
        case "required":
            given = cast("dict[str, Any]", error.instance)
            missing = [key for key in cast("list[str]", schema["required"]) if key not in given]
            if error.message.startswith(f"'{missing[0]}'"):  # one complaint per key; one line says them all
                located.wrong("validations.key_missing", place, key=", ".join(missing))
        case "enum":
            expected = ", ".join(schema["enum"])
            located.wrong("validations.wrong_value", place, value=_shown(error.instance), expected=expected)
        case _:
            kind = schema.get("type")
            named = _TYPES.get(kind, "") if isinstance(kind, str) else ""
            expected = schema.get("description") or named
            located.wrong(
                "validations.wrong_value",
                place,
                value=_shown(error.instance),
                expected=expected or error.message,
            )


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "…"
