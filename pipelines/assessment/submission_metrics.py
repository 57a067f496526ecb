"""The submission metrics of one month, per branch, computed from the ledger: the first part of the posts' scorecard.

A result is named by the digest of all it was computed from, and written as canonical JSON: the same ledger gives the same
bytes. It lies beside the Parquet file of its keys. Metrics are measured here, not yet weighed into scores.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.assessment.answering import NOT_DUE, in_time_keys, turnaround_keys
from pipelines.assessment.between_rounds import drift_keys, rounds_keys, vanished_keys
from pipelines.assessment.first_extraction import earlier_filings, first_findings_keys, repeated_keys
from pipelines.assessment.inputs import inputs_of
from pipelines.assessment.keys import KEYS, assessed_branches, keys_digest, scope
from pipelines.assessment.measuring import Measured, four_places, measure, prior_of
from pipelines.assessment.metric import (
    DRIFT,
    FIRST_FINDINGS,
    IN_TIME,
    REPEATED,
    ROUNDS,
    TURNAROUND,
    VANISHED,
    Metric,
    metrics_of,
)
from pipelines.assessment.records import Books, FilingRecord, read_filings
from pipelines.assessment.small_numbers import Prior
from pipelines.errors import BadInput, BaosongError, Tampered
from pipelines.ledger.chain import canonical_json, digest
from pipelines.ledger.heads import place_new

TRAILING_MONTHS = 12

_LISTS: Mapping[str, Callable[[Books, FilingRecord], pl.DataFrame]] = {
    FIRST_FINDINGS: first_findings_keys,
    IN_TIME: in_time_keys,
    TURNAROUND: turnaround_keys,
    ROUNDS: rounds_keys,
    VANISHED: vanished_keys,
    DRIFT: drift_keys,
}


@dataclass(frozen=True)
class Failure:
    """Why a metric could not be computed of a filing."""

    metric: str
    filing: str
    error: BaosongError


@dataclass(frozen=True)
class SubmissionMetrics:
    """The result. `branches` are code → name; `keys` (KEYS) are those of the month; `inputs` all it was computed from."""

    month: str
    branches: Mapping[str, str]
    metrics: Mapping[str, Metric]
    measured: tuple[Measured, ...]
    keys: pl.DataFrame
    priors: Mapping[str, Prior | None]
    failures: tuple[Failure, ...]
    inputs: Mapping[str, Any]

    @property
    def score_id(self) -> str:
        return digest("baosong score 1", (canonical_json(self.inputs),))

    def of(self, metric: str, branch: str) -> Measured:
        """Raises KeyError."""
        for each in self.measured:
            if (each.metric, each.branch) == (metric, branch):
                return each
        raise KeyError(f"{metric} {branch}")

    def json(self) -> str:
        """Canonical JSON: sorted keys, decimals as texts of four places."""
        branches: dict[str, dict[str, Any]] = {code: {} for code in self.branches}
        for each in self.measured:
            decimals = ("raw", "shrunk", "low", "high", "median")
            branches[each.branch][each.metric] = {
                "status": each.status, "k": each.k, "n": each.n, "excluded": dict(each.excluded or {}),
                "is_flagged": each.is_flagged,
                **{name: None if (v := getattr(each, name)) is None else f"{v:f}" for name in decimals},
            }  # fmt: skip
        document = {
            "format": 1,
            "score": self.score_id,
            "month": self.month,
            "inputs": self.inputs,
            "keys": keys_digest(self.keys),
            "priors": {id_: self._prior(id_, prior) for id_, prior in self.priors.items() if prior},
            "failures": [
                {"metric": each.metric, "filing": each.filing, "code": each.error.code}
                for each in self.failures
            ],
            "branches": branches,
        }
        return canonical_json(document) + "\n"

    def _prior(self, metric: str, prior: Prior) -> dict[str, str]:
        mean = four_places(prior.mean * self.metrics[metric].scale)
        return {"mean": f"{mean:f}", "strength": f"{four_places(prior.strength):f}", "source": prior.source}


def submission_metrics(books: Books, month: str, *, as_of: datetime) -> SubmissionMetrics:
    """Measure a month (YYYY-MM) from what the ledger held at a moment.

    To the month belong the filings that were extracted for the first time in it, with all that became of them by `as_of`.
    A metric that could not be computed is a failure of the branches of its filing, not of the others.
    """
    first = _month(month)
    if first > as_of.date():
        raise BadInput("assessment.future", month=month)
    metrics = metrics_of(books.deployment.assessment)
    frozen = books.deployment.assessment.priors.get(f"{first.year}Q{(first.month + 2) // 3}", {})
    filings = read_filings(books, as_of)
    is_frozen = all(id_ in frozen for id_, metric in metrics.items() if metric.kind in ("proportion", "rate"))
    since = month if is_frozen else _months_before(first, TRAILING_MONTHS - 1)
    trailing = [filing for filing in filings if since <= filing.month <= month]

    computed = [_keys_of(books, filing, filings) for filing in trailing]
    failures = tuple(failure for _, failed in computed for failure in failed)
    rows = pl.concat([pl.DataFrame(schema=dict(KEYS)), *(frame for frame, _ in computed)])
    here = rows.filter(pl.col("month") == month).sort(*KEYS, nulls_last=True)

    branches = assessed_branches(books.deployment)
    priors = {id_: prior_of(metric, frozen.get(id_), rows, branches) for id_, metric in metrics.items()}
    failed = _failed(books, [filing for filing in trailing if filing.month == month], failures)
    split = {
        tuple(map(str, name)): part
        for name, part in here.partition_by("metric", "branch", as_dict=True).items()
    }
    nothing = here.clear()
    measured = tuple(
        measure(metric, code, split.get((id_, code), nothing), priors[id_], has_failed=(id_, code) in failed)
        for code in branches
        for id_, metric in metrics.items()
    )  # fmt: skip
    looked_at = {filing.state.id: filing for filing in trailing}
    for filing in trailing:
        looked_at |= {each.state.id: each for each in earlier_filings(filing, filings)}
    not_due = here.filter(pl.col("reason") == NOT_DUE).height
    failed_of = [[each.metric, each.filing, each.error.code] for each in failures]
    inputs = inputs_of(books, month, list(looked_at.values()), not_due=not_due, failures=failed_of)
    return SubmissionMetrics(month, branches, metrics, measured, here, priors, failures, inputs)


def write_metrics(books: Books, result: SubmissionMetrics) -> Path:
    """Write the result and its keys, once; returns the JSON's place.

    Raises Tampered when another result lies under the same name: then the same inputs gave another number.
    """
    folder = books.home / "assessment" / "submission_metrics" / result.month
    folder.mkdir(parents=True, exist_ok=True)
    data = io.BytesIO()
    result.keys.write_parquet(data, compression="zstd", statistics=False)
    place_new(folder / f"{result.score_id}.parquet", data.getvalue(), mode=0o600)
    path, text = folder / f"{result.score_id}.json", result.json()
    place_new(path, text.encode(), mode=0o600)
    if path.read_text(encoding="utf-8") != text:
        raise Tampered("assessment.not_reproduced", path=path)
    return path


def _keys_of(
    books: Books, filing: FilingRecord, filings: Sequence[FilingRecord]
) -> tuple[pl.DataFrame, list[Failure]]:
    """All keys of one filing, and the metrics of it that could not be computed."""

    def repeated(books: Books, filing: FilingRecord) -> pl.DataFrame:
        return repeated_keys(books, filing, earlier_filings(filing, filings))

    frames, failures = [pl.DataFrame(schema=dict(KEYS))], list[Failure]()
    for metric, listed in {**_LISTS, REPEATED: repeated}.items():
        try:
            frames.append(listed(books, filing))
        except BaosongError as error:
            failures.append(Failure(metric, filing.state.id, error))
    rows = pl.concat(frames).with_columns(month=pl.lit(filing.month), filing=pl.lit(filing.state.id))
    return rows, failures


def _failed(
    books: Books, filings: Sequence[FilingRecord], failures: Sequence[Failure]
) -> set[tuple[str, str]]:
    """Metric and branch of every failure, for the branches that the filing is for."""
    scopes = {
        filing.state.id: scope(books.deployment, filing.state.organisations, filing.extracted_on)
        for filing in filings
    }
    return {(each.metric, code) for each in failures for code in scopes.get(each.filing, ())}


def _month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone
    except ValueError:
        raise BadInput("assessment.month", month=text) from None


def _months_before(first: date, count: int) -> str:
    place = first.year * 12 + first.month - 1 - count
    return f"{place // 12:04}-{place % 12 + 1:02}"
