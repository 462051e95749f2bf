"""What a window lets one see of a pair of points: circle shares and overlaps with itself, whatever its shape.

References
----------
Ripley, B. D. (1988). Statistical inference for spatial processes. Cambridge University Press, chapter 3.
Ohser, J. (1983). On estimators for the reduced second moment measure of point processes. Statistics 14, 63-71.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import binary_dilation

from .grid import Grid
from .window import Window

Array = NDArray[np.float64]
CHUNK = 2_000_000  # matrix entries held at once: about 100 MB with their temporaries
CACHED = 100_000  # of them, where each is touched many times
EXACT = 100_000_000  # pairs × edges² up to which polygon overlaps are computed exactly
CELLS = 1024  # side of the grid from which they are read beyond that


def circle_share(window: Window, easting: Array, northing: Array, radius: Array) -> Array:
    """Give the share of each circle's length that lies in the window, exactly, holes and pieces included.

    Every edge that crosses the circle inwards ends an arc that lies in the window, and every edge that crosses it outwards begins one.
    Cost: circles that reach the boundary × edges, in chunks.
    """
    origin = np.column_stack([easting, northing])
    share = np.ones(len(radius))
    touched = np.flatnonzero(radius > window.boundary_distance(easting, northing))
    a, b = oriented_edges(window)
    step = max(1, CHUNK // len(a))
    for first in range(0, len(touched), step):
        rows = touched[first : first + step]
        share[rows] = _share(window, a, b, origin[rows], radius[rows])
    return share


def window_overlap(window: Window, east: Array, north: Array) -> Array:
    """Give the area common to the window and itself shifted.

    Exact for a rectangle, and for a polygon while shifts × edges² stays below 1e8. Beyond that the overlap is read, bilinearly, from the
    set covariance of the window on a 1024 × 1024 grid, by FFT: its error is about 1e-6 of |W|, but up to 1e-3 for shifts below two cells.
    """
    west, south, right, top = window.bounds
    if shapely.equals(window.polygon, shapely.box(west, south, right, top)):
        return np.maximum(right - west - np.abs(east), 0) * np.maximum(top - south - np.abs(north), 0)
    a, b = oriented_edges(window)
    shift = np.column_stack([east, north])
    return _overlap(a, b, shift) if len(shift) * len(a) ** 2 <= EXACT else _gridded_overlap(window, shift)


def oriented_edges(window: Window) -> tuple[Array, Array]:
    """Give the start and end of every edge, (edges, 2) each, with the window's interior on the left."""
    starts, ends = [], []
    for part in shapely.get_parts(window.polygon):
        ring = shapely.geometry.polygon.orient(part)
        for line in (ring.exterior, *ring.interiors):
            xy = shapely.get_coordinates(line)
            starts.append(xy[:-1])
            ends.append(xy[1:])
    return np.concatenate(starts), np.concatenate(ends)


def _share(window: Window, a: Array, b: Array, origin: Array, radius: Array) -> Array:
    along = b - a
    squared = (along**2).sum(axis=1)
    from_start = origin[:, None] - a
    to_a = (from_start**2).sum(axis=2)
    to_b = ((origin[:, None] - b) ** 2).sum(axis=2)
    foot = np.clip((from_start * along).sum(axis=2) / squared, 0, 1)
    nearest = ((from_start - foot[..., None] * along) ** 2).sum(axis=2)
    nearest = np.minimum(nearest, np.minimum(to_a, to_b))
    limit = radius[:, None] ** 2
    pair, edge = np.nonzero((nearest <= limit) & (np.maximum(to_a, to_b) > limit))
    # which ends lie in the disc is decided once for each vertex, so that crossings in and out always balance around a ring
    a_in, b_in = to_a[pair, edge] <= limit[pair, 0], to_b[pair, edge] <= limit[pair, 0]
    centre = (from_start[pair, edge] * along[edge]).sum(axis=1) / squared[edge]
    off = to_a[pair, edge] - centre**2 * squared[edge]
    half = np.sqrt(np.maximum(limit[pair, 0] - off, 0) / squared[edge])
    angle = np.zeros(len(radius))
    for crosses, sign in ((~a_in, 1), (~b_in, -1)):
        k = np.flatnonzero(crosses)
        place = a[edge[k]] + np.clip(centre[k] - sign * half[k], 0, 1)[:, None] * along[edge[k]] - origin[pair[k]]
        angle += np.bincount(pair[k], sign * np.arctan2(place[:, 1], place[:, 0]), len(radius))
    share = np.mod(angle / (2 * np.pi), 1.0)
    # no crossing, or one that only touches: the circle lies wholly inside or wholly outside, and any of its points tells
    whole = np.flatnonzero((share < 1e-12) | (share > 1 - 1e-12))
    east, north = origin[whole, 0] + radius[whole] * np.cos(1.0), origin[whole, 1] + radius[whole] * np.sin(1.0)
    share[whole] = window.contains(east, north)
    return share


