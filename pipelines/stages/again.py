"""Acts that are asked again when somebody else was quicker: the ledger takes an act only on the filing that its checks were made on.

Every attempt reads the filing anew and makes all checks again. Only for acts that mean the same whatever happened in between:
one's own answer or opinion on what was shown. A decision on answers is asked again only while no other answer arrived, since it
would be taken for one on what nobody has seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from pipelines.errors import Refused
from pipelines.stages.installation import Installation

P = ParamSpec("P")
T = TypeVar("T")
_ATTEMPTS = 5


def asked_again(act: Callable[P, T]) -> Callable[P, T]:
    """The act, made again with all its checks when the filing moved on meanwhile; at last Refused `ledger.moved_on`."""

    @wraps(act)
    def attempted(*args: P.args, **kwargs: P.kwargs) -> T:
        return _attempted(lambda: act(*args, **kwargs), lambda: True)

    return attempted


def asked_again_unless_answered(
    act: Callable[Concatenate[Installation, str, P], T],
) -> Callable[Concatenate[Installation, str, P], T]:
    """As `asked_again`, but not once another answer arrived."""

    @wraps(act)
    def attempted(installation: Installation, filing: str, *args: P.args, **kwargs: P.kwargs) -> T:
        seen = len(installation.state(filing).answers)
        return _attempted(
            lambda: act(installation, filing, *args, **kwargs),
            lambda: len(installation.state(filing).answers) == seen,
        )

    return attempted


def _attempted(act: Callable[[], T], may_again: Callable[[], bool]) -> T:
    for _ in range(_ATTEMPTS - 1):
        try:
            return act()
        except Refused as refusal:
            if refusal.code != "ledger.moved_on" or not may_again():
                raise
    return act()
