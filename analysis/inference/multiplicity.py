"""Multiplicity: p-values that pay for having looked more than once.

References
----------
Westfall, P. H. & Young, S. S. (1993). Resampling-Based Multiple Testing. Wiley.
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6, 65-70.
Benjamini, Y. & Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal Statistical Society B 57, 289-300.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import false_discovery_control, rankdata

from ..pattern import InputError

Array = NDArray[np.float64]


def max_t(observed: ArrayLike, simulated: ArrayLike) -> Array:
    """Adjust by the largest statistic of each draw (single-step Westfall–Young): p_j = (1 + #{max_b ≥ T_j}) / (1 + B).

    Parameters
    ----------
    observed : (k,) array
    simulated : (B, k) array
        Draws in which all k statistics come from one simulated pattern. Statistics must be on one scale.

    Returns
    -------
    (k,) array
        In (0, 1].

    Raises
    ------
    InputError
        For a statistic that is not finite.
    """
    rows = _rows(observed, simulated)
    top = np.sort(rows[1:].max(axis=1))
    reached = len(top) - np.searchsorted(top, rows[0], side="left")
    return (1 + reached) / (1 + len(top))


def holm(p: ArrayLike) -> Array:
    """Adjust (k,) p-values by Holm's step-down method: valid under any dependence."""
    values = np.asarray(p, float)  # by hand: statsmodels' multipletests collects garbage at every call, some 30 ms
    order = np.argsort(values, kind="stable")
    result = np.empty(len(values))
    result[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1.0)
    return result


def benjamini_hochberg(p: ArrayLike) -> Array:
    """Adjust (k,) p-values to control the expected share of false finds among finds; asks for independence or positive dependence."""
    return np.asarray(false_discovery_control(p))


def pooled_p(observed: ArrayLike, simulated: ArrayLike) -> tuple[Array, Array]:
    """Give one-sided Monte Carlo p-values, statistic by statistic, of the data (k,) and of every draw (B, k).

    Data and draws are ranked together, so under the null the rows are exchangeable and −p may go into :func:`max_t`: that is the min-p
    method, right for skewed counts of unlike size. With k statistics no adjusted p falls much below k / (1 + B). Ties count as extreme.
    A statistic that is not finite is an InputError.
    """
    rows = _rows(observed, simulated)
    p = rankdata(-rows, method="max", axis=0) / len(rows)
    return p[0], p[1:]


def standardised(observed: ArrayLike, simulated: ArrayLike) -> tuple[Array, Array]:
    """Put statistics on one scale for :func:`max_t`: less their mean, over their standard deviation, of data and draws together.

    The data are part of both, so that under the null the rows stay exchangeable. A statistic that never varies becomes zero; one that is
    not finite is an InputError.
    """
    rows = _rows(observed, simulated)
    spread = rows.std(axis=0)
    z = np.divide(rows - rows.mean(axis=0), spread, out=np.zeros_like(rows), where=spread > 0)
    return z[0], z[1:]


def _rows(observed: ArrayLike, simulated: ArrayLike) -> Array:
    """Stack the data on the draws: (B + 1, k)."""
    rows = np.vstack([np.asarray(observed, float), np.asarray(simulated, float)])
    if not np.isfinite(rows).all():
        raise InputError("the statistic must be a finite number in the data and in every draw")
    return rows
