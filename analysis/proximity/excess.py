"""The excess ratio: how many times denser strikes are near sites than the baseline, by inverting the score test."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from ..baseline import window_means
from ..inference import simulate, to_json
from ..inference.monte_carlo import CHUNK_POINTS
from ..null import BinomialNull, Draws, Rng, seed_sequence
from ..pattern import PointPattern, refuse_few
from .score import LinearScore

Array = NDArray[np.float64]
SMALLEST, LARGEST = 0.02, 50.0  # ratios beyond these are reported as 0 and infinity


@dataclass(frozen=True, eq=False)
class ExcessResult:
    """Hold the excess ratio within a radius of the sites.

    Attributes
    ----------
    radius : float
    ratio : float
        The ratio at which the observed score is the median of its draws.
    interval : (float, float)
        The ratios that a two-sided test at 1 − ``level`` does not reject; 0 or inf where none is small or large enough.
    level : float
    detectable : float
        The smallest ratio that the one-sided test at ``test_level`` would find with probability ``power``.
    power, test_level : float
    n_simulations : int
    """

    radius: float
    ratio: float
    interval: tuple[float, float]
    level: float
    detectable: float
    power: float
    test_level: float
    n_simulations: int

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"Within {self.radius:g} of a site strikes are {self.ratio:.3g} times as dense as the baseline "
            f"({self.level:.0%} interval {low:.3g} to {high:.3g}); an excess of {self.detectable:.3g} would have been found "
            f"with probability {self.power:g}."
        )


def tilted(null: BinomialNull, near: Array, absorbed: Array, ratio: float) -> BinomialNull:
    """Raise the null's intensity ``ratio``-fold where ``near`` is 1, such that its smoothed version stays what was estimated.

    λ̂ is a smooth of λ0·(1 + (ratio − 1)·near): dividing it by the smoothed factor gives back, as far as λ0 is flat over a bandwidth, the
    λ0 to which the excess is added. ``absorbed`` is ``near`` smoothed with the baseline's bandwidth; both are (rows, columns).
    """
    intensity = null.intensity.times((1 + (ratio - 1) * near) / (1 + (ratio - 1) * absorbed))
    return BinomialNull(intensity, null.n, null.stratum, null.cell_stratum)


def excess_ratio(
    points: PointPattern,
    score: LinearScore,
    null: BinomialNull,
    near: Array,
    radius: float,
    bandwidth: float,
    *,
    n_simulations: int,
    rng: Rng,
    level: float = 0.95,
    test_level: float = 0.05,
    power: float = 0.8,
) -> ExcessResult:
    """Estimate the excess ratio and its interval by test inversion, and the smallest excess that could have been seen.

    Answers: how many times denser than the baseline are strikes within the radius? A plain observed/expected ratio is pulled to 1,
    because the baseline was estimated from the same strikes; here the baseline is refitted in the draws at each ratio tried.

    Parameters
    ----------
    points : PointPattern
    score : LinearScore
        The statistic of the primary test.
    null : BinomialNull
        Its null.
    near : (rows, columns) array
        1 within ``radius`` of a site, 0 elsewhere, fractions on the rim.
    radius, bandwidth : float
        The bandwidth is that of the baseline.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.
    level, test_level, power : float
        As in :class:`ExcessResult`.

    Returns
    -------
    ExcessResult

    Notes
    -----
    The same uniform numbers serve every ratio tried, so the tail probabilities move smoothly with it. Cost: about forty runs of
    n_simulations draws. The interval takes the shape of the excess (a disc) and the bandwidth as given.

    Raises
    ------
    InputError
        For fewer than 199 simulations.
    """
    refuse_few(n_simulations, 199)
    seed = seed_sequence(rng)
    observed = float(score(Draws.observed(points))[0])
    (absorbed,) = window_means(near, null.intensity.grid, [bandwidth])
    uniforms = null.uniforms(seed, 0, n_simulations) if n_simulations * null.n <= CHUNK_POINTS else None

    @cache
    def draws(log_ratio: float) -> Array:
        at = tilted(null, near, absorbed, float(np.exp(log_ratio)))
        # the chance is the same at every ratio: kept where it fits, drawn anew where it does not
        return simulate(score, at, n_simulations=n_simulations, rng=seed) if uniforms is None else score(at.place(uniforms))

    def share_above(log_ratio: float, threshold: float) -> float:
        return float((draws(log_ratio) >= threshold).mean())

    def solve(threshold: float, probability: float) -> float:
        low, high = np.log(SMALLEST), np.log(LARGEST)
        if share_above(low, threshold) >= probability:
            return 0.0
        if share_above(high, threshold) < probability:
            return float("inf")
        return float(np.exp(brentq(lambda t: share_above(t, threshold) - probability, low, high, xtol=0.005)))

    tail = (1 - level) / 2
    critical = float(np.quantile(draws(0.0), 1 - test_level))
    interval = solve(observed, tail), solve(observed, 1 - tail)
    return ExcessResult(radius, solve(observed, 0.5), interval, level, solve(critical, power), power, test_level, n_simulations)
