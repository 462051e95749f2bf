"""Relative risk: against sparr and spatstat, exact sums, equal inputs, bandwidths and tolerance contours."""

from __future__ import annotations

import json

import numpy as np
import pytest
from shapely.geometry import Polygon

from analysis.pattern import InputError, PointPattern, Window
from analysis.proximity import relabelled_p, relative_risk, risk_bandwidth
from analysis.proximity.relative_risk import _bandwidths, _pooled
from analysis.proximity.risk_bandwidth import least_squares_criterion, likelihood_criterion


@pytest.fixture(scope="module")
def reference(root):
    r = json.loads((root / "tests/reference/focused.json").read_text())["risk"]
    window = Window(Polygon(list(zip(r["outer_x"], r["outer_y"], strict=True))))
    return r, PointPattern(r["cases_x"], r["cases_y"], window), PointPattern(r["controls_x"], r["controls_y"], window)


def compared(ours, theirs, shape):
    """Both maps in their common cells. spatstat's mask of a polygon differs from ours in a few cells of the rim."""
    other = np.array([np.nan if v is None else v for v in theirs], float).reshape(shape)
    both = np.isfinite(ours) & np.isfinite(other)
    assert both.sum() > 0.97 * np.isfinite(other).sum()
    return ours[both], other[both]


def test_fixed_agrees_with_spatstat_and_sparr(reference):
    """The log ratio to 0.02 in the mean and 0.1 at worst: all three smooth on 48 × 48 cells, on masks that differ at the rim."""
    r, cases, controls = reference
    shape = (r["dim"], r["dim"])
    found = relative_risk(cases, controls, r["h"], shape=shape)
    ours, sparr = compared(found.log_risk, r["fixed"], shape)
    assert np.abs(ours - sparr).mean() < 0.01 and np.abs(ours - sparr).max() < 0.08
    spatstat = np.log(np.array([np.nan if v is None else v for v in r["relrisk"]], float)) - np.log(cases.n / controls.n)
    ours, theirs = compared(found.log_risk, spatstat, shape)
    assert np.abs(ours - theirs).mean() < 0.01 and np.abs(ours - theirs).max() < 0.08
    p, theirs = compared(found.p_value, r["fixed_p"], shape)
    assert np.abs(p - theirs).max() < 0.03


@pytest.mark.parametrize("pilot", ["own", "pooled"])
def test_adaptive_agrees_with_sparr(reference, pilot):
    """sparr takes points where they are, we at cell centres, here a third as wide: the log ratio to 0.02 in the mean and 0.08 at worst."""
    r, cases, controls = reference
    fine, shape = (3 * r["dim"], 3 * r["dim"]), (r["dim"], r["dim"])
    found = relative_risk(cases, controls, r["h"], adaptive=True, pilot=pilot, shape=fine)
    ours, sparr = compared(found.log_risk[1::3, 1::3], r["own" if pilot == "own" else "shared"], shape)
    assert np.abs(ours - sparr).mean() < 0.02 and np.abs(ours - sparr).max() < 0.08
    if pilot == "own":
        p, theirs = compared(found.p_value[1::3, 1::3], r["own_p"], shape)
        assert np.abs(p - theirs).mean() < 0.02


def test_bandwidths_agree_with_sparr(reference):
    """Oversmoothing to rounding; the criteria, whose edge corrections rest on masks that differ at the rim, to 0.025 and to 3 % of their range."""
    r, cases, controls = reference
    grid = cases.window.grid(shape=(64, 64))
    assert risk_bandwidth(cases, controls) == pytest.approx(r["oversmoothing"], rel=1e-8)
    ours = [likelihood_criterion(cases, h, grid) for h in r["hs"]]
    assert ours == pytest.approx(r["likelihood"], abs=0.025)
    ours = np.array([least_squares_criterion(cases, controls, h, grid) for h in r["hs"]])
    theirs = np.array(r["least_squares"])
    assert ours - ours[-1] == pytest.approx(theirs - theirs[-1], abs=0.03 * np.ptp(theirs))


def test_selected_bandwidth_is_where_the_criterion_is_best(reference):
    _, cases, controls = reference
    grid = cases.window.grid(shape=(64, 64))
    for method in ("likelihood", "least-squares"):
        h = risk_bandwidth(cases, controls, method=method)

        def criterion(value, method=method):
            if method == "least-squares":
                return least_squares_criterion(cases, controls, value, grid)
            return -sum(likelihood_criterion(points, value, grid) * points.n for points in (cases, controls))

        assert criterion(h) <= min(criterion(h * 0.9), criterion(h * 1.1)) + 1e-6


@pytest.mark.parametrize("options", [{}, {"adaptive": True}, {"adaptive": True, "pilot": "own"}])
def test_equal_inputs_give_zero(holed, options):
    points = PointPattern(*holed.sample(80, rng=np.random.default_rng(1)), holed)
    found = relative_risk(points, points, 1.0, shape=(40, 40), **options)
    assert np.nanmax(np.abs(found.log_risk)) < 1e-9
    assert np.nanmax(np.abs(found.p_value - 0.5)) < 1e-9
    assert np.isnan(found.log_risk[~found.grid.inside]).all()


def test_swapping_cases_and_controls_changes_the_sign(holed):
    rng = np.random.default_rng(2)
    a, b = (PointPattern(*holed.sample(n, rng=rng), holed) for n in (60, 90))
    one, other = (relative_risk(*pair, 1.0, adaptive=True, shape=(32, 32)).log_risk for pair in ((a, b), (b, a)))
    assert np.nanmax(np.abs(one + other)) < 1e-9


