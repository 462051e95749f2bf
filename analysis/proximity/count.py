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
from scipy.stats import gamma

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
        If ``expected`` is not positive, ``level`` not between 0 and 1, or a distance negative or not a number.

    Examples
    --------
    >>> count_within([1, 2, 3, 9], 5, 1.5).observed
    3.0
    """
    d = np.asarray(distance, float)
    if np.isnan(d).any() or (d < 0).any():
        raise InputError("distances must be numbers, not negative", column="distance")
    return weighted_count(np.ones((d <= radius).sum()), radius, expected, largest_weight=1.0, level=level)


def weighted_count(contributions: ArrayLike, radius: float, expected: float, *, largest_weight: float, level: float = 0.95) -> CountResult:
    """Compare a weighted, location-aware count with the expected number.

    Answers what :func:`count_within` answers, on the same assumptions, where strikes stand for others or their places are uncertain.

    Parameters
    ----------
    contributions : (n,) array
        Weight × probability that the strike lies within the radius.
    radius : float
    expected : float
        Λ0 of the union of discs.
    largest_weight : float
        What one more strike could add: it sets the upper limit when few strikes are near.
    level : float

    Returns
    -------
    CountResult
        The p-value inverts the interval's two gamma limits, so that p < 1 − level exactly when the interval leaves out 1.

    Notes
    -----
    Fay and Feuer's gamma interval for a weighted sum of Poisson counts; with unit weights it is Garwood's.

    Raises
    ------
    InputError
        If ``expected`` or ``largest_weight`` is not positive, ``level`` not between 0 and 1, or a contribution not finite.
    """
    for name, value in (("expected", expected), ("largest_weight", largest_weight)):
        if not (np.isfinite(value) and value > 0):
            raise InputError("must be a number above zero", column=name, value=value)
    if not 0 < level < 1:
        raise InputError("must lie between 0 and 1", column="level", value=level)
    w = np.maximum(np.asarray(contributions, float), 0.0)  # shares smoothed by FFT carry dust below zero
    if not np.isfinite(w).all():
        raise InputError("must be finite numbers", column="contributions")
    total, variance = float(w.sum()), float((w**2).sum())
    tail, low, above = (1 - level) / 2, 0.0, 1.0
    if total > 0:
        shape, scale = total**2 / variance, variance / total
        low, above = float(gamma.ppf(tail, shape, scale=scale)), float(gamma.cdf(expected, shape, scale=scale))
    more, spread = total + largest_weight, variance + largest_weight**2
    shape, scale = more**2 / spread, spread / more
    high, below = float(gamma.ppf(1 - tail, shape, scale=scale)), float(gamma.sf(expected, shape, scale=scale))
    p = max(min(1.0, 2 * above, 2 * below), float(np.finfo(float).tiny))
    return CountResult(radius, total, expected, total / expected, (low / expected, high / expected), level, p)
