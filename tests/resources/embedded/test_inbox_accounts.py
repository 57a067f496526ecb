"""Accounts of the inbox at the embedded SFTP server: a branch drops files in its own folder, reads what came back, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from resources.embedded.places import HOST, Places, inbox_secret
from resources.embedded.supervisor import Options, start_detached, stop

MINE, OTHER = "branch_330000", "branch_440000"
ANSWERS = b"answers of 330000"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    """Servers with two accounts; each has a file that waits and one that came back."""
    made = Places(tmp_path_factory.mktemp("home"))
    start_detached(made, Options(inbox=(MINE, OTHER)))
    for user in (MINE, OTHER):
        (made.inbox / user / "waiting.xlsx").write_bytes(user.encode())
        (made.inbox / user / "returned").mkdir()
        (made.inbox / user / "returned" / "back.xlsx").write_bytes(b"returned to " + user.encode())
    yield made
    stop(made)


@contextmanager
def logged_in(places: Places, user: str, password: str | None = None) -> Generator[paramiko.SFTPClient]:
    """As a branch's client does it, host key checked."""
    endpoints = start_detached(places, Options())["sftp"]
    assert isinstance(endpoints, dict)
    with paramiko.SSHClient() as client:
        client.get_host_keys().add(f"[{HOST}]:{endpoints['port']}", "ssh-ed25519", _pinned(places))
        client.connect(
            HOST,
            port=int(endpoints["port"]),
            username=user,
            password=password or places.secret(inbox_secret(user)),
            allow_agent=False,
            look_for_keys=False,
        )
        with client.open_sftp() as sftp:
            yield sftp


def _pinned(places: Places) -> paramiko.PKey:
    keys = paramiko.HostKeys(str(places.known_hosts))
    (found,) = keys.values()
    return found["ssh-ed25519"]


def put(sftp: paramiko.SFTPClient, path: str, content: bytes) -> None:
    with sftp.open(path, "wb") as file:
        file.write(content)


def test_a_branch_drops_a_file_under_another_name_and_renames_it(places: Places) -> None:
    with logged_in(places, MINE) as sftp:
        put(sftp, "答复.xlsx.part", ANSWERS)
        sftp.posix_rename("答复.xlsx.part", "答复.xlsx")
        assert sorted(sftp.listdir("/")) == ["returned", "waiting.xlsx", "答复.xlsx"]
    assert (places.inbox / MINE / "答复.xlsx").read_bytes() == ANSWERS


def test_a_branch_reads_what_came_back_and_takes_back_what_still_waits(places: Places) -> None:
    with logged_in(places, MINE) as sftp:
        with sftp.open("returned/back.xlsx", "rb") as file:
            assert file.read() == b"returned to branch_330000"
        put(sftp, "mistaken.xlsx", b"x")
        sftp.remove("mistaken.xlsx")
    assert not (places.inbox / MINE / "mistaken.xlsx").exists()


FORBIDDEN: dict[str, Callable[[paramiko.SFTPClient], object]] = {
    "list all folders": lambda sftp: _require(set(sftp.listdir("..")) & {MINE, OTHER}),
    "list another's folder": lambda sftp: sftp.listdir(f"/../{OTHER}"),
    "list another's folder by its name": lambda sftp: sftp.listdir(f"/{OTHER}"),
    "read another's file": lambda sftp: sftp.open(f"/../{OTHER}/waiting.xlsx", "rb"),
    "write into another's folder": lambda sftp: put(sftp, f"/../{OTHER}/a.xlsx", b"x"),
    "read the outbox": lambda sftp: sftp.listdir("/outbox"),
    "read a secret": lambda sftp: sftp.open("/../../embedded/secrets/sftp_password", "rb"),
    "write where results lie": lambda sftp: put(sftp, "returned/back.xlsx", b"x"),
    "remove a result": lambda sftp: sftp.remove("returned/back.xlsx"),
    "move a result": lambda sftp: sftp.posix_rename("returned/back.xlsx", "back.xlsx"),
    "rename a result folder": lambda sftp: sftp.posix_rename("returned", "elsewhere"),
    "close a result folder": lambda sftp: sftp.chmod("returned", 0),
    "make a folder": lambda sftp: sftp.mkdir("folder"),
    "make a link": lambda sftp: sftp.symlink(f"../{OTHER}/waiting.xlsx", "link.xlsx"),
}


def _require(found: set[str]) -> None:
    """Above its root a branch sees its root again."""
    if not found:
        raise PermissionError


@pytest.mark.parametrize("attempt", FORBIDDEN)
def test_a_branch_can_do_nothing_else(places: Places, attempt: str) -> None:
    before = _everything(places)
    with logged_in(places, MINE) as sftp, pytest.raises((PermissionError, FileNotFoundError)):
        FORBIDDEN[attempt](sftp)
    assert _everything(places) == before


def test_a_password_opens_only_its_own_folder(places: Places) -> None:
    with (
        pytest.raises(paramiko.AuthenticationException),
        logged_in(places, OTHER, places.secret(inbox_secret(MINE))),
    ):
        pass


def test_the_secrets_of_accounts_are_made_once_and_for_their_owner_only(places: Places) -> None:
    before = places.secret(inbox_secret(MINE))
    places.prepare((MINE, OTHER))
    assert places.secret(inbox_secret(MINE)) == before != places.secret(inbox_secret(OTHER))
    assert places.secret_file(inbox_secret(MINE)).stat().st_mode & 0o777 == 0o600


def _everything(places: Places) -> dict[str, tuple[int, bytes]]:
    found: dict[str, tuple[int, bytes]] = {}
    for path in sorted(places.inbox.rglob("*")):
        found[_below(places, path)] = (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
    return found


def _below(places: Places, path: Path) -> str:
    return path.relative_to(places.inbox).as_posix()
