"""Secrets by reference: a deployment names where a secret is kept, never the secret itself.

A reference is `env:NAME` (an environment variable) or `file:PATH` (a file relative to the home, readable by
its owner only). What a reference resolves to is handed to the channel that needs it; it is never logged,
stored or put in a message.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from pipelines.errors import BadInput, Refused

REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:(?!/)(?!.*(?:^|/)\.\.(?:/|$))[^\s:\\][^\n\\]*")
"""What a reference looks like; anything else is taken for a secret in plain text and refused."""


def is_reference(text: str) -> bool:
    """Whether the text names a place and is not the secret itself."""
    kind, _, place = text.partition(":")
    return REFERENCE.fullmatch(text) is not None and not (kind == "file" and ".." in place.split("/"))


def resolve(reference: str, home: Path) -> str:
    """The secret a reference stands for, without a trailing line end.

    Raises BadInput when nothing is there or it is empty, Refused when others may read the file.
    """
    if not is_reference(reference):
        raise BadInput("secrets.not_a_reference")
    kind, _, place = reference.partition(":")
    if kind == "env":
        secret = os.environ.get(place, "")
        if not secret:
            raise BadInput("secrets.variable_missing", variable=place)
        return secret
    path = home / place
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise Refused("secrets.readable_by_others", path=path, mode=f"{mode:04o}")
            secret = file.read().removesuffix("\n").removesuffix("\r")
    except FileNotFoundError:
        raise BadInput("secrets.file_missing", path=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput("secrets.file_unreadable", path=path, reason=type(error).__name__) from None
    if not secret:
        raise BadInput("secrets.file_missing", path=path)
    return secret
