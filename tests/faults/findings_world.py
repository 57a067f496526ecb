"""A home with findings in which people work: saved before each act, and everything that an act leaves behind, to compare.

Where processes are killed is `killed_at`'s matter.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from pipelines.stages.canonical import canonical_json
from pipelines.stages.correct import import_answers
from pipelines.stages.first_review import review_findings
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.issue import issue
from pipelines.stages.register import register
from pipelines.stages.selection import Selection
from pipelines.stages.workbooks import Problem
from resources.clock import FileClock
from resources.demo.fill_workbook import read_findings
from resources.deployment import load_deployment
from resources.reference_core import generate
from resources.settings import CHECKOUT, Settings
from tests.faults.world import AUDIT, PATIENCE_SECONDS, World
from tests.flow.play import (
    CORRECTED,
    Cores,
    accept_all,
    answer_audit,
    draft,
    filled_workbooks,
    fix_core,
    open_by_request,
    own_deployment,
    run,
    seeds_of,
    send_out,
)

DEFECTS = CHECKOUT / "resources" / "demo" / "defects.yaml"
POLICIES = 2000
BRANCH = "440000"
WORKBOOK = "filled/answers.xlsx"
ACTS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "confirm": ("listed", ("findings", "confirm", AUDIT, "--as", "audit_reviewer"), "findings_reviewed"),
    "issue": (
        "confirmed",
        ("findings", "issue", AUDIT, "--department", "claims", "--as", "claims_reviewer"),
        "findings_dispatched",
    ),
    "import": (
        "issued",
        ("answers", "import", AUDIT, WORKBOOK, "--as", f"branch_{BRANCH}"),
        "answers_received",
    ),
    "send back": (
        "answered",
        ("answers", "send-back", AUDIT, "--reason", "请附单证（模拟）", "--branch", BRANCH, "--as", "business_reviewer"),
        "answers_reviewed",
    ),
    "inbox": ("dropped", ("answers", "inbox"), "answers_received"),
    "compare": ("second round", ("run", "compare", AUDIT), "rounds_compared"),
}  # fmt: skip
"""What is killed: the state before it, the command, the event it appends."""
_STATE = ("ledger.db", "clock", "log", "heads")
"""Not compared file by file: the ledger is compared event by event, the others tell the time."""
_ARRIVED = re.compile(r"\d{8}-\d{6}\.\d{6}-")
"""When a file came into the inbox: anew after each restoring, as are the texts beside it, which name the event's hash."""


@dataclass(frozen=True)
class Traces:
    """What an act leaves: events without their salts and times, every file, the register, what is wrong or lies about."""

    events: tuple[tuple[str, str, str, str], ...]
    files: Mapping[str, str]
    register: str
    problems: tuple[str, ...]
    leftovers: tuple[str, ...]


