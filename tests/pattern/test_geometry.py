from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box

from analysis.pattern import InputError, Intensity, PointPattern, Sites, Window, label_codes

COORDINATE = st.floats(0, 10, allow_nan=False)


def test_window_with_a_hole_in_pieces():
    pieces = MultiPolygon([box(0, 0, 2, 2), Polygon([(4, 0), (8, 0), (8, 4), (4, 4)], [[(5, 1), (6, 1), (6, 2), (5, 2)]])])
    window = Window(pieces)
    assert window.area == 4 + 16 - 1
    inside = window.contains([1, 3, 5.5, 7, 2], [1, 1, 1.5, 3, 1])
    assert inside.tolist() == [True, False, False, True, True]  # the last lies on the boundary
    # from (7, 3) the outer boundary is 1 away, the hole's corner (6, 2) is sqrt(2); from (5.5, 1.5) the hole's side is 0.5
    assert window.boundary_distance([7, 5.5], [3, 1.5]) == pytest.approx([1, 0.5])


@pytest.mark.parametrize(
    ("polygon", "rule"),
    [
        (Polygon(), "area above zero"),
        (Polygon([(0, 0), (4, 4), (4, 0), (0, 1)]), "must be valid"),
        (box(0, 0, 1, 1).boundary, "Polygon or MultiPolygon"),
    ],
)
def test_window_refuses(polygon, rule):
    with pytest.raises(InputError, match=rule):
        Window(polygon)


@pytest.mark.parametrize(
    ("crs", "rule"),
    [("EPSG:4326", "projected CRS, in metres"), ("EPSG:2263", "projected CRS, in metres"), ("EPSG:nine", "value 'EPSG:nine': .*pyproj knows")],
)
def test_window_refuses_degrees_feet_and_nonsense(crs, rule):
    with pytest.raises(InputError, match=rule):
        Window(box(30, 50, 31, 51), crs=crs)


@pytest.mark.parametrize(
    ("size", "rule"),
    [
        ({}, "either spacing or shape"),
        ({"spacing": 1.0, "shape": (2, 2)}, "either spacing or shape"),
        ({"spacing": 0.0}, "spacing must be above zero"),
        ({"shape": (0, 5)}, "shape must be above zero"),
        ({"spacing": 1e-3}, "50 million cells"),
    ],
)
def test_grid_refuses(square, size, rule):
    with pytest.raises(InputError, match=rule):
        square.grid(**size)


def test_a_grid_that_misses_the_window():
    """Two slivers along the sides of a box: the one centre lies between them."""
    with pytest.raises(InputError, match="no cell centre"):
        Window(MultiPolygon([box(0, 0, 1, 10), box(9, 0, 10, 10)])).grid(shape=(1, 1))


def test_cells_cover_the_window(holed):
    grid = holed.grid(spacing=0.05)
    assert grid.integral(np.ones(grid.shape)) == pytest.approx(holed.area, rel=2e-3)
    e, n = grid.centres
    assert np.array_equal(grid.cell(e, n), np.arange(e.size).reshape(e.shape))


@given(COORDINATE, COORDINATE)
def test_interpolation_is_exact_for_planes(e, n):
    grid = Window(box(0, 0, 10, 10)).grid(shape=(40, 50))
    x, y = grid.centres
    clipped = np.clip(e, x.min(), x.max()), np.clip(n, y.min(), y.max())
    assert grid.interpolate(2 * x - 3 * y + 1, e, n) == pytest.approx(2 * clipped[0] - 3 * clipped[1] + 1, abs=1e-9)


def test_points_counted_by_cell_by_hand(square):
    """Cells of side 5: two strikes in the south-west, the one on the far corner in the north-east."""
    grid = square.grid(shape=(2, 2))
    assert grid.count([1, 2, 10], [1, 4.9, 10]).tolist() == [[2, 0], [0, 1]]
    assert grid.count([1, 2, 10], [1, 4.9, 10], [0.5, 2, 3]).tolist() == [[2.5, 0], [0, 3]]
    assert grid.count([], []).sum() == 0


def test_sample_lies_inside_and_is_uniform(holed):
    e, n = holed.sample(4000, rng=np.random.default_rng(1))
    assert len(e) == 4000
    assert holed.contains(e, n).all()
    west = holed.polygon.intersection(box(0, 0, 5, 10)).area / holed.area
    assert (e < 5).mean() == pytest.approx(west, abs=4 * np.sqrt(west * (1 - west) / 4000))
    assert np.array_equal(holed.sample(9, rng=3), holed.sample(9, rng=np.random.default_rng(3)))
    assert [len(axis) for axis in holed.sample(0, rng=3)] == [0, 0]


def test_points_name_the_row_at_fault(square):
    with pytest.raises(InputError, match=r"row 2.*outside the window"):
        PointPattern([1, 11], [1, 1], square)
    with pytest.raises(InputError, match=r"row 1, column northing.*finite"):
        PointPattern([1], [np.nan], square)
    with pytest.raises(InputError, match="one length"):
        PointPattern([1, 2], [1], square)
    with pytest.raises(InputError, match="one row for each point"):
        PointPattern([1, 2], [1, 2], square, pd.DataFrame({"weapon": ["a"]}))


