"""Exact rate ratios and the interrupted series, against R and by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from analysis.pattern import InputError
from analysis.timing import NotIdentifiable, Ratio, interrupted_series, rate_ratio_test

R = json.loads((Path(__file__).parents[1] / "reference/timing.json").read_text())
DAY0 = np.datetime64("2022-01-01")


def test_the_check_value_of_the_notification():
    """1 event in 50 days, then 3 in 1,309: (3/1309)/(1/50) = 0.1146; P(4 of 4 after) = (1309/1359)^4 = 0.8608, the rest is p."""
    found = rate_ratio_test(3, 1309, 1, 50)
    assert found.ratio == pytest.approx(3 / 1309 / (1 / 50))
    assert found.interval == pytest.approx((0.0092, 6.02), rel=1e-2)
    assert found.p_value == pytest.approx(1 - (1309 / 1359) ** 4)
    assert round(found.p_value, 3) == 0.139
    assert "0.115" in str(found)
    assert found.to_dict()["identifiable"] is True


@pytest.mark.parametrize("case", R["rates"], ids=lambda c: str(c["given"]))
def test_against_poisson_test_of_r(case):
    found = rate_ratio_test(*case["given"])
    for mine, theirs in zip(
        (found.ratio, *found.interval, found.p_value), (case["ratio"], case["low"], case["high"], case["p"]), strict=True
    ):
        assert mine == pytest.approx(math.inf if theirs == "Inf" else theirs, rel=1e-6)


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0.5, 500), st.floats(0.5, 500))
def test_swapping_the_two_turns_the_ratio_over(a, b, s, t):
    one, two = rate_ratio_test(a, s, b, t), rate_ratio_test(b, t, a, s)
    assert 0 < one.p_value <= 1
    if a + b:
        assert one.p_value == pytest.approx(two.p_value, rel=1e-6)
        assert one.interval[0] * two.interval[1] == pytest.approx(1) or one.interval[0] == 0


def test_no_events_say_nothing():
    found = rate_ratio_test(0, 10, 0, 20)
    assert math.isnan(found.ratio)
    assert (found.interval, found.p_value) == ((0.0, math.inf), 1.0)
    assert found.to_dict()["ratio"] is None


@pytest.mark.parametrize(
    ("values", "column"),
    [((1, 0, 1, 5), "exposure"), ((1, 5, 1, -1), "exposure_reference"), ((-1, 5, 1, 5), "events"), ((1, 5, 1.5, 5), "events_reference"),
     ((1, math.nan, 1, 5), "exposure")],
)  # fmt: skip
def test_bad_input_is_named(values, column):
    with pytest.raises(InputError, match=f"column {column},"):
        rate_ratio_test(*values)


def test_size_of_the_exact_test_is_below_its_level():
    """Given 9 events, half of them expected on each side: the probability of all p ≤ 0.05 together is at most 0.05."""
    rejected = [k for k in range(10) if rate_ratio_test(k, 100, 9 - k, 100).p_value <= 0.05]
    assert 0 < binom.pmf(rejected, 9, 0.5).sum() <= 0.05


def _series(counts, step=28):
    days = np.repeat(np.arange(len(counts)) * step, counts)
    return DAY0 + days, DAY0 + (len(counts) * step - 1)


def test_interrupted_series_against_quasi_poisson_of_r():
    r = R["series"]
    days, end = _series(r["count"])
    found = interrupted_series(days, DAY0 + r["change"] * 28, start=DAY0, end=end)
    assert isinstance(found, Ratio)
    assert np.log(found.ratio) == pytest.approx(r["beta"], abs=1e-6)
    assert found.beside["dispersion"] == pytest.approx(r["dispersion"], rel=1e-6)
    spread = (np.log(found.interval[1]) - np.log(found.interval[0])) / 2 / 1.959964
    assert spread >= r["se"] - 1e-6  # the larger of the two errors
    assert found.p_value == max(found.beside["p_hac"], found.beside["p_quasi"])


def test_interrupted_series_finds_a_jump_and_no_jump():
    flat, jump = [4, 5, 3, 4] * 6, [4, 5, 3, 4] * 3 + [13, 11, 12, 12] * 3
    for counts, ratio, differs in ((flat, 1, False), (jump, 3, True)):
        days, end = _series(counts)
        found = interrupted_series(days, DAY0 + 12 * 28, start=DAY0, end=end)
        assert found.ratio == pytest.approx(ratio, rel=0.25)
        assert (found.p_value < 0.01) == differs


@pytest.mark.parametrize(
    ("change", "reason"), [(2, "2 of the 6 periods of 28 days asked for lie before"), (22, "2 of the 6"), (-5, "0 of the 6")]
)
def test_a_change_near_an_end_is_not_identifiable(change, reason):
    days, end = _series([2] * 24)
    found = interrupted_series(days, DAY0 + change * 28, start=DAY0, end=end)
    assert isinstance(found, NotIdentifiable)
    assert reason in found.reason


def test_an_empty_side_is_not_identifiable_and_bad_dates_are_refused():
    days, end = _series([0] * 10 + [3] * 10)
    assert "nothing happened before" in interrupted_series(days, DAY0 + 280, start=DAY0, end=end).reason
    with pytest.raises(InputError, match="must not end before it begins"):
        interrupted_series(days, DAY0 + 280, start=end, end=DAY0)
    with pytest.raises(InputError, match="must be a date"):
        interrupted_series(days, "soon", start=DAY0, end=end)
    with pytest.raises(InputError, match="must lie in the period"):
        interrupted_series(days, DAY0 + 280, start=DAY0, end=DAY0 + 300)
