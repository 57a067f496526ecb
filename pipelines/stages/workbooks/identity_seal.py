"""The hidden identity of a workbook: written with a signature, read back and proved before anything else is read.

A file is known by what it carries, never by its name. Where the key lies is the caller's affair.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path

from pipelines.errors import BadInput
from pipelines.stages.canonical import canonical_json
from pipelines.stages.cell_text import unescape_text
from pipelines.stages.workbooks.layout import META, META_NAMES
from pipelines.stages.workbooks.model import WorkbookIdentity
from validations.engine.raw_cells_input import Limits, RawCell, read_raw_sheets

SIGNED_BY, SIGNATURE = "signed_by", "signature"
FILE_MEGABYTES, UNPACKED_MEGABYTES = 100, 400
"""What a workbook may be when it comes back: ours have at most 300 MB, and spreadsheet programs write more tersely."""


def sign(meta: Sequence[tuple[str, str]], key: bytes | None) -> tuple[tuple[str, str], ...]:
    """The lines of `_meta` with an HMAC-SHA256 over all of them, which hold the digest of every locked cell."""
    if key is None:
        return tuple(meta)
    named = (*meta, (SIGNED_BY, _key_name(key)))
    return (*named, (SIGNATURE, _signature(dict(named), key)))


def check_signature(found: Mapping[str, str], key: bytes) -> BadInput | None:
    """What is wrong with the signature among the lines of `_meta`; None if it is ours and fits."""
    if not found.get(SIGNATURE):
        return BadInput("workbooks.signature_missing")
    if not hmac.compare_digest(found.get(SIGNED_BY, "").encode(), _key_name(key).encode()):
        return BadInput("workbooks.signature_foreign", found=found.get(SIGNED_BY, "")[:80] or "—")
    lines = {name: value for name, value in found.items() if name != SIGNATURE}
    if not hmac.compare_digest(found[SIGNATURE].encode(), _signature(lines, key).encode()):
        return BadInput("workbooks.signature_altered")
    return None


def read_identity(path: Path, *, key: bytes) -> WorkbookIdentity:
    """Whose workbook the file at `path` is, by the signed identity it carries. Nothing else in it is read.

    Raises BadInput for what is no workbook, and for an identity without our signature.
    """
    limits = Limits(
        rows=1_048_576,
        columns=16_384,
        file_megabytes=FILE_MEGABYTES,
        unpacked_megabytes=UNPACKED_MEGABYTES,
        content_megabytes=1,
        only_sheet=META,
        is_form=True,
    )
    sheets = [sheet for sheet in read_raw_sheets(path, limits, area="workbooks") if sheet.name == META]
    wrong = BadInput("workbooks.meta_missing") if not sheets else None
    found = meta_lines(sheets[0].rows) if sheets else {}
    if missing := [] if wrong else [name for name in META_NAMES if name not in found]:
        wrong = BadInput("workbooks.meta_altered", name="、".join(missing))
    wrong = wrong or check_signature(found, key)
    if wrong:
        raise BadInput("workbooks.refused", file=path.name, details=[wrong])
    return _identity(found)


def meta_lines(rows: Mapping[int, Mapping[int, RawCell]]) -> dict[str, str]:
    """The lines of the sheet `_meta`: name → value."""
    return {cell_meaning(row.get(1)): cell_meaning(row.get(2)) for row in rows.values()}


def cell_meaning(cell: RawCell | None) -> str:
    """The text that a cell shows."""
    return unescape_text(cell.text) if cell else ""


def _identity(found: Mapping[str, str]) -> WorkbookIdentity:
    """Only for lines whose signature was checked: numbers and dates are as we wrote them."""
    texts = {field.name: found.get(field.name, "") for field in fields(WorkbookIdentity)}
    answer_by = texts["answer_by"]
    is_day = len(answer_by) == len("2026-05-07")
    return WorkbookIdentity(
        filing=texts["filing"],
        round=int(texts["round"]),
        content=texts["content"],
        organisation=texts["organisation"],
        organisation_name=texts["organisation_name"],
        sign_off=texts["sign_off"],
        answer_by=date.fromisoformat(answer_by) if is_day else datetime.fromisoformat(answer_by),
        department=texts["department"],
        department_name=texts["department_name"],
        part=int(texts["part"]),
        parts=int(texts["parts"]),
    )


def _key_name(key: bytes) -> str:
    """Which key it is, without telling the key."""
    return hmac.digest(key, b"baosong workbook key", "sha256").hex()[:16]


def _signature(lines: Mapping[str, str], key: bytes) -> str:
    return hmac.digest(key, b"baosong workbook\n" + canonical_json(dict(lines)).encode(), "sha256").hex()
