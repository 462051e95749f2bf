"""Global envelopes: one band and one p-value for a whole curve.

References
----------
Myllymäki, M., Mrkvička, T., Grabarnik, P., Seijo, H. & Hahn, U. (2017). Global envelope tests for spatial processes.
Journal of the Royal Statistical Society B 79, 381-404.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from ..pattern import InputError

Array = NDArray[np.float64]


def extreme_rank_lengths(curves: Array, alternative: str) -> Array:
    """Order curves by extreme rank length: 1/S for the most extreme of S curves, 1 for the least.

    Each curve's pointwise ranks (1 the most extreme) are sorted and compared in dictionary order. Cost: S r log(S r).
    """
    if alternative == "greater":
        ranks = rankdata(-curves, axis=0)
    elif alternative == "less":
        ranks = rankdata(curves, axis=0)
    elif alternative == "two-sided":
        ranks = np.minimum(rankdata(curves, axis=0), rankdata(-curves, axis=0))
    else:
        raise InputError("must be greater, less or two-sided", column="alternative", value=alternative)
    ranks = np.sort(ranks, axis=1)
    order = np.lexsort(ranks.T[::-1])
    new = np.r_[True, (np.diff(ranks[order], axis=0) != 0).any(axis=1)]
    # tied curves share the largest place, so that the share of curves at least as extreme is read off directly
    last = np.r_[np.flatnonzero(new)[1:], len(curves)]
    places = np.empty(len(curves))
    places[order] = np.repeat(last, np.diff(np.r_[np.flatnonzero(new), len(curves)]))
    return places / len(curves)


def erl_envelope(observed: Array, simulated: Array, *, alternative: str = "two-sided", level: float = 0.95) -> tuple[float, Array, Array]:
    """Test a curve by extreme rank length and give the band that goes with the test.

    Parameters
    ----------
    observed : (r,) array
    simulated : (B, r) array
    alternative : {"greater", "less", "two-sided"}
    level : float
        The observed curve lies in the band at every r exactly when p > 1 − level (ties on the band aside).

    Returns
    -------
    p_value, lower, upper
        The band is the hull of the curves whose share of at least as extreme curves exceeds 1 − level; an open side is infinite.
    """
    curves = np.vstack([observed, simulated])
    if not np.isfinite(curves).all():
        raise InputError("curves must be finite")
    measure = extreme_rank_lengths(curves, alternative)
    kept = curves[measure > 1 - level]
    lower, upper = kept.min(axis=0), kept.max(axis=0)
    if alternative == "greater":
        lower = np.full_like(lower, -np.inf)
    if alternative == "less":
        upper = np.full_like(upper, np.inf)
    return float(measure[0]), lower, upper
