"""Kill -9 in extract, package and deliver: the same command again ends in the state of a run that nobody disturbed.

Processes are real and the product knows nothing of the test: each is watched from outside and killed when something
appears on the disk, in the ledger or on the server.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.world import AUDIT, STATISTICS, Ending, World

pytestmark = pytest.mark.prove
Watch = Callable[[World], bool]
ATTEMPTS = 8
"""A moment may pass unseen on a busy machine; then the stage is taken back and tried again."""
MANY = [step / 1000 for step in (0, 4, 15, 50, 150, 400)]
BEFORE = {"extract": "opened", "package": "approved", "deliver": "packaged"}


def some(folder: str, pattern: str) -> Watch:
    """Something of that name is in a folder of the home."""
    return lambda world: any((world.home / folder).glob(pattern))


def outbox(pattern: str, *, at_least: int = 0) -> Watch:
    """A file is in the designated server's folder, with so many bytes."""
    return lambda world: any(_size(path) >= at_least for path in world.places.outbox.glob(pattern))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1


def is_reserved(world: World) -> bool:
    return world.reserved()


def regulator_has(*statuses: str) -> Watch:
    return lambda world: any(status in statuses for _, status in world.regulator_files())


ROUND = f"rounds/{AUDIT}"
PACKAGE = f"packages/{AUDIT}"
MOMENTS: dict[str, tuple[str, str, Watch]] = {
    "extract: its folder is made": ("extract", AUDIT, some(ROUND, ".tmp-*")),
    "extract: a table is begun": ("extract", AUDIT, some(ROUND, ".tmp-*/*.parquet")),
    "extract: the last table is begun": ("extract", AUDIT, some(ROUND, ".tmp-*/ZZKJQKMB.parquet")),
    "extract: the manifest is written": ("extract", AUDIT, some(ROUND, ".tmp-*/manifest.json")),
    "extract: the round is in its place": ("extract", AUDIT, some(ROUND, "1")),
    "package: the content is rebuilt": ("package", AUDIT, some(f"contents/{AUDIT}", ".tmp-*")),
    "package: its folder is made": ("package", AUDIT, some(PACKAGE, ".tmp-*")),
    "package: the zip is begun": ("package", AUDIT, some(PACKAGE, ".tmp-*/*.zip")),
    "package: it is read back": ("package", AUDIT, some(PACKAGE, ".tmp-inspect-*")),
    "package: the package is in its place": ("package", AUDIT, some(PACKAGE, "v1")),
    "sftp: reserved": ("deliver", AUDIT, is_reserved),
    "sftp: the part is begun": ("deliver", AUDIT, outbox("*.part")),
    "sftp: the part has bytes": ("deliver", AUDIT, outbox("*.part", at_least=1)),
    "sftp: the final name is there": ("deliver", AUDIT, outbox("*.zip")),
    "interface: reserved": ("deliver", STATISTICS, is_reserved),
    "interface: bytes arrive": ("deliver", STATISTICS, some("embedded/regulator/received", "*")),
    "interface: stored": ("deliver", STATISTICS, regulator_has("stored", "submitted", "accepted")),
    "interface: submitted": ("deliver", STATISTICS, regulator_has("submitted", "accepted")),
}


@pytest.fixture(scope="module")
def undisturbed(world: World) -> dict[tuple[str, str], Ending]:
    """How each stage ends when nobody kills it."""
    endings: dict[tuple[str, str], Ending] = {}
    for stage, filing, _ in MOMENTS.values():
        if (stage, filing) not in endings:
            world.restore(BEFORE[stage])
            world.run(stage, filing)
            endings[stage, filing] = world.ending(stage, filing)
    return endings


@pytest.fixture(autouse=True)
def _servers_forget(world: World) -> Iterator[None]:
    yield
    world.restore("opened")


def killed(world: World, stage: str, filing: str, watch: Watch, *, delay_seconds: float = 0.0) -> bool:
    """Take the stage back and kill it at that moment; whether the kill came before its end."""
    world.restore(BEFORE[stage])
    return world.kill(stage, filing, lambda: watch(world), delay_seconds=delay_seconds)


