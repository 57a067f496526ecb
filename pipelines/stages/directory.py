"""The directory (人员名册): the people of users.yaml, each as they were appointed since. Whatever asks who somebody is asks it.

A person of whom the ledger holds an appointment, or that they left, is as the ledger says; everybody else is as users.yaml says.
"""

from __future__ import annotations

from threading import Lock

from pipelines.ledger import Ledger
from pipelines.ledger.people import PEOPLE, PersonState, fold_person
from resources.deployment import Deployment, Substitute, User


class Directory:
    """The deployment with the people of now. Threads may share it."""

    def __init__(self, configured: Deployment, ledger: Ledger) -> None:
        self._configured, self._ledger, self._lock = configured, ledger, Lock()
        self._standing: dict[str, int] | None = None
        self.deployment = configured
        self.look()

    def look(self) -> None:
        """Read again if anything was recorded of anybody; one look at the ledger's heads otherwise."""
        standing = self._ledger.standing(PEOPLE)
        with self._lock:
            if standing == self._standing:
                return
            users = dict(self._configured.users)
            for stream in standing:
                id = stream.removeprefix(PEOPLE)
                user = _now(fold_person(id, self._ledger.events(stream)), users.pop(id, None))
                if user is not None:
                    users[id] = user
            self.deployment = self._configured.model_copy(update={"users": users})
            self._standing = standing

    def is_configured(self, user: str) -> bool:
        """Whether users.yaml has the person."""
        return user in self._configured.users


def _now(state: PersonState, configured: User | None) -> User | None:
    """The person as of now; None for whoever left or was never confirmed."""
    if state.has_left:
        return None
    substitutes = configured.substitutes if configured else ()
    if state.substitutes is not None:
        substitutes = tuple(
            Substitute.model_validate({"user": s.user, "from": s.start, "until": s.until})
            for s in state.substitutes
        )
    if state.appointed is None:
        return configured.model_copy(update={"substitutes": substitutes}) if configured else None
    fact = state.appointed
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
