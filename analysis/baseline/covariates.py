"""Covariate fields: functions of easting and northing made from points, polygons and rasters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from ..pattern import Grid, InputError

Array = NDArray[np.float64]
Field = Callable[[Array, Array], NDArray[np.generic]]


def distance_to(easting: ArrayLike, northing: ArrayLike) -> Field:
    """Give the distance to the nearest of some points (aim points, the centre), in the window's unit.

    Raises
    ------
    InputError
        If there are no points, or a coordinate is not finite.

    Examples
    --------
    >>> distance_to([0], [0])(np.array([3.0]), np.array([4.0])).tolist()
    [5.0]
    """
    tree = cKDTree(_places(easting, northing))

    def field(e: Array, n: Array) -> Array:
        return np.asarray(tree.query(np.stack([e, n], axis=-1))[0], float)

    return field


def decay_around(easting: ArrayLike, northing: ArrayLike, scale: float, *, weights: ArrayLike | None = None) -> Field:
    """Give Σ_k w_k exp(−d_k²/2h²) over some points, as strikes would scatter about aim points.

    Parameters
    ----------
    easting, northing : (m,) arrays
    scale : float
        h, in the window's unit.
    weights : (m,) array, optional
        How much each point counts.

    Raises
    ------
    InputError
        If there are no points, a coordinate is not finite, there is not one weight for each point, or the scale is not above zero.
    """
    places = _places(easting, northing)
    weight = np.ones(len(places)) if weights is None else np.asarray(weights, float)
    if weight.shape != (len(places),):
        raise InputError("must be one number for each point", column="weights", value=weight.shape)
    if not (np.isfinite(scale) and scale > 0):
        raise InputError("must be a positive number", column="scale", value=scale)

    def field(e: Array, n: Array) -> Array:
        total = np.zeros(np.shape(e))
        # one pass for each of a handful of points keeps memory at the size of the cells
        for (x, y), w in zip(places, weight, strict=True):
            total += w * np.exp(-0.5 * ((e - x) ** 2 + (n - y) ** 2) / scale**2)
        return total

    return field


def label_of(areas: Mapping[str, shapely.Polygon | shapely.MultiPolygon]) -> Field:
    """Give the name of the polygon (raion) that holds each place, for use as a factor; outside all of them, that of the nearest one.

    A place on a common border takes the first of the polygons that touch it.

    Raises
    ------
    InputError
        If there are no polygons.
    """
    if not areas:
        raise InputError("labels need at least one polygon")
    names = np.array(list(areas), dtype=str)
    tree = shapely.STRtree(list(areas.values()))

    def field(e: Array, n: Array) -> NDArray[np.str_]:
        places = shapely.points(np.ravel(e), np.ravel(n))
        index = np.full(len(places), len(names), np.intp)
        place, area = tree.query(places, predicate="intersects")
        np.minimum.at(index, place, area)
        lost = np.flatnonzero(index == len(names))
        if len(lost):
            index[lost] = tree.nearest(places[lost])
        return names[index].reshape(np.shape(e))

    return field


def read_off(values: Array, grid: Grid, *, how: Literal["linear", "cell"] = "linear") -> Field:
    """Read a raster at places: bilinearly between cell centres, or the value of the cell.

    Parameters
    ----------
    values : (rows, columns) array
        Row 0 is the southernmost. A gap (NaN) stays one, and whoever needs the covariate there is told.
    grid : Grid
    how : {"linear", "cell"}
        Linear for fields such as population density; cell for codes. Places beyond the raster have no value.

    Raises
    ------
    InputError
        If the values have not the shape of the grid, or ``how`` is unknown.
    """
    if values.shape != grid.shape:
        raise InputError("a raster must have the shape of its grid", value=values.shape)
    if how not in ("linear", "cell"):
        raise InputError("must be linear or cell", column="how", value=how)
    rows, columns = grid.shape

    def field(e: Array, n: Array) -> Array:
        read = grid.interpolate(values, e, n) if how == "linear" else values.ravel()[grid.cell(e, n)]
        beyond = (e < grid.west) | (e > grid.west + columns * grid.dx) | (n < grid.south) | (n > grid.south + rows * grid.dy)
        return np.where(beyond, np.nan, read)

    return field


def _places(easting: ArrayLike, northing: ArrayLike) -> Array:
    e, n = np.atleast_1d(np.asarray(easting, float)), np.atleast_1d(np.asarray(northing, float))
    if e.shape != n.shape or e.ndim != 1 or len(e) == 0 or not (np.isfinite(e).all() and np.isfinite(n).all()):
        raise InputError("a field around points needs at least one, with finite coordinates", value=e.shape)
    return np.column_stack([e, n])
