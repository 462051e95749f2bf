"""The pair correlation function: K's derivative, smoothed.

References
----------
Stoyan, D. & Stoyan, H. (1994). Fractals, random shapes and point fields. Wiley, chapter 15.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..pattern import InputError, PointPattern, near_pairs
from .edge import Correction
from .ripley import pair_weights
from .summary import SummaryFunction, coordinates, distances, intensities

Array = NDArray[np.float64]


def pair_correlation(
    points: PointPattern,
    r: ArrayLike,
    *,
    targets: PointPattern | None = None,
    correction: Correction = "translate",
    bandwidth: float | None = None,
    intensity: ArrayLike | None = None,
    intensity_targets: ArrayLike | None = None,
) -> SummaryFunction:
    """Estimate g(r): the density of pairs at distance r, relative to independent points of the same intensity.

    Parameters
    ----------
    points : PointPattern
    r : (r,) increasing array, from above 0
    targets : PointPattern, optional
        For the cross version, from points to targets.
    correction : {"translate", "isotropic"} or None
    bandwidth : float, optional
        Half-width of the Epanechnikov kernel; 0.15 / sqrt(n/|W|) without it (Stoyan's rule, n that of the targets).
    intensity, intensity_targets : (n,) arrays, optional
        As in :func:`~analysis.proximity.k_function`; not renormalised.

    Notes
    -----
    g(r) = Σ_i Σ_j e_ij k_h(r − d_ij) / (λ_i λ_j) / (2π r |W|). Below the bandwidth it is biased: pairs at d < 0 do not exist.
    Cost: pairs within max(r) + h, times the r within h of each.

    Raises
    ------
    InputError
        For r = 0, fewer than two points, a bandwidth or intensity that is not positive, or the border correction.
    """
    grid, same = distances(r), targets is None
    to = points if targets is None else targets
    if grid[0] == 0:
        raise InputError("must be above zero", column="r", value=0)
    if correction not in ("translate", "isotropic", None):
        raise InputError("must be translate, isotropic or None", column="correction", value=correction)
    if same and points.n < 2:
        raise InputError("pairs need two points at least", value=points.n)
    by_point = 1 / intensities(points, intensity)
    by_target = by_point if same else 1 / intensities(to, intensity_targets, "intensity_targets")
    h = 0.15 / np.sqrt(to.n / points.window.area) if bandwidth is None else float(bandwidth)
    if not (np.isfinite(h) and h > 0):
        raise InputError("must be a positive number", column="bandwidth", value=bandwidth)
    xy, ends = coordinates(points), coordinates(to)
    total = np.zeros(len(grid))
    for i, j, d in near_pairs(xy, ends, float(grid[-1]) + h, same=same):
        weight = by_point[i] * by_target[j] * pair_weights(points.window, xy, ends, i, j, d, correction)
        low, high = np.searchsorted(grid, d - h), np.searchsorted(grid, d + h)
        for step in range(int((high - low).max(initial=0))):  # the r within reach of each pair, one after the other
            use = low + step < high
            place = low[use] + step
            kernel = 0.75 / h * (1 - ((grid[place] - d[use]) / h) ** 2)
            total += np.bincount(place, weight[use] * np.maximum(kernel, 0), len(grid))
    observed = total / (2 * np.pi * grid * points.window.area)
    if same and intensity is None:
        observed *= points.n / (points.n - 1)
    return SummaryFunction("pair correlation", grid, observed, np.ones(len(grid)), str(correction).lower())
