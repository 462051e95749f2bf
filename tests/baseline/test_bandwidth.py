"""Bandwidth selectors against spatstat's own criteria on fine grids, by hand, and at their limits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from analysis.baseline import select_bandwidth
from analysis.baseline.bandwidth import cvl_criterion, likelihood_criterion
from analysis.pattern import AnalysisWarning, InputError, PointPattern, Window, circle_share, window_overlap

R = json.loads((Path(__file__).parents[1] / "reference/models.json").read_text())
WINDOW = Window(Polygon(list(zip(*R["outer"], strict=True)), [list(zip(*R["hole"], strict=True))]))
POINTS = PointPattern(R["x"], R["y"], WINDOW)


@pytest.mark.parametrize(("method", "tolerance"), [("diggle", 2e-3), ("likelihood", 2e-2), ("cvl", 1e-3), ("scott", 1e-12)])
def test_agrees_with_spatstat(method, tolerance):
    """Scott exactly. CvL to spatstat's grid of sigma (ratio 1.0007). Diggle to its grid of r, in 8192 steps. Likelihood to 2 %: its sigma
    come in steps of 1.1 %, and e(u) is read from pixels there and between cells here, where the criterion is flat.
    """
    assert select_bandwidth(POINTS, method=method) == pytest.approx(R[method][0], rel=tolerance)


def test_the_likelihood_criterion_is_spatstats():
    """−CV(σ) at seven σ: within 0.4 of values around 40, the sum over 128 points of how differently e(u) is read (0.3 % each)."""
    ours = [-likelihood_criterion(POINTS)(s) for s in R["likelihood_sigma"]]
    theirs = np.array(R["likelihood_cv"])
    assert ours == pytest.approx(theirs, abs=0.4)
    assert np.diff(ours) == pytest.approx(np.diff(theirs), abs=0.15)


def test_likelihood_optimum_is_the_global_one():
    criterion = likelihood_criterion(POINTS)
    best = select_bandwidth(POINTS, method="likelihood")
    grid = np.geomspace(0.05, 5, 120)
    assert criterion(best) <= min(map(criterion, grid)) + 1e-6
    assert criterion(best) <= min(criterion(best * 1.002), criterion(best / 1.002)) + 1e-9


def test_cvl_criterion_vanishes_at_its_bandwidth():
    h = select_bandwidth(POINTS, method="cvl")
    assert cvl_criterion(POINTS)(h) == pytest.approx(0, abs=2e-3 * WINDOW.area)


def test_diggle_against_the_criterion_written_out():
    """M(h) with K from all pairs, Ripley's weights, at 4,000 h: the choice is as good as the best of them."""
    n, lam = POINTS.n, POINTS.n / WINDOW.area
    i, j = (k.ravel() for k in np.indices((n, n)))
    i, j = i[i != j], j[i != j]
    e, y = POINTS.easting, POINTS.northing
    d = np.hypot(e[i] - e[j], y[i] - y[j])
    near = d < 2.5
    i, d = i[near], d[near]
    w = 1 / circle_share(WINDOW, e[i], y[i], d) * WINDOW.area / (n * (n - 1))

    def m(h):
        t = np.minimum(d / (2 * h), 1)
        overlap = 2 * h * h * (np.arccos(t) - t * np.sqrt(1 - t * t))
        area = np.pi * h * h
        return (1 / lam - 2 * w[d <= h].sum()) / area + (overlap * w).sum() / area**2

    chosen = 2 * select_bandwidth(POINTS, method="diggle")
    values = [m(h) for h in np.linspace(0.02, 1.24, 1500)]
    assert m(chosen * 1.0003) <= min(values) + 1e-3 * np.ptp(values[200:])


def test_scott_by_hand():
    """Four corners of a square of side 2: each deviation sqrt(4/3), times 4^(−1/6)."""
    points = PointPattern([1, 1, 3, 3], [1, 3, 1, 3], Window(box(0, 0, 4, 4)))
    assert select_bandwidth(points, method="scott") == pytest.approx(np.sqrt(4 / 3) * 4 ** (-1 / 6))


