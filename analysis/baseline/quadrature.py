"""Quadrature: nodes and weights that turn the likelihood of a point process into that of a weighted regression.

References
----------
Berman, M. & Turner, T. R. (1992). Approximating point process likelihoods with GLIM. Applied Statistics 41, 31-38. Baddeley, A.,
Coeurjolly, J.-F., Rubak, E. & Waagepetersen, R. (2014). Logistic regression for spatial Gibbs point processes. Biometrika 101, 377-392.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from ..pattern import Grid, InputError, PointPattern, Sites, Window
from ..pattern.errors import refuse_rows

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Quadrature:
    """Hold the nodes of a quadrature: the strikes and dummy points between them.

    Parameters
    ----------
    easting, northing : (m,) arrays
    weight : (m,) array
        The area each node stands for; together the area of the window. For Berman–Turner all are above zero; for the logistic method
        strikes may have none.
    is_data : (m,) bool array
        True for strikes, in the order of the point pattern.

    Raises
    ------
    InputError
        If lengths differ, a number is not finite or a weight negative, or there are no dummy points.
    """

    easting: Array
    northing: Array
    weight: Array
    is_data: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for name in ("easting", "northing", "weight"):
            values = np.asarray(getattr(self, name), float)
            object.__setattr__(self, name, values)
            if values.shape != np.shape(self.is_data) or values.ndim != 1:
                raise InputError("a quadrature needs one number for each node", column=name, value=values.shape)
            wrong = ~np.isfinite(values) | ((values < 0) & (name == "weight"))
            refuse_rows(wrong, "must be a finite number, and a weight not negative", column=name, values=values)
        object.__setattr__(self, "is_data", np.asarray(self.is_data, bool))
        if self.is_data.all():
            raise InputError("a quadrature needs dummy points", column="is_data")

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.weight)


def quadrature_for(points: PointPattern, *, dummy: int = 128, strikes_weigh: bool = True) -> Quadrature:
    """Lay one dummy point in each tile of the window and share the tile's area among the nodes in it.

    Parameters
    ----------
    points : PointPattern
    dummy : int
        Tiles along each side of the bounding box. The fit depends on it: double it and see.
    strikes_weigh : bool
        Counting weights for Berman–Turner; without, dummy points carry all the area, as the logistic method wants.

    Returns
    -------
    Quadrature
        The strikes in their order, then the dummy points.

    Notes
    -----
    Tiles are cut by the window exactly, so weights add up to |W|. A tile on the rim has its dummy point at the centre of what is left
    of it, or at a point inside when the centre is not. Cost: tiles, once for a window, + n.

    Raises
    ------
    InputError
        If ``dummy`` is not a whole number from 2 to 4,000.
    """
    if not (isinstance(dummy, int | np.integer) and 2 <= dummy <= 4000):
        raise InputError("must be a whole number from 2 to 4,000", column="dummy", value=dummy)
    tiles, area, easting, northing = _tiles(points.window, dummy)
    tile = np.flatnonzero(area > 0)
    own = tiles.cell(points.easting, points.northing)
    nodes = np.bincount(own, minlength=len(area)) if strikes_weigh else np.zeros(len(area))
    nodes[tile] += 1
    # a strike on the boundary may stand in a tile that only touches the window: it must weigh something, and next to nothing
    share = np.maximum(area, 1e-9 * tiles.cell_area) / np.maximum(nodes, 1)
    return Quadrature(
        np.r_[points.easting, easting[tile]],
        np.r_[points.northing, northing[tile]],
        np.r_[share[own] if strikes_weigh else np.zeros(points.n), share[tile]],
        np.r_[np.ones(points.n, bool), np.zeros(len(tile), bool)],
    )


@lru_cache(maxsize=4)  # every model of one window, and every refit, has the same tiles
def _tiles(window: Window, dummy: int) -> tuple[Grid, Array, Array, Array]:
    """Give the tiles, the area of each within the window, and a place in it."""
    west, south, east, north = window.bounds
    dx, dy = (east - west) / dummy, (north - south) / dummy
    # laid here, not by the window: of two tiles along a side no centre need lie in it
    tiles = Grid(west, south, dx, dy, np.zeros((dummy, dummy), bool), window.polygon)
    e, n = (c.ravel() for c in tiles.centres)
    area, rim = np.zeros(len(e)), tiles.crossed().ravel()
    area[~rim] = np.where(window.contains(e[~rim], n[~rim]), dx * dy, 0.0)
    sides = zip(e[rim] - dx / 2, n[rim] - dy / 2, e[rim] + dx / 2, n[rim] + dy / 2, strict=True)
    cut = np.array([shapely.clip_by_rect(window.polygon, *side) for side in sides])  # seven times as fast as intersection
    area[rim] = shapely.area(cut)
    left, cut = np.flatnonzero(rim)[area[rim] > 0], cut[area[rim] > 0]
    place = shapely.centroid(cut)
    astray = ~shapely.intersects(window.polygon, place)
    place[astray] = shapely.point_on_surface(cut[astray])
    e[left], n[left] = shapely.get_x(place), shapely.get_y(place)
    return tiles, area, e, n


def without_discs(points: PointPattern, sites: Sites, radius: float) -> tuple[PointPattern, NDArray[np.bool_]]:
    """Cut discs around sites out of the window, and the strikes in them out of the pattern: the donut for a fitted model.

    Gives the pattern and which strikes it keeps. Discs are polygons of 256 sides, whose area falls short of the circle's by 1e-4.

    Raises
    ------
    InputError
        If there are no sites, or nothing of the window is left.
    """
    discs = shapely.union_all(shapely.buffer(shapely.points(sites.easting, sites.northing), radius, quad_segs=64))
    left = points.window.polygon.difference(discs)
    if left.is_empty or left.area == 0:
        raise InputError("the discs around sites cover the whole window", column="exclude", value=radius)
    window = Window(left, points.window.crs)
    keep = (sites.distance(points.easting, points.northing) > radius) & window.contains(points.easting, points.northing)
    return PointPattern(points.easting[keep], points.northing[keep], window), keep
