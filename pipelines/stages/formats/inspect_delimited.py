"""Reading a text package back: container, names, manifest, and each data file against the content."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pipelines.stages.canonical import file_digest
from pipelines.stages.formats.content_tables import opened, owned_sums
from pipelines.stages.formats.control_files import (
    MANIFEST,
    MeasuredFile,
    control_name,
    control_text,
    manifest_text,
)
from pipelines.stages.formats.delimited import data_name, is_per_organisation, zip_name
from pipelines.stages.formats.inspect_data_file import Expected, inspect_data_file
from pipelines.stages.formats.model import PackageContext, PackageFinding
from pipelines.stages.formats.row_digests import RowDigest, content_digests
from pipelines.stages.formats.sealed_zip import write_sealed_zip
from validations.engine import PackageProfile, Table


def inspect_delimited(
    profile: PackageProfile,
    tables: Sequence[Table],
    data: Mapping[str, Path],
    context: PackageContext,
    folder: Path,
    work: Path,
    *,
    nil_returns: Collection[tuple[str, str]] = (),
) -> list[PackageFinding]:
    """All findings of the text package in `folder`; `work` is an empty folder to unpack in."""
    package = folder / zip_name(context)
    unpacked = work / "unpacked"
    unpacked.mkdir()
    findings = [
        PackageFinding("formats.file_unexpected", rule="R12", file=path.name)
        for path in sorted(folder.iterdir())
        if path.name != package.name
    ]
    broken = _unpack(package, unpacked)
    if broken is not None:
        return [*findings, broken]
    # Names, times, permissions, order and compression are fixed, so the container is known from what is inside.
    write_sealed_zip(work / "again.zip", unpacked.iterdir())
    if file_digest(work / "again.zip") != file_digest(package):
        findings.append(PackageFinding("formats.container", rule="R12", file=package.name))
    expected: list[Expected] = []
    for table in tables:
        expected += _expected_files(profile, table, data[table.name], context, work, nil_returns)
    wanted = {MANIFEST, *(e.name for e in expected), *(control_name(e.name) for e in expected)}
    present = {path.name for path in unpacked.iterdir()}
    findings += [PackageFinding("formats.file_missing", rule="R12", file=n) for n in sorted(wanted - present)]
    findings += [
        PackageFinding("formats.file_unexpected", rule="R12", file=n) for n in sorted(present - wanted)
    ]
    measured: list[MeasuredFile] = []
    for facts in expected:
        if facts.name in present:
            file, found = inspect_data_file(unpacked / facts.name, facts, profile, context)
            findings += found
            measured.append(file)
            control = unpacked / control_name(facts.name)
            if control.is_file():
                findings += _compare_text(control, control_text(file, context))
    if (unpacked / MANIFEST).is_file():
        findings += _compare_text(unpacked / MANIFEST, manifest_text(measured, profile, context))
    return findings


def _unpack(package: Path, to: Path) -> PackageFinding | None:
    if not package.is_file():
        return PackageFinding("formats.file_missing", rule="R12", file=package.name)
    try:
        with zipfile.ZipFile(package) as archive:
            for entry in archive.infolist():
                target = to / entry.filename
                if target.parent != to or target.exists() or entry.is_dir():
                    reason = f"entry {entry.filename!r}"
                    return PackageFinding("formats.unpack", rule="R12", file=package.name, reason=reason)
                with archive.open(entry) as read, target.open("wb") as write:
                    shutil.copyfileobj(read, write, 1 << 20)
    except (
        zipfile.BadZipFile,
        zlib.error,
        NotImplementedError,  # zipfile: a compression that it does not know
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
    ) as error:
        reason = f"{type(error).__name__}: {error}"
        return PackageFinding("formats.unpack", rule="R12", file=package.name, reason=reason)
    return None


def _expected_files(
    profile: PackageProfile,
    table: Table,
    parquet: Path,
    context: PackageContext,
    work: Path,
    nil_returns: Collection[tuple[str, str]],
) -> list[Expected]:
    """The files that the content demands: whose, how many rows, which sums, which values."""
    digests = content_digests(table, parquet, profile.delimiter or "")
    with opened(parquet, work) as connection:
        facts = owned_sums(table, connection)
    owners = {*digests, *(owner for nil, owner in nil_returns if nil == table.name)}
    files: dict[str | None, Expected] = {}
    for owner in sorted(owners):
        file_owner = owner if is_per_organisation(profile) else None
        if file_owner not in files:
            files[file_owner] = Expected(data_name(profile, table, owner, context), table, file_owner)
        file = files[file_owner]
        file.owned[owner] = digests.get(owner, RowDigest())
        if owner in facts:
            file.sums = {name: value + facts[owner][1][name] for name, value in file.sums.items()}
    return list(files.values())


def _compare_text(path: Path, wanted: bytes) -> list[PackageFinding]:
    """Control files and manifests must say exactly what was measured."""
    found = path.read_bytes()
    if found == wanted:
        return []
    lines = zip(found.split(b"\n"), wanted.split(b"\n"), strict=False)
    line, stated, measured = next(
        ((n, a, b) for n, (a, b) in enumerate(lines, 1) if a != b), (found.count(b"\n") + 1, b"", b"")
    )
    return [
        PackageFinding(
            "formats.control_differs",
            rule="R12",
            file=path.name,
            line=line,
            found=stated.decode("utf-8", "replace")[:200],
            expected=measured.decode("utf-8", "replace")[:200],
        )
    ]
