"""Telling people (通知): what waits for them and what happened to what they did, once each, in digests. No flow waits for it.

The outbox remembers what was noted; one process of a home sends at a time. What a killed process was sending is known by its
name: a mail goes out again under the same Message-ID, a webhook's message does not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TypeVar, get_args

from pipelines.errors import BaosongError, Refused
from pipelines.ledger.change import fold_change
from pipelines.ledger.filing import fold
from pipelines.ledger.people import PEOPLE
from pipelines.ledger.request import fold_request
from pipelines.stages.digest_words import digest_of
from pipelines.stages.installation import Installation
from pipelines.stages.noticed import (
    Notice,
    notices_of_change,
    notices_of_filing,
    notices_of_person,
    notices_of_request,
)
from pipelines.stages.people import person_state
from pipelines.stages.tasks import TaskKind
from resources.deployment import NoticesConfig, User
from resources.notifier import Batch, Carriers, New, Outbox, Outcome, open_carriers, open_outbox
from resources.notifier.shapes import MAIL, WEBHOOK

State = TypeVar("State")
_TASKS = frozenset[str](get_args(TaskKind))
_MOST_DIGESTS = 200
"""So many in one run; the rest go with the next."""
_log = logging.getLogger("baosong.notices")


@dataclass(frozen=True)
class Sent:
    """One digest and what became of it."""

    channel: str
    recipient: str
    notices: int
    outcome: Outcome


@dataclass(frozen=True)
class Notified:
    """What one run did: how many notices are new, what went out, how many nobody will be told; `problems` in words.

    `is_busy`: another process is at it, so nothing was done.
    """

    noted: int = 0
    digests: tuple[Sent, ...] = ()
    given_up: int = 0
    problems: tuple[str, ...] = ()
    is_busy: bool = False


def notify(installation: Installation) -> Notified:
    """Note what is new and send what is due over the deployment's mail server and webhooks.

    Raises Refused where the deployment configures no notices; what cannot be read or sent is told in `problems`.
    """
    config = installation.deployment.notices
    if config is None:
        raise Refused("notices.not_configured", deployment=installation.deployment.name)
    with installation.alone_at_once("notices") as is_alone:
        if not is_alone:  # a second run would only hold a place in the queue
            return Notified(is_busy=True)
        return _notify(installation, config)


def note(installation: Installation, notices: Iterable[Notice]) -> None:
    """Note at once what no stream of the ledger tells; it goes out with the next digests."""
    config, users = installation.deployment.notices or NoticesConfig(), installation.deployment.users
    with open_outbox(installation.home) as outbox:
        outbox.add((_new(users[each.person], config, each) for each in notices), installation.now())


def _notify(installation: Installation, config: NoticesConfig) -> Notified:
    with open_outbox(installation.home) as outbox:
        outbox.recover()
        found, unread, problems = _collected(installation)
        noted = outbox.add(
            (_new(installation.deployment.users[each.person], config, each) for each in found),
            installation.now(),
        )
        present = {(each.person, each.kind, each.subject, each.cause) for each in found}
        outbox.drop_moot(present, _TASKS, unread)
        with open_carriers(installation.deployment, config) as carriers:
            digests, given_up = _send_due(installation, config, outbox, carriers)
    for each in digests:
        if each.outcome.result not in ("sent", "unknown"):
            problems.append(f"{each.channel} {each.recipient}: {each.outcome.result} {each.outcome.reason}")
    return Notified(noted, tuple(digests), given_up, tuple(problems))


def _collected(installation: Installation) -> tuple[list[Notice], set[str], list[str]]:
    """What anybody is to be told; the streams that could not be read, each with its reason, hide no other."""
    found, unread, problems = list[Notice](), set[str](), list[str]()
    ledger = installation.ledger

    def read(
        prefix: str,
        folded: Callable[[str], State | None],
        told: Callable[[Installation, State], Iterable[Notice]],
    ) -> Iterator[Notice]:
        for stream in ledger.streams(prefix):
            try:
                state = folded(stream)
                yield from list(told(installation, state)) if state is not None else ()
            except BaosongError as error:
                unread.add(stream)
                problems.append(f"{stream}: {error}")
                _log.warning("%s cannot be read, so nobody is told of it: %s", stream, error)

    found.extend(read("request/", lambda stream: fold_request(ledger.events(stream)), notices_of_request))
    found.extend(
        read(PEOPLE, lambda s: person_state(installation, s.removeprefix(PEOPLE)), notices_of_person)
    )
    filing = cache(installation.state)  # many requests come from one filing
    found.extend(
        read(
            "change/",
            lambda stream: fold_change(ledger.events(stream)),
            lambda opened, change: notices_of_change(opened, change, filing(change.raised.filing)),
        )
    )
    found.extend(read("filing/", lambda stream: fold(ledger.events(stream)), notices_of_filing))
    return found, unread, problems


def _new(user: User, config: NoticesConfig, notice: Notice) -> New:
    channels = [WEBHOOK + webhook.name for webhook in config.webhooks if webhook.roles & user.roles]
    if config.mail is not None and user.mail is not None:
        channels.append(MAIL)
    return New(
        person=notice.person,
        kind=notice.kind,
        subject=notice.subject,
        cause=notice.cause,
        stream=notice.stream,
        count=notice.count,
        due=notice.due,
        channels=tuple(channels),
    )


def _send_due(
    installation: Installation, config: NoticesConfig, outbox: Outbox, carriers: Carriers
) -> tuple[list[Sent], int]:
    """Send what is due. A channel that is down is tried once; whatever else waits for it shares its pause.

    After a silence the channel is left alone until the next run: a slow server must not hold up this one.
    """
    sent, given_up, down, slow = list[Sent](), 0, dict[str, Outcome](), set[str]()
    for batch in outbox.due(installation.now(), config.digest_minutes)[:_MOST_DIGESTS]:
        if batch.channel in slow:
            continue
        outcome = down.get(batch.channel)
        if outcome is None:
            outbox.begin(batch, installation.now())
            digest = digest_of(batch, installation.now(), desk_url=installation.settings.desk_url)
            outcome = carriers.send(batch.channel, batch.recipient, digest)
            sent.append(Sent(batch.channel, batch.recipient, len(batch.notices), outcome))
        if outcome.result == "down":
            down[batch.channel] = outcome
        elif outcome.result == "unknown":
            slow.add(batch.channel)
        lost = outbox.finish(batch, outcome, installation.now())
        given_up += lost
        _tell_log(batch, outcome, lost)
    return sent, given_up


def _tell_log(batch: Batch, outcome: Outcome, lost: int) -> None:
    if lost:
        _log.error(
            "given up: %d notices to %s over %s: %s", lost, batch.recipient, batch.channel, outcome.reason
        )
    elif outcome.result == "unknown":
        _log.warning(
            "may have arrived: %s to %s over %s: %s",
            batch.digest,
            batch.recipient,
            batch.channel,
            outcome.reason,
        )
