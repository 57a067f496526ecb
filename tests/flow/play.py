"""How these tests play people: open a filing, answer its workbooks, sign its route, hand its package over.

Stage functions are called in this process, as `baosong run` calls them; nothing here knows Dagster or asserts anything.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipelines.ledger.filing import FilingState
from pipelines.stages.acknowledge import record_handover, record_receipt
from pipelines.stages.baseline import declare_none, lacks_baseline
from pipelines.stages.bulk_facts import kept
from pipelines.stages.change_request import raise_changes
from pipelines.stages.correct import import_answers
from pipelines.stages.decide import accept
from pipelines.stages.drift import explain_drift, unexplained_changes
from pipelines.stages.first_review import review_findings
from pipelines.stages.flow import STAGES
from pipelines.stages.formats import sent_file
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.issue import dispatch_folder, issue, problem
from pipelines.stages.package import package_folder
from pipelines.stages.register import register
from pipelines.stages.request import RequestDraft, open_due, raise_request, review_request
from pipelines.stages.seats import holds
from pipelines.stages.selection import Selection
from pipelines.stages.sign_off import give_opinion, open_sign_off
from pipelines.stages.workbooks import Problem
from resources.clock import FileClock
from resources.demo.fill_workbook import fill_answers
from resources.deployment import Deployment, User
from resources.embedded.bureau import hand_over
from resources.embedded.places import Places
from resources.reference_core import OrganisationSeed, repair
from resources.settings import CHECKOUT, Settings

DEMO = CHECKOUT / "resources" / "demo" / "deployment"
START = datetime(2026, 5, 6, 9)  # noqa: DTZ001 - in the clock's own zone
AUDIT = "circ_audit.detail.JH-2026-003"
SCHEDULE_P = "schedule_p.medmal.1997"
STATISTICS = "circ_statistics.monthly.2026-04"
FLASH = "circ_statistics.flash.2026-04"
BRANCHES = ("330000", "440000", "510000")
PREPARERS = {code: f"branch_{code}" for code in BRANCHES}
CORRECTED = ("440000", "D05")
"""This branch's finding of this rule is corrected in the report; what blocks otherwise is fixed at the source."""

Answering = Callable[[str, Problem], tuple[str, str, str]]


@dataclass(frozen=True)
class Cores:
    """Source databases that are made once; tests copy them."""

    folder: Path

    @property
    def repairs(self) -> Path:
        return self.folder / "answer_key.repairs.jsonl"

    def furnish(self, home: Path, *, clean: bool = False, at: datetime = START) -> Path:
        """Put the sources and a clock (2026-05-06 09:00) into a home."""
        home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.folder / ("clean.db" if clean else "core.db"), home / "core.db")
        shutil.copyfile(self.folder / "schedule_p.db", home / "schedule_p.db")
        FileClock(home / "clock").start(at)
        return home


@contextmanager
def opened(home: Path, deployment: Path = DEMO) -> Generator[Installation]:
    """The installation of a home, with the texts that people of the demo read."""
    with open_installation(Settings(home=home, deployment=deployment)) as installation:
        yield installation


def seeds_of(deployment: Deployment) -> list[OrganisationSeed]:
    """The organisations of a deployment as a core is generated for them; those without a region lie in the capital."""
    return [
        OrganisationSeed(
            o.code, o.name, o.parent, o.level, is_own_account=o.is_own_account, region=o.region or "110102"
        )
        for o in deployment.organisations
    ]


def own_deployment(folder: Path, *edits: tuple[str, str, str]) -> Path:
    """A copy of the demo's deployment with texts replaced in its files: (file, old, new)."""
    shutil.copytree(DEMO, folder)
    for file, old, new in edits:
        replace_text(folder / file, old, new)
    return folder


def replace_text(path: Path, old: str, new: str) -> None:
    """Edit a file as a person would; the old text must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} in {path}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def execute(database: Path, *statements: str) -> None:
    """What the owner of a source does to it."""
    with closing(sqlite3.connect(database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def query(database: Path, statement: str) -> list[tuple[Any, ...]]:
    """What the owner of a source reads there."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


def reach_servers(home: Path, servers: Path) -> None:
    """Tell a home where the servers of another one listen, with their pinned key and secrets."""
    shutil.copytree(servers / "embedded" / "secrets", home / "embedded" / "secrets", dirs_exist_ok=True)
    for name in ("endpoints.json", "known_hosts"):
        shutil.copyfile(servers / "embedded" / name, home / "embedded" / name)


