"""Taking in what branches dropped: whose it is by its signature, imported as the folder's user, answered in the same folder.

A file is dealt with once: it is moved away last, so whoever is killed before that does it again to the same end. Only what
the branch can mend is refused; where something is wrong on our side the file stays where it is.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipelines.errors import LANGUAGE, BadInput, BaosongError, Language, Refused, text
from pipelines.ledger.filing import Recorded
from pipelines.ledger.filing_events import AnswersReceived, AnswersRefused
from pipelines.stages.canonical import json_digest
from pipelines.stages.correct import Imported, import_answers, keep_workbook
from pipelines.stages.inbox_folder import (
    Dropped,
    copy_privately,
    is_there,
    move_away,
    opened_folder,
    put_result,
)
from pipelines.stages.installation import Installation
from pipelines.stages.workbooks import WorkbookIdentity, read_identity

_TRIES = 5
"""So often is a workbook taken in anew because the filing moved on meanwhile."""
_BRANCHES_MISTAKES = ("correct.", "workbooks.")
"""Areas of the texts about what a branch handed in."""
_ALSO = ("installation.role", "installation.no_filing", "request.not_accepted")
_LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True)
class Taken:
    """What became of a file. `kept`: where it lies now; `answer`: the text beside it; `returned`: the workbook that came back.

    `touched`: it was gone or changed before it could be dealt with; nothing was done.
    """

    dropped: Dropped
    outcome: Literal["done", "refused", "touched"]
    kept: Path | None = None
    answer: Path | None = None
    returned: Path | None = None
    imported: Imported | None = None
    error: BaosongError | None = None


def take_in(installation: Installation, dropped: Dropped) -> Taken:
    """Import one file as the user in whose folder it lies, answer in that folder, and move it to `done` or `refused`.

    Raises whatever is no mistake of the branch's: the file then waits where it is.
    """
    with _alone(installation, dropped.user) as root, opened_folder(dropped.folder) as folder:
        if not is_there(folder, dropped):
            return Taken(dropped, "touched")
        if dropped.mistake is not None:
            return _refuse(folder, dropped, dropped.mistake)
        with _private(root, dropped.user) as private:
            copy = private / dropped.name
            if not copy_privately(folder, dropped, copy):
                return Taken(dropped, "touched")
            found = _import(installation, dropped, copy)
        if isinstance(found, Imported):
            return _answer(installation, folder, dropped, found)
        return _refuse(folder, dropped, found)


def told(taken: Taken) -> str:
    """What became of the file, in a line."""
    facts = {"user": taken.dropped.user, "file": taken.dropped.shown}
    if taken.outcome == "touched":
        return text("inbox.touched", **facts)
    if taken.outcome == "refused":
        return text("inbox.not_taken", **facts, path=taken.answer)
    if taken.imported and taken.returned:
        return text("inbox.taken_returned", **facts, count=len(taken.imported.returned), path=taken.returned)
    return text("inbox.taken", **facts)


def _import(installation: Installation, dropped: Dropped, copy: Path) -> Imported | BaosongError:
    """What was imported, or the branch's mistake, which is recorded."""
    try:
        return _import_as_user(installation, dropped, copy)
    except (BadInput, Refused) as error:
        if not _is_branchs(error):
            raise
        _record(installation, dropped, copy, error)
        return error


def _import_as_user(installation: Installation, dropped: Dropped, copy: Path) -> Imported:
    identity = read_identity(copy, key=installation.workbook_key())
    user = installation.deployment.user(dropped.user)
    for _ in range(_TRIES - 1):
        try:
            return import_answers(installation, identity.filing, copy, user)
        except Refused as error:
            if error.code != "ledger.moved_on":
                raise
    return import_answers(installation, identity.filing, copy, user)


def _is_branchs(error: BaosongError) -> bool:
    return error.code.startswith(_BRANCHES_MISTAKES) or error.code in _ALSO


