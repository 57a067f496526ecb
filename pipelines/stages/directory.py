"""The directory (人员名册): the people of users.yaml, each as they were appointed since. Whatever asks who somebody is asks it.

A person of whom the ledger holds an appointment, or that they left, is as the ledger says; everybody else is as users.yaml says.
"""

from __future__ import annotations

import logging
from threading import Lock

from pydantic import ValidationError

from pipelines.ledger import Ledger
from pipelines.ledger.people import PEOPLE, PersonState, StandIn, fold_person
from resources.deployment import Deployment, Substitute, User

_log = logging.getLogger("baosong.people")


class Directory:
    """The deployment with the people of now, and what the ledger holds of them (`states`). Threads may share it."""

    def __init__(self, configured: Deployment, ledger: Ledger) -> None:
        self._configured, self._ledger, self._lock = configured, ledger, Lock()
        self._standing: dict[str, int] | None = None
        self.deployment = configured
        self.states: dict[str, PersonState] = {}
        self.look()

    def look(self) -> None:
        """Read again if anything was recorded of anybody; one look at the ledger's heads otherwise."""
        with self._lock:
            standing = self._ledger.standing(PEOPLE)
            if standing == self._standing:
                return
            ids = [stream.removeprefix(PEOPLE) for stream in standing]
            self.states = {id: fold_person(id, self._ledger.events(PEOPLE + id)) for id in ids}
            self.deployment = self._configured.model_copy(update={"users": self._users()})
            self._standing = standing

    def _users(self) -> dict[str, User]:
        configured = self._configured.users
        recorded = {id: _now(state, configured.get(id)) for id, state in self.states.items()}
        taken = {user.os_user for user in recorded.values() if user and user.os_user}
        users = {
            id: user.model_copy(update={"os_user": None}) if user.os_user in taken else user
            for id, user in configured.items()
            if id not in recorded
        }
        return users | {id: user for id, user in recorded.items() if user is not None}


def stand_ins(substitutes: tuple[StandIn, ...]) -> tuple[Substitute, ...]:
    """Those who stand in as the deployment's model has them."""
    return tuple(
        Substitute.model_validate({"user": each.user, "from": each.start, "until": each.until})
        for each in substitutes
    )


def _now(state: PersonState, configured: User | None) -> User | None:
    """The person as of now; None for whoever left, was never confirmed, or was recorded as what no Baosong knows any more."""
    if state.has_left:
        return None
    substitutes = configured.substitutes if configured else ()
    if state.substitutes is not None:
        substitutes = stand_ins(state.substitutes)
    if state.appointed is None:
        return configured.model_copy(update={"substitutes": substitutes}) if configured else None
    fact = state.appointed
    try:
        return User(
            id=state.id,
            name=fact.name,
            roles=frozenset(fact.roles),
            organisations=frozenset(fact.organisations),
            departments=frozenset(fact.departments),
            os_user=fact.os_user,
            mail=fact.mail,
            substitutes=substitutes,
        )
    except ValidationError:
        _log.warning("%s is recorded as what this version does not know, and is nobody here", state.id)
        return None