def run(installation: Installation, filing: str, *stages: str) -> FilingState:
    """Run these stages one after the other."""
    for stage in stages:
        STAGES[stage](installation, filing)
    return installation.state(filing)


def draft(home: Path, *, deadline: date = date(2026, 5, 15), number: str = "JH-2026-003") -> RequestDraft:
    """The audit's red-header document."""
    document = home / "JH.txt"
    document.write_text("关于报送 2026 年一季度稽核数据的通知（模拟的红头文件）\n", encoding="utf-8")
    return RequestDraft(
        number=number,
        standard="circ_audit",
        report="detail",
        authority="广东保监局（模拟）",
        date_from=date(2026, 1, 1),
        date_to=date(2026, 3, 31),
        organisations=BRANCHES,
        deadline=deadline,
        document=document,
    )


def schedule_p_draft(home: Path) -> RequestDraft:
    """The request for medical malpractice, 1997."""
    document = home / "NAIC.txt"
    document.write_text("Schedule P, medical malpractice, 1997 (模拟的需求文件)\n", encoding="utf-8")
    return RequestDraft(
        number="NAIC-1997-F",
        standard="schedule_p",
        report="medmal",
        authority="NAIC（历史数据演示）",
        date_from=date(1988, 1, 1),
        date_to=date(1997, 12, 31),
        organisations=("000000",),
        deadline=date(2026, 5, 20),
        document=document,
        key="1997",
    )


def open_by_request(installation: Installation, demand: RequestDraft) -> FilingState:
    """Raised by one person, accepted by another."""
    raise_request(installation, demand, installation.user("requester_440000"))
    state = review_request(
        installation, demand.number, installation.user("audit_reviewer"), opinion="accept", comment="同意"
    )
    assert state is not None, "an accepted request opens its filing"
    return first_report(installation, state.id)


def first_report(installation: Installation, filing: str) -> FilingState:
    """Nothing was reported through Baosong before."""
    return declare_none(installation, filing, preparer(installation), reason="首次经本系统报送（模拟）")


def open_statistics(installation: Installation) -> FilingState:
    """April's, opened by the calendar on the demo's first day; returns the monthly report."""
    flash, monthly = open_due(installation, START.date())
    assert (flash.id, monthly.id) == (FLASH, STATISTICS)
    first_report(installation, FLASH)
    return first_report(installation, STATISTICS)


def explain(organisation: str, problem: Problem) -> tuple[str, str, str]:
    """Everything is as it was."""
    return "情况说明", "", "公开的历史申报数据，原样保留（模拟答复）"


def answer_audit(organisation: str, problem: Problem) -> tuple[str, str, str]:
    """One report correction, explanations where they are enough, source fixes else."""
    if (organisation, problem.rule) == CORRECTED:
        return "报表更正", problem.expected or "", "接口截断所致，报表先更正，另提改库签报（模拟）"
    if problem.severity == "explain":
        return "情况说明", "", "业务实际如此，附件另送（模拟）"
    return "源头修正", "", "已在核心系统改正（模拟）"


def send_out(installation: Installation, filing: str) -> FilingState:
    """The audit department confirms everything, every department issues what is its own."""
    state = installation.state(filing)
    if state.holds("first_review"):
        reviewer = installation.user("audit_reviewer")
        state = review_findings(installation, filing, reviewer, "confirm", Selection())
    for department in sorted({held.department for held in state.held if held.holder == "issue"}):
        state = issue(installation, filing, department, installation.user("business_reviewer"), Selection())
    return state


def asked_of(installation: Installation, filing: str) -> dict[str, list[Problem]]:
    """What the workbooks of the content judged last ask, by branch."""
    state = installation.state(filing)
    assert state.content is not None, "workbooks are about a judged content"
    standard = installation.standard(state.opened.fact.standard)
    asked: dict[str, list[Problem]] = {}
    for dispatch in (*state.dispatches, *state.answer_reviews):
        if dispatch.fact.content == state.content.fact.content and dispatch.fact.problems:
            for row in kept(installation, filing, dispatch.fact.problems).iter_rows(named=True):
                asked.setdefault(row["organisation"], []).append(problem(standard, row))
    return asked


