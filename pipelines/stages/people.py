"""Appointing people (任命): an administrator proposes, a second person confirms. Leaving holds at once, and so does the substitute
that somebody names for themselves.

Nobody decides about themselves, and nothing may leave a seat of a route, a department or the administration without anybody.
Who works here now is told by the installation's directory.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pydantic import ValidationError

from pipelines.errors import LANGUAGE, BadInput, BaosongError, Refused
from pipelines.ledger.people import (
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
from pipelines.stages.directory import stand_ins
from pipelines.stages.installation import SYSTEM, Installation, require_role
from resources.deployment import ROLES, SIGNERS, Substitute, User, flaws, vacant_departments, vacant_roles

CONFIRMERS = ("administrator", "audit_reviewer")
_LEAST_CONFIRMERS = 2
"""With fewer nobody could ever be appointed again."""
_LOCK = "people"
_LONGEST_ABSENCE = timedelta(days=366)
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
    """Whoever's proposal waits for a second person, the oldest first, as the directory last saw them."""
    states = installation.directory.states.values()
    waiting = [(state.pending.at, state) for state in states if state.pending is not None]
    return [state for _, state in sorted(waiting, key=lambda each: each[0])]


def may_decide(state: PersonState, user: User) -> bool:
    """Whether the user is a second person for what is proposed."""
    if state.pending is None:
        return False
    named = {each.user for each in state.pending.fact.substitutes or ()}
    concerned = {state.id, state.pending.actor} | named
    return user.id not in concerned and bool(user.roles & set(CONFIRMERS))


def propose(
    installation: Installation,
    person: str,
    draft: PersonDraft,
    by: User,
    *,
    reason: str,
    substitutes: Sequence[Substitute] | None = None,
) -> PersonState:
    """Put up what the person shall be, and who shall stand in for them; an earlier proposal that nobody decided is replaced.

    Without `substitutes` they stay as they are. Raises BadInput with everything that is wrong with the draft, Refused for oneself,
    for no change, and for what would leave a role or a department without anybody.
    """
    require_role(by, "administrator", act="appoint")
    _require_other(person, by)
    with installation.alone(_LOCK):
        state, known = person_state(installation, person), installation.deployment.users.get(person)
        standing = known.substitutes if known else ()
        named = standing if substitutes is None else tuple(substitutes)
        user = _drafted(person, draft).model_copy(update={"substitutes": named})
        if user == known:
            raise Refused("people.nothing_changes", user=person)
        if any(each.user == by.id for each in set(named) - set(standing)):
            raise Refused("people.names_themselves")
        if known is not None:
            _require_to_come(installation, named, known)
        _check(installation, person, user)
        fact = PersonProposed(
            name=user.name,
            roles=tuple(sorted(user.roles)),
            organisations=tuple(sorted(user.organisations)),
            departments=tuple(sorted(user.departments)),
            os_user=user.os_user,
            mail=user.mail,
            reason=_said(reason),
            substitutes=None if substitutes is None else _stand_ins(named),
        )
        return _append(installation, state, fact, by)


def decide(
    installation: Installation, person: str, by: User, *, proposal: int, is_confirmed: bool, comment: str
) -> PersonState:
    """A second person confirms or refuses what they were shown, the proposal with that sequence; it holds from now on.

    Refused where it was decided or replaced meanwhile, for who proposed it or whom it is about, for whoever it makes a
    substitute, and, when it is confirmed, where it does not fit the deployment any more.
    """
    require_role(by, *CONFIRMERS, act="confirm_appointment")
    with installation.alone(_LOCK):
        state = person_state(installation, person)
        if state.pending is None or state.pending.seq != proposal:
            raise Refused("people.not_pending", user=person)
        if not may_decide(state, by):
            raise Refused("people.second_person", user=person)
        if is_confirmed:
            _check(installation, person, _proposed(installation, state.pending.fact, person))
        decided = PersonDecided(proposal=proposal, is_confirmed=is_confirmed, comment=_said(comment))
        return _append(installation, state, decided, by)


def leave(installation: Installation, person: str, by: User, *, reason: str) -> PersonState:
    """The person has no role any more, at once. Refused for oneself, and where a seat would be empty."""
    require_role(by, "administrator", act="appoint")
    _require_other(person, by)
    with installation.alone(_LOCK):
        state = person_state(installation, person)
        installation.deployment.user(person)
        _check(installation, person, None)
        return _append(installation, state, PersonLeft(reason=_said(reason)), by)


def name_substitutes(
    installation: Installation, user: User, substitutes: Sequence[Substitute], *, reason: str
) -> PersonState:
    """Who stands in for the user, the whole list, at once, as they say themselves. For somebody else it is proposed."""
    with installation.alone(_LOCK):
        state, known = person_state(installation, user.id), installation.deployment.user(user.id)
        if tuple(substitutes) == known.substitutes:
            raise Refused("people.nothing_changes", user=user.id)
        _require_to_come(installation, substitutes, known)
        _check(installation, user.id, known.model_copy(update={"substitutes": tuple(substitutes)}))
        fact = SubstitutesNamed(substitutes=_stand_ins(substitutes), reason=_said(reason))
        return _append(installation, state, fact, user)