def require_same_end(world: World, stage: str, filing: str, expected: Ending) -> None:
    """Run the stage again: its end is the undisturbed one, and once more changes nothing."""
    for _ in range(1 if stage == "package" else 2):  # finding a package made means rebuilding its content
        world.run(stage, filing)
        ending = world.ending(stage, filing)
        assert ending.problems == ()
        assert ending.leftovers == ()
        assert ending == expected
    if stage == "deliver":
        assert ending.events["delivery_reserved"] == ending.events["delivery_sent"] == 1
        require_one_delivery(world, filing)


def require_one_delivery(world: World, filing: str) -> None:
    """The other side holds exactly the package's file, once."""
    (package,) = (
        p for p in (world.home / "packages" / filing / "v1").iterdir() if p.suffix in (".zip", ".xml")
    )
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    if filing == AUDIT:
        (there,) = world.places.outbox.iterdir()
        assert there.name == package.name
        assert hashlib.sha256(there.read_bytes()).hexdigest() == digest
        assert world.regulator_files() == []
    else:
        ((stored, status),) = world.regulator_files()
        assert stored == digest
        assert status in ("submitted", "accepted")
        assert [path.name for path in (world.places.regulator / "received").iterdir()] == [digest]
        assert list(world.places.outbox.iterdir()) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stage_killed_at_any_moment_ends_the_same_when_run_again(
    world: World, undisturbed: dict[tuple[str, str], Ending], moment: str
) -> None:
    stage, filing, watch = MOMENTS[moment]
    assert any(killed(world, stage, filing, watch) for _ in range(ATTEMPTS)), "always quicker than the kill"
    require_same_end(world, stage, filing, undisturbed[stage, filing])


def test_a_file_that_arrived_before_the_kill_is_recorded_and_not_sent_again(
    world: World, undisturbed: dict[tuple[str, str], Ending]
) -> None:
    for _ in range(ATTEMPTS):
        was_killed = killed(world, "deliver", AUDIT, outbox("*.zip"))
        if was_killed and world.recorded(AUDIT, "delivery_sent") == 0:
            break
    else:
        pytest.fail("never killed between the arrival and its event")
    assert world.recorded(AUDIT, "delivery_reserved") == 1
    (arrived,) = world.places.outbox.iterdir()
    before = arrived.stat()
    require_same_end(world, "deliver", AUDIT, undisturbed["deliver", AUDIT])
    after = arrived.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino, before.st_mtime_ns, before.st_ctime_ns
    )  # fmt: skip


def test_the_rerun_may_be_killed_as_well(world: World, undisturbed: dict[tuple[str, str], Ending]) -> None:
    world.restore("packaged")
    for watch in (is_reserved, outbox("*.part")):
        world.kill("deliver", AUDIT, lambda watch=watch: watch(world))
    require_same_end(world, "deliver", AUDIT, undisturbed["deliver", AUDIT])


def test_the_command_itself_goes_on_after_a_kill(
    world: World, undisturbed: dict[tuple[str, str], Ending]
) -> None:
    assert any(killed(world, "extract", AUDIT, some(ROUND, ".tmp-*/*.parquet")) for _ in range(ATTEMPTS))
    expected = undisturbed["extract", AUDIT]
    assert world.leftovers() != ()
    assert world.recorded(AUDIT, "round_extracted") == 0
    code, said = world.baosong("run", "extract", AUDIT)
    assert code == 0, said
    assert world.ending("extract", AUDIT) == expected


@pytest.mark.parametrize("moment", MOMENTS)
def test_many_delays_after_each_moment(
    world: World, undisturbed: dict[tuple[str, str], Ending], moment: str
) -> None:
    stage, filing, watch = MOMENTS[moment]
    hits = 0
    for delay_seconds in MANY:
        hits += killed(world, stage, filing, watch, delay_seconds=delay_seconds)
        require_same_end(world, stage, filing, undisturbed[stage, filing])
    assert hits > 0, "no kill came before the end"
