"""The outbox: told once, in digests, again with growing pauses, given up after a day; and what a killed process leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.errors import Refused, Tampered
from resources.notifier import Batch, New, Outbox, Outcome, open_outbox
from resources.settings import CHECKOUT
from tests.resources.notifier.test_mail import AT

SIGN = New("zhang", "sign", "a.b.1", "filing/a.b.1:7", "filing/a.b.1", 0, date(2026, 5, 12), ("mail",))
PAUSE = 30


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with open_outbox(tmp_path) as opened:
        yield opened


def minutes(number: float) -> datetime:
    return AT + timedelta(minutes=number)


def others(number: int, *channels: str) -> list[New]:
    return [
        replace(SIGN, cause=f"filing/a.b.1:{seq}", channels=channels or ("mail",))
        for seq in range(100, 100 + number)
    ]


def try_once(outbox: Outbox, at: datetime, outcome: Outcome) -> list[Batch]:
    batches = outbox.due(at, PAUSE)
    for batch in batches:
        outbox.begin(batch, at)
        outbox.finish(batch, outcome, at)
    return batches


def states(outbox: Outbox) -> set[str]:
    return {each.state for each in outbox.deliveries(1000)}


def test_the_same_thing_is_noted_once_whoever_notes_it(outbox: Outbox, tmp_path: Path) -> None:
    assert outbox.add([SIGN, SIGN], AT) == 1
    assert outbox.add([SIGN], minutes(1)) == 0
    with open_outbox(tmp_path) as again:
        assert again.add([SIGN], minutes(2)) == 0
        assert again.add([replace(SIGN, cause="filing/a.b.1:9"), replace(SIGN, person="li")], minutes(2)) == 2
    assert [(each.cause, each.noted_at) for each in outbox.told("zhang")] == [
        ("filing/a.b.1:9", minutes(2)),
        ("filing/a.b.1:7", AT),
    ]


def test_two_hundred_things_are_one_digest_and_the_next_waits(outbox: Outbox) -> None:
    outbox.add([SIGN], AT)
    (first,) = try_once(outbox, AT, Outcome("sent"))
    assert len(first.notices) == 1
    outbox.add(others(200), minutes(1))
    assert outbox.due(minutes(PAUSE - 1), PAUSE) == []
    (second,) = try_once(outbox, minutes(PAUSE), Outcome("sent"))
    assert (second.recipient, len(second.notices)) == ("zhang", 200)
    assert first.digest != second.digest
    assert outbox.due(minutes(10_000), PAUSE) == []


def test_a_group_gets_one_message_for_all_its_people(outbox: Outbox) -> None:
    outbox.add([replace(each, person=who) for who in ("li", "zhang") for each in others(3, "webhook:it")], AT)
    (batch,) = outbox.due(AT, PAUSE)
    assert (batch.channel, batch.recipient, len(batch.notices)) == ("webhook:it", "", 6)


def test_what_is_down_is_tried_again_after_pauses_that_double_and_given_up_after_a_day(
    outbox: Outbox,
) -> None:
    outbox.add([SIGN], AT)
    tried: list[float] = []
    at = AT
    while states(outbox) == {"waiting"}:
        if try_once(outbox, at, Outcome("down", "timed out")):
            tried.append((at - AT).total_seconds() / 60)
        at += timedelta(minutes=5)
    assert tried[:6] == [0, 5, 15, 35, 75, 155]
    assert {later - earlier for earlier, later in pairwise(tried[6:])} == {120}
    assert 24 * 60 <= tried[-1] < 26 * 60
    (last,) = outbox.deliveries(1)
    assert (last.state, last.reason, last.attempts) == ("given_up", "timed out", len(tried))
    assert outbox.told("zhang"), "it still stands in the desk"


def test_one_who_is_refused_is_given_up_at_once_and_keeps_no_other_waiting(outbox: Outbox) -> None:
    outbox.add([SIGN, replace(SIGN, person="li")], AT)
    batches = outbox.due(AT, PAUSE)
    for batch, result in zip(batches, ("refused", "sent"), strict=True):
        outbox.begin(batch, AT)
        outbox.finish(batch, Outcome(result), AT)  # type: ignore[arg-type]
    assert {(each.notice.person, each.state) for each in outbox.deliveries(9)} == {
        ("zhang", "given_up"),
        ("li", "sent"),
    }


def test_a_mail_of_unknown_outcome_goes_again_under_its_name_and_alone(outbox: Outbox) -> None:
    outbox.add([SIGN], AT)
    (first,) = try_once(outbox, AT, Outcome("unknown", "timed out"))
    assert states(outbox) == {"unsure"}
    outbox.add(others(2), minutes(1))
    (again,) = try_once(outbox, minutes(5), Outcome("down"))
    assert (again.digest, again.notices, again.is_unsure) == (first.digest, first.notices, True)
    (third, rest) = outbox.due(minutes(60), PAUSE)
    assert (third.digest, third.is_unsure, rest.is_unsure) == (first.digest, True, False), "still the same"
    assert {each.cause for each in rest.notices} == {each.cause for each in others(2)}


def test_a_webhooks_message_of_unknown_outcome_does_not_go_again(outbox: Outbox) -> None:
    outbox.add(others(1, "webhook:it"), AT)
    try_once(outbox, AT, Outcome("unknown"))
    assert states(outbox) == {"unknown"}
    assert outbox.due(minutes(10_000), PAUSE) == []


def test_after_a_kill_the_mail_is_unsure_and_the_webhooks_message_unknown(
    outbox: Outbox, tmp_path: Path
) -> None:
    outbox.add(others(2, "mail", "webhook:it"), AT)
    code = (
        "import sys\nfrom pathlib import Path\nfrom datetime import datetime\nfrom resources.notifier import open_outbox\n"
        f"at = datetime.fromisoformat('{AT.isoformat()}')\n"
        "outbox = open_outbox(Path(sys.argv[1]))\n"
        "for batch in outbox.due(at, 30): outbox.begin(batch, at)\n"
        "print('sending', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as sender:
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"sending\n"
        os.kill(sender.pid, signal.SIGKILL)
    assert states(outbox) == {"sending"}
    assert outbox.due(minutes(60), PAUSE) == [], "nobody else takes it for waiting"
    assert outbox.recover() == 4
    assert {(each.channel, each.state) for each in outbox.deliveries(9)} == {
        ("mail", "unsure"),
        ("webhook:it", "unknown"),
    }
    assert [batch.channel for batch in outbox.due(minutes(1), PAUSE)] == ["mail"]


def test_what_was_done_before_anybody_was_told_is_not_told(outbox: Outbox) -> None:
    elsewhere = replace(SIGN, stream="filing/broken", subject="broken")
    happened = replace(SIGN, kind="voided")
    still = replace(SIGN, person="li")
    outbox.add([SIGN, elsewhere, happened, still], AT)
    assert outbox.drop_moot({still.key}, {"sign"}, {"filing/broken"}) == 1
    assert {
        (each.notice.kind, each.notice.subject, each.notice.person, each.state)
        for each in outbox.deliveries(9)
    } == {
        ("sign", "a.b.1", "zhang", "moot"),
        ("sign", "broken", "zhang", "waiting"),
        ("voided", "a.b.1", "zhang", "waiting"),
        ("sign", "a.b.1", "li", "waiting"),
    }


def test_read_is_what_the_person_saw_and_nobody_elses(outbox: Outbox) -> None:
    outbox.add([SIGN, replace(SIGN, person="li")], AT)
    seen = outbox.told("zhang")[0].number
    outbox.add(others(1), minutes(1))
    outbox.mark_read("zhang", seen, minutes(2))
    assert (outbox.unread("zhang"), outbox.unread("li")) == (1, 1)
    assert [each.read_at for each in outbox.told("zhang")] == [None, minutes(2)]


def test_the_file_is_the_owners_and_a_foreign_or_newer_one_is_refused(tmp_path: Path) -> None:
    open_outbox(tmp_path).close()
    assert (tmp_path / "notices.db").stat().st_mode & 0o077 == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "notices.db").write_bytes(b"no database at all" * 400)
    with pytest.raises(Tampered) as caught:
        open_outbox(other)
    assert caught.value.code == "notices.unreadable"
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(tmp_path / "notices.db")) as connection, connection:
        connection.execute("UPDATE notices_version SET version_num = '9999'")
    with pytest.raises(Refused) as newer:
        open_outbox(tmp_path)
    assert newer.value.code == "notices.newer_tables"
