"""Nearest-neighbour functions: G, F, J, and their cross and inhomogeneous versions.

References
----------
Baddeley, A. & Gill, R. D. (1997). Kaplan-Meier estimators of distance distributions for spatial point processes. Annals of Statistics 25,
263-292. van Lieshout, M. N. M. & Baddeley, A. J. (1996). A nonparametric measure of spatial interaction in point patterns. Statistica
Neerlandica 50, 344-361. van Lieshout, M. N. M. (2011). A J-function for inhomogeneous point processes. Statistica Neerlandica 65, 183-201.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ..pattern import InputError, PointPattern, Window, near_pairs
from .summary import SummaryFunction, coordinates, distances, intensities

Array = NDArray[np.float64]
NearestCorrection = Literal["km", "border"] | None
ROWS = 4_000_000  # places × distances held at once


def nearest_distance(points: PointPattern, targets: PointPattern | None = None) -> Array:
    """Give each point's distance to the nearest target, or to the nearest other point. Cost: n log n.

    Raises
    ------
    InputError
        If there is no target, or no other point.
    """
    to = points if targets is None else targets
    if to.n < (2 if targets is None else 1):
        raise InputError("there is nothing to measure the distance to", value=to.n)
    found, _ = cKDTree(coordinates(to)).query(coordinates(points), k=[2 if targets is None else 1])
    return np.asarray(found[:, 0], float)


def _reached(nearest: Array, edge: Array, r: Array, correction: NearestCorrection) -> Array:
    """Estimate the distribution function of the nearest distance from places at distance ``edge`` from the boundary."""
    if correction is None:
        return np.searchsorted(np.sort(nearest), r, side="right") / len(nearest)
    seen = nearest <= edge
    if correction == "border":
        enter, leave = np.sort(nearest[seen]), np.sort(edge[seen])
        count = np.searchsorted(enter, r, side="right") - np.searchsorted(leave, r)
        return count / _left(edge, r)
    if correction != "km":
        raise InputError("must be km, border or None", column="correction", value=correction)
    times, deaths = np.unique(nearest[seen], return_counts=True)
    at_risk = len(nearest) - np.searchsorted(np.sort(np.minimum(nearest, edge)), times)
    survival = np.r_[1.0, np.cumprod(1 - deaths / at_risk)]
    return 1 - survival[np.searchsorted(times, r, side="right")]


def _left(edge: Array, r: Array) -> NDArray[np.intp]:
    left = len(edge) - np.searchsorted(np.sort(edge), r)
    if left[-1] == 0:
        raise InputError("no place lies this far from the boundary; use smaller distances or another correction", column="r", value=r[-1])
    return left


def _reached_inhomogeneous(places: Array, targets: Array, edge: Array, r: Array, ratio: Array, same: bool) -> Array:
    """Estimate 1 − E Π_{d_j ≤ r} (1 − λ_min/λ_j) over the places at least r from the boundary."""
    with np.errstate(divide="ignore"):
        log = np.maximum(np.log1p(-ratio), -745.0)  # a factor of 0 stays one in exp, and sums stay finite
    left, kept, width = _left(edge, r), np.zeros(len(r)), len(r) + 1
    step = max(1, ROWS // width)
    for first in range(0, len(places), step):
        block = np.arange(first, min(first + step, len(places)))
        total = np.zeros(len(block) * width)
        for i, j, d in near_pairs(places[block], targets, float(r[-1]) * (1 + 1e-9)):
            other = (block[i] != j) if same else np.ones(len(i), bool)
            total += np.bincount(i[other] * width + np.searchsorted(r, d[other]), log[j[other]], len(total))
        product = np.exp(np.cumsum(total.reshape(-1, width), axis=1)[:, :-1])
        kept += np.where(edge[block, None] >= r, product, 0.0).sum(axis=0)
    return 1 - kept / left


def _function(
    name: str, places: Array, window: Window, targets: PointPattern, r: ArrayLike, correction: NearestCorrection,
    intensity: ArrayLike | None, same: bool,
) -> SummaryFunction:  # fmt: skip
    grid, ends = distances(r), coordinates(targets)
    if targets.n < (2 if same else 1) or len(places) == 0:
        raise InputError("there is nothing to measure the distance to", value=targets.n)
    edge = window.boundary_distance(*places.T)
    given = intensities(targets, intensity)
    lowest = float(given.min())
    if intensity is None:
        nearest, _ = cKDTree(ends).query(places, k=[2 if same else 1])
        observed = _reached(np.asarray(nearest[:, 0], float), edge, grid, correction)
    elif correction == "border":
        observed = _reached_inhomogeneous(places, ends, edge, grid, lowest / given, same)
    else:
        raise InputError("an inhomogeneous version needs the border correction", column="correction", value=correction)
    return SummaryFunction(name, grid, observed, -np.expm1(-lowest * np.pi * grid**2), str(correction).lower())


def g_function(
    points: PointPattern, r: ArrayLike, *, correction: NearestCorrection = "km", intensity: ArrayLike | None = None
) -> SummaryFunction:
    """Estimate G: the share of points whose nearest other point lies within r.

    Parameters
    ----------
    points : PointPattern
    r : (r,) increasing array
        Evaluated exactly; a neighbour at exactly r counts.
    correction : {"km", "border"} or None
        Kaplan–Meier, or only points at least r from the boundary.
    intensity : (n,) array, optional
        λ at the points, for the inhomogeneous G, which needs ``correction="border"``: neighbours are thinned to the smallest λ given.

    Notes
    -----
    Inhomogeneous: 1 − Σ_{b_i ≥ r} Π_{d_ij ≤ r} (1 − λ_min/λ_j) / #{b_i ≥ r}. Cost: n log n; inhomogeneous, pairs within the largest r.

    Raises
    ------
    InputError
        For fewer than two points, or an r beyond what the border correction can see.
    """
    return _function("G", coordinates(points), points.window, points, r, correction, intensity, True)


def cross_g(
    origins: PointPattern,
    targets: PointPattern,
    r: ArrayLike,
    *,
    correction: NearestCorrection = "km",
    intensity_targets: ArrayLike | None = None,
) -> SummaryFunction:
    """Estimate the cross-G: the share of origins (sites) whose nearest target (strike) lies within r. As :func:`g_function`."""
    return _function("cross-G", coordinates(origins), origins.window, targets, r, correction, intensity_targets, False)


def f_function(
    points: PointPattern,
    r: ArrayLike,
    *,
    correction: NearestCorrection = "km",
    intensity: ArrayLike | None = None,
    shape: tuple[int, int] = (128, 128),
) -> SummaryFunction:
    """Estimate F: the share of the window that lies within r of a point, read at the centres of ``shape`` cells. As :func:`g_function`."""
    grid = points.window.grid(shape=shape)
    places = np.column_stack([axis[grid.inside] for axis in grid.centres])
    return _function("F", places, points.window, points, r, correction, intensity, False)


def _ratio(name: str, g: SummaryFunction, f: SummaryFunction) -> SummaryFunction:
    if f.observed[-1] >= 1:
        raise InputError("J is not defined where every place lies within r of a point; use smaller distances", column="r")
    return SummaryFunction(name, g.distance, (1 - g.observed) / (1 - f.observed), np.ones(len(g.distance)), g.correction)


def j_function(
    points: PointPattern,
    r: ArrayLike,
    *,
    correction: NearestCorrection = "km",
    intensity: ArrayLike | None = None,
    shape: tuple[int, int] = (128, 128),
) -> SummaryFunction:
    """Estimate J = (1 − G)/(1 − F): below 1 for clusters, above 1 for points that keep apart. As :func:`g_function`."""
    g = g_function(points, r, correction=correction, intensity=intensity)
    return _ratio("J", g, f_function(points, r, correction=correction, intensity=intensity, shape=shape))


def cross_j(
    origins: PointPattern,
    targets: PointPattern,
    r: ArrayLike,
    *,
    correction: NearestCorrection = "km",
    intensity_targets: ArrayLike | None = None,
    shape: tuple[int, int] = (128, 128),
) -> SummaryFunction:
    """Estimate the cross-J, (1 − G_cross)/(1 − F_targets): 1 when origins and targets are independent. As :func:`cross_g`."""
    g = cross_g(origins, targets, r, correction=correction, intensity_targets=intensity_targets)
    return _ratio("cross-J", g, f_function(targets, r, correction=correction, intensity=intensity_targets, shape=shape))
