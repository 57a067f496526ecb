"""Writing delimited text: one file per table and organisation, its control file, the manifest, the zip.

Strict: a character the encoding lacks, or a delimiter or line break inside a value, stops the package and is named.
What stands in control files is `control_files`' affair, the order of rows `content_tables`'.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

from pipelines.errors import BadInput, BaosongError
from pipelines.stages.canonical import file_digest
from pipelines.stages.formats.content_tables import (
    SHOWN,
    OwnedFacts,
    check_columns,
    check_values,
    key_text,
    opened,
    owned_rows,
    owned_sums,
    values_refused,
    zero_sums,
)
from pipelines.stages.formats.control_files import (
    MANIFEST,
    MeasuredFile,
    control_name,
    control_text,
    manifest_text,
)
from pipelines.stages.formats.model import PackageContext, PackedFile
from pipelines.stages.formats.sealed_zip import write_sealed_zip
from validations.engine import PackageProfile, Table


@dataclass
class _Sink:
    """One data file being written."""

    name: str
    file: BinaryIO
    encoding: str
    rows: int = 0
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, text: str) -> None:
        encoded = text.encode(self.encoding)
        self.digest.update(encoded)
        self.size += self.file.write(encoded)


def zip_name(context: PackageContext) -> str:
    """The name of a text package."""
    return f"{context.filing}-v{context.version}.zip"


def data_name(profile: PackageProfile, table: Table, organisation: str, context: PackageContext) -> str:
    """The name of a data file by the profile's pattern."""
    pattern = profile.file or ""
    try:
        name = pattern.format(
            organisation=organisation,
            table=table.name,
            date=f"{context.stamp:%Y%m%d}",
            key=context.key,
            version=context.version,
            corporation=context.corporation,
            filing=context.filing,
        )
    except (KeyError, IndexError, ValueError) as error:
        raise BadInput("formats.file_pattern", profile=profile.name, pattern=pattern) from error
    if not name.endswith(".txt") or "/" in name or "\\" in name or name.startswith("."):
        raise BadInput("formats.file_name", name=name, profile=profile.name, pattern=pattern)
    return name


def is_per_organisation(profile: PackageProfile) -> bool:
    """Whether each organisation has a file of its own."""
    return "{organisation}" in (profile.file or "")


def serial(organisation: str, context: PackageContext, number: int) -> str:
    """流水号: organisation, day, ten digits that begin at 1 for each organisation and table."""
    return f"{organisation or context.corporation}{context.stamp:%Y%m%d}{number:010d}"


def write_delimited(
    profile: PackageProfile,
    tables: Sequence[Table],
    data: Mapping[str, Path],
    context: PackageContext,
    folder: Path,
    *,
    nil_returns: Collection[tuple[str, str]] = (),
) -> tuple[PackedFile, ...]:
    """Write the zip of `tables` into `folder`; the same content and context give the same bytes.

    `nil_returns`: (table, organisation) declared to have no rows; they get an empty file, others without rows none.
    Raises BadInput naming table, key, field and character of what the format cannot carry.
    """
    if not profile.delimiter or len(profile.delimiter) != 1:
        raise BadInput("formats.delimiter", profile=profile.name)
    with tempfile.TemporaryDirectory(prefix=".tmp-pack-", dir=folder.parent) as temporary:
        work = Path(temporary)
        staging = work / "files"
        staging.mkdir()
        files: list[MeasuredFile] = []
        refusals: list[BaosongError] = []
        for table in tables:
            try:
                files += _write_table(profile, table, data, context, staging, nil_returns)
            except BadInput as error:
                refusals.append(error)
        if refusals:
            raise BadInput("formats.refused", filing=context.filing, details=refusals)
        for file in files:
            (staging / control_name(file.name)).write_bytes(control_text(file, context))
        (staging / MANIFEST).write_bytes(manifest_text(files, profile, context))
        target = folder / zip_name(context)
        write_sealed_zip(target, staging.iterdir())
    rows = sum(file.rows for file in files)
    package = PackedFile(target.name, target.stat().st_size, file_digest(target), rows, is_sent=True)
    inside = [PackedFile(f.name, f.size, f.sha256, f.rows, f.table, f.organisation) for f in files]
    return (package, *inside)


