"""Draws: many simulated patterns held flat, so that a statistic is one vectorised pass over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from ..pattern import PointPattern, Window

Array = NDArray[np.float64]
Rng = int | SeedSequence | Generator


def seed_sequence(rng: Rng) -> SeedSequence:
    """Turn an int, a SeedSequence or a Generator into the seed of all replicates; a Generator moves on by 128 bits.

    The same int or SeedSequence gives the same draws every time, the same Generator others.
    """
    if isinstance(rng, SeedSequence):
        return rng
    if isinstance(rng, Generator):
        return SeedSequence([int(word) for word in rng.integers(0, 2**32, 4)])
    return SeedSequence(rng)


def child_seed(seed: SeedSequence, *key: int) -> SeedSequence:
    """Give a seed below another one, the same however often it is asked for. Children of different seeds differ."""
    return SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key))


def replicate_rng(seed: SeedSequence, k: int) -> Generator:
    """Give replicate k its own stream, the same whoever computes it and in which order."""
    return np.random.default_rng(child_seed(seed, k))


@dataclass(frozen=True, eq=False)
class Draws:
    """Hold the points of several replicates one after the other.

    Attributes
    ----------
    easting, northing : (N,) arrays
    replicate : (N,) int array
        Which replicate, from 0, each point belongs to.
    mark : (N,) int array
        The row of the strikes whose marks (attack, weight, location error) the point carries.
    n_draws : int
        Number of replicates, empty ones included.
    """

    easting: Array
    northing: Array
    replicate: NDArray[np.intp]
    mark: NDArray[np.intp]
    n_draws: int

    @classmethod
    def observed(cls, points: PointPattern) -> Draws:
        """Take the observed strikes as one replicate."""
        rows = np.arange(points.n)
        return cls(points.easting, points.northing, np.zeros(points.n, np.intp), rows, 1)

    def sums(self, values: Array) -> Array:
        """Sum a value for each point within each replicate: (N,) to (n_draws,), 0 for an empty replicate."""
        return np.bincount(self.replicate, values, self.n_draws).astype(float)

    def pattern(self, k: int, window: Window, marks: pd.DataFrame | None = None) -> PointPattern:
        """Give replicate k as a point pattern, with the marks its points carry."""
        rows = np.flatnonzero(self.replicate == k)
        carried = None if marks is None else marks.iloc[self.mark[rows]]
        return PointPattern(self.easting[rows], self.northing[rows], window, carried)


class Null(Protocol):
    """A null hypothesis that can be drawn from."""

    @property
    def name(self) -> str:
        """The null's name as printed."""

    @property
    def expected_points(self) -> float:
        """Points in a typical replicate, by which memory is bounded."""

    def draw(self, seed: SeedSequence, first: int, last: int) -> Draws:
        """Draw replicates first … last − 1."""
