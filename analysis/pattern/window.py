"""The window: the region in which every strike would have been seen."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.random import Generator, SeedSequence
from numpy.typing import ArrayLike, NDArray
from shapely.geometry import MultiPolygon, Polygon

from .errors import InputError
from .grid import Grid

if TYPE_CHECKING:
    import geopandas as gpd

Array = NDArray[np.float64]


class Window:
    """Hold an observation window: a polygon, with holes or in pieces, in a planar unit.

    Parameters
    ----------
    polygon : shapely Polygon or MultiPolygon
        Planar coordinates, metres by convention.
    crs : anything pyproj understands, optional
        The projected reference system, in metres; without it, points cannot be sent back to longitude and latitude.

    Raises
    ------
    InputError
        If the geometry is empty, not polygonal, invalid or without area, or the CRS is unknown, geographic or not in metres.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> Window(box(0, 0, 10, 10)).area
    100.0
    """

    def __init__(self, polygon: Polygon | MultiPolygon, crs: Any = None) -> None:
        if not isinstance(polygon, Polygon | MultiPolygon):
            raise InputError("a window must be a Polygon or MultiPolygon", value=type(polygon).__name__)
        if polygon.is_empty or not polygon.area > 0:
            raise InputError("a window must have an area above zero")
        if not polygon.is_valid:
            raise InputError("a window must be valid", value=shapely.is_valid_reason(polygon))
        if crs is not None:
            from pyproj import CRS
            from pyproj.exceptions import CRSError

            try:
                crs = CRS.from_user_input(crs)
            except CRSError:
                raise InputError("is not a reference system that pyproj knows", column="crs", value=crs) from None
            if not crs.is_projected or crs.axis_info[0].unit_conversion_factor != 1:
                raise InputError("a window must be in a projected CRS, in metres", column="crs", value=crs.name)
        shapely.prepare(polygon)
        self.polygon = polygon
        self.crs = crs

    @classmethod
    def from_geodataframe(cls, frame: gpd.GeoDataFrame, crs: Any = None) -> Window:
        """Make a window from all polygons of a GeoDataFrame, projected to UTM unless ``crs`` is given.

        Raises
        ------
        InputError
            If the frame has no rows or no CRS.
        """
        if len(frame) == 0:
            raise InputError("a window needs at least one polygon")
        if frame.crs is None:
            raise InputError("the polygons of a window need a CRS", column="crs")
        if crs is None:
            crs = frame.estimate_utm_crs() if frame.crs.is_geographic else frame.crs
        return cls(frame.to_crs(crs).geometry.union_all(), crs)

    @property
    def area(self) -> float:
        """Area in square units."""
        return float(self.polygon.area)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return self.polygon.bounds

    def contains(self, easting: ArrayLike, northing: ArrayLike) -> NDArray[np.bool_]:
        """Say which points lie in the window; a point on the boundary counts as inside."""
        return shapely.intersects_xy(self.polygon, np.asarray(easting, float), np.asarray(northing, float))

    def boundary_distance(self, easting: ArrayLike, northing: ArrayLike) -> Array:
        """Give the distance to the nearest boundary, holes included, for points on either side of it."""
        return shapely.distance(self.polygon.boundary, shapely.points(easting, northing))

    def grid(self, *, spacing: float | None = None, shape: tuple[int, int] | None = None) -> Grid:
        """Lay cells over the bounding box: square ones of side ``spacing``, or ``shape`` (rows, columns).

        A cell belongs to the window when its centre does.

        Raises
        ------
        InputError
            If neither or both are given, one is not above zero, there would be over 50 million cells, or no cell centre falls inside.
        """
        if (spacing is None) == (shape is None):
            raise InputError("give either spacing or shape")
        return self._grid(spacing, shape)

    @lru_cache(maxsize=8)  # noqa: B019  # baselines at many bandwidths lay one grid; it is small beside what is computed on it
    def _grid(self, spacing: float | None, shape: tuple[int, int] | None) -> Grid:
        west, south, east, north = self.bounds
        if shape is not None:
            rows, columns = shape
            if min(shape) < 1:
                raise InputError("shape must be above zero", value=shape)
            dx, dy = (east - west) / columns, (north - south) / rows
        else:
            assert spacing is not None
            if not spacing > 0:
                raise InputError("spacing must be above zero", value=spacing)
            dx = dy = float(spacing)
            columns, rows = int(np.ceil((east - west) / dx)), int(np.ceil((north - south) / dy))
        if rows * columns > 50_000_000:
            raise InputError("the grid would hold over 50 million cells; use a larger spacing", value=rows * columns)
        x, y = west + dx * (np.arange(columns) + 0.5), south + dy * (np.arange(rows) + 0.5)
        inside = self.contains(*np.meshgrid(x, y))
        if not inside.any():
            raise InputError("no cell centre lies in the window; use a smaller spacing", value=spacing or shape)
        inside.flags.writeable = False
        return Grid(west, south, dx, dy, inside, self.polygon)

    def sample(self, n: int, *, rng: int | SeedSequence | Generator) -> tuple[Array, Array]:
        """Draw ``n`` independent uniform points. Cost: n over the window's share of its bounding box."""
        rng = np.random.default_rng(rng)
        west, south, east, north = self.bounds
        share = self.area / ((east - west) * (north - south))
        places = np.empty((2, 0))
        while (missing := n - places.shape[1]) > 0:
            batch = int(missing / share * 1.1) + 16
            drawn = np.stack([rng.uniform(west, east, batch), rng.uniform(south, north, batch)])
            places = np.hstack([places, drawn[:, self.contains(*drawn)][:, :missing]])
        return places[0], places[1]

    def __repr__(self) -> str:
        return f"Window(area={self.area:.6g}, crs={self.crs.to_string() if self.crs else None})"
