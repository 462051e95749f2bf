"""The kernel baseline against R's spatstat, against sums written out, and in its properties."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm
from shapely.geometry import Polygon

from analysis.baseline import Kernel, Uniform, kernel_intensity, smooth, uniform_intensity, window_means
from analysis.baseline.gaussian_sums import gaussian_sums
from analysis.pattern import Grid, InputError, PointPattern, Sites, Window

R = json.loads((Path(__file__).parents[1] / "reference/spatstat.json").read_text())
WINDOW = Window(Polygon(list(zip(*R["outer"], strict=True)), [list(zip(*R["hole"], strict=True))]))
POINTS = PointPattern(R["x"], R["y"], WINDOW)
EDGES = {"uniform": "uniform", "diggle": "diggle", "none": None}


@pytest.mark.parametrize("name", EDGES)
def test_cells_agree_with_spatstat(name):
    """To 1e-12 on spatstat's own mask; its scan conversion marks 7 of 2,304 cells otherwise than the cell-centre rule."""
    box = WINDOW.grid(shape=(R["dim"], R["dim"]))
    mask = np.array(R["mask"], bool).reshape(box.shape)
    assert (mask != box.inside).sum() == 7
    grid = Grid(box.west, box.south, box.dx, box.dy, mask)
    values = Kernel(grid, R["sigma"], EDGES[name]).fit(POINTS.easting, POINTS.northing).values
    theirs = np.array([np.nan if v is None else v for v in R[name]]).reshape(box.shape)
    both = mask & ~np.isnan(theirs)
    assert both.sum() > 1400
    assert values[both] == pytest.approx(theirs[both], rel=1e-12)


@pytest.mark.parametrize(("name", "tolerance"), [("none", 1e-12), ("uniform", 6e-3), ("diggle", 2e-3)])
def test_leave_one_out_at_points_agrees_with_spatstat(name, tolerance):
    """Exact without edge correction; with it spatstat reads e(x) from the pixel and we interpolate, both at 512 × 512."""
    values = kernel_intensity(POINTS, R["sigma"], edge=EDGES[name], shape=(512, 512), at="points")
    assert values == pytest.approx(np.array(R[f"at_{name}"]), rel=tolerance)


def test_points_agree_with_the_sum_written_out():
    h = 1.3
    squared = (POINTS.easting[:, None] - POINTS.easting) ** 2 + (POINTS.northing[:, None] - POINTS.northing) ** 2
    k = np.exp(-squared / (2 * h * h)) / (2 * np.pi * h * h)
    expected = k.sum(axis=1) - np.diag(k)
    assert kernel_intensity(POINTS, h, edge=None, at="points") == pytest.approx(expected, rel=1e-12)
    with_self = kernel_intensity(POINTS, h, edge=None, at="points", leave_one_out=False)
    assert with_self == pytest.approx(k.sum(axis=1), rel=1e-12)


@pytest.mark.parametrize("bandwidth", [0.02, 0.3, 4.0])
def test_many_points_agree_with_all_pairs(bandwidth, monkeypatch):
    """The grid between Gaussians, and pairs, against every pair: 1e-6 relative, also where a point stands alone."""
    rng = np.random.default_rng(2)
    xy = np.vstack([rng.random((1500, 2)) * 10, [[12, 12], [12.05, 12]]])
    weight = 1 + rng.random(len(xy))
    squared = ((xy[:, None] - xy) ** 2).sum(axis=2)
    kernel = np.exp(-squared / (2 * bandwidth**2))
    exact = kernel @ weight - weight
    seen = exact > 1e-12
    for cost in (0, 1e9):  # on the grid, and by pairs
        monkeypatch.setattr("analysis.baseline.gaussian_sums.SPREAD", cost)
        monkeypatch.setattr("analysis.baseline.gaussian_sums.NODE", cost)
        tolerance = 1e-6 if cost == 0 else 1e-9
        assert gaussian_sums(xy, weight, bandwidth)[seen] == pytest.approx(exact[seen], rel=tolerance)


def test_the_far_side_does_not_wrap_around():
    """A pair 2.9 bandwidths apart, and 20,000 points 47.4 bandwidths away that an FFT without room would bring back to them. A pair 5
    bandwidths apart, too little for the grid's digits, is summed as it stands.
    """
    far = np.random.default_rng(1).normal((47.4, 0), 0.02, (20_000, 2))
    found = gaussian_sums(np.vstack([far, [[0, 0], [2.9, 0], [0, 20], [5, 20]]]), np.ones(20_004), 1.0)[-4:]
    assert found == pytest.approx(np.exp(-np.array([2.9, 2.9, 5, 5]) ** 2 / 2), rel=1e-5)


