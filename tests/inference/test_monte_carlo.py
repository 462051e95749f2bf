from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom
from shapely.geometry import box

from analysis.inference import CurveResult, monte_carlo_p, monte_carlo_test, to_json, two_stage_test
from analysis.null import BinomialNull, Draws
from analysis.pattern import AnalysisWarning, InputError, Intensity, PointPattern, Sites, Window
from analysis.proximity import cross_k_draws

VALUES = st.lists(st.integers(0, 20), min_size=1, max_size=40)


def mean_east(draws: Draws) -> np.ndarray:
    return draws.sums(draws.easting)


@given(st.integers(0, 20), VALUES)
def test_p_by_counting(observed, simulated):
    p = monte_carlo_p(float(observed), np.array(simulated, float), "greater")
    assert p == (1 + sum(s >= observed for s in simulated)) / (1 + len(simulated))
    assert 0 < p <= 1
    assert monte_carlo_p(-float(observed), -np.array(simulated, float), "less") == p
    both = monte_carlo_p(float(observed), np.array(simulated, float), "two-sided")
    assert min(1, 2 * min(p, monte_carlo_p(float(observed), np.array(simulated, float), "less"))) == both


def test_p_refuses_nan():
    with pytest.raises(InputError, match="finite number"):
        monte_carlo_p(float("nan"), np.zeros(9), "greater")
    with pytest.raises(InputError, match="greater, less or two-sided"):
        monte_carlo_p(0.0, np.zeros(9), "nearer")


def test_any_statistic_is_reproducible(square):
    grid = square.grid(shape=(20, 20))
    null = BinomialNull(Intensity(np.full(grid.shape, 0.1), grid, "flat"), 10)
    points = PointPattern(np.linspace(5, 9, 10), np.full(10, 5.0), square)
    first = monte_carlo_test(points, mean_east, null, n_simulations=199, rng=3)
    again = monte_carlo_test(points, mean_east, null, n_simulations=199, rng=3)
    assert np.array_equal(first.simulated, again.simulated)
    assert first.p_value < 0.05  # the points stand at a mean of 7 where 5 is expected, four standard errors off
    assert not np.array_equal(first.simulated, monte_carlo_test(points, mean_east, null, n_simulations=199, rng=4).simulated)
    assert "seed 3" in str(first)
    with pytest.raises(InputError, match="at least 19"):
        monte_carlo_test(points, mean_east, null, n_simulations=5, rng=3)


def test_size_of_the_monte_carlo_test(square):
    """400 data sets from the null itself, level 0.1: rejections within the central 99.9 % of a binomial."""
    grid = square.grid(shape=(20, 20))
    null = BinomialNull(Intensity(np.full(grid.shape, 0.1), grid, "flat"), 10)
    rejected = 0
    for k in range(400):
        draw = null.draw(np.random.SeedSequence([9, k]), 0, 1)
        points = PointPattern(draw.easting, draw.northing, square)
        rejected += monte_carlo_test(points, mean_east, null, n_simulations=59, rng=k).p_value <= 0.1
    low, high = binom.ppf([0.0005, 0.9995], 400, 0.1)
    assert low <= rejected <= high


def test_json_has_no_nan():
    assert to_json({"a": float("nan"), "b": np.array([1.0, np.inf]), "c": np.int64(3), 4: (True, None)}) == {
        "a": None,
        "b": [1.0, "inf"],
        "c": 3,
        "4": [True, None],
    }
    assert to_json(0.1 + 0.2) == 0.3


def test_a_curve_says_where_it_leaves_its_band():
    r, zero, one = np.array([1.0, 2, 3, 4]), np.zeros(4), np.ones(4)
    found = CurveResult("ratio", r, np.array([0.5, -0.1, 1, 1.2]), zero, zero, one, 0.95, "erl", 0.01, "flat", 99, "1")
    assert found.outside.tolist() == [2, 4]
    assert "leaves the 95% global envelope from 2 to 4" in str(found)
    assert "envelope nowhere" in str(replace(found, observed=zero))


def test_salvos_under_a_null_of_independent_strikes_are_warned_of():
    window = Window(box(0, 0, 10, 10))
    marks = pd.DataFrame({"attack_id": ["a", "a", "b"]})
    points = PointPattern([1, 1, 5], [1, 1, 5], window, marks)
    grid = window.grid(shape=(20, 20))
    flat = Intensity(np.ones(grid.shape), grid, "flat")
    null, options = BinomialNull(flat, 3), {"n_simulations": 19, "rng": 1}

    def count(draws):
        return draws.sums((draws.easting < 2).astype(float))

    with pytest.warns(AnalysisWarning, match="drawn as independent"):
        monte_carlo_test(points, count, null, **options)
    with pytest.warns(AnalysisWarning, match="drawn as independent"):
        two_stage_test(points, lambda p: (BinomialNull(flat, p.n), count), **options)
    with pytest.warns(AnalysisWarning, match="drawn as independent"):
        cross_k_draws(Sites([1], [1], window), points, null, [1.0, 2.0], **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monte_carlo_test(PointPattern([1, 1, 5], [1, 1, 5], window), count, null, **options)
        one_each = PointPattern([1, 1, 5], [1, 1, 5], window, pd.DataFrame({"attack_id": ["a", "b", "c"]}))
        monte_carlo_test(one_each, count, null, **options)
