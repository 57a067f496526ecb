"""What the compliance review asks: were the steps taken, in their order, by different people, in time, and with open eyes.

Each check looks at events and at the facts they name, and says what it saw. It decides nothing: a deviation is shown to whoever
gives an opinion, and never disappears.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal, cast

import polars as pl

from pipelines.errors import catalogue
from pipelines.ledger.events import time_text
from pipelines.ledger.filing import FilingState
from pipelines.ledger.recorded import Recorded
from pipelines.stages.compliance_facts import Acts, day, read_acts
from pipelines.stages.installation import Installation
from pipelines.stages.step_limits import timed_steps

Result = Literal["kept", "deviation", "not_applicable"]


@dataclass(frozen=True)
class Title:
    zh: str
    en: str


@dataclass(frozen=True)
class Evidence:
    """What a check saw: the events (`#seq`; those of a request with its stream), by whom, first and last moment, of how many
    (`count`) how many deviate (`deviating`)."""

    events: tuple[str, ...] = ()
    who: tuple[str, ...] = ()
    first: str = ""
    last: str = ""
    count: int = 0
    deviating: int = 0


@dataclass(frozen=True)
class Check:
    """One question and its answer, about the whole filing (`department` empty) or a department."""

    id: str
    department: str
    title: Title
    result: Result
    evidence: Evidence


def checks_of(
    installation: Installation, state: FilingState, rows: pl.DataFrame | None = None
) -> tuple[Check, ...]:
    """All checks: of the filing, then of every department that owns findings, in the deployment's order."""
    acts = read_acts(installation, state, rows)
    hasty = hasty_decisions(acts)
    checks = [*_request(installation, state), *_rounds(state), _signed_in_time(installation, state)]
    for code in acts.departments:
        checks += [replace(check, department=code) for check in _department(acts.of(code), hasty)]
    return tuple(checks)


def _request(installation: Installation, state: FilingState) -> Iterator[Check]:
    """Reviewed before anything was opened, by somebody else; the calendar's filings need no review."""
    if state.opened.fact.opened_by != "request":
        yield _check("request_reviewed", _of([state.opened]))
        yield _check("registered_reviewed", Evidence())
        return
    request = installation.request(state.opened.fact.basis)
    accepted = [r for r in request.reviews if r.fact.opinion == "accept"]
    early = [r for r in accepted if r.at <= state.opened.at]
    seen = replace(_of(accepted), events=tuple(f"request/{request.key}#{r.seq}" for r in accepted))
    yield _check("request_reviewed", replace(seen, count=1, deviating=int(not early)))
    own = [r for r in accepted if r.actor in request.authors]
    people = _people([*request.authors, *seen.who])
    yield _check("registered_reviewed", replace(seen, who=people, count=len(accepted), deviating=len(own)))


def _rounds(state: FilingState) -> Iterator[Check]:
    """Extracted, judged, listed, compared: the steps that the system itself takes."""
    rounds, contents = state.rounds, state.contents
    yield _check("extracted", _of(rounds, count=max(len(rounds), 1), deviating=int(not rounds)))
    judged = {(c.fact.round) for c in contents}
    unjudged = [r for r in rounds if r.fact.round not in judged]
    yield _check("judged", _of(contents, count=len(rounds), deviating=len(unjudged)))
    listed = {listing.fact.content for listing in state.listings}
    unlisted = [c for c in contents[-1:] if c.fact.content not in listed]
    yield _check("listed", _of(state.listings, count=len(contents[-1:]), deviating=len(unlisted)))
    compared = {c.fact.later for c in state.comparisons}
    latest = rounds[1:][-1:]
    uncompared = [r for r in latest if r.fact.round not in compared]
    yield _check("compared", _of(state.comparisons, count=len(latest), deviating=len(uncompared)))


