"""A window in tiles gives the test of one grid."""

from __future__ import annotations

import numpy as np
import pytest
from joblib import parallel_config
from shapely.geometry import Polygon, box

from analysis.baseline import Kernel
from analysis.null import BinomialNull
from analysis.pattern import InputError, PointPattern, Sites, Window
from analysis.proximity import Decay, decay_score, tiled_decay_score_test
from analysis.proximity.score_levels import level_scores

KM = 1000.0


@pytest.fixture(scope="module")
def country():
    """A hole, a rim at an angle and an island; towns with strikes and hospitals, and a north without either."""
    land = Polygon(
        [(0, 0), (90 * KM, 10 * KM), (80 * KM, 95 * KM), (0, 99 * KM)], [[(30 * KM, 30 * KM), (30 * KM, 40 * KM), (45 * KM, 40 * KM)]]
    )
    window, draw = Window(land.union(box(92 * KM, 0, 99 * KM, 8 * KM))), np.random.default_rng(1)
    town = np.column_stack(window.sample(12, rng=draw)) * [1, 0.6]
    strikes = town[draw.integers(0, 12, 4000)] + draw.normal(0, 3 * KM, (4000, 2))
    hospitals = town[draw.integers(0, 12, 90)] + draw.normal(0, 2 * KM, (90, 2))
    points, sites = (PointPattern(*xy[window.contains(*xy.T)].T, window) for xy in (strikes, hospitals))
    return points, Sites(sites.easting, sites.northing, window)


@pytest.mark.parametrize("kind", ["gaussian", "exponential", "disc"])
def test_tiles_give_the_test_of_one_grid(country, kind):
    points, sites = country
    decay, errors = Decay(kind, 500.0), np.where(np.arange(points.n) % 3 == 0, 0.0, 120.0)
    baseline = Kernel(points.window.grid(spacing=250.0), 1500.0)
    null = BinomialNull(baseline.fit(points.easting, points.northing), points.n)
    score = decay_score(points, sites, decay, baseline, uncertainty=errors)
    observed, simulated = level_scores(points, score, null, n_simulations=199, rng=3)
    for cells in (400**2 + 1, 230**2):
        found = tiled_decay_score_test(
            points, sites, decay, bandwidth=1500.0, spacing=250.0, n_simulations=199, rng=3, uncertainty=errors, cells_at_once=cells
        )
        assert found.statistic == pytest.approx(observed, rel=0.005)  # levels are cut elsewhere
        assert found.simulated.mean() == pytest.approx(simulated.mean(), abs=0.15 * simulated.std())
        assert found.simulated.std() == pytest.approx(simulated.std(), rel=0.15)


def test_the_number_of_tiles_and_workers_changes_nothing(country):
    points, sites = country
    found = {}
    for cells in (700**2, 200**2, 230**2):
        with parallel_config("loky", n_jobs=2 if cells == 200**2 else 1):
            found[cells] = tiled_decay_score_test(
                points, sites, Decay("gaussian", 500.0), bandwidth=1500.0, spacing=250.0, n_simulations=99, rng=3, cells_at_once=cells
            )
    one, *others = found.values()
    assert "in 1 tiles" in one.null
    for other in others:
        assert other.statistic == pytest.approx(one.statistic, rel=1e-5)
        assert np.allclose(other.simulated, one.simulated, rtol=0, atol=1e-5 * one.simulated.std())
    assert one.p_value == others[0].p_value == others[1].p_value


def test_an_excess_is_found_and_none_where_there_is_none(country):
    _, sites = country
    draw, window = np.random.default_rng(2), sites.window
    smooth = PointPattern(*window.sample(8000, rng=draw), window)
    near = np.column_stack([sites.easting, sites.northing])[draw.integers(0, sites.n, 60)] + draw.normal(0, 300, (60, 2))
    near = near[window.contains(*near.T)]
    more = PointPattern(np.append(smooth.easting, near[:, 0]), np.append(smooth.northing, near[:, 1]), window)
    setting = {"bandwidth": 3000.0, "spacing": 400.0, "n_simulations": 499, "rng": 1, "cells_at_once": 300**2}
    assert tiled_decay_score_test(more, sites, Decay("gaussian", 500.0), **setting).p_value == 0.002
    assert tiled_decay_score_test(smooth, sites, Decay("gaussian", 500.0), **setting).p_value > 0.05


def test_what_cannot_be_tiled_is_one_line(country):
    points, sites = country
    setting = {"bandwidth": 1500.0, "spacing": 250.0, "n_simulations": 99, "rng": 1}
    with pytest.raises(InputError, match="no end"):
        tiled_decay_score_test(points, sites, Decay("inverse", 500.0), **setting)
    with pytest.raises(InputError, match="larger cells"):
        tiled_decay_score_test(points, sites, Decay("disc", 500.0), **{**setting, "spacing": 5.0})
    with pytest.raises(InputError, match="no strikes"):
        tiled_decay_score_test(points.subset(np.zeros(points.n, bool)), sites, Decay("disc", 500.0), **setting)
    with pytest.raises(InputError, match="no sites"):
        tiled_decay_score_test(points, sites.subset(np.zeros(sites.n, bool)), Decay("disc", 500.0), **setting)
    for name in ("bandwidth", "spacing"):
        for value in (0.0, np.nan):
            with pytest.raises(InputError, match=f"column {name}.*positive number"):
                tiled_decay_score_test(points, sites, Decay("disc", 500.0), **{**setting, name: value})
    with pytest.raises(InputError, match="at least 19"):
        tiled_decay_score_test(points, sites, Decay("disc", 500.0), **{**setting, "n_simulations": 18})
    with pytest.raises(InputError, match="must be closer"):
        tiled_decay_score_test(points, sites, Decay("disc", 500.0), alternative="greater", **setting)
