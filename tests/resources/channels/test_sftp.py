"""SFTP against the embedded server: what arrives, what resumes, what is refused."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path
from typing import Any

import paramiko
import pytest

from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from resources.channels import SftpChannel

BLOCK = 32 * 1024


def channel(servers: Any, **changes: Any) -> SftpChannel:
    places = servers.places
    given: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": changes.pop("port", None) or servers.port("sftp"),
        "username": "baosong",
        "password": places.secret("sftp_password"),
        "known_hosts": places.known_hosts,
        "host_key_alias": "designated-sftp",
        "folder": "/outbox",
        "timeout_seconds": 10.0,
    }
    return SftpChannel(**(given | changes))


def package(tmp_path: Path, size: int = 500_000, name: str = "a.zip") -> Path:
    path = tmp_path / name
    path.write_bytes(os.urandom(size))
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 5_000_000])
def test_what_is_sent_is_found_listed_and_fetched_equal(servers: Any, tmp_path: Path, size: int) -> None:
    local, name = package(tmp_path, size), f"报文-{size}.zip"
    told: list[tuple[int, int]] = []
    with channel(servers) as sftp:
        sent = sftp.send(local, name, lambda there, whole: told.append((there, whole)))
        assert (sent.size, sent.sha256) == (size, sha256(local))
        assert sftp.find(name) == sent
        assert name in sftp.list() and name + ".part" not in sftp.list()
        assert sftp.fetch(name, tmp_path / "back.zip") == sent
    assert told[0] == (0, size) and told[-1] == (size, size)
    assert sha256(tmp_path / "back.zip") == sha256(local)
    assert (servers.places.outbox / name).read_bytes() == local.read_bytes()


def test_sending_again_moves_no_byte_and_other_content_is_refused(servers: Any, tmp_path: Path) -> None:
    local = package(tmp_path)
    told: list[int] = []
    with channel(servers) as sftp:
        first = sftp.send(local, "again.zip")
        assert sftp.send(local, "again.zip", lambda there, _: told.append(there)) == first
        assert told == []
        with pytest.raises(Refused) as refused:
            sftp.send(package(tmp_path, 10, "b.zip"), "again.zip")
        assert refused.value.code == "sftp.other_content" and first.sha256 in str(refused.value)
        assert sftp.find("again.zip") == first


def test_a_clean_prefix_is_resumed_and_a_foreign_one_is_not(servers: Any, tmp_path: Path) -> None:
    local = package(tmp_path, 300_000)
    outbox, starts = servers.places.outbox, []
    (outbox / "clean.zip.part").write_bytes(local.read_bytes()[:100_001])
    (outbox / "foreign.zip.part").write_bytes(b"x" * 100_001)
    (outbox / "longer.zip.part").write_bytes(local.read_bytes() + b"x")
    (outbox / "all.zip.part").write_bytes(local.read_bytes())
    with channel(servers) as sftp:
        for name in ("clean.zip", "foreign.zip", "longer.zip", "all.zip"):
            told: list[int] = []
            sftp.send(local, name, lambda there, _, told=told: told.append(there))
            starts.append(told[0])
            assert (outbox / name).read_bytes() == local.read_bytes()
    assert starts == [100_001, 0, 0, 300_000]


def test_a_server_killed_in_mid_upload_leaves_a_part_that_is_resumed(
    own_servers: Any, tmp_path: Path
) -> None:
    local = package(tmp_path, 3_900_000)
    part = own_servers.places.outbox / "killed.zip.part"
    killed: list[int] = []
    told: list[int] = []

    def kill_once(there: int, _: int) -> None:
        """The client counts what it sent; only what the server has written survives it."""
        if there > 2_000_000 and not killed and part.exists() and part.stat().st_size:
            killed.append(there)
            own_servers.kill()

    with channel(own_servers) as sftp, pytest.raises(Unavailable) as cut:
        sftp.send(local, "killed.zip", kill_once)
    assert killed and cut.value.code == "sftp.cut"
    left = part.stat().st_size
    assert 0 < left < 3_900_000 and local.read_bytes().startswith(part.read_bytes())
    own_servers.start()
    with channel(own_servers) as sftp:
        sent = sftp.send(local, "killed.zip", lambda there, _: told.append(there))
    assert told[0] == left and sent.sha256 == sha256(local)
    assert sha256(own_servers.places.outbox / "killed.zip") == sha256(local)


def test_a_frozen_server_is_an_error_in_time_before_and_after_login(own_servers: Any, tmp_path: Path) -> None:
    local, port = package(tmp_path), own_servers.port("sftp")
    open_already = channel(own_servers, timeout_seconds=1.0)
    with open_already:
        own_servers.signal(signal.SIGSTOP)
        try:
            with pytest.raises(Unavailable) as frozen:
                open_already.send(local, "frozen.zip")
            with pytest.raises(Unavailable) as at_login:
                channel(own_servers, port=port, timeout_seconds=1.0).find("x.zip")
        finally:
            own_servers.signal(signal.SIGCONT)
    assert frozen.value.code == at_login.value.code == "sftp.timeout"


def test_a_full_quota_is_told_and_no_final_name_appears(own_servers: Any, tmp_path: Path) -> None:
    with channel(own_servers) as sftp, pytest.raises(Unavailable) as full:
        sftp.send(package(tmp_path, 4_000_001), "big.zip")
    assert full.value.code == "sftp.failure" and "/outbox/big.zip.part" in str(full.value)
    with channel(own_servers) as sftp:
        assert sftp.list() == []


def test_an_unknown_and_a_changed_host_key_are_refused_with_the_line_to_pin(
    servers: Any, tmp_path: Path
) -> None:
    pinned = servers.places.known_hosts.read_text()
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text("# nobody\n" + pinned.replace("designated-sftp", "another"))
    with pytest.raises(Refused) as unknown:
        channel(servers, known_hosts=known_hosts).find("x.zip")
    assert unknown.value.code == "sftp.host_key"
    assert pinned.strip() in str(unknown.value) and "SHA256:" in str(unknown.value)
    other = paramiko.ECDSAKey.generate()
    known_hosts.write_text(f"designated-sftp {other.get_name()} {other.get_base64()}\n")
    with pytest.raises(Refused) as changed:
        channel(servers, known_hosts=known_hosts).find("x.zip")
    assert changed.value.code == "sftp.host_key_changed"
    known_hosts.write_text(f"designated-sftp {other.get_name()} {other.get_base64()}\nother,{pinned}")
    assert channel_works(servers, known_hosts)


def channel_works(servers: Any, known_hosts: Path) -> bool:
    with channel(servers, known_hosts=known_hosts) as sftp:
        return sftp.find("nothing.zip") is None


@pytest.mark.parametrize(
    "line", ["designated-sftp ssh-ed25519", "|1|a|b ssh-ed25519 AAAA", "* ssh-rsa AAAA", "@revoked a b AAAA"]
)
def test_a_known_hosts_line_that_is_not_understood_is_named(servers: Any, tmp_path: Path, line: str) -> None:
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text("\n" + line + "\n")
    with pytest.raises(BadInput) as named:
        channel(servers, known_hosts=known_hosts).find("x.zip")
    assert named.value.values == {"path": known_hosts, "line": 2}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"password": "wrong"}, "sftp.login"),
        ({"username": "nobody"}, "sftp.login"),
        ({"private_key": "no key", "password": None}, "sftp.private_key"),
        ({"password": None}, "sftp.credential"),
        ({"known_hosts": Path("/nowhere/known_hosts")}, "sftp.known_hosts"),
    ],
)
def test_a_login_that_cannot_work_is_refused(servers: Any, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(BaosongError) as wrong:
        channel(servers, **changes).find("x.zip")
    assert wrong.value.code == code
    assert servers.places.secret("sftp_password") not in str(wrong.value)


def test_nobody_listening_is_down(servers: Any) -> None:
    with pytest.raises(Unavailable) as down:
        channel(servers, port=1).find("x.zip")
    assert down.value.code == "sftp.down" and "127.0.0.1:1" in str(down.value)


def test_the_branch_reads_and_cannot_write(servers: Any, tmp_path: Path) -> None:
    local = package(tmp_path)
    with channel(servers) as sftp:
        sftp.send(local, "branch.zip")
    reader = {"username": "branch", "password": servers.places.secret("sftp_branch_password")}
    with channel(servers, **reader) as sftp:
        assert sftp.fetch("branch.zip", tmp_path / "b.zip").sha256 == sha256(local)
        with pytest.raises(Refused) as refused:
            sftp.send(local, "mine.zip")
        assert refused.value.code == "sftp.permission"
        with pytest.raises(Refused) as other:
            sftp.fetch("branch.zip", package(tmp_path, 3, "occupied"))
        assert other.value.code == "sftp.local_other_content"
        with pytest.raises(Refused) as missing:
            sftp.fetch("missing.zip", tmp_path / "m")
        assert missing.value.code == "sftp.not_found"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip", "occupied"]


def test_a_missing_folder_and_a_missing_local_file_are_told_apart(servers: Any, tmp_path: Path) -> None:
    with pytest.raises(BadInput) as local, channel(servers) as sftp:
        sftp.send(tmp_path / "none.zip", "none.zip")
    assert local.value.code == "channel.local_file"
    with pytest.raises(Refused) as remote, channel(servers, folder="/nowhere") as sftp:
        sftp.list()
    assert remote.value.code == "sftp.not_found"


@pytest.mark.parametrize("name", ["", "..", "a/b", "a.part", "a\nb"])
def test_a_name_that_is_a_path_is_refused(servers: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput) as wrong, channel(servers) as sftp:
        sftp.send(package(tmp_path), name)
    assert wrong.value.code == "sftp.name"


def test_secrets_stay_out_of_repr(servers: Any) -> None:
    sftp = channel(servers)
    assert servers.places.secret("sftp_password") not in repr(sftp) + repr(vars(sftp))
