"""One insurer's running Baosong: settings, deployment, ledger, stores and clock, opened together.

Stages get it as their first argument. It holds no logic of the flow; it only knows where things are and who may act.
"""

from __future__ import annotations

import fcntl
import getpass
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from secrets import token_bytes

from pipelines.errors import LANGUAGE, BadInput, Refused, text
from pipelines.ledger import Ledger
from pipelines.ledger.filing import FilingState, fold
from pipelines.ledger.filing_events import FilingEvent
from pipelines.ledger.heads import place_new
from pipelines.ledger.request import RequestState, fold_request, request_stream
from pipelines.stages.directory import Directory
from resources.calendar import WorkingCalendar, open_calendar
from resources.clock import Clock, open_clock
from resources.deployment import Deployment, FilingConfig, User, load_deployment
from resources.office import Office, open_office
from resources.rounds import RoundStore
from resources.settings import Settings
from validations import engine
from validations.engine import Report, Standard

SYSTEM = "baosong"
"""The actor of automatic steps."""


@dataclass(frozen=True)
class Installation:
    """Everything a stage needs. `home` holds all state; the deployment is read-only."""

    settings: Settings
    directory: Directory
    ledger: Ledger
    clock: Clock

    @property
    def deployment(self) -> Deployment:
        """The configuration, with the people as the directory knows them."""
        return self.directory.deployment

    def is_user(self, name: str) -> bool:
        """Whether somebody of that name works here now: looks into the directory anew."""
        self.directory.look()
        return name in self.deployment.users

    @property
    def home(self) -> Path:
        return self.settings.home

    @cached_property
    def rounds(self) -> RoundStore:
        return RoundStore(self.home / "rounds")

    @cached_property
    def office(self) -> Office | None:
        """The office system (EOA), where the deployment has one."""
        return open_office(self.deployment)

    @cached_property
    def calendar(self) -> WorkingCalendar:
        return open_calendar(self.deployment)

    def now(self) -> datetime:
        return self.clock.now()

    def standard(self, name: str) -> Standard:
        return engine.load_standard(name, self.deployment.standard_folders)

    def report(self, state: FilingState) -> Report:
        return self.standard(state.opened.fact.standard).report(state.opened.fact.report)

    def tables(self, state: FilingState) -> tuple[str, ...]:
        """The tables that the filing has to hold, in the report's order: all of it, or those that its request demands."""
        due = self.report(state).tables
        return tuple(name for name in due if name in state.tables) if state.tables else due

    def filing_config(self, standard: str) -> FilingConfig:
        config = self.deployment.filings.get(standard)
        if config is None:
            raise BadInput("installation.no_filing_config", standard=standard, folder=self.deployment.path)
        return config

    def workbook_key(self) -> bytes:
        """The key that signs the identity of workbooks, made once; whoever has it can forge one."""
        path = self.home / "keys" / "workbooks"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            place_new(path, token_bytes(32), mode=0o600)
        if path.stat().st_mode & 0o077:
            raise Refused("ledger.key_readable", path=path)
        return path.read_bytes()

    def folder(self, kind: str, filing: str) -> Path:
        """Where artefacts of one kind (contents, workbooks, packages …) of a filing lie."""
        return self.home / kind / filing

    @contextmanager
    def alone(self, what: str) -> Generator[None]:
        """Wait until no other process of this home is at work on `what`, and be the one that is."""
        root = self.home / "locks"
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (root / what).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextmanager
    def alone_at_once(self, what: str) -> Generator[bool]:
        """As `alone`, without waiting: False where another process of this home is at work on `what`."""
        root = self.home / "locks"
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (root / what).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def user(self, name: str | None) -> User:
        """Who acts. Naming somebody (`--as`) works only where the deployment's identity is `named`."""
        if self.deployment.identity == "named":
            if name is None:
                raise Refused("installation.who", users=", ".join(sorted(self.deployment.users)))
            return self.deployment.user(name)
        if name is not None:
            raise Refused("installation.as_refused", deployment=self.deployment.name)
        return self.deployment.user_of_os(getpass.getuser())

    def state(self, filing: str) -> FilingState:
        """The filing as the ledger knows it; says so when its request still waits for review."""
        state = fold(self.ledger.events(f"filing/{filing}"))
        if state is None:
            for request in self.requests():
                if request.latest.fact.filing == filing:
                    raise Refused("request.not_accepted", number=request.number, filing=filing)
            raise BadInput("installation.no_filing", filing=filing)
        return state

    def find_request(self, number: str) -> RequestState | None:
        """The request of this document number, or of this key; None where nobody registered one."""
        return fold_request(self.ledger.events(request_stream(number)))

    def request(self, number: str) -> RequestState:
        """As `find_request`; raises BadInput where there is none."""
        request = self.find_request(number)
        if request is None:
            raise BadInput("request.unknown", number=number)
        return request

    def requests(self) -> list[RequestState]:
        """All requests, in the order of their keys."""
        folded = (fold_request(self.ledger.events(stream)) for stream in self.ledger.streams("request/"))
        return [request for request in folded if request is not None]

    def filings(self) -> list[str]:
        """The ids of all filings, also of one whose events cannot be read."""
        return [stream.removeprefix("filing/") for stream in self.ledger.streams("filing/")]

    def department_name(self, code: str) -> str:
        """A department as the reader's language calls it; the code where the deployment has none such."""
        known = self.deployment.departments.get(code)
        return getattr(known.title, LANGUAGE.get()) if known else code

    def states(self, standard: str | None = None) -> list[FilingState]:
        """All filings, or those of one standard."""
        prefix = "filing/" + (f"{standard}." if standard else "")
        folded = (fold(self.ledger.events(stream)) for stream in self.ledger.streams(prefix))
        return [state for state in folded if state is not None]

    def record(
        self,
        state: FilingState,
        fact: FilingEvent,
        *,
        actor: str,
        command: str,
        at: datetime | None = None,
    ) -> FilingState:
        """Append `fact` to the filing and return its new state. The same command twice appends once.

        `at`: the moment that the fact itself names, where it does; now otherwise. Raises Refused `ledger.moved_on` when the
        filing changed since `state` was read: what was checked may not hold; and for whatever would happen to a filing that was
        withdrawn.
        """
        if state.withdrawn:
            raise Refused("request.filing_withdrawn", filing=state.id, reason=state.withdrawn.fact.reason)
        stream = f"filing/{state.id}"
        self.ledger.append(
            stream,
            fact.kind,
            fact.payload(),
            actor=actor,
            at=at or self.now(),
            command_id=f"{state.id}:{command}",
            expected_seq=state.seq,
        )
        return self.state(state.id)


def require_role(user: User, *roles: str, act: str) -> None:
    """Refuse unless the user holds one of `roles`."""
    if not user.roles & set(roles):
        raise Refused("installation.role", user=user.id, act=text(f"act.{act}"), roles=" / ".join(roles))


@contextmanager
def open_installation(settings: Settings | None = None) -> Generator[Installation]:
    """Open what the settings name; closes the ledger at the end."""
    settings = settings or Settings.load()
    LANGUAGE.set(settings.language)
    if settings.home.exists() and not settings.home.is_dir():
        raise BadInput("installation.home_is_no_folder", home=settings.home)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)  # rounds and workbooks hold personal data
    deployment = load_deployment(settings.deployment, settings.home)
    clock = open_clock(deployment)
    ledger = Ledger.open(settings.ledger_url, deployment=deployment.name, home=settings.home, at=clock.now())
    try:
        yield Installation(settings, Directory(deployment, ledger), ledger, clock)
    finally:
        ledger.close()
