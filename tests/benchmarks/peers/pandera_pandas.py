"""The 38 row rules in pandera on pandas; runs in an environment of its own: `python pandera_pandas.py FILE STANDARD`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import columns as given
import pandera.pandas as pa
from pandera.errors import SchemaErrors


def work(path: Path, standard: Path) -> Iterator[tuple[str, int]]:
    """Every broken rule with its row."""
    frame = given.load(path)
    judged: dict[str, tuple[list[pa.Check], bool]] = {
        name: ([], name not in given.MANDATORY) for name in frame
    }
    for name, file in given.CODES.items():
        judged[name][0].append(pa.Check.isin(given.codes(standard, file), error=f"C_{name}"))
    for name in given.DATES:
        judged[name][0].append(pa.Check.in_range(given.FIRST, given.LAST, error=f"T_{name}"))
    for rule, (name, form) in given.FORMS.items():
        judged[name][0].append(pa.Check.str_matches(form, error=rule))
    banned = given.BANNED
    judged["TBRMC"][0].append(pa.Check(lambda texts: ~texts.str.contains(banned), name="N_TBRMC"))
    extra = given.byte_lengths(frame)
    for rule, lengths in extra.items():
        frame[rule] = lengths
        judged[rule] = ([pa.Check.le(given.LENGTHS[rule[2:]], error=rule)], True)
    for rule, holds in given.conditions(frame).items():
        frame[rule] = holds
        judged[rule] = ([pa.Check(lambda kept: kept, name=rule)], True)
    for rule, (later, earlier) in given.PAIRS.items():
        frame[rule] = ((frame[later] >= frame[earlier]) | frame[later].isna() | frame[earlier].isna()).astype(
            bool
        )
        judged[rule] = ([pa.Check(lambda kept: kept, name=rule)], True)
    schema = pa.DataFrameSchema(
        {name: pa.Column(None, checks, nullable=nullable) for name, (checks, nullable) in judged.items()}
    )
    try:
        schema.validate(frame, lazy=True, inplace=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        for column, check, index in zip(cases["column"], cases["check"], cases["index"], strict=True):
            yield (f"M_{column}" if check == "not_nullable" else str(check)), int(index)


if __name__ == "__main__":
    given.report(lambda: work(Path(sys.argv[1]), Path(sys.argv[2])))
