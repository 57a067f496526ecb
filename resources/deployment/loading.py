"""Reading a deployment folder: every mistake of every file, with its line and what was expected, at once.

Three passes: notation (`located.py`), the shape of each entry (`models.py`), then what only the whole shows
(`coherence.py`). Nothing here opens a source or a channel.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from pipelines.errors import BadInput
from resources.deployment.assessment import AssessmentConfig
from resources.deployment.coherence import Parts, check_parts
from resources.deployment.connections import AnswersInbox, ChannelConfig, OfficeConfig, SourceConfig
from resources.deployment.departments import Department, Merger
from resources.deployment.located import Loc, Located, read_csv, read_yaml
from resources.deployment.models import (
    AccountsConfig,
    CalendarOverrides,
    Corporation,
    Deployment,
    FilingConfig,
    Organisation,
    ReviewConfig,
    User,
)
from resources.deployment.notices import NoticesConfig, WebhookConfig
from resources.deployment.oidc import OidcConfig
from resources.deployment.routes import ChangeRoute, Route
from resources.deployment.types import Model, Name

MERGER_COLUMNS = ("code", "into", "effective")
ORGANISATION_COLUMNS = ("code", "name", "parent", "level", "is_own_account", "region")


class _Main(Model):
    """deployment.yaml."""

    name: Name
    corporation: Corporation
    timezone: str = "Asia/Shanghai"
    clock: Any = "system"
    identity: Any = "operating_system"
    filings: Annotated[dict[str, Any], Field(min_length=1)]
    assessment: Any = None
    answers_inbox: Any = None
    office: Any = None
    review: Any = None
    accounts: Any = None
    notices: Any = None
    oidc: Any = None


_ENUMERATIONS = {"clock": ("system", "file"), "identity": ("operating_system", "named")}


def load_deployment(path: Path, home: Path) -> Deployment:
    """Read and check the folder; raises BadInput `deployment.invalid` with one detail per mistake."""
    path, home = path.expanduser().resolve(), home.expanduser().resolve()
    if not path.is_dir():
        raise BadInput("deployment.folder_missing", path=path)
    files = {
        name: read_yaml(path / f"{name}.yaml")
        for name in ("deployment", "users", "routes", "channels", "sources", "calendar", "departments")
    }
    files["organisations"] = read_csv(path / "organisations.csv", ORGANISATION_COLUMNS)
    if (path / "mergers.csv").exists():
        files["mergers"] = read_csv(path / "mergers.csv", MERGER_COLUMNS)
    main = files["deployment"]
    settings = _entry(_Main, main, (), main.data) if not main.problems else None
    parts = Parts(
        path=path,
        home=home,
        files=files,
        organisations=_rows(Organisation, files["organisations"]),
        mergers=_rows(Merger, files["mergers"]) if "mergers" in files else [],
        departments=_entries(Department, files["departments"], "departments"),
        users=_entries(User, files["users"], "users", name_as="id"),
        routes=_entries(Route, files["routes"], "routes", beside=("change_requests",)),
        channels=_entries(ChannelConfig, files["channels"], "channels", name_as="name"),
        sources=_entries(SourceConfig, files["sources"], "sources", name_as="name"),
        filings=_entries(FilingConfig, main, "filings") if settings else {},
    )
    if (changes := files["routes"].mapping().get("change_requests")) is not None:
        parts.change_requests = _entry(ChangeRoute, files["routes"], ("change_requests",), changes)
    if settings and "notices" in settings.model_fields_set:
        parts.notices = _entry(NoticesConfig, main, ("notices",), settings.notices or {})
    if settings and "oidc" in settings.model_fields_set:
        parts.oidc = _entry(OidcConfig, main, ("oidc",), settings.oidc)
    if settings and "answers_inbox" in main.mapping():
        parts.answers_inbox = _entry(AnswersInbox, main, ("answers_inbox",), settings.answers_inbox)
    calendar = _entry(CalendarOverrides, files["calendar"], (), files["calendar"].data or {})
    parts.calendar = calendar or CalendarOverrides()
    assessed = settings.assessment if settings else None
    assessment = _entry(AssessmentConfig, main, ("assessment",), assessed or {})
    office = (
        _entry(OfficeConfig, main, ("office",), settings.office)
        if settings and "office" in settings.model_fields_set
        else None
    )
    review = _entry(ReviewConfig, main, ("review",), (settings.review if settings else None) or {})
    accounts = _entry(AccountsConfig, main, ("accounts",), (settings.accounts if settings else None) or {})
    if settings:
        _check_settings(settings, main)
    check_parts(parts)
    problems = [problem for located in files.values() for problem in located.problems]
    if problems or settings is None:
        raise BadInput("deployment.invalid", path=path, count=len(problems), details=problems)
    return Deployment(
        name=settings.name,
        path=path,
        home=home,
        corporation=settings.corporation,
        timezone=settings.timezone,
        clock=settings.clock,
        identity=settings.identity,
        organisations=tuple(parts.organisations),
        users=parts.users,
        routes=parts.routes,
        change_requests=parts.change_requests or ChangeRoute(),
        channels=parts.channels,
        sources=parts.sources,
        filings=parts.filings,
        calendar=parts.calendar,
        departments=parts.departments,
        mergers=tuple(parts.mergers),
        assessment=assessment or AssessmentConfig(),
        answers_inbox=parts.answers_inbox,
        office=office,
        review=review or ReviewConfig(),
        accounts=accounts or AccountsConfig(),
        notices=parts.notices,
        oidc=parts.oidc,
    )


def _check_settings(settings: _Main, main: Located) -> None:
    for key, allowed in _ENUMERATIONS.items():
        if getattr(settings, key) not in allowed:
            main.problem("deployment.value", (key,), expected=" | ".join(allowed))
    if settings.identity == "named" and settings.clock != "file":
        main.problem("deployment.named_in_earnest", ("identity",))
    try:
        ZoneInfo(settings.timezone)
    except (OSError, ValueError, KeyError):
        main.problem("deployment.value", ("timezone",), expected="IANA, e.g. Asia/Shanghai")


def _rows(model: Any, located: Located) -> list[Any]:
    rows: Any = located.data or []
    found = (_entry(model, located, (index,), row) for index, row in enumerate(rows))
    return [each for each in found if each is not None]


def _entries(
    model: Any, located: Located, top: str, *, name_as: str | None = None, beside: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The named entries under the file's top key; other keys `beside` it are read elsewhere (`filings` shares its file)."""
    mapping = located.mapping()
    if located.path.stem == top:
        for key in mapping:
            if key not in (top, *beside):
                known = ", ".join((top, *beside))
                located.problem("deployment.unknown_key", (key,), key=key, known=known)
    listed = mapping.get(top)
    if not isinstance(listed, dict):
        if not located.problems:
            located.problem("deployment.not_a_mapping", (top,))
        return {}
    found: dict[str, Any] = {}
    for name, value in listed.items():
        data = value
        if name_as is not None and isinstance(value, Mapping):
            if name_as in value:
                located.problem("deployment.unknown_key", (top, name, name_as), key=name_as, known="")
                continue
            data = {name_as: name, **value}
        entry = _entry(model, located, (top, name), data)
        if entry is not None:
            found[name] = entry
    return found


