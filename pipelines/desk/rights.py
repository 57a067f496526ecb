"""Who may open which route: `rights.yaml` as frozen data, read once. Deny by default: what is not listed lets nobody in.

Whose filings and findings a person sees within a page is `scope.py`'s matter.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from resources.deployment import User
from resources.deployment.roles import ROLES

Scope = Literal["none", "filing", "request"]


class Right(BaseModel):
    """What it takes to open a route: one of `roles`; with a scope, a filing or request of the user's own organisations."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    roles: frozenset[str]
    scope: Scope = "none"


class Rights(BaseModel):
    """All routes of the desk; `public` ones need no login."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    public: frozenset[str]
    routes: dict[str, Right]

    def may_open(self, user: User, route: str) -> bool:
        """Whether one of the user's roles lets them in; False for a route that nobody listed."""
        right = self.routes.get(route)
        return right is not None and bool(right.roles & user.roles)


@cache
def rights() -> Rights:
    """The shipped rights, groups resolved. ValueError for a role or group that does not exist: the desk does not start."""
    data = yaml.safe_load((Path(__file__).parent / "rights.yaml").read_text(encoding="utf-8"))
    groups: dict[str, list[str]] = data["groups"]

    def resolved(names: list[str]) -> frozenset[str]:
        roles: set[str] = set()
        for name in names:
            if name in groups:
                roles |= resolved(groups[name])
            elif name in ROLES:
                roles.add(name)
            else:
                raise ValueError(f"rights.yaml: no role or group {name!r}")
        return frozenset(roles)

    routes = {name: {**entry, "roles": resolved(entry["roles"])} for name, entry in data["routes"].items()}
    return Rights.model_validate({"public": data["public"], "routes": routes})
