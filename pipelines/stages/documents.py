"""Documents that people hand in (红头文件、沟通凭证): looked at before anything is recorded, kept under their SHA-256.

What is in them is never opened here: they are kept as they came. Anything but a regular file of a sane size is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import BadInput, BaosongError
from pipelines.ledger.recorded import Document
from pipelines.stages.canonical import write_durably

LARGEST_BYTES = 32 * 1024 * 1024
MOST_DOCUMENTS = 20
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


def document_problems(paths: Sequence[Path]) -> list[BaosongError]:
    """Why these files cannot be kept, each with its reason; none when all can."""
    problems: list[BaosongError] = []
    if len(paths) > MOST_DOCUMENTS:
        problems.append(BadInput("document.too_many", count=len(paths), most=MOST_DOCUMENTS))
    for path in paths[:MOST_DOCUMENTS]:
        try:
            _read(path)
        except BadInput as problem:
            problems.append(problem)
    return problems


def keep_documents(folder: Path, paths: Sequence[Path]) -> tuple[Document, ...]:
    """Keep files in `folder`, durably, under their digests; the same bytes are kept once.

    Raises BadInput for what is no regular file, is empty, or too large.
    """
    kept: dict[str, Document] = {}
    for path in paths:
        content = _read(path)
        document = _described(path, content)
        if document.sha256 not in kept:
            write_durably(folder / document.file, content)
            kept[document.sha256] = document
    return tuple(kept.values())


def document_digests(paths: Sequence[Path]) -> set[str]:
    """The SHA-256 of each, nothing being kept. Raises BadInput as `keep_documents`."""
    return {_described(path, _read(path)).sha256 for path in paths}


def _described(path: Path, content: bytes) -> Document:
    digest = hashlib.sha256(content).hexdigest()
    suffix = path.suffix if _SUFFIX.fullmatch(path.suffix) else ""
    return Document(name=_shown(path.name), file=digest + suffix, sha256=digest, bytes=len(content))


def _read(path: Path) -> bytes:
    """The bytes of a regular file; a link is not followed, a pipe is not waited for."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise BadInput("request.document", path=_shown(str(path))) from error
    except (OSError, ValueError) as error:
        reason = "symlink" if path.is_symlink() else getattr(error, "strerror", None) or str(error)
        raise BadInput("document.unreadable", path=_shown(str(path)), reason=reason) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadInput("document.no_file", path=_shown(str(path)))
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(LARGEST_BYTES + 1)
    if not content:
        raise BadInput("document.empty", path=_shown(str(path)))
    if len(content) > LARGEST_BYTES:
        raise BadInput("document.too_large", path=_shown(str(path)), most=LARGEST_BYTES // (1024 * 1024))
    return content


def _shown(name: str) -> str:
    """A file's name as it can be printed and recorded: what is no text, or would steer a terminal, gives way to `?`."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
