"""The grid: equal cells over the bounding box of a window, on which integrals are sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """Hold cells: lower left corner, cell sides, and which cell centres lie in the window.

    Parameters
    ----------
    west, south : float
        Lower left corner of the first cell.
    dx, dy : float
        Cell sides, in the window's unit.
    inside : (rows, columns) bool array
        True where the cell centre lies in the window. Row 0 is the southernmost.
    outline : shapely geometry, optional
        The window's polygon.
    """

    west: float
    south: float
    dx: float
    dy: float
    inside: NDArray[np.bool_]
    outline: Any = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.inside.shape
        return rows, columns

    @property
    def cell_area(self) -> float:
        """Area of one cell."""
        return self.dx * self.dy

    @property
    def x(self) -> Array:
        """Eastings of the cell centres, by column."""
        return self.west + self.dx * (np.arange(self.shape[1], dtype=np.float64) + 0.5)

    @property
    def y(self) -> Array:
        """Northings of the cell centres, by row."""
        return self.south + self.dy * (np.arange(self.shape[0], dtype=np.float64) + 0.5)

    @property
    def centres(self) -> tuple[Array, Array]:
        """Eastings and northings of all cell centres, each (rows, columns)."""
        easting, northing = np.meshgrid(self.x, self.y)
        return easting, northing

    def cell(self, easting: ArrayLike, northing: ArrayLike) -> NDArray[np.intp]:
        """Give the flat index of the cell that holds each point; points beyond the box take its rim."""
        rows, columns = self.shape
        j = np.floor((np.asarray(easting, float) - self.west) / self.dx).astype(np.intp)
        i = np.floor((np.asarray(northing, float) - self.south) / self.dy).astype(np.intp)
        return np.clip(i, 0, rows - 1) * columns + np.clip(j, 0, columns - 1)

    @cached_property
    def _home(self) -> NDArray[np.intp]:
        rows, columns = distance_transform_edt(~self.inside, sampling=(self.dy, self.dx), return_distances=False, return_indices=True)
        return np.asarray(rows * self.shape[1] + columns, np.intp).ravel()

    @cached_property
    def rim(self) -> NDArray[np.bool_]:
        """The window's cells that are not wholly its own: a place drawn in one may lie outside. Cells beside one outside count too."""
        result = self.inside & ~binary_erosion(self.inside)
        if self.outline is not None:
            i, j = np.nonzero(self.crossed() & self.inside & ~result)
            west, south = self.west + j * self.dx, self.south + i * self.dy
            result[i, j] = ~shapely.covers(self.outline, shapely.box(west, south, west + self.dx, south + self.dy))
        return result

    def crossed(self) -> NDArray[np.bool_]:
        """Say which cells the outline may cross, (rows, columns): no cell that it crosses is left out."""
        # points along it, half a cell apart at most: a cell it crosses holds one of them or borders on one that does
        along = shapely.get_coordinates(shapely.segmentize(self.outline.boundary, min(self.dx, self.dy) / 2))
        return np.asarray(binary_dilation(self.count(*along.T) > 0, np.ones((3, 3), bool)))

    def inside_cell(self, easting: ArrayLike, northing: ArrayLike) -> NDArray[np.intp]:
        """Give the flat index of the window's cell nearest to the one that holds each point.

        A point in the window may stand in a rim cell whose centre does not: a field that is zero there has no value for it.
        """
        return self._home[self.cell(easting, northing)]

    def interpolate(self, field: Array, easting: ArrayLike, northing: ArrayLike, kind: NDArray[np.intp] | None = None) -> Array:
        """Read a field at points, bilinearly between cell centres and flat beyond the outermost ones.

        With ``kind``, one for each point, ``field`` is (kinds, rows, columns) and each point reads its own.
        """
        from .draw_loops import bilinear

        e, n = np.broadcast_arrays(np.asarray(easting, float), np.asarray(northing, float))
        which, fields = (np.zeros(1, np.intp), field[None]) if kind is None else (kind, field)
        corner, side = (self.west, self.south), (self.dx, self.dy)
        return np.asarray(bilinear(np.ascontiguousarray(fields), which, e.ravel(), n.ravel(), corner, side)).reshape(e.shape)

    def count(self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None) -> Array:
        """Sum points, or their weights, by cell."""
        weight = None if weights is None else np.asarray(weights, float)
        cells = self.cell(easting, northing)
        return np.bincount(cells, weight, self.inside.size).astype(float).reshape(self.shape)

    def integral(self, field: Array) -> float:
        """Integrate a field over the window: the sum over inside cells times the cell area."""
        return float(field[self.inside].sum() * self.cell_area)
