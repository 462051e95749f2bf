"""The penalised smooth surface: limits by hand, its linearised refit, and the site effect fitted jointly."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis.baseline import SmoothSurface, poisson_newton
from analysis.pattern import AnalysisWarning, InputError, PointPattern, Sites
from analysis.proximity import Decay, decay_score_test
from analysis.proximity.joint import joint_site_effect


@pytest.fixture
def strikes(holed):
    rng = np.random.default_rng(8)
    e, n = holed.sample(600, rng=rng)
    keep = rng.random(600) < np.exp(-0.25 * e)
    return PointPattern(e[keep], n[keep], holed)


def test_heavy_smoothing_leaves_a_constant(strikes):
    """First differences held at zero: λ̂ = n / area of the cells."""
    grid = strikes.window.grid(shape=(40, 40))
    fit = SmoothSurface(grid, 3.0, smoothing=1e9, order=1).fit(strikes.easting, strikes.northing)
    assert fit.values[grid.inside] == pytest.approx(strikes.n / (grid.inside.sum() * grid.cell_area), rel=1e-4)


def test_heavy_smoothing_leaves_a_log_linear_model(strikes):
    """Second differences held at zero leave 1, x, y, xy: the same fit by plain Newton on the cells."""
    grid = strikes.window.grid(shape=(40, 40))
    e, n = (c[grid.inside] for c in grid.centres)
    surface = SmoothSurface(grid, 3.0, smoothing=1e7)
    fit = surface.fit(strikes.easting, strikes.northing)
    counts = surface._counts(strikes.easting, strikes.northing, np.ones(strikes.n))[grid.inside]
    assert counts.sum() == strikes.n
    design = np.column_stack([np.ones(len(e)), e - 5, n - 5, (e - 5) * (n - 5)])
    beta = poisson_newton(design, counts[None], np.full(len(e), grid.cell_area))[0]
    assert fit.values[grid.inside] == pytest.approx(np.exp(design @ beta), rel=1e-4)


def test_the_mass_is_kept_and_reml_settles(strikes):
    grid = strikes.window.grid(shape=(48, 48))
    fitted = SmoothSurface(grid, 2.0, {"x²": grid.centres[0] ** 2}).at(strikes.easting, strikes.northing)
    assert fitted.intensity.total == pytest.approx(strikes.n, rel=1e-6)
    assert 4 < fitted.freedom < 25
    again = fitted.fit(strikes.easting, strikes.northing)
    assert again.values == pytest.approx(fitted.intensity.values, rel=1e-5)
    heavy = SmoothSurface(grid, 2.0).at(strikes.easting, strikes.northing, np.full(strikes.n, 3.0))
    plain = SmoothSurface(grid, 2.0).at(strikes.easting, strikes.northing)
    assert heavy.intensity.values == pytest.approx(3 * plain.intensity.values, rel=1e-6)
    assert heavy.freedom == pytest.approx(plain.freedom, rel=1e-6)


@pytest.mark.parametrize(("order", "free"), [(1, 1), (2, 4)])
def test_what_the_roughness_leaves_free(holed, order, free):
    """A constant, or 1, x, y, xy: by the numeric rank of the penalty."""
    surface = SmoothSurface(holed.grid(shape=(20, 20)), 3.0, order=order)
    assert surface._rank == np.linalg.matrix_rank(surface._penalty) == len(surface._penalty) - free


def test_the_adjoint_is_the_change_of_the_refit(strikes):
    """Weighing one strike a little more moves ∫ f λ̂ by (A f) at its cell, with the dispersion held: central difference, 1e-4."""
    grid = strikes.window.grid(shape=(32, 32))
    fitted = SmoothSurface(grid, 2.5, smoothing=2.0).at(strikes.easting, strikes.northing)
    f = np.exp(-((grid.centres[0] - 3) ** 2)) * grid.inside
    adjoint, surface = fitted.adjoint(f), SmoothSurface(grid, 2.5, smoothing=2.0)
    for k in (0, 7, 31):
        side = []
        for step in (1e-3, -1e-3):
            counts = surface._counts(strikes.easting, strikes.northing, 1 + step * (np.arange(strikes.n) == k))
            beta, _, _ = surface._newton(counts, np.zeros(grid.shape), 2.0, fitted.coefficients)
            side.append(grid.integral(f * np.exp(surface._eta(beta))))
        cell = grid.cell(strikes.easting[k], strikes.northing[k])
        if grid.inside.ravel()[cell]:
            assert (side[0] - side[1]) / 2e-3 == pytest.approx(adjoint.ravel()[cell], rel=1e-4)


def test_the_score_has_mean_zero_under_the_fit(strikes):
    grid = strikes.window.grid(shape=(32, 32))
    fitted = SmoothSurface(grid, 2.5).at(strikes.easting, strikes.northing)
    f = np.exp(-((grid.centres[0] - 3) ** 2)) * grid.inside
    assert fitted.intensity.expected(f - fitted.adjoint(f)) == pytest.approx(0, abs=1e-5 * fitted.intensity.expected(f))


def test_site_effect_is_found_and_not_invented(holed):
    """Tripled within the decay: α̂ near 2, interval over 0, the ranked score small; without excess, 0 in the interval."""
    rng = np.random.default_rng(3)
    sites = Sites([2.0, 7.0, 6.0], [3.0, 3.0, 8.0], holed)
    decay = Decay("gaussian", 0.6)
    e, n = holed.sample(900, rng=rng)
    flat = PointPattern(e[:300], n[:300], holed)
    keep = rng.random(900) < (1 + 2 * decay(sites.distance(e, n))) / 3
    raised = PointPattern(e[keep], n[keep], holed)
    surface = SmoothSurface(holed.grid(shape=(40, 40)), 3.0)
    found = joint_site_effect(raised, sites, decay, surface, attack=np.arange(raised.n))
    assert 0.8 < found.alpha < 4
    assert found.interval[0] > 0
    assert found.score > 3
    # one parameter: the squared score and the likelihood ratio tell one story
    assert found.likelihood_ratio == pytest.approx(found.score**2, rel=0.5)
    none = joint_site_effect(flat, sites, decay, surface, attack=np.arange(flat.n))
    assert none.interval[0] < 0 < none.interval[1]
    ranked = decay_score_test(raised, sites, decay, found.fitted, n_simulations=99, rng=1)
    assert ranked.p_value == 0.01
    assert decay_score_test(flat, sites, decay, none.fitted, n_simulations=99, rng=1).p_value > 0.02
    assert set(found.to_dict()) >= {"alpha", "interval", "p_score"}


def test_strikes_counted_twice_widen_the_error_by_root_two(holed):
    """Every strike doubled within its attack: the score's variance doubles against that of independent strikes."""
    rng = np.random.default_rng(5)
    e, n = holed.sample(80, rng=rng)
    twice = PointPattern(np.r_[e, e], np.r_[n, n], holed)
    sites, surface = Sites([2.0], [3.0], holed), SmoothSurface(holed.grid(shape=(30, 30)), 4.0, smoothing=1.0)
    found = joint_site_effect(twice, sites, Decay("gaussian", 1.0), surface, attack=np.r_[np.arange(80), np.arange(80)])
    assert found.robust == pytest.approx(np.sqrt(2))
    with pytest.warns(AnalysisWarning, match="independent"):
        joint_site_effect(twice, sites, Decay("gaussian", 1.0), surface)


