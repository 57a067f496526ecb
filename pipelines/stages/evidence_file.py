"""The evidence's container: a zip that exists in exactly one form, so that any changed byte shows.

Members are stored uncompressed (rounds and packages are compressed already) in the order of their names with fixed
times; reading one back and writing it again must give the same bytes. What the members mean is not known here.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import Tampered
from pipelines.stages.canonical import file_digest

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"


@dataclass(frozen=True)
class Manifest:
    """What the archive says of itself; `files` holds the SHA-256 of every other member, `key` the Ed25519 public key."""

    filing: str
    version: int
    deployment: str
    corporation: str
    events: int
    key: str
    files: Mapping[str, str]


def write_evidence_file(path: Path, members: Mapping[str, Path | bytes]) -> None:
    """Write the one form of these members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o100444 << 16
            content = members[name]
            if isinstance(content, bytes):
                archive.writestr(info, content)
            else:
                info.file_size = content.stat().st_size
                with content.open("rb") as source, archive.open(info, "w") as target:
                    shutil.copyfileobj(source, target, 1 << 20)


def unpack_evidence_file(path: Path, folder: Path) -> list[str]:
    """Unpack into `folder`; returns the members' names.

    Raises Tampered for anything that is not the one form: damaged, reordered, padded, or with names leading outside.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            for name in names:
                target = folder / name
                if not target.resolve().is_relative_to(folder.resolve()) or name.endswith("/"):
                    raise Tampered("evidence.member_name", path=path, name=name)
                if archive.getinfo(name).compress_type != zipfile.ZIP_STORED or target.exists():
                    raise Tampered("evidence.container", path=path)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, target.open("wb") as unpacked:
                    shutil.copyfileobj(source, unpacked, 1 << 20)
    # zipfile says NotImplementedError for a compression and RuntimeError for an encryption that it does not know.
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, NotImplementedError) as cause:
        raise Tampered("evidence.container", path=path) from cause
    with tempfile.TemporaryDirectory() as scratch:
        again = Path(scratch) / "again.zip"
        write_evidence_file(again, {name: folder / name for name in names})
        if file_digest(again) != file_digest(path):
            raise Tampered("evidence.container", path=path)
    return names
