"""Near pairs against all pairs, overlaps of the window with itself against shapely's, and the table of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.affinity import rotate, translate
from shapely.geometry import Polygon, box

from analysis.pattern import Window, near, near_pairs, overlap, window_overlap

L_SHAPE = Window(Polygon([(0, 0), (8, 0), (8, 3), (3, 3), (3, 9), (0, 9)]))


def everything(a, b, reach, **options):
    found = list(near_pairs(a, b, reach, **options))
    assert all((i.dtype, j.dtype, d.dtype) == (np.intp, np.intp, float) for i, j, d in found)
    return sorted((int(i), int(j), float(d)) for chunk in found for i, j, d in zip(*chunk, strict=True))


def brute(a, b, reach, keep):
    d = np.hypot(*(a[:, None] - b).transpose(2, 0, 1))
    return sorted((int(i), int(j), float(d[i, j])) for i, j in zip(*np.nonzero(d <= reach), strict=True) if keep(i, j))


def agree(found, expected):
    assert [pair[:2] for pair in found] == [pair[:2] for pair in expected]
    assert [pair[2] for pair in found] == pytest.approx([pair[2] for pair in expected])


places = st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), max_size=40)


@given(places, places, st.sampled_from([0.5, 1.5, 7.3, 200.0]))
def test_every_near_pair_is_found_once(a, b, reach):
    a, b = (np.array(p, float).reshape(-1, 2) * 0.7 for p in (a, b))
    agree(everything(a, b, reach), brute(a, b, reach, lambda i, j: True))
    agree(everything(a, a, reach, same=True), brute(a, a, reach, lambda i, j: i != j))
    once = [(min(i, j), max(i, j), d) for i, j, d in everything(a, a, reach, same=True, once=True)]
    agree(sorted(once), brute(a, a, reach, lambda i, j: i < j))


def test_chunks_change_nothing(monkeypatch):
    points = np.random.default_rng(1).normal(0, 1, (300, 2))  # dense in one place
    whole = everything(points, points, 0.7, same=True)
    monkeypatch.setattr(near, "CANDIDATES", 500)
    assert everything(points, points, 0.7, same=True) == whole
    monkeypatch.setattr(near, "CELLS", 0.03)  # cells far wider than the reach
    assert everything(points, points, 0.7, same=True) == whole


def test_far_origins_and_nothing():
    points = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert everything(np.array([[1e9, -1e9], [0.0, 1.0]]), points, 1.0) == [(1, 0, 1.0)]
    assert everything(np.empty((0, 2)), points, 1.0) == everything(points, np.empty((0, 2)), 1.0) == []
    assert everything(points[:1].repeat(3, axis=0), points[:1].repeat(3, axis=0), 1e-9, same=True, once=True) == [
        (0, 1, 0),
        (0, 2, 0),
        (1, 2, 0),
    ]


def test_overlap_of_a_rectangle_by_hand():
    found = window_overlap(Window(box(10, 20, 14, 23)), np.array([0.0, 1, -1, 4, 9]), np.array([0.0, 2, 2, 0, 0]))
    assert found == pytest.approx([12, 3 * 1, 3 * 1, 0, 0], abs=1e-12)


@pytest.mark.parametrize(("reach", "tolerance", "turned"), [(2.9, 1e-12, 0), (2.9, 1e-12, 17), (6, 4e-3, 0)])
def test_the_table_is_exact_below_the_smallest_feature(monkeypatch, reach, tolerance, turned):
    """The L is 3 wide and its arms 5 and 6 long: no edges that are not neighbours come nearer than 3. Turned, no sector of equal width
    begins at its edges.
    """
    window = Window(rotate(L_SHAPE.polygon, turned))
    rng = np.random.default_rng(2)
    angle, radius = rng.uniform(0, 2 * np.pi, 400), reach * np.sqrt(rng.random(400))
    east, north = np.r_[0, 1, -1, 0, 0, radius * np.cos(angle)], np.r_[0, 0, 0, 1, -1, radius * np.sin(angle)]
    exact = [window.polygon.intersection(translate(window.polygon, *h)).area for h in zip(east, north, strict=True)]
    assert window_overlap(window, east, north) == pytest.approx(exact, abs=1e-10)
    monkeypatch.setattr(overlap, "FEW", 0)
    assert window_overlap(window, east, north) == pytest.approx(exact, abs=tolerance * window.area)
