"""Bandwidth selectors against spatstat's own criteria on fine grids, by hand, and at their limits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import Polygon, box

from analysis.baseline import select_bandwidth
from analysis.baseline.bandwidth import cvl_criterion, likelihood_criterion
from analysis.pattern import AnalysisWarning, InputError, PointPattern, Window, circle_share

R = json.loads((Path(__file__).parents[1] / "reference/models.json").read_text())
WINDOW = Window(Polygon(list(zip(*R["outer"], strict=True)), [list(zip(*R["hole"], strict=True))]))
POINTS = PointPattern(R["x"], R["y"], WINDOW)


@pytest.mark.parametrize(("method", "tolerance"), [("diggle", 2e-3), ("likelihood", 2e-2), ("cvl", 1e-3), ("scott", 1e-12)])
def test_agrees_with_spatstat(method, tolerance):
    """Scott exactly. CvL to spatstat's grid of sigma (ratio 1.0007). Diggle to its grid of r, in 8192 steps. Likelihood to 2 %: its sigma
    come in steps of 1.1 %, and e(u) is read from pixels there and between cells here, where the criterion is flat.
    """
    assert select_bandwidth(POINTS, method=method) == pytest.approx(R[method][0], rel=tolerance)


@pytest.fixture(scope="module")
def likelihood_at():
    return [-likelihood_criterion(POINTS)(s) for s in R["likelihood_sigma"]]


def test_the_likelihood_criterion_is_spatstats(likelihood_at):
    """−CV(σ) at seven σ: within 0.4, the sum over 128 points of how differently e(u) is read (0.3 % each). At σ = 3, a third of the
    window, spatstat's kernel ends at the window's width and is scaled up to sum to one: there the next test tells.
    """
    theirs = np.array(R["likelihood_cv"])
    assert likelihood_at == pytest.approx(theirs, abs=0.4)
    assert np.diff(likelihood_at)[:-1] == pytest.approx(np.diff(theirs)[:-1], abs=0.05)


def test_the_likelihood_criterion_written_out(likelihood_at):
    """Gaussians as sums over the cells of a 300 × 300 grid, without FFT: within 0.3, and its rise from σ to σ within 0.05."""
    grid = WINDOW.grid(shape=(300, 300))
    x, y = POINTS.easting, POINTS.northing
    squared = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    expected = []
    for s in R["likelihood_sigma"]:
        down, across = (np.exp(-0.5 * ((c[:, None] - c) / s) ** 2) / (np.sqrt(2 * np.pi) * s) for c in (grid.y, grid.x))
        edge = grid.cell_area * down @ grid.inside.astype(float) @ across
        integral = grid.cell_area * down @ np.where(grid.inside, 1 / edge, 0) @ across
        others = np.exp(-squared / (2 * s * s)).sum(axis=1) - 1
        log_intensity = np.log(others / (2 * np.pi * s * s * grid.interpolate(edge, x, y)))
        expected.append(log_intensity.sum() - grid.interpolate(integral, x, y).sum())
    assert likelihood_at == pytest.approx(expected, abs=0.3)
    assert np.diff(likelihood_at) == pytest.approx(np.diff(expected), abs=0.05)


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
    with pytest.raises(InputError, match="differ in easting and in northing"):
        select_bandwidth(PointPattern([1, 2, 3], [5, 5, 5], square), method="scott")


def test_a_lone_point_costs_what_its_distance_says():
    """One point 5 away from three together, h = 0.1: log of its Gaussian is −5²/(2·0.1²) = −1250, though in floating point it is zero."""
    points = PointPattern([2, 2.1, 2.2, 7.2], [5, 5, 5, 5], Window(box(0, 0, 10, 10)))
    assert likelihood_criterion(points)(0.1) == pytest.approx(1250, abs=15)


def test_every_strike_reported_twice():
    """No nearest neighbour stands apart: likelihood runs to the smallest distance of two places, Diggle's criterion to zero, and both say so.
    Cronie–van Lieshout's goes on: with every point doubled Σ 1/λ̂ is as before, so its bandwidth stays.
    """
    twice = PointPattern(2 * R["x"], 2 * R["y"], WINDOW)
    nearest = np.unique([np.hypot(POINTS.easting - x, POINTS.northing - y) for x, y in zip(R["x"], R["y"], strict=True)])[1]
    with pytest.warns(AnalysisWarning, match="end of the range"):
        assert select_bandwidth(twice, method="likelihood") == pytest.approx(nearest)
    assert select_bandwidth(twice, method="cvl") == pytest.approx(select_bandwidth(POINTS, method="cvl"), rel=2e-3)
    thrice = PointPattern(3 * R["x"], 3 * R["y"], WINDOW)
    with pytest.warns(AnalysisWarning, match="end of the range"):
        assert select_bandwidth(thrice, method="diggle") < 1e-4
