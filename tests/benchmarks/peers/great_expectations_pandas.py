"""The 38 row rules in great-expectations on pandas; runs in an environment of its own: `python … FILE STANDARD`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import columns as given
import great_expectations as gx
from great_expectations import expectations as gxe


def work(path: Path, standard: Path) -> Iterator[tuple[str, int]]:
    """Every broken rule with its row."""
    frame = given.load(path)
    suite: list[tuple[str, gxe.Expectation]] = []
    suite += [(f"M_{name}", gxe.ExpectColumnValuesToNotBeNull(column=name)) for name in given.MANDATORY]
    suite += [
        (f"C_{name}", gxe.ExpectColumnValuesToBeInSet(column=name, value_set=given.codes(standard, file)))
        for name, file in given.CODES.items()
    ]
    suite += [
        (
            f"T_{name}",
            gxe.ExpectColumnValuesToBeBetween(column=name, min_value=given.FIRST, max_value=given.LAST),
        )
        for name in given.DATES
    ]
    suite += [
        (rule, gxe.ExpectColumnValuesToMatchRegex(column=name, regex=form))
        for rule, (name, form) in given.FORMS.items()
    ]
    suite.append(("N_TBRMC", gxe.ExpectColumnValuesToNotMatchRegex(column="TBRMC", regex=given.BANNED)))
    suite += [
        (
            rule,
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=later, column_B=earlier, or_equal=True, ignore_row_if="either_value_is_missing"
            ),
        )
        for rule, (later, earlier) in given.PAIRS.items()
    ]
    for rule, lengths in given.byte_lengths(frame).items():
        frame[rule] = lengths
        suite.append(
            (rule, gxe.ExpectColumnValuesToBeBetween(column=rule, max_value=given.LENGTHS[rule[2:]]))
        )
    for rule, holds in given.conditions(frame).items():
        frame[rule] = holds
        suite.append((rule, gxe.ExpectColumnValuesToBeInSet(column=rule, value_set=[True])))

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("bench").add_dataframe_asset("policies")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    for _, expectation in suite:
        expectation.meta = {}
    for rule, expectation in suite:
        expectation.meta = {"rule": rule}
    result = batch.validate(
        gx.ExpectationSuite(name="rows", expectations=[expectation for _, expectation in suite]),
        result_format={"result_format": "COMPLETE", "return_unexpected_index_query": False},
    )
    for judged in result.results:
        if judged.exception_info.get("raised_exception", False):
            raise SystemExit(f"{judged.expectation_config.meta['rule']}: {judged.exception_info}")
        if not judged.success:
            rule = judged.expectation_config.meta["rule"]
            yield from ((rule, int(row)) for row in judged.result["unexpected_index_list"])


if __name__ == "__main__":
    given.report(lambda: work(Path(sys.argv[1]), Path(sys.argv[2])))
