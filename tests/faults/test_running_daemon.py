"""What people decide at the desk, a running daemon does within 20 seconds and once: killed, without its storage, beside another.

Everything is real: the desk over HTTP, `dagster-daemon` with the sensors as they are shipped, the regulator's servers.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from pipelines.stages.canonical import file_digest
from pipelines.stages.installation import open_installation
from tests.faults.daemon import Daemon, running, wait
from tests.faults.world import AUDIT, FLASH, STATISTICS, World
from tests.flow.desk_play import PASSWORD, Street, at_desk, words

pytestmark = pytest.mark.prove
LIMIT_SECONDS = 20
"""From an approval to the run that packages: the product's own promise."""
SENT = {"package_built": 1, "delivery_reserved": 1, "delivery_sent": 1}
ARCHIVED = {**SENT, "receipt_received": 1, "evidence_archived": 1}
Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def waiting(world: World) -> World:
    """April's statistics wait for their executive alone, the audit for the concerned department; nothing is due."""
    world.restore("opened")
    (world.home / "inbox").mkdir()
    for stage in ("extract", "validate", "review"):
        world.run(stage, FLASH)
    world.approve(STATISTICS, signers=("finance_reviewer", "actuary", "it_reviewer"))
    world.approve(AUDIT, signers=("audit_reviewer",))
    world.save("waiting")
    return world


@pytest.fixture
def street(waiting: World) -> Iterator[Street]:
    """The desk over that home, until the end of the test."""
    waiting.restore("waiting")
    with open_installation(waiting.settings) as installation, at_desk(installation) as served:
        yield served


def sign(street: Street, user: str, filing: str, opinion: str = "agree") -> None:
    """Somebody reads the page and signs it, with the password."""
    live = street.installation.state(filing).live_sign_off
    assert live is not None
    page = f"/filings/{filing}/sign"
    said = {"opinion": opinion, "comment": f"{user} 的意见（模拟）", "password": PASSWORD}
    street.visitor(user).send(page, page, {**said, "content": live.fact.content})


def counted(street: Street, filing: str) -> Counter[str]:
    """How many events of each type a filing has."""
    return Counter(event.type for event in street.installation.ledger.events(f"filing/{filing}"))


def has(street: Street, filing: str, event: str) -> Callable[[], bool]:
    return lambda: counted(street, filing)[event] > 0


def require_once(world: World, street: Street, filing: str, expected: dict[str, int]) -> None:
    """These events and no second of them, one package on the other side, a ledger that verifies."""
    released = {kind: number for kind, number in counted(street, filing).items() if kind in ARCHIVED}
    assert released == expected
    state = street.installation.state(filing)
    assert state.package is not None
    if filing == STATISTICS:
        there = [digest for digest, status in world.regulator_files() if status == "accepted"]
        assert len(world.regulator_files()) == 1
    else:
        there = [file_digest(path) for path in world.places.outbox.iterdir()]
    assert len(there) == 1 and there[0] in state.package.fact.files.values()
    assert street.installation.ledger.verify().problems == ()


def require_shown(daemon: Daemon) -> None:
    """The rejection's run shows who disagreed, and made nothing."""
    events = wait(lambda: daemon.events_of("circ_audit_release", "ASSET_CHECK_EVALUATION"), "the checks' run")
    told = [event.asset_check_evaluation_data for event in events]
    assert {each.check_name: each.passed for each in told} == {
        "request_accepted": True,
        "compliance_review": True,
        "business_approval": False,
        "executive_approval": False,
    }
    assert daemon.events_of("circ_audit_release", "ASSET_MATERIALIZATION") == []


def test_an_approval_is_packaged_within_20_seconds_a_rejection_never_and_a_lost_storage_changes_nothing(
    waiting: World, street: Street, record_property: Record
) -> None:
    for user in ("executive", "business_reviewer", "data_engineer"):
        street.visitor(user)
    with running(waiting) as (daemon,):
        signed = time.time()
        sign(street, "executive", STATISTICS)
        wait(lambda: daemon.runs("circ_statistics_release"), "a run that packages", LIMIT_SECONDS)
        sign(street, "business_reviewer", AUDIT, "disagree")
        wait(has(street, STATISTICS, "evidence_archived"), "the evidence")
        require_shown(daemon)
        run = daemon.runs("circ_statistics_release")[-1]
        require_once(waiting, street, STATISTICS, ARCHIVED)
        before = {filing: counted(street, filing) for filing in (STATISTICS, AUDIT)}
        assert not {*before[AUDIT]} & {*ARCHIVED}
        assert street.installation.state(AUDIT).stage == "rejected"
        assert has_to_correct(street) == {"business_reviewer": False, "data_engineer": True}

        daemon.kill()
        daemon.lose_storage()
        daemon.start()
        require_shown(daemon)
        daemon.ticks_again()
        assert daemon.runs("circ_statistics_release") == []
        assert {filing: counted(street, filing) for filing in (STATISTICS, AUDIT)} == before
        require_once(waiting, street, STATISTICS, ARCHIVED)
    launched = run.create_timestamp.timestamp() - signed
    record_property("seconds from approval to launch", round(launched, 1))
    record_property("seconds from approval to the run's start", round((run.start_time or 0) - signed, 1))
    assert launched < LIMIT_SECONDS


def has_to_correct(street: Street) -> dict[str, bool]:
    """Who has the rejected sign-off among the tasks at the desk.

    The step sends it back to the departments that were asked; of this clean core nobody was, so it goes to the preparer.
    """
    return {
        user: "处理被退回的签报" in words(street.visitor(user).read("/"))
        for user in ("business_reviewer", "data_engineer")
    }


@pytest.mark.parametrize("moment", ["after the approval", "in the run"])
def test_a_daemon_killed_and_started_again_packages_and_sends_once(
    waiting: World, street: Street, moment: str
) -> None:
    street.visitor("executive")
    with running(waiting) as (daemon,):
        sign(street, "executive", STATISTICS)
        if moment == "in the run":
            wait(lambda: any(r.start_time for r in daemon.runs("circ_statistics_release")), "the run")
        daemon.kill()
        assert counted(street, STATISTICS)["evidence_archived"] == 0
        daemon.start()
        wait(has(street, STATISTICS, "evidence_archived"), "the evidence")
        require_once(waiting, street, STATISTICS, ARCHIVED)


def test_a_storage_lost_between_approval_and_run_loses_nothing(waiting: World, street: Street) -> None:
    street.visitor("executive")
    with running(waiting) as (daemon,):
        daemon.kill()
        sign(street, "executive", STATISTICS)
        daemon.lose_storage()
        daemon.start()
        wait(has(street, STATISTICS, "evidence_archived"), "the evidence")
        require_once(waiting, street, STATISTICS, ARCHIVED)


def test_two_daemons_that_know_nothing_of_each_other_package_and_send_once(
    waiting: World, street: Street
) -> None:
    street.visitor("executive")
    with running(waiting, "dagster-1", "dagster-2") as daemons:
        sign(street, "executive", STATISTICS)
        for daemon in daemons:
            wait(
                lambda daemon=daemon: daemon.has_succeeded("circ_statistics_release"),
                f"a run that succeeds, see {daemon.log}",
            )
        wait(has(street, STATISTICS, "evidence_archived"), "the evidence")
        require_once(waiting, street, STATISTICS, ARCHIVED)
