"""What is measured at the desk: pages over more than a million findings, read by ten people at once who think for two seconds."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import httpx

from pipelines.demo.visitor import Declined, Visitor
from resources.accounts import Client, open_accounts
from resources.deployment import load_deployment
from resources.settings import Settings
from tests.benchmarks.data import cache, many_findings
from tests.benchmarks.measures import Bench
from tests.benchmarks.measuring import ROOT, Failed
from tests.benchmarks.results import Result
from tests.flow.play import AUDIT, DEMO, opened

THINK_SECONDS, WALK_SECONDS = 2.0, 60.0
GOAL_MS = 500
PASSWORD = "a sentence for the measuring"
PEOPLE = ("data_engineer", "engineer2", "audit_reviewer", "business_reviewer", "underwriting_reviewer", "executive",
          "president", "branch_440000", "finance_reviewer", "actuary")  # fmt: skip
_FINDING = re.compile(r'href="([^"]+/findings/[0-9a-f]{32}[^"]*)"')


@dataclass
class Walks:
    """Seconds per page, and what went wrong; filled by several threads."""

    seconds: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])


def desk(bench: Bench) -> list[Result]:
    """The 95th percentile of all pages. Only with FULL=1: the data takes minutes to make."""
    if not bench.is_full:
        return []
    bench.tell(f"data: {many_findings.POLICIES:,} policies whose customers are all wrong, judged")
    made = cache.made(bench.cache, "many-findings", many_findings.write)
    with tempfile.TemporaryDirectory(prefix="baosong-desk-") as folder:
        home = Path(folder) / "home"
        shutil.copytree(made, home)
        findings = _furnish(home)
        first, walks = _serve_and_walk(home)
    if walks.wrong:
        raise Failed(walks.wrong[0])
    ordered = sorted(1000 * seconds for seconds in walks.seconds)
    median, late = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
    return [
        Result(
            f"the desk over {findings:,} findings, {len(PEOPLE)} people, {THINK_SECONDS:.0f} s between pages: 95th percentile",
            f"{late:.0f} ms, median {median:.0f} ms, {len(ordered)} pages", "–", late, goal=GOAL_MS, unit="ms",
            note=f"server and readers on the same cores; the first page after an event writes the register: {first:.1f} s",
        )
    ]  # fmt: skip


def _furnish(home: Path) -> int:
    """Accounts for everybody; how many findings there are."""
    settings = Settings(home=home, deployment=DEMO)
    with open_accounts(settings, load_deployment(DEMO, home)) as accounts:
        for user in PEOPLE:
            accounts.enrol(user, accounts.invite(user, "administrator"), PASSWORD, Client("127.0.0.1"))
    with opened(home) as installation:
        content = installation.state(AUDIT).content
    assert content is not None, "it was judged"
    return sum(content.fact.counts.values())


def _serve_and_walk(home: Path) -> tuple[float, Walks]:
    """Seconds of the first page, and the walks of all people at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "pipelines.cli.main", "desk", "--port", port]
    with (home / "desk.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ, "BAOSONG_HOME": str(home)}
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, server)
        visitors = [Visitor(httpx.Client(base_url=url, timeout=120), user) for user in PEOPLE]
        for visitor in visitors:
            visitor.log_in(PASSWORD)
        began = time.monotonic()
        visitors[0].read(f"/filings/{AUDIT}/findings")
        first, walks = time.monotonic() - began, Walks()
        threads = [threading.Thread(target=_walk, args=(v, n, walks)) for n, v in enumerate(visitors)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return first, walks
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        try:
            httpx.get(f"{url}/healthy")
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise Failed("the desk did not start")


def _walk(visitor: Visitor, number: int, walks: Walks) -> None:
    """Page after page, at random but the same in every run, with time to think between them."""
    chance, filing = random.Random(number), f"/filings/{AUDIT}"  # noqa: S311 - which page comes next
    found = f"{filing}/findings"
    single = [unescape(link) for link in _FINDING.findall(visitor.read(found))]
    pages = [
        "/", "/calendar", "/filings", filing, found, f"{found}?rule=B01", f"{found}?rule=C01&branch=440000&page=7",
        f"{found}?sort=branch&page=3", f"{found}?words=K44000000", *single[:2],
    ]  # fmt: skip
    until = time.monotonic() + WALK_SECONDS
    time.sleep(chance.random() * THINK_SECONDS)
    while time.monotonic() < until:
        page, began = chance.choice(pages), time.monotonic()
        try:
            visitor.read(page)
        except Declined as declined:
            walks.wrong.append(f"{page}: {declined}")
        walks.seconds.append(time.monotonic() - began)
        time.sleep(THINK_SECONDS)
