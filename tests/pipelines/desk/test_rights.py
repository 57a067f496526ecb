"""The matrix itself: who may sign, answer, reveal, administer; nobody by default."""

from __future__ import annotations

import pytest

from pipelines.desk.rights import rights
from resources.deployment import User

READERS_ONLY = "auditor"


def user(*roles: str) -> User:
    return User.model_validate({"id": "u", "name": "某人", "roles": list(roles), "organisations": ["*"]})


def test_a_route_that_nobody_listed_lets_nobody_in():
    assert not rights().may_open(user("administrator"), "a_new_page")


def test_who_only_reads_may_open_nothing_that_changes_anything():
    changing = {
        "raise_request", "review_request", "findings_act", "upload_answers", "open_sign_off", "sign", "reveal",
    }  # fmt: skip
    assert changing <= rights().routes.keys()
    assert not any(rights().may_open(user(READERS_ONLY), route) for route in changing)
    assert not any(rights().may_open(user("administrator"), route) for route in changing)


@pytest.mark.parametrize("route", ["users", "trail"])
def test_accounts_are_shown_to_administrators_and_examiners_alone(route: str):
    assert rights().routes[route].roles == {"administrator", "auditor"}


def test_every_route_of_a_filing_or_request_is_scoped():
    unscoped = {
        name for name, right in rights().routes.items()
        if right.scope == "none" and name.startswith(("filing_", "finding", "sign", "workbook", "review_", "request_"))
    }  # fmt: skip
    assert unscoped == set()


def test_the_preparer_of_data_is_not_among_who_signs():
    assert "data_engineer" not in rights().routes["sign"].roles
    assert "branch_preparer" not in rights().routes["sign"].roles