def _signed_in_time(installation: Installation, state: FilingState) -> Check:
    """The steps of every sign-off of this version that have a limit, and those decided after it or, it being over, not at all."""
    timed = list(timed_steps(installation, state))
    given = [opinion for each in timed for opinion in each.step.opinions]
    late = sum(each.is_late for each in timed)
    return _check("signed_in_time", _of(given, count=len(timed), deviating=late))


def _department(acts: Acts, hasty: frozenset[int]) -> Iterator[Check]:
    first_asked = acts.asked.sort("seq").unique("finding", keep="first", maintain_order=True)
    yield _check("first_reviewed", _first_reviewed(acts, first_asked))
    is_exempt = pl.col("state").is_in(["waived", "dismissed", "obsolete"])
    due = acts.rows.filter(pl.col("severity") != "note", ~is_exempt).select("finding")
    yield _check("issued", _from(acts.asked, due.height, _without(due, acts.asked)))
    asked = due.join(first_asked, on="finding", how="semi")
    yield _check("answered", _from(acts.answered, asked.height, _without(asked, acts.answered)))
    answered = due.join(acts.answered, on="finding", how="semi")
    yield _check("decided", _from(acts.decided, answered.height, _without(answered, acts.decided)))
    yield _check("re_extracted", _re_extracted(acts))
    own = acts.decided.filter(pl.col("user") == pl.col("who"))
    yield _check("answered_decided", _from(acts.decided, acts.decided.height, own.height))
    both = sorted(set(acts.reviewed["who"]) & set(acts.decided["who"]))
    mixed = acts.decided.filter(pl.col("who").is_in(both))
    is_reviewed = acts.decided.height if acts.reviewed.height else 0
    yield _check("reviewed_decided", _from(acts.decided, is_reviewed, mixed.height))
    yield _check("answered_in_time", _late_answers(acts))
    yield _check("decided_in_time", _late_decisions(acts))
    held = acts.rows.filter(pl.col("holder").is_not_null())
    yield _check("all_handled", _from(acts.decided, acts.rows.height, held.height))
    fast = acts.accepted.filter(pl.col("seq").is_in(sorted(hasty)))
    yield _check(
        "read_by_people", _from(fast if fast.height else acts.accepted, acts.accepted.height, fast.height)
    )


def _first_reviewed(acts: Acts, first_asked: pl.DataFrame) -> Evidence:
    """What was issued, and what of it before its first review; nothing where the deployment has none."""
    if acts.installation.filing_config(acts.state.opened.fact.standard).first_review is None:
        return Evidence()
    before = acts.reviewed.group_by("finding").agg(reviewed=pl.col("seq").min())
    issued = first_asked.join(before, on="finding", how="left")
    unseen = issued.filter(pl.col("reviewed").is_null() | (pl.col("reviewed") > pl.col("seq")))
    return _from(acts.reviewed, issued.height, unseen.height)


def _re_extracted(acts: Acts) -> Evidence:
    """Accepted source fixes, and those of them after which no round was extracted."""
    promised = acts.accepted.filter(pl.col("handling") == "source_fix")
    if promised.is_empty():
        return Evidence()
    first = cast("int", promised["seq"].min())
    later = [r for r in acts.state.rounds if r.seq > first]
    waiting = promised.filter(pl.col("seq") > (later[-1].seq if later else 0))
    return _of(later, count=promised.height, deviating=waiting.height)


def _late_answers(acts: Acts) -> Evidence:
    """Questions to branches, and those answered after their day or, that day being over, not at all."""
    answers = acts.answered.select("finding", day().alias("on"), pl.col("seq").alias("answer"))
    answered = (
        acts.asked.join(answers, on="finding")
        .filter(pl.col("answer") > pl.col("seq"))
        .group_by("finding", "seq")
        .agg(on=pl.col("on").min())
    )
    today = acts.installation.now().date()
    late = acts.asked.join(answered, on=("finding", "seq"), how="left").filter(
        pl.col("on").fill_null(today) > pl.col("due")
    )
    return _from(acts.answered if acts.answered.height else acts.asked, acts.asked.height, late.height)


