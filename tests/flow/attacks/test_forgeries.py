"""Well formed, and not meant by who seems to send it: forged forms, other people's things, stolen and planted sessions."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import polars as pl
import pytest

from pipelines.desk.visit import Desk
from pipelines.stages.register import register
from resources.deployment import Deployment, User
from tests.flow.attacks.attacker import Attacker, address, corpora, path_of
from tests.flow.attacks.ways import Way, way, ways
from tests.flow.desk_play import PASSWORD
from tests.flow.play import AUDIT, SCHEDULE_P

POSTS = tuple(each for each in ways() if each.method == "POST" and not each.is_public)
FILING = f"/filings/{AUDIT}"
MEANT = {"role": "administrator", "roles": "administrator", "user": "president", "user_id": "president", "actor": "president",
         "id": "1", "is_admin": "1", "is_masked": "0", "organisations": "*", "departments": "*", "state": "accepted",
         "_method": "DELETE", "__proto__": "x", "session": "x", "approved": "1"}  # fmt: skip


def everything(attacker: Attacker) -> tuple[object, ...]:
    """What a refused act leaves as it was: decisions, accounts, notices read."""
    accounts = attacker.street.accounts
    return (attacker.street.installation.ledger.standing(), accounts.accounts(), accounts.trail(10_000))


@pytest.mark.parametrize("taken", POSTS, ids=[each.name for each in POSTS])
def test_a_form_without_the_secret_of_this_very_session_does_nothing(attacker: Attacker, taken: Way):
    attacker.person(way("trail"))  # another person's, who is logged in too
    foreign = attacker.session_of(
        attacker.street.visitor("administrator" if "administrator" not in taken.roles else "auditor")
    )
    person = attacker.person(taken)
    own = attacker.session_of(person)
    forged = ["", "0" * 43, own.csrf_secret[:-1], own.csrf_secret.swapcase(), own.id, "\uff10" * 43]
    forged += [foreign.csrf_secret] if foreign is not None else []
    before = everything(attacker)
    for secret in forged:
        answer = attacker.send(taken, {("field", "csrf"): secret})
        attacker.look_at(answer, taken.name)
        assert answer.status_code == 403, (taken.name, secret)
    url = path_of(taken, attacker.honest_places(taken))
    json = person.client.post(url, json={"csrf": own.csrf_secret, **attacker.honest_fields(taken)})
    plain = person.client.post(url, content=f"csrf={own.csrf_secret}", headers={"content-type": "text/plain"})
    in_address = person.client.post(f"{url}?csrf={own.csrf_secret}")
    by_header = person.client.post(url, headers={"x-csrf-token": own.csrf_secret})
    assert {each.status_code for each in (json, plain, in_address, by_header)} == {403}
    for header in ("x-http-method-override", "x-method-override", "x-http-method"):
        assert person.client.get(url, headers={header: "POST"}).status_code in (200, 404, 405, 403)
    assert everything(attacker) == before


def test_a_secret_given_twice_is_one_secret(attacker: Attacker):
    taken = way("read_notices")
    attacker.person(taken)
    own = attacker.session_of(attacker.person(taken)).csrf_secret
    assert attacker.send(taken, {}, extra=(("csrf", "forged"),)).status_code == 403
    assert attacker.send(taken, {("field", "csrf"): "forged"}, extra=(("csrf", own),)).status_code == 303


@pytest.mark.parametrize("taken", POSTS, ids=[each.name for each in POSTS])
def test_fields_that_no_form_has_mean_nothing(attacker: Attacker, taken: Way):
    person = attacker.person(taken)
    deployment, ledger = attacker.street.installation.deployment, attacker.street.installation.ledger
    appointed, before = appointments(deployment), ledger.standing()
    answer = attacker.send(
        taken, {("field", name): value for name, value in MEANT.items() if name not in taken.fields}
    )
    attacker.look_at(answer, taken.name)
    assert appointments(deployment) == appointed
    for stream, seq in ledger.standing().items():
        done = ledger.events(stream)[before.get(stream, 0) :] if seq > before.get(stream, 0) else ()
        assert {event.actor for event in done} <= {person.user}, taken.name


def appointments(deployment: Deployment) -> dict[str, User]:
    """What people may do, whoever stands in for them."""
    return {name: user.model_copy(update={"substitutes": ()}) for name, user in deployment.users.items()}


def others(attacker: Attacker) -> dict[str, str]:
    """What is not the branch 440000's, by the name it has in an address."""
    installation = attacker.street.installation
    state = installation.state(AUDIT)
    rows = register(installation, state)
    dispatch, book = next(
        (d, w) for d in state.dispatches for w in d.fact.workbooks if w.organisation == "330000"
    )
    request = installation.request("NAIC-1997-F")
    return {
        "finding": rows.filter(pl.col("branch") == "330000")["finding"].sort()[0],
        "dispatch": str(dispatch.seq), "book": book.file,
        "key": request.key, "scan": request.latest.fact.documents[0].file,
    }  # fmt: skip


