"""From a profile to its writer. The formats themselves are in `delimited` and `statistics_xml`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pipelines.errors import BadInput
from pipelines.stages.formats.delimited import write_delimited
from pipelines.stages.formats.model import PackageContext, PackedFile
from pipelines.stages.formats.statistics_xml import write_statistics_xml
from validations.engine import PackageProfile, Table


def write_package(
    profile: PackageProfile,
    tables: Sequence[Table],
    data: Mapping[str, Path],
    context: PackageContext,
    folder: Path,
    *,
    nil_returns: Collection[tuple[str, str]] = (),
) -> tuple[PackedFile, ...]:
    """Write the package of `tables` in the profile's format into the existing `folder`."""
    if profile.format == "delimited":
        return write_delimited(profile, tables, data, context, folder, nil_returns=nil_returns)
    table = statistics_table(profile, tables)
    if table.name not in data:
        raise BadInput("formats.table_missing", table=table.name, title=table.title.zh)
    return write_statistics_xml(profile, table, data[table.name], context, folder)


def statistics_table(profile: PackageProfile, tables: Sequence[Table]) -> Table:
    """The one table that the statistics XML is made of."""
    for table in tables:
        if table.name == profile.table:
            return table
    raise BadInput("formats.table_missing", table=profile.table or "—", title=profile.name)
