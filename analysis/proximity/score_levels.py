"""The decay score of very many strikes, without placing any.

A sum of one field over independent strikes depends only on how many of them fall where the field is how large. With the field rounded to
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


def countable(score: LinearScore, null: object, n: int, n_simulations: int) -> bool:
    """Say whether counting levels is possible and worth it: no attacks as units, few kinds of strike, very many strikes to place."""
    if not isinstance(null, BinomialNull) or score.unit is not None or n * n_simulations <= MOST:
        return False
    return len(_kinds(score, null)[0]) * LEVELS < n


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
    Strikes and draws are read alike, so the test is exact for the rounded field; rounding moves the score of a strike by at most 1/8192 of
    the field's range, and reading at the cell as a coarser grid would. Cost: n_simulations × levels × kinds of strike; n once.
    """
    grid = null.intensity.grid
    flat = np.flatnonzero(grid.inside)
    mass = null.intensity.values.ravel()[flat]
    area = np.zeros(len(flat)) if null.stratum is None or null.cell_stratum is None else null.cell_stratum.ravel()[flat]
    cell = grid.inside_cell(points.easting, points.northing)
    kinds, kind = _kinds(score, null)
    observed, parts = 0.0, []
    for k, (weight, error, stratum) in enumerate(kinds):
        field = score.fields[int(error)].ravel()
        low, high = float(field[flat].min()), float(field[flat].max())
        step = (high - low) / (LEVELS - 1) or 1.0
        level = np.rint((field - low) / step).clip(0, LEVELS - 1).astype(np.intp)
        value = weight * (low + step * np.arange(LEVELS))
        here = area == stratum
        share = np.bincount(level[flat[here]], mass[here], LEVELS)
        used = np.flatnonzero(share)
        observed += float(value[level[cell[kind == k]]].sum())
        parts.append((int((kind == k).sum()), share[used] / share[used].sum(), value[used]))
    seed, simulated = seed_sequence(rng), np.zeros(n_simulations)
    for draw in range(n_simulations):
        stream = replicate_rng(seed, draw)
        simulated[draw] = sum(float(stream.multinomial(n, share) @ value) for n, share, value in parts)
    return observed, simulated