class FindingsWorld(World):
    """The audit of a damaged core, played up to each of the acts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._deployment = own_deployment(
            folder / "deployment", ("deployment.yaml", "quiet_seconds: 3", "quiet_seconds: 0")
        )

    def prepare(self) -> None:
        """Play it once and save what is before each act."""
        self.home.mkdir(parents=True)
        deployment = load_deployment(self.settings.deployment, self.home)
        FileClock(self.home / "clock").start(datetime(2026, 5, 6, 9))  # noqa: DTZ001 - in the clock's own zone
        seeds = seeds_of(deployment)
        generate(
            self.home / "core.db",
            policies=POLICIES,
            seed=2026,
            organisations=seeds,
            defects=DEFECTS,
            answer_key=self.home / "answer_key.csv",
            progress=lambda what, done, total: None,
        )
        with open_installation(self.settings) as installation:
            open_by_request(installation, draft(self.home))
            run(installation, AUDIT, "extract", "validate", "review")
            installation.workbook_key()  # a random one, made when it is needed first
            self.save("listed")
            user = installation.user
            review_findings(installation, AUDIT, user("audit_reviewer"), "confirm", Selection())
            self.save("confirmed")
            issue(installation, AUDIT, "claims", user("claims_reviewer"), Selection())
            send_out(installation, AUDIT)
            self._fill(installation)
            self.save("issued")
            self._drop()
            self.save("dropped")
            shutil.rmtree(self.home / "inbox")
            filled = filled_workbooks(installation, AUDIT, answer_audit, self.home / "filled")
            for branch, paths in filled.items():
                for path in paths:
                    import_answers(installation, AUDIT, path, user(PEOPLE.get(branch, HEAD_OFFICE)))
            self.save("answered")
            accept_all(installation, AUDIT)
            assert fix_core(installation, Cores(self.home), AUDIT) > 0
            run(installation, AUDIT, "extract", "validate")
            self.save("second round")

    def _fill(self, installation: Installation) -> None:
        """A branch's workbook with one line corrected, other lines that block explained, the rest promised."""
        for path in filled_workbooks(installation, AUDIT, half_right, self.home / "filled")[BRANCH]:
            if any(line["规则编号"] == CORRECTED[1] for line in read_findings(path)):
                path.rename(self.home / WORKBOOK)

    def _drop(self) -> None:
        """Two branches drop the same workbook; only one of them may answer with it."""
        for user in (f"branch_{BRANCH}", "branch_330000"):
            folder = self.home / "inbox" / user
            folder.mkdir(parents=True)
            shutil.copyfile(self.home / WORKBOOK, folder / "答复.xlsx")

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, deployment=self._deployment, database_url=None)

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "BAOSONG_DEPLOYMENT": str(self._deployment)}

    def act(self, name: str, *, point: int = 0) -> tuple[int, str]:
        """Do an act as a process that dies at a point (0: never); its exit code and what it said."""
        _, arguments, _ = ACTS[name]
        given = [str(self.home / each) if each == WORKBOOK else each for each in arguments]
        home, log = str(self.home), self.home.parent / "points"
        command = [sys.executable, "-m", "tests.faults.killed_at", home, str(point), str(log), "--", *given]
        done = subprocess.run(
            command,
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        return done.returncode, done.stdout + done.stderr

    def points(self) -> list[str]:
        """What the last act was about to do, in its order; the last one is where it was killed."""
        return (self.home.parent / "points").read_text(encoding="utf-8").splitlines()

    def traces(self) -> Traces:
        """Everything there is to compare now."""
        with open_installation(self.settings) as installation:
            ledger = installation.ledger
            events = tuple(
                (stream, event.type, event.actor, canonical_json(event.payload))
                for stream in ledger.streams()
                for event in ledger.events(stream)
                if stream != "ledger"
            )
            rows = register(installation, installation.state(AUDIT))
            times = [name for name, kind in rows.schema.items() if isinstance(kind, pl.Datetime)]
            problems = tuple(str(problem) for problem in ledger.verify().problems)
        return Traces(events, self._files(), rows.drop(times).write_ndjson(), problems, self.leftovers())

    def _files(self) -> dict[str, str]:
        found = sorted(path for path in self.home.rglob("*") if path.is_file())
        names = {path.relative_to(self.home).as_posix(): path for path in found}
        return {
            _ARRIVED.sub("TIME-", name): ""
            if name.endswith(".txt")
            else hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in names.items()
            if not name.startswith(_STATE)
        }


HEAD_OFFICE = "head_office_preparer"
PEOPLE = {code: f"branch_{code}" for code in ("330000", "440000", "510000")}


def half_right(organisation: str, problem: Problem) -> tuple[str, str, str]:
    """Some lines are taken, some come back."""
    if problem.severity == "block" and problem.rule != CORRECTED[1]:
        return "情况说明", "", "业务实际如此（模拟）"
    return answer_audit(organisation, problem)


def undisturbed(world: FindingsWorld, act: str) -> tuple[Traces, list[str]]:
    """How an act ends when nobody kills it, and the points it passes."""
    before, _, event = ACTS[act]
    world.restore(before)
    already = world.recorded(AUDIT, event)
    code, said = world.act(act)
    assert code == 0, said
    assert world.recorded(AUDIT, event) == already + 1
    return world.traces(), world.points()


def world_in(folder: Path) -> FindingsWorld:
    """A prepared world."""
    made = FindingsWorld(folder)
    made.prepare()
    return made
