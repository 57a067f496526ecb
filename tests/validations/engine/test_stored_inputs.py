"""What has to be extracted for some tables: themselves where they are stored, and what derived ones are computed from."""

from __future__ import annotations

import pytest

from validations.engine import STANDARDS, load_standard, stored_inputs

STATISTICS = load_standard("circ_statistics", (STANDARDS,))


@pytest.mark.parametrize(
    ("named", "stored"),
    [
        (["ZZYE", "JGB"], ("ZZYE", "JGB")),
        (["BSXM"], ("JGB", "XMZ")),
        (["BLB"], ("JGB", "XMZ")),
        (["XMZ", "HZB", "ZZYE"], ("XMZ", "ZZYE", "JGB")),
        (["XMB"], ()),
        ([], ()),
    ],
)
def test_derived_tables_bring_their_inputs_through_every_step(
    named: list[str], stored: tuple[str, ...]
) -> None:
    assert stored_inputs(STATISTICS, named) == stored


def test_a_whole_report_needs_its_stored_tables_in_its_own_order() -> None:
    tables = STATISTICS.report("monthly").tables
    assert stored_inputs(STATISTICS, tables) == tuple(
        name for name in tables if STATISTICS.table(name).derive is None
    )