@pytest.mark.parametrize("bandwidth", [2.0, 5.0, 100.0])
def test_kernels_as_wide_as_the_window_agree_at_cells_and_points(bandwidth, square):
    """Without edge correction λ̂ is the sum written out; with it, the same at the centre cell and at the strike that stands there."""
    points = PointPattern([5.0, 3.0], [5.0, 6.0], square)
    written_out = (1 + np.exp(-5 / (2 * bandwidth**2))) / (2 * np.pi * bandwidth**2)
    for edge in (None, "uniform", "diggle"):
        cells = kernel_intensity(points, bandwidth, edge=edge, shape=(201, 201)).at(5, 5)
        at_points = kernel_intensity(points, bandwidth, edge=edge, shape=(201, 201), at="points", leave_one_out=False)
        assert cells == pytest.approx(at_points[0], rel=4e-3)  # the strike at (3, 6) is moved to its cell's centre
        if edge is None:
            assert at_points[0] == pytest.approx(written_out, rel=1e-12)


def test_edge_mass_is_that_of_a_half_plane():
    """In the middle of a window of 20 bandwidths 1, beside a straight side Φ(distance), in a corner its square. To 1e-4: cells of h/20."""
    square = Window(Polygon([(0, 0), (100, 0), (100, 100), (0, 100)]))
    grid = square.grid(shape=(400, 400))
    mass = Kernel(grid, 5.0).edge_mass
    assert grid.interpolate(mass, 50, 50) == pytest.approx(1, abs=1e-9)
    assert grid.interpolate(mass, 0.125, 50) == pytest.approx(norm.cdf(0.125 / 5), abs=1e-4)
    assert grid.interpolate(mass, 0.125, 0.125) == pytest.approx(norm.cdf(0.125 / 5) ** 2, abs=1e-4)


def test_diggle_keeps_the_mass_and_uniform_is_flat_for_flat_strikes(holed):
    grid = holed.grid(shape=(128, 128))
    e, n = holed.sample(60, rng=np.random.default_rng(3))
    assert Kernel(grid, 1.0, "diggle").fit(e, n).total == pytest.approx(60, rel=1e-10)
    everywhere = Kernel(grid, 1.0, "uniform").fit(*(c[grid.inside] for c in grid.centres))
    inside = everywhere.values[grid.inside]
    assert inside == pytest.approx(np.full(inside.shape, 1 / grid.cell_area), rel=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["uniform", "diggle", None, "donut", "flat"]))
def test_adjoint_is_refitting(seed, edge):
    """∫ f λ̂ = Σ w_i (A f)(x_i) for every estimator: the identity on which the refitted test rests."""
    rng = np.random.default_rng(seed)
    grid = WINDOW.grid(shape=(48, 40))
    sites = Sites([2.0], [3.0], WINDOW)
    estimator = {
        "flat": Uniform(grid),
        "donut": Kernel(grid, 1.0, "uniform", (sites, 0.8)),
    }.get(edge) or Kernel(grid, 0.9, edge)
    e, n = WINDOW.sample(20, rng=rng)
    cell = grid.cell(e, n)
    e, n = grid.centres[0].ravel()[cell], grid.centres[1].ravel()[cell]
    keep = grid.inside.ravel()[cell]
    e, n, weights = e[keep], n[keep], rng.uniform(0, 3, keep.sum())
    field = np.where(grid.inside, rng.uniform(-1, 1, grid.shape), 0)
    refitted = estimator.fit(e, n, weights).expected(field)
    additive = (weights * estimator.adjoint(field).ravel()[grid.cell(e, n)]).sum()
    assert additive == pytest.approx(refitted, rel=1e-9, abs=1e-9)


