"""The additive refitted score beside refitting the kernel in every draw: same data, same answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from shapely.geometry import box
from table import Row, timed

from analysis.baseline import Kernel
from analysis.null import BinomialNull, Draws, seed_sequence
from analysis.pattern import PointPattern, Sites, Window
from analysis.proximity import Decay, decay_score

N_SIMULATIONS = 99


def rows() -> Iterator[Row]:
    """Give one row for each number of strikes."""
    window = Window(box(0, 0, 20_000, 20_000))
    grid = window.grid(shape=(256, 256))
    rng = np.random.default_rng(1)
    sites = Sites(*window.sample(80, rng=rng), window)
    decay, estimator = Decay("gaussian", 500), Kernel(grid, 1500.0)
    field = decay.field(sites, grid)
    for n in (100, 1_000, 10_000):
        points = PointPattern(*window.sample(n, rng=rng), window)
        null = BinomialNull(estimator.fit(points.easting, points.northing), n)
        draws = null.draw(seed_sequence(1), 0, N_SIMULATIONS)
        cell = grid.cell(draws.easting, draws.northing)
        centred = Draws(grid.centres[0].ravel()[cell], grid.centres[1].ravel()[cell], draws.replicate, draws.mark, draws.n_draws)

        def refit(centred: Draws = centred, cell: np.ndarray = cell) -> np.ndarray:
            result = np.empty(N_SIMULATIONS)
            for k in range(N_SIMULATIONS):
                own = centred.replicate == k
                fitted = estimator.fit(centred.easting[own], centred.northing[own])
                result[k] = field.ravel()[cell[own]].sum() - fitted.expected(field)
            return result

        seconds, found = timed(lambda p=points, c=centred: decay_score(p, sites, decay, estimator)(c))
        theirs, expected = timed(refit)
        differs = float(np.abs(found - expected).max() / np.abs(expected).max())
        yield Row(
            f"refitted decay score, {N_SIMULATIONS} draws, 256² cells", n, seconds, "refitting the kernel in each draw", theirs, differs
        )
