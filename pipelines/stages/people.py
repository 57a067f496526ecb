"""Appointing people (任命): an administrator proposes, a second person confirms; leaving and standing in hold at once.

Nobody decides about themselves, and nothing may leave a seat of a route, a department or the administration without anybody.
Who works here now is told by the installation's directory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from pipelines.errors import LANGUAGE, BadInput, BaosongError, Refused
from pipelines.ledger.people import (
    PEOPLE,
    PersonDecided,
    PersonEvent,
    PersonLeft,
    PersonProposed,
    PersonState,
    StandIn,
    SubstitutesNamed,
    fold_person,
    people_stream,
)
from pipelines.stages.installation import SYSTEM, Installation, require_role
from resources.deployment import ROLES, Substitute, User, flaws, vacant_departments, vacant_roles

CONFIRMERS = ("administrator", "audit_reviewer")
_RESERVED = frozenset({SYSTEM, "calendar", "new"})
"""What acts by itself in the ledger, and a page of the desk."""


@dataclass(frozen=True)
class PersonDraft:
    """What a person shall be: codes of roles, organisations and departments, "*" for all."""

    name: str
    roles: tuple[str, ...]
    organisations: tuple[str, ...]
    departments: tuple[str, ...] = ()
    os_user: str | None = None
    mail: str | None = None


def person_state(installation: Installation, user: str) -> PersonState:
    """What the ledger holds of a person; nothing for whoever only stands in users.yaml."""
    return fold_person(user, installation.ledger.events(people_stream(user)))


def pending_people(installation: Installation) -> list[PersonState]:
    """Whoever's proposal waits for a second person, the oldest first."""
    states = [
        person_state(installation, stream.removeprefix(PEOPLE))
        for stream in installation.ledger.standing(PEOPLE)
    ]
    waiting = [(state.pending.at, state) for state in states if state.pending is not None]
    return [state for _, state in sorted(waiting, key=lambda each: each[0])]


def may_decide(state: PersonState, user: User) -> bool:
    """Whether the user is a second person for what is proposed."""
    is_other = state.pending is not None and user.id not in (state.id, state.pending.actor)
    return is_other and bool(user.roles & set(CONFIRMERS))


def propose(
    installation: Installation, person: str, draft: PersonDraft, by: User, *, reason: str
) -> PersonState:
    """Put up what the person shall be; an earlier proposal that nobody decided is replaced.

    Raises BadInput with everything that is wrong with the draft, Refused for oneself, for no change, and for what would leave
    a role or a department without anybody.
    """
    require_role(by, "administrator", act="appoint")
    _require_other(person, by)
    user = _drafted(installation, person, draft)
    known = installation.deployment.users.get(person)
    if known is not None and known.model_copy(update={"substitutes": ()}) == user:
        raise Refused("people.nothing_changes", user=person)
    _check(installation, person, user)
    fact = PersonProposed(
        name=user.name,
        roles=tuple(sorted(user.roles)),
        organisations=tuple(sorted(user.organisations)),
        departments=tuple(sorted(user.departments)),
        os_user=user.os_user,
        mail=user.mail,
        reason=_said(reason),
    )
    return _append(installation, person, fact, by)


def decide(
    installation: Installation, person: str, by: User, *, proposal: int, is_confirmed: bool, comment: str
) -> PersonState:
    """A second person confirms or refuses what they were shown, the proposal with that sequence; it holds from now on.

    Refused where it was decided or replaced meanwhile, for who proposed it or whom it is about, and, when it is confirmed,
    where it does not fit the deployment any more.
    """
    require_role(by, *CONFIRMERS, act="confirm_appointment")
    state = person_state(installation, person)
    if state.pending is None or state.pending.seq != proposal:
        raise Refused("people.not_pending", user=person)
    if not may_decide(state, by):
        raise Refused("people.second_person", user=person)
    if is_confirmed:
        fact = state.pending.fact
        draft = PersonDraft(
            fact.name, fact.roles, fact.organisations, fact.departments, fact.os_user, fact.mail
        )
        _check(installation, person, _drafted(installation, person, draft))
    decided = PersonDecided(proposal=proposal, is_confirmed=is_confirmed, comment=_said(comment))
    return _append(installation, person, decided, by, state)


