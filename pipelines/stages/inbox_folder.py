"""The folder where branches drop workbooks, touched safely: what waits at rest, a private copy, results written, files moved away.

Branches write there too, so nothing is believed twice: names are opened through folders that are already open, links are
never followed, and what is read is a copy that nobody else can change. What a file says is `inbox`'s matter.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pipelines.errors import BadInput, BaosongError, Refused, Unavailable
from pipelines.stages.installation import Installation
from resources.clock import SystemClock
from resources.deployment import AnswersInbox

Result = Literal["done", "refused", "returned"]
UNFINISHED = (".part", ".filepart")
"""What SFTP clients append to the name of a file that is under way; names that begin with a dot are not finished either."""
NAME_BYTES = 180
"""Longest name; the files beside it have a time and an ending more."""
_BLOCK = 1 << 20
_READABLE = 0o644
_ENTERABLE = 0o755


@dataclass(frozen=True)
class Dropped:
    """A file at rest in a user's folder. `changed_ns` is when it was touched last, by the file system's own clock; nobody can
    set it. `mistake`: why it is refused unread; its digest is then empty."""

    user: str
    folder: Path
    name: str
    inode: int
    size: int
    changed_ns: int
    arrived: datetime
    digest: str
    mistake: BaosongError | None = None

    @property
    def key(self) -> str:
        """Names this arrival of these bytes: the same file dropped again later is another one."""
        return f"{self.user}:{self.digest[:16] or self.inode}:{self.changed_ns}"

    @property
    def shown(self) -> str:
        """The name as it can be written anywhere."""
        return self.name if is_plain(self.name) else ascii(self.name)

    @property
    def kept_name(self) -> str:
        """The name after it was dealt with: when it arrived, and what it was called."""
        name = self.name if is_plain(self.name) else f"{self.digest[:16] or self.inode}.bin"
        return f"{self.arrived:%Y%m%d-%H%M%S.%f}-{name}"


def is_plain(name: str) -> bool:
    """Whether a name can be shown, written and lengthened."""
    try:
        return len(name.encode()) <= NAME_BYTES and name.isprintable()
    except UnicodeEncodeError:
        return False


def inbox_of(installation: Installation) -> tuple[AnswersInbox, Path]:
    """How the inbox is configured and where it lies. Raises BadInput where there is none, Unavailable when its folder is gone."""
    config = installation.deployment.answers_inbox
    if config is None:
        raise BadInput("inbox.not_configured", deployment=installation.deployment.name)
    folder = config.path(installation.home)
    if not folder.is_dir():
        raise Unavailable("inbox.no_folder", folder=folder)
    return config, folder


def waiting_files(installation: Installation, *, at: datetime | None = None) -> list[Dropped]:
    """What lies at rest in the users' folders, in the order of its arrival; `at` is the machine's time, not the demo's.

    Half-written files, and those touched within the configured seconds, are not seen yet; folders never. Raises Unavailable
    for a folder or a file that cannot be read.
    """
    config, inbox = inbox_of(installation)
    now_ns = int((at or SystemClock().now()).timestamp() * 10**9)
    zone = ZoneInfo(installation.deployment.timezone)
    found: list[Dropped] = []
    for user in sorted(installation.deployment.users):
        with _explained(inbox / user):
            if not (inbox / user).is_dir():
                continue
            with opened_folder(inbox / user) as folder:
                for name in os.listdir(folder):  # noqa: PTH208 - by descriptor
                    if dropped := _at_rest(folder, user, inbox / user, name, config, now_ns, zone):
                        found.append(dropped)
    return sorted(found, key=lambda each: (each.changed_ns, each.user, each.name))


def strangers(installation: Installation) -> list[str]:
    """Folders of the inbox that belong to nobody of the deployment; none where the inbox may not be listed."""
    _, inbox = inbox_of(installation)
    try:
        names = sorted(entry.name for entry in os.scandir(inbox) if entry.is_dir())
    except PermissionError:
        return []
    return [name for name in names if name not in installation.deployment.users]


def _at_rest(
    folder: int, user: str, place: Path, name: str, config: AnswersInbox, now_ns: int, zone: ZoneInfo
) -> Dropped | None:
    if name.startswith(".") or name.lower().endswith(UNFINISHED):
        return None
    try:
        facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        # A file from the future was written before the machine's clock was set back: it is at rest as well.
        if stat.S_ISDIR(facts.st_mode) or abs(now_ns - facts.st_ctime_ns) < config.quiet_seconds * 10**9:
            return None
        mistake = _mistake(name, facts, config)
        digest, mistake = ("", mistake) if mistake else _digest(folder, name)
    except FileNotFoundError:
        return None
    arrived = datetime.fromtimestamp(facts.st_ctime_ns / 10**9, zone)
    return Dropped(
        user, place, name, facts.st_ino, facts.st_size, facts.st_ctime_ns, arrived, digest, mistake
    )


def _mistake(name: str, facts: os.stat_result, config: AnswersInbox) -> BaosongError | None:
    if not stat.S_ISREG(facts.st_mode):
        return Refused("inbox.no_regular_file")
    if not is_plain(name):
        return BadInput("inbox.name", name=ascii(name), limit=NAME_BYTES)
    if facts.st_size > config.max_megabytes << 20:
        return BadInput("inbox.too_large", megabytes=-(-facts.st_size >> 20), limit=config.max_megabytes)
    return None


def _digest(folder: int, name: str) -> tuple[str, BaosongError | None]:
    """A file that its user closed to us is that user's mistake and must not keep others waiting."""
    try:
        with _opened_file(folder, name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), None
    except FileNotFoundError:
        raise
    except OSError as error:
        return "", BadInput("inbox.closed", reason=error.strerror)


