"""One process that runs the embedded servers in one loop, and the ways to start, find and stop it.

A lock file decides who runs; `endpoints.json` appears when all servers answer and goes when they stop. No
server is written here, only started.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.request import ProxyHandler, build_opener

import uvicorn

from resources.embedded.layouts import Limits
from resources.embedded.places import HOST, HOST_KEY_ALIAS, Places, RegulatorClock, write_whole
from resources.embedded.regulator import BUREAU_PATH, COMMISSION_PATH, Regulator
from resources.embedded.sftp_server import READER, WRITER, serve_sftp

_LOG = logging.getLogger("embedded.supervisor")
_PATIENCE_SECONDS = 20.0
_STARTED: dict[int, subprocess.Popen[bytes]] = {}  # children of this process, to be reaped when they end


class NotStartedError(Exception):
    """The servers could not be started or stopped; the text says why and what to do."""


@dataclass(frozen=True)
class Options:
    """How the servers behave; the same defaults in the demo and in `make dev`. `inbox`: the accounts that drop answers."""

    clock: Path | None = None
    quota_bytes: int | None = None
    judging_seconds: float = 0.3
    inbox: tuple[str, ...] = ()


def running_pid(places: Places) -> int | None:
    """The process that holds the lock, answering or not."""
    if not places.lock.exists():
        return None
    with places.lock.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = lock.read().strip()
            return int(text) if text else None
    return None


def live_endpoints(places: Places) -> dict[str, object] | None:
    """What `endpoints.json` says, if the process named there holds the lock and answers."""
    try:
        text = places.endpoints.read_text(encoding="utf-8")
        stated = json.loads(text)
        if stated["pid"] != running_pid(places):
            return None
        with build_opener(ProxyHandler({})).open(f"{stated['interface']['url']}/health", timeout=5) as answer:
            return stated if json.load(answer) == {"pid": stated["pid"]} else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def start_detached(places: Places, options: Options) -> dict[str, object]:
    """Start the servers in a session of their own unless they run; returns the endpoints when they answer."""
    alive = live_endpoints(places)
    if alive is not None:
        return alive
    places.root.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "resources.embedded", "start", "--home", str(places.home)]
    command += ["--judging-seconds", str(options.judging_seconds)]
    command += ["--clock", str(options.clock)] if options.clock else []
    command += ["--sftp-quota", str(options.quota_bytes)] if options.quota_bytes is not None else []
    command += [word for account in options.inbox for word in ("--inbox", account)]
    with places.log.open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    _STARTED[process.pid] = process
    ready: list[dict[str, object]] = []

    def is_ready() -> bool:
        alive = live_endpoints(places)
        ready[:] = [alive] if alive else []
        return bool(ready) or process.poll() is not None

    _wait(is_ready)
    if not ready:
        tail = "\n".join(places.log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
        raise NotStartedError(f"the embedded servers did not start; the end of {places.log} says:\n{tail}")
    return ready[0]


def stop(places: Places) -> int | None:
    """End the running servers and wait for it; returns the pid that was ended, None when nothing ran."""
    pid = running_pid(places)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        if not _wait(lambda: running_pid(places) != pid):
            raise NotStartedError(
                f"process {pid} did not end in {_PATIENCE_SECONDS:.0f} s; look at {places.log},"
                f" then: kill -9 {pid}"
            )
    places.endpoints.unlink(missing_ok=True)
    if pid in _STARTED:
        _STARTED.pop(pid).wait()
    return pid


def run(places: Places, options: Options) -> None:
    """Run the servers until SIGTERM or SIGINT; returns at once when they run already."""
    if live_endpoints(places) is not None:
        return
    places.prepare(options.inbox)
    with _only_one(places):
        asyncio.run(_serve(places, options))


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(is_done: Callable[[], bool], *, patience_seconds: float = _PATIENCE_SECONDS) -> bool:
    deadline = time.monotonic() + patience_seconds
    while not is_done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextlib.contextmanager
def _only_one(places: Places) -> Generator[None]:
    with places.lock.open("a+") as lock:
        if not _wait(lambda: _locked(lock), patience_seconds=2):  # a look at who runs holds it for a moment
            pid = running_pid(places)
            raise NotStartedError(
                f"process {pid} runs the servers of {places.home} but does not answer; stop it first"
            )
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind((HOST, 0))
    sock.listen(64)
    sock.setblocking(False)
    return sock


class _Web(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield  # signals belong to the supervisor


async def _serve(places: Places, options: Options) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    clock = RegulatorClock(options.clock)
    regulator = Regulator(places, clock, limits=Limits(), judging_seconds=options.judging_seconds)
    sftp_socket, web_socket = _bound(), _bound()
    sftp = await serve_sftp(places, sftp_socket, quota_bytes=options.quota_bytes, inbox=options.inbox)
    web = _Web(
        uvicorn.Config(
            regulator.application(),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    serving = asyncio.create_task(web.serve(sockets=[web_socket]))
    while not web.started:
        await asyncio.sleep(0.01)
    regulator.resume()
    write_whole(places.endpoints, _endpoints(sftp_socket.getsockname()[1], web_socket.getsockname()[1]))
    _LOG.info("ready, pid %d", os.getpid())
    watching = asyncio.create_task(_end_with_home(places, ending))
    try:
        await ending.wait()
    finally:
        watching.cancel()
        places.endpoints.unlink(missing_ok=True)
        web.should_exit = True
        sftp.close()
        await serving
        _LOG.info("stopped, pid %d", os.getpid())


async def _end_with_home(places: Places, ending: asyncio.Event) -> None:
    """Nobody can find servers whose home was deleted: they end by themselves."""
    while places.lock.exists() and places.lock.read_text(encoding="ascii") == f"{os.getpid()}\n":
        await asyncio.sleep(1)
    ending.set()


def _endpoints(sftp_port: int, web_port: int) -> str:
    url = f"http://{HOST}:{web_port}"
    stated = {
        "pid": os.getpid(),
        "sftp": {
            "host": HOST, "port": sftp_port, "host_key_alias": HOST_KEY_ALIAS,
            "users": [WRITER, READER], "folder": "/outbox",
        },
        "interface": {"host": HOST, "port": web_port, "url": url, "path": COMMISSION_PATH},
        "bureau": {"host": HOST, "port": web_port, "url": url, "path": BUREAU_PATH},
    }  # fmt: skip
    return json.dumps(stated, indent=2, sort_keys=True) + "\n"
