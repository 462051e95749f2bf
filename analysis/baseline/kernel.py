"""Kernel intensity in a polygon: Gaussian, edge-corrected, by FFT at cells and exactly at points.

References
----------
Diggle, P. J. (1985). A kernel method for smoothing point process data. Applied Statistics 34, 138-147.
Jones, M. C. (1993). Simple boundary corrections for kernel density estimation. Statistics and Computing 3, 135-146.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ..pattern import Grid, InputError, Intensity, PointPattern, Sites
from .gaussian_sums import gaussian_sums
from .smoothing import edge_mass, smooth

Array = NDArray[np.float64]
Edge = Literal["uniform", "diggle"] | None
FAINT = 1e-10  # of a kernel: where a donut leaves less, some six bandwidths from all that is kept, the FFT's dust is as large


@dataclass(frozen=True, eq=False)
class Kernel:
    """Estimate intensity with a Gaussian kernel of fixed bandwidth: an estimator that is linear in the strikes.

    Parameters
    ----------
    grid : Grid
    bandwidth : float
        Standard deviation on each axis, in the window's unit.
    edge : {"uniform", "diggle"} or None
        Divide by e(u) = ∫_W k(u−v) dv at the place of estimation, or by e(x_i) at each strike (total mass is then kept).
    exclude : (sites, radius), optional
        The donut: strikes within the radius of a site are left out and the discs count as outside the window, so that the baseline
        in them is interpolated from around. Needs ``edge="uniform"``. It misleads where discs cover a dense centre: see ``diagnose``.

    Raises
    ------
    InputError
        For an unknown ``edge``, a donut with another edge correction than uniform, or one that leaves no window; when fitted, for a
        bandwidth that is not a positive number, or a donut so wide that the kernel does not reach into its middle.
    """

    grid: Grid
    bandwidth: float
    edge: Edge = "diggle"
    exclude: tuple[Sites, float] | None = None

    def __post_init__(self) -> None:
        if self.edge not in ("uniform", "diggle", None):
            raise InputError("must be uniform, diggle or None", column="edge", value=self.edge)
        if self.exclude is not None and self.edge != "uniform":
            raise InputError("the donut needs the uniform edge correction", column="edge", value=self.edge)
        if not self.kept.any():
            raise InputError("the donut's discs cover the whole window", value=self.exclude[1] if self.exclude else None)

    @cached_property
    def kept(self) -> NDArray[np.bool_]:
        """The cells that count as window: outside the donut's discs."""
        if self.exclude is None:
            return self.grid.inside
        sites, radius = self.exclude
        return self.grid.inside & (sites.distance_in(self.grid) > radius)

    @cached_property
    def edge_mass(self) -> Array:
        """e(u) on the cells, kept off zero far outside the window."""
        kept = smooth(self.kept.astype(float), self.grid, self.bandwidth) if self.exclude else edge_mass(self.grid, self.bandwidth)
        if self.exclude and kept[self.grid.inside].min() < FAINT:
            raise InputError("the kernel does not reach into the donut's discs: it is too narrow", column="bandwidth", value=self.bandwidth)
        return np.maximum(kept, np.finfo(float).tiny ** 0.5)

    @property
    def name(self) -> str:
        """The baseline's name as printed."""
        if self.exclude is not None:
            return f"donut {self.exclude[1]:g} m, kernel {self.bandwidth:g} m"
        return f"kernel {self.bandwidth:g} m"

    def fit(self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None) -> Intensity:
        """Estimate the intensity from strikes, each counting ``weights`` times."""
        mass = self.grid.count(easting, northing, weights)
        return Intensity(self.fit_counts(mass), self.grid, self.name)

    def fit_counts(self, mass: Array) -> Array:
        """Estimate from the strikes already summed by cell, in strikes for each square unit."""
        if self.exclude is not None:
            mass = np.where(self.kept, mass, 0.0)
        if self.edge == "diggle":
            mass = mass / self.edge_mass
        values = smooth(mass, self.grid, self.bandwidth) / self.grid.cell_area
        if self.edge == "uniform":
            values = values / self.edge_mass
        # the FFT leaves dust of either sign where the kernel has died out
        return np.where(self.grid.inside, np.maximum(values, 0.0), 0.0)

    def adjoint(self, field: Array) -> Array:
        """Give the field A f for which ∫ f λ̂ = Σ_i w_i (A f)(x_i), whatever the strikes: one FFT, no refitting."""
        weighted = np.where(self.grid.inside, field, 0.0)
        if self.edge == "uniform":
            weighted = weighted / self.edge_mass
        result = smooth(weighted, self.grid, self.bandwidth)
        if self.edge == "diggle":
            result = result / self.edge_mass
        return np.where(self.kept, result, 0.0)

    def diagnose(self, easting: ArrayLike, northing: ArrayLike) -> dict[str, float]:
        """Say how much a donut leaves out: shares of window and strikes in the discs, and the extrapolated distance.

        That is the largest distance from a cell centre in the discs to the nearest one kept, in the window's unit.
        """
        hole = self.grid.inside & ~self.kept
        if not hole.any():
            return {"window_share": 0.0, "strike_share": 0.0, "extrapolated": 0.0}
        e, n = self.grid.centres
        rim = cKDTree(np.column_stack([e[self.kept], n[self.kept]]))
        reach, _ = rim.query(np.column_stack([e[hole], n[hole]]))
        cells = self.grid.cell(easting, northing)
        return {
            "window_share": float(hole.sum() / self.grid.inside.sum()),
            "strike_share": float(hole.ravel()[cells].mean()) if len(cells) else 0.0,
            "extrapolated": float(reach.max()),
        }


