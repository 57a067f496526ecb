"""Kill -9 while people's acts are recorded – confirm, issue, import answers, send back – and while rounds are compared.

Each process dies just before one of its steps on the disk or in the ledger; the same command again ends as if nobody had
been killed: the same events, the same files byte for byte, the same register, nothing half-written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.findings_world import ACTS, FindingsWorld, Traces, undisturbed, world_in
from tests.faults.killed_at import LEDGER
from tests.faults.world import AUDIT

pytestmark = pytest.mark.prove
KILLED, REFUSED = -9, 3
MANY = 20
"""Points of an act that the long run tries, evenly over all, beside those at the ledger."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> FindingsWorld:
    return world_in(tmp_path_factory.mktemp("findings-world"))


@pytest.fixture(scope="module")
def endings(world: FindingsWorld) -> Iterator[dict[str, tuple[Traces, list[str]]]]:
    """How each act ends undisturbed, found out when it is asked for."""

    class Endings(dict[str, tuple[Traces, list[str]]]):
        def __missing__(self, act: str) -> tuple[Traces, list[str]]:
            self[act] = undisturbed(world, act)
            return self[act]

    yield Endings()


def require_same_end(world: FindingsWorld, act: str, point: int, expected: Traces) -> None:
    """Take the home back, kill the act at the point, do it again: all is as expected, and once more changes nothing."""
    before, _, event = ACTS[act]
    world.restore(before)
    already = world.recorded(AUDIT, event)
    code, said = world.act(act, point=point)
    assert code == KILLED, f"point {point}: {said}"
    place = f"point {point}, before: {world.points()[-1]}"
    was_recorded = world.recorded(AUDIT, event) > already
    code, said = world.act(act)
    assert code == 0 or (was_recorded and code == REFUSED), f"{place}: {said}"
    assert world.recorded(AUDIT, event) == already + 1, place
    require_equal(world.traces(), expected, place)


def require_equal(found: Traces, expected: Traces, place: str) -> None:
    """First what differs in a few words, then everything."""
    assert found.problems == (), place
    assert found.leftovers == (), place
    differing = {
        name for name in {*found.files, *expected.files} if found.files.get(name) != expected.files.get(name)
    }
    assert differing == set(), place
    assert replace(found, files={}) == replace(expected, files={}), place


def at_the_ledger(points: list[str], event: str) -> list[int]:
    """Just before the append, just after it."""
    return [
        number for number, what in enumerate(points, 1) if what.startswith(LEDGER) and what.endswith(event)
    ]


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("act", ACTS)
def test_an_act_killed_beside_its_event_ends_the_same_when_done_again(
    world: FindingsWorld, endings: dict[str, tuple[Traces, list[str]]], act: str, place: str
) -> None:
    expected, points = endings[act]
    require_equal(expected, expected, act)
    before, after = at_the_ledger(points, ACTS[act][2])
    assert after == before + 1
    require_same_end(world, act, before if place == "before" else after, expected)


def test_an_act_killed_while_it_writes_ends_the_same_when_done_again(
    world: FindingsWorld, endings: dict[str, tuple[Traces, list[str]]]
) -> None:
    expected, points = endings["import"]
    renames = [number for number, what in enumerate(points, 1) if what.startswith("rename")]
    require_same_end(world, "import", renames[len(renames) // 2], expected)


def test_workbooks_of_a_killed_dispatch_are_not_left_among_those_sent(
    world: FindingsWorld, endings: dict[str, tuple[Traces, list[str]]]
) -> None:
    expected, points = endings["issue"]
    (before, _) = at_the_ledger(points, ACTS["issue"][2])
    sent = {name for name in expected.files if name.startswith("workbooks/")}
    world.restore("confirmed")
    assert world.act("issue", point=before)[0] == KILLED
    assert sent <= world.traces().files.keys(), "written, and no event has sent them"
    command = ("findings", "issue", AUDIT, "--department", "underwriting", "--as", "underwriting_reviewer")
    code, said = world.baosong(*command)
    assert code == 0, said
    others = {name for name in world.traces().files if name.startswith("workbooks/")}
    assert others and not others & sent
    assert {name.rsplit("/", 1)[0] for name in others} == {name.rsplit("/", 1)[0] for name in sent}


@pytest.mark.parametrize("act", ACTS)
def test_an_act_killed_at_many_points_ends_the_same_when_done_again(
    world: FindingsWorld, endings: dict[str, tuple[Traces, list[str]]], act: str
) -> None:
    expected, points = endings[act]
    step = max(1, len(points) // MANY)
    for point in sorted({*range(1, len(points) + 1, step), *at_the_ledger(points, "")}):
        require_same_end(world, act, point, expected)
