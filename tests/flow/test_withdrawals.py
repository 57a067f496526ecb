"""Withdrawn requests: who may, until when, and that the filing is at rest afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from pipelines.errors import BaosongError, Refused
from pipelines.stages.deliver import deliver
from pipelines.stages.extract import request_extraction
from pipelines.stages.next_step import next_step, request_retry
from pipelines.stages.nil_return import declare_nil_return
from pipelines.stages.request_amend import RequestChanges, amend_request, withdraw_request
from pipelines.stages.sign_off import give_opinion, open_sign_off
from pipelines.stages.talk import Talk, record_talk
from resources.deployment import User
from tests.flow.conftest import Resume, refused
from tests.flow.play import (
    SCHEDULE_P,
    draft,
    preparer,
    run,
)
from tests.flow.request_play import NAIC, NUMBER, codes, decide, register


def test_a_waiting_request_is_withdrawn(begin: Resume) -> None:
    installation = begin()
    register(installation, draft(installation.home))
    user = installation.user("requester_440000")
    assert withdraw_request(installation, NUMBER, user, reason="监管撤回").stage == "withdrawn"
    again = withdraw_request(installation, NUMBER, user, reason="监管撤回")
    assert again == installation.request(NUMBER)
    assert codes(lambda: decide(installation, "accept")) == ["request.closed"]
    assert installation.states() == []


def test_whoever_neither_registered_it_nor_belongs_to_all_its_organisations_leaves_a_request_alone(
    begin: Resume,
) -> None:
    installation = begin()
    register(installation, draft(installation.home))
    stranger = User(
        id="requester_330000",
        name="浙江（模拟）",
        roles=frozenset({"requester"}),
        organisations=frozenset({"330000"}),
    )
    assert codes(lambda: withdraw_request(installation, NUMBER, stranger, reason="不报了")) == [
        "request.not_theirs"
    ]
    changes = RequestChanges(deadline=date(2026, 5, 20))
    assert codes(lambda: amend_request(installation, NUMBER, stranger, changes=changes, reason="推迟")) == [
        "request.not_theirs"
    ]
    assert installation.request(NUMBER).withdrawn is None and len(installation.request(NUMBER).demands) == 1


@pytest.mark.parametrize("home", ["schedule_p_in_review", "schedule_p_reviewed", "schedule_p_approved"])
def test_a_withdrawn_filing_is_at_rest_and_every_act_on_it_is_refused(
    resume: Resume, home: str, request: pytest.FixtureRequest
) -> None:
    installation = resume(request.getfixturevalue(home))
    requester = installation.user("requester")
    withdraw_request(installation, NAIC, requester, reason="监管撤回")
    state = installation.state(SCHEDULE_P)
    assert (state.stage, next_step(state, installation)) == ("withdrawn", None)
    data, actuary = preparer(installation), installation.user("actuary")
    acts: list[Callable[[], object]] = [
        lambda: give_opinion(installation, SCHEDULE_P, actuary, opinion="agree", comment="同意"),
        lambda: request_extraction(installation, SCHEDULE_P, data, reason="再提"),
        lambda: declare_nil_return(installation, SCHEDULE_P, requester, table="TRIANGLE", reason="无"),
        lambda: record_talk(installation, SCHEDULE_P, requester, Talk("监管处", "问", "答")),
        lambda: run(installation, SCHEDULE_P, "package"),
        lambda: deliver(installation, SCHEDULE_P),
    ]
    assert {code for act in acts for code in codes(act)} <= {
        "request.filing_withdrawn", "request.nil_return_rows",
    }  # fmt: skip
    assert "request.filing_withdrawn" in codes(lambda: open_sign_off(installation, SCHEDULE_P, data))
    with pytest.raises(Refused):
        request_retry(installation, SCHEDULE_P, data, reason="重试")
    assert run(installation, SCHEDULE_P, "extract") == state
    assert installation.state(SCHEDULE_P) == state


def test_what_is_being_delivered_is_not_withdrawn(resume: Resume, schedule_p_approved: Path) -> None:
    installation = resume(schedule_p_approved)
    run(installation, SCHEDULE_P, "package")
    with pytest.raises(BaosongError):
        run(installation, SCHEDULE_P, "deliver")  # nobody listens: reserved, not sent
    assert installation.state(SCHEDULE_P).reservation is not None
    requester = installation.user("requester")
    with pytest.raises(Refused) as caught:
        withdraw_request(installation, NAIC, requester, reason="监管撤回")
    assert caught.value.code == "request.delivered"
    assert installation.request(NAIC).stage == "accepted"


def test_a_packaged_filing_that_was_withdrawn_is_not_delivered(
    resume: Resume, schedule_p_approved: Path
) -> None:
    installation = resume(schedule_p_approved)
    run(installation, SCHEDULE_P, "package")
    withdraw_request(installation, NAIC, installation.user("requester"), reason="监管撤回")
    refused(installation, "deliver", "request.filing_withdrawn")
    assert installation.state(SCHEDULE_P).reservation is None
