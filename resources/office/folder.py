"""An office system that is reached through two folders: drafts go out as JSON files, answers come in as JSON files.

A file is named by its reference, `<reference>.json`. What lies in the inbox was written by others: its size, its form and its
words are checked before anything of it is believed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast, get_args

from pipelines.errors import Unavailable
from resources.office.contract import OfficeAnswer, OfficeDraft, OfficeStatus

LARGEST_BYTES = 64 * 1024
LONGEST_TEXT = 2_000
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_STATUSES: tuple[str, ...] = tuple(each for each in get_args(OfficeStatus) if each != "unknown")
_KEYS = {"reference", "status", "at", "by", "text"}


@dataclass(frozen=True)
class FolderOffice:
    """`outbox` is written by Baosong alone, `inbox` by the office alone. Folders of a share must be there: they are not made."""

    outbox: Path
    inbox: Path

    def create(self, draft: OfficeDraft) -> str:
        """Write `<outbox>/<reference>.json`, durably; the reference follows from the draft's key, so a rerun finds its file."""
        reference = f"QB-{hashlib.sha256(draft.key.encode()).hexdigest()[:20]}"
        path = self.outbox / f"{reference}.json"
        try:
            if not path.exists():
                text = json.dumps(
                    {"reference": reference, **asdict(draft)}, ensure_ascii=False, indent=2, sort_keys=True
                )
                _write_durably(path, text.encode())
        except OSError as error:
            raise Unavailable("office.outbox", path=path, reason=error.strerror or str(error)) from error
        return reference

    def status(self, reference: str) -> OfficeAnswer:
        """What `<inbox>/<reference>.json` says: waiting while it is not there, unknown where no draft lies in the outbox either."""
        if not _REFERENCE.fullmatch(reference):
            return OfficeAnswer("unknown")
        path = self.inbox / f"{reference}.json"
        try:
            content = _read(path)
        except FileNotFoundError:
            is_ours = (self.outbox / f"{reference}.json").is_file()
            return OfficeAnswer("waiting" if is_ours else "unknown")
        except OSError as error:
            raise Unavailable("office.inbox", path=path, reason=error.strerror or str(error)) from error
        try:
            return _answer(content, reference)
        except (ValueError, RecursionError) as error:
            raise Unavailable("office.not_as_agreed", path=path, reason=_reason(error)) from error


def _write_durably(path: Path, content: bytes) -> None:
    """After a crash the file is either absent or complete."""
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(path: Path) -> bytes:
    """At most one byte more than is allowed, of a regular file; a link is not followed, a pipe not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _answer(content: bytes, reference: str) -> OfficeAnswer:
    """Raises ValueError saying what was not agreed."""
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"more than {LARGEST_BYTES} bytes")
    said: Any = json.loads(content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant)
    if (
        not isinstance(said, dict)
        or not {"reference", "status"} <= set(cast("dict[str, Any]", said)) <= _KEYS
    ):
        raise ValueError(f"keys other than {', '.join(sorted(_KEYS))}")
    fields = cast("dict[str, object]", said)
    texts = {name: _text(name, value) for name, value in fields.items()}
    if texts["reference"] != reference:
        raise ValueError("another reference")
    if texts["status"] not in _STATUSES:
        raise ValueError(f"a status other than {', '.join(_STATUSES)}")
    at = datetime.fromisoformat(texts["at"]) if texts.get("at") else None
    if at is not None and at.tzinfo is None:
        raise ValueError("a time without an offset")
    status = cast("OfficeStatus", texts["status"])
    return OfficeAnswer(status, at, texts.get("by", ""), texts.get("text", ""))


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise ValueError(f"{name} is not a text of at most {LONGEST_TEXT} characters")
    if not all(letter.isprintable() or letter == "\n" for letter in value):
        raise ValueError(f"control characters in {name}")
    return value


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _reason(error: Exception) -> str:
    """One line that can be printed, whatever the file held."""
    line = "nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0]
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:200]
