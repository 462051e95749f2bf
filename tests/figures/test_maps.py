"""The map: how many strikes are shapes; scan clusters, the union of what is significant and nothing else."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from shapely.geometry import box

from analysis.figures import draw_map, draw_scan
from analysis.pattern import PointPattern, Sites, Window
from analysis.proximity import ScanResult


def test_very_many_strikes_are_a_picture_in_the_map():
    """A file of shapes grows with strikes; up to 3,000 are shapes, 3,001 are one image."""
    window, size = Window(box(0, 0, 9, 9)), {}
    for n in (1500, 3000, 3001):
        strikes = PointPattern(*np.random.default_rng(1).uniform(0, 9, (2, n)), window)
        drawing, content = Figure(), io.StringIO()
        draw_map(window, strikes, Sites([1.0], [1.0], window), drawing.add_subplot())
        drawing.savefig(content, format="svg")
        size[n] = content.getvalue().count("<use ")
    assert size[3000] - size[1500] == 1500
    assert size[3001] < size[1500]


def test_only_significant_clusters_and_their_union():
    """Discs of radius 1 at 0 and 1.5 overlap: one outline from -1 to 2.5. An ellipse at 10, three by one, upright, is a second; p = .4 is not drawn."""
    clusters = pd.DataFrame(
        {"easting": [0.0, 1.5, 10.0, 20.0], "northing": 0.0, "radius": 1.0, "shape": [1.0, 1.0, 3.0, 1.0], "angle": [0.0, 0.0, 90.0, 0.0],
         "p_value": [0.01, 0.02, 0.03, 0.4]}
    )  # fmt: skip
    ax = draw_scan(ScanResult(clusters, 9.0, 0.01, 0.01, "poisson", 99, "1", np.zeros(99)), Figure().add_subplot())
    boxes = sorted((line.get_xdata().min(), line.get_xdata().max(), line.get_ydata().max()) for line in ax.lines)
    assert boxes == [pytest.approx((-1, 2.5, 1), abs=0.01), pytest.approx((9, 11, 3), abs=0.01)]
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]