def kernel_intensity(
    points: PointPattern,
    bandwidth: float,
    *,
    shape: tuple[int, int] | None = None,
    spacing: float | None = None,
    edge: Edge = "uniform",
    exclude: tuple[Sites, float] | None = None,
    at: Literal["cells", "points"] = "cells",
    leave_one_out: bool = True,
) -> Intensity | Array:
    """Estimate intensity with a Gaussian kernel, at cells or at the points themselves.

    Answers: where do strikes fall, smoothed at this scale? A bandwidth far from the scale of the pattern misleads in either
    direction, so look along the bandwidth.

    Parameters
    ----------
    points : PointPattern
    bandwidth : float
        Standard deviation of the kernel on each axis, in the window's unit.
    shape, spacing : optional
        The grid: rows and columns, or the side of square cells. Default 256 × 256.
    edge : {"uniform", "diggle"} or None
    exclude : (Sites, float), optional
        The donut: see :class:`Kernel`.
    at : {"cells", "points"}
    leave_one_out : bool
        At points: leave each point out of its own estimate.

    Returns
    -------
    Intensity, or (n,) array for ``at="points"``, in points for each square unit.

    Notes
    -----
    At cells, strikes are summed by cell and smoothed by FFT: cells × log(cells), whatever n. At points, sums are exact up
    to 400 points and linear in n beyond, to 1e-6 (:mod:`~analysis.baseline.gaussian_sums`); e(x) is read from the grid.
    A lone point has intensity 0 with ``leave_one_out``.

    Raises
    ------
    InputError
        For a bandwidth that is not positive, or an unknown ``edge`` or ``at``.
    """
    if spacing is None and shape is None:
        shape = (256, 256)
    grid = points.window.grid(shape=shape, spacing=spacing)
    estimator = Kernel(grid, bandwidth, edge, exclude)
    if at == "cells":
        return estimator.fit(points.easting, points.northing)
    if at != "points":
        raise InputError("must be cells or points", column="at", value=at)
    use = np.ones(points.n, bool)
    if exclude is not None:
        use = exclude[0].distance(points.easting, points.northing) > exclude[1]
    own = grid.interpolate(estimator.edge_mass, points.easting, points.northing)
    weight = np.where(use, 1 / own if edge == "diggle" else 1.0, 0.0)
    total = gaussian_sums(np.column_stack([points.easting, points.northing]), weight, bandwidth)
    if not leave_one_out:
        total += weight
    total = np.maximum(total, 0.0) / (2 * np.pi * bandwidth**2)
    return total / own if edge == "uniform" else total
