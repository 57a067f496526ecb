"""What `validate` and `rule run` are told of a judging besides the files: period, parameters, references, counts, rules.

Options are read strictly and every mistake names what was given. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.cli.given_period import read_period
from pipelines.cli.standards_named import standard_named
from pipelines.cli.table_files import Reading, files_in, read_tables
from pipelines.errors import BadInput
from validations.engine import Standard, derive
from validations.engine.plan import references_of
from validations.engine.sql_text import PARAMETERS

PREVIOUS = "previous"


def read_pairs(given: Sequence[str]) -> dict[str, str]:
    """`name=value` options as a mapping. Raises BadInput for those of another form, and for a name given twice."""
    pairs = [item.partition("=") for item in given]
    wrong = [item for item, (name, _, value) in zip(given, pairs, strict=True) if not name or not value]
    if wrong:
        raise BadInput("validations.parameter_form", given=", ".join(wrong))
    names = [name for name, _, _ in pairs]
    if twice := [item for number, item in enumerate(given) if names[number] in names[:number]]:
        raise BadInput("validations.parameter_twice", given=", ".join(twice))
    return {name: value for name, _, value in pairs}


def read_counts(given: Sequence[str]) -> dict[str, int]:
    """`TABLE=N` options."""
    pairs = read_pairs(given)
    wrong = [f"{name}={value}" for name, value in pairs.items() if not (value.isascii() and value.isdigit())]
    if wrong:
        raise BadInput("validations.count_form", given=", ".join(wrong))
    return {name: int(value) for name, value in pairs.items()}


def read_parameters(period: str | None, given: Sequence[str], report: str | None) -> dict[str, str]:
    """The parameters that period and report stand for, and those given by name.

    Raises BadInput as well where a parameter says otherwise than the period, or names another report.
    """
    named = read_pairs(given)
    if report is not None and named.get("report", report) != report:
        raise BadInput("validations.report_twice", report=report, other=named["report"])
    stated = read_period(period).parameters() if period else {}
    if other := [f"{n}={v}" for n, v in named.items() if stated.get(n, v) != v]:
        raise BadInput("validations.period_twice", period=period, given=", ".join(other))
    said = {"report": report} if report is not None else {}
    return {**stated, **named, **said}


def require_report(standard: Standard, report: str | None) -> None:
    """Raise BadInput unless the standard has that report."""
    known = [each.name for each in standard.reports]
    if report is not None and report not in known:
        raise BadInput(
            "validations.report_unknown", report=report, standard=standard.name, known=", ".join(known)
        )


def require_rules(standard: Standard, rules: Sequence[str]) -> None:
    """Raise BadInput unless all are rules of the standard that content is judged by."""
    known = [rule.id for rule in standard.rules if rule.judges == "content"]
    unknown = [rule for rule in rules if rule not in known]
    if unknown:
        raise BadInput(
            "validations.rule_unknown",
            rules=", ".join(unknown),
            standard=standard.name,
            known=", ".join(known),
        )


def require_absent(standard: Standard, without: Sequence[str], references: Sequence[str]) -> None:
    """Raise BadInput unless what is declared absent is something that rules compare with, and is not given all the same."""
    given = read_pairs(references)
    for namespace in without:
        if namespace in given:
            raise BadInput("validations.without_given", namespace=namespace)
    if set(without) - {PREVIOUS}:
        known = {PREVIOUS}.union(*({n for n, _ in references_of(standard, r.name)} for r in standard.reports))
        if unknown := sorted(set(without) - known):
            raise BadInput(
                "validations.without_unknown",
                namespaces=", ".join(unknown),
                standard=standard.name,
                known=", ".join(sorted(known)),
            )


def read_references(
    standard: Standard, given: Sequence[str], parameters: Mapping[str, str], folder: Path, how: Reading
) -> dict[str, dict[str, Path]]:
    """The tables of other contents by namespace: `previous=DIR`, or `<other standard>=DIR`; derived where they can be.

    A previous content is derived by its own period. Raises BadInput with all mistakes.
    """
    references: dict[str, dict[str, Path]] = {}
    for namespace, path in read_pairs(given).items():
        other = standard if namespace == PREVIOUS else standard_named(namespace)[0]
        place = folder / f"reference-{len(references)}"
        place.mkdir()
        values = _of_previous(parameters) if namespace == PREVIOUS else parameters
        known = {name: value for name, value in values.items() if name in (*PARAMETERS, *other.parameters)}
        read = read_tables(other, files_in(Path(path)), place, Reading(encoding=how.encoding))
        references[namespace] = {**derive_missing(other, read, known, place), **read}
    return references


def derive_missing(
    standard: Standard, tables: Mapping[str, Path], parameters: Mapping[str, str], folder: Path
) -> dict[str, Path]:
    """The derived tables that were not given themselves."""
    if all(name in tables for name, table in standard.tables.items() if table.derive is not None):
        return {}
    derived = folder / "derived"
    return derive(standard, tables, parameters=parameters, out=derived)


def _of_previous(parameters: Mapping[str, str]) -> dict[str, str]:
    """The parameters as they were for the previous period, as far as it is known."""
    if not {"previous_from", "previous_to"} <= parameters.keys():
        return dict(parameters)
    period = read_period(f"{parameters['previous_from']}..{parameters['previous_to']}")
    return {**parameters, **period.parameters()}
