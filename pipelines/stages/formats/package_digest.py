"""What a package is called, and which of its files goes out. No formats here."""

from __future__ import annotations

from pathlib import Path

from pipelines.errors import BadInput
from pipelines.stages.canonical import file_digest, json_digest


def package_digest(folder: Path) -> str:
    """SHA-256 over the canonical list of name, size and SHA-256 of every file in the package's folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    facts = [[path.relative_to(folder).as_posix(), path.stat().st_size, file_digest(path)] for path in files]
    return json_digest(facts)


def sent_file(folder: Path) -> Path:
    """The one file of a package that goes to the regulator: its zip or its XML."""
    found = sorted(path for path in folder.iterdir() if path.suffix in (".zip", ".xml"))
    if len(found) != 1:
        raise BadInput("formats.sent_file", folder=folder, count=len(found))
    return found[0]