@pytest.mark.parametrize("method", ["diggle", "likelihood", "cvl", "scott"])
def test_scales_with_the_unit(method):
    big = Window(Polygon([(1000 * x, 1000 * y) for x, y in zip(*R["outer"], strict=True)]))
    small = Window(Polygon(list(zip(*R["outer"], strict=True))))
    here = select_bandwidth(PointPattern(R["x"], R["y"], small), method=method)
    there = select_bandwidth(PointPattern(1000 * np.array(R["x"]), 1000 * np.array(R["y"]), big), method=method)
    assert there == pytest.approx(1000 * here, rel=1e-3)


def test_corrections_agree(monkeypatch):
    """Above 1,000 points K takes translation in place of Ripley's correction: on one pattern they pick bandwidths within 5 %."""
    rng = np.random.default_rng(6)
    square = Window(box(0, 0, 10, 10))
    parents = rng.random((30, 2)) * 10
    xy = parents[rng.integers(0, 30, 800)] + rng.normal(0, 0.4, (800, 2))
    points = PointPattern(*xy[((xy > 0) & (xy < 10)).all(axis=1)].T, square)
    isotropic = select_bandwidth(points, method="diggle")
    monkeypatch.setattr("analysis.baseline.bandwidth.ISOTROPIC_MAX", 0)
    assert select_bandwidth(points, method="diggle") == pytest.approx(isotropic, rel=0.05)


def test_circle_share_by_hand():
    """Side 10. Centre 1 from one side, radius 2: 2 arccos(1/2) of 2π is outside, a third. In the corner, a quarter is inside."""
    square = Window(box(0, 0, 10, 10))
    found = circle_share(square, np.array([1.0, 0.0, 5.0, 5.0]), np.array([5.0, 0.0, 5.0, 5.0]), np.array([2.0, 3.0, 1.0, 8.0]))
    assert found == pytest.approx([2 / 3, 1 / 4, 1, 0], abs=1e-12)
    ring = Window(Polygon([(0, 0), (10, 0), (10, 10), (0, 10)], [[(4, 4), (4, 6), (6, 6), (6, 4)]]))
    # a circle about the hole's rim: centre (4, 5), radius 0.5, half of it in the hole; one that surrounds the hole is all inside
    assert circle_share(ring, np.array([4.0, 5.0]), np.array([5.0, 5.0]), np.array([0.5, 3.0])) == pytest.approx([0.5, 1.0])


def test_circle_share_agrees_with_spatstat():
    e, n = np.array(R["x"][:20]), np.array(R["y"][:20])
    assert circle_share(WINDOW, e, n, np.full(20, 1.7)) == pytest.approx(np.array(R["circle_share"]), rel=1e-9)


def test_set_covariance_of_a_square():
    """|W ∩ (W + v)| = (10 − |v1|)(10 − |v2|)."""
    square = Window(box(0, 0, 10, 10))
    v = np.array([[0.0, 0], [3, 0], [-2, 5], [4.4, -1.3], [12, 0]])
    expected = np.maximum(10 - np.abs(v[:, 0]), 0) * np.maximum(10 - np.abs(v[:, 1]), 0)
    assert window_overlap(square, v[:, 0], v[:, 1]) == pytest.approx(expected, abs=1e-9)


def test_limits():
    square = Window(box(0, 0, 10, 10))
    for e, n in (([], []), ([1.0], [1.0]), ([1, 2], [1, 2]), ([1, 1, 1, 2], [1, 1, 1, 2])):
        with pytest.raises(InputError, match="three places"):
            select_bandwidth(PointPattern(e, n, square), method="scott")
    with pytest.raises(InputError, match="diggle, likelihood, cvl or scott"):
        select_bandwidth(POINTS, method="silverman")
    with pytest.raises(InputError, match="near enough"):
        select_bandwidth(PointPattern([1, 9, 5], [1, 1, 9], square), method="diggle")
    lattice = PointPattern(*(c.ravel() for c in np.meshgrid(np.arange(0.5, 10), np.arange(0.5, 10))), square)
    with pytest.warns(AnalysisWarning, match="no bandwidth in the range"):
        assert select_bandwidth(lattice, method="cvl") > 0
    huddle = PointPattern([1, 1.01, 1.02], [1, 1, 1.01], square)
    with pytest.warns(AnalysisWarning, match="end of the range"):
        assert select_bandwidth(huddle, method="likelihood") == pytest.approx(0.01)
    with_twins = PointPattern([*R["x"], R["x"][0]], [*R["y"], R["y"][0]], WINDOW)
    assert np.isfinite(select_bandwidth(with_twins, method="likelihood"))
