"""What one insurer configures, as frozen models: organisations, people, filings, the whole.

Only shapes and questions about them live here; channels and sources are `connections.py`, routes `routes.py`. Reading the
folder and naming its mistakes is `loading.py`.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from pipelines.errors import BadInput, Refused
from resources.deployment.assessment import AssessmentConfig
from resources.deployment.connections import AnswersInbox, ChannelConfig, OfficeConfig, SourceConfig
from resources.deployment.departments import Department, Merger, department_of, merged_into
from resources.deployment.notices import MailAddress, NoticesConfig
from resources.deployment.oidc import OidcConfig
from resources.deployment.routes import ChangeRoute, Route
from resources.deployment.types import Model, Name, Role
from resources.deployment.working_hours import USUAL_HOURS, Session
from resources.settings import CHECKOUT


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


class Substitute(Model):
    """Who stands in (代理) for a person who is absent, from and until these days inclusive."""

    user: Name
    start: Annotated[date, Field(alias="from")]
    until: date

    def is_in_force(self, on: date) -> bool:
        return self.start <= on <= self.until


class User(Model):
    """A person; `organisations` and `departments` hold codes or "*" for all; `os_user` is their system login.

    `substitutes` stand in for this person while they are absent. `mail` is where notices go, if they shall.
    """

    id: Name
    name: Annotated[str, Field(min_length=1)]
    roles: Annotated[frozenset[Role], Field(min_length=1)]
    organisations: Annotated[frozenset[str], Field(min_length=1)]
    os_user: str | None = None
    departments: frozenset[str] = frozenset()
    substitutes: tuple[Substitute, ...] = ()
    mail: MailAddress | None = None

    def has_role(self, role: str) -> bool:
        return role in self.roles

    def may_see(self, organisation: str) -> bool:
        """Whether this organisation itself is named; `Deployment.may_see` also looks at what lies below."""
        return "*" in self.organisations or organisation in self.organisations

    def speaks_for(self, department: str) -> bool:
        """Whether the user decides for this department."""
        return "business_reviewer" in self.roles and bool({"*", department} & self.departments)

    def is_represented_by(self, user: str, on: date) -> bool:
        """Whether that user stands in for this person on a day."""
        return any(each.user == user and each.is_in_force(on) for each in self.substitutes)

    def is_absent(self, on: date) -> bool:
        """Whether somebody stands in for this person on a day."""
        return any(each.is_in_force(on) for each in self.substitutes)


class FilingConfig(Model):
    """How filings of one standard are made here: from which source, over which channel, how early, for whom.

    `opening` names the reports whose filings the calendar opens; others need a reviewed request. `first_review` is the role
    that reviews problem data before the departments issue it (稽核初审); without it, what was found goes out at once.
    `answer_working_days` is how long a branch has; `listed_findings` caps what documents list of a rule, counts are always true.
    `off_system` names the tables that departments keep outside the systems (系统外数据), each with its department: they are
    uploaded, and no source's SQL fills them even where it could. `reading_seconds`: how long a person needs at least to read one
    answer, where it is not as in `review` of the whole deployment.
    """

    source: str
    channel: str
    lead_working_days: Annotated[int, Field(ge=0, le=60)] = 0
    organisations: Literal["all"] | Annotated[tuple[str, ...], Field(min_length=1)] = "all"
    opening: tuple[Name, ...] = ()
    first_review: Role | None = None
    answer_working_days: Annotated[int, Field(ge=0, le=30)] = 2
    listed_findings: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    off_system: dict[Name, Name] = Field(default_factory=dict[str, str])
    reading_seconds: Annotated[int | None, Field(ge=0, le=3_600)] = None


class ReviewConfig(Model):
    """What the compliance review holds against people's work: the least time to read one answer."""

    reading_seconds: Annotated[int, Field(ge=0, le=3_600)] = 2


class AccountsConfig(Model):
    """Which roles come into the desk only with a second factor (动态验证码)."""

    second_factor: frozenset[Role] = frozenset({"administrator"})


class CalendarOverrides(Model):
    """Days the published calendar does not know or knows otherwise; `years` are entered whole by hand; `hours` are the sessions
    of a working day, in their order."""

    workdays: frozenset[date] = frozenset()
    holidays: frozenset[date] = frozenset()
    years: frozenset[Annotated[int, Field(ge=1990, le=2200)]] = frozenset()
    hours: Annotated[tuple[Session, ...], Field(min_length=1)] = USUAL_HOURS


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
    change_requests: ChangeRoute
    channels: dict[str, ChannelConfig]
    sources: dict[str, SourceConfig]
    filings: dict[str, FilingConfig]
    calendar: CalendarOverrides
    departments: dict[str, Department]
    mergers: tuple[Merger, ...] = ()
    assessment: AssessmentConfig = Field(default_factory=AssessmentConfig)
    answers_inbox: AnswersInbox | None = None
    office: OfficeConfig | None = None
    review: ReviewConfig = Field(default_factory=ReviewConfig)
    accounts: AccountsConfig = Field(default_factory=AccountsConfig)
    notices: NoticesConfig | None = None
    oidc: OidcConfig | None = None

    def reading_seconds(self, standard: str) -> int:
        """How long a person needs at least to read one answer of this standard's filings."""
        own = self.filings[standard].reading_seconds if standard in self.filings else None
        return self.review.reading_seconds if own is None else own

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

    @property
    def head_office(self) -> Organisation:
        """The organisation above all others; loading made sure that there is exactly one."""
        return next(each for each in self.organisations if each.parent is None)

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

    def department_of(self, standard: str, *, rule: str, table: str, group: str) -> str:
        """The department that answers for a rule's findings in a table."""
        return department_of(self.departments, standard, rule=rule, table=table, group=group)

    def answering_branch(self, code: str, on: date) -> str:
        """The branch that answers for an organisation's data on a day: its own or, after a merger, the receiving one.

        What this deployment does not know (another company's filer) answers for itself.
        """
        parents = {each.code: each for each in self.organisations}
        code = merged_into(self.mergers, code, on)
        while code in parents and parents[code].level > 1:
            code = merged_into(self.mergers, str(parents[code].parent), on)
        return code

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
