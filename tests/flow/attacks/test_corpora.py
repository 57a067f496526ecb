"""Every text that can be sent to the desk, attacked: in paths, addresses and forms of every route."""

from __future__ import annotations

import logging
import re
from itertools import cycle
from pathlib import Path
from random import Random

import pytest

from pipelines import desk
from pipelines.desk.findings_view import FILTERS
from pipelines.stages.change_request import change_requests
from pipelines.stages.scope import sees_change
from tests.flow.attacks.attacker import PEOPLE, Attacker, Slot, corpora, path_of, slots
from tests.flow.attacks.ways import Way, way, ways

FOLDER = Path(desk.__file__).parent
KINDS = (
    "sql",
    "paths",
    "templates",
    "markup",
    "headers",
    "formulas",
    "xml",
    "unicode",
    "numbers",
    "long",
    "redirects",
)
SLOTS = [(each, slot) for each in ways() for slot in slots(each)]
TEXTS = [text for kind in KINDS for text in corpora()[kind]]
PER_SLOT = 20
SHARED = {"lang", "done", "next", "words", "page", "sort", "desc", "group", *FILTERS}
"""What many routes read by the same function, and take for nothing where they do not know it."""
CHEAP = (
    "login",
    "enrol_page",
    "language",
    "requests",
    "raise_request",
    "record_talk",
    "standard_rule",
    "read_notices",
)
READ_AFTERWARDS = ("tasks", "notices", "calendar", "requests", "filings", "filing", "filing_data", "filing_ledger",
                   "findings", "finding", "comparison", "explain", "workbooks", "gates", "sign_page", "users", "person",
                   "trail", "account", "waivers", "talks", "off_system", "changes", "change", "filing_sent", "amend_page",
                   "withdraw_page", "appointment", "new_person", "standard", "new_request")  # fmt: skip


def test_every_field_of_every_route_is_known():
    read = {each.name: {name for _, name in slots(each)} for each in ways()}
    assert read["answer_finding"] >= {"filing", "finding", "handling", "new_value", "reason", "csrf"}
    assert read["findings"] >= {"filing", "words", "page", "sort", *FILTERS}
    assert read["findings_act"] >= {"act", "reason", "finding", "seen", "all", "words", *FILTERS}
    assert read["raise_request"] >= {"number", "authority", "organisation", "date_from", "tables", "key"}
    assert read["explain_drift"] >= {"table", "organisation", "field", "kind", "reason"}
    assert read["record_talk"] >= {"counterpart", "held_at", "question", "answer"}, "through a helper"
    assert read["answer_findings"] >= {"finding", "seen", "all", "answer_reason", *FILTERS}, (
        "in another module"
    )
    assert read["propose_person"] >= {"password", "code", "role"}, "in another module"
    assert read["log_in"] >= {"user", "password", "code", "next"}
    templates = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / "templates").rglob("*.html"))
    written = set(re.findall(r'<(?:input|select|textarea|button)\b[^>]*? name="(\w+)"', templates))
    files = {name for each in ways() for name in each.files}
    assert written and written <= set[str]().union(*read.values()) | files, (
        "what stands in a form is read somewhere"
    )


Try = tuple[Way, dict[tuple[Slot, str], str]]
"""A way, and the texts for some of its slots."""


def attack(attacker: Attacker, tries: list[Try], caplog: pytest.LogCaptureFixture) -> None:
    """Send the texts; afterwards nothing of them is unescaped anywhere, and nothing was done that was refused."""
    ledger = attacker.street.installation.ledger
    caplog.set_level(logging.WARNING)
    for taken, changed in tries:
        before = ledger.standing()
        answer = attacker.send(taken, changed)
        attacker.look_at(answer, (taken.name, changed))
        if taken.method == "GET" or answer.status_code >= 400:
            assert ledger.standing() == before, (taken.name, changed, answer.status_code)
    assert [record.message for record in caplog.records if record.name == "baosong.desk"] == []
    look_everywhere(attacker)


def look_everywhere(attacker: Attacker) -> None:
    """Every page, as several people read it, after everything that was sent."""
    for user in ("data_engineer", "audit_reviewer", "branch_440000", "administrator", "requester_440000"):
        visitor = attacker.logged_in(attacker.street.visitor(user))
        mine = {role for role, name in PEOPLE.items() if name == user}
        paths = [
            path_of(way(name), attacker.honest_places(way(name)))
            for name in READ_AFTERWARDS
            if way(name).roles & mine
        ]
        if "data_engineer" in mine:
            paths += [f"/requests/{each.key}" for each in attacker.street.installation.requests()]
        hidden = changes_of_others(attacker, user)
        for path in paths:
            answer = visitor.client.get(path)
            assert answer.status_code == (404 if path in hidden else 200), path
            attacker.look_at(answer, path)


def changes_of_others(attacker: Attacker, user: str) -> set[str]:
    """The pages of change requests that another branch's or department's findings caused: for this person they are not there."""
    installation = attacker.street.installation
    person = installation.deployment.user(user)
    return {
        f"/changes/{each.number}"
        for each in change_requests(installation)
        if not sees_change(installation.deployment, person, each, installation.state(each.raised.filing))
    }


def some_tries(random: Random) -> list[Try]:
    """Every slot has a text, and every text a slot. What many routes read by the same function comes in one request for each, and
    alone to routes that answer at little cost; these have the texts that are left over, too."""
    texts = cycle(random.sample(TEXTS, len(TEXTS)))
    tries: list[Try] = []
    for taken in ways():
        shared = [slot for slot in slots(taken) if is_shared(slot)]
        tries += [(taken, {slot: next(texts)}) for slot in slots(taken) if not is_shared(slot)]
        tries += [(taken, {slot: next(texts) for slot in shared})] if shared else []
    cheap = [place for place in SLOTS if place[0].name in CHEAP]
    left = set(TEXTS) - {text for _, changed in tries for text in changed.values()}
    return tries + [(taken, {slot: text}) for text in sorted(left) for taken, slot in random.choices(cheap)]


def is_shared(slot: tuple[Slot, str]) -> bool:
    return slot[1] in SHARED and slot[0] != "place"


def test_every_slot_has_a_text_and_every_text_a_slot():
    tries = some_tries(Random(20))  # noqa: S311 - repeatable
    assert {(taken, slot) for taken, changed in tries for slot in changed} == set(SLOTS)
    assert {text for _, changed in tries for text in changed.values()} == set(TEXTS)


def test_no_text_anywhere_is_more_than_a_text(attacker: Attacker, caplog: pytest.LogCaptureFixture):
    attack(attacker, some_tries(Random(20)), caplog)  # noqa: S311 - repeatable


@pytest.mark.prove
def test_no_text_anywhere_is_more_than_a_text_at_length(attacker: Attacker, caplog: pytest.LogCaptureFixture):
    random = Random(2026)  # noqa: S311 - repeatable
    tries = [(taken, {slot: text}) for taken, slot in SLOTS for text in random.sample(TEXTS, PER_SLOT)]
    attack(attacker, tries, caplog)