def _record(installation: Installation, dropped: Dropped, copy: Path, error: BaosongError) -> None:
    """Say in the filing's stream that a workbook of it was refused, once for the same reason; not when it is of no filing."""
    try:
        identity = read_identity(copy, key=installation.workbook_key())
        installation.state(identity.filing)
    except (BadInput, Refused):
        return
    keep_workbook(installation, identity.filing, copy, identity)
    fact = AnswersRefused(
        organisation=identity.organisation,
        department=identity.department,
        workbook=dropped.digest,
        code=error.code,
        reason=str(error),
    )
    installation.ledger.append(
        f"filing/{identity.filing}",
        fact.kind,
        fact.payload(),
        actor=dropped.user,
        at=installation.now(),
        command_id=f"{identity.filing}:answers-refused:{dropped.user}:{json_digest(fact.payload())[:16]}",
    )


def _refuse(folder: int, dropped: Dropped, error: BaosongError) -> Taken:
    said = BadInput("inbox.refused", file=dropped.shown, details=[error])
    answer = put_result(
        folder, dropped.folder, "refused", f"{dropped.kept_name}.txt", _in_both_languages(said)
    )
    kept = move_away(folder, dropped.folder, dropped, "refused")
    return Taken(dropped, "refused", kept=kept, answer=answer, error=error)


def _answer(installation: Installation, folder: int, dropped: Dropped, imported: Imported) -> Taken:
    returned = None
    if imported.annotated is not None:
        name = f"{dropped.kept_name.removesuffix('.xlsx')}-退回.xlsx"
        content = imported.annotated.read_bytes()
        returned = put_result(folder, dropped.folder, "returned", name, content)
    said = _Receipt(
        dropped, imported.identity, _event(installation, dropped, imported), returned, imported.notices
    )
    answer = put_result(folder, dropped.folder, "done", f"{dropped.kept_name}.txt", _in_both_languages(said))
    kept = move_away(folder, dropped.folder, dropped, "done")
    return Taken(dropped, "done", kept=kept, answer=answer, returned=returned, imported=imported)


def _event(
    installation: Installation, dropped: Dropped, imported: Imported
) -> Recorded[AnswersReceived] | None:
    """What the ledger says of this workbook of this user: the same whether it was written just now or before a kill."""
    state = installation.state(imported.identity.filing)
    theirs = [a for a in state.answers if a.actor == dropped.user and a.fact.workbook == dropped.digest]
    return theirs[-1] if theirs else None


@dataclass(frozen=True)
class _Receipt:
    """What a branch reads about a workbook that was taken in."""

    dropped: Dropped
    identity: WorkbookIdentity
    event: Recorded[AnswersReceived] | None
    returned: Path | None
    notices: tuple[str, ...]

    def __str__(self) -> str:
        lines = [
            text(
                "inbox.receipt",
                file=self.dropped.shown,
                filing=self.identity.filing,
                organisation=self.identity.organisation,
                department=self.identity.department_name,
                taken=sum(self.event.fact.handlings.values()) if self.event else 0,
                returned=self.event.fact.returned if self.event else 0,
            )
        ]
        if self.event is None:
            lines.append(text("inbox.receipt_nothing_new"))
        else:
            at = f"{self.event.at.astimezone(self.dropped.arrived.tzinfo):%Y-%m-%d %H:%M:%S}"
            lines.append(text("inbox.receipt_event", seq=self.event.seq, at=at, hash=self.event.hash))
        if self.returned is not None:
            lines.append(text("inbox.receipt_returned", file=self.returned.name))
        return "\n".join([*lines, *self.notices])


def _in_both_languages(said: BaosongError | _Receipt) -> bytes:
    """Chinese, then English, as Windows' editors expect a text."""
    told: list[str] = []
    for language in _LANGUAGES:
        token = LANGUAGE.set(language)
        try:
            told.append(str(said))
        finally:
            LANGUAGE.reset(token)
    return ("\n\n".join(told) + "\n").replace("\n", "\r\n").encode("utf-8-sig")


@contextmanager
def _alone(installation: Installation, user: str) -> Generator[Path]:
    """Wait until no other process deals with this user's files; yields where private copies are made."""
    root = installation.home / "taking"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (root / f"{user}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield root


@contextmanager
def _private(root: Path, user: str) -> Generator[Path]:
    """A folder of our own, gone before the file is moved away, so that nothing of it outlives a kill for good."""
    folder = root / user
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
