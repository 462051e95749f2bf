"""Bandwidth selectors: four rules that differ by large factors on one data set, which is why results are shown along the bandwidth.

References
----------
Berman, M. & Diggle, P. J. (1989). Estimating weighted integrals of the second-order intensity of a spatial point process. Journal of
the Royal Statistical Society B 51, 81-92. Loader, C. (1999). Local Regression and Likelihood. Springer, section 5.3. Cronie, O. & van
Lieshout, M. N. M. (2018). A non-model-based approach to bandwidth selection for kernel estimators of spatial intensity functions.
Biometrika 105, 455-462. Scott, D. W. (1992). Multivariate Density Estimation. Wiley, section 6.3.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq, minimize_scalar
from scipy.spatial import cKDTree
from scipy.stats import gmean

from ..pattern import AnalysisWarning, Grid, InputError, PointPattern, circle_share, near_pairs, window_overlap
from .gaussian_sums import gaussian_sums
from .smoothing import smooth

Array = NDArray[np.float64]
Criterion = Callable[[float], float]
EDGE_CELLS = 128  # cells along each side for e(u)
ISOTROPIC_MAX = 1000  # points below which K takes Ripley's correction, as in spatstat; beyond, translation
FINE = 3e-4  # relative step of the distances at which Diggle's criterion is compared


def select_bandwidth(points: PointPattern, *, method: Literal["diggle", "likelihood", "cvl", "scott"]) -> float:
    """Choose the bandwidth of a kernel intensity.

    Answers: which scale does this rule pick? Not: which scale is right for a test. A rule that estimates intensity well may absorb the
    excess a test looks for, or leave room for one that is not there.

    Parameters
    ----------
    points : PointPattern
    method : {"diggle", "likelihood", "cvl", "scott"}
        Least mean square error of the intensity under a stationary Cox process, from K (Berman & Diggle); likelihood cross-validation;
        Cronie & van Lieshout's sum of reciprocal intensities; or Scott's rule in its isotropic form, the geometric mean of the standard
        deviations of easting and northing times n^(−1/6).

    Returns
    -------
    float
        Standard deviation of the Gaussian kernel on each axis, in the window's unit.

    Raises
    ------
    InputError
        For an unknown method, fewer than 3 distinct places, points that share one easting or one northing (Scott's), or no pair as near as
        the criterion looks (Diggle's).

    Warns
    -----
    AnalysisWarning
        If the optimum stands at the end of the range searched.

    Notes
    -----
    Likelihood: Σ log λ̂₋ᵢ(xᵢ) − ∫_W λ̂, uniform edge correction, e(u) on 128² cells that count for the share of them in the window (on 512²
    the choice moves by about 1 %). Cronie–van Lieshout: Σ 1/λ̂(xᵢ) = |W| with no edge correction and xᵢ in its own estimate. Both search
    from the least distance of two places to half the window's diameter: a coarse scan, then refinement to 1e-3 about its best place.
    Diggle's: M(h) = (1/λ − 2K(h))/πh² + ∫γ_h dK/(πh²)², γ_h(s) the overlap of two discs of radius h; the bandwidth is h/2. K is a step
    function, so M is compared at every relative step of 3e-4, up to half of min(short side/4, √(1000/πλ)). K takes Ripley's correction
    below 1,000 points as in spatstat, and translation from there on.

    Cost: about 30 evaluations, each linear in n beyond 400 points; Diggle's visits pairs nearer than √(1000/πλ), 500 n of them at most
    for a flat pattern.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> from analysis.pattern import Window
    >>> square = PointPattern([1, 1, 3, 3], [1, 3, 1, 3], Window(box(0, 0, 4, 4)))
    >>> round(select_bandwidth(square, method="scott"), 4)
    0.9165
    """
    if method not in ("diggle", "likelihood", "cvl", "scott"):
        raise InputError("must be diggle, likelihood, cvl or scott", column="method", value=method)
    xy = np.column_stack([points.easting, points.northing])
    places = np.unique(xy, axis=0)
    if len(places) < 3:
        raise InputError("a bandwidth needs points at three places at least", value=points.n)
    if method == "scott":
        if np.ptp(xy, axis=0).min() == 0:
            raise InputError("Scott's rule needs points that differ in easting and in northing")
        return float(gmean(xy.std(axis=0, ddof=1)) * points.n ** (-1 / 6))
    if method == "diggle":
        return _diggle(points)
    nearest = cKDTree(places).query(places, k=2)[0][:, 1]
    west, south, east, north = points.window.bounds
    scan = np.geomspace(nearest.min(), np.hypot(east - west, north - south) / 2, 16)
    if method == "cvl":
        return _crossing(cvl_criterion(points), scan)
    return _least(likelihood_criterion(points), scan)


def likelihood_criterion(points: PointPattern) -> Criterion:
    """Give −(Σ log λ̂₋ᵢ(xᵢ) − ∫_W λ̂) as a function of the bandwidth."""
    xy = np.column_stack([points.easting, points.northing])
    ones = np.ones(len(xy))
    nearest = cKDTree(xy).query(xy, k=2)[0][:, 1]
    grid, share = _window_share(points)

    def criterion(bandwidth: float) -> float:
        mass = np.maximum(smooth(share, grid, bandwidth), np.finfo(float).eps)
        edge = grid.interpolate(mass, points.easting, points.northing)
        total = gaussian_sums(xy, ones, bandwidth)
        # beyond the reach of the sums the nearest point alone stands for them
        safe = np.where(total > 0, np.log(np.where(total > 0, total, 1.0)), -0.5 * (nearest / bandwidth) ** 2)
        log_intensity = safe - np.log(2 * np.pi * bandwidth**2) - np.log(edge)
        integral = grid.interpolate(smooth(share / mass, grid, bandwidth), points.easting, points.northing).sum()
        return float(integral - log_intensity.sum())

    return criterion


def _window_share(points: PointPattern) -> tuple[Grid, Array]:
    """Give cells and the share of each that lies in the window, from 4 × 4 parts of the cell."""
    fine = points.window.grid(shape=(4 * EDGE_CELLS, 4 * EDGE_CELLS))
    share = fine.inside.reshape(EDGE_CELLS, 4, EDGE_CELLS, 4).mean(axis=(1, 3))
    return Grid(fine.west, fine.south, 4 * fine.dx, 4 * fine.dy, share > 0), share


def cvl_criterion(points: PointPattern) -> Criterion:
    """Give Σ 1/λ̂(xᵢ) − |W| as a function of the bandwidth."""
    xy, ones = np.column_stack([points.easting, points.northing]), np.ones(points.n)

    def criterion(bandwidth: float) -> float:
        intensity = (gaussian_sums(xy, ones, bandwidth) + 1) / (2 * np.pi * bandwidth**2)
        return float((1 / intensity).sum() - points.window.area)

    return criterion


def _least(criterion: Criterion, scan: Array) -> float:
    values = np.array([criterion(float(h)) for h in scan])
    best = int(values.argmin())
    if best in (0, len(scan) - 1):
        warnings.warn(f"the best bandwidth stands at the end of the range, {scan[best]:.4g}", AnalysisWarning, stacklevel=3)
        return float(scan[best])
    low, high = np.log(scan[best - 1]), np.log(scan[best + 1])
    found = minimize_scalar(lambda x: criterion(float(np.exp(x))), bounds=(low, high), method="bounded", options={"xatol": 4e-4})
    return float(np.exp(found.x))


def _crossing(criterion: Criterion, scan: Array) -> float:
    values = np.array([criterion(float(h)) for h in scan])
    rises = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))
    if len(rises) == 0:
        best = int(np.abs(values).argmin())
        warnings.warn(f"no bandwidth in the range meets the criterion; the nearest is {scan[best]:.4g}", AnalysisWarning, stacklevel=3)
        return float(scan[best])
    k = int(rises[0])
    return float(np.exp(brentq(lambda x: criterion(float(np.exp(x))), np.log(scan[k]), np.log(scan[k + 1]), xtol=4e-4)))


def _diggle(points: PointPattern) -> float:
    window, n = points.window, points.n
    west, south, east, north = window.bounds
    reach = min((east - west) / 4, (north - south) / 4, float(np.sqrt(1000 * window.area / (np.pi * n))))
    edges, mass = _pair_mass(points, reach)
    if not mass.any():
        raise InputError("no two points are near enough for Diggle's criterion", value=reach)
    h, values = diggle_criterion(edges, mass * window.area / (n * (n - 1)), n / window.area)
    best = int(values.argmin())
    if best in (0, len(h) - 1):
        warnings.warn(f"the best bandwidth stands at the end of the range, {h[best] / 2:.4g}", AnalysisWarning, stacklevel=3)
    return float(h[best] / 2)


def _pair_mass(points: PointPattern, reach: float) -> tuple[Array, Array]:
    """Sum the edge-corrected ordered pairs by logarithmic steps of distance, up to ``reach``."""
    from ..pattern.loops import shifts

    xy = np.column_stack([points.easting, points.northing])
    edges = reach * np.exp(-FINE * np.arange(int(np.log(1e6) / FINE), -1, -1.0))
    mass = np.zeros(len(edges))
    exact = points.n < ISOTROPIC_MAX
    for i, j, distance in near_pairs(xy, xy, reach, same=True, once=not exact):
        if exact:
            weight = 1 / np.maximum(circle_share(points.window, xy[i, 0], xy[i, 1], distance), 0.01)
        else:
            # translation weighs a pair alike in both orders
            overlap = window_overlap(points.window, *shifts(xy, xy, i, j))
            weight = 2 * points.window.area / np.maximum(overlap, 0.01 * points.window.area)
        slot = np.ceil((len(edges) - 1) + np.log(np.maximum(distance, edges[0]) / reach) / FINE).astype(np.intp)
        mass += np.bincount(np.clip(slot, 0, len(edges) - 1), weight, len(edges))
    return edges, mass


def diggle_criterion(distance: Array, jumps: Array, intensity: float) -> tuple[Array, Array]:
    """Give h and M(h) for every distance h up to half of the largest.

    Parameters
    ----------
    distance, jumps : (m,) arrays
        Where K rises, increasing in equal ratios, and by how much.
    intensity : float
        n / |W|.
    """
    h = distance[distance <= distance[-1] / 2]
    coarse = np.unique(np.r_[np.arange(0, len(h), 64), len(h) - 1])
    used = np.flatnonzero(jumps)
    overlaps = np.array([_overlap(distance[used], r) @ jumps[used] for r in h[coarse]])
    area = np.pi * h**2
    spread = CubicSpline(np.log(h[coarse]), overlaps / h[coarse] ** 2)(np.log(h)) / np.pi / area
    return h, (1 / intensity - 2 * np.cumsum(jumps)[: len(h)]) / area + spread


def _overlap(distance: Array, radius: float) -> Array:
    """Area common to two discs of one radius, at these distances."""
    t = np.minimum(distance / (2 * radius), 1.0)
    return 2 * radius**2 * (np.arccos(t) - t * np.sqrt(1 - t**2))