def _proposed(installation: Installation, fact: PersonProposed, person: str) -> User:
    """The person as they would be."""
    draft = PersonDraft(fact.name, fact.roles, fact.organisations, fact.departments, fact.os_user, fact.mail)
    known = installation.deployment.users.get(person)
    named = (known.substitutes if known else ()) if fact.substitutes is None else stand_ins(fact.substitutes)
    return _drafted(person, draft).model_copy(update={"substitutes": named})


def _stand_ins(substitutes: Sequence[Substitute]) -> tuple[StandIn, ...]:
    return tuple(StandIn(user=each.user, start=each.start, until=each.until) for each in substitutes)


def _drafted(person: str, draft: PersonDraft) -> User:
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
    """Refuse what would not fit together once the person is `user`, or gone; what was wrong before is not held against it."""
    deployment, today = installation.deployment, installation.now().date()
    before = {name: _without_past(each, today) for name, each in deployment.users.items()}
    after = {name: each for name, each in before.items() if name != person}
    if user is not None:
        after[person] = _without_past(user, today)
    codes = {each.code for each in deployment.organisations}
    problems = list[BaosongError]()
    known = {
        (each.code, each.place)
        for each in flaws(before, organisations=codes, departments=deployment.departments)
    }
    for each in flaws(after, organisations=codes, departments=deployment.departments):
        if (each.code, each.place) not in known:
            problems.append(BadInput(f"people.{each.code}", person=each.place[0], **each.values))
    if user is not None:
        problems += _of_roles(user)
    for each in after[person].substitutes if user else ():
        if each.start + _LONGEST_ABSENCE < each.until:  # who is over was left out above
            problems.append(BadInput("people.substitute_long", user=each.user, days=_LONGEST_ABSENCE.days))
        deputy = after.get(each.user)
        if deputy is not None and not deputy.roles & (SIGNERS | after[person].roles):
            problems.append(Refused("people.substitute_signs_not", user=each.user))
    problems += _vacancies(installation, list(before.values()), list(after.values()))
    if problems:
        raise Refused("people.unfit", user=person, details=problems)


def _of_roles(user: User) -> list[BaosongError]:
    """Who looks after accounts, or only reads, prepares and decides nothing."""
    language = LANGUAGE.get() == "en"
    return [
        Refused("people.roles_apart", role=ROLES[role][language], other=ROLES[other][language])
        for role in ("administrator", "auditor")
        if role in user.roles
        for other in sorted(user.roles - {role})
    ]


def _vacancies(installation: Installation, was: list[User], now: list[User]) -> list[BaosongError]:
    """What nobody would do any more that somebody does now."""
    deployment, language = installation.deployment, LANGUAGE.get()
    found = list[BaosongError]()
    for role in sorted(vacant_roles(deployment, now) - vacant_roles(deployment, was)):
        found.append(Refused("people.role_vacant", role=ROLES[role][language == "en"]))
    for code in sorted(vacant_departments(deployment, now) - vacant_departments(deployment, was)):
        title = getattr(deployment.departments[code].title, language)
        found.append(Refused("people.department_vacant", department=title))
    if _confirmers(now) < min(_confirmers(was), _LEAST_CONFIRMERS):
        found.append(Refused("people.nobody_confirms"))
    return found


def _confirmers(users: Iterable[User]) -> int:
    return sum(bool(user.roles & set(CONFIRMERS)) for user in users)


def _without_past(user: User, today: date) -> User:
    """The person without those who stood in for them once: nobody is held to that."""
    return user.model_copy(update={"substitutes": tuple(s for s in user.substitutes if s.until >= today)})


def _require_to_come(installation: Installation, named: Sequence[Substitute], known: User) -> None:
    """Whoever is new in the list stands in for days that are not over."""
    for each in set(named) - set(known.substitutes):
        if each.until < installation.now().date():
            raise BadInput("people.substitute_long", user=each.user, days=_LONGEST_ABSENCE.days)


def _require_other(person: str, by: User) -> None:
    if person == by.id:
        raise Refused("people.oneself")


def _said(reason: str) -> str:
    if not reason.strip():
        raise BadInput("people.no_reason")
    return reason.strip()


def _append(installation: Installation, state: PersonState, fact: PersonEvent, by: User) -> PersonState:
    """Record it on the state that was checked; the directory knows it at once."""
    installation.ledger.append(
        people_stream(state.id),
        fact.kind,
        fact.payload(),
        actor=by.id,
        at=installation.now(),
        command_id=f"people:{state.id}:{state.seq}:{fact.kind}",
        expected_seq=state.seq,
    )
    installation.directory.look()
    return person_state(installation, state.id)
