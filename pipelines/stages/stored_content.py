"""A content as it was written once: its parts, and its tables as long as they still are what its digest names.

Nothing is built or judged here, and no standard is asked what the content means today. Building is `content`'s work.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from pipelines.errors import BadInput, Tampered
from pipelines.ledger.filing import FilingState
from pipelines.stages.canonical import json_digest
from pipelines.stages.installation import Installation
from validations.engine import Standard, table_digests
from validations.engine.types import require_columns


@dataclass(frozen=True)
class StoredContent:
    """A content that exists already: its digest, its period, its tables with their content digests, what else it is made of."""

    digest: str
    date_from: date
    date_to: date
    paths: Mapping[str, Path]
    table_digests: Mapping[str, str]
    parts: Mapping[str, Any] = field(default_factory=dict[str, Any])


def accepted_content(installation: Installation, state: FilingState) -> StoredContent:
    """The content of an accepted filing as it was written then."""
    assert state.package is not None, "accepted means packaged"
    return stored_content(installation, state, state.package.fact.content)


def stored_content(installation: Installation, state: FilingState, digest: str) -> StoredContent:
    """A content of a filing by its digest. Raises Tampered when what names its parts is not what the digest names."""
    folder = installation.folder("contents", state.id) / digest
    try:
        parts = json.loads((folder / "content.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Tampered("baseline.changed", filing=state.id, path=folder) from error
    if json_digest(parts) != digest:
        raise Tampered("baseline.changed", filing=state.id, path=folder / "content.json")
    round_folder = installation.rounds.path(state.id, parts["round"])
    own = {name: folder / f"{name}.parquet" for name in parts["tables"]}
    paths = {n: p if p.is_file() else round_folder / p.name for n, p in own.items()}
    return StoredContent(digest, state.date_from, state.date_to, paths, parts["tables"], parts)


def verified_tables(
    content: StoredContent, standard: Standard, names: Collection[str] | None = None
) -> dict[str, Path]:
    """The tables (of `names`) whose rows still are what was recorded; one the standard has changed since is not comparable."""
    files: dict[str, Path] = {}
    for name, path in content.paths.items():
        if name not in standard.tables or (names is not None and name not in names):
            continue
        if not path.is_file():
            raise Tampered("baseline.changed", filing=content.digest[:12], path=path)
        try:
            require_columns(standard.table(name), path)
        except BadInput:
            continue  # other columns now: rules that read it are listed as not judged
        files[name] = path
    found = table_digests({path: standard.table(name) for name, path in files.items()})
    for name, path in files.items():
        if found[path] != content.table_digests[name]:
            raise Tampered("baseline.changed", filing=content.digest[:12], path=path)
    return files
