"""Nearness under random shifts: are strikes and sites independent, whatever the clustering of either?"""

from __future__ import annotations

import numpy as np

from ..inference import TestResult, monte_carlo_p
from ..null import Draws, RandomShiftNull, Rng, seed_sequence, variance_corrected
from ..pattern import InputError, PointPattern, Sites
from .decay import Decay


def random_shift_test(points: PointPattern, sites: Sites, decay: Decay, *, radius: float, n_simulations: int, rng: Rng) -> TestResult:
    """Test whether strikes are nearer to sites than the same pattern of strikes, shifted.

    Answers: do strikes keep to the sites, beyond their own clustering? It asks that strikes (or sites) be stationary: where both favour
    the centre of a city a shift takes the strikes out of it, and the test finds the centre.

    Parameters
    ----------
    points : PointPattern
    sites : Sites
    decay : Decay
    radius : float
        Shifts are uniform in a disc of this radius; it should be longer than the range of the clustering and shorter than the window.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Notes
    -----
    T = mean of g(d_i) over the strikes still in the window, standardised by √n_k (T_k − T̄): fewer strikes make a mean vary more (Mrkvička
    et al. 2021, see ``analysis.null.moved``). Cost: n_simulations × n.

    Raises
    ------
    InputError
        For fewer than 19 simulations, a radius that is not positive, or shifts that leave no strike in the window.
    """
    if n_simulations < 19:
        raise InputError("must be at least 19", column="n_simulations", value=n_simulations)
    null, seed = RandomShiftNull(points, radius), seed_sequence(rng)
    observed, draws = Draws.observed(points), null.draw(seed, 0, n_simulations)
    mean, count = np.zeros(n_simulations + 1), np.zeros(n_simulations + 1)
    for part, rows in ((observed, slice(0, 1)), (draws, slice(1, None))):
        weight = decay(sites.distance(part.easting, part.northing))
        count[rows] = part.sums(np.ones(len(weight)))
        mean[rows] = part.sums(weight) / np.maximum(count[rows], 1)
    score = variance_corrected(mean, count)
    p = monte_carlo_p(float(score[0]), score[1:], "greater")
    name = f"mean {decay.name}"
    return TestResult(name, float(score[0]), p, "closer", null.name, points.n, n_simulations, str(seed.entropy), score[1:])
