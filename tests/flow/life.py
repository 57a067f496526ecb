"""How the tests of a finding's life look at the audit filing, hand in single answers and ask for the next round.

Like `play`, this asserts nothing of the product; it only spares each test the way there.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.ledger.filing import FilingState
from pipelines.stages.bulk_facts import kept
from pipelines.stages.correct import Imported, import_answers
from pipelines.stages.decide import accept
from pipelines.stages.extract import request_extraction
from pipelines.stages.installation import Installation
from pipelines.stages.issue import dispatch_folder
from pipelines.stages.register import register
from pipelines.stages.selection import Selection
from pipelines.stages.waiver_granting import WaiverDraft, decide_waiver, propose_waiver
from resources.clock import FileClock
from resources.demo.fill_workbook import fill_answers
from resources.deployment import User
from resources.settings import CHECKOUT
from tests.flow.play import AUDIT, own_deployment, preparer, run

GivenTexts = tuple[str, str, str]
FIXED: GivenTexts = ("源头修正", "", "已在核心系统改正（模拟）")
EXPLAINED: GivenTexts = ("情况说明", "", "业务实际如此（模拟）")


def corrected(value: str) -> GivenTexts:
    return "报表更正", value, "接口截断所致（模拟）"


def person(name: str, *roles: str, departments: tuple[str, ...] = ("*",)) -> User:
    """Somebody who is not in the deployment, or a person of it with other roles."""
    everywhere = frozenset({"*"})
    return User(
        id=name,
        name=name,
        roles=frozenset(roles),
        organisations=everywhere,
        departments=frozenset(departments),
    )


def rows(installation: Installation, filing: str = AUDIT, **wanted: Any) -> pl.DataFrame:
    """The register's rows with these values."""
    return register(installation, installation.state(filing)).filter(**wanted)


def one(installation: Installation, filing: str = AUDIT, **wanted: Any) -> dict[str, Any]:
    """The only row with these values."""
    return rows(installation, filing, **wanted).row(0, named=True) if wanted else {}


def standing(installation: Installation, finding: str, filing: str = AUDIT) -> tuple[str, str | None]:
    """State and holder of a finding."""
    row = rows(installation, filing, finding=finding).row(0, named=True)
    return row["state"], row["holder"]


def these(*findings: str) -> Selection:
    return Selection(findings=findings)


def hand_in(
    installation: Installation,
    folder: Path,
    user: str,
    answers: Mapping[str, GivenTexts],
    filing: str = AUDIT,
) -> list[Imported]:
    """Write answers into the workbooks that asked for them last, and import these."""
    folder.mkdir(parents=True, exist_ok=True)
    left, done = dict(answers), list[Imported]()
    state = installation.state(filing)
    for act in sorted((*state.dispatches, *state.answer_reviews), key=lambda act: -act.seq):
        if not act.fact.problems:
            continue
        asked = set(kept(installation, filing, act.fact.problems)["finding"])
        theirs = {finding: left.pop(finding) for finding in asked & set(left)}
        for sent in act.fact.workbooks if theirs else ():
            target = folder / f"{user}-{sent.file}"
            if not fill_answers(dispatch_folder(installation, filing, act.seq) / sent.file, target, theirs):
                target.unlink()
            else:
                done.append(import_answers(installation, filing, target, installation.user(user)))
    assert not left, f"nobody asked for {left}"
    return done


def settle(
    installation: Installation, folder: Path, user: str, answers: Mapping[str, GivenTexts]
) -> FilingState:
    """Hand in answers and let the departments accept them."""
    for done in hand_in(installation, folder, user, answers):
        assert done.returned == {}
    return accept(installation, AUDIT, installation.user("business_reviewer"), these(*answers))


def waive(installation: Installation, filing: str, waiver: WaiverDraft, user: User) -> str:
    """A waiver that the user proposes and the audit department agrees to; its number."""
    number = propose_waiver(installation, filing, waiver, user)
    decide_waiver(installation, filing, number, installation.user("audit_reviewer"), opinion="agree")
    return number


def next_round(installation: Installation, filing: str = AUDIT) -> FilingState:
    """Another round, asked for by hand, up to the list of its problem data."""
    request_extraction(installation, filing, preparer(installation), reason="复核（模拟）")
    return run(installation, filing, "extract", "validate", "compare", "review")


def key_of(row: dict[str, str]) -> str:
    """The only value of a finding's key."""
    return row["key"].split('"')[3]


def own_standard(folder: Path) -> tuple[Path, Path]:
    """A deployment with a copy of the audit's standard of its own, and that copy."""
    deployment = own_deployment(folder)
    own = deployment / "standards" / "circ_audit"
    shutil.copytree(CHECKOUT / "validations" / "standards" / "circ_audit", own)
    return deployment, own


def judge_again(installation: Installation, filing: str = AUDIT) -> FilingState:
    return run(installation, filing, "validate", "review")


def clock_to(installation: Installation, moment: datetime) -> None:
    """Time passes, up to a moment in the clock's own zone."""
    FileClock(installation.home / "clock").advance(to=moment)


def events(installation: Installation, filing: str = AUDIT) -> list[str]:
    """The hashes of a filing's events: equal lists mean that nothing was recorded."""
    return [event.hash for event in installation.ledger.events(f"filing/{filing}")]
