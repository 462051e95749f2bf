"""Residuals, partial effects and the choice among baselines; covariate fields."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from shapely.geometry import box

from analysis.baseline import (
    Kernel,
    Uniform,
    compare_fits,
    cross_validate,
    decay_around,
    distance_to,
    fit_loglinear,
    label_of,
    likelihood_ratio,
    partial_effect,
    quadrature_for,
    read_off,
    residual_quantiles,
    smoothed_residuals,
)
from analysis.null import PoissonNull, seed_sequence
from analysis.pattern import AnalysisWarning, InputError, Intensity, PointPattern, Window


@pytest.fixture
def slope(holed):
    rng = np.random.default_rng(8)
    e, n = holed.sample(1200, rng=rng)
    keep = rng.random(1200) < np.exp(-0.25 * e)
    return PointPattern(e[keep], n[keep], holed)


def test_residuals_of_the_right_model_are_small_and_of_the_wrong_one_lean(slope):
    right = fit_loglinear(slope, {"x": lambda e, n: e}).intensity()
    flat = fit_loglinear(slope, {}).intensity()
    inside = right.grid.inside
    good, bad = smoothed_residuals(slope, right, 1.5), smoothed_residuals(slope, flat, 1.5)
    assert np.abs(bad[inside]).mean() > 3 * np.abs(good[inside]).mean()
    west = right.grid.centres[0] < 2
    assert bad[inside & west].mean() > 0
    assert not good[~inside].any()


def test_residuals_without_strikes_are_minus_the_intensity(holed):
    """The edge correction makes up for what the window does not hold: −λ in every cell, to the rim."""
    grid = holed.grid(shape=(30, 30))
    found = smoothed_residuals(PointPattern([], [], holed), Intensity(np.where(grid.inside, 2.0, 0.0), grid, "flat"), 1.0)
    assert found == pytest.approx(np.where(grid.inside, -2.0, 0.0))


def test_quantiles_by_hand():
    """Twenty-one flat fields 0, 1 … 20: every quantile has mean 10, and nine tenths of them between 1 and 19."""
    fields = np.arange(21.0)[:, None, None] * np.ones((2, 2))
    found = residual_quantiles(np.array([[1.0, 2], [3, 9]]), fields, np.array([[True, True], [True, False]]), n_quantiles=3, level=0.9)
    assert (found.expected.tolist(), found.lower.tolist(), found.upper.tolist()) == ([10] * 3, pytest.approx([1] * 3), pytest.approx([19] * 3))
    # quantiles 1/6, 1/2 and 5/6 of 1, 2, 3, read between them in equal steps
    assert found.observed == pytest.approx([1 + 1 / 3, 2, 3 - 1 / 3])


def test_a_kernel_leaves_no_residual_of_its_own(square):
    """One strike in the middle, its kernel all inside: smoothed strike less smoothed λ̂ integrates to zero and peaks at the strike."""
    point = PointPattern([5.0], [5.0], square)
    fitted = Kernel(square.grid(shape=(64, 64)), 0.5).fit([5.0], [5.0])
    residual = smoothed_residuals(point, fitted, 0.5)
    assert fitted.grid.integral(residual) == pytest.approx(0, abs=1e-6)
    assert residual[32, 32] > 0


def test_quantiles_lie_within_their_band_under_the_model(slope):
    right = fit_loglinear(slope, {"x": lambda e, n: e}).intensity(slope.window.grid(shape=(40, 40)))
    draws = PoissonNull(right).draw(seed_sequence(2), 0, 39)
    fields = []
    for k in range(39):
        drawn = draws.pattern(k, slope.window)
        refit = fit_loglinear(drawn, {"x": lambda e, n: e}, dummy=32).intensity(right.grid)
        fields.append(smoothed_residuals(drawn, refit, 1.5))
    observed = smoothed_residuals(slope, right, 1.5)
    found = residual_quantiles(observed, np.array(fields), right.grid.inside)
    assert ((found.observed >= found.lower) & (found.observed <= found.upper)).mean() > 0.6
    flat = fit_loglinear(slope, {}).intensity(right.grid)
    wrong = residual_quantiles(smoothed_residuals(slope, flat, 1.5), np.array(fields), right.grid.inside)
    assert ((wrong.observed >= wrong.lower) & (wrong.observed <= wrong.upper)).mean() < 0.4
    with pytest.raises(InputError, match="at least 19"):
        residual_quantiles(observed, np.array(fields[:5]), right.grid.inside)


def test_partial_effect_by_hand():
    """West and east halves with 1 and 4 strikes, fitted each its own level: effects 0 and log 4, and the strikes say the same.
    The error of log 4 is √(1 + 1/4); the nodes of the east share one value, so the bins after the first are one.
    """
    points = PointPattern([1, 6, 7, 8, 9], [1, 5, 2, 8, 4], Window(box(0, 0, 10, 10)))
    fit = fit_loglinear(points, {"east": lambda e, n: (e > 5).astype(float)}, dummy=64)
    table = partial_effect(fit, "east", n_bins=10)
    assert table["value"].to_numpy() == pytest.approx([0, 1])
    assert table["observed"].tolist() == [1, 4]
    assert table["expected"].to_numpy() == pytest.approx([1, 4])
    half = 1.959964 * math.sqrt(5 / 4)
    for column, expected in (("effect", 0), ("partial", 0), ("low", -half), ("high", half)):
        assert table[column].to_numpy() == pytest.approx([0, math.log(4) + expected], abs=1e-6)
    with pytest.raises(InputError, match="not a numeric covariate"):
        partial_effect(fit, "west")


def test_partial_effect_bends_where_the_model_does_not(slope):
    fit = fit_loglinear(slope, {"x": lambda e, n: e, "y": lambda e, n: n})
    table = partial_effect(fit, "x", n_bins=8)
    assert table["value"].is_monotonic_increasing
    assert (table["partial"] - table["effect"]).abs().max() < 0.8
    assert table["expected"].to_numpy() == pytest.approx(fit.n / 8, rel=0.1)


def test_likelihood_ratio_and_aic(slope):
    """Twice the gain, its χ² p, and AIC = 2p − 2 log L; labels that repeat warn."""
    small, large = fit_loglinear(slope, {}), fit_loglinear(slope, {"x": lambda e, n: e})
    statistic, freedom, p = likelihood_ratio(small, large)
    assert statistic == pytest.approx(2 * (large.llf - small.llf))
    assert (freedom, p) == (1, pytest.approx(chi2.sf(statistic, 1)))
    table = compare_fits({"flat": small, "slope": large})
    assert list(table["baseline"]) == ["slope", "flat"]
    assert table["difference"][1] == pytest.approx(small.aic - large.aic)
    attacks = np.arange(slope.n) // 2
    paired = [fit_loglinear(slope, c, cluster=attacks) for c in ({}, {"x": lambda e, n: e})]
    with pytest.warns(AnalysisWarning, match="independent"):
        likelihood_ratio(*paired)
    with pytest.raises(InputError, match="special case"):
        likelihood_ratio(fit_loglinear(slope, {"y": lambda e, n: n}), large)
    with pytest.raises(InputError, match="share one quadrature"):
        compare_fits({"a": small, "b": fit_loglinear(slope, {}, dummy=32)})
    with pytest.raises(InputError, match="share one offset"):
        likelihood_ratio(fit_loglinear(slope, {}, offset=lambda e, n: -0.2 * n), large)
    nodes = quadrature_for(slope, strikes_weigh=False)
    logistic = [fit_loglinear(slope, c, quadrature=nodes, method="logistic") for c in ({}, {"x": lambda e, n: e})]
    with pytest.raises(InputError, match="by the method mpl"):
        likelihood_ratio(*logistic)


def test_likelihood_ratio_has_its_size(square):
    """A covariate without effect, 200 uniform patterns: rejections at 5 % within four standard errors."""
    rng = np.random.default_rng(3)
    rejected = 0
    for _ in range(200):
        points = PointPattern(*square.sample(40, rng=rng), square)
        pair = [fit_loglinear(points, c, dummy=16) for c in ({}, {"x": lambda e, n: e})]
        rejected += likelihood_ratio(*pair)[2] <= 0.05
    assert abs(rejected - 10) <= 4 * math.sqrt(200 * 0.05 * 0.95)


def test_cross_validation_prefers_the_right_scale(slope):
    grid = slope.window.grid(shape=(64, 64))
    estimators = {"flat": Uniform(grid), "kernel": Kernel(grid, 1.5), "too fine": Kernel(grid, 0.1)}
    table = cross_validate(slope, estimators, rng=np.random.default_rng(1))
    assert list(table["baseline"]) == ["kernel", "flat", "too fine"]
    assert table["se"][0] > 0
    assert table["zeros"][:2].tolist() == [0, 0]
    bare = cross_validate(slope, {"dust": Kernel(grid, 0.01)}, rng=1)
    assert (bare["zeros"][0] > 0, bare["score"][0], bare["se"][0]) == (True, -np.inf, np.inf)


def test_salvos_in_one_fold(square):
    """Each strike doubled on the spot: dealt singly, the finest kernel wins; by attack it does not."""
    rng = np.random.default_rng(2)
    e, n = square.sample(100, rng=rng)
    points = PointPattern(np.r_[e, e], np.r_[n, n], square)
    grid = square.grid(shape=(64, 64))
    estimators = {"flat": Uniform(grid), "fine": Kernel(grid, 0.2)}
    single = cross_validate(points, estimators, rng=np.random.default_rng(1))
    by_attack = cross_validate(points, estimators, rng=np.random.default_rng(1), attack=np.r_[np.arange(100), np.arange(100)])
    assert single["baseline"][0] == "fine"
    assert by_attack["baseline"][0] == "flat"
    with pytest.raises(InputError, match="number of attacks"):
        cross_validate(points, estimators, rng=rng, attack=np.zeros(200))


def test_cross_validation_of_a_constant_by_hand(square):
    """Two folds of 2 and 2: λ̂ = 2/100 on the other fold; score log 0.02 − (2 − 2)/2."""
    points = PointPattern([1, 2, 3, 4], [1, 2, 3, 4], square)
    table = cross_validate(points, {"flat": Uniform(square.grid(shape=(10, 10)))}, rng=np.random.default_rng(0), n_folds=2)
    assert table["score"][0] == pytest.approx(math.log(0.02))


def test_fields_by_hand(square):
    e, n = np.array([0.0, 3.0, 9.0]), np.array([0.0, 4.0, 9.0])
    assert distance_to([0.0, 9.0], [0.0, 8.0])(e, n) == pytest.approx([0, 5, 1])
    assert decay_around([0.0], [0.0], 5.0, weights=[2.0])(e, n)[1] == pytest.approx(2 * math.exp(-0.5))
    areas = {"west": box(0, 0, 5, 10), "east": box(5, 0, 8, 10)}
    assert list(label_of(areas)(e, n)) == ["west", "west", "east"]  # the last lies in none and takes the nearest
    border = np.array([5.0]), np.array([2.0])
    assert list(label_of(areas)(*border)) == ["west"]
    assert list(label_of(dict(reversed(areas.items())))(*border)) == ["east"]
    grid = square.grid(shape=(10, 10))
    raster = read_off(grid.centres[0], grid)
    assert raster(np.array([2.3]), np.array([7.0])) == pytest.approx([2.3])
    assert read_off(grid.centres[0], grid, how="cell")(np.array([2.3]), np.array([7.0])) == pytest.approx([2.5])
    assert np.isnan(raster(np.array([10.4]), np.array([1.0])))[0]
    assert distance_to([0.0], [0.0])(*grid.centres).shape == grid.shape
    assert label_of(areas)(*grid.centres).shape == grid.shape


def test_fields_refuse(square):
    grid = square.grid(shape=(10, 10))
    for make, match in (
        (lambda: distance_to([], []), "at least one"),
        (lambda: decay_around([0.0], [0.0], 0.0), "column scale"),
        (lambda: decay_around([0.0], [0.0], 1.0, weights=[1.0, 2.0]), "column weights"),
        (lambda: label_of({}), "at least one polygon"),
        (lambda: read_off(np.ones((3, 3)), grid), "shape of its grid"),
        (lambda: read_off(np.ones((10, 10)), grid, how="cubic"), "linear or cell"),
    ):
        with pytest.raises(InputError, match=match):
            make()


def test_a_gap_in_a_raster_is_told(square):
    grid = square.grid(shape=(10, 10))
    values = grid.centres[0].copy()
    values[3, 3] = np.nan
    points = PointPattern([1.0, 2.0], [8.0, 9.0], square)
    with pytest.raises(InputError, match=r"column people.*places have none"):
        fit_loglinear(points, {"people": read_off(values, grid, how="cell")})


def test_raions_as_a_factor(kyiv):
    """The ten raions of Kyiv: intensity times area is the raion's count, to the quadrature."""
    located = kyiv.strikes.points(kyiv.strikes.located(300))
    raion = label_of(kyiv.areas)
    struck = pd.Series(raion(located.easting, located.northing)).value_counts()
    few = [name for name in kyiv.areas if name not in struck]
    merged = {name: ("other" if name in few else name) for name in kyiv.areas}
    fit = fit_loglinear(located, {"raion": lambda e, n: pd.Series(raion(e, n)).map(merged).to_numpy()}, cluster=located.marks["attack_id"])
    label = pd.Series(raion(fit.quadrature.easting, fit.quadrature.northing))
    totals = pd.Series(fit.quadrature.weight * np.exp(fit.log_intensity)).groupby(label).sum()
    for name, count in struck.items():
        assert totals[name] == pytest.approx(count, rel=1e-6)
