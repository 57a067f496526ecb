"""Every way into the desk: its routes with all that their handlers read, found in the application and its source.

A route or a field that somebody adds is attacked without anybody's doing.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipelines import desk
from pipelines.desk.findings_view import FILTERS
from pipelines.desk.pages import ROUTERS
from pipelines.desk.rights import rights

FOLDER = Path(desk.__file__).parent
_OF_A_FORM = frozenset({"text", "secret", "day", "texts"})
_OF_AN_ADDRESS = frozenset({"get", "getlist", "given"})
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
    found: list[Way] = []
    for router in ROUTERS:
        for route in router.routes:
            read = _Reader(FOLDER / "pages" / f"{route.endpoint.__module__.rpartition('.')[2]}.py")
            read.function(route.endpoint.__name__)
            is_post = "POST" in route.methods
            form = read.form | read.asked | (_BEFORE_LOGIN if route.name in rights().public else set())
            found.append(
                Way(
                    route.name,
                    "POST" if is_post else "GET",
                    route.path,
                    tuple(sorted(read.asked | _ALWAYS)),
                    tuple(sorted(form)) if is_post else (),
                    tuple(sorted(read.files)) if is_post else (),
                )
            )
    return tuple(sorted(found, key=lambda way: way.name))


def way(name: str) -> Way:
    return next(each for each in ways() if each.name == name)


class _Reader:
    """What a function of a module, and those of the module that it names, read of forms, of addresses, of files."""

    def __init__(self, module: Path) -> None:
        self.form, self.asked, self.files = set[str](), set[str](), set[str]()
        parsed = ast.parse(module.read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        self._functions = {each.name: each for each in parsed.body if isinstance(each, kinds)}
        self._read = set[str]()

    def function(self, name: str) -> None:
        if name in self._read:
            return
        self._read.add(name)
        for node in ast.walk(self._functions[name]):
            if isinstance(node, ast.Name) and node.id in self._functions:
                self.function(node.id)
            elif isinstance(node, ast.Name) and node.id in ("asked_of", "asked_for"):
                self._filters()
            elif isinstance(node, ast.Call):
                self._call(node)

    def _filters(self) -> None:
        beside = _Reader(FOLDER / "findings_view.py")
        for name in ("asked_of", "asked_for", "visible_row"):
            beside.function(name)
        self.asked |= beside.asked | set(FILTERS)

    def _call(self, call: ast.Call) -> None:
        if not (call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)):
            return
        name = call.args[0].value
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if called in _OF_A_FORM:
            self.form.add(name)
        elif called == "files":
            self.files.add(name)
        elif called in _OF_AN_ADDRESS:
            self.asked.add(name)