def _write_table(
    profile: PackageProfile,
    table: Table,
    data: Mapping[str, Path],
    context: PackageContext,
    staging: Path,
    nil_returns: Collection[tuple[str, str]],
) -> list[MeasuredFile]:
    others = [f.name for f in table.fields if f.assigned and f.name != profile.serial_field]
    if others:
        raise BadInput(
            "formats.assigned_field", table=table.name, field="、".join(others), profile=profile.name
        )
    if is_per_organisation(profile) and table.organisation is None:
        raise BadInput("formats.organisation_field", table=table.name, profile=profile.name)
    if table.name not in data:
        raise BadInput("formats.table_missing", table=table.name, title=table.title.zh)
    parquet = data[table.name]
    check_columns(table, parquet)
    with opened(parquet, staging.parent) as connection, ExitStack() as open_files:
        check_values(table, connection, profile.delimiter or "")
        facts = owned_sums(table, connection)
        desk = _Desk(profile, table, context, staging, open_files)
        for owners, befores, afters in owned_rows(table, profile, connection):
            for owner, run in groupby(zip(owners, befores, afters, strict=True), key=lambda row: row[0]):
                desk.write(owner, [(before, after) for _, before, after in run])
        if desk.unencodable:
            raise values_refused(table, desk.refused, desk.unencodable)
        for nil, owner in sorted(nil_returns):
            if nil == table.name:
                desk.sink(owner)
    return [_measured(sink, table, owner, facts) for owner, sink in desk.sinks.items()]


class _Desk:
    """Where the rows of one table are numbered and go to their files; one file per organisation or one for all."""

    def __init__(
        self, profile: PackageProfile, table: Table, context: PackageContext, folder: Path, files: ExitStack
    ) -> None:
        self._profile, self._table, self._context = profile, table, context
        self._folder, self._files = folder, files
        self._is_numbered = any(f.name == profile.serial_field for f in table.fields)
        self._numbers: dict[str, int] = {}
        self.sinks: dict[str | None, _Sink] = {}
        self.refused: list[BaosongError] = []
        self.unencodable = 0

    def sink(self, owner: str) -> _Sink:
        file_owner = owner if is_per_organisation(self._profile) else None
        if file_owner not in self.sinks:
            name = data_name(self._profile, self._table, owner, self._context)
            if (self._folder / name).exists():
                raise BadInput("formats.file_twice", name=name, profile=self._profile.name)
            file = self._files.enter_context((self._folder / name).open("wb"))
            sink = self.sinks[file_owner] = _Sink(name, file, self._profile.encoding)
            if self._profile.header:
                sink.write(header_line(self._profile, self._table))
        return self.sinks[file_owner]

    def write(self, owner: str, rows: Sequence[tuple[str, str]]) -> None:
        sink = self.sink(owner)
        number = self._numbers.get(owner, 0)
        if self._is_numbered:
            numbers = range(number + 1, number + len(rows) + 1)
            lines = [
                f"{before}{serial(owner, self._context, n)}{after}"
                for n, (before, after) in zip(numbers, rows, strict=True)
            ]
        else:
            lines = [before + after for before, after in rows]
        self._numbers[owner] = number + len(rows)
        sink.rows += len(rows)
        try:
            sink.write("\n".join(lines) + "\n")
        except UnicodeEncodeError:
            for line in lines:
                self._refuse_characters(line)

    def _refuse_characters(self, line: str) -> None:
        """Name every value of this line that the encoding cannot carry."""
        names = packed_fields(self._profile, self._table)
        values = dict(zip(names, line.split(self._profile.delimiter), strict=True))
        for name, value in values.items():
            bad = [c for c in value if not _is_encodable(c, self._profile.encoding)]
            if not bad:
                continue
            self.unencodable += 1
            if len(self.refused) < SHOWN:
                characters = "、".join(f"{c} (U+{ord(c):04X})" for c in dict.fromkeys(bad))
                self.refused.append(
                    BadInput(
                        "formats.unencodable",
                        table=self._table.name,
                        key=key_text({key: values[key] for key in self._table.stored_key}),
                        field=f"{self._table.field(name).title.zh} {name}",
                        character=characters,
                        encoding=self._profile.encoding,
                    )
                )


def packed_fields(profile: PackageProfile, table: Table) -> list[str]:
    """The fields of a line, in order."""
    return [field.name for field in table.fields if not field.assigned or field.name == profile.serial_field]


def header_line(profile: PackageProfile, table: Table) -> str:
    """The first line where the profile asks for one."""
    return (profile.delimiter or "").join(packed_fields(profile, table)) + "\n"


def _is_encodable(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _measured(sink: _Sink, table: Table, owner: str | None, facts: Mapping[str, OwnedFacts]) -> MeasuredFile:
    sums = zero_sums(table)
    for code, (_, owned) in facts.items():
        if owner is None or code == owner:
            sums = {name: value + owned[name] for name, value in sums.items()}
    return MeasuredFile(sink.name, table.name, owner, sink.rows, sink.size, sink.digest.hexdigest(), sums)
