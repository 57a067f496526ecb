"""A small installation whose filings can be put back to where they stood before a stage, and what a kill may not change.

The core is clean, so nobody has to answer anything. One home stays where it is for all tests of a process: only its
state is taken back, while the embedded servers keep running beside it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipelines.ledger.filing import FilingState
from pipelines.stages.baseline import declare_none
from pipelines.stages.flow import STAGES
from pipelines.stages.formats import package_digest, sent_file
from pipelines.stages.installation import Installation, open_installation
from pipelines.stages.package import package_folder
from pipelines.stages.request import RequestDraft, open_due, raise_request, review_request
from pipelines.stages.sign_off import give_opinion, open_sign_off
from resources.clock import FileClock
from resources.deployment import load_deployment
from resources.embedded.places import Places
from resources.reference_core import OrganisationSeed, generate
from resources.settings import CHECKOUT, Settings

AUDIT = "circ_audit.detail.JH-2026-003"
STATISTICS = "circ_statistics.monthly.2026-04"
FLASH = "circ_statistics.flash.2026-04"
APPROVERS = {
    AUDIT: ("audit_reviewer", "business_reviewer", "executive", "president"),
    STATISTICS: ("finance_reviewer", "actuary", "it_reviewer", "executive"),
}
POLICIES = 3000
PATIENCE_SECONDS = 60
_BLINK_SECONDS = 0.0001
"""Between two looks; who sleeps a little is woken at once, who spins is made to wait on a busy machine."""
_SERVERS = "embedded"

Trigger = Callable[[], bool]


@dataclass(frozen=True)
class Ending:
    """What a stage left: digests, the number of its events, and what lies about."""

    digests: tuple[str, ...]
    events: Mapping[str, int]
    leftovers: tuple[str, ...]
    problems: tuple[str, ...]


class World:
    """One home under test with saved states of it."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.places = Places(self.home)
        self._saved = folder / "saved"

    @property
    def settings(self) -> Settings:
        return Settings(home=self.home, database_url=None)

    @property
    def environment(self) -> dict[str, str]:
        deployment = CHECKOUT / "resources" / "demo" / "deployment"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BAOSONG_")}
        return {**kept, "BAOSONG_HOME": str(self.home), "BAOSONG_DEPLOYMENT": str(deployment)}

    def open_filings(self) -> None:
        """A clean core, the reviewed request of the audit, and the reports of April that the calendar opens."""
        self.home.mkdir(parents=True)
        deployment = load_deployment(self.settings.deployment, self.home)
        FileClock(self.home / "clock").start(datetime(2026, 5, 6, 9))  # noqa: DTZ001 - in the clock's own zone
        seeds = tuple(
            OrganisationSeed(
                o.code,
                o.name,
                o.parent,
                o.level,
                is_own_account=o.is_own_account,
                region=o.region or "110102",
            )
            for o in deployment.organisations
        )
        generate(
            self.home / "core.db",
            policies=POLICIES,
            seed=1,
            organisations=seeds,
            defects=None,
            answer_key=self.home / "answer_key.csv",
            progress=lambda *_: None,
        )
        document = self.home / "document.txt"
        document.write_text("关于报送稽核数据的通知（模拟）\n", encoding="utf-8")
        with open_installation(self.settings) as installation:
            draft = RequestDraft(
                "JH-2026-003",
                "circ_audit",
                "detail",
                "广东保监局（模拟）",
                date(2026, 1, 1),
                date(2026, 3, 31),
                ("330000", "440000", "510000"),
                date(2026, 5, 15),
                document,
            )
            raise_request(installation, draft, installation.user("requester_440000"))
            accepting = installation.user("audit_reviewer")
            review_request(installation, draft.number, accepting, opinion="accept", comment="同意（模拟）")
            open_due(installation, date(2026, 5, 6))

    def approve(self, filing: str, *, signers: Sequence[str] | None = None) -> None:
        """From the opened filing to the agreement of its whole route, or of the first ones who are given."""
        with open_installation(self.settings) as installation:
            for stage in ("extract", "validate", "review"):
                STAGES[stage](installation, filing)
            preparer = installation.user("data_engineer")
            declare_none(installation, filing, preparer, reason="首次报送（模拟）")
            open_sign_off(installation, filing, preparer)
            for person in APPROVERS[filing] if signers is None else signers:
                user = installation.user(person)
                give_opinion(installation, filing, user, opinion="agree", comment="同意（模拟）")

    def run(self, stage: str, filing: str) -> FilingState:
        """A stage in this process."""
        with open_installation(self.settings) as installation:
            return STAGES[stage](installation, filing)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """`baosong …` as a process of its own."""
        command = [str(Path(sys.executable).with_name("baosong")), *arguments]
        environment = {**self.environment, **environment}
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def baosong(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run `baosong …` to its end: exit code and everything it said."""
        out, err = (process := self.start(*arguments, **environment)).communicate(timeout=PATIENCE_SECONDS)
        return process.returncode, out + err

    def kill(self, stage: str, filing: str, trigger: Trigger, *, delay_seconds: float = 0.0) -> bool:
        """Start a stage as a process and kill it as soon as `trigger` holds, or that much later.

        False when the process was quicker than the eye that watched it.
        """
        process = self.start("run", stage, filing)
        until = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and not trigger():
            assert time.monotonic() < until, f"{stage}: never came to the moment to be killed"
            time.sleep(_BLINK_SECONDS)
        moment = time.monotonic() + delay_seconds
        while process.poll() is None and time.monotonic() < moment:
            time.sleep(_BLINK_SECONDS)
        process.kill()
        _, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode in (-9, 0), err
        return process.returncode == -9

    def saved(self, name: str) -> Path:
        """Where a saved state lies: only to be copied."""
        return self._saved / name

    def save(self, name: str) -> None:
        """Keep the home's state, without the servers'."""
        shutil.copytree(self.home, self.saved(name), ignore=shutil.ignore_patterns(_SERVERS))

    def restore(self, name: str) -> None:
        """Take the home back to a saved state, and what the servers received with it."""
        for path in self.home.iterdir():
            if path.name != _SERVERS:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.saved(name), self.home, dirs_exist_ok=True)
        self._forget_deliveries()

    def ending(self, stage: str, filing: str) -> Ending:
        """What there is to compare after `stage`."""
        with open_installation(self.settings) as installation:
            events = installation.ledger.events(f"filing/{filing}")
            counts = {kind: sum(e.type == kind for e in events) for kind in sorted({e.type for e in events})}
            problems = tuple(str(problem) for problem in installation.ledger.verify().problems)
            digests = _DIGESTS[stage](installation, installation.state(filing))
        return Ending(digests, counts, self.leftovers(), problems)

    def leftovers(self) -> tuple[str, ...]:
        """Whatever looks unfinished anywhere in the home, on the servers too."""
        found = (path.relative_to(self.home).as_posix() for path in self.home.rglob("*"))
        return tuple(sorted(name for name in found if ".tmp-" in name or name.endswith(".part")))

    def reserved(self) -> bool:
        """Whether a delivery is reserved in the ledger."""
        return self._ledger_count("SELECT count(*) FROM reservation") > 0

    def recorded(self, filing: str, kind: str) -> int:
        """How many events of one type a filing has, read beside the product."""
        return self._ledger_count(
            "SELECT count(*) FROM event WHERE stream = ? AND type = ?", f"filing/{filing}", kind
        )

    def regulator_files(self) -> list[tuple[str, str]]:
        """(SHA-256, status) of everything at the commission's desk."""
        database = self.places.regulator / "regulator.sqlite"
        with closing(sqlite3.connect(database, timeout=30)) as opened:
            return opened.execute("SELECT sha256, status FROM file WHERE desk = 'commission'").fetchall()

    def _ledger_count(self, query: str, *values: str) -> int:
        with closing(sqlite3.connect(self.home / "ledger.db", timeout=30)) as opened:
            return int(opened.execute(query, values).fetchone()[0])

    def _forget_deliveries(self) -> None:
        if not self.places.regulator.is_dir():
            return
        until = time.monotonic() + PATIENCE_SECONDS
        while any(status == "submitted" for _, status in self.regulator_files()):
            assert time.monotonic() < until, "the regulator judges what it was sent"
        with closing(sqlite3.connect(self.places.regulator / "regulator.sqlite", timeout=30)) as opened:
            opened.execute("DELETE FROM file")
            opened.commit()
        for folder in (self.places.outbox, self.places.regulator / "received"):
            for path in folder.iterdir():
                path.unlink(missing_ok=True)


def _round_digests(installation: Installation, state: FilingState) -> tuple[str, ...]:
    recorded = state.rounds[-1].fact
    installation.rounds.verify(state.id, recorded.round, digest=recorded.manifest)
    rounds = [f"round {number}" for number in installation.rounds.rounds(state.id)]
    # not the manifest's own digest: its certificate names the time
    return *rounds, *(t.digest for t in recorded.tables.values())


def _package_digests(installation: Installation, state: FilingState) -> tuple[str, ...]:
    assert state.package is not None
    assert package_digest(package_folder(installation, state)) == state.package.fact.package
    return state.package.fact.content, state.package.fact.package, *state.package.fact.files.values()


def _delivery_digests(installation: Installation, state: FilingState) -> tuple[str, ...]:
    assert state.sent is not None
    sent = sent_file(package_folder(installation, state))
    return state.sent.fact.package, sent.name, state.sent.fact.remote


_DIGESTS: dict[str, Callable[[Installation, FilingState], tuple[str, ...]]] = {
    "extract": _round_digests,
    "package": _package_digests,
    "deliver": _delivery_digests,
}