def _late_decisions(acts: Acts) -> Evidence:
    """Decisions, and those later than the working day after the answer they decide on."""
    answers = acts.answered.select("finding", day().alias("came"), pl.col("seq").alias("answer"))
    decided = (
        acts.decided.select("finding", "seq", day().alias("on"))
        .join(answers, on="finding")
        .filter(pl.col("answer") < pl.col("seq"))
        .group_by("finding", "seq", "on")
        .agg(came=pl.col("came").max())
    )
    calendar = acts.installation.calendar
    days = cast("list[date]", decided["came"].unique().to_list())
    limits = pl.DataFrame(
        {"came": days, "limit": [calendar.add_workdays(came, 1) for came in days]},
        schema={"came": pl.Date, "limit": pl.Date},
    )
    late = decided.join(limits, on="came").filter(pl.col("on") > pl.col("limit"))
    return _from(acts.decided, acts.decided.height, late.height)


def hasty_decisions(acts: Acts) -> frozenset[int]:
    """The events by which a person accepted more answers since their arrival than anybody reads in that time.

    Of all answers that came not before one moment and that one person accepted not after another, each takes `reading_seconds`:
    splitting an acceptance, or waiting for the oldest answer, hides nothing.
    """
    seconds = acts.installation.deployment.reading_seconds(acts.state.opened.fact.standard)
    came = acts.answered.select("finding", "user", came="at", came_seq="seq")
    read = (
        acts.accepted.join(came, on=("finding", "user"))
        .filter(pl.col("came_seq") < pl.col("seq"))
        .sort("came_seq")
        .unique(["finding", "seq"], keep="last", maintain_order=True)
        .group_by("who", "seq", "at", "came")
        .len("count")
    )
    hasty: set[int] = set()
    for _, theirs in read.group_by("who"):
        hasty |= _hasty_of_one(theirs.sort("seq", "came"), seconds)
    return frozenset(hasty)


def _hasty_of_one(batches: pl.DataFrame, seconds: float) -> set[int]:
    """The events of one person: from every moment of arrival on, what was accepted is added up event by event."""
    hasty: set[int] = set()
    for moment in batches["came"].unique():
        running = (
            batches.filter(pl.col("came") >= moment)
            .group_by("seq", maintain_order=True)
            .agg(pl.col("at").first(), pl.col("count").sum())
            .sort("seq")
            .with_columns(taken=pl.col("count").cum_sum())
        )
        passed = (pl.col("at") - moment).dt.total_microseconds() / 1_000_000
        hasty |= set(running.filter(passed < pl.col("taken") * seconds)["seq"])
    return hasty


def _without(findings: pl.DataFrame, acts: pl.DataFrame) -> int:
    return findings.join(acts, on="finding", how="anti").height


def _check(name: str, seen: Evidence) -> Check:
    """Nothing to look at is not applicable; one that deviates is enough for a deviation."""
    texts = catalogue()[f"compliance.check.{name}"]
    result: Result = "deviation" if seen.deviating else "kept" if seen.count else "not_applicable"
    return Check(name, "", Title(texts["zh"], texts["en"]), result, seen)


def _of(recorded: Sequence[Recorded[Any]], *, count: int = 0, deviating: int = 0) -> Evidence:
    events = tuple(f"#{each.seq}" for each in recorded)
    first, last = _span(each.at for each in recorded)
    return Evidence(events, _people(each.actor for each in recorded), first, last, count, deviating)


def _from(rows: pl.DataFrame, count: int, deviating: int) -> Evidence:
    """The events behind rows of facts."""
    events = rows.select("seq", "at", "who").unique("seq").sort("seq")
    seqs = tuple(f"#{seq}" for seq in events["seq"])
    first, last = _span(events["at"])
    return Evidence(seqs, _people(events["who"]), first, last, count, deviating)


def _people(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _span(moments: Iterable[datetime]) -> tuple[str, str]:
    found = sorted(moments)
    return (time_text(found[0]), time_text(found[-1])) if found else ("", "")
