"""How the tests of the inbox play branches: drop files over SFTP into the embedded server, look what came back."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import paramiko

from pipelines.stages.inbox import Taken, take_in
from pipelines.stages.inbox_folder import Dropped, waiting_files
from pipelines.stages.installation import Installation
from resources.clock import SystemClock
from resources.embedded.places import HOST, Places, inbox_secret
from resources.embedded.supervisor import live_endpoints

PREPARERS = ("branch_330000", "branch_440000", "branch_510000", "head_office_preparer")


def later() -> datetime:
    """When everything dropped by now is at rest."""
    return SystemClock().now() + timedelta(minutes=1)


@dataclass(frozen=True)
class Post:
    """The SFTP server's side: accounts of branches and their folders."""

    places: Places

    def folder(self, user: str) -> Path:
        return self.places.inbox / user

    @contextmanager
    def logged_in(self, user: str) -> Generator[paramiko.SFTPClient]:
        """One SFTP session of a branch, with the server's key pinned."""
        alive = live_endpoints(self.places)
        assert alive is not None
        where = alive["sftp"]
        assert isinstance(where, dict)
        (pinned,) = paramiko.HostKeys(str(self.places.known_hosts)).values()
        with paramiko.SSHClient() as client:
            client.get_host_keys().add(f"[{HOST}]:{where['port']}", "ssh-ed25519", pinned["ssh-ed25519"])
            client.connect(
                HOST,
                port=int(where["port"]),
                username=user,
                password=self.places.secret(inbox_secret(user)),
                allow_agent=False,
                look_for_keys=False,
            )
            with client.open_sftp() as sftp:
                yield sftp

    def drop(self, user: str, file: Path, name: str | None = None) -> None:
        """Upload as careful clients do: under a name of its own, renamed when whole."""
        name = name or file.name
        with self.logged_in(user) as sftp:
            sftp.put(str(file), f"{name}.part")
            sftp.posix_rename(f"{name}.part", name)

    def read(self, user: str, path: str) -> bytes:
        """What the branch reads of its folder."""
        with self.logged_in(user) as sftp, sftp.open(path, "rb") as file:
            return file.read()

    def files(self, user: str) -> list[str]:
        """Everything in a user's folder."""
        root = self.folder(user)
        return sorted(
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.is_symlink() or not path.is_dir()
        )


def waiting(installation: Installation) -> list[Dropped]:
    return waiting_files(installation, at=later())


def take_all(installation: Installation) -> list[Taken]:
    return [take_in(installation, dropped) for dropped in waiting(installation)]


def take_one(installation: Installation) -> Taken:
    (taken,) = take_all(installation)
    return taken
