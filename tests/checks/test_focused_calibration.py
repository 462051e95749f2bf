"""The stored sizes and powers of the tests around given sites: that they hold, and that a small run reproduces them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.random import SeedSequence
from scipy.stats import binom

from analysis.checks import FocusedCalibration, draw_strikes
from analysis.checks.focused import _bench, p_values
from analysis.figures import power_curves
from analysis.pattern import InputError, PointPattern

HEAPED = {"Stone, permutation of regions"}  # expected counts go with distance, which permutation does not allow


@pytest.fixture(scope="module")
def stored(root) -> FocusedCalibration:
    return FocusedCalibration.from_dict(json.loads((root / "data/calibration/focused.json").read_text()))


def share(stored, test, truth, ratio, baseline="known"):
    return next(r for r in stored.rows if (r["test"], r["truth"], r["ratio"], r["baseline"]) == (test, truth, ratio, baseline))


def test_it_is_of_the_real_number_of_strikes(stored, kyiv, plan):
    bench = _bench(kyiv, plan)
    assert stored.n_strikes == len(bench.at.attack) and stored.n_attacks == bench.at.attack.max() + 1
    assert stored.n_buildings == bench.sites.n
    assert stored.bound == pytest.approx(binom.ppf(0.99, 200, stored.level) / 200)


def test_size_holds_with_a_known_baseline(stored):
    for row in stored.rows:
        if row["truth"] == "none" and row["baseline"] == "known" and row["test"] not in HEAPED:
            assert row["share"] <= stored.bound, row


def test_power_grows_with_the_ratio(stored):
    """From 1.5 to 5, for every test that is aimed at the buildings and every truth that concerns all of them."""
    for truth in ("near", "broad"):
        for test in ("raised incidence, baseline", "focused score, four decays", "Stone MLR, multinomial"):
            assert share(stored, test, truth, 1.5)["share"] < share(stored, test, truth, 5.0)["share"]


def test_ten_new_worlds_agree_with_the_stored_ones(kyiv, plan, stored):
    bench = _bench(kyiv, plan)
    found = []
    for k in range(10):
        e, n = draw_strikes(bench.world("near", 5.0), bench.at, np.random.default_rng([9, k]))
        strikes = PointPattern(e, n, kyiv.window)
        found.append(p_values(bench, strikes, bench.truth.intensity, n_simulations=39, rng=SeedSequence([9, k])))
    for test in found[0]:
        rejected = sum(p[test] <= stored.level for p in found)
        low, high = share(stored, test, "near", 5.0)["share"] - 0.15, share(stored, test, "near", 5.0)["share"] + 0.15
        assert binom.ppf(0.0005, 10, max(low, 0)) <= rejected <= binom.ppf(0.9995, 10, min(high, 1)), test


def test_figure(stored):
    ax = Figure().add_subplot()
    power_curves(stored, "near", ax)
    assert len(ax.lines) == 1 + len({row["test"] for row in stored.rows})
    assert ax.get_xlabel() == "excess ratio"


def test_a_damaged_file_is_refused():
    with pytest.raises(InputError, match="fields of a focused calibration"):
        FocusedCalibration.from_dict({"rows": []})