def leave(installation: Installation, person: str, by: User, *, reason: str) -> PersonState:
    """The person has no role any more, at once. Refused for oneself, and where a seat would be empty."""
    require_role(by, "administrator", act="appoint")
    _require_other(person, by)
    installation.deployment.user(person)
    _check(installation, person, None)
    return _append(installation, person, PersonLeft(reason=_said(reason)), by)


def name_substitutes(
    installation: Installation, person: str, substitutes: Sequence[Substitute], by: User, *, reason: str
) -> PersonState:
    """Who stands in for the person, the whole list, at once: named by the person or by an administrator, who names not themselves."""
    user = installation.deployment.user(person)
    if by.id != person:
        require_role(by, "administrator", act="appoint")
    added = set(substitutes) - set(user.substitutes)
    if by.id != person and any(each.user == by.id for each in added):
        raise Refused("people.names_themselves")
    if tuple(substitutes) == user.substitutes:
        raise Refused("people.nothing_changes", user=person)
    _check(installation, person, user.model_copy(update={"substitutes": tuple(substitutes)}))
    named = tuple(StandIn(user=each.user, start=each.start, until=each.until) for each in substitutes)
    return _append(installation, person, SubstitutesNamed(substitutes=named, reason=_said(reason)), by)


def _drafted(installation: Installation, person: str, draft: PersonDraft) -> User:
    """The draft as a person. BadInput naming every field that will not do."""
    if person in _RESERVED:
        raise BadInput("people.reserved", user=person)
    try:
        return User(
            id=person,
            name=draft.name.strip(),
            roles=frozenset(draft.roles),
            organisations=frozenset(draft.organisations),
            departments=frozenset(draft.departments),
            os_user=draft.os_user or None,
            mail=draft.mail or None,
        )
    except ValidationError as error:
        fields = dict.fromkeys(str(problem["loc"][0]) for problem in error.errors(include_input=False))
        details = [BadInput(f"people.field.{field}") for field in fields]
        raise BadInput("people.draft", user=person, details=details) from None


def _check(installation: Installation, person: str, user: User | None) -> None:
    """Refuse what would not fit together once the person is `user`, or gone."""
    deployment = installation.deployment
    before = deployment.users
    after = {name: each for name, each in before.items() if name != person} | ({person: user} if user else {})
    codes = {each.code for each in deployment.organisations}
    known = {
        (each.code, each.place)
        for each in flaws(before, organisations=codes, departments=deployment.departments)
    }
    problems = list[BaosongError]()
    for each in flaws(after, organisations=codes, departments=deployment.departments):
        if (each.code, each.place) not in known:
            problems.append(BadInput(f"people.{each.code}", person=each.place[0], **each.values))
    language, titles = LANGUAGE.get(), {c: d.title for c, d in deployment.departments.items()}
    was, now = list(before.values()), list(after.values())
    for role in sorted(vacant_roles(deployment, now) - vacant_roles(deployment, was)):
        problems.append(Refused("people.role_vacant", role=ROLES[role][language == "en"]))
    for code in sorted(vacant_departments(deployment, now) - vacant_departments(deployment, was)):
        problems.append(Refused("people.department_vacant", department=getattr(titles[code], language)))
    if problems:
        raise Refused("people.unfit", user=person, details=problems)


def _require_other(person: str, by: User) -> None:
    if person == by.id:
        raise Refused("people.oneself")


def _said(reason: str) -> str:
    if not reason.strip():
        raise BadInput("people.no_reason")
    return reason.strip()


def _append(
    installation: Installation, person: str, fact: PersonEvent, by: User, state: PersonState | None = None
) -> PersonState:
    """Record it against what was checked; the directory knows it at once."""
    seq = (state or person_state(installation, person)).seq
    installation.ledger.append(
        people_stream(person),
        fact.kind,
        fact.payload(),
        actor=by.id,
        at=installation.now(),
        command_id=f"people:{person}:{seq}:{fact.kind}",
        expected_seq=seq,
    )
    installation.directory.look()
    return person_state(installation, person)
