"""Saving a workbook so that the same cells give the same bytes: fixed times, fixed order, fixed compression.

openpyxl stamps the present time into the properties and every zip entry; both are rewritten. No cells here.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip entry can bear."""

_STAMP = "1980-01-01T00:00:00Z"
_TIMES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")


def save_sealed(workbook: Workbook, path: Path) -> None:
    """Save `workbook` to `path`, whole or not at all, with bytes that depend on its cells alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    workbook.properties.creator = "Baosong"
    workbook.properties.created = datetime(1980, 1, 1)  # noqa: DTZ001 (OOXML's times are naive UTC)
    saved = path.with_name(f".tmp-{os.getpid()}-saved-{path.name}")
    sealed = path.with_name(f".tmp-{os.getpid()}-sealed-{path.name}")
    try:
        workbook.save(saved)
        _repack(saved, sealed)
        sealed.replace(path)
    finally:
        saved.unlink(missing_ok=True)
        sealed.unlink(missing_ok=True)


def _repack(source: Path, target: Path) -> None:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        # Readers that sniff the type expect the content types first.
        for name in sorted(old.namelist(), key=lambda n: (n != "[Content_Types].xml", n)):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            with old.open(name) as read, new.open(entry, "w", force_zip64=False) as write:
                if name == "docProps/core.xml":
                    write.write(_TIMES.sub(rb"\g<1>" + _STAMP.encode() + rb"\g<2>", read.read()))
                else:
                    shutil.copyfileobj(read, write, 1 << 20)