def test_labels_are_numbered_as_they_appear_and_none_may_be_missing():
    assert label_codes(["b", "a", "b"], 3).tolist() == [0, 1, 0]
    assert label_codes(pd.Series([7, 3], dtype="Int64"), 2).tolist() == [0, 1]
    for labels in (["a", None], ["a", np.nan], pd.Series(["a", pd.NA], dtype="string"), ["a"]):
        with pytest.raises(InputError, match=r"column day.*every strike needs a label"):
            label_codes(labels, 2, "day")


def test_geodataframe_in_and_out(kyiv):
    located = kyiv.strikes.points(kyiv.strikes.located(300))
    frame = located.to_geodataframe()
    assert frame.crs == "EPSG:4326"
    back = PointPattern.from_geodataframe(frame, kyiv.window)
    assert back.easting == pytest.approx(located.easting, abs=1e-3)  # a millimetre
    assert list(back.marks["strike_id"]) == list(located.marks["strike_id"])
    with pytest.raises(InputError, match="need a CRS"):
        PointPattern.from_geodataframe(gpd.GeoDataFrame(geometry=gpd.points_from_xy([30.5], [50.4])), kyiv.window)


@given(st.lists(st.tuples(COORDINATE, COORDINATE), min_size=2, max_size=12), COORDINATE, COORDINATE)
def test_another_site_never_lengthens_the_nearest_distance(places, e, n):
    window = Window(box(0, 0, 10, 10))
    x, y = np.array(places).T
    assert Sites(x, y, window).distance(e, n) <= Sites(x[:-1], y[:-1], window).distance(e, n)


def test_no_sites(square):
    with pytest.raises(InputError, match="no sites"):
        Sites([], [], square).distance(1, 1)


def test_buildings_by_hand(square):
    """Two missions in house b, at their mean, with the larger uncertainty and both names once; one alone in a."""
    marks = pd.DataFrame({"building_id": ["b", "a", "b", "b"], "sending_state": ["Y", "Z", "X", "Y"], "uncertainty_m": [10, 5, 30, 20]})
    sites = Sites([1, 8, 3, 2], [4, 8, 6, 2], square, marks)
    found = sites.buildings()
    assert found.marks.to_dict("list") == {"building_id": ["a", "b"], "sites": [1, 3], "names": ["Z", "X, Y"], "uncertainty_m": [5, 30]}
    assert (found.easting.tolist(), found.northing.tolist()) == ([8, 2], [8, 4])
    assert sites.buildings(by="sending_state").marks["names"].tolist() == ["X", "Y", "Z"]
    with pytest.raises(InputError, match="collapsed to buildings"):
        sites.buildings(by="house")
    with pytest.raises(InputError, match="row 2, column building_id"):
        Sites(sites.easting, sites.northing, square, marks.replace("a", None)).buildings()


def test_six_missions_in_one_house_are_one_building(kyiv):
    buildings = kyiv.sites.buildings()
    assert (kyiv.sites.n, buildings.n) == (84, 73)
    assert buildings.marks["sites"].max() == 7


def test_intensity_refuses_what_is_none(square):
    grid = square.grid(shape=(4, 4))
    with pytest.raises(InputError, match="finite and not negative"):
        Intensity(np.full((4, 4), -1.0), grid, "x")
    with pytest.raises(InputError, match="shape of its grid"):
        Intensity(np.ones((3, 4)), grid, "x")
    assert Intensity(np.ones((4, 4)), grid, "x").total == pytest.approx(100)


def test_a_point_in_a_rim_cell_reads_the_nearest_cell_of_the_window():
    """A window of 1.4 × 1 on unit cells laid over 2 × 1: the second centre, 1.5, is outside, so a point at 1.3 reads the first cell."""
    grid = Window(box(0, 0, 1.4, 1)).grid(spacing=1.0)
    assert grid.inside.tolist() == [[True, False]]
    assert grid.cell([1.3], [0.5]).tolist() == [1]
    assert grid.inside_cell([1.3, 0.2], [0.5, 0.5]).tolist() == [0, 0]
    flat = Intensity(np.array([[3.0, 0.0]]), grid, "flat").times(2, "doubled")
    assert (flat.at(1.3, 0.5), flat.total, flat.name) == (6, 6, "doubled")
    assert Sites([0.5], [0.5], Window(box(0, 0, 1.4, 1))).distance_in(grid).tolist() == [[0, np.inf]]


def test_no_place_drawn_in_a_cell_off_the_rim_lies_outside():
    """A spike into the window between cell centres: its cell has all four neighbours inside, and is cut all the same."""
    spiked = Window(Polygon([(0, 0), (10, 0), (10, 10), (5.2, 10), (5.1, 2.3), (5.0, 10), (0, 10)]))
    grid = spiked.grid(shape=(10, 10))
    i, j = np.nonzero(grid.inside & ~grid.rim)
    assert len(i) > 50
    for de, dn in ((0, 0), (1, 0), (0, 1), (1, 1), (0.1, 0.5), (0.15, 0.99)):
        assert spiked.contains(j + de, i + dn).all()
    assert grid.inside[5, 5] and grid.rim[5, 5] and grid.rim[0, 0]