def _overlap(a: Array, b: Array, shift: Array) -> Array:
    """Give |W ∩ (W + h)| = −½ Σ_ef s_e s_f ∫ |y_e − y_f| dx over edges e of W and f of W + h, s the sign of the edge's run in x.

    An indicator is a signed sum of the areas below its edges; two such areas overlap in the area below the lower of the two edges, and
    min(p, q) = (p + q − |p − q|) / 2, of which the first two terms cancel around a ring.
    """
    slanted = a[:, 0] != b[:, 0]
    middle = a.mean(axis=0)  # heights are taken from here: far from the origin they would lose digits
    a, b = a[slanted] - middle, b[slanted] - middle
    sign = np.sign(b[:, 0] - a[:, 0])
    low, high = np.minimum(a[:, 0], b[:, 0]), np.maximum(a[:, 0], b[:, 0])
    slope = (b[:, 1] - a[:, 1]) / (b[:, 0] - a[:, 0])
    height = a[:, 1] - slope * a[:, 0]
    steeper, higher, signs = slope[:, None] - slope, height[:, None] - height, np.outer(sign, sign).ravel()
    result = np.empty(len(shift))
    step = max(1, CACHED // len(a) ** 2)
    for first in range(0, len(shift), step):
        dx, dy = (shift[first : first + step, k, None, None] for k in (0, 1))
        left = np.maximum(low[:, None], low + dx)
        width = np.maximum(np.minimum(high[:, None], high + dx) - left, 0)
        gap = steeper * left + (higher + (slope * dx - dy))
        end = gap + steeper * width
        size = np.abs(gap) + np.abs(end)
        # twice the mean of |linear| from gap to end, also where it crosses zero in between
        twice = size + 2 * np.minimum(gap * end, 0) / np.maximum(size, np.finfo(float).tiny)
        result[first : first + step] = -0.25 * ((width * twice).reshape(len(dx), -1) @ signs)
    return result


@lru_cache(maxsize=1)  # pairs come in chunks, all from one window
def _set_covariance(window: Window) -> tuple[Grid, Array]:
    grid = window.grid(shape=(CELLS, CELLS))
    east, north = grid.centres
    # the cells on the boundary count with the share of them that lies in the window: without it, edges along the grid add up their errors
    line = shapely.get_coordinates(shapely.segmentize(window.polygon.boundary, min(grid.dx, grid.dy)))
    rim = binary_dilation(grid.count(*line.T) > 0, np.ones((3, 3), bool))
    x, y, dx, dy = east[rim], north[rim], grid.dx / 2, grid.dy / 2
    share = grid.inside.astype(float)
    share[rim] = shapely.area(shapely.intersection(window.polygon, shapely.box(x - dx, y - dy, x + dx, y + dy))) / grid.cell_area
    return grid, fft.irfft2(np.abs(fft.rfft2(share, (2 * CELLS, 2 * CELLS))) ** 2, (2 * CELLS, 2 * CELLS)) * grid.cell_area


def _gridded_overlap(window: Window, shift: Array) -> Array:
    grid, covariance = _set_covariance(window)
    u, v = np.abs(shift[:, 0]) / grid.dx, shift[:, 1] * np.where(shift[:, 0] < 0, -1, 1) / grid.dy
    j, i = np.floor(u).astype(int), np.floor(v).astype(int)
    u, v = u - j, v - i
    j, right, i, up = j % (2 * CELLS), (j + 1) % (2 * CELLS), i % (2 * CELLS), (i + 1) % (2 * CELLS)
    lower = (1 - u) * covariance[i, j] + u * covariance[i, right]
    return (1 - v) * lower + v * ((1 - u) * covariance[up, j] + u * covariance[up, right])
