"""Nearness against placebo sites: are strikes nearer to the sites than to places like them?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..inference import TestResult, monte_carlo_p
from ..null import Rng, placebo_sites, seed_sequence
from ..pattern import Grid, InputError, PointPattern, Sites, refuse_few
from .decay import Decay

Array = NDArray[np.float64]


def placebo_test(
    points: PointPattern,
    sites: Sites,
    decay: Decay,
    covariates: Mapping[str, Array],
    grid: Grid,
    *,
    n_simulations: int,
    rng: Rng,
    min_distance: float = 0.0,
) -> TestResult:
    """Rank the sites' nearness to strikes among that of placebo sites matched on covariates.

    Answers: are strikes nearer to the sites than to like places? No model of the strikes enters, and their clustering does no harm; what
    the covariates do not describe does. Sites cluster more than their placebo sites, which makes their statistic vary more than it should.

    Parameters
    ----------
    points : PointPattern
    sites : Sites
    decay : Decay
    covariates, grid, min_distance
        As in :func:`~analysis.null.placebo_sites`.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Returns
    -------
    TestResult

    Notes
    -----
    T = Σ g(d_i), d_i the distance of strike i to the nearest of the sites or placebo sites. Cost: n_simulations × (m + n) log m.

    Raises
    ------
    InputError
        For no strikes, no sites, fewer than 19 simulations, and as :func:`~analysis.null.placebo_sites`.
    """
    if points.n == 0:
        raise InputError("there are no strikes")
    refuse_few(n_simulations)
    seed = seed_sequence(rng)
    drawn = placebo_sites(sites, covariates, grid, n_draws=n_simulations, rng=seed, min_distance=min_distance)

    def near(at: Sites) -> float:
        return float(decay(at.distance(points.easting, points.northing)).sum())

    own, simulated = near(sites), np.array([near(drawn.draw(k, sites)) for k in range(n_simulations)])
    p = monte_carlo_p(own, simulated, "greater")
    null = f"placebo sites matched on {', '.join(covariates)}"
    return TestResult(f"sum of {decay.name}", own, p, "closer", null, points.n, n_simulations, str(seed.entropy), simulated)
