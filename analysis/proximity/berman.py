"""Berman's tests and CDF tests of a covariate, such as the distance to the nearest site.

References
----------
Berman, M. (1986). Testing for spatial association between a point process and another stochastic process. Applied Statistics 35, 54-62.
Baddeley, A., Turner, R., Møller, J. & Hazelton, M. (2005). Residual analysis for spatial point processes. JRSS B 67, 617-666.
Marsaglia, G. & Marsaglia, J. (2004). Evaluating the Anderson–Darling distribution. Journal of Statistical Software 9(2).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import cramervonmises, kstest, norm

from ..inference import TestResult
from ..pattern import InputError

Array = NDArray[np.float64]


def checked(z_events: ArrayLike, z_cells: ArrayLike, expected: ArrayLike) -> tuple[Array, Array, Array]:
    """Check the covariate at strikes and cells and the expected strikes, and give them flat."""
    events = np.asarray(z_events, float).ravel()
    cells, mass = np.broadcast_arrays(np.asarray(z_cells, float), np.asarray(expected, float))
    cells, mass = cells.ravel(), mass.ravel()
    if len(events) == 0:
        raise InputError("there are no strikes")
    for name, values in (("z_events", events), ("z_cells", cells), ("expected", mass)):
        if not np.isfinite(values).all():
            raise InputError("must be finite numbers", column=name)
    if (mass < 0).any() or not mass.sum() > 0:
        raise InputError("must not be negative and must have a sum above zero", column="expected")
    return events, cells, mass


def null_cdf(z_events: Array, z_cells: Array, expected: Array) -> Array:
    """Give F0(Z): the baseline's share of cells with a covariate at or below each value, linear between distinct values."""
    values, index = np.unique(z_cells, return_inverse=True)
    share = np.cumsum(np.bincount(index, expected)) / expected.sum()
    return np.interp(z_events, values, share, left=0.0, right=1.0)


def berman_test(
    z_events: ArrayLike,
    z_cells: ArrayLike,
    expected: ArrayLike,
    *,
    kind: Literal["Z1", "Z2"] = "Z1",
    alternative: str = "two-sided",
) -> TestResult:
    """Test whether strikes lie at smaller or larger covariate values than the baseline predicts.

    Answers: is the mean distance (Z1), or the mean rank of distance (Z2), other than expected? Z1 is linear in distance and has almost no
    power against an excess near sites: never report it alone.

    Parameters
    ----------
    z_events : (n,) array
        Covariate at the strikes.
    z_cells, expected : arrays of one shape
        Covariate and expected strikes (λ0 × cell area) in each cell of the window.
    kind : {"Z1", "Z2"}
    alternative : {"closer", "farther", "two-sided"}
        Closer means smaller covariate values.

    Returns
    -------
    TestResult

    Notes
    -----
    Z1 = (Σ Z(x_i) − ∫ λ0 Z) / sqrt(∫ λ0 Z²). Z2 = sqrt(12/n) (Σ U_i − n/2) with U_i = F0(Z(x_i)). Normal p-values; the baseline is taken
    as known.

    Raises
    ------
    InputError
        For no strikes, values that are not finite, a baseline that is negative or without mass, an unknown kind or alternative, or a
        covariate that is zero everywhere (Z1).
    """
    events, cells, mass = checked(z_events, z_cells, expected)
    n = len(events)
    if kind == "Z1":
        variance = float((mass * cells**2).sum())
        if variance == 0:
            raise InputError("the covariate is zero everywhere", column="z_cells")
        statistic = float((events.sum() - (mass * cells).sum()) / np.sqrt(variance))
    elif kind == "Z2":
        statistic = float(np.sqrt(12 / n) * (null_cdf(events, cells, mass).sum() - n / 2))
    else:
        raise InputError("must be Z1 or Z2", column="kind", value=kind)
    p = {"closer": norm.cdf(statistic), "farther": norm.sf(statistic), "two-sided": 2 * norm.sf(abs(statistic))}
    if alternative not in p:
        raise InputError("must be closer, farther or two-sided", column="alternative", value=alternative)
    return TestResult(f"Berman {kind}", statistic, max(float(p[alternative]), np.finfo(float).tiny), alternative, "Poisson, known", n)


def cdf_test(z_events: ArrayLike, z_cells: ArrayLike, expected: ArrayLike, *, kind: Literal["ks", "cvm", "ad"] = "ks") -> TestResult:
    """Test whether the covariate at the strikes is distributed as the baseline predicts, against any difference.

    Answers: do distances follow the baseline? A no may be an excess near sites, a lack of strikes there, or a wrong baseline.

    Parameters
    ----------
    z_events, z_cells, expected
        As in :func:`berman_test`.
    kind : {"ks", "cvm", "ad"}
        Kolmogorov–Smirnov, Cramér–von Mises, or Anderson–Darling of U_i = F0(Z(x_i)) against uniform.

    Returns
    -------
    TestResult

    Notes
    -----
    For Anderson–Darling U_i are kept 1/2N off 0 and 1, N the number of cells, so that it stays finite; its p-value is that of Marsaglia &
    Marsaglia (2004) for large n. The baseline is taken as known.

    Raises
    ------
    InputError
        As :func:`berman_test`, for an unknown kind, or for a single strike, which has no distribution.
    """
    events, cells, mass = checked(z_events, z_cells, expected)
    u, n = null_cdf(events, cells, mass), len(events)
    if n < 2:
        raise InputError("a CDF test needs two strikes at least", value=n)
    if kind in ("ks", "cvm"):
        result = (kstest if kind == "ks" else cramervonmises)(u, "uniform")
        statistic, p = float(result.statistic), float(result.pvalue)
    elif kind == "ad":
        floor = 0.5 / len(cells)
        s = np.sort(np.clip(u, floor, 1 - floor))
        odd = 2 * np.arange(1, n + 1) - 1
        statistic = float(-n - (odd * (np.log(s) + np.log1p(-s[::-1]))).sum() / n)
        p = 1 - _anderson_darling_cdf(statistic)
    else:
        raise InputError("must be ks, cvm or ad", column="kind", value=kind)
    p = min(max(p, np.finfo(float).tiny), 1.0)
    return TestResult(f"CDF test ({kind})", statistic, p, "two-sided", "Poisson, known", n)


def _anderson_darling_cdf(z: float) -> float:
    if z <= 0:
        return 0.0
    if z < 2:
        tail = np.polyval([0.00168691, -0.0116720, 0.0347962, -0.0649821, 0.247105, 2.00012], z)
        return float(np.exp(-1.2337141 / z) / np.sqrt(z) * tail)
    return float(np.exp(-np.exp(np.polyval([-0.0003146, 0.008056, -0.082433, 0.43424, -2.30695, 1.0776], z))))