def filled_workbooks(
    installation: Installation, filing: str, answering: Answering, folder: Path
) -> dict[str, list[Path]]:
    """Every workbook that asks about the content judged last, filled in, by organisation."""
    state = installation.state(filing)
    assert state.content is not None, "workbooks are about a judged content"
    problems = asked_of(installation, filing)
    filled: dict[str, list[Path]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for dispatch in (*state.dispatches, *state.answer_reviews):
        if dispatch.fact.content != state.content.fact.content:
            continue
        for sent in dispatch.fact.workbooks:
            original = dispatch_folder(installation, filing, dispatch.seq) / sent.file
            target = folder / f"{original.stem}-已填.xlsx"
            answers = {p.finding: answering(sent.organisation, p) for p in problems[sent.organisation]}
            fill_answers(original, target, answers)
            filled.setdefault(sent.organisation, []).append(target)
    return filled


def answer_all(
    installation: Installation,
    filing: str,
    answering: Answering,
    folder: Path,
    *,
    people: Mapping[str, str] | None = None,
    otherwise: str = "head_office_preparer",
) -> FilingState:
    """Fill and hand in every workbook, each by its person; the departments accept what was taken."""
    for organisation, paths in filled_workbooks(installation, filing, answering, folder).items():
        person = installation.user((people or PREPARERS).get(organisation, otherwise))
        for path in paths:
            import_answers(installation, filing, path, person)
    return accept_all(installation, filing)


def accept_all(installation: Installation, filing: str) -> FilingState:
    """One person who speaks for all departments accepts every answer that waits; IT raises the change requests."""
    state = installation.state(filing)
    if state.holds("decide"):
        state = accept(installation, filing, installation.user("business_reviewer"), Selection())
    raise_changes(installation, filing, preparer(installation))
    return state


def fix_core(installation: Installation, cores: Cores, filing: str) -> int:
    """The branches mend in the core what blocks; how many defects were mended."""
    rows = register(installation, installation.state(filing))
    mended = 0
    for organisation, rule in sorted(set(rows.filter(severity="block").select("branch", "rule").iter_rows())):
        if (organisation, rule) != CORRECTED:
            core = installation.home / "core.db"
            mended += repair(core, cores.repairs, organisation=organisation, rules=[rule])
    return mended


def declare_causes(installation: Installation, filing: str) -> FilingState:
    """What no source fix explains was mended for the GL: the sum over many rows names none of them."""
    state = installation.state(filing)
    user = installation.user("business_reviewer")
    for table in unexplained_changes(installation, state).select("table").unique().collect()["table"].sort():
        state = explain_drift(installation, filing, user, table=table, reason="按总账核对更正明细（模拟）")
    return state


def next_signer(installation: Installation, filing: str) -> User:
    """Somebody who may take the first open seat of the filing's sign-off."""
    state = installation.state(filing)
    busy = state.makers | {opinion.actor for opinion in state.live_opinions}
    people = [user for user in installation.deployment.users.values() if user.id not in busy]
    return next(user for user in people if holds(user, state.open_seats[0]))


def sign_next_seat(installation: Installation, filing: str, comment: str = "同意（模拟）") -> FilingState:
    """Somebody who may take the first open seat agrees."""
    seat, user = installation.state(filing).open_seats[0], next_signer(installation, filing)
    return give_opinion(
        installation,
        filing,
        user,
        opinion="agree",
        comment=comment,
        department=seat.department,
        role=seat.role,
    )


def agree(
    installation: Installation, filing: str, *, steps: int | None = None, answer: str = ""
) -> FilingState:
    """Put the content on its route and let people agree at every seat of its first `steps` steps (default: all)."""
    if lacks_baseline(installation.state(filing)):
        first_report(installation, filing)
    state = open_sign_off(installation, filing, preparer(installation), answer=answer)
    while state.current_step and (steps is None or state.current_step.place < steps):
        state = sign_next_seat(installation, filing)
    return state


def preparer(installation: Installation) -> User:
    users = installation.deployment.users.values()
    return next(user for user in users if user.has_role("data_engineer"))


def hand_over_to_bureau(installation: Installation, filing: str, servers: Path, desk: Path) -> FilingState:
    """The branch takes the package to the bureau and records handover and receipt."""
    desk.mkdir(parents=True, exist_ok=True)
    name = sent_file(package_folder(installation, installation.state(filing))).name
    places = Places(servers)
    package, receipt = desk / name, desk / "receipt.json"
    shutil.copyfile(places.outbox / name, package)
    receipt.write_text(hand_over(places, package, filing=filing), encoding="utf-8")
    person = installation.user("branch_it_440000")
    record_handover(installation, filing, person, files=[package])
    return record_receipt(installation, filing, person, receipt_file=receipt)
