"""What only the whole deployment shows: references that lead nowhere, cycles, routes nobody can walk.

The shape of a single entry is the models' business; this module compares entries with each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from resources.deployment.connections import (
    AnswersInbox,
    ChannelConfig,
    InterfaceConfig,
    PinnedFile,
    SftpConfig,
    SourceConfig,
)
from resources.deployment.departments import Department, Merger
from resources.deployment.gates import GATES
from resources.deployment.located import Loc, Located
from resources.deployment.models import CalendarOverrides, FilingConfig, Organisation, User
from resources.deployment.notices import NoticesConfig
from resources.deployment.oidc import OidcConfig
from resources.deployment.people import flaws
from resources.deployment.routes import ChangeRoute, Route, RouteStep


@dataclass
class Parts:
    """The entries read so far, with the files they stand in (by stem)."""

    path: Path
    home: Path
    files: dict[str, Located]
    organisations: list[Organisation]
    users: dict[str, User]
    routes: dict[str, Route]
    channels: dict[str, ChannelConfig]
    sources: dict[str, SourceConfig]
    filings: dict[str, FilingConfig]
    departments: dict[str, Department]
    mergers: list[Merger]
    calendar: CalendarOverrides = field(default_factory=CalendarOverrides)
    answers_inbox: AnswersInbox | None = None
    notices: NoticesConfig | None = None
    oidc: OidcConfig | None = None
    change_requests: ChangeRoute | None = None


def check_parts(parts: Parts) -> None:
    """Note every incoherence in the file where it has to be mended."""
    if not parts.files["organisations"].problems:
        _check_organisations(parts.organisations, parts.files["organisations"])
    _check_mergers(parts)
    _check_departments(parts)
    _check_users(parts)
    _check_routes(parts)
    _check_pinned_files(parts)
    _check_filings(parts)
    _check_inbox(parts)
    _check_notices(parts)
    _check_oidc(parts)
    _check_calendar(parts.calendar, parts.files["calendar"])


def _check_organisations(organisations: list[Organisation], file: Located) -> None:
    by_code: dict[str, Organisation] = {}
    for index, each in enumerate(organisations):
        if each.code in by_code:
            file.problem("deployment.duplicate_organisation", (index,), code=each.code)
        by_code.setdefault(each.code, each)
    roots = [each for each in organisations if each.parent is None]
    if len(roots) != 1 or roots[0].level != 0:
        file.problem("deployment.one_head_office", found=", ".join(each.code for each in roots) or "-")
    for index, each in enumerate(organisations):
        if each.parent is None:
            continue
        parent = by_code.get(each.parent)
        if parent is None:
            file.problem("deployment.parent_missing", (index,), code=each.code, parent=each.parent)
        elif cycle := _cycle_from(each, by_code):
            file.problem("deployment.organisation_cycle", (index,), cycle=" → ".join(cycle))
        elif each.level != parent.level + 1:
            file.problem(
                "deployment.level", (index,), code=each.code, level=each.level, expected=parent.level + 1
            )


def _cycle_from(start: Organisation, by_code: dict[str, Organisation]) -> list[str]:
    """The codes of the cycle that `start` itself is part of, or nothing."""
    path = [start.code]
    current = by_code.get(start.parent or "")
    while current is not None and current.code not in path:
        path.append(current.code)
        current = by_code.get(current.parent or "")
    return [*path, start.code] if current is not None and current.code == start.code else []


def _check_mergers(parts: Parts) -> None:
    codes, seen = {each.code for each in parts.organisations}, dict[str, str]()
    for index, merger in enumerate(parts.mergers):
        file = parts.files["mergers"]
        for code in (merger.code, merger.into):
            if code not in codes:
                file.problem("deployment.unknown_organisation", (index,), code=code)
        if merger.code in seen:
            file.problem("deployment.merged_twice", (index,), code=merger.code)
        seen.setdefault(merger.code, merger.into)
        path = [merger.code]
        while path[-1] in seen and path.count(path[-1]) == 1:
            path.append(seen[path[-1]])
        if path.count(path[-1]) > 1:
            file.problem("deployment.merger_cycle", (index,), cycle=" → ".join(path))


def _check_departments(parts: Parts) -> None:
    file, departments = parts.files["departments"], parts.departments
    if file.problems:
        return
    defaults = [code for code, department in departments.items() if department.is_default]
    if len(defaults) != 1:
        file.problem("deployment.one_default_department", ("departments",), found=", ".join(defaults) or "—")
    owners: dict[tuple[str, str], str] = {}
    for code, department in departments.items():
        for standard, names in department.owns.items():
            for name in names:
                if other := owners.get((standard, name)):
                    place: Loc = ("departments", code, "owns", standard)
                    file.problem("deployment.owned_twice", place, name=name, other=other)
                owners.setdefault((standard, name), code)
        if not parts.files["users"].problems and not any(u.speaks_for(code) for u in parts.users.values()):
            file.problem("deployment.department_nobody", ("departments", code), code=code)


def _check_users(parts: Parts) -> None:
    found = flaws(
        parts.users,
        organisations={each.code for each in parts.organisations},
        departments=parts.departments,
    )
    for flaw in found:
        parts.files["users"].problem(f"deployment.{flaw.code}", ("users", *flaw.place), **flaw.values)


def _check_routes(parts: Parts) -> None:
    file = parts.files["routes"]
    for standard, route in parts.routes.items():
        for index, gate in enumerate(route.gates):
            if gate not in GATES:
                place: Loc = ("routes", standard, "gates", index)
                file.problem("deployment.unknown_gate", place, gate=gate, known=", ".join(GATES))
        for index, step in enumerate(route.steps):
            _check_step(parts, step, ("routes", standard, "steps", index))
    if changes := parts.change_requests:
        _check_held(parts, changes.raised_by, ("change_requests", "raised_by"))
        _check_step(parts, changes.approval, ("change_requests", "approval"))
        _check_held(parts, changes.execution.roles, ("change_requests", "execution"), is_one_enough=True)


def _check_step(parts: Parts, step: RouteStep, place: Loc) -> None:
    file = parts.files["routes"]
    _check_held(parts, step.roles, place)
    codes = step.departments if isinstance(step.departments, tuple) else ()
    if not parts.files["departments"].problems:
        for code in sorted(set(codes) - set(parts.departments)):
            file.problem("deployment.unknown_department", place, code=code)
    most = len(parts.departments) if step.departments == "all" else None
    if most is not None and step.quorum is not None and step.quorum > most > 0:
        file.problem("deployment.quorum_too_large", place, most=most)


def _check_held(parts: Parts, roles: tuple[str, ...], place: Loc, *, is_one_enough: bool = False) -> None:
    """Somebody must hold every role or, where any of them will do, one of them."""
    held = {role for user in parts.users.values() for role in user.roles}
    missing = [role for role in roles if role not in held]
    if parts.files["users"].problems or (is_one_enough and len(missing) < len(roles)):
        return
    for role in missing:
        parts.files["routes"].problem("deployment.role_nobody_holds", place, role=role)


def _check_pinned_files(parts: Parts) -> None:
    """Files the insurer keeps must be there; those in the home are written by a server later."""
    file = parts.files["channels"]
    for name, channel in parts.channels.items():
        pinned: dict[str, PinnedFile | None] = {}
        match channel:
            case SftpConfig():
                pinned["known_hosts"] = channel.known_hosts
            case InterfaceConfig():
                pinned["ca_file"] = channel.ca_file
        for key, where in pinned.items():
            if where is not None and where.deployment and not (parts.path / where.deployment).is_file():
                file.problem(
                    "deployment.pinned_file_missing",
                    ("channels", name, key),
                    missing=parts.path / where.deployment,
                )


def _check_filings(parts: Parts) -> None:
    file, codes = parts.files["deployment"], {each.code for each in parts.organisations}
    for standard, filing in parts.filings.items():
        loc = ("filings", standard)
        if filing.source not in parts.sources and not parts.files["sources"].problems:
            known = ", ".join(parts.sources)
            file.problem("deployment.unknown_source", (*loc, "source"), source=filing.source, known=known)
        if filing.channel not in parts.channels and not parts.files["channels"].problems:
            known = ", ".join(parts.channels)
            file.problem("deployment.unknown_channel", (*loc, "channel"), channel=filing.channel, known=known)
        if standard not in parts.routes and not parts.files["routes"].problems:
            file.problem("deployment.route_missing", loc, standard=standard)
        if filing.organisations != "all":
            for code in filing.organisations:
                if code not in codes:
                    file.problem("deployment.unknown_organisation", (*loc, "organisations"), code=code)
        for table, department in filing.off_system.items():
            if department not in parts.departments and not parts.files["departments"].problems:
                file.problem("deployment.unknown_department", (*loc, "off_system", table), code=department)


def _check_inbox(parts: Parts) -> None:
    """Branches may write in the inbox, so nothing of ours lies in it; and somebody must be able to answer."""
    if parts.answers_inbox is None:
        return
    file, folder = parts.files["deployment"], parts.answers_inbox.path(parts.home).resolve()
    for ours in (parts.home, parts.path):
        if ours.is_relative_to(folder):
            file.problem("deployment.inbox_above", ("answers_inbox", "folder"), folder=folder, ours=ours)
    if not parts.files["users"].problems and not any(
        user.has_role("branch_preparer") for user in parts.users.values()
    ):
        file.problem("deployment.role_nobody_holds", ("answers_inbox",), role="branch_preparer")


def _check_notices(parts: Parts) -> None:
    if parts.notices is None:
        return
    file, top = parts.files["deployment"], ("notices",)
    held = {role for user in parts.users.values() for role in user.roles}
    pinned: dict[Loc, PinnedFile | None] = {}
    if parts.notices.mail:
        pinned[(*top, "mail", "ca_file")] = parts.notices.mail.ca_file
    seen: set[str] = set()
    for index, webhook in enumerate(parts.notices.webhooks):
        place: Loc = (*top, "webhooks", index)
        pinned[(*place, "ca_file")] = webhook.ca_file
        if webhook.name in seen:
            file.problem("deployment.webhook_twice", (*place, "name"), name=webhook.name)
        seen.add(webhook.name)
        for role in sorted(webhook.roles - held) if not parts.files["users"].problems else ():
            file.problem("deployment.role_nobody_holds", (*place, "roles"), role=role)
    for place, where in pinned.items():
        if where is not None and where.deployment and not (parts.path / where.deployment).is_file():
            file.problem("deployment.pinned_file_missing", place, missing=parts.path / where.deployment)


def _check_oidc(parts: Parts) -> None:
    """Nobody twice: an account is linked to one identity. Whether they work here is asked when they come in."""
    if parts.oidc is None:
        return
    file, seen = parts.files["deployment"], set[str]()
    for value, user in parts.oidc.people.items():
        place: Loc = ("oidc", "people", value)
        if user in seen:
            file.problem("deployment.oidc_user_twice", place, user=user)
        seen.add(user)
    where = parts.oidc.ca_file
    if where is not None and where.deployment and not (parts.path / where.deployment).is_file():
        missing = parts.path / where.deployment
        file.problem("deployment.pinned_file_missing", ("oidc", "ca_file"), missing=missing)


def _check_calendar(calendar: CalendarOverrides, file: Located) -> None:
    for day in sorted(calendar.workdays & calendar.holidays):
        file.problem("deployment.day_both", ("holidays",), day=day.isoformat())
    for year in sorted(calendar.years - {day.year for day in calendar.holidays}):
        file.problem("deployment.year_without_holidays", ("years",), year=year)
    for place, (before, after) in enumerate(pairwise(calendar.hours), start=1):
        if after.opens <= before.closes:
            file.problem("deployment.hours_order", ("hours", place), before=before.closes, after=after.opens)
