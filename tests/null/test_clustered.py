"""Clustered nulls and their fits: means and moments by simulation, curves by hand, R's minimum contrast."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.null import LogGaussianCoxNull, ThomasNull, fit_cluster, lgcp_curve, replicate_rng, seed_sequence, thomas_curve
from analysis.pattern import AnalysisWarning, InputError, Intensity

R = json.loads((Path(__file__).parents[1] / "reference/models.json").read_text())


@pytest.fixture
def slope(holed):
    grid = holed.grid(shape=(60, 60))
    values = np.where(grid.inside, 1 + grid.centres[0], 0.0)
    return Intensity(values / grid.integral(values) * 40, grid, "slope")


def nulls(window, intensity):
    return [ThomasNull(intensity, window, 0.3, 0.4, n=40), LogGaussianCoxNull(intensity, 0.8, 1.0, n=40)]


@pytest.mark.parametrize("which", [0, 1])
def test_replicates_do_not_depend_on_chunks(holed, slope, which):
    null, seed = nulls(holed, slope)[which], seed_sequence(7)
    whole = null.draw(seed, 0, 6)
    parts = [null.draw(seed, a, b) for a, b in ((0, 2), (2, 3), (3, 6))]
    for name in ("easting", "northing", "mark"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(p, name) for p in parts]))
    assert whole.mark.max() < 40


@pytest.mark.parametrize("which", [0, 1])
def test_the_mean_is_the_intensity(holed, slope, which):
    """Counts west and east of x = 5 over 1,500 replicates: within four standard errors, measured over replicates, and cells on x = 5."""
    null = nulls(holed, slope)[which]
    assert null.expected_points == pytest.approx(40)
    draws = null.draw(seed_sequence(1), 0, 1500)
    assert holed.contains(draws.easting, draws.northing).all()
    west = slope.grid.centres[0] < 5
    for part, side in ((west, draws.easting < 5), (~west, draws.easting >= 5)):
        counts = np.bincount(draws.replicate, side, 1500)
        expected = slope.expected(part.astype(float))
        assert abs(counts.mean() - expected) < 4 * counts.std() / np.sqrt(1500) + 0.02 * expected
    counts = np.bincount(draws.replicate, minlength=1500)
    assert counts.var() > 1.5 * counts.mean()  # clustered: a Poisson count would have them equal


def test_thomas_parents_stand_outside_the_window_too(square):
    """A strip of one standard deviation along the edge has its share, 10 % of 60, only if clusters reach in: without, some 30 % less."""
    grid = square.grid(shape=(40, 40))
    draws = ThomasNull(Intensity(np.full(grid.shape, 0.6), grid, "flat"), square, 1.0, 1.0).draw(seed_sequence(4), 0, 600)
    counts = np.bincount(draws.replicate, draws.easting < 1, 600)
    assert counts.mean() == pytest.approx(6, abs=4 * counts.std() / np.sqrt(600))
    assert ThomasNull(Intensity(np.zeros(grid.shape), grid, "none"), square, 1.0, 1.0).draw(seed_sequence(4), 0, 3).n_draws == 3


def test_thomas_pairs_follow_their_k(square):
    """Pairs within r in W: λ² ∫∫ g. On a square with an even intensity, K(r) by translation over 400 replicates, within 8 %."""
    grid = square.grid(shape=(40, 40))
    null = ThomasNull(Intensity(np.full(grid.shape, 0.6), grid, "flat"), square, 0.2, 0.5)
    draws = null.draw(seed_sequence(3), 0, 400)
    r, total = np.array([0.5, 1.0, 2.0]), np.zeros(3)
    for k in range(400):
        rows = draws.replicate == k
        e, n = draws.easting[rows], draws.northing[rows]
        de, dn = np.subtract.outer(e, e), np.subtract.outer(n, n)
        d = np.hypot(de, dn) + np.where(np.eye(len(e)), np.inf, 0)
        weight = 1 / ((10 - np.abs(de)) * (10 - np.abs(dn)))
        total += [weight[d <= s].sum() for s in r]
    assert total / 400 / 0.36 == pytest.approx(thomas_curve(r, 0.2, 0.5), rel=0.08)


def test_the_gaussian_field_has_its_covariance(square):
    """Variance s² and covariance s² exp(−d/a) at lags 0, 1 and 2 over 300 fields, within 0.06."""
    grid = square.grid(shape=(40, 40))
    null = LogGaussianCoxNull(Intensity(np.ones(grid.shape), grid, "flat"), 0.7, 1.5)
    fields = np.array([null.field(replicate_rng(seed_sequence(5), k)) for k in range(300)])
    assert fields.mean() == pytest.approx(0, abs=0.05)
    for lag in (0, 4, 8):
        covariance = (fields[:, :, : 40 - lag] * fields[:, :, lag:]).mean()
        assert covariance == pytest.approx(0.7 * np.exp(-lag * 0.25 / 1.5), abs=0.06)
    wide = LogGaussianCoxNull(Intensity(np.ones(grid.shape), grid, "flat"), 0.7, 50.0)
    assert (wide._spectrum**2).mean() == pytest.approx(0.7, rel=1e-12)  # the variance, also where eigenvalues below 0 were clipped


def test_curves_by_hand():
    """Thomas, κ = 2, σ = 1, r = 2: K = 4π + (1 − e⁻¹)/2, g = 1 + e⁻¹/8π. Log-Gaussian Cox with s² → 0: K = πr²; g(0) = exp(s²)."""
    assert thomas_curve(np.array([2.0]), 2, 1) == pytest.approx([4 * np.pi + (1 - np.exp(-1)) / 2])
    assert thomas_curve(np.array([2.0]), 2, 1, "pcf") == pytest.approx([1 + np.exp(-1) / (8 * np.pi)])
    assert lgcp_curve(np.array([1.0, 2.0]), 1e-12, 1.0) == pytest.approx([np.pi, 4 * np.pi], rel=1e-5)
    assert lgcp_curve(np.array([0.0]), 0.7, 1.0, "pcf") == pytest.approx([np.exp(0.7)])
    # K is the integral of 2πr g
    r = np.linspace(0, 3, 400)
    g = 2 * np.pi * r * lgcp_curve(r, 0.9, 0.6, "pcf")
    assert lgcp_curve(r, 0.9, 0.6)[-1] == pytest.approx(np.sum((g[1:] + g[:-1]) / 2 * np.diff(r)), rel=1e-4)


@pytest.mark.parametrize("model", ["thomas", "lgcp"])
@pytest.mark.parametrize("summary", ["k", "pcf"])
def test_a_curve_without_noise_gives_its_parameters_back(model, summary):
    r = np.linspace(0.05, 3, 60)
    curve = {"thomas": thomas_curve, "lgcp": lgcp_curve}[model](r, 0.8, 0.4, summary)
    fit = fit_cluster(r, curve, model=model, summary=summary)
    assert (fit.strength, fit.scale) == pytest.approx((0.8, 0.4), rel=1e-3)
    assert fit.contrast < 1e-8


def test_minimum_contrast_agrees_with_spatstat():
    """The same K, r and q: spatstat gives κ and σ², s² and a. Its integral leaves out ends that ours weighs, hence 2 %."""
    r, k = np.array(R["r"]), np.array(R["k"])
    thomas = fit_cluster(r, k, model="thomas")
    assert (thomas.strength, thomas.scale**2) == pytest.approx(tuple(R["thomas"]), rel=0.02)
    lgcp = fit_cluster(r[1:], k[1:], model="lgcp")
    assert (lgcp.strength, lgcp.scale) == pytest.approx(tuple(R["lgcp"]), rel=0.02)


def test_refusals_and_warnings(holed, slope):
    r = np.linspace(0, 2, 20)
    for curve in (0.9 * np.pi * r**2, thomas_curve(r, 0.5, 50.0)):  # regular; clusters far wider than the distances given
        with pytest.warns(AnalysisWarning, match="no clustering"):
            fit_cluster(r, curve, model="thomas")
    for curve, options, match in (
        (r, {"model": "matern"}, "thomas or lgcp"),
        (r[:-1], {"model": "thomas"}, "one value for each"),
        (np.where(r > 1, np.nan, r), {"model": "thomas"}, "finite"),
        (r, {"model": "lgcp", "summary": "l"}, "k or pcf"),
    ):
        with pytest.raises(InputError, match=match):
            fit_cluster(r, curve, **options)
    with pytest.raises(InputError, match="must increase"):
        fit_cluster(r[::-1], r, model="thomas")
    with pytest.raises(InputError, match="nothing clusters"):
        ThomasNull(slope, holed, 1e6, 0.4)
    with pytest.raises(InputError, match="column scale"):
        ThomasNull(slope, holed, 0.3, 0.0)
    with pytest.raises(InputError, match="column strength"):
        LogGaussianCoxNull(slope, np.nan, 1.0)
