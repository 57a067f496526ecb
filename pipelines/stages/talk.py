"""Talks with the regulator (监管沟通记录), and what may come of them: another deadline.

A proposed deadline moves nothing until somebody of the audit department, who is not its proposer, agrees that the regulator did.
Proofs are kept under their digests. A demand that changes otherwise is an amended document: `request_amend.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipelines.errors import BadInput, BaosongError, Refused, text
from pipelines.ledger.demand_events import ExtensionDecided, ExtensionProposed, TalkRecorded
from pipelines.ledger.filing import FilingState
from pipelines.ledger.filing_events import Opinion
from pipelines.stages.again import asked_again
from pipelines.stages.documents import document_problems, keep_documents
from pipelines.stages.installation import Installation, require_role
from resources.deployment import User

TALKERS = ("requester", "branch_it", "branch_preparer", "data_engineer", "audit_reviewer")
"""Who talks to the regulator: branches for their own filings, head office for all."""
LONGEST_TEXT = 4_000


@dataclass(frozen=True)
class Talk:
    """What was asked and answered. `held_at` None: now."""

    counterpart: str
    question: str
    answer: str
    held_at: datetime | None = None
    documents: tuple[Path, ...] = ()


@asked_again
def record_talk(installation: Installation, filing: str, user: User, talk: Talk) -> FilingState:
    """Add a talk to the filing's log. Raises BadInput listing all that is wrong, Refused for another branch's filing."""
    state = _state_for(installation, filing, user)
    now = installation.now()
    problems = [
        *_text_problems(counterpart=talk.counterpart, question=talk.question, answer=talk.answer),
        *document_problems(talk.documents),
    ]
    if talk.held_at is not None and talk.held_at > now:
        problems.append(BadInput("talk.future", at=talk.held_at.isoformat(sep=" ", timespec="minutes")))
    if problems:
        raise BadInput("talk.not_recorded", filing=filing, details=problems)
    fact = TalkRecorded(
        number=len(state.talks) + 1,
        counterpart=talk.counterpart.strip(),
        question=talk.question.strip(),
        answer=talk.answer.strip(),
        held_at=talk.held_at or now,
        documents=keep_documents(installation.folder("talks", filing), talk.documents),
    )
    return installation.record(state, fact, actor=user.id, command=f"talk:{state.seq}")


@asked_again
def propose_extension(
    installation: Installation,
    filing: str,
    user: User,
    *,
    deadline: date,
    reason: str,
    documents: Sequence[Path],
) -> FilingState:
    """Propose another deadline, later or earlier, with the regulator's proof; the same again changes nothing.

    Raises BadInput listing all that is wrong; Refused while another proposal waits, and once the filing was sent.
    """
    state = _state_for(installation, filing, user)
    waiting = state.open_extension
    if waiting and (waiting.fact.deadline, waiting.fact.reason) == (deadline, reason.strip()):
        return state
    _require_unsent(state)
    if waiting:
        raise Refused("talk.extension_waits", filing=filing, number=waiting.fact.number)
    problems = [*_text_problems(reason=reason), *document_problems(documents)]
    if not documents:
        problems.append(BadInput("talk.no_proof"))
    if deadline < installation.now().date():
        problems.append(BadInput("request.deadline", deadline=deadline))
    if not installation.calendar.knows(deadline):
        problems.append(BadInput("request.deadline_year", deadline=deadline, year=deadline.year))
    if deadline == state.deadline:
        problems.append(BadInput("talk.same_deadline", deadline=deadline))
    if problems:
        raise BadInput("talk.not_proposed", filing=filing, details=problems)
    fact = ExtensionProposed(
        number=len(state.extensions) + 1,
        deadline=deadline,
        reason=reason.strip(),
        documents=keep_documents(installation.folder("talks", filing), documents),
    )
    return installation.record(state, fact, actor=user.id, command=f"extension:{fact.number}")


@asked_again
def decide_extension(
    installation: Installation, filing: str, user: User, *, number: int, opinion: Opinion, comment: str
) -> FilingState:
    """The audit department's opinion on a proposed deadline; agreed, deadline and planned day move.

    The same opinion again changes nothing. One's own proposal one can only take back, by disagreeing. Raises Refused for
    agreeing to it, for one that is decided otherwise, and for a deadline that has passed meanwhile.
    """
    require_role(user, "audit_reviewer", act="extension")
    state = installation.state(filing)
    proposal = next((each for each in state.extensions if each.fact.number == number), None)
    if proposal is None:
        raise BadInput("talk.no_extension", filing=filing, number=number)
    if proposal.actor == user.id and opinion == "agree":
        raise Refused("talk.own", filing=filing, number=number, user=user.name)
    decided = next((each for each in state.extension_decisions if each.fact.number == number), None)
    if decided is not None:
        if decided.fact.opinion == opinion:
            return state
        raise Refused(
            "talk.decided", filing=filing, number=number, opinion=text(f"cli.{decided.fact.opinion}")
        )
    if problems := _text_problems(comment=comment):
        raise BadInput("talk.not_decided", filing=filing, number=number, details=problems)
    deadline, planned_on = state.deadline, state.planned_on
    if opinion == "agree":
        _require_unsent(state)
        deadline = proposal.fact.deadline
        if deadline < installation.now().date():
            raise Refused("talk.passed", filing=filing, number=number, deadline=deadline)
        planned_on = installation.calendar.planned_date(deadline)
    fact = ExtensionDecided(
        number=number, opinion=opinion, comment=comment.strip(), deadline=deadline, planned_on=planned_on
    )
    return installation.record(state, fact, actor=user.id, command=f"extension:{number}:decision")


def _state_for(installation: Installation, filing: str, user: User) -> FilingState:
    """The filing, for somebody who talks to the regulator about one of its organisations."""
    require_role(user, *TALKERS, act="talk")
    state = installation.state(filing)
    if not any(installation.deployment.may_see(user, code) for code in state.organisations):
        raise Refused("talk.not_in_scope", filing=filing, user=user.name)
    return state


def _require_unsent(state: FilingState) -> None:
    if state.sent or state.evidence:
        raise Refused("talk.sent", filing=state.id)


def _text_problems(**texts: str) -> list[BaosongError]:
    """Texts that are blank, too long, or hold what would steer a terminal; lines may be broken."""
    return [
        BadInput("talk.text", what=text(f"desk.name.{name}"), longest=LONGEST_TEXT)
        for name, given in texts.items()
        if not given.strip()
        or len(given) > LONGEST_TEXT
        or not all(letter.isprintable() or letter == "\n" for letter in given)
    ]
