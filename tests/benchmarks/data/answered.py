"""Problem data of one branch, and its workbook with every line answered."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from pipelines.stages.workbooks import GivenAnswer, Problem, WorkbookIdentity, write_branch_workbook

KEY = b"the key of the measurement, 32 b"
IDENTITY = WorkbookIdentity(
    filing="circ_audit.detail.BENCH",
    round=1,
    content="c0" * 32,
    organisation="330000",
    organisation_name="浙江分公司",
    sign_off="QB-BENCH",
    answer_by=date(2026, 5, 8),
    department="underwriting",
    department_name="承保管理部",
    part=1,
    parts=1,
)


def problems(count: int) -> list[Problem]:
    """Eight tables, thirty rules, keys of four fields; no two lines are alike."""
    return [
        Problem(
            finding=f"{n:032x}",
            rule=f"D{n % 30:02d}",
            severity="explain",
            message="起保日期晚于终保日期，请核对保单后更正或说明",
            table=f"TABLE{n % 8}",
            table_title=f"第 {n % 8} 张表",
            key=(("BXJGDM", "000055"), ("BDH", f"PDAA{n:016d}"), ("XZDM", f"{n % 97:04d}"), ("XH", f"{n % 9}")),
            field="ZBRQ",
            field_title="终保日期",
            value=f"2026-03-{n % 28 + 1:02d}",
            expected=f"2026-04-{n % 28 + 1:02d}",
            difference=f"{n % 60} 天",
        )
        for n in range(count)
    ]  # fmt: skip


def write(folder: Path, count: int) -> None:
    """`answered.xlsx`: every line explained."""
    asked = problems(count)
    given = {
        each.finding: GivenAnswer("情况说明", "", f"核对无误，见附件 {each.finding[-6:]}") for each in asked
    }
    write_branch_workbook(folder / "answered.xlsx", IDENTITY, asked, key=KEY, given=given)
