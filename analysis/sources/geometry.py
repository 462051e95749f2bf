"""Read windows and areas from GeoJSON, and place longitude and latitude in a window."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely.ops
from pyogrio.errors import DataSourceError
from shapely.geometry import MultiPolygon, Polygon

from ..pattern import InputError, Window, project


def read_polygons(path: Path) -> gpd.GeoDataFrame:
    """Read a GeoJSON file of polygons.

    Raises
    ------
    InputError
        If the file is missing, cannot be read, or holds anything but valid polygons with a CRS.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    try:
        frame = gpd.read_file(path)
    except (DataSourceError, ValueError) as error:
        raise InputError(f"cannot be read as polygons ({error})", file=path.name) from None
    if len(frame) == 0 or not frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise InputError("must hold polygons only", file=path.name)
    if not frame.is_valid.all():
        raise InputError("must be a valid polygon", file=path.name, row=int(np.flatnonzero(~frame.is_valid)[0]) + 1)
    return frame


def read_window(path: Path) -> Window:
    """Read a window from GeoJSON into its UTM zone."""
    frame = read_polygons(path)
    try:
        return Window.from_geodataframe(frame)
    except InputError as error:
        raise InputError(error.rule, file=path.name, column=error.column, value=error.value) from None


def read_areas(path: Path, window: Window, name: str = "name_en") -> dict[str, Polygon | MultiPolygon]:
    """Read named areas (raions) into the window's CRS.

    Raises
    ------
    InputError
        As :func:`read_polygons`, or if the name is missing or repeated.
    """
    frame = read_polygons(path).to_crs(window.crs)
    if name not in frame or frame[name].duplicated().any() or frame[name].isna().any():
        raise InputError("every area needs a name of its own", file=path.name, column=name)
    return dict(zip(frame[name], frame.geometry, strict=True))


def place(frame: pd.DataFrame, window: Window, file: str, identifier: str, *, tolerance: float = 0.0) -> pd.DataFrame:
    """Replace longitude and latitude by easting and northing, checking that every placed row lies in the window.

    A point outside by no more than ``tolerance`` (metres), as a simplified outline may leave it, is moved onto the boundary; the new
    column ``moved_m`` says how far.

    Raises
    ------
    InputError
        Naming the row, for a point outside the window; it says so when the two coordinates look swapped.
    """
    easting, northing = project(frame["longitude"], frame["latitude"], window)
    placed = np.flatnonzero(frame["longitude"].notna() & frame["latitude"].notna())
    moved = np.zeros(len(frame))
    out = placed[~window.contains(easting[placed], northing[placed])]
    moved[out] = window.boundary_distance(easting[out], northing[out])
    near = out[moved[out] <= tolerance]
    moved[np.setdiff1d(out, near)] = 0.0
    for row in near:  # a handful at most: the rim of the outline
        inner = window.polygon.buffer(-1.0)
        landing, _ = shapely.ops.nearest_points(inner, shapely.Point(easting[row], northing[row]))
        easting[row], northing[row] = landing.x, landing.y
    outside = placed[~window.contains(easting[placed], northing[placed])]
    if len(outside):
        row = int(outside[0])
        at = frame.iloc[row]
        swapped = window.contains(*project([at["latitude"]], [at["longitude"]], window))[0]
        rule = "latitude and longitude look swapped" if swapped else "the point lies outside the window"
        value = f"{at[identifier]} ({at['longitude']}, {at['latitude']})"
        raise InputError(rule, file=file, row=row + 1, column="longitude, latitude", value=value)
    missing = ~np.isin(np.arange(len(frame)), placed)
    return frame.drop(columns=["longitude", "latitude"]).assign(
        easting=np.where(missing, np.nan, easting), northing=np.where(missing, np.nan, northing), moved_m=moved
    )
