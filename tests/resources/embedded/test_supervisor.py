"""Starting, finding, stopping; what survives a kill; who may do what at the doors."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import pytest

from resources.embedded.bureau import NoReceiptError, hand_over
from resources.embedded.places import SECRETS, Places, RegulatorClock
from resources.embedded.supervisor import Options, live_endpoints, running_pid, start_detached, stop


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "resources.embedded", *arguments], capture_output=True, text=True, check=False
    )


def http(
    servers: Any, method: str, path: str, *, keeper: str = "interface_token", **given: Any
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {servers.places.secret(keeper)}"} | given.pop("headers", {})
    url = f"http://127.0.0.1:{servers.port('interface')}{path}"
    return httpx.request(method, url, headers=headers, trust_env=False, timeout=10, **given)


def announced(body: bytes, name: str = "a.xml") -> dict[str, str]:
    return {"X-File-Name": name, "X-Filing": "a.b.c", "X-SHA256": hashlib.sha256(body).hexdigest()}


def test_the_command_starts_keeps_shows_and_stops(tmp_path: Path) -> None:
    home = ["--home", str(tmp_path)]
    assert command("status", *home).returncode == 1
    started = command("start", "--detach", *home)
    assert started.returncode == 0, started.stderr
    try:
        endpoints = json.loads(started.stdout)
        assert json.loads((tmp_path / "embedded/endpoints.json").read_text()) == endpoints
        assert json.loads(command("start", "--detach", *home).stdout) == endpoints
        assert command("start", *home).returncode == 0  # in the foreground: one runs already
        assert json.loads(command("status", *home).stdout) == endpoints
    finally:
        stopped = command("stop", *home)
    assert stopped.stdout == f"stopped process {endpoints['pid']}\n"
    assert not (tmp_path / "embedded/endpoints.json").exists()
    assert command("stop", *home).stdout == "nothing was running\n"


def test_a_killed_server_comes_back_with_its_key_secrets_and_files(own_servers: Any) -> None:
    places: Places = own_servers.places
    before = {name: places.secret(name) for name in SECRETS} | {"key": places.known_hosts.read_text()}
    stored = http(own_servers, "POST", "/api/v1/files", content=b"hi", headers=announced(b"hi")).json()
    old = running_pid(places)
    own_servers.kill()
    assert places.endpoints.exists() and live_endpoints(places) is None  # stale, and known to be
    own_servers.start()
    assert running_pid(places) not in (None, old)
    assert {name: places.secret(name) for name in SECRETS} | {"key": places.known_hosts.read_text()} == before
    assert http(own_servers, "GET", f"/api/v1/files/{stored['id']}").json() == stored
    for name in SECRETS:
        assert stat.S_IMODE(places.secret_file(name).stat().st_mode) == 0o600
    assert stat.S_IMODE(places.host_key.stat().st_mode) == 0o600


def test_what_was_submitted_before_a_kill_is_judged_after_it(tmp_path: Path, own_servers: Any) -> None:
    stop(own_servers.places)
    own_servers.options = Options(judging_seconds=60)
    own_servers.start()
    stored = http(own_servers, "POST", "/api/v1/files", content=b"hi", headers=announced(b"hi")).json()
    assert http(own_servers, "POST", f"/api/v1/files/{stored['id']}/submit").status_code == 202
    own_servers.kill()
    own_servers.options = Options(judging_seconds=0)
    own_servers.start()
    deadline = time.monotonic() + 10
    while (answer := http(own_servers, "GET", f"/api/v1/files/{stored['id']}/receipt")).status_code == 202:
        assert time.monotonic() < deadline
    assert answer.json()["result"] == "rejected"


def test_servers_end_when_their_home_is_deleted(own_servers: Any) -> None:
    pid = running_pid(own_servers.places)
    own_servers.places.lock.unlink()
    deadline = time.monotonic() + 10
    while (own_servers.places.endpoints).exists():
        assert time.monotonic() < deadline
    assert pid is not None


@pytest.mark.parametrize(
    ("method", "path", "given", "status", "error"),
    [
        ("GET", "/api/v1/files?sha256=0", {"keeper": "bureau_token"}, 401, "token"),
        ("POST", "/bureau/handover", {"content": b"x"}, 401, "token"),
        ("GET", "/api/v1/files/F1x", {}, 404, "unknown_file"),
        ("GET", "/nowhere", {}, 404, "not_published"),
        ("POST", "/api/v1/files", {"content": b"x"}, 400, "headers"),
        ("POST", "/api/v1/files", {"content": b"x", "headers": announced(b"x", "..%2Fa")}, 400, "headers"),
        ("POST", "/api/v1/files", {"content": b"x", "headers": announced(b"y")}, 422, "digest"),
    ],
)
def test_the_doors_refuse_in_the_published_form(
    servers: Any, method: str, path: str, given: dict[str, Any], status: int, error: str
) -> None:
    answer = http(servers, method, path, **given)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "message"}
    received = servers.places.regulator / "received"
    assert [path.name for path in received.iterdir() if path.name.endswith(".part")] == []


def test_the_bureau_gives_one_receipt_for_one_package(servers: Any, tmp_path: Path) -> None:
    package = tmp_path / "报文-v1.zip"
    package.write_bytes(b"no zip")
    text = hand_over(servers.places, package, filing="circ_audit.detail.J1")
    receipt = json.loads(text)
    assert (receipt["result"], receipt["file_name"]) == ("rejected", package.name)
    assert receipt["number"].startswith("YJ-") and receipt["errors"][0]["rule"] == "T01"
    assert hand_over(servers.places, package, filing="circ_audit.detail.J1") == text
    with pytest.raises(NoReceiptError):
        hand_over(Places(tmp_path), package, filing="circ_audit.detail.J1")


@pytest.mark.parametrize("user", ["baosong", "branch"])
def test_sftp_users_cannot_leave_the_outbox(servers: Any, user: str) -> None:
    secret = "sftp_password" if user == "baosong" else "sftp_branch_password"

    async def attempts() -> list[str]:
        refused: list[str] = []
        async with asyncssh.connect(
            "127.0.0.1",
            servers.port("sftp"),
            username=user,
            password=servers.places.secret(secret),
            known_hosts=str(servers.places.known_hosts),
            host_key_alias="designated-sftp",
            config=None,
        ) as connection:
            async with connection.start_sftp_client() as sftp:
                for name, attempt in {
                    "symlink": lambda: sftp.symlink("/etc/passwd", "/outbox/link"),
                    "mkdir": lambda: sftp.mkdir("/outbox/folder"),
                    "rename": lambda: sftp.posix_rename("/outbox", "/other"),
                    "open": lambda: sftp.open("/outside", "wb"),
                    "dots": lambda: sftp.open("/outbox/../outside", "wb"),
                    "deep": lambda: sftp.open("/../../../../etc/passwd", "rb"),
                }.items():
                    try:
                        await attempt()
                    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchFile):
                        refused.append(name)
            try:
                await connection.run("id")
            except asyncssh.ChannelOpenError:
                refused.append("shell")
        return refused

    refused = asyncio.run(attempts())
    assert refused == ["symlink", "mkdir", "rename", "open", "dots", "deep", "shell"]


def test_receipts_carry_the_time_of_a_clock_file(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    now = RegulatorClock().now()
    clock.write_text(json.dumps({"simulated": "2026-05-06T09:00:00+08:00", "real": now.isoformat()}))
    flowed = RegulatorClock(clock).now()
    assert flowed.isoformat().startswith("2026-05-06T09:00:0") and str(flowed.tzinfo) == "UTC+08:00"
    assert (RegulatorClock(tmp_path / "none").now() - now).total_seconds() < 5


def test_a_start_that_fails_says_why(tmp_path: Path) -> None:
    places = Places(tmp_path)
    start_detached(places, Options())
    try:
        places.endpoints.write_text("{}")  # as if it did not answer
        answer = command("start", "--home", str(tmp_path))
        assert answer.returncode == 4 and "stop it first" in answer.stderr
    finally:
        stop(places)
