"""Whose data a person meets at the desk: own branch and department, everything masked, a look recorded, nothing by guessing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import polars as pl
import pytest

from pipelines.demo.visitor import Declined
from pipelines.desk.app import ROUTE_NAMES
from pipelines.desk.pages import ROUTERS
from pipelines.desk.rights import rights
from pipelines.desk.scope import visible_findings
from pipelines.stages.masking import MASK
from pipelines.stages.register import register
from pipelines.stages.review import documents_folder
from resources.deployment import User, load_deployment
from resources.deployment.roles import ROLES
from resources.settings import CHECKOUT
from tests.flow.desk_play import PASSWORD, Street, a_change, at_desk, status
from tests.flow.play import AUDIT, DEMO

FILING = f"/filings/{AUDIT}"
LISTED = re.compile(r"findings/([0-9a-f]{16,})\?")
OWN, OTHER = "440000", "330000"
USERS = {
    "requester": "requester_440000", "data_engineer": "data_engineer", "audit_reviewer": "audit_reviewer",
    "business_reviewer": "underwriting_reviewer", "branch_preparer": "branch_440000", "branch_it": "branch_it_440000",
    "finance": "finance_reviewer", "actuarial": "actuary", "it": "it_reviewer", "executive": "executive",
    "president": "president",
}  # fmt: skip


NOTHING_THERE = {"returned_workbook", "off_system_template", "talk_document", "filing_evidence"}
"""What this filing has none of; who may have it is asked where there is some."""


@pytest.fixture(scope="module")
def played(audit_in_review, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """One home for all of these: they only read."""
    import shutil

    from tests.flow.play import opened

    home = tmp_path_factory.mktemp("desk-scope") / "home"
    shutil.copytree(audit_in_review, home)
    with opened(home) as installation, at_desk(installation) as street:
        theirs = register(installation, installation.state(AUDIT)).filter(
            pl.col("branch") == OWN, pl.col("department") == "underwriting", pl.col("field").is_not_null()
        )
        a_change(installation, AUDIT, theirs["finding"][0])
        yield street


def test_every_route_has_its_right_and_every_right_its_route():
    assert rights().public | rights().routes.keys() == ROUTE_NAMES
    assert not rights().public & rights().routes.keys()


def addresses(street: Street) -> dict[str, str]:
    """Every route that is read, with an address of the audit filing."""
    installation = street.desk.installation
    rows = register(installation, installation.state(AUDIT))
    finding = rows.filter(pl.col("branch") == OWN, pl.col("department") == "underwriting")["finding"][0]
    request = installation.requests()[0]
    (number,) = (change.number for change in street.desk.reading.changes())
    state = installation.state(AUDIT)
    book = next(w for d in state.dispatches for w in d.fact.workbooks if w.organisation == OWN)
    dispatch = next(d.seq for d in state.dispatches if book in d.fact.workbooks)
    document = request.latest.fact.documents[0].file
    content, name = state.listings[-1].fact.content, next(iter(state.listings[-1].fact.documents))
    given = {
        "filing": AUDIT, "finding": finding, "key": request.key, "dispatch": str(dispatch), "content": content,
        "user": "president", "number": number, "standard": "circ_audit", "table": "KHXXB", "rule": "B01", "codes": "business_source",
    }  # fmt: skip
    names = {"workbook": book.file, "request_document": document, "filing_document": name}
    found: dict[str, str] = {}
    for router in ROUTERS:
        for route in router.routes:
            if "GET" in route.methods and route.name in rights().routes and route.name not in NOTHING_THERE:
                values = {**given, "name": names.get(route.name, "")}
                found[route.name] = route.path.format_map(values)
    return found


@pytest.mark.parametrize("role", sorted(USERS))
def test_a_role_opens_exactly_the_pages_that_the_matrix_gives_it(played: Street, role: str):
    visitor = played.visitor(USERS[role])
    user = played.desk.installation.deployment.user(USERS[role])
    assert user.roles == {role}
    statuses = {name: status(visitor.client, path) for name, path in addresses(played).items()}
    expected = {name: 200 if role in rights().routes[name].roles else 403 for name in statuses}
    expected |= {name: 204 for name in ("may_see_dagster", "may_use_dagster") if expected[name] == 200}
    expected["sign_on_again"] = 404  # these people came by password
    if role == "business_reviewer":  # the underwriting department's
        expected["finding"] = 200
    assert statuses == expected


def test_a_post_without_right_without_secret_or_without_session_changes_nothing(played: Street):
    before = played.desk.installation.state(AUDIT)
    branch, nobody = played.visitor("branch_440000"), played.new_client()
    for name, path in (
        ("findings_act", f"{FILING}/findings"),
        ("open_sign_off", f"{FILING}/sign-off"),
        ("sign", f"{FILING}/sign"),
    ):
        assert name in ROUTE_NAMES
        assert branch.client.post(path, data={"act": "confirm", "all": "1"}).status_code == 403
        assert nobody.post(path, data={"act": "confirm", "all": "1"}).headers["location"].startswith("/login")
    reviewer = played.visitor("audit_reviewer")
    for secret in ("", "0" * 43):
        fields = {"act": "confirm", "all": "1", "csrf": secret}
        assert reviewer.client.post(f"{FILING}/findings", data=fields).status_code == 403
    assert played.desk.installation.state(AUDIT) == before


def test_a_branch_sees_its_own_findings_and_no_others_by_list_export_address_or_guess(played: Street):
    installation = played.desk.installation
    rows = register(installation, installation.state(AUDIT))
    own, other = (set(rows.filter(pl.col("branch") == code)["finding"]) for code in (OWN, OTHER))
    branch = played.visitor("branch_440000")
    page = branch.read(f"{FILING}/findings")
    assert set(LISTED.findall(page)) == own
    assert set(LISTED.findall(branch.read(f"{FILING}/findings?branch={OTHER}"))) == set()
    export = branch.read(f"{FILING}/findings.csv")
    assert sum(f in export for f in own) == len(own) and not any(f in export for f in other)
    assert "广东分公司" in export and ",440000," not in export, "words, not codes"
    for finding in sorted(other)[:3]:
        assert branch.client.get(f"{FILING}/findings/{finding}").status_code == 404
        assert branch.client.get(f"{FILING}/findings/{'0' * len(finding)}").status_code == 404


def test_a_department_sees_its_own_findings(played: Street):
    installation = played.desk.installation
    rows = register(installation, installation.state(AUDIT))
    own = set(rows.filter(pl.col("department") == "claims")["finding"])
    assert set(LISTED.findall(played.visitor("claims_reviewer").read(f"{FILING}/findings"))) == own


def test_another_branch_s_filing_workbook_and_bar_of_stages_are_not_there(played: Street):
    state = played.desk.installation.state(AUDIT)
    foreign = next(
        (d.seq, w.file) for d in state.dispatches for w in d.fact.workbooks if w.organisation == OTHER
    )
    branch = played.visitor("branch_440000")
    assert branch.client.get(f"{FILING}/workbooks/{foreign[0]}/{foreign[1]}").status_code == 404
    assert "浙江分公司" not in branch.read(FILING) and "四川分公司" not in branch.read(FILING)


@pytest.mark.parametrize(
    "path",
    [
        f"{FILING}/documents/..%2f..%2f..%2fkeys/ledger",
        f"{FILING}/workbooks/1/..%2f..%2fledger.db",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/filings/..%2f..%2fkeys",
        f"{FILING}/findings/%27%20OR%201=1--",
        "/requests/..%2f..%2fkeys",
        "/filings/circ_audit.detail.%00",
    ],
)
def test_no_address_leads_out_of_what_is_served(played: Street, path: str):
    assert played.visitor("data_engineer").client.get(path).status_code in (400, 403, 404)


def test_personal_data_is_masked_and_a_look_at_it_is_recorded(played: Street):
    installation = played.desk.installation
    rows = register(installation, installation.state(AUDIT))
    personal = rows.filter(rule="B01", branch=OWN)
    assert personal.height, "the demo's defects hold wrong identity numbers"
    finding, value = personal["finding"][0], personal["value"][0]
    branch, page = played.visitor("branch_440000"), f"{FILING}/findings/{personal['finding'][0]}"
    assert MASK in branch.read(page) and value not in branch.read(page)
    assert value not in branch.read(f"{FILING}/findings") and value not in branch.read(
        f"{FILING}/findings.csv"
    )
    shown = branch.client.post(f"{page}/reveal", data={"csrf": secret_of(branch.read(page))})
    assert shown.status_code == 200 and value in shown.text
    last = played.accounts.trail(1)[0]
    assert (last.user, last.event, dict(last.detail)) == (
        "branch_440000", "revealed", {"filing": AUDIT, "finding": finding},
    )  # fmt: skip
    with pytest.raises(Declined):
        played.visitor("executive").send(page, f"{page}/reveal", {})


def test_the_words_searched_for_match_no_personal_data(played: Street):
    installation = played.desk.installation
    rows = register(installation, installation.state(AUDIT))
    value = rows.filter(rule="B01")["value"][0]
    assert LISTED.findall(played.visitor("data_engineer").read(f"{FILING}/findings?words={value}")) == []


def secret_of(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def test_every_role_of_the_product_stands_in_the_matrix():
    given = {role for right in rights().routes.values() for role in right.roles}
    assert given == set(ROLES)


def test_a_wrong_password_lets_nobody_in_and_tells_nothing(played: Street):
    client = played.new_client()
    answers = {
        user: client.post(
            "/login", data={"user": user, "password": "wrong wrong wrong 1", "code": "", "next": "/"}
        )
        for user in ("audit_reviewer", "nobody_at_all")
    }
    assert {a.status_code for a in answers.values()} == {409} and not client.cookies
    texts = {re.sub(r'value="[^"]*"', "", a.text) for a in answers.values()}
    assert len(texts) == 1, "an unknown user is told what a known one is"


def test_after_logging_out_the_session_is_over_even_for_who_kept_the_cookie(played: Street):
    visitor = played.visitor("president")
    kept = visitor.client.cookies["baosong_session"]
    visitor.client.post("/logout", data={"csrf": secret_of(visitor.read("/"))})
    del played.known["president"]
    thief = played.new_client()
    thief.cookies.set("baosong_session", kept)
    assert thief.get("/").headers["location"].startswith("/login")
    assert PASSWORD not in visitor.client.get("/login").text


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_after_a_login_leads_to_the_desk_only(played: Street, target: str):
    played.visitor("it_reviewer")
    answer = played.new_client().post(
        "/login", data={"user": "it_reviewer", "password": PASSWORD, "code": "", "next": target}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_login_form_of_another_site_is_refused(played: Street):
    fields = {"user": "it_reviewer", "password": PASSWORD, "code": "", "next": "/"}
    client = played.new_client()
    assert client.post("/login", data=fields, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/login", data=fields, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_what_the_ledger_holds_is_escaped_on_every_page(played: Street):
    page = played.visitor("data_engineer").read(f"{FILING}/findings?words=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


def test_a_proxy_that_asks_for_nobody_is_told_so_and_not_sent_to_the_login(played: Street):
    assert played.new_client().get("/authorised/dagster").status_code == 401
    assert played.visitor("data_engineer").client.get("/authorised/dagster-write").status_code == 204
    assert played.visitor("executive").client.get("/authorised/dagster-write").status_code == 403


def test_documents_of_the_whole_filing_are_not_for_a_branch_or_a_department_and_taking_one_is_recorded(
    played: Street,
):
    state = played.installation.state(AUDIT)
    content, documents = state.listings[-1].fact.content, state.listings[-1].fact.documents
    name = next(n for n in documents if n.endswith(".xlsx"))
    path = f"{FILING}/documents/{content}/{name}"
    for person in ("claims_reviewer", "branch_440000", "business_reviewer"):
        assert played.visitor(person).client.get(path).status_code == 403
    auditor = played.visitor("auditor")
    assert auditor.fetch(path)
    last = played.accounts.trail(1)[0]
    assert (last.user, last.event, last.detail["document"]) == ("auditor", "document_taken", name)


def test_a_document_that_was_altered_is_not_handed_out(played: Street):
    state = played.installation.state(AUDIT)
    content, documents = state.listings[-1].fact.content, state.listings[-1].fact.documents
    name = next(n for n in documents if n.endswith(".html"))
    file = documents_folder(played.installation, state, content) / name
    whole = file.read_bytes()
    file.write_bytes(whole + b" ")
    try:
        assert played.visitor("auditor").client.get(f"{FILING}/documents/{content}/{name}").status_code == 500
    finally:
        file.write_bytes(whole)
    assert played.visitor("auditor").fetch(f"{FILING}/documents/{content}/{name}") == whole


def test_a_branch_is_not_told_the_figures_of_all_branches(played: Street):
    content = played.installation.state(AUDIT).content
    assert content is not None and content.fact.block > 5
    shown = f'<td class="n">{content.fact.block}</td>'
    assert shown in played.visitor("data_engineer").read("/filings")
    assert shown not in played.visitor("branch_440000").read("/filings")
    rows = f"{content.fact.rows:,}"
    assert rows in played.visitor("data_engineer").read(FILING)
    assert rows not in played.visitor("branch_440000").read(FILING)


def test_what_does_not_exist_and_what_is_anothers_look_the_same(played: Street):
    branch = played.visitor("branch_440000")
    answers = [
        branch.client.get(path)
        for path in ("/filings/circ_audit.detail.X", "/requests/X", f"{FILING}/findings/{'0' * 32}")
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({re.sub(r"\s+", " ", answer.text) for answer in answers}) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/language/zh?next=//%5B",
        f"{FILING}/findings?page={'9' * 5000}",
        "/login?done=Call+010-5555",
        "/filings/%00",
    ],
)
def test_odd_addresses_are_no_faults_and_put_no_words_into_our_mouth(played: Street, path: str):
    answer = played.visitor("data_engineer").client.get(path)
    assert answer.status_code in (200, 303, 307, 404) and "010-5555" not in answer.text


def test_a_proxys_questions_keep_no_session_alive(played: Street):
    client = played.visitor("engineer2").client
    token = client.cookies["baosong_session"]
    before = played.accounts.session(token, is_use=False)
    assert client.get("/authorised/dagster").status_code == 204
    assert played.accounts.session(token, is_use=False) == before


def test_a_person_of_one_branch_sees_that_branch_whatever_the_role():
    deployment = load_deployment(DEMO, CHECKOUT)
    rows = pl.DataFrame({"branch": [OWN, OTHER], "department": ["claims", "claims"]})

    def seen(*roles: str, organisations: list[str], departments: list[str] = []) -> list[str]:  # noqa: B006 - read only
        given = {
            "id": "u",
            "name": "某人",
            "roles": roles,
            "organisations": organisations,
            "departments": departments,
        }
        return rows.filter(visible_findings(deployment, User.model_validate(given)))["branch"].to_list()

    assert seen("auditor", organisations=["*"]) == [OWN, OTHER]
    assert seen("auditor", organisations=[OWN]) == [OWN]
    assert seen("business_reviewer", organisations=[OWN], departments=["claims"]) == [OWN]
    assert seen("business_reviewer", organisations=["*"], departments=["finance"]) == []
    assert seen("administrator", organisations=["*"]) == []
    assert seen("branch_it_manager", "administrator", organisations=[OTHER]) == [OTHER]


def test_a_department_opens_no_figure_of_another_departments_table(played: Street):
    rows = register(played.installation, played.installation.state(AUDIT))
    key = next(iter(json.loads(rows.filter(rule="B01", branch=OWN)["key"][0]).values()))
    page = f"{FILING}/explain?cell=KHXXB:{key}"
    assert played.visitor("underwriting_reviewer").client.get(page).status_code == 200
    assert "不在您的机构与部门范围内" in played.visitor("claims_reviewer").client.get(page).text


def test_taking_a_workbook_is_recorded_since_it_shows_what_the_pages_mask(played: Street):
    branch = played.visitor("branch_440000")
    path = re.search(r'href="([^"]+/workbooks/\d+/[^"]+\.xlsx)"', branch.read(f"{FILING}/workbooks"))
    assert path and branch.fetch(path[1])
    last = played.accounts.trail(1)[0]
    assert (last.user, last.event) == ("branch_440000", "document_taken")
    assert last.detail["document"].endswith(".xlsx")
