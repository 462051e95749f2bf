"""Observed against expected strikes within a distance.

References
----------
Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442.
Fay, M. P. & Feuer, E. J. (1997). Confidence intervals for directly standardized rates: a method based on the gamma distribution.
Statistics in Medicine 16, 791-801.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import gamma, poisson

from ..inference import CountResult
from ..pattern import InputError


def count_within(distance: ArrayLike, radius: float, expected: float, *, level: float = 0.95) -> CountResult:
    """Count strikes within a radius of a site and compare with the number the baseline expects.

    Answers: how many times the expected number fell this near, if the baseline were known and strikes independent? Both are assumed:
    with an estimated baseline or salvos the interval is too short.

    Parameters
    ----------
    distance : (n,) array
        From each strike to its nearest site; a strike at exactly the radius counts.
    radius : float
    expected : float
        Λ0 of the union of discs.
    level : float

    Returns
    -------
    CountResult
        With Garwood's exact interval, and twice the smaller Poisson tail as p.

    Raises
    ------
    InputError
        If ``expected`` is not positive or a distance is negative or not a number.

    Examples
    --------
    >>> count_within([1, 2, 3, 9], 5, 1.5).observed
    3.0
    """
    d = np.asarray(distance, float)
    if np.isnan(d).any() or (d < 0).any():
        raise InputError("distances must be numbers, not negative", column="distance")
    return _poisson_ratio(float((d <= radius).sum()), radius, expected, level)


def _poisson_ratio(observed: float, radius: float, expected: float, level: float) -> CountResult:
    _check(expected, level)
    tail = (1 - level) / 2
    low = gamma.ppf(tail, observed) if observed > 0 else 0.0
    high = gamma.ppf(1 - tail, observed + 1)
    p = min(1.0, 2 * min(poisson.cdf(observed, expected), poisson.sf(observed - 1, expected)))
    p = max(float(p), float(np.finfo(float).tiny))
    interval = (float(low / expected), float(high / expected))
    return CountResult(radius, observed, expected, observed / expected, interval, level, p)


def weighted_count(contributions: ArrayLike, radius: float, expected: float, *, largest_weight: float, level: float = 0.95) -> CountResult:
    """Compare a weighted, location-aware count with the expected number.

    Parameters
    ----------
    contributions : (n,) array
        Weight × probability that the strike lies within the radius.
    largest_weight : float
        What one more strike could add: it sets the upper limit when few strikes are near.

    Notes
    -----
    Fay and Feuer's gamma interval for a weighted sum of Poisson counts; with unit weights it is Garwood's.
    """
    w = np.asarray(contributions, float)
    w = w[w > 0]
    if len(w) and (w == 1).all() and largest_weight == 1:
        return _poisson_ratio(float(len(w)), radius, expected, level)
    _check(expected, level)
    total, variance, tail = float(w.sum()), float((w**2).sum()), (1 - level) / 2

    def lower(at: float) -> float:
        return float(gamma.ppf(at, total**2 / variance, scale=variance / total)) if total > 0 else 0.0

    more, spread = total + largest_weight, variance + largest_weight**2
    shape, scale = more**2 / spread, spread / more
    interval = (lower(tail) / expected, float(gamma.ppf(1 - tail, shape, scale=scale)) / expected)
    # the p-value inverts the same two gamma limits, so that p < 1 − level exactly when the interval leaves out 1
    above = float(gamma.cdf(expected, total**2 / variance, scale=variance / total)) if total > 0 else 1.0
    below = float(gamma.sf(expected, shape, scale=scale))
    p = max(min(1.0, 2 * min(above, below)), float(np.finfo(float).tiny))
    return CountResult(radius, total, expected, total / expected, interval, level, p)


def _check(expected: float, level: float) -> None:
    if not (np.isfinite(expected) and expected > 0):
        raise InputError("the expected number must be above zero", column="expected", value=expected)
    if not 0 < level < 1:
        raise InputError("must lie between 0 and 1", column="level", value=level)
