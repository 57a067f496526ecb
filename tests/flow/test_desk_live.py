"""Pages that follow a filing: what the stream tells, to whom, how many there are, and that nothing keeps the server from ending."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from pipelines.demo.visitor import Visitor
from pipelines.desk.live import Pace
from pipelines.stages.first_review import review_findings
from pipelines.stages.people import PersonDraft, decide, propose
from pipelines.stages.selection import Selection
from resources.accounts import Accounts
from tests.flow.conftest import Resume
from tests.flow.desk_play import PASSWORD, Street, at_desk, status, words
from tests.flow.play import AUDIT

LIVE = f"/filings/{AUDIT}/live"
PACE = Pace(
    look_seconds=0.05, let_in_seconds=0, heartbeat_seconds=0, most_of_session=2, most_of_person=3, most=4
)


@pytest.fixture
def street(resume: Resume, audit_listed: Path) -> Iterator[Street]:
    with at_desk(resume(audit_listed), pace=PACE) as street:
        yield street


def lines(answer: httpx.Response) -> Iterator[str]:
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream")
    assert (answer.headers["x-accel-buffering"], answer.headers["cache-control"]) == ("no", "no-store")
    return answer.iter_lines()


def until(stream: Iterator[str], beginning: str) -> str:
    return next(line for line in stream if line.startswith(beginning))


def test_the_stage_bar_comes_when_the_filing_moves_in_the_readers_language(street: Street):
    reviewer, installation = street.visitor("audit_reviewer"), street.installation
    state = installation.state(AUDIT)
    assert f"{LIVE}?seen={state.seq}" in reviewer.read(f"/filings/{AUDIT}")
    with reviewer.client.stream("GET", f"{LIVE}?seen={state.seq}&lang=en") as answer:
        stream = lines(answer)
        until(stream, ": ")
        review_findings(
            installation, AUDIT, installation.user("audit_reviewer"), "confirm", Selection(rules=("B01",))
        )
        assert until(stream, "id: ") == f"id: {state.seq + 1}"
        assert next(stream) == "event: stage"
        bar: list[str] = []
        while line := next(stream):
            assert line.startswith("data: ")
            bar.append(line.removeprefix("data: "))
        left = installation.state(AUDIT).holds("first_review")
        assert f"Waits for the audit department to review {left} findings first" in words("\n".join(bar))


def test_a_page_that_is_older_is_told_at_once_and_what_the_browser_had_last_counts(street: Street):
    reviewer, seq = street.visitor("audit_reviewer"), street.installation.state(AUDIT).seq
    with reviewer.client.stream("GET", f"{LIVE}?seen=1") as answer:
        assert until(lines(answer), "id: ") == f"id: {seq}"
    with reviewer.client.stream("GET", f"{LIVE}?seen=1", headers={"last-event-id": str(seq)}) as answer:
        stream = lines(answer)
        assert [next(stream) for _ in range(3)] == ["retry: 5000", "", ": "]


def test_a_stream_ends_with_the_session_and_a_browser_without_one_is_told_not_to_ask_again(street: Street):
    reviewer = street.visitor("audit_reviewer")
    with reviewer.client.stream("GET", LIVE) as answer:
        stream = lines(answer)
        until(stream, ": ")
        street.accounts.end_all("audit_reviewer", "administrator")
        assert all(line in (": ", "") for line in stream)
    assert status(reviewer.client, LIVE) == 204
    assert status(street.new_client(), LIVE) == 204


def test_a_stream_ends_with_the_appointment_that_let_the_person_in(street: Street):
    installation, branch = street.installation, street.visitor("branch_it_440000")
    administrator, second = installation.user("administrator"), installation.user("audit_reviewer")
    with branch.client.stream("GET", LIVE) as answer:
        stream = lines(answer)
        until(stream, ": ")
        other = PersonDraft("调岗人员（模拟）", ("administrator",), ("*",))
        proposed = propose(installation, branch.user, other, administrator, reason="调岗（模拟）").pending
        assert proposed is not None
        decide(
            installation,
            branch.user,
            second,
            proposal=proposed.seq,
            is_confirmed=True,
            comment="已核对（模拟）",
        )
        assert all(line in (": ", "") for line in stream)
    assert street.accounts.sessions(branch.user), "the session holds, the right does not"


def test_streams_are_few_for_a_session_for_a_person_and_in_all_and_a_place_is_free_again(street: Street):
    reviewer, engineer = street.visitor("audit_reviewer").client, street.visitor("data_engineer").client
    with reviewer.stream("GET", LIVE) as first, reviewer.stream("GET", LIVE) as second:
        kept = [lines(first), lines(second)]
        assert [until(stream, ": ") for stream in kept] == [": ", ": "]
        assert status(reviewer, LIVE) == 204
        again = Visitor(street.new_client(), "audit_reviewer")
        again.log_in(PASSWORD)
        with again.client.stream("GET", LIVE) as third, engineer.stream("GET", LIVE) as fourth:
            kept += [lines(third), lines(fourth)]
            assert [until(stream, ": ") for stream in kept[2:]] == [": ", ": "]
            assert status(again.client, LIVE) == 204, "a person has few, however many sessions"
            assert status(street.visitor("executive").client, LIVE) == 204
    for _ in range(1_000):  # the server learns of a closed connection in its own time
        if status(reviewer, LIVE) == 200:
            return
    raise AssertionError("no place became free")


def test_following_keeps_no_session_alive_and_reading_a_page_does(resume: Resume, audit_listed: Path):
    installation = resume(audit_listed)
    settings, hour = installation.settings, timedelta()

    def now() -> datetime:
        return installation.now() + hour

    accounts = Accounts.open(
        settings.accounts_database_url, settings.home, now, installation.deployment.users.__contains__
    )
    with at_desk(installation, pace=PACE, accounts=accounts) as street:
        reviewer = street.visitor("audit_reviewer")
        hour = accounts.policy.session_idle * 0.6
        with reviewer.client.stream("GET", LIVE) as answer:
            stream = lines(answer)
            until(stream, ": ")
            hour = accounts.policy.session_idle * 1.2
            assert all(line in (": ", "") for line in stream)
        assert reviewer.client.get("/").headers["location"].startswith("/login")
        reviewer.log_in(PASSWORD)
        hour = accounts.policy.session_idle * 1.8
        assert reviewer.client.get("/").status_code == 200
        hour = accounts.policy.session_idle * 2.4
        assert reviewer.client.get(LIVE.replace("/live", "")).status_code == 200


def test_the_server_ends_while_pages_follow(resume: Resume, audit_listed: Path):
    with at_desk(resume(audit_listed), pace=Pace(look_seconds=3600)) as street:
        client = street.visitor("audit_reviewer").client
        answer = client.send(client.build_request("GET", LIVE), stream=True)
        assert next(lines(answer)) == "retry: 5000"
    assert answer.status_code == 200
