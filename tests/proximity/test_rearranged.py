"""Tests that move the strikes together or rearrange the sites: by hand, and their size and power."""

import numpy as np
import pytest
from shapely.geometry import box

from analysis.null import seed_sequence
from analysis.pattern import InputError, PointPattern, Sites, Window
from analysis.proximity import Decay, placebo_test, random_shift_test

SQUARE = Window(box(0, 0, 10, 10))


def test_shift_statistic_by_hand():
    """Two strikes at the site, disc of radius 1: the mean is 1; standardised, √2 (1 − mean over all curves)."""
    points, sites = PointPattern([5, 5], [5, 5], SQUARE), Sites([5], [5], SQUARE)
    found = random_shift_test(points, sites, Decay("disc", 1.0), radius=4.0, n_simulations=199, rng=1)
    # both strikes move together, so a draw's mean is 0 or 1, and its standardised value √2 (that − T̄)
    near = np.isclose(found.simulated, found.statistic)
    mean = (1 + near.sum()) / 200
    assert found.statistic == pytest.approx(np.sqrt(2) * (1 - mean))
    assert found.p_value == (1 + near.sum()) / 200
    assert mean == pytest.approx(1 / 16, abs=0.05)  # a shift shorter than 1 of at most 4


def test_shift_keeps_its_level_for_clustered_strikes_and_sees_them_at_sites():
    rejected = 0
    for k in range(200):
        rng = np.random.default_rng(k)
        sites = Sites(*SQUARE.sample(10, rng=rng), SQUARE)
        parent = np.column_stack(SQUARE.sample(8, rng=rng)).repeat(6, axis=0) + rng.normal(0, 0.3, (48, 2))
        kept = parent[SQUARE.contains(*parent.T)]
        points = PointPattern(*kept.T, SQUARE)
        rejected += random_shift_test(points, sites, Decay("gaussian", 0.5), radius=5.0, n_simulations=19, rng=k).p_value <= 0.05
    assert rejected <= 19  # 10 expected of 200; more than 19 has probability .005
    near = np.column_stack([sites.easting, sites.northing]).repeat(5, axis=0) + np.random.default_rng(1).normal(0, 0.1, (50, 2))
    points = PointPattern(*near[SQUARE.contains(*near.T)].T, SQUARE)
    assert random_shift_test(points, sites, Decay("gaussian", 0.5), radius=5.0, n_simulations=99, rng=1).p_value == 0.01


def test_placebo_sites_find_strikes_at_sites_and_not_elsewhere():
    rng, grid = np.random.default_rng(2), SQUARE.grid(shape=(40, 40))
    sites = Sites(*SQUARE.sample(6, rng=rng), SQUARE)
    covariates = {"easting": grid.centres[0], "northing squared": grid.centres[1] ** 2}
    at = PointPattern(sites.easting.repeat(4), sites.northing.repeat(4), SQUARE)
    options = {"n_simulations": 99, "rng": 3}
    assert placebo_test(at, sites, Decay("disc", 0.2), covariates, grid, **options).p_value == 0.01
    rejected = 0
    for k in range(200):
        draw = np.random.default_rng(100 + k)
        points, anywhere = PointPattern(*SQUARE.sample(40, rng=draw), SQUARE), Sites(*SQUARE.sample(6, rng=draw), SQUARE)
        rejected += placebo_test(points, anywhere, Decay("disc", 1.0), covariates, grid, n_simulations=19, rng=k).p_value <= 0.05
    assert rejected <= 19


def test_placebo_statistic_by_hand():
    """Strikes at distances 0, 1 and 3 of the site under exp(−d): 1 + e⁻¹ + e⁻³."""
    points, sites = PointPattern([5, 6, 5], [5, 5, 8], SQUARE), Sites([5], [5], SQUARE)
    grid = SQUARE.grid(shape=(20, 20))
    found = placebo_test(
        points, sites, Decay("exponential", 1.0), {"easting": grid.centres[0]}, grid, n_simulations=19, rng=seed_sequence(1)
    )
    assert found.statistic == pytest.approx(1 + np.exp(-1) + np.exp(-3))
    assert found.n == 3 and "easting" in found.null


def test_refusals():
    points, sites = PointPattern([5], [5], SQUARE), Sites([5], [5], SQUARE)
    grid = SQUARE.grid(shape=(20, 20))
    none, disc, x = PointPattern([], [], SQUARE), Decay("disc", 1), {"x": grid.centres[0]}
    for make, said in (
        (lambda: placebo_test(points, sites, disc, x, grid, n_simulations=18, rng=1), "at least 19"),
        (lambda: placebo_test(points, sites, disc, {}, grid, n_simulations=19, rng=1), "at least one covariate"),
        (lambda: placebo_test(none, sites, disc, x, grid, n_simulations=19, rng=1), "no strikes"),
        (lambda: random_shift_test(points, sites, disc, radius=0.0, n_simulations=19, rng=1), "positive number"),
        (lambda: random_shift_test(points, sites, disc, radius=np.nan, n_simulations=19, rng=1), "positive number"),
        (lambda: random_shift_test(points, sites, disc, radius=1.0, n_simulations=18, rng=1), "at least 19"),
        (lambda: random_shift_test(none, sites, disc, radius=1.0, n_simulations=19, rng=1), "no strikes"),
    ):
        with pytest.raises(InputError, match=said):
            make()
