"""Intensity: expected strikes for each unit of area, on the cells of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError
from .grid import Grid

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Intensity:
    """Hold an intensity λ(u) over a window.

    Parameters
    ----------
    values : (rows, columns) array
        Strikes for each square unit; zero outside the window.
    grid : Grid
    name : str
        What it is, as printed beside every number that rests on it.
    """

    values: Array
    grid: Grid
    name: str

    def __post_init__(self) -> None:
        if self.values.shape != self.grid.shape:
            raise InputError("an intensity must have the shape of its grid", value=self.values.shape)
        if not np.isfinite(self.values).all() or (self.values < 0).any():
            raise InputError("an intensity must be finite and not negative", value=self.name)

    @property
    def total(self) -> float:
        """Expected number of strikes in the window."""
        return self.grid.integral(self.values)

    def at(self, easting: ArrayLike, northing: ArrayLike) -> Array:
        """Give the intensity of the cell that holds each point, or of the window's cell nearest to it."""
        return self.values.ravel()[self.grid.inside_cell(easting, northing)]

    def expected(self, field: Array) -> float:
        """Integrate ``field`` × λ over the window; for a 0/1 field, the expected strikes where it is 1."""
        return self.grid.integral(self.values * field)

    def times(self, factor: Array | float, name: str | None = None) -> Intensity:
        """Multiply cell by cell."""
        return Intensity(self.values * factor, self.grid, name or self.name)
