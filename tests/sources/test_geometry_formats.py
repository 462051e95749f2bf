"""Windows, areas and covariates from GeoJSON, GeoPackage and Shapefile; a CRS that is missing or cannot be right."""

from __future__ import annotations

import geopandas as gpd
import pytest
from shapely.geometry import Point, box

from analysis.pattern import InputError
from analysis.sources import read_areas, read_features, read_polygons, read_window

KYIV = box(30.3, 50.3, 30.7, 50.6)
NAMES = {".geojson": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile"}


def write(folder, suffix, geometry=(KYIV,), crs="EPSG:4326", name="w", **columns):
    path = folder / f"{name}{suffix}"
    gpd.GeoDataFrame({"name_en": [f"a{i}" for i in range(len(geometry))], **columns}, geometry=list(geometry), crs=crs).to_file(
        path, driver=NAMES[suffix]
    )
    return path


@pytest.mark.parametrize("suffix", NAMES)
def test_the_same_window_from_every_format(tmp_path, suffix):
    """28.4 km by 33.4 km: 0.4° of longitude at 50.45° N is 0.4 × 111.32 × cos 50.45° = 28.35 km, 0.3° of latitude 33.4 km."""
    window = read_window(write(tmp_path, suffix))
    assert window.area / 1e6 == pytest.approx(28.35 * 33.4, rel=0.01)
    assert window.crs.to_epsg() == 32636


@pytest.mark.parametrize("suffix", [".gpkg", ".shp"])
def test_a_projected_window_keeps_its_crs(tmp_path, suffix):
    path = write(tmp_path, suffix, gpd.GeoSeries([KYIV], crs=4326).to_crs(32635), crs="EPSG:32635")
    assert read_window(path).crs.to_epsg() == 32635  # Kyiv lies half a degree east of this zone, which is allowed


def test_areas_from_a_geopackage(tmp_path):
    window = read_window(write(tmp_path, ".geojson"))
    areas = read_areas(write(tmp_path, ".gpkg", (box(30.3, 50.3, 30.5, 50.6), box(30.5, 50.3, 30.7, 50.6)), name="a"), window)
    assert set(areas) == {"a0", "a1"}
    assert sum(area.area for area in areas.values()) == pytest.approx(window.area, rel=1e-4)


def test_features_of_any_kind(tmp_path):
    frame = read_features(write(tmp_path, ".gpkg", (Point(30.5, 50.4), KYIV)))
    assert list(frame.geometry.geom_type) == ["Point", "Polygon"]
    with pytest.raises(InputError, match="must hold polygons only"):
        read_polygons(tmp_path / "w.gpkg")


def test_a_missing_crs_is_refused_except_in_geojson(tmp_path):
    path = write(tmp_path, ".shp")
    (tmp_path / "w.prj").unlink()
    with pytest.raises(InputError, match=r"w\.shp, column crs: needs a CRS \(a \.prj file beside a Shapefile\)"):
        read_window(path)
    (tmp_path / "plain.geojson").write_text(gpd.GeoSeries([KYIV]).to_json())
    assert read_window(tmp_path / "plain.geojson").crs.to_epsg() == 32636


@pytest.mark.parametrize(
    ("geometry", "crs", "said"),
    [
        (KYIV, "EPSG:32636", "the coordinates look like degrees, but the CRS is WGS 84 / UTM zone 36N"),
        (box(318_000, 5_575_000, 347_000, 5_609_000), "EPSG:4326", "the coordinates are no degrees, but the CRS is WGS 84"),
        (box(5_575_000, 318_000, 5_609_000, 347_000), "EPSG:32636", "the coordinates lie outside the area of their CRS"),
        (box(318_000, 5_575_000, 347_000, 5_609_000), "EPSG:27700", "the coordinates lie outside the area of their CRS"),
    ],
    ids=["degrees called metres", "metres called degrees", "axes turned", "another country's grid"],
)
def test_a_wrong_crs_is_refused(tmp_path, geometry, crs, said):
    with pytest.raises(InputError, match=rf"w\.gpkg, column crs, value '.*': {said}"):
        read_window(write(tmp_path, ".gpkg", (geometry,), crs=crs))


def test_several_layers(tmp_path):
    path = write(tmp_path, ".gpkg")
    gpd.GeoDataFrame(geometry=[KYIV], crs=4326).to_file(path, layer="second", driver="GPKG")
    with pytest.raises(InputError, match=r"w\.gpkg, value 'w, second': must hold one layer"):
        read_features(path)


def test_not_of_the_format(tmp_path):
    for name, content, said in (
        ("w.csv", b"a,b\n", "must be GeoJSON"), ("w.gpkg", b"SQLite format 3\0", "cannot be read as polygons"),
        ("w.shp", b"\0\0\x27\x0a", "cannot be read as polygons"), ("w.geojson", b'{"type":"FeatureCollection","features":[]}', "must hold"),
        ("n.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}', "row 1: must have a geometry"),
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=said) as caught:
            read_polygons(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="the file does not exist"):
        read_features(tmp_path / "none.gpkg")
