"""What an amended demand makes of findings: what it lets go is neither mended nor anybody's, and blocks nothing."""

from __future__ import annotations

from pathlib import Path

from pipelines.stages.compare import read_comparison
from pipelines.stages.content import build_content
from pipelines.stages.installation import Installation
from pipelines.stages.request import review_request
from pipelines.stages.request_amend import RequestChanges, amend_request
from pipelines.stages.sign_off import closed_gates
from resources.reference_core import repair
from tests.flow.conftest import Resume
from tests.flow.life import rows
from tests.flow.play import AUDIT, Cores, run

NUMBER = "JH-2026-003"
LEFT = ("BDXXB", "BDXBB", "PAXXB", "PDXXB", "ZZKJQKMB", "JGXXB")


def amended(installation: Installation, changes: RequestChanges) -> dict[str, list[str]]:
    """The comparison of the next round, extracted for the amended demand."""
    amend_request(
        installation, NUMBER, installation.user("requester_440000"), changes=changes, reason="监管更正文件"
    )
    reviewer = installation.user("audit_reviewer")
    review_request(installation, NUMBER, reviewer, opinion="accept", comment="同意")
    return read_comparison(installation, run(installation, AUDIT, "extract", "validate", "compare", "review"))


def test_findings_in_a_table_that_is_no_longer_demanded_are_obsolete_and_block_nothing(
    resume: Resume, audit_in_review: Path, cores: Cores
) -> None:
    installation = resume(audit_in_review)
    for branch in ("330000", "440000", "510000"):
        repair(installation.home / "core.db", cores.repairs, organisation=branch)
    dropped = set(rows(installation, table="KHXXB")["finding"])
    kept = set(rows(installation)["finding"]) - dropped
    assert dropped and kept
    told = amended(installation, RequestChanges(tables=LEFT))
    assert dropped.isdisjoint({*told["resolved"], *told["remaining"], *told["missing_fixes"]})
    assert set(rows(installation, state="obsolete")["finding"]) >= dropped
    assert rows(installation).filter(is_present=True).is_empty()
    assert set(rows(installation)["holder"]) == {None}
    state = installation.state(AUDIT)
    codes = {gate.code for gate in closed_gates(installation, state, build_content(installation, state))}
    assert codes.isdisjoint({"sign_off.blocking", "sign_off.unexplained"})


def test_findings_of_a_branch_that_left_the_scope_are_obsolete_not_resolved(
    resume: Resume, audit_in_review: Path
) -> None:
    installation = resume(audit_in_review)
    theirs = set(rows(installation, branch="510000")["finding"])
    others = set(rows(installation)["finding"]) - theirs
    told = amended(installation, RequestChanges(organisations=("330000", "440000")))
    assert theirs.isdisjoint({*told["resolved"], *told["remaining"]})
    assert set(rows(installation, state="obsolete")["finding"]) == theirs
    assert set(told["remaining"]) == others
