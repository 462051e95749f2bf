"""Ripley's K and its cross and inhomogeneous versions.

References
----------
Ripley, B. D. (1977). Modelling spatial patterns. JRSS B 39, 172-212. Baddeley, A. J., Møller, J. & Waagepetersen, R. (2000). Non- and
semi-parametric estimation of interaction in inhomogeneous point patterns. Statistica Neerlandica 54, 329-350.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..pattern import InputError, PointPattern, Window, near_pairs
from .edge import Correction, isotropic_weights, translation_weights
from .summary import SummaryFunction, coordinates, distances, intensities

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Steps = Iterator[tuple[Index, Index, Array]]


def pair_weights(window: Window, xy: Array, targets: Array, i: Index, j: Index, d: Array, correction: Correction) -> Array:
    """Give the translation or isotropic weight of each pair, and ones for no correction."""
    from ..pattern.loops import shifts

    if correction == "translate":
        return translation_weights(window, *shifts(xy, targets, i, j))
    if correction == "isotropic":
        return isotropic_weights(window, xy[i], d)
    return np.ones(len(d))


def steps(
    origins: PointPattern, targets: Array, r: Array, correction: Correction, by_origin: Array, by_target: Array, *, same: bool
) -> Steps:
    """Give K's sum over pairs as steps along r: (target, place in r, height), in chunks; with the border correction some steps go down.

    A pair enters at the first r ≥ its distance. With the border correction it leaves at the first r beyond its origin's distance to the
    boundary. Sums over targets are thereby additive whatever the correction.
    """
    from ..pattern.loops import heights

    if correction not in ("border", "translate", "isotropic", None):
        raise InputError("must be border, translate, isotropic or None", column="correction", value=correction)
    xy, reach = coordinates(origins), float(r[-1]) * (1 + 1e-9)  # whether a pair is in reach is left to the comparison with r
    edge = origins.window.boundary_distance(*xy.T) if correction == "border" else np.empty(0)
    both_ways = same and correction in ("translate", None)  # then pairs weigh the same from either end: half of them do
    if both_ways:
        by_origin = 2 * by_origin
    for i, j, d in near_pairs(xy, targets, reach, same=same, once=both_ways):
        if correction == "border":
            seen = d <= edge[i]
            i, j, d = i[seen], j[seen], d[seen]
        place, height = heights(i, j, d, r, by_origin, by_target, pair_weights(origins.window, xy, targets, i, j, d, correction))
        yield j, place, height
        if correction == "border":
            yield j, np.searchsorted(r, edge[i], side="right"), -height


def denominator(origins: PointPattern, r: Array, correction: Correction, by_origin: Array) -> Array:
    """Give what the sum over pairs is divided by: |W|, or with the border correction the part of it that r leaves.

    Raises
    ------
    InputError
        If an r leaves no origin far enough from the boundary.
    """
    if correction != "border":
        return np.full(len(r), origins.window.area)
    edge = origins.window.boundary_distance(origins.easting, origins.northing)
    if edge.max() < r[-1]:
        raise InputError("no point lies this far from the boundary; use smaller distances or another correction", column="r", value=r[-1])
    order = np.argsort(edge)
    left = np.r_[np.cumsum(by_origin[order][::-1])[::-1], 0.0]
    return left[np.searchsorted(edge[order], r)]


def _sum(parts: Steps, length: int) -> Array:
    total = np.zeros(length + 1)
    for _, place, height in parts:
        total += np.bincount(place, height, length + 1)
    return np.cumsum(total)[:length]


def k_function(
    points: PointPattern,
    r: ArrayLike,
    *,
    correction: Correction = "translate",
    intensity: ArrayLike | None = None,
    renormalise: bool = True,
) -> SummaryFunction:
    """Estimate K: how many further points lie within r of a point, for each unit of intensity.

    Answers: do strikes cluster beyond what the intensity explains? An intensity that follows the strikes closely explains everything.

    Parameters
    ----------
    points : PointPattern
    r : (r,) increasing array
        Evaluated exactly; a pair at exactly r counts.
    correction : {"border", "translate", "isotropic"} or None
    intensity : (n,) array, optional
        λ at the points, for the inhomogeneous K; constant without it.
    renormalise : bool
        Multiply the inhomogeneous K by |W| / Σ(1/λ_i).

    Returns
    -------
    SummaryFunction

    Notes
    -----
    K(r) = (1/|W|) Σ_i Σ_{j≠i} e_ij 1{d_ij ≤ r} / (λ_i λ_j); without ``intensity`` λ² is n(n−1)/|W|². With the border correction,
    K(r) = Σ_{b_i ≥ r} Σ_j 1{d_ij ≤ r}/(λ_i λ_j) / Σ_{b_i ≥ r} 1/λ_i, b_i the distance to the boundary, and λ = n/|W| without ``intensity``.
    Coincident points are pairs at distance 0. Weights are at most 100. Cost: pairs within the largest r, in chunks; the isotropic weights
    of circles that reach the boundary times the polygon's edges.

    Raises
    ------
    InputError
        For fewer than two points, intensities that are not positive, or an r beyond what the border correction can see.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> from analysis.pattern import Window
    >>> k_function(PointPattern([4, 5], [5, 5], Window(box(0, 0, 10, 10))), [0.5, 1.0], correction=None).observed
    array([  0., 100.])
    """
    grid, area = distances(r), points.window.area
    if points.n < 2:
        raise InputError("K needs two points at least", value=points.n)
    by_point = 1 / intensities(points, intensity)
    xy = coordinates(points)
    total = _sum(steps(points, xy, grid, correction, by_point, by_point, same=True), len(grid))
    observed = total / denominator(points, grid, correction, by_point)
    if intensity is None and correction != "border":
        observed *= points.n / (points.n - 1)
    if intensity is not None and renormalise:
        observed *= area / by_point.sum()
    name = "K" if intensity is None else "inhomogeneous K"
    return SummaryFunction(name, grid, observed, np.pi * grid**2, str(correction).lower())


def cross_k(
    origins: PointPattern,
    targets: PointPattern,
    r: ArrayLike,
    *,
    correction: Correction = "translate",
    intensity_origins: ArrayLike | None = None,
    intensity_targets: ArrayLike | None = None,
) -> SummaryFunction:
    """Estimate the cross-K: how many targets lie within r of an origin, for each unit of the targets' intensity.

    Answers: do strikes (targets) gather around sites (origins)? With constant intensities every centre that draws both looks like a yes.

    Parameters
    ----------
    origins, targets : PointPattern
        In one window.
    r, correction
        As in :func:`k_function`.
    intensity_origins, intensity_targets : (n,) arrays, optional
        Intensities at the points; constant without them.

    Notes
    -----
    K(r) = (1/|W|) Σ_i Σ_j e_ij 1{d_ij ≤ r} / (λ_i λ_j), not renormalised; the border correction as in :func:`k_function`, by origins.
    Cost as there.

    Raises
    ------
    InputError
        For no origins or targets, two windows, intensities that are not positive, or an r beyond what the border correction can see.
    """
    grid = distances(r)
    if origins.window is not targets.window and not origins.window.polygon.equals(targets.window.polygon):
        raise InputError("origins and targets must be in one window")
    by_origin = 1 / intensities(origins, intensity_origins, "intensity_origins")
    by_target = 1 / intensities(targets, intensity_targets, "intensity_targets")
    total = _sum(steps(origins, coordinates(targets), grid, correction, by_origin, by_target, same=False), len(grid))
    observed = total / denominator(origins, grid, correction, by_origin)
    return SummaryFunction("cross-K", grid, observed, np.pi * grid**2, str(correction).lower())


def l_function(k: SummaryFunction) -> SummaryFunction:
    """Turn a K into L(r) = sqrt(K(r)/π), which is r for a Poisson process."""
    return replace(k, name=k.name.replace("K", "L"), observed=np.sqrt(k.observed / np.pi), theoretical=k.distance)
