"""What becomes of each finding of the scenario, decided before anybody acts: the answer key of the people.

A fate names what the branch answers, what happens in the core, and how the finding must stand after the second round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.scenario.company import Defect

Standing = tuple[str, str | None]


@dataclass(frozen=True)
class Fate:
    """`answer`: what the branch says, if anything (`right` and `wrong` are report corrections); `act`: what somebody else does
    about it; `core`: what happens there; `ends`: state and holder after the second round."""

    answer: str | None
    ends: Standing
    act: str | None = None
    core: str | None = None
    blocking_only: bool = False


OPEN: Standing = ("still_there", "issue")
FATES: dict[str, Fate] = {
    "fixed at the source": Fate("fix", ("resolved", None), core="mended"),
    "promised and not fixed": Fate("fix", OPEN),
    "corrected in the report": Fate("right", ("resolved", None)),
    "corrected, then changed underneath": Fate("right", OPEN, core="moved"),
    "corrected wrongly": Fate("wrong", OPEN),
    "explained though it blocks": Fate("explain", OPEN, blocking_only=True),
    "sent back": Fate("fix", OPEN, act="send back"),
    "explained": Fate("explain", ("accepted", None)),
    "explained, then changed underneath": Fate("explain", OPEN, core="moved"),
    "waived": Fate(None, ("waived", None), act="waive"),
    "waived, then changed underneath": Fate(None, OPEN, act="waive", core="moved"),
    "dismissed": Fate(None, ("dismissed", None), act="dismiss"),
    "dismissed, then changed underneath": Fate(None, ("new", "first_review"), act="dismiss", core="moved"),
    "not answered": Fate(None, OPEN),
    "mended without a word": Fate(None, ("resolved", None), core="mended"),
}
RIGHT = frozenset({"B01", "B02", "B03", "B04"})
"""Rules on one cell of text, of which the report may be given the value that the core had."""
WRONG = {
    "B01": "11010119900307000X",
    "B02": "1900-01-01",
    "B03": "男女",
    "B04": "91110000000000000X",
}
"""A value that helps no rule. Full of reasons to come back: contract, rule, dictionary."""
MOVED = {
    "B01": "110101199003070010",
    "B04": "91110000600037341M",
    "B07": "12099999999",
}
"""Another value in the core that is wrong in the same way, by rule."""


def fates_of(defects: Sequence[Defect], severities: dict[str, str]) -> dict[str, str]:
    """A fate for each finding, by its key: those that its rule allows, in turn."""
    fates: dict[str, str] = {}
    turn: dict[str, int] = {}
    for defect in defects:
        allowed = [name for name, fate in FATES.items() if _allows(fate, defect, severities[defect.rule])]
        place = turn.get(defect.rule, len(turn))
        fates[defect.finding] = allowed[place % len(allowed)]
        turn[defect.rule] = place + 1
    return fates


def _allows(fate: Fate, defect: Defect, severity: str) -> bool:
    blocks = severity == "block"
    if fate.answer in ("right", "wrong") and (defect.rule not in RIGHT or defect.was is None):
        return False
    if fate.answer == "explain" and blocks is not fate.blocking_only:
        return False
    if fate.act == "dismiss" and blocks:
        return False
    if fate.core == "moved" and MOVED.get(defect.rule) is None:
        return False
    # What nobody promised to mend must show as a change of exactly one cell.
    return not (fate.core == "mended" and fate.answer is None and defect.rule not in RIGHT)
