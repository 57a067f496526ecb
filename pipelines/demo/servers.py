"""The processes around the flow: stand-in servers, the desk, Dagster's daemon and web server; each ended by its own group.

`dagster dev` leaves children behind when it is ended, so the daemon and the web server are started one by one, each as
the leader of a process group, whose ids are kept in `BAOSONG_HOME/demo/processes.json`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import httpx

from resources.deployment import load_deployment
from resources.settings import CHECKOUT, Settings

PATIENCE_SECONDS = 20


class Servers:
    """The processes of one home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.dagster_home = home / "dagster"
        self._record = home / "demo" / "processes.json"

    def start_embedded(self) -> None:
        """The designated SFTP server and the regulator, on free loopback ports; a running one is kept."""
        users = load_deployment(Settings.load().deployment, self.home).users.values()
        inbox = [w for u in users if u.has_role("branch_preparer") for w in ("--inbox", u.id)]
        self._embedded("start", "--detach", "--clock", str(self.home / "clock"), *inbox)

    def start_daemon(self) -> None:
        """Sensors, schedules and the run queue."""
        self._start("daemon", "dagster-daemon", "run", "-w", "workspace.yaml")

    def start_webserver(self, port: int) -> subprocess.Popen[bytes]:
        """Dagster's UI, on loopback only: it has no login."""
        return self._start(
            "webserver", "dagster-webserver", "-h", "127.0.0.1", "-p", str(port), "-w", "workspace.yaml"
        )

    def start_desk(self, port: int = 0) -> str:
        """The desk, on loopback; its address, once it answers. What is started afterwards links to it."""
        port = port or _free_port()
        process = self._start("desk", "baosong", "desk", "--port", str(port))
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_SECONDS
        os.environ["BAOSONG_DESK_URL"] = url
        while not _answers(f"{url}/healthy"):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"desk: {self.home / 'log' / 'desk.log'}")
            time.sleep(0.1)
        return url

    def is_running(self) -> bool:
        """Whether processes of an earlier `make dev` or `make demo` are alive."""
        return any(_is_ours(group) for group in self._recorded().values())

    def stop(self) -> None:
        """End everything that was started here, and only that."""
        for group in self._recorded().values():
            _end_group(group)
        self._record.unlink(missing_ok=True)
        if (self.home / "embedded").is_dir():
            self._embedded("stop")

    def prepare_dagster(self) -> None:
        """DAGSTER_HOME with the shipped dagster.yaml; this process and its children use it.

        Its databases are made here: two processes that find none make them both, and Dagster then opens neither.
        """
        self.dagster_home.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(CHECKOUT / "resources" / "dagster.yaml", self.dagster_home / "dagster.yaml")
        os.environ["DAGSTER_HOME"] = str(self.dagster_home)
        os.environ["BAOSONG_HOME"] = str(self.home)
        os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
        with dg.DagsterInstance.get():
            pass

    def _embedded(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "resources.embedded", *arguments, "--home", str(self.home)]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode != 0:
            raise SystemExit(f"embedded servers: {done.stderr.strip()}")

    def _start(self, name: str, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = self.home / "log" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own programs
                [str(Path(sys.executable).with_name(program)), *arguments],
                cwd=CHECKOUT,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._record.parent.mkdir(parents=True, exist_ok=True)
        self._record.write_text(json.dumps({**self._recorded(), name: process.pid}), encoding="utf-8")
        return process

    def _recorded(self) -> dict[str, int]:
        return json.loads(self._record.read_text(encoding="utf-8")) if self._record.exists() else {}


def _end_group(group: int) -> None:
    """SIGTERM to the group, SIGKILL to what is left of it; a group that is gone is fine.

    A recorded id may belong to somebody else by now: only a group whose leader runs our programs is ended.
    """
    if Path(f"/proc/{group}").exists() and not _is_ours(group):
        return
    for sign in (signal.SIGTERM, signal.SIGKILL):
        until = time.monotonic() + PATIENCE_SECONDS
        try:
            os.killpg(group, sign)
            while time.monotonic() < until:
                _reap(group)
                os.killpg(group, 0)
                time.sleep(0.1)
        except (ProcessLookupError, PermissionError):
            return


def _is_ours(group: int) -> bool:
    try:
        started = Path(f"/proc/{group}/cmdline").read_bytes()
    except OSError:
        return False
    return b"dagster" in started or b"baosong\0desk" in started


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def _reap(group: int) -> None:
    """Our own children stay as zombies, which still count as a group, until they are waited for."""
    try:
        os.waitpid(-group, os.WNOHANG)
    except ChildProcessError:
        return
