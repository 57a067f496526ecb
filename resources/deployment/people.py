"""What people must be to each other and to the rest of the deployment, wherever they are recorded: users.yaml or the desk."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from resources.deployment.located import Loc
from resources.deployment.models import Deployment, User


@dataclass(frozen=True)
class Flaw:
    """Something wrong about one person: a code without its area (`unknown_organisation`), where, and the values of its text."""

    code: str
    place: Loc
    values: Mapping[str, Any]


def flaws(
    users: Mapping[str, User], *, organisations: Collection[str], departments: Collection[str]
) -> Iterator[Flaw]:
    """References that lead nowhere, substitutes who cannot be, system logins that two people share."""
    os_users: dict[str, str] = {}
    for user in users.values():
        for code in sorted(user.organisations - {*organisations, "*"}):
            yield Flaw("unknown_organisation", (user.id, "organisations"), {"code": code})
        for code in sorted(user.departments - {*departments, "*"}):
            yield Flaw("unknown_department", (user.id, "departments"), {"code": code})
        for index, substitute in enumerate(user.substitutes):
            place: Loc = (user.id, "substitutes", index)
            if substitute.user not in users or substitute.user == user.id:
                yield Flaw("unknown_substitute", place, {"user": substitute.user})
            if substitute.until < substitute.start:
                dates = {"start": substitute.start, "until": substitute.until}
                yield Flaw("substitute_dates", place, dates)
        if user.os_user is None:
            continue
        if user.os_user in os_users:
            names = {"os_user": user.os_user, "other": os_users[user.os_user]}
            yield Flaw("os_user_twice", (user.id, "os_user"), names)
        os_users.setdefault(user.os_user, user.id)


def vacant_roles(deployment: Deployment, users: Collection[User]) -> frozenset[str]:
    """Roles that routes, change requests, first reviews, the inbox or administration need and none of these people holds."""
    needed = {role for route in deployment.routes.values() for step in route.steps for role in step.roles}
    needed |= {*deployment.change_requests.approval.roles, *deployment.change_requests.raised_by}
    needed |= {each.first_review for each in deployment.filings.values() if each.first_review}
    if not any(set(deployment.change_requests.execution.roles) & user.roles for user in users):
        needed |= set(deployment.change_requests.execution.roles)
    needed |= {"administrator"} | ({"branch_preparer"} if deployment.answers_inbox else set())
    return frozenset(needed - {role for user in users for role in user.roles})


def vacant_departments(deployment: Deployment, users: Collection[User]) -> frozenset[str]:
    """Departments that none of these people decides for."""
    return frozenset(
        code for code in deployment.departments if not any(user.speaks_for(code) for user in users)
    )