def _entry(model: Any, located: Located, loc: Loc, data: object) -> Any:
    """Validate one entry; its mistakes are noted with their lines and None is returned."""
    try:
        return TypeAdapter(model).validate_python(data)
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            _note(model, located, loc, problem)
        return None


def _note(model: Any, located: Located, loc: Loc, problem: Any) -> None:
    """One of pydantic's problems, in the words of the catalogue."""
    tags = (
        1 if get_origin(model) is Annotated and problem["loc"] else 0
    )  # a union's tag is no key of the file
    inner = tuple(part for part in problem["loc"][tags:] if part != "[key]")
    if problem["type"] == "union_tag_invalid":
        inner = (*inner, "kind")
    place = (*loc, *inner)
    kind, context = problem["type"], problem.get("ctx", {})
    if kind.startswith("deployment."):
        located.problem(kind, place, **context)
    elif kind == "extra_forbidden":
        known = ", ".join(_known_keys(model, problem["loc"][:-1]))
        located.problem("deployment.unknown_key", place, key=str(inner[-1]), known=known)
    elif kind in ("missing", "union_tag_not_found"):
        key = str(inner[-1]) if kind == "missing" else "kind"
        code = (
            "deployment.host_key_unpinned"
            if key in ("known_hosts", "host_key_alias")
            else "deployment.missing"
        )
        located.problem(code, place, key=key)
    elif inner[-1:] == ("known_hosts",) or "known_hosts" in inner:
        located.problem("deployment.host_key_unpinned", place, key="known_hosts")
    else:
        expected = context.get("expected") or context.get("expected_tags") or context.get("pattern")
        located.problem("deployment.value", place, expected=expected or problem["msg"])


def _known_keys(annotation: Any, loc: tuple[Any, ...]) -> tuple[str, ...]:
    """The keys a model has at a place, following fields, union tags and list positions."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _known_keys(arguments[0], loc)
    if origin in (Union, types.UnionType):
        tagged = [each for each in arguments if loc and loc[0] in _tags(each)]
        if tagged:
            return _known_keys(tagged[0], loc[1:])
        return next((keys for each in arguments if (keys := _known_keys(each, loc))), ())
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        if loc:
            return _known_keys(fields[loc[0]].annotation, loc[1:]) if loc[0] in fields else ()
        return tuple(
            name for name in fields if name not in ("id", "name") or annotation in (_Main, WebhookConfig)
        )
    return _known_keys(arguments[-1 if origin is dict else 0], loc[1:]) if arguments and loc else ()


def _tags(model: Any) -> tuple[Any, ...]:
    kind = getattr(model, "model_fields", {}).get("kind")
    return get_args(kind.annotation) if kind is not None else ()
