"""The uniform baseline: the naive one, named as such."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..pattern import Grid, Intensity, PointPattern

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Uniform:
    """Estimate one intensity for the whole window: an estimator that is linear in the strikes."""

    grid: Grid

    @property
    def name(self) -> str:
        """The baseline's name as printed."""
        return "uniform (naive)"

    def fit(self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None) -> Intensity:
        """Spread the strikes evenly over the window's cells."""
        mass = float(np.size(easting) if weights is None else np.asarray(weights, float).sum())
        area = self.grid.inside.sum() * self.grid.cell_area
        return Intensity(np.where(self.grid.inside, mass / area, 0.0), self.grid, self.name)

    def adjoint(self, field: Array) -> Array:
        """Give the field A f for which ∫ f λ̂ = Σ_i w_i (A f)(x_i): the window's mean of f, everywhere."""
        return np.where(self.grid.inside, field[self.grid.inside].mean(), 0.0)


def uniform_intensity(points: PointPattern, *, shape: tuple[int, int] | None = None, spacing: float | None = None) -> Intensity:
    """Estimate a uniform intensity, n / |W|; default grid 256 × 256.

    It ignores that strikes and missions both favour the centre, so it finds an excess where there is none.
    """
    if spacing is None and shape is None:
        shape = (256, 256)
    return Uniform(points.window.grid(shape=shape, spacing=spacing)).fit(points.easting, points.northing)
