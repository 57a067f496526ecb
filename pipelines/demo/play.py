"""`make demo`: sets the stage, lets the daemon run, plays the people, and holds the outcome against what it must be.

Each standard is a script: a generator that acts and yields what it waits for. Scripts take turns, so four filings run
concurrently in Dagster while one process plays everybody.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg

from pipelines.demo.company import Company
from pipelines.demo.outcome import Deviation, Outcome, report
from pipelines.demo.scripts import SCRIPTS
from pipelines.demo.servers import Servers
from pipelines.demo.stage_setting import set_stage
from pipelines.demo.watch import Watch
from pipelines.errors import Refused
from pipelines.stages.installation import Installation, open_installation
from resources.settings import Settings

PATIENCE_SECONDS = 900
POLL_SECONDS = 0.7


def play(settings: Settings, *, policies: int) -> None:
    """Play all four filings to their evidence. Raises Deviation, naming what was not as it must be."""
    began = time.monotonic()
    servers = Servers(settings.home)
    if servers.is_running():
        raise Refused("demo.running", home=settings.home)
    servers.stop()
    if (settings.home / "ledger.db").exists():
        _say(f"清除上一次演示的状态 · starting from zero: {settings.home}")
    _say(
        "搭台：时钟、核心系统（含已知缺陷）、真实的 Schedule P 数据、监管方与 SFTP 替身服务。人员均为模拟，服务、文件、摘要与决定为真。"
    )
    set_stage(settings, policies=policies)
    servers.prepare_dagster()
    servers.start_embedded()
    try:
        url = servers.start_desk()
        servers.start_daemon()
        with open_installation(settings) as installation:
            company = Company(settings, installation.deployment, url)
            outcome = Outcome(installation)
            _take_turns(installation, outcome, company)
            report(outcome, seconds=time.monotonic() - began)
    finally:
        servers.stop()


def _take_turns(installation: Installation, outcome: Outcome, company: Company) -> None:
    watch = Watch(installation)
    scripts = {name: script(installation, outcome, company) for name, script in SCRIPTS.items()}
    waiting: dict[str, Callable[[], bool]] = {name: lambda: True for name in scripts}
    until = time.monotonic() + PATIENCE_SECONDS
    with dg.DagsterInstance.get() as instance:
        while waiting:
            watch.tell_news()
            for name in list(waiting):
                if waiting[name]():
                    try:
                        waiting[name] = next(scripts[name])
                    except StopIteration:
                        del waiting[name]
            _no_failed_run(instance, installation.home)
            if time.monotonic() > until:
                stuck = "; ".join(f"{s.id} {s.stage}" for s in installation.states() if not s.evidence)
                raise Deviation(f"{PATIENCE_SECONDS} s 后仍未完成 · not done: {stuck}")
            time.sleep(POLL_SECONDS)
    watch.tell_news()


def _no_failed_run(instance: dg.DagsterInstance, home: Path) -> None:
    failed = instance.get_runs(filters=dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
    for run in failed:
        records = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        why = [r.dagster_event.step_failure_data.error for r in records if r.dagster_event]
        text = why[0].message if why and why[0] else "see the log"
        raise Deviation(f"{run.job_name} {run.tags.get('dagster/partition')}: {text}\n{home / 'log'}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
