"""How the outside world is reached, as configured: addresses, pinned files, channels, sources, the inbox of answers, the office
system.

Secrets appear as references only, and an SFTP channel without a pinned host key does not exist. Opening any
of them is the work of `resources/channels` and `resources/sources`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from resources.deployment.types import InsidePath, Model, Name, SecretReference, inside


class Address(Model):
    """A fixed host and port, or a key of a JSON file in the home that a server writes when it is ready."""

    host: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    file: InsidePath | None = None
    key: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        fixed, written = (self.host, self.port), (self.file, self.key)
        if not ((all(fixed) and not any(written)) or (all(written) and not any(fixed))):
            raise PydanticCustomError("deployment.address", "host and port, or file and key")
        return self


class PinnedFile(Model):
    """A file in the home (written by one's own server) or in the deployment folder (kept by the insurer)."""

    home: InsidePath | None = None
    deployment: InsidePath | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.home is None) == (self.deployment is None):
            raise PydanticCustomError("deployment.pinned_file", "home or deployment")
        return self

    def path(self, *, home: Path, deployment: Path) -> Path:
        return home / self.home if self.home else deployment / (self.deployment or "")


class SftpConfig(Model):
    """The designated SFTP server; its host key is pinned in `known_hosts` under `host_key_alias`."""

    name: Name
    kind: Literal["sftp"]
    address: Address
    host_key_alias: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    known_hosts: PinnedFile
    username: str
    password: SecretReference | None = None
    private_key: SecretReference | None = None
    folder: str = "/"
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 30

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.password is None) == (self.private_key is None):
            raise PydanticCustomError("deployment.one_credential", "password or private_key")
        return self


class InterfaceConfig(Model):
    """A regulator's HTTP interface; the token travels with it, so plain HTTP stays on this machine."""

    name: Name
    kind: Literal["interface"]
    address: Address
    scheme: Literal["https", "http"] = "https"
    path: Annotated[str, Field(pattern=r"^/[^\s?#]*$")]
    token: SecretReference
    ca_file: PinnedFile | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=3600)] = 30

    @model_validator(mode="after")
    def _token_travels_encrypted(self) -> Self:
        host = self.address.host
        if self.scheme == "http" and host not in (None, "127.0.0.1", "localhost", "::1"):
            raise PydanticCustomError("deployment.plain_http", "https", {"host": host})
        return self


ChannelConfig = Annotated[SftpConfig | InterfaceConfig, Field(discriminator="kind")]


class SqliteSource(Model):
    """A SQLite file in the home, opened read-only."""

    name: Name
    kind: Literal["sqlite"]
    database: Annotated[str, Field(pattern=r"^(home:[^/]|/).+$")]

    def path(self, home: Path) -> Path:
        """`home:core.db` lies in the home; anything else is an absolute path."""
        return (
            home / self.database.removeprefix("home:")
            if self.database.startswith("home:")
            else Path(self.database)
        )


class DatabaseSource(Model):
    """Any database SQLAlchemy can reach; the URL holds a password, so it is a secret.

    `connections` bounds how many tables are read at once from one snapshot, where the database can (PostgreSQL).
    """

    name: Name
    kind: Literal["database"]
    url: SecretReference
    connections: Annotated[int, Field(ge=1, le=16)] = 2


SourceConfig = Annotated[SqliteSource | DatabaseSource, Field(discriminator="kind")]


def _inbox_folder(value: str) -> str:
    return value if value.startswith("/") and ".." not in value.split("/") else inside(value)


class AnswersInbox(Model):
    """Where branches drop filled workbooks: a sub-folder per user id, and whoever may write there is that user.

    A file is taken once nobody has touched it for `quiet_seconds`; a larger one than `max_megabytes` is refused unread.
    """

    folder: Annotated[str, Field(min_length=1), AfterValidator(_inbox_folder)]
    quiet_seconds: Annotated[int, Field(ge=0, le=3600)] = 10
    max_megabytes: Annotated[int, Field(ge=1, le=100)] = 100

    def path(self, home: Path) -> Path:
        """Relative paths lie in the home."""
        return home / self.folder


class OfficeConfig(Model):
    """The office system (EOA): two folders, `home:…` in the home or absolute ones of a share."""

    kind: Literal["folder"]
    outbox: Annotated[str, Field(pattern=r"^(home:[^/].*|/.+)$")]
    inbox: Annotated[str, Field(pattern=r"^(home:[^/].*|/.+)$")]

    @model_validator(mode="after")
    def _two_folders(self) -> Self:
        for place in (self.outbox, self.inbox):
            if ".." in place.removeprefix("home:").split("/"):
                raise PydanticCustomError("deployment.path_outside", "a path inside", {"value": place})
        if self.outbox.rstrip("/") == self.inbox.rstrip("/"):
            raise PydanticCustomError("deployment.office_folders", "two folders")
        return self

    def path(self, place: str, home: Path) -> Path:
        """One of its folders; those in the home are made, those of a share must be there."""
        if not place.startswith("home:"):
            return Path(place)
        folder = home / place.removeprefix("home:")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder
