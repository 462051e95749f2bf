"""Nearness under random shifts: are strikes and sites independent, whatever the clustering of either?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..inference import TestResult, monte_carlo_p, simulate
from ..null import Draws, RandomShiftNull, Rng, seed_sequence, variance_corrected
from ..pattern import InputError, PointPattern, Sites, refuse_few
from .decay import Decay

Array = NDArray[np.float64]


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

    Returns
    -------
    TestResult

    Notes
    -----
    T = mean of g(d_i) over the strikes still in the window, standardised by √n_k (T_k − T̄): fewer strikes make a mean vary more (Mrkvička
    et al. 2021, see ``analysis.null.moved``). Cost: n_simulations × n.

    Raises
    ------
    InputError
        For no strikes, no sites, fewer than 19 simulations, or a radius that is not positive.
    """
    refuse_few(n_simulations)
    if points.n == 0:
        raise InputError("there are no strikes")
    null, seed = RandomShiftNull(points, radius), seed_sequence(rng)

    def mean_and_count(draws: Draws) -> Array:
        count = draws.sums(np.ones(len(draws.mark)))
        mean = draws.sums(decay(sites.distance(draws.easting, draws.northing))) / np.maximum(count, 1)
        return np.column_stack([mean, count])

    drawn = simulate(mean_and_count, null, n_simulations=n_simulations, rng=seed)
    score = variance_corrected(*np.vstack([mean_and_count(Draws.observed(points)), drawn]).T)
    own, simulated = float(score[0]), score[1:]
    p = monte_carlo_p(own, simulated, "greater")
    return TestResult(f"mean {decay.name}", own, p, "closer", null.name, points.n, n_simulations, str(seed.entropy), simulated)
