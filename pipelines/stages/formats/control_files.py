"""What stands in control files and manifests: the part of the layout that is agreed with the receiver.

Control file `X.log`: UTF-8 lines `key=value`. `manifest.json`: canonical JSON. Both describe measured files; measuring
is done by who writes and, again, by who inspects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pipelines.stages.canonical import canonical_json
from pipelines.stages.formats.model import PackageContext
from validations.engine import PackageProfile

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class MeasuredFile:
    """What one data file turned out to be. `sums` by decimal field, in the dictionary's order, at its scale."""

    name: str
    table: str
    organisation: str | None
    rows: int
    size: int
    sha256: str
    sums: Mapping[str, Decimal]


def control_name(data_name: str) -> str:
    """`X.log` for `X.txt`."""
    return data_name.rpartition(".")[0] + ".log"


def control_text(file: MeasuredFile, context: PackageContext) -> bytes:
    """The control file of a data file."""
    facts = {
        "file": file.name,
        "table": file.table,
        "organisation": file.organisation or "",
        "rows": file.rows,
        "bytes": file.size,
        "sha256": file.sha256,
        "period_from": context.date_from.isoformat(),
        "period_to": context.date_to.isoformat(),
        "version": context.version,
        **{f"sum.{name}": format(value, "f") for name, value in file.sums.items()},
    }
    return "".join(f"{key}={value}\n" for key, value in facts.items()).encode()


def manifest_text(files: Sequence[MeasuredFile], profile: PackageProfile, context: PackageContext) -> bytes:
    """The manifest of a text package, its files by name."""
    listed: list[dict[str, str | int | None]] = []
    for file in sorted(files, key=lambda f: f.name):
        listed.append(
            {
                "name": file.name,
                "table": file.table,
                "organisation": file.organisation,
                "rows": file.rows,
                "bytes": file.size,
                "sha256": file.sha256,
                "control": control_name(file.name),
                "control_sha256": hashlib.sha256(control_text(file, context)).hexdigest(),
            }
        )
    facts = {
        **_head(profile, context),
        "delimiter": profile.delimiter,
        "header": profile.header,
        "files": listed,
    }
    return canonical_json(facts).encode()


def statistics_manifest_text(file: MeasuredFile, profile: PackageProfile, context: PackageContext) -> bytes:
    """The manifest that stands beside a statistics XML; it is kept, not sent."""
    total = {name: format(value, "f") for name, value in file.sums.items()}
    listed = {
        "name": file.name,
        "table": file.table,
        "rows": file.rows,
        "bytes": file.size,
        "sha256": file.sha256,
        "sums": total,
    }
    return canonical_json({**_head(profile, context), "files": [listed]}).encode()


def _head(profile: PackageProfile, context: PackageContext) -> dict[str, object]:
    return {
        "filing": context.filing,
        "version": context.version,
        "content": context.content,
        "corporation": context.corporation,
        "period": {"from": context.date_from.isoformat(), "to": context.date_to.isoformat()},
        "encoding": profile.encoding,
    }
