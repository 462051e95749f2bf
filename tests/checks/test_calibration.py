"""The stored calibration: that it belongs to the plan, that the bandwidth follows the rule, and that a small run reproduces it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from analysis.checks import Calibration, defining_parts
from analysis.checks import calibration as module
from analysis.checks.calibration import MUST_HOLD
from analysis.checks.worlds import draw_strikes, setting, worlds
from analysis.pattern import InputError


@pytest.fixture(scope="module")
def stored(root) -> Calibration:
    return Calibration.from_dict(json.loads((root / "data/calibration/primary.json").read_text()))


def test_it_is_of_this_plan(stored, plan):
    assert stored.covers(plan)
    assert stored.n_worlds >= 1000
    assert stored.bound == pytest.approx(binom.ppf(0.99, stored.n_worlds, plan.primary.level) / stored.n_worlds)
    assert len(stored.rows) == 9 * len(plan.secondary.bandwidths_m)


def test_the_bandwidth_follows_the_rule_of_the_plan(stored, plan):
    """The largest bandwidth whose size stays within the bound in every world in which it must hold."""
    holds = [h for h in plan.secondary.bandwidths_m if stored.worst_size(h) <= stored.bound]
    assert max(holds) == plan.primary.bandwidth_m


def test_power_grows_with_the_excess(stored, plan):
    at = {row["world"]: row["share"] for row in stored.rows if row["bandwidth_m"] == plan.primary.bandwidth_m}
    assert at["centre"] < at["excess 2 near sites"] < at["excess 3 near sites"]


def test_intervals_hold_the_true_ratio(stored):
    for row in stored.coverage:
        assert row["coverage"] >= binom.ppf(0.001, row["worlds"], 0.95) / row["worlds"], row["world"]


@pytest.fixture(scope="module")
def ready(kyiv, plan):
    module._share(kyiv, plan)
    return worlds(module._SHARED["bench"].at)


def test_sixty_new_worlds_agree_with_the_stored_ones(ready, stored, plan, monkeypatch):
    """A quick look at the planned bandwidth: rejections within the 99.9 % binomial range of the stored share."""
    bench, h = module._SHARED["bench"], plan.primary.bandwidth_m
    monkeypatch.setitem(module._SHARED, "bench", replace(bench, estimators={h: bench.estimators[h]}))
    for index, name in ((1, "centre"), (8, "excess 3 near sites")):
        assert ready[index].name == name
        share = next(r["share"] for r in stored.rows if r["world"] == name and r["bandwidth_m"] == plan.primary.bandwidth_m)
        p = np.array([module._p_values((ready[index], index, 5000 + w, 99, 1))[0] for w in range(60)])
        low, high = binom.ppf([0.0005, 0.9995], 60, share)
        assert low <= (p <= plan.primary.level).sum() <= high


def test_the_same_world_is_the_same_whoever_draws_it(ready):
    assert module._p_values((ready[0], 0, 3, 99, 1)) == module._p_values((ready[0], 0, 3, 99, 1))


def test_worlds_do_not_use_the_places_of_the_strikes(kyiv, plan):
    """Moving every strike changes nothing in what worlds take from the study."""
    import copy
    import dataclasses

    moved = copy.copy(kyiv.strikes)
    moved.frame = kyiv.strikes.frame.assign(easting=kyiv.strikes.frame["easting"] + 100.0)
    a, b = setting(kyiv, plan), setting(dataclasses.replace(kyiv, strikes=moved), plan)
    assert np.array_equal(a.share, b.share)
    assert np.array_equal(a.attack, b.attack)
    for one, other in zip(worlds(a), worlds(b), strict=True):
        assert np.array_equal(one.intensity.values, other.intensity.values)


def test_salvos_fall_together(ready):
    at = module._SHARED["bench"].at

    def pairs(world):
        e, n = draw_strikes(world, at, np.random.default_rng(1))
        apart = np.hypot(e[:, None] - e, n[:, None] - n)
        same = (at.attack[:, None] == at.attack) & ~np.eye(len(e), dtype=bool)
        return (apart[same] < 800).mean()

    alone, some, many = (pairs(ready[k]) for k in (0, 1, 2))
    assert alone < some < many
    assert ready[5].truth == "aim points"
    assert {w.truth for w in ready} == {*MUST_HOLD, "selective", "excess"}


def test_a_damaged_file_is_refused(stored):
    with pytest.raises(InputError, match="fields of a calibration"):
        Calibration.from_dict({"rows": []})


def test_another_test_is_not_covered(stored, plan):
    import dataclasses

    wider = dataclasses.replace(plan, primary=dataclasses.replace(plan.primary, scale_m=400.0))
    assert not stored.covers(wider)
    assert defining_parts(wider) != defining_parts(plan)