def test_nothing_of_another_branch_opens_by_its_number(attacker: Attacker):
    theirs, before = others(attacker), attacker.street.installation.ledger.standing()
    names = {"workbook": theirs["book"], "request_document": theirs["scan"]}
    tried = 0
    for user in ("branch_440000", "requester_440000", "branch_it_440000", "branch_it_manager_440000"):
        visitor = attacker.logged_in(attacker.street.visitor(user))
        secret = attacker.session_of(visitor).csrf_secret
        for taken in ways():
            if taken.is_public or not set(taken.places) & {
                "filing",
                "finding",
                "dispatch",
                "key",
                "user",
                "number",
            }:
                continue
            if user == "requester_440000" and "key" in taken.places:
                continue  # who raised it sees it
            honest = attacker.honest_places(taken)
            alien = {**honest, **theirs, "name": names.get(taken.name, honest["name"])}
            tries = [
                {**alien, "filing": SCHEDULE_P},
                *([alien] if {"finding", "dispatch", "key", "number"} & set(taken.places) else []),
            ]
            for places in tries:
                url = path_of(taken, places)
                fields = {**attacker.honest_fields(taken), "csrf": secret}
                answer = (
                    visitor.client.get(url)
                    if taken.method == "GET"
                    else visitor.client.post(url, data=fields)
                )
                assert answer.status_code in (403, 404), (user, taken.name, url)
                tried += 1
    assert tried > 60
    assert attacker.street.installation.ledger.standing() == before


def test_nothing_of_another_department_opens_or_is_decided_by_its_number(attacker: Attacker):
    installation = attacker.street.installation
    rows = register(installation, installation.state(AUDIT))
    theirs = rows.filter(pl.col("department") == "underwriting")["finding"].sort()
    claims = attacker.logged_in(attacker.street.visitor("claims_reviewer"))
    secret, before = attacker.session_of(claims).csrf_secret, installation.ledger.standing()
    for finding in theirs[:5]:
        page = f"{FILING}/findings/{finding}"
        assert claims.client.get(page).status_code == 404
        assert claims.client.post(f"{page}/reveal", data={"csrf": secret}).status_code == 404
        for act in ("confirm", "dismiss", "issue", "accept", "send_back"):
            fields = {"csrf": secret, "act": act, "finding": finding, "reason": "x", "seen": "99999"}
            assert claims.client.post(f"{FILING}/findings", data=fields).status_code in (400, 409)
    assert installation.ledger.standing() == before


