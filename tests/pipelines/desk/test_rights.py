"""The matrix itself: who may sign, answer, reveal, administer; nobody by default."""

from __future__ import annotations

import pytest

from pipelines.desk.pages import ROUTERS
from pipelines.desk.rights import rights
from pipelines.desk.scope import BRANCH_ROLES, SEES_ALL
from resources.deployment import User

READERS_ONLY = "auditor"
OWN_AFFAIRS = {
    "log_out",
    "keep_table_view",
    "change_password",
    "begin_totp",
    "confirm_totp",
    "end_sessions",
    "read_notices",
}


def user(*roles: str) -> User:
    return User.model_validate({"id": "u", "name": "某人", "roles": list(roles), "organisations": ["*"]})


def test_a_route_that_nobody_listed_lets_nobody_in():
    assert not rights().may_open(user("administrator"), "a_new_page")


def routes(method: str) -> dict[str, str]:
    """Name and path of what answers to a method."""
    return {
        route.name: route.path for router in ROUTERS for route in router.routes if method in route.methods
    }


def test_who_only_reads_may_open_nothing_that_changes_anything():
    changing = routes("POST").keys() - rights().public - OWN_AFFAIRS
    assert len(changing) >= 10
    assert {route for route in changing if rights().may_open(user(READERS_ONLY), route)} == set()


def test_an_administrator_decides_on_no_filing():
    changing = {name for name, path in routes("POST").items() if "{filing}" in path or "{key}" in path}
    assert len(changing) > 6
    assert {route for route in changing if rights().may_open(user("administrator"), route)} == set()


@pytest.mark.parametrize("route", ["users", "trail"])
def test_accounts_are_shown_to_administrators_and_examiners_alone(route: str):
    assert rights().routes[route].roles == {"administrator", "auditor"}


def test_every_route_of_a_filing_or_request_is_scoped():
    for method in ("GET", "POST"):
        for name, path in routes(method).items():
            expected = "filing" if "{filing}" in path else "request" if "{key}" in path else "none"
            assert name in rights().public or rights().routes[name].scope == expected, name


def test_the_preparer_of_data_is_not_among_who_signs():
    assert "data_engineer" not in rights().routes["sign"].roles
    assert "branch_preparer" not in rights().routes["sign"].roles


@pytest.mark.parametrize("role", sorted((SEES_ALL | BRANCH_ROLES | {"business_reviewer"}) - {READERS_ONLY}))
def test_whomever_a_route_names_comes_to_a_change_request(role: str):
    for route in ("changes", "change", "review_change", "execute_change"):
        assert rights().may_open(user(role), route), route
    assert rights().may_open(user(role), "raise_changes") is (role not in BRANCH_ROLES), "of a whole filing"
