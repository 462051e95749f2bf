"""The decay score of very many strikes, without placing any.

A sum of one field over independent strikes depends only on how many of them fall where the field is how large. With the field cut into
some thousand levels a draw is one multinomial count of levels, whatever the number of strikes, sites and cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..null import BinomialNull, Rng, replicate_rng, seed_sequence
from ..pattern import PointPattern

if TYPE_CHECKING:
    from .score import LinearScore

Array = NDArray[np.float64]
LEVELS = 4096
MOST = 40_000_000  # strikes to be placed, from which levels are counted instead: some ten seconds' worth


class Tally:
    """Count the intensity and the strikes at each level of a field, for kinds of strike; tallies of parts of a window add up.

    Parameters
    ----------
    n_kinds : int
        Kinds of strike that are exchangeable.
    low, high : float
        Range of the field.

    Notes
    -----
    The value of a level is the field's mean there, weighted by the intensity. Strikes and draws are read alike, so a test is exact for the
    field cut into levels.
    """

    def __init__(self, n_kinds: int, low: float, high: float) -> None:
        self.low, self.step = low, (high - low) / (LEVELS - 1) or 1.0
        self.mass, self.moment, self.count = (np.zeros((n_kinds, LEVELS)) for _ in range(3))

    def _level(self, values: Array) -> NDArray[np.intp]:
        return np.asarray(np.rint((values - self.low) / self.step).clip(0, LEVELS - 1), np.intp)

    def add(self, kind: int, field: Array, mass: Array, strikes: Array) -> None:
        """Add cells, their field and intensity, and the field at strikes."""
        level = self._level(field)
        self.mass[kind] += np.bincount(level, mass, LEVELS)
        self.moment[kind] += np.bincount(level, mass * field, LEVELS)
        self.count[kind] += np.bincount(self._level(strikes), minlength=LEVELS)

    def merge(self, other: Tally) -> None:
        """Add the tally of another part of the window."""
        self.mass += other.mass
        self.moment += other.moment
        self.count += other.count

    def scores(self, weights: Array, *, n_simulations: int, rng: Rng) -> tuple[float, Array]:
        """Give the score of the strikes and of each draw. Cost: n_simulations × levels × kinds."""
        middle = self.low + self.step * np.arange(LEVELS)
        value = weights[:, None] * np.divide(self.moment, self.mass, out=np.tile(middle, (len(weights), 1)), where=self.mass > 0)
        parts = []
        for n, mass, at in zip(self.count.sum(axis=1).astype(int), self.mass, value, strict=True):
            used = np.flatnonzero(mass)
            parts.append((n, mass[used] / mass[used].sum(), at[used]))
        seed, simulated = seed_sequence(rng), np.zeros(n_simulations)
        for draw in range(n_simulations):
            stream = replicate_rng(seed, draw)
            simulated[draw] = sum(float(stream.multinomial(n, share) @ at) for n, share, at in parts)
        return float((self.count * value).sum()), simulated


def countable(score: LinearScore, null: BinomialNull, n_simulations: int) -> bool:
    """Say whether counting levels is possible and worth it: no attacks as units, few kinds of strike, very many strikes to place."""
    return score.unit is None and null.n * n_simulations > MOST and len(_kinds(score, null)[0]) * LEVELS < null.n


def _kinds(score: LinearScore, null: BinomialNull) -> tuple[Array, NDArray[np.intp]]:
    """Give the kinds of strike that are exchangeable (weight, location error, stratum), and the kind of each strike."""
    stratum = np.zeros(null.n) if null.stratum is None else null.stratum
    kinds, kind = np.unique(np.column_stack([score.weights, score.error_class, stratum]), axis=0, return_inverse=True)
    return np.asarray(kinds, float), np.asarray(kind.ravel(), np.intp)


def level_scores(points: PointPattern, score: LinearScore, null: BinomialNull, *, n_simulations: int, rng: Rng) -> tuple[float, Array]:
    """Give the score of the strikes and of each draw, strikes being read at the level of their cell.

    Returns
    -------
    observed : float
    simulated : (n_simulations,) array

    Notes
    -----
    Levels move the score of a strike by at most 1/4095 of the field's range, and reading at the cell as a coarser grid would. Cost:
    n_simulations × levels × kinds of strike; n log n once.
    """
    grid = null.intensity.grid
    flat = np.flatnonzero(grid.inside)
    mass = null.intensity.values.ravel()[flat]
    area = np.zeros(len(flat)) if null.cell_stratum is None else null.cell_stratum.ravel()[flat]
    cell = grid.inside_cell(points.easting, points.northing)
    kinds, kind = _kinds(score, null)
    fields = [field.ravel() for field in score.fields]
    tally = Tally(len(kinds), min(float(f[flat].min()) for f in fields), max(float(f[flat].max()) for f in fields))
    for k, (_, error, stratum) in enumerate(kinds):
        field, here = fields[int(error)], area == stratum
        tally.add(k, field[flat[here]], mass[here], field[cell[kind == k]])
    return tally.scores(kinds[:, 0], n_simulations=n_simulations, rng=rng)