def test_a_planted_session_is_not_taken_on_and_a_used_one_is_worth_nothing(attacker: Attacker):
    street = attacker.street
    street.visitor("actuary")
    victim = street.new_client()
    victim.headers["x-forwarded-for"] = address()
    planted = attacker.logged_in(street.visitor("auditor")).client.cookies["baosong_session"]
    victim.cookies.set("baosong_session", planted)
    form = {"user": "actuary", "password": PASSWORD, "code": "", "next": "/"}
    answer = victim.post("/login", data=form)
    given = answer.cookies["baosong_session"]
    assert given != planted and street.accounts.session(given).user_id == "actuary"
    assert street.accounts.session(planted) is None, "the session that the browser came with is over"
    alone = httpx.Client(base_url=street.url, cookies={"baosong_session": given})
    with alone:
        secret = street.accounts.session(given).csrf_secret
        out = alone.post("/logout", data={"csrf": secret})
        assert out.status_code == 303
        for path in ("/", "/account", "/filings"):
            again = httpx.get(f"{street.url}{path}", cookies={"baosong_session": given})
            assert again.headers["location"].startswith("/login")


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "\u00ff" * 43, "a" * 10_000, "../../x", "' OR 1=1 --", '"quoted"', "x; baosong_session=y"],
)
def test_a_session_that_was_made_up_is_none(attacker: Attacker, cookie: str):
    sent = f"baosong_session={cookie}".encode("latin-1")
    answer = httpx.get(
        f"{attacker.street.url}/", headers={b"cookie": sent, b"x-forwarded-for": address().encode()}
    )
    attacker.look_at(answer, cookie)
    assert answer.headers["location"] == "/login?next=/"


def test_another_password_ends_every_other_session_at_the_desk(attacker: Attacker):
    street = attacker.street
    here = attacker.logged_in(street.visitor("president"))
    elsewhere = street.new_client()
    elsewhere.headers["x-forwarded-for"] = address()
    elsewhere.post("/login", data={"user": "president", "password": PASSWORD, "code": "", "next": "/"})
    assert elsewhere.get("/").status_code == 200
    old, new = here.client.cookies["baosong_session"], "ein anderer langer Satz 28"
    fields = {"old": PASSWORD, "password": new, "again": new, "csrf": attacker.session_of(here).csrf_secret}
    assert here.client.post("/account/password", data=fields).status_code == 303
    assert here.client.cookies["baosong_session"] != old and here.client.get("/").status_code == 200
    assert elsewhere.get("/").headers["location"].startswith("/login")
    assert street.accounts.session(old) is None


@pytest.mark.parametrize("host", corpora()["hosts"])
def test_no_answer_believes_what_host_it_is(attacker: Attacker, host: str):
    headers = {"host": host, "x-forwarded-host": "evil.example", "x-forwarded-prefix": "/evil", "x-original-url": "/trail",
               "x-rewrite-url": "/trail", "forwarded": "host=evil.example", "x-forwarded-for": address()}  # fmt: skip
    visitor = attacker.logged_in(attacker.street.visitor("auditor"))
    for client, path in (
        (attacker.street.new_client(), "/calendar"),
        (visitor.client, "/filings"),
        (visitor.client, "/nowhere"),
        (visitor.client, "/filings/"),
    ):
        answer = client.get(path, headers=headers)
        if answer.headers.get("content-type") == "text/plain; charset=utf-8" and answer.status_code == 400:
            continue  # the server takes it for no request at all
        attacker.look_at(answer, host)
        assert "evil.example" not in answer.text + answer.headers.get("location", "")


@pytest.mark.parametrize("target", corpora()["redirects"])
def test_no_way_back_leads_elsewhere(attacker: Attacker, target: str):
    answer = httpx.get(f"{attacker.street.url}/language/en", params={"next": target})
    attacker.look_at(answer, target)
    assert answer.status_code == 303 and answer.url.join(answer.headers["location"]).host == "127.0.0.1"


@pytest.fixture
def desk(attacker: Attacker) -> Iterator[Desk]:
    yield attacker.street.desk


def test_a_client_that_gives_itself_addresses_is_still_one_where_no_proxy_stands(desk: Desk):
    from pipelines.desk.rate import Rate
    from tests.flow.attacks.servers import bare

    with bare(desk, rate=Rate(requests=5)) as url:
        answers = [
            httpx.get(f"{url}/login", headers={"x-forwarded-for": f"10.9.9.{n}", "x-real-ip": f"10.9.9.{n}",
                                                "forwarded": f"for=10.9.9.{n}", "x-forwarded-proto": "https"})
            for n in range(6)
        ]  # fmt: skip
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert re.fullmatch(r"\d+", answers[-1].headers["retry-after"])
    assert "strict-transport-security" not in answers[0].headers, "nobody but a proxy says that it was TLS"
