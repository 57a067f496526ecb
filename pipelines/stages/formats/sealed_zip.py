"""A zip whose bytes depend on its files alone: names sorted, one time, one permission, one compression."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterable
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)


def write_sealed_zip(target: Path, files: Iterable[Path]) -> None:
    """Pack `files` under their bare names into `target`."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(files, key=lambda file: file.name):
            entry = zipfile.ZipInfo(path.name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size  # decides in advance whether the entry is a zip64 one
            with path.open("rb") as read, archive.open(entry, "w") as write:
                shutil.copyfileobj(read, write, 1 << 20)
