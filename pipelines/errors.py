"""What people read when something is wrong: one small hierarchy of errors and one catalogue of texts.

Every error a person can meet is raised with a *code* of the catalogue (`messages/<area>.yaml`) and the values its text
names; the text says what was wrong, where, and what to do, in Chinese and in English. This module is the leaf of the
import order: every room may use it, it uses none. No logging, no formatting of results, no exit of the process here.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

Language = Literal["zh", "en"]

LANGUAGE: ContextVar[Language] = ContextVar("LANGUAGE", default="zh")
"""The language of `str(error)`; set once at a process's border from the settings."""

_CATALOGUE = Path(__file__).parent / "messages"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast


@cache
def catalogue() -> dict[str, dict[Language, str]]:
    """All texts by code, e.g. `{"source.down": {"zh": "…", "en": "…"}}`."""
    texts: dict[str, dict[Language, str]] = {}
    for path in sorted(_CATALOGUE.glob("*.yaml")):
        texts.update(yaml.load(path.read_text(encoding="utf-8"), _LOADER))  # noqa: S506 - both loaders are safe
    return texts


def text(code: str, /, **values: object) -> str:
    """The text of `code` in the language of this process, with its values filled in."""
    return catalogue()[code][LANGUAGE.get()].format_map(values)


class BaosongError(Exception):
    """Something a person can understand and mend. `details` lists all that was found, not only the first."""

    exit_code = 2

    def __init__(self, code: str, /, *, details: Sequence[BaosongError] = (), **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values
        self.details = tuple(details)

    def __str__(self) -> str:
        lines = [text(self.code, **self.values)]
        for detail in self.details:
            lines += ["  - " + str(detail).replace("\n", "\n    ")]
        return "\n".join(lines)


class BadInput(BaosongError):
    """A file, a setting or an argument that its author can mend."""

    exit_code = 2


class Refused(BaosongError):
    """A gate or a right said no; nothing was done."""

    exit_code = 3


class Unavailable(BaosongError):
    """The outside world did not answer as agreed; nothing is lost, try again."""

    exit_code = 4


class Tampered(BaosongError):
    """What is stored is not what was recorded."""

    exit_code = 5
