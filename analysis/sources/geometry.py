"""Read windows, areas and covariates from GeoJSON, GeoPackage or Shapefile, and place longitude and latitude in a window."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely.ops
from pyogrio.errors import DataLayerError, DataSourceError, FieldError
from pyproj import Transformer
from shapely.errors import ShapelyError
from shapely.geometry import MultiPolygon, Polygon

from ..pattern import InputError, Window, project

FORMATS = (".geojson", ".json", ".gpkg", ".shp")
# degrees by which a shape may leave the area its CRS is made for: a city at the edge of a UTM zone does
USE_TOLERANCE = 3.0


def read_features(path: Path) -> gpd.GeoDataFrame:
    """Read the features of a GeoJSON, GeoPackage or Shapefile, with a CRS that their coordinates fit.

    Raises
    ------
    InputError
        If the file is missing, is of another format, cannot be read, holds no or several layers, no feature or one without geometry, or
        if the CRS is missing (GeoJSON is WGS84 by its standard) or cannot be theirs.
    """
    if not path.is_file():
        raise InputError("the file does not exist", file=path)
    if path.suffix.lower() not in FORMATS:
        raise InputError("must be GeoJSON (.geojson, .json), GeoPackage (.gpkg) or Shapefile (.shp)", file=path.name)
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        if len(layers) != 1:
            raise InputError("must hold one layer", file=path.name, value=", ".join(layers))
        frame = gpd.read_file(path)
    except (DataSourceError, DataLayerError, FieldError, ShapelyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"cannot be read as polygons ({error})", file=path.name) from None
    if not isinstance(frame, gpd.GeoDataFrame) or len(frame) == 0:
        raise InputError("must hold features", file=path.name)
    without = np.flatnonzero(frame.geometry.isna() | frame.geometry.is_empty)
    if len(without):
        raise InputError("must have a geometry", file=path.name, row=int(without[0]) + 1)
    _check_crs(frame, path)
    return frame


def _check_crs(frame: gpd.GeoDataFrame, path: Path) -> None:
    crs = frame.crs
    if crs is None:
        rule = "needs a CRS (a .prj file beside a Shapefile)"
        raise InputError(rule, file=path.name, column="crs")
    west, south, east, north = (float(value) for value in frame.total_bounds)
    shown = f"{west:.6g}, {south:.6g}, {east:.6g}, {north:.6g}"
    degrees = west >= -180 and east <= 180 and south >= -90 and north <= 90
    if crs.is_geographic:
        if not degrees:
            raise InputError(f"the coordinates are no degrees, but the CRS is {crs.name}", file=path.name, column="crs", value=shown)
        return
    if degrees:
        raise InputError(f"the coordinates look like degrees, but the CRS is {crs.name}", file=path.name, column="crs", value=shown)
    use = crs.area_of_use
    if use is None:
        return
    box = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform_bounds(west, south, east, north)
    inside = box[0] >= use.west - USE_TOLERANCE and box[2] <= use.east + USE_TOLERANCE
    if not (inside and box[1] >= use.south - USE_TOLERANCE and box[3] <= use.north + USE_TOLERANCE):
        raise InputError(f"the coordinates lie outside the area of their CRS, {crs.name}", file=path.name, column="crs", value=shown)


def read_polygons(path: Path) -> gpd.GeoDataFrame:
    """Read polygons, as :func:`read_features` does.

    Raises
    ------
    InputError
        As :func:`read_features`, or if a feature is anything but a valid polygon.
    """
    frame = read_features(path)
    if not frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"]).all():
        raise InputError("must hold polygons only", file=path.name)
    if not frame.is_valid.all():
        raise InputError("must be a valid polygon", file=path.name, row=int(np.flatnonzero(~frame.is_valid)[0]) + 1)
    return frame


def read_window(path: Path) -> Window:
    """Read a window from a file of polygons; into its UTM zone unless it is projected already."""
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
