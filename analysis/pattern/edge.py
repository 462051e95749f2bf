"""Edge corrections for pairs of points in a window, whatever its shape.

References
----------
Ripley, B. D. (1977). Modelling spatial patterns. Journal of the Royal Statistical Society B 39, 172-212.
Ohser, J. & Stoyan, D. (1981). On the second-order and orientation analysis of planar stationary point processes. Biometrical
Journal 23, 523-533.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import fft
from shapely.geometry.polygon import orient

from .grid import Grid
from .window import Window

Array = NDArray[np.float64]


def circle_share(window: Window, easting: Array, northing: Array, radius: Array, *, chunk: int = 4_000_000) -> Array:
    """Give the share of each circle's length that lies in the window, exactly, holes and pieces included.

    A circle leaves and enters the window where it crosses a side. The angle inside is the sum of the angles at which it leaves less
    those at which it enters, modulo 2π; no sorting is needed. Cost: circles that reach the boundary × sides, in chunks.
    """
    share = np.ones(len(radius))
    reach = np.flatnonzero(window.boundary_distance(easting, northing) < radius)
    starts, sides = _sides(window)
    step = max(1, chunk // len(starts))
    for first in range(0, len(reach), step):
        rows = reach[first : first + step]
        centre = np.column_stack([easting[rows], northing[rows]])
        share[rows] = _share(window, centre, radius[rows], starts, sides)
    return share


def _sides(window: Window) -> tuple[Array, Array]:
    """Give the start and the vector of every side, the window on its left."""
    starts, sides = [], []
    for part in shapely.get_parts(window.polygon):
        turned = orient(part)
        for ring in (turned.exterior, *turned.interiors):
            corner = np.asarray(ring.coords)[:, :2]
            starts.append(corner[:-1])
            sides.append(np.diff(corner, axis=0))
    return np.concatenate(starts), np.concatenate(sides)


def _share(window: Window, centre: Array, radius: Array, starts: Array, sides: Array) -> Array:
    away = starts - centre[:, None]
    square = (sides**2).sum(axis=1)
    along = (away * sides).sum(axis=2)
    root = along**2 - square * ((away**2).sum(axis=2) - radius[:, None] ** 2)
    angle, crossed = np.zeros(len(radius)), np.zeros(len(radius), bool)
    circle, side = np.nonzero(root > 0)
    width, middle = np.sqrt(root[circle, side]), along[circle, side]
    # with the window on the left of a side, the farther crossing leads in and the nearer one out
    for sign in (-1.0, 1.0):
        t = (sign * width - middle) / square[side]
        on = (t >= 0) & (t < 1)
        at = away[circle[on], side[on]] + t[on, None] * sides[side[on]]
        angle -= sign * np.bincount(circle[on], np.arctan2(at[:, 1], at[:, 0]), len(radius))
        crossed[circle[on]] = True
    share = np.mod(angle, 2 * np.pi) / (2 * np.pi)
    whole = ~crossed
    share[whole] = window.contains(centre[whole, 0] + radius[whole], centre[whole, 1])
    return share


class SetCovariance:
    """Give |W ∩ (W + v)| for shifts v, from the window's cells by FFT.

    Parameters
    ----------
    window : Window
    cells : int
        Cells along each side of the bounding box. On 256 the error is below 0.2 % of |W| for windows without slivers.
    """

    def __init__(self, window: Window, cells: int = 256) -> None:
        grid = window.grid(shape=(cells, cells))
        shape = (2 * cells + 2, 2 * cells + 2)
        spectrum = fft.rfft2(grid.inside.astype(float), shape)
        overlap = fft.fftshift(fft.irfft2(np.abs(spectrum) ** 2, shape))
        self._overlap = overlap / grid.inside.sum() * window.area
        self._grid = Grid(-(cells + 1.5) * grid.dx, -(cells + 1.5) * grid.dy, grid.dx, grid.dy, np.ones(shape, bool))

    def __call__(self, east: Array, north: Array) -> Array:
        """Give the area common to the window and itself shifted."""
        return np.maximum(self._grid.interpolate(self._overlap, east, north), 0.0)
