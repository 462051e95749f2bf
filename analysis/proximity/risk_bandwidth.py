"""Bandwidths for the relative-risk surface, one for cases and controls together.

References
----------
Terrell, G. R. (1990). The maximal smoothing principle in density estimation. JASA 85, 470-477.
Kelsall, J. E. & Diggle, P. J. (1995). Kernel estimation of relative risk. Bernoulli 1, 3-16.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import gamma

from ..baseline import Kernel, kernel_intensity
from ..pattern import Grid, InputError, Intensity, PointPattern

Array = NDArray[np.float64]
Method = Literal["oversmoothing", "likelihood", "least-squares"]


def risk_bandwidth(cases: PointPattern, controls: PointPattern, *, method: Method = "oversmoothing") -> float:
    """Choose the common fixed bandwidth of a relative-risk surface.

    Parameters
    ----------
    cases, controls : PointPattern
        In one window.
    method : {"oversmoothing", "likelihood", "least-squares"}
        Terrell's largest sensible bandwidth for the pooled points at n = √(n₁ n₀); the one that best predicts each point from the others of
        its kind, Σ log f̂₋ᵢ(xᵢ) over both samples; or Kelsall and Diggle's least-squares criterion for the log ratio.

    Notes
    -----
    The cross-validated ones are sought between a tenth and twice the oversmoothing bandwidth, from the best of 16 on a log scale, to 0.1 %.
    The least-squares criterion is noisy: look at the surface along the bandwidth. Cost: each trial sums all pairs within eight bandwidths.

    Raises
    ------
    InputError
        For fewer than two cases or controls, points without spread (all at one place), an unknown method, or a criterion that exists
        nowhere.
    """
    for name, points in (("cases", cases), ("controls", controls)):
        if points.n < 2:
            raise InputError(f"a bandwidth needs at least two {name}", value=points.n)
    largest = _oversmoothing(cases, controls)
    if method == "oversmoothing":
        return largest
    grid = cases.window.grid(shape=(64, 64))
    criteria: dict[str, Callable[[float], float]] = {
        "likelihood": lambda h: -sum(likelihood_criterion(points, h, grid) * points.n for points in (cases, controls)),
        "least-squares": lambda h: least_squares_criterion(cases, controls, h, grid),
    }
    if method not in criteria:
        raise InputError("must be oversmoothing, likelihood or least-squares", column="method", value=method)
    tried = np.log(largest) + np.linspace(np.log(0.1), np.log(2), 16)
    values = np.array([criteria[method](float(np.exp(t))) for t in tried])
    if not np.isfinite(values).any():
        raise InputError("some points stand too far from all others of their kind for cross-validation", column="method", value=method)
    k = int(np.where(np.isfinite(values), values, np.inf).argmin())
    bounds = float(tried[max(k - 1, 0)]), float(tried[min(k + 1, 15)])
    found = minimize_scalar(lambda t: criteria[method](float(np.exp(t))), bounds=bounds, method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x if found.fun <= values[k] else tried[k]))


def _oversmoothing(cases: PointPattern, controls: PointPattern) -> float:
    axes = [np.r_[getattr(cases, name), getattr(controls, name)] for name in ("easting", "northing")]
    quartiles = [np.subtract(*np.quantile(a, [0.75, 0.25])) / 1.34 for a in axes]
    spread = min(np.mean([a.std(ddof=1) for a in axes]), np.mean(quartiles))
    if not spread > 0:
        raise InputError("the points have no spread: over half of them stand at one place")
    n, constant = np.sqrt(cases.n * controls.n), 16 * gamma(5) * 8 / (10**4 * np.pi)
    return float(spread * (2 / (4 * np.pi) / (n * constant)) ** (1 / 6))


def _densities(points: PointPattern, bandwidth: float, grid: Grid) -> tuple[Array, Intensity]:
    """Give the density at each point from the others, and on the cells."""
    fitted = Kernel(grid, bandwidth, "uniform").fit(points.easting, points.northing)
    others = kernel_intensity(points, bandwidth, shape=grid.shape, at="points")
    assert isinstance(others, np.ndarray)
    return others / fitted.total, fitted.times(1 / fitted.total)


def likelihood_criterion(points: PointPattern, bandwidth: float, grid: Grid) -> float:
    """Give the mean of log f̂₋ᵢ(xᵢ); minus infinity if a point has no other within reach."""
    others, _ = _densities(points, bandwidth, grid)
    return float(np.log(others).mean()) if (others > 0).all() else -np.inf


def least_squares_criterion(cases: PointPattern, controls: PointPattern, bandwidth: float, grid: Grid) -> float:
    """Estimate ∫ (ρ̂ − ρ)² up to a constant: 2 mean(ρ̂₋ⱼ/ĝ₋ⱼ at controls) − 2 mean(ρ̂₋ᵢ/f̂₋ᵢ at cases) − ∫ ρ̂², ρ = log f/g."""
    f_others, f = _densities(cases, bandwidth, grid)
    g_others, g = _densities(controls, bandwidth, grid)
    f_at = grid.interpolate(f.values, controls.easting, controls.northing)
    g_at = grid.interpolate(g.values, cases.easting, cases.northing)
    inside = grid.inside
    if not all((a > 0).all() for a in (f_others, g_others, f_at, g_at, f.values[inside], g.values[inside])):
        return np.inf
    at_controls = (np.log(f_at / g_others) / g_others).mean()
    at_cases = (np.log(f_others / g_at) / f_others).mean()
    square = np.zeros(grid.shape)
    square[inside] = np.log(f.values[inside] / g.values[inside]) ** 2
    return float(2 * at_controls - 2 * at_cases - grid.integral(square))
