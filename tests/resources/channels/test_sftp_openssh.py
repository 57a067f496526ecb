"""The same client against OpenSSH's own server: keys, resuming, a full disk. Needs Debian's openssh-server."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
import pytest

from pipelines.errors import Refused, Unavailable
from resources.channels import SftpChannel

SSHD = Path("/usr/sbin/sshd")
LARGEST_FILE = 6000 * 512


@dataclass
class OpenSsh:
    port: int
    folder: Path
    known_hosts: Path
    private_key: str
    process: subprocess.Popen[bytes]

    def channel(self, **changes: Any) -> SftpChannel:
        given: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.port,
            "username": getpass.getuser(),
            "private_key": self.private_key,
            "known_hosts": self.known_hosts,
            "host_key_alias": "openssh",
            "folder": str(self.folder),
            "timeout_seconds": 10.0,
        }
        return SftpChannel(**(given | changes))


@pytest.fixture(scope="module")
def openssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenSsh]:
    assert SSHD.exists(), "install the Debian package openssh-server: these tests run its /usr/sbin/sshd"
    root = tmp_path_factory.mktemp("openssh")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    for name, kind in (("host_ed25519", "ed25519"), ("host_rsa", "rsa"), ("user", "ed25519")):
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(root / name)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (root / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {root}/host_ed25519\nHostKey {root}/host_rsa\n"
        f"AuthorizedKeysFile {root}/user.pub\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n"
        "PasswordAuthentication no\nPidFile none\nSubsystem sftp internal-sftp\n"
    )
    kind, key = (root / "host_rsa.pub").read_text().split()[:2]
    (root / "known_hosts").write_text(f"openssh {kind} {key}\n")  # only the one the server does not prefer
    (root / "in").mkdir()
    with (root / "log").open("wb") as log:
        # Past the limit writes fail with EFBIG, as they fail with ENOSPC on a full disk.
        limited = 'trap \'\' XFSZ; ulimit -f 6000; exec "$0" -D -e -f "$1"'
        process = subprocess.Popen(["/bin/sh", "-c", limited, str(SSHD), str(root / "config")], stderr=log)
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, (root / "log").read_text()
    yield OpenSsh(port, root / "in", root / "known_hosts", (root / "user").read_text(), process)
    process.terminate()
    process.wait()


def _package(tmp_path: Path, size: int) -> Path:
    path = tmp_path / "a.zip"
    path.write_bytes(os.urandom(size))
    return path


def test_send_find_list_fetch_by_key_with_one_of_two_host_keys_pinned(
    openssh: OpenSsh, tmp_path: Path
) -> None:
    local = _package(tmp_path, 2_000_000)
    with openssh.channel() as sftp:
        sent = sftp.send(local, "报文.zip")
        assert sftp.find("报文.zip") == sent == sftp.send(local, "报文.zip")
        assert sftp.list() == ["报文.zip"]
        assert sftp.fetch("报文.zip", tmp_path / "back.zip") == sent
    assert (openssh.folder / "报文.zip").read_bytes() == local.read_bytes()


def test_a_clean_prefix_is_resumed(openssh: OpenSsh, tmp_path: Path) -> None:
    local = _package(tmp_path, 1_000_000)
    (openssh.folder / "resumed.zip.part").write_bytes(local.read_bytes()[:400_000])
    told: list[int] = []
    with openssh.channel() as sftp:
        sftp.send(local, "resumed.zip", lambda there, _: told.append(there))
    assert told[0] == 400_000
    assert (openssh.folder / "resumed.zip").read_bytes() == local.read_bytes()


@pytest.mark.parametrize("size", [LARGEST_FILE + 1, LARGEST_FILE + 1_000_000])
def test_a_full_disk_is_never_a_short_file_under_the_final_name(
    openssh: OpenSsh, tmp_path: Path, size: int
) -> None:
    with openssh.channel() as sftp, pytest.raises(Unavailable) as full:
        sftp.send(_package(tmp_path, size), "full.zip")
    assert full.value.code in ("sftp.failure", "sftp.damaged")
    assert not (openssh.folder / "full.zip").exists()


def test_a_key_nobody_authorised_and_a_missing_folder_are_refused(openssh: OpenSsh, tmp_path: Path) -> None:
    other = tmp_path / "other"
    paramiko.ECDSAKey.generate().write_private_key_file(str(other))
    with pytest.raises(Refused) as login:
        openssh.channel(private_key=other.read_text()).find("x")
    assert login.value.code == "sftp.login"
    with openssh.channel(folder="/nowhere") as sftp, pytest.raises(Refused) as missing:
        sftp.send(_package(tmp_path, 10), "x.zip")
    assert missing.value.code == "sftp.not_found"