@contextmanager
def opened_folder(path: Path) -> Generator[int]:
    """A user's folder, held open by its descriptor."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def copy_privately(folder: int, dropped: Dropped, to: Path) -> bool:
    """Copy the file as it was seen, for us alone; False when it is gone or no longer the same."""
    try:
        with _opened_file(folder, dropped.name) as source, to.open("xb") as copy:
            sha = hashlib.sha256()
            left = dropped.size + 1
            while left > 0 and (block := source.read(min(_BLOCK, left))):
                sha.update(block)
                copy.write(block)
                left -= len(block)
    except FileNotFoundError:
        return False
    return sha.hexdigest() == dropped.digest and is_there(folder, dropped)


def is_there(folder: int, dropped: Dropped) -> bool:
    """Whether the file lies where it was seen, untouched."""
    try:
        facts = os.stat(dropped.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (facts.st_ino, facts.st_ctime_ns) == (dropped.inode, dropped.changed_ns)


def put_result(folder: int, place: Path, result: Result, name: str, content: bytes) -> Path:
    """Write a file for the user to read into one of the result folders, durably; the same again changes nothing."""
    with _result_folder(folder, place, result) as target:
        draft = f".tmp-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(draft, flags, _READABLE, dir_fd=target), "wb") as file:
            os.fchmod(file.fileno(), _READABLE)  # whatever the umask is: the user is to read it
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=target, dst_dir_fd=target)
        os.fsync(target)
    return place / result / name


def move_away(folder: int, place: Path, dropped: Dropped, result: Result) -> Path:
    """Move a file to where it stays, the last step of dealing with it."""
    with _result_folder(folder, place, result) as target:
        os.rename(dropped.name, dropped.kept_name, src_dir_fd=folder, dst_dir_fd=target)
        os.fsync(target)
        os.fsync(folder)
    return place / result / dropped.kept_name


@contextmanager
def _result_folder(folder: int, place: Path, result: Result) -> Generator[int]:
    try:
        os.mkdir(result, _ENTERABLE, dir_fd=folder)
        os.chmod(result, _ENTERABLE, dir_fd=folder)
    except FileExistsError:
        pass
    try:
        descriptor = os.open(result, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:  # a link or a file: whoever follows it writes where the user wants
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise Refused("inbox.folder_taken", path=place / result) from None
        raise
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened_file(folder: int, name: str) -> Generator[BufferedReader]:
    """A plain file, never a link, and never waited for should it have become a pipe meanwhile."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        yield file


@contextmanager
def _explained(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("inbox.unreadable", path=path, reason=error.strerror) from None
