"""Opening what was written, as its receiver would, before anyone may send it. Nothing is corrected here."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pipelines.stages.formats.inspect_delimited import inspect_delimited
from pipelines.stages.formats.inspect_statistics import inspect_statistics
from pipelines.stages.formats.model import PackageContext, PackageFinding
from pipelines.stages.formats.write_package import statistics_table
from validations.engine import PackageProfile, Table


def inspect_package(
    profile: PackageProfile,
    tables: Sequence[Table],
    data: Mapping[str, Path],
    context: PackageContext,
    folder: Path,
    *,
    nil_returns: Collection[tuple[str, str]] = (),
) -> tuple[PackageFinding, ...]:
    """Everything in the package at `folder` that is not exactly what the content `data` demands; nothing = good.

    A03 running numbers, A06 encoding and delimiters, R12 names, sizes, digests, counts, sums, and every value.
    """
    with tempfile.TemporaryDirectory(prefix=".tmp-inspect-", dir=folder.parent) as work:
        if profile.format == "delimited":
            found = inspect_delimited(
                profile, tables, data, context, folder, Path(work), nil_returns=nil_returns
            )
        else:
            table = statistics_table(profile, tables)
            found = inspect_statistics(profile, table, data[table.name], context, folder)
    return tuple(found)