@pytest.mark.parametrize("pilot", ["own", "pooled"])
def test_error_against_exact_sums_at_ten_thousand_points(square, pilot):
    """128 × 128 cells, n = 10,000, every 16th cell: the error of binning and of the ladder is under 0.02 in the mean, 0.05 at worst."""
    rng = np.random.default_rng(3)
    e = np.r_[rng.normal(3, 0.7, 1500), rng.uniform(0, 10, 8500)]
    n = np.r_[rng.normal(3, 0.7, 1500), rng.uniform(0, 10, 8500)]
    keep = square.contains(e, n)
    points = PointPattern(e[keep], n[keep], square)
    cases, controls = points.subset(np.arange(points.n) < 3000), points.subset(np.arange(points.n) >= 3000)
    h = 0.6
    found = relative_risk(cases, controls, h, adaptive=True, pilot=pilot)
    grid, at = found.grid, np.s_[::16, ::16]
    x, y = (c[at].ravel() for c in grid.centres)
    logs = []
    for sample in (cases, controls):
        cells = _bandwidths(grid, _pooled(cases, controls) if pilot == "pooled" else sample, h, h)
        own, here = cells.ravel()[grid.cell(sample.easting, sample.northing)], cells[at].ravel()

        def kernel(e, n, s):
            return np.exp(-0.5 * ((x[:, None] - e) ** 2 + (y[:, None] - n) ** 2) / s**2) / (2 * np.pi * s**2)

        total = kernel(sample.easting, sample.northing, own).sum(axis=1)
        edge = kernel(grid.centres[0].ravel(), grid.centres[1].ravel(), here[:, None]).sum(axis=1) * grid.cell_area
        logs.append(np.log(total / edge))
    error = found.log_risk[at].ravel() - (logs[0] - logs[1])
    error -= np.median(error)  # both densities are scaled to integral one, for which the exact sums would be needed in every cell
    assert np.abs(error).mean() < 0.02
    assert np.abs(error).max() < 0.05


@pytest.mark.parametrize("options", [{}, {"adaptive": True}, {"adaptive": True, "pilot": "own"}])
def test_asymptotic_and_relabelled_contours_agree(square, options):
    """Interior cells, 99 draws: mean difference of p below 0.06; a true excess is inside both contours at 0.05, its mirror image in neither."""
    rng = np.random.default_rng(4)
    controls = PointPattern(*square.sample(300, rng=rng), square)
    e, n = square.sample(80, rng=rng)
    cases = PointPattern(np.r_[e, rng.normal(3, 0.6, 40)], np.r_[n, rng.normal(3, 0.6, 40)], square)
    found = relative_risk(cases, controls, 1.0, shape=(32, 32), **options)
    p = relabelled_p(found, n_simulations=99, rng=1)
    assert np.nanmean(np.abs(p - found.p_value)) < 0.06
    peak = found.grid.cell([3.0], [3.0])[0]
    mirror = found.grid.cell([7.0], [7.0])[0]
    for surface in (p, found.p_value):
        assert surface.ravel()[peak] <= 0.05 < surface.ravel()[mirror]
    assert np.array_equal(p, relabelled_p(found, n_simulations=99, rng=1))


def test_pointwise_size_by_relabelling(square):
    """No excess, 60 worlds: a cell in the middle is inside the contour at 0.1 in about a tenth of them."""
    inside = 0
    for k in range(60):
        rng = np.random.default_rng([5, k])
        cases, controls = (PointPattern(*square.sample(n, rng=rng), square) for n in (30, 60))
        found = relative_risk(cases, controls, 1.5, shape=(16, 16))
        inside += relabelled_p(found, n_simulations=39, rng=k)[8, 8] <= 0.1
    assert inside <= 15  # the binomial's 99.9 %


def test_cases_at_one_place_and_refusals(square, holed):
    rng = np.random.default_rng(6)
    some = PointPattern(*square.sample(30, rng=rng), square)
    heap = PointPattern(np.full(12, 4.0), np.full(12, 4.0), square)
    nobody = PointPattern([], [], square)
    for options in ({}, {"adaptive": True}, {"adaptive": True, "pilot": "own"}):
        found = relative_risk(heap, some, 1.0, shape=(32, 32), **options)
        assert np.isfinite(found.log_risk).all()
        peak = np.unravel_index(np.nanargmax(found.log_risk), (32, 32))
        assert abs(peak[0] - 12.3) < 4 and abs(peak[1] - 12.3) < 4
    for make, said in (
        (lambda: relative_risk(nobody, some, 1.0), "no cases"),
        (lambda: relative_risk(some, nobody, 1.0), "no controls"),
        (lambda: relative_risk(some, some, 0.0), "positive"),
        (lambda: relative_risk(some, PointPattern([2.0], [3.0], holed), 1.0), "one window"),
        (lambda: relative_risk(some, some, 1.0, pilot="f"), "pooled or own"),
        (lambda: risk_bandwidth(heap, heap), "no spread"),
        (lambda: risk_bandwidth(heap, nobody), "at least two controls"),
        (lambda: risk_bandwidth(some, some, method="guess"), "oversmoothing, likelihood"),
        (lambda: relabelled_p(relative_risk(some, heap, 1.0), n_simulations=5, rng=1), "at least 19"),
    ):
        with pytest.raises(InputError, match=said):
            make()