def test_refusals(holed, strikes):
    grid = holed.grid(shape=(20, 20))
    for options, match in (
        ({"spacing": 0.0}, "positive number"),
        ({"spacing": 0.01}, "too close"),
        ({"spacing": 3.0, "order": 3}, "1 or 2"),
        ({"spacing": 3.0, "smoothing": -1.0}, "positive number"),
        ({"spacing": 3.0, "covariates": {"z": np.full(grid.shape, np.nan)}}, "column z"),
        ({"spacing": 3.0, "covariates": {"z": np.ones(grid.shape)}}, "constant"),
    ):
        with pytest.raises(InputError, match=match):
            SmoothSurface(grid, **options)
    with pytest.raises(InputError, match="at least one strike"):
        SmoothSurface(grid, 3.0).fit([], [])


def test_strikes_of_one_attack_drawn_as_independent_warn(strikes):
    grid = strikes.window.grid(shape=(20, 20))
    salvos = PointPattern(strikes.easting, strikes.northing, strikes.window, pd.DataFrame({"attack_id": np.arange(strikes.n) // 3}))
    sites, surface = Sites([2.0], [3.0], strikes.window), SmoothSurface(grid, 4.0, smoothing=1.0).at(strikes.easting, strikes.northing)
    with pytest.warns(AnalysisWarning, match="drawn as independent"):
        decay_score_test(salvos, sites, Decay("gaussian", 1.0), surface, n_simulations=19, rng=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decay_score_test(salvos, sites, Decay("gaussian", 1.0), surface, n_simulations=19, rng=1, attack=salvos.marks["attack_id"])
