"""Waivers: findings of a rule that a sign-off accepts until a day. Who may grant one is not decided here.

A waived finding stays in the findings with the number of its sign-off. A waiver ends with the period at the latest; one
that ended before covers nothing, and none covers a row that could not be judged. One that remembers what it accepted covers
neither another value of the same cell nor what its rule finds under another wording.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.errors import BadInput

COLUMNS = ("rule", "table", "key", "sign_off", "reason", "expires")
AcceptedValue = tuple[str, str, str | None, str | None]
"""Table, key, field and value of a finding as it was accepted."""


@dataclass(frozen=True)
class Waiver:
    """Accepts the findings of `rule`, of one `table` or one `key` (canonical JSON) where given, up to `expires`.

    `rule_digest`: only under this wording of the rule. A cell among `values` is accepted with the values it has there alone;
    any other cell with whatever it holds.
    """

    rule: str
    sign_off: str
    reason: str
    expires: date
    table: str | None = None
    key: str | None = None
    rule_digest: str | None = None
    values: tuple[AcceptedValue, ...] = ()


def read_waivers(path: Path, rules: Iterable[str]) -> tuple[Waiver, ...]:
    """The waivers of a CSV with `COLUMNS`; table and key may be empty. Raises BadInput with every mistake and its line."""
    known = set(rules)
    problems: list[BadInput] = []
    waivers: list[Waiver] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                found = ",".join(reader.fieldnames or ())
                raise BadInput(
                    "validations.waivers_header", path=path, expected=",".join(COLUMNS), found=found
                )
            for row in reader:
                waiver = _waiver(row)
                if waiver is None or waiver.rule not in known:
                    problems.append(
                        BadInput("validations.waiver", path=path, line=reader.line_num, rule=row["rule"])
                    )
                else:
                    waivers.append(waiver)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput("validations.waivers_unreadable", path=path, reason=error) from error
    if problems:
        raise BadInput("validations.waivers_invalid", path=path, details=problems)
    return tuple(waivers)


def _waiver(row: dict[str, str]) -> Waiver | None:
    try:
        expires = date.fromisoformat(row["expires"] or "")
    except ValueError:
        return None
    if not (row["rule"] and row["sign_off"] and row["reason"] and _is_key(row["key"])):
        return None
    return Waiver(
        row["rule"], row["sign_off"], row["reason"], expires, row["table"] or None, row["key"] or None
    )


def _is_key(text: str | None) -> bool:
    """Whether a key is written as findings write it; any other would cover nothing."""
    if not text:
        return True
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":")) == text
    except ValueError:
        return False
