"""Every text that can be sent to the desk, attacked: in paths, addresses and forms of every route."""

from __future__ import annotations

import logging
from random import Random

import pytest

from pipelines.desk.findings_view import FILTERS
from tests.flow.attacks.attacker import PEOPLE, Attacker, corpora, path_of, slots
from tests.flow.attacks.ways import way, ways

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
SHARED = {"lang", "done", "next", *FILTERS}
"""What many routes read by the same function: each of them in the long run, a few here."""
CHEAP = (
    "login",
    "enrol_page",
    "language",
    "requests",
    "findings_export",
    "findings",
    "raise_request",
    "standard_rule",
    "read_notices",
)
READ_AFTERWARDS = ("tasks", "notices", "calendar", "requests", "filings", "filing", "filing_data", "filing_ledger",
                   "findings", "finding", "comparison", "explain", "workbooks", "gates", "sign_page", "users", "person",
                   "trail", "account")  # fmt: skip


def test_every_field_of_every_route_is_known():
    read = {each.name: {name for _, name in slots(each)} for each in ways()}
    assert read["answer_finding"] >= {"filing", "finding", "handling", "new_value", "reason", "csrf"}
    assert read["findings"] >= {"filing", "words", "page", "sort", *FILTERS}
    assert read["findings_act"] >= {"act", "reason", "finding", "seen", "all", "words", *FILTERS}
    assert read["raise_request"] >= {"number", "authority", "organisation", "date_from", "tables", "key"}
    assert read["explain_drift"] >= {"table", "organisation", "field", "kind", "reason"}
    assert read["log_in"] >= {"user", "password", "code", "next"}


def attack(attacker: Attacker, tries: list[tuple[int, str]], caplog: pytest.LogCaptureFixture) -> None:
    """Send a text to a slot each; afterwards nothing of it is unescaped anywhere, and nothing was done that was refused."""
    ledger = attacker.street.installation.ledger
    caplog.set_level(logging.WARNING)
    for place, text in tries:
        taken, slot = SLOTS[place]
        before = ledger.standing()
        answer = attacker.send(taken, {slot: text})
        attacker.look_at(answer, (taken.name, slot, text))
        if taken.method == "GET" or answer.status_code >= 400:
            assert ledger.standing() == before, (taken.name, slot, text, answer.status_code)
    assert [record.message for record in caplog.records if record.name == "baosong.desk"] == []
    look_everywhere(attacker)


def look_everywhere(attacker: Attacker) -> None:
    """Every page, as several people read it, after everything that was sent."""
    for user in ("data_engineer", "audit_reviewer", "branch_440000", "administrator"):
        visitor = attacker.logged_in(attacker.street.visitor(user))
        mine = {role for role, name in PEOPLE.items() if name == user}
        paths = [
            path_of(way(name), attacker.honest_places(way(name)))
            for name in READ_AFTERWARDS
            if way(name).roles & mine
        ]
        if "data_engineer" in mine:
            paths += [f"/requests/{each.key}" for each in attacker.street.installation.requests()]
        for path in paths:
            answer = visitor.client.get(path)
            assert answer.status_code == 200, path
            attacker.look_at(answer, path)


def test_no_text_anywhere_is_more_than_a_text(attacker: Attacker, caplog: pytest.LogCaptureFixture):
    """Every slot has a text, and every text a slot: the slots of routes that answer at little cost have the rest."""
    random = Random(20)  # noqa: S311 - repeatable
    texts = random.sample(TEXTS, len(TEXTS))
    places = [n for n, (taken, (_, name)) in enumerate(SLOTS) if name not in SHARED or taken.name in CHEAP]
    cheap = [place for place in places if SLOTS[place][0].name in CHEAP]
    places += random.choices(cheap, k=max(0, len(texts) - len(places)))
    attack(attacker, list(zip(places, texts, strict=False)), caplog)


@pytest.mark.prove
def test_no_text_anywhere_is_more_than_a_text_at_length(attacker: Attacker, caplog: pytest.LogCaptureFixture):
    random = Random(2026)  # noqa: S311 - repeatable
    tries = [(place, text) for place in range(len(SLOTS)) for text in random.sample(TEXTS, PER_SLOT)]
    attack(attacker, tries, caplog)
