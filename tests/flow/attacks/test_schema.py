"""Schemathesis over the desk's own description of itself: whatever it may be sent, by people of several roles, to every route.

The application describes paths and methods; what its handlers read of addresses and forms is added from `ways`, and what it
answers from here. The description is served nowhere.
"""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from pipelines.desk.app import create_app
from tests.flow.attacks.attacker import PEOPLE, Attacker, address
from tests.flow.attacks.ways import Way, ways

OF_THE_DESK = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
               "unsupported_method", "allow_header_conformance")  # fmt: skip
"""Checks of Schemathesis itself, beside those of `Attacker.look_at`."""
PAGE, PLAIN, FILE = "text/html", "text/plain", "application/octet-stream"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ANSWERED = {
    "healthy": PLAIN, "findings_export": "text/csv", "workbook": XLSX, "returned_workbook": XLSX,
    "request_document": FILE, "filing_document": FILE, "talk_document": FILE, "off_system_template": XLSX,
    "filing_live": "text/event-stream", "filing_evidence": "application/zip",
}  # fmt: skip
OTHERS = ("branch_330000", "claims_reviewer", "executive", "administrator", "auditor")
FEW, MANY = 3, 40


def described(attacker: Attacker) -> dict[str, Any]:
    """The application's description with what it cannot know of itself."""
    raw = create_app(attacker.street.desk).openapi()
    for way in ways():
        operation = raw["paths"][way.path][way.method.lower()]
        operation["operationId"] = way.name
        honest = {**attacker.honest_places(way), **attacker.honest_fields(way)}
        operation["parameters"] = [
            *({"name": n, "in": "path", "required": True, "schema": some(honest[n])} for n in way.places),
            *({"name": n, "in": "query", "schema": some(honest.get(n, "1"))} for n in way.asked),
        ]
        if way.method == "POST":
            fields = {n: some(honest.get(n, "")) for n in way.fields}
            fields |= {n: {"type": "string", "format": "binary"} for n in way.files}
            kind = "multipart/form-data" if way.files else "application/x-www-form-urlencoded"
            form = {
                "type": "object",
                "properties": fields,
                "required": sorted(n for n in fields if n in honest),
            }
            operation["requestBody"] = {"required": True, "content": {kind: {"schema": form}}}
        operation["responses"] = answers(way)
    return raw


def some(honest: str) -> dict[str, Any]:
    """A text: often one that leads further, else any."""
    return {"anyOf": [{"type": "string", "enum": [honest]}, {"type": "string"}]}


def answers(way: Way) -> dict[str, Any]:
    """What a route may answer; every answer bears the policy of what a page may load."""
    policy = {
        "content-security-policy": {
            "required": True,
            "schema": {"type": "string", "pattern": "default-src 'none'"},
        }
    }

    def answer(*kinds: str) -> dict[str, Any]:
        return {"description": "", "headers": policy, "content": {kind: {} for kind in kinds}}

    if way.path.startswith("/authorised/"):
        return {str(status): answer() for status in (204, 401, 403)}
    refused = {str(status): answer(PAGE, PLAIN) for status in (400, 403, 404, 405, 409, 413, 429)}
    return {"200": answer(ANSWERED.get(way.name, PAGE)), "303": answer(), **refused}


def play(attacker: Attacker, examples: int) -> dict[str, int]:
    """Every route with that many cases each; how often which status came."""
    load_all_checks()
    schema = schemathesis.openapi.from_dict(described(attacker))
    schema.config.update(base_url=attacker.street.url)
    by_name, seen = {way.name: way for way in ways()}, dict[str, int]()
    for found in schema.get_all_operations():
        operation = found.ok()
        play_one(attacker, by_name[operation.definition.raw["operationId"]], operation, examples, seen)
    return seen


def play_one(attacker: Attacker, way: Way, operation: Any, examples: int, seen: dict[str, int]) -> None:
    able = [user for role, user in PEOPLE.items() if role in way.roles] or ["auditor"]
    cases = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if way.places:  # of texts alone there is nothing that the description forbids but an empty path
        cases = st.one_of(cases, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(
        case=cases,
        user=st.sampled_from([*able] * 4 + [*OTHERS]),
        changed=st.none() | st.sets(st.sampled_from([*way.places, *way.fields, ""]), max_size=2),
    )
    def every(case: schemathesis.Case, user: str, changed: set[str] | None) -> None:
        if changed is not None:
            leave(case, changed, {**attacker.honest_places(way), **attacker.honest_fields(way)})
        status = take(attacker, way, case, user)
        seen[f"{way.name} {status}"] = seen.get(f"{way.name} {status}", 0) + 1

    every()


def leave(case: Any, changed: set[str], honest: dict[str, str]) -> None:
    """Leave only these two as they were drawn, and all else honest: so the others' checks are passed and theirs are reached."""
    for part in (case.path_parameters, case.body):
        if isinstance(part, dict):
            for name in part.keys() - changed:
                part[name] = honest.get(name, "") if isinstance(part[name], str) else part[name]


def take(attacker: Attacker, way: Way, case: Any, user: str) -> int:
    """One case, sent by a person with the secret of their session; the status of the answer."""
    visitor, headers = attacker.street.visitor(user), {"x-forwarded-for": address()}
    attacker.logged_in(visitor)
    cookies = {"baosong_session": visitor.client.cookies["baosong_session"]}
    if way.method == "POST" and isinstance(case.body, dict):
        case.body["csrf"] = attacker.session_of(visitor).csrf_secret
    before = attacker.street.installation.ledger.standing()
    response = case.call(headers=headers, cookies=cookies, allow_redirects=False)
    if (
        given_token := response.headers.get("set-cookie", [""])[0]
        .partition("baosong_session=")[2]
        .partition(";")[0]
    ):
        visitor.client.cookies.set("baosong_session", given_token, domain="127.0.0.1", path="/")
    if response.headers.get("content-type", [""])[0].startswith("text/"):
        attacker.look_at_page(response.text, f"{way.name} {response.status_code}")
    checks = CHECKS.get_by_names(list(OF_THE_DESK))
    case.validate_response(response, checks=checks, headers=headers, transport_kwargs={"cookies": cookies})
    if response.status_code >= 400 or way.method == "GET":
        assert attacker.street.installation.ledger.standing() == before, way.name
    return response.status_code


def check_reach(seen: dict[str, int], share: float) -> None:
    """The cases come through: each way was taken, and that share of them to the end."""
    assert {name.split()[0] for name in seen} == {way.name for way in ways()}
    done = {name.split()[0] for name in seen if name.split()[1] in ("200", "204", "303")}
    assert len(done) > len(ways()) * share, sorted({way.name for way in ways()} - done)


def test_no_case_of_any_route_is_a_fault_or_answered_otherwise_than_described(attacker: Attacker):
    check_reach(play(attacker, FEW), 0.4)


@pytest.mark.prove
def test_no_case_of_any_route_is_a_fault_at_length(attacker: Attacker):
    check_reach(play(attacker, MANY), 0.75)
