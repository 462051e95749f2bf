"""Point patterns: coordinates in a window, with one row of marks for each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .errors import InputError, refuse_rows
from .window import Window

if TYPE_CHECKING:
    import geopandas as gpd

Array = NDArray[np.float64]


def project(longitude: ArrayLike, latitude: ArrayLike, window: Window) -> tuple[Array, Array]:
    """Send WGS84 longitude and latitude (degrees) to the window's easting and northing.

    Raises
    ------
    InputError
        If the window has no CRS.
    """
    if window.crs is None:
        raise InputError("the window has no CRS, so longitude and latitude cannot be projected")
    from pyproj import Transformer

    transform = Transformer.from_crs("EPSG:4326", window.crs, always_xy=True)
    easting, northing = transform.transform(np.asarray(longitude, float), np.asarray(latitude, float))
    return np.asarray(easting, float), np.asarray(northing, float)


def label_codes(labels: ArrayLike, n: int, column: str = "attack") -> NDArray[np.intp]:
    """Give n strikes the number of their label, from 0 in order of appearance.

    Raises
    ------
    InputError
        For another number of labels, or one that is missing.
    """
    code = pd.factorize(np.asarray(labels, object))[0].astype(np.intp)  # as object, or a missing label becomes the text "nan"
    if len(code) != n or (code < 0).any():
        raise InputError("every strike needs a label", column=column, value=len(code))
    return code


class PointPattern:
    """Hold points inside a window.

    Parameters
    ----------
    easting, northing : (n,) arrays
        Coordinates in the window's unit.
    window : Window
    marks : DataFrame with n rows, optional

    Raises
    ------
    InputError
        If lengths differ, marks have not a row for each point, a coordinate is not finite, or a point lies outside the window: the row
        is named.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> PointPattern([1, 2], [3, 4], Window(box(0, 0, 10, 10))).n
    2
    """

    def __init__(self, easting: ArrayLike, northing: ArrayLike, window: Window, marks: pd.DataFrame | None = None) -> None:
        e, y = np.atleast_1d(np.asarray(easting, float)), np.atleast_1d(np.asarray(northing, float))
        if e.ndim != 1 or e.shape != y.shape:
            raise InputError("easting and northing must be one-dimensional and of one length", value=(e.shape, y.shape))
        if marks is not None and len(marks) != len(e):
            raise InputError("marks must have one row for each point", value=len(marks))
        for name, values in (("easting", e), ("northing", y)):
            refuse_rows(~np.isfinite(values), "must be a finite number", column=name, values=values)
        inside = window.contains(e, y)
        if not inside.all():
            row = int(np.flatnonzero(~inside)[0])
            raise InputError("the point lies outside the window", row=row + 1, value=(float(e[row]), float(y[row])))
        self.easting, self.northing, self.window = e, y, window
        self.marks = None if marks is None else marks.reset_index(drop=True)

    @classmethod
    def from_geodataframe(cls, frame: gpd.GeoDataFrame, window: Window) -> Self:
        """Project a GeoDataFrame of points into the window; its other columns become marks.

        Raises
        ------
        InputError
            If the window has a CRS and the frame none, or as for the pattern itself.
        """
        if window.crs is not None and frame.crs is None:
            raise InputError("the points need a CRS", column="crs")
        placed = frame.to_crs(window.crs) if window.crs is not None else frame
        return cls(placed.geometry.x, placed.geometry.y, window, pd.DataFrame(frame.drop(columns=frame.geometry.name)))

    def to_geodataframe(self) -> gpd.GeoDataFrame:
        """Give the points and marks as a GeoDataFrame, in WGS84 when the window has a CRS."""
        import geopandas as gpd

        points = gpd.points_from_xy(self.easting, self.northing)
        frame = gpd.GeoDataFrame(self.marks, geometry=points, crs=self.window.crs)
        return frame if self.window.crs is None else frame.to_crs("EPSG:4326")

    @property
    def n(self) -> int:
        """Number of points."""
        return len(self.easting)

    def subset(self, keep: NDArray[np.bool_]) -> Self:
        """Keep some of the points, with their marks."""
        marks = None if self.marks is None else self.marks[keep]
        return type(self)(self.easting[keep], self.northing[keep], self.window, marks)

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        return f"{type(self).__name__}(n={self.n}, marks={[] if self.marks is None else list(self.marks)})"
