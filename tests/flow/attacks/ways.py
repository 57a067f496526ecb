"""Every way into the desk: its routes with all that their handlers read, found in the application and its source.

A route or a field that somebody adds is attacked without anybody's doing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pipelines.desk.findings_view import FILTERS
from pipelines.desk.pages import ROUTERS
from pipelines.desk.rights import rights

Kind = Literal["form", "asked", "files"]
_KINDS: dict[str, tuple[Kind, ...]] = {
    "text": ("form",), "secret": ("form",), "day": ("form",), "texts": ("form",), "files": ("files",),
    "given": ("form", "asked"),
}  # fmt: skip
"""What a call of this name reads. `given` is handed around, and reads the address or the form."""
_ADDRESS = frozenset({"query_params", "query", "asked", "given"})
"""What the handlers call what stands in an address."""
_DESK = "pipelines.desk."
_ALWAYS = frozenset({"done", "lang", "next"})
_BEFORE_LOGIN = frozenset({"user", "password", "again", "code", "next"})
_PLACE = re.compile(r"{(\w+)}")


@dataclass(frozen=True)
class Way:
    """A route: `places` in its path, `asked` in its address, `fields` of its form, `files` of it."""

    name: str
    method: str
    path: str
    asked: tuple[str, ...]
    fields: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def places(self) -> tuple[str, ...]:
        return tuple(_PLACE.findall(self.path))

    @property
    def is_public(self) -> bool:
        return self.name in rights().public

    @property
    def roles(self) -> frozenset[str]:
        return frozenset() if self.is_public else rights().routes[self.name].roles


@cache
def ways() -> tuple[Way, ...]:
    """All routes but the static files, by their names."""
    routes = [route for router in ROUTERS for route in router.routes]
    return tuple(sorted((_way(route) for route in routes), key=lambda way: way.name))


def _way(route: Any) -> Way:
    read = _Reader()
    read.function(route.endpoint.__module__, route.endpoint.__name__)
    is_post = "POST" in route.methods
    form = read.found["form"] | (_BEFORE_LOGIN if route.name in rights().public else set())
    return Way(
        route.name,
        "POST" if is_post else "GET",
        route.path,
        tuple(sorted(read.found["asked"] - _ALWAYS if is_post else read.found["asked"] | _ALWAYS)),
        tuple(sorted(form)) if is_post else (),
        tuple(sorted(read.found["files"])) if is_post else (),
    )


def way(name: str) -> Way:
    return next(each for each in ways() if each.name == name)


@dataclass(frozen=True)
class _Module:
    """The functions of a module by name, and where those that it imports from the desk stand."""

    functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef]
    imported: dict[str, str]


@cache
def _module(name: str) -> _Module:
    spec = find_spec(name)
    assert spec is not None and spec.origin is not None, name
    parsed = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    imports = [
        each
        for each in ast.walk(parsed)
        if isinstance(each, ast.ImportFrom) and (each.module or "").startswith(_DESK)
    ]
    return _Module(
        {
            each.name: each
            for each in parsed.body
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        },
        {alias.name: each.module or "" for each in imports for alias in each.names},
    )


class _Reader:
    """What a function, and those of the desk that it names in whatever module, read of forms, of addresses, of files."""

    def __init__(self) -> None:
        self.found: dict[Kind, set[str]] = {"form": set(), "asked": set(), "files": set()}
        self._read = set[tuple[str, str]]()

    def function(self, module: str, name: str) -> None:
        known = _module(module)
        if name not in known.functions:
            if name in known.imported:
                self.function(known.imported[name], name)
            return
        if (module, name) in self._read:
            return
        self._read.add((module, name))
        for node in _nodes(known.functions[name]):
            if isinstance(node, ast.Call):
                self._call(module, node)
            if isinstance(node, ast.Name) and node.id == "asked_of":
                self.found["asked"] |= _filters()
            elif isinstance(node, ast.Name) and node.id == "asked_for":
                self.found["form"] |= _filters()
            elif isinstance(node, ast.Name):
                self.function(module, node.id)

    def _call(self, module: str, call: ast.Call) -> None:
        for kind, name in _said(call, _reads(call)):
            self.found[kind].add(name)
        if isinstance(call.func, ast.Name):
            for place, kind in _handed_on(module, call.func.id).items():
                if len(call.args) > place:
                    self.found[kind] |= {name for _, name in _said(call, (kind,), place)}


def _nodes(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """All that stands in it; its decorators, which name its address, do not."""
    for statement in function.body:
        yield from ast.walk(statement)


def _reads(call: ast.Call) -> tuple[Kind, ...]:
    """What a call reads by its first argument."""
    if not isinstance(call.func, ast.Attribute):
        return _KINDS["given"] if isinstance(call.func, ast.Name) and call.func.id == "given" else ()
    owner = call.func.value
    owned_by = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    if call.func.attr in ("get", "getlist"):
        return ("form",) if owned_by == "form" else ("asked",) if owned_by in _ADDRESS else ()
    return _KINDS.get(call.func.attr, ()) if owned_by in ("visit", "self") else ()


def _said(call: ast.Call, kinds: tuple[Kind, ...], place: int = 0) -> Iterator[tuple[Kind, str]]:
    if len(call.args) > place:
        given = call.args[place]
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield from ((kind, given.value) for kind in kinds)


@cache
def _handed_on(module: str, name: str) -> dict[int, Kind]:
    """Which arguments of a function are names that it reads: by their places."""
    known = _module(module)
    if name not in known.functions:
        return _handed_on(known.imported[name], name) if name in known.imported else {}
    function, found = known.functions[name], dict[int, Kind]()
    own = [each.arg for each in function.args.args]
    for call in _nodes(function):
        if isinstance(call, ast.Call) and call.args and getattr(call.args[0], "id", "") in own:
            found |= {own.index(call.args[0].id): kind for kind in _reads(call)}
    return found


@cache
def _filters() -> frozenset[str]:
    """What the findings browser is asked for, in an address or in a form."""
    read = _Reader()
    read.function(f"{_DESK}findings_view", "asked_for")
    return frozenset(read.found["asked"] | set(FILTERS))
