"""What chance does among many sites: by hand, by size, before and after paying for the choice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from analysis.null import BinomialNull
from analysis.pattern import InputError, Intensity, PointPattern, Sites
from analysis.proximity import look_elsewhere


@pytest.fixture
def setting(square):
    """Five missions of three states in four buildings, one unit of reach; a flat null of 25 strikes, a quarter of a strike for each unit area."""
    marks = pd.DataFrame({"building_id": ["a", "b", "b", "c", "d"], "sending_state": ["X", "X", "Y", "Y", "Z"]})
    sites = Sites([2, 5, 5, 8, 2], [2, 5, 5, 8, 8], square, marks)
    grid = square.grid(shape=(100, 100))
    return sites, BinomialNull(Intensity(np.full(grid.shape, 0.25), grid, "flat"), 25)


def test_counts_and_expectations_by_hand(setting, square):
    """Strikes at 1 and 1.001 from a: one is within. π/4 strikes are expected at each building; X has two buildings, so twice that."""
    sites, null = setting
    points = PointPattern([3.0, 2.0, 5.2, 5.0, *np.full(21, 9.5)], [2.0, 3.001, 5.0, 5.9, *np.full(21, 0.5)], square)
    by_building = look_elsewhere(points, sites, null, 1.0, n_simulations=999, rng=1)
    assert by_building.frame["observed"].tolist() == [1, 2, 0, 0]
    assert by_building.frame["expected"].to_numpy() == pytest.approx(np.full(4, np.pi / 4), abs=0.12)
    by_state = look_elsewhere(points, sites, null, 1.0, by="sending_state", n_simulations=999, rng=1)
    assert by_state.frame.set_index("name")["observed"].to_dict() == {"X": 3, "Y": 2, "Z": 0}
    assert by_state.frame["expected"].to_numpy() == pytest.approx(np.pi / 4 * np.array([2, 2, 1]), abs=0.2)


def test_some_building_is_hit_k_times_by_chance(setting, square):
    """Four disjoint discs of share π/100, 25 strikes: P(none is hit) = (1 − 4π/100)²⁵; within four standard errors."""
    sites, null = setting
    points = PointPattern(np.full(25, 9.5), np.full(25, 0.5), square)
    found = look_elsewhere(points, sites, null, 1.0, n_simulations=1999, rng=2)
    truth = 1 - (1 - 4 * np.pi / 100) ** 25
    assert found.chance(1) == pytest.approx(truth, abs=4 * np.sqrt(truth * (1 - truth) / 1999))
    assert found.chance(0) == 1.0
    assert (np.diff(found.some["probability"]) <= 0).all()
    assert (found.frame["p_after"] == 1).all()


def test_none_hit_in_the_data_or_in_any_draw(setting, square):
    """One strike or more by chance: (1 + 0) / (1 + 19)."""
    sites, null = setting
    found = look_elsewhere(PointPattern(np.full(25, 9.5), np.full(25, 0.5), square), sites, null, 1e-6, n_simulations=19, rng=1)
    assert found.chance(1) == found.chance(9) == 0.05


def test_paying_for_the_choice(setting, square):
    sites, null = setting
    points = PointPattern([*np.full(5, 8.1), *np.full(20, 9.5)], [*np.full(5, 8.1), *np.full(20, 0.5)], square)
    found = look_elsewhere(points, sites, null, 1.0, n_simulations=999, rng=3)
    row = found.frame.set_index("name").loc["c"]
    assert row["p_before"] < row["p_after"] <= 4 * row["p_before"] + 1e-9
    assert (found.frame["p_after"] >= found.frame["p_before"]).all()
    said = found.about("c")
    assert "hit 5 times within 1" in said and "named beforehand" in said and "by chance with probability" in said
    assert str(found) == said
    assert found.to_dict()["frame"][2]["name"] == "c"


def test_size_after_paying(setting, square):
    """200 worlds from the null: the smallest p_after is at or below 0.05 in no more than the binomial's 99.9 %; the smallest p_before in more."""
    sites, null = setting
    before = after = 0
    for k in range(200):
        draw = null.draw(np.random.SeedSequence([4, k]), 0, 1)
        found = look_elsewhere(PointPattern(draw.easting, draw.northing, square), sites, null, 1.0, n_simulations=99, rng=k)
        before += found.frame["p_before"].min() <= 0.05
        after += found.frame["p_after"].min() <= 0.05
    assert after <= binom.ppf(0.9995, 200, 0.05)
    assert before > after


def test_refusals(setting, square):
    sites, null = setting
    points = PointPattern([1.0], [1.0], square)
    good = {"n_simulations": 19, "rng": 1}
    for make, said in (
        (lambda: look_elsewhere(points, Sites([], [], square), null, 1.0, **good), "no sites"),
        (lambda: look_elsewhere(PointPattern([], [], square), sites, null, 1.0, **good), "no strikes"),
        (lambda: look_elsewhere(points, sites, null, 1.0, by="colour", **good), "needs this mark"),
        (lambda: look_elsewhere(points, sites, null, 0.0, **good), "positive"),
        (lambda: look_elsewhere(points, sites, null, 1.0, n_simulations=5, rng=1), "at least 19"),
        (lambda: look_elsewhere(points, sites, null, 1.0, **good).about("q"), "no such group"),
    ):
        with pytest.raises(InputError, match=said):
            make()
