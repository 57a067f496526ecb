"""What one insurer configures, as frozen models: organisations, people, routes, channels, sources, filings.

Only shapes and questions about them live here. Reading the folder and naming its mistakes is `loading.py`;
opening a source, a channel or a clock is their own modules' work.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from pipelines.errors import BadInput, Refused
from resources.deployment.roles import ROLES
from resources.secrets import is_reference
from resources.settings import CHECKOUT


class Model(BaseModel):
    """A border: unknown keys are mistakes, values never change, errors echo no input (it may be a secret)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _secret_reference(value: object) -> str:
    if isinstance(value, str) and is_reference(value):
        return value
    raise PydanticCustomError("deployment.plain_secret", "env:NAME or file:PATH")


def _role(value: str) -> str:
    if value not in ROLES:
        raise PydanticCustomError(
            "deployment.unknown_role", "unknown role", {"role": value, "known": ", ".join(ROLES)}
        )
    return value


def _inside(value: str) -> str:
    if value.startswith(("/", "~")) or ".." in value.split("/") or not value:
        raise PydanticCustomError("deployment.path_outside", "a path inside", {"value": value})
    return value


SecretReference = Annotated[str, BeforeValidator(_secret_reference)]
Role = Annotated[str, AfterValidator(_role)]
InsidePath = Annotated[str, AfterValidator(_inside)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]


class Title(Model):
    zh: str
    en: str


class Corporation(Model):
    code: Annotated[str, Field(pattern=r"^[0-9A-Z]{4,6}$")]
    name: Annotated[str, Field(min_length=1)]


class Organisation(Model):
    """A row of organisations.csv; level 0 is the head office, level 1 its branches and own account (本级)."""

    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{4,12}$")]
    name: Annotated[str, Field(min_length=1)]
    parent: str | None
    level: Annotated[int, Field(ge=0, le=9)]
    is_own_account: bool
    region: Annotated[str, Field(pattern=r"^\d{6}$")] | None


class User(Model):
    """A person; `organisations` holds codes or "*" for all; `os_user` is their system login."""

    id: Name
    name: Annotated[str, Field(min_length=1)]
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    organisations: Annotated[frozenset[str], Field(min_length=1)]
    os_user: str | None = None

    def has_role(self, role: str) -> bool:
        return role in self.roles

    def may_see(self, organisation: str) -> bool:
        """Whether this organisation itself is named; `Deployment.may_see` also looks at what lies below."""
        return "*" in self.organisations or organisation in self.organisations


class RouteStep(Model):
    role: Role
    title: Title

    @model_validator(mode="before")
    @classmethod
    def _title_of_role(cls, data: Any) -> Any:
        """A step may be written as the role alone; its title is then the role's."""
        step: Any = {"role": data} if isinstance(data, str) else data
        if isinstance(step, dict) and "title" not in step and step.get("role") in ROLES:
            zh, en = ROLES[step["role"]]
            return {**step, "title": {"zh": zh, "en": en}}
        return step


class Route(Model):
    """Who must agree, in this order, before a content of the standard may be sent."""

    steps: Annotated[tuple[RouteStep, ...], Field(min_length=1)]


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
    """Any database SQLAlchemy can reach; the URL holds a password, so it is a secret."""

    name: Name
    kind: Literal["database"]
    url: SecretReference


SourceConfig = Annotated[SqliteSource | DatabaseSource, Field(discriminator="kind")]


class FilingConfig(Model):
    """How filings of one standard are made here: from which source, over which channel, how early, for whom.

    `opening` names the reports whose filings the calendar opens; others need a reviewed request.
    """

    source: str
    channel: str
    lead_working_days: Annotated[int, Field(ge=0, le=60)] = 0
    organisations: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1)] = "all"
    opening: tuple[Name, ...] = ()


class CalendarOverrides(Model):
    """Days the published calendar does not know or knows otherwise; `years` are entered whole by hand."""

    workdays: frozenset[date] = frozenset()
    holidays: frozenset[date] = frozenset()
    years: frozenset[Annotated[int, Field(ge=1990, le=2200)]] = frozenset()


class Deployment(Model):
    """One insurer's configuration, checked as a whole by `load_deployment`."""

    name: Name
    path: Path
    home: Path
    corporation: Corporation
    timezone: str
    clock: Literal["system", "file"]
    identity: Literal["operating_system", "named"]
    organisations: tuple[Organisation, ...]
    users: dict[str, User]
    routes: dict[str, Route]
    channels: dict[str, ChannelConfig]
    sources: dict[str, SourceConfig]
    filings: dict[str, FilingConfig]
    calendar: CalendarOverrides

    @property
    def calendar_file(self) -> Path:
        return self.path / "calendar.yaml"

    @property
    def standard_folders(self) -> tuple[Path, ...]:
        """Where standards are looked for: the insurer's own first, then the product's."""
        return (self.path / "standards", CHECKOUT / "validations" / "standards")

    def sql_file(self, source: str, standard: str, table: str) -> Path:
        """The SQL with which a source fills a table; the insurer's own goes before the product's."""
        folders = (self.path / "sql", CHECKOUT / "sql")
        for folder in folders:
            path = folder / source / standard / f"{table}.sql"
            if path.is_file():
                return path
        looked = ", ".join(str(folder / source / standard) for folder in folders)
        raise BadInput("deployment.sql_missing", source=source, standard=standard, table=table, looked=looked)

    def organisation(self, code: str) -> Organisation:
        for organisation in self.organisations:
            if organisation.code == code:
                return organisation
        raise BadInput("deployment.organisation_not_here", code=code, file=self.path / "organisations.csv")

    def children(self, code: str) -> tuple[Organisation, ...]:
        """Those directly below."""
        return tuple(each for each in self.organisations if each.parent == code)

    def organisations_under(self, code: str, *, include_self: bool = True) -> tuple[Organisation, ...]:
        """The organisation and everything below it, parents before children."""
        found: list[Organisation] = [self.organisation(code)] if include_self else []
        for child in self.children(code):
            found.extend(self.organisations_under(child.code))
        return tuple(found)

    def level_one(self) -> tuple[Organisation, ...]:
        """Branches and the head office's own account, in the file's order."""
        return tuple(each for each in self.organisations if each.level == 1)

    def user(self, user_id: str) -> User:
        """Raises Refused `deployment.user_not_here`."""
        if user_id not in self.users:
            raise Refused("deployment.user_not_here", user=user_id, file=self.path / "users.yaml")
        return self.users[user_id]

    def user_of_os(self, os_user: str) -> User:
        """The person behind an operating-system user. Raises Refused when nobody is mapped to it."""
        for user in self.users.values():
            if user.os_user == os_user:
                return user
        raise Refused("deployment.os_user_not_here", user=os_user, file=self.path / "users.yaml")

    def may_see(self, user: User, organisation: str) -> bool:
        """Whether the user belongs to the organisation or to one above it."""
        code: str | None = organisation
        while code is not None:
            if user.may_see(code):
                return True
            code = self.organisation(code).parent
        return False
