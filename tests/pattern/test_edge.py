"""Shares of circles by hand, against spatstat, and on windows drawn carelessly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from analysis.pattern import Window, circle_share, window_overlap

R = json.loads((Path(__file__).parents[1] / "reference/models.json").read_text())


def test_circle_share_by_hand():
    """Side 10. Centre 1 from one side, radius 2: 2 arccos(1/2) of 2π is outside, a third. In the corner, a quarter is inside."""
    square = Window(box(0, 0, 10, 10))
    found = circle_share(square, np.array([1.0, 0.0, 5.0, 5.0]), np.array([5.0, 0.0, 5.0, 5.0]), np.array([2.0, 3.0, 1.0, 8.0]))
    assert found == pytest.approx([2 / 3, 1 / 4, 1, 0], abs=1e-12)
    ring = Window(Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(4, 4), (4, 6), (6, 6), (6, 4)]]))
    # a circle about the hole's rim: centre (4, 5), radius 0.5, half of it in the hole; one that surrounds the hole is all inside
    assert circle_share(ring, np.array([4.0, 5.0]), np.array([5.0, 5.0]), np.array([0.5, 3.0])) == pytest.approx([0.5, 1.0])


def test_circle_share_agrees_with_spatstat():
    window = Window(Polygon(list(zip(*R["outer"], strict=True)), [list(zip(*R["hole"], strict=True))]))
    e, n = np.array(R["x"][:20]), np.array(R["y"][:20])
    assert circle_share(window, e, n, np.full(20, 1.7)) == pytest.approx(np.array(R["circle_share"]), rel=1e-9)


@pytest.mark.parametrize("ring", [[(0, 0), (0, 10), (10, 10), (10, 0)], [(0, 0), (10, 0), (10, 0), (10, 10), (0, 10), (0, 10)]])
def test_clockwise_rings_and_repeated_vertices_change_nothing(ring):
    window = Window(Polygon(ring))
    assert circle_share(window, np.array([1.0]), np.array([5.0]), np.array([2.0])) == pytest.approx([2 / 3])
    assert window_overlap(window, np.array([3.0]), np.array([-4.0])) == pytest.approx([7 * 6])
