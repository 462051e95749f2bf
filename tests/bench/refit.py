"""Compare the additive refitted score with refitting the kernel in every draw: same data, same answers, one run.

Run by `make bench`. Prints medians of five runs and their ratio; absolute seconds depend on the machine, the ratio much less.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from shapely.geometry import box

from analysis.baseline import Kernel
from analysis.null import BinomialNull, Draws, seed_sequence
from analysis.pattern import PointPattern, Sites, Window
from analysis.proximity import Decay, decay_score

N_SIMULATIONS = 99


def main() -> None:
    """Print one line for each number of strikes."""
    window = Window(box(0, 0, 20_000, 20_000))
    grid = window.grid(shape=(256, 256))
    rng = np.random.default_rng(1)
    sites = Sites(*window.sample(80, rng=rng), window)
    decay, estimator = Decay("gaussian", 500), Kernel(grid, 1500.0)
    field = decay.field(sites, grid)
    print(f"{'strikes':>8} {'additive (s)':>14} {'refit each draw (s)':>20} {'ratio':>8} {'largest difference':>20}")
    for n in (100, 1_000, 10_000):
        points = PointPattern(*window.sample(n, rng=rng), window)
        null = BinomialNull(estimator.fit(points.easting, points.northing), n)
        draws = null.draw(seed_sequence(1), 0, N_SIMULATIONS)
        cell = grid.cell(draws.easting, draws.northing)
        centred = Draws(grid.centres[0].ravel()[cell], grid.centres[1].ravel()[cell], draws.replicate, draws.mark, draws.n_draws)
        times: dict[str, list[float]] = {"additive": [], "refit": []}
        for _ in range(5):
            start = time.perf_counter()
            fast = decay_score(points, sites, decay, estimator)(centred)
            times["additive"].append(time.perf_counter() - start)
            start = time.perf_counter()
            slow = np.empty(N_SIMULATIONS)
            for k in range(N_SIMULATIONS):
                rows = centred.replicate == k
                fitted = estimator.fit(centred.easting[rows], centred.northing[rows])
                slow[k] = field.ravel()[cell[rows]].sum() - fitted.expected(field)
            times["refit"].append(time.perf_counter() - start)
        a, b = statistics.median(times["additive"]), statistics.median(times["refit"])
        print(f"{n:>8} {a:>14.4f} {b:>20.4f} {b / a:>8.1f} {np.abs(fast - slow).max():>20.2e}")


if __name__ == "__main__":
    main()
