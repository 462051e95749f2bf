"""The share of a circle that a window lets one see, whatever the window's shape.

References
----------
Ripley, B. D. (1988). Statistical inference for spatial processes. Cambridge University Press, chapter 3.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from .window import Window

Array = NDArray[np.float64]
CHUNK = 2_000_000  # matrix entries held at once: about 100 MB with their temporaries


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


def oriented_edges(window: Window) -> tuple[Array, Array]:
    """Give the start and end of every edge, (edges, 2) each, with the window's interior on the left."""
    parts = shapely.get_parts(shapely.remove_repeated_points(window.polygon))  # an edge without length has no direction
    rings = [shapely.get_coordinates(ring) for part in parts for ring in shapely.get_rings(shapely.geometry.polygon.orient(part))]
    return np.concatenate([xy[:-1] for xy in rings]), np.concatenate([xy[1:] for xy in rings])


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