def test_donut_ignores_strikes_in_its_disc_and_says_so():
    sites = Sites([2.0], [3.0], WINDOW)
    grid = WINDOW.grid(shape=(100, 100))
    donut = Kernel(grid, 1.0, "uniform", (sites, 1.0))
    near = sites.distance(POINTS.easting, POINTS.northing) <= 1.0
    fitted = donut.fit(POINTS.easting, POINTS.northing)
    without = donut.fit(POINTS.easting[~near], POINTS.northing[~near])
    assert fitted.values == pytest.approx(without.values)
    assert fitted.at(2.0, 3.0) > 0
    # at the strikes kept, those left out might as well not be there
    given = {"exclude": (sites, 1.0), "shape": (100, 100), "at": "points"}
    kept = kernel_intensity(POINTS.subset(~near), 1.0, **given)
    assert kernel_intensity(POINTS, 1.0, **given)[~near] == pytest.approx(kept)
    found = donut.diagnose(POINTS.easting, POINTS.northing)
    assert found["window_share"] == pytest.approx(np.pi / WINDOW.area, rel=0.05)
    assert found["strike_share"] == pytest.approx(near.mean(), abs=0.04)
    assert found["extrapolated"] == pytest.approx(1.0, abs=0.15)


def test_window_mean_of_a_huge_error_is_the_windows_share():
    grid = WINDOW.grid(shape=(100, 100))
    field = np.where(grid.inside & (grid.centres[0] < 4), 1.0, 0.0)
    share = field[grid.inside].mean()
    huge = window_means(field, grid, [1e4])[0]
    assert huge[grid.inside] == pytest.approx(np.full(grid.inside.sum(), share), rel=1e-6)
    assert np.array_equal(window_means(field, grid, [0.0])[0], field)


def test_window_means_keep_the_order_of_their_bandwidths():
    """Averages of a plane's west half on three scales at once are those on each scale alone, and none is left outside the window."""
    grid = WINDOW.grid(shape=(60, 60))
    field = np.where(grid.inside & (grid.centres[0] < 4), 1.0, 0.0)
    scales = [0.3, 0.0, 2.0, 0.7]
    for scale, found in zip(scales, window_means(field, grid, scales), strict=True):
        assert found == pytest.approx(window_means(field, grid, [scale])[0], abs=1e-12)
        assert not found[~grid.inside].any()


@pytest.mark.parametrize("bandwidth", [0, -1, np.nan, np.inf])
def test_bandwidth_must_be_a_positive_number(bandwidth):
    with pytest.raises(InputError, match="positive number"):
        kernel_intensity(POINTS, bandwidth)


def test_refusals():
    grid = WINDOW.grid(shape=(20, 20))
    with pytest.raises(InputError, match="uniform, diggle or None"):
        Kernel(grid, 1.0, "periodic")
    with pytest.raises(InputError, match="donut needs the uniform"):
        Kernel(grid, 1.0, "diggle", (Sites([2.0], [3.0], WINDOW), 1.0))
    with pytest.raises(InputError, match="cover the whole window"):
        Kernel(grid, 1.0, "uniform", (Sites([2.0], [3.0], WINDOW), 100.0))
    with pytest.raises(InputError, match="does not reach into"):
        Kernel(grid, 0.3, "uniform", (Sites([5.0], [3.0], WINDOW), 3.5)).fit(POINTS.easting, POINTS.northing)
    with pytest.raises(InputError, match="cells or points"):
        kernel_intensity(POINTS, 1.0, at="pixels")


def test_few_points():
    one = PointPattern([2.0], [3.0], WINDOW)
    assert kernel_intensity(one, 1.0, at="points") == pytest.approx([0.0])
    none = PointPattern([], [], WINDOW)
    assert kernel_intensity(none, 1.0).total == 0
    assert len(kernel_intensity(none, 1.0, at="points")) == 0
    apart = gaussian_sums(np.array([[0.0, 0.0], [10.0, 0.0]]), np.array([1.0, 3.0]), 1.0)
    assert apart == pytest.approx([3 * np.exp(-50), np.exp(-50)], rel=1e-12, abs=0)
    twins = PointPattern([2.0, 2.0], [3.0, 3.0], WINDOW)
    assert kernel_intensity(twins, 1.0, edge=None, at="points") == pytest.approx([1 / (2 * np.pi)] * 2)


def test_uniform_is_n_over_area():
    assert uniform_intensity(POINTS).at(2, 3) == pytest.approx(POINTS.n / WINDOW.area, rel=5e-3)


def test_smoothing_shifts_with_its_field():
    grid = Window(Polygon([(0, 0), (64, 0), (64, 64), (0, 64)])).grid(shape=(64, 64))
    spike = np.zeros((64, 64))
    spike[32, 32] = 1
    shifted = np.zeros((64, 64))
    shifted[34, 31] = 1
    assert smooth(shifted, grid, 2.0)[20:50, 20:50] == pytest.approx(np.roll(smooth(spike, grid, 2.0), (2, -1), (0, 1))[20:50, 20:50])
