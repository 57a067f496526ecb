"""The part of the book that is drawn at once: a run of branches with the policies each of them writes.

A large book is drawn part by part, so that memory stays bounded; what a part draws depends on the seed and on the
parts' bounds only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from resources.reference_core.catalogue import OrganisationSeed
from resources.reference_core.drawing import Ints, words
from resources.reference_core.places import weight_of

POLICIES_AT_ONCE = 150_000


@dataclass(frozen=True)
class Part:
    """`branches` with the number of policies of each; `first` is the place of the first one among all branches."""

    branches: tuple[OrganisationSeed, ...]
    counts: Ints
    first: int
    below: tuple[tuple[OrganisationSeed, ...], ...]

    @property
    def branch(self) -> Ints:
        """The branch (its place in `branches`) of every policy, ascending."""
        return np.repeat(np.arange(len(self.branches)), self.counts)

    def codes(self, branch: Ints) -> pl.Series:
        return words([seed.code for seed in self.branches], branch)

    def units(self, branch: Ints) -> list[list[OrganisationSeed]]:
        """Who writes policies in each branch: its sub-branches, or itself where it has none."""
        return [list(below) or [seed] for seed, below in zip(self.branches, self.below, strict=True)]

    def draw_units(self, rng: np.random.Generator, branch: Ints) -> tuple[pl.Series, Ints]:
        """A unit for each row: its code, and its region as a number."""
        units = self.units(branch)
        sizes = np.array([len(of_branch) for of_branch in units])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        flat = [unit for of_branch in units for unit in of_branch]
        places = starts[branch] + (rng.random(len(branch)) * sizes[branch]).astype(np.int64)
        regions = np.array([int(unit.region) for unit in flat])
        return words([unit.code for unit in flat], places), regions[places]


def parts_of(
    rng: np.random.Generator, organisations: Sequence[OrganisationSeed], count: int
) -> Iterator[Part]:
    """Spread `count` policies over the branches by their weight, and cut the branches into parts."""
    branches = [seed for seed in organisations if seed.level == 1]
    weights = np.array([weight_of(b.region, is_own_account=b.is_own_account) for b in branches])
    drawn = rng.choice(len(branches), count, p=weights / weights.sum())
    counts: Ints = np.bincount(drawn, minlength=len(branches))
    start = 0
    for place in range(1, len(branches) + 1):
        if place == len(branches) or counts[start : place + 1].sum() > POLICIES_AT_ONCE:
            chosen = tuple(branches[start:place])
            yield Part(
                branches=chosen,
                counts=counts[start:place],
                first=start,
                below=tuple(
                    tuple(o for o in organisations if o.parent == branch.code and o.level == 2)
                    for branch in chosen
                ),
            )
            start = place
