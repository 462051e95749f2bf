"""What overturns a verdict is listed: other seeds, treatments, bandwidths, and an interval that holds 1."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from analysis.checks import Calibration, defining_parts, verdict
from analysis.checks.treatments import bandwidths, monte_carlo_error, treatments, two_sided
from analysis.inference import TestResult
from analysis.proximity import ExcessResult

DRAWS = 9999


def listed(plan, p, *, interval=(1.5, 4.0), variant=None, baseline=None, size=0.05):
    primary = TestResult("t", 3.0, p, "closer", "null", 96, DRAWS, "1", np.zeros(1))
    excess = ExcessResult(500.0, 2.5, interval, 0.95, 3.0, 0.8, 0.05, 1999)
    other = plan.primary.bandwidth_m + 500
    rows = tuple({"world": "w", "truth": "smooth", "bandwidth_m": h, "share": size} for h in (plan.primary.bandwidth_m, other))
    variants = [{"variant": "as planned", "treatment": True, "p_value": p}]
    variants += [{"variant": "counted once", "treatment": kind, "p_value": value} for value, kind in ([] if variant is None else [variant])]
    baselines = [] if baseline is None else [{"baseline": "kernel, wider", "bandwidth_m": other, "p_value": baseline}]
    calibration = Calibration(defining_parts(plan), 1000, 499, 0.067, rows, ())
    checks = [
        monte_carlo_error(plan, primary),
        treatments(plan, primary, variants),
        bandwidths(plan, primary, baselines, calibration),
        two_sided(plan, primary, excess),
    ]
    return tuple(check.text for check in checks if check.passed is False)


@pytest.mark.parametrize(("p", "n"), [(0.0001, 0), (0.03, 0), (0.0495, 1), (0.053, 1), (0.06, 0), (1.0, 0)])
def test_a_p_within_its_own_monte_carlo_error_of_the_level(plan, p, n):
    """At p = 0.05 the standard error of 9,999 draws is sqrt(.05 x .95 / 9999) = 0.0022, so 0.0457 to 0.0543 cannot be told apart."""
    found = listed(plan, p)
    assert len(found) == n
    assert all("on either side of the level" in line for line in found)


def test_treatments_and_bandwidths_on_the_other_side(plan):
    assert listed(plan, 0.01, variant=(0.2, True)) == ("With counted once, p = 0.2, above the level.",)
    assert listed(plan, 0.2, variant=(0.01, True)) == ("With counted once, p = 0.01, at or below the level.",)
    assert listed(plan, 0.01, variant=(0.2, False)) == ()  # a dropped safeguard overturns nothing
    assert listed(plan, 0.01, baseline=0.3) == ("With kernel, wider, p = 0.3, above the level.",)
    assert listed(plan, 0.01, baseline=0.3, size=0.2) == ()  # a bandwidth that does not hold its size overturns nothing


def test_an_interval_that_holds_one(plan):
    assert "holds 1" in listed(plan, 0.01, interval=(0.9, 4.0))[0]
    assert listed(plan, 0.4, interval=(0.9, 4.0)) == ()


@pytest.mark.parametrize(
    ("alternative", "ratio", "high", "answer"),
    [("closer", 2.5, 4.0, "excess"), ("two-sided", 2.5, 4.0, "excess"), ("two-sided", 0.4, 0.9, "no excess"),
     ("farther", 0.4, 0.9, "no excess"), ("farther", 0.4, 2.5, "not informative")],
)  # fmt: skip
def test_a_deficit_is_no_excess(plan, alternative, ratio, high, answer):
    own = dataclasses.replace(plan, primary=dataclasses.replace(plan.primary, alternative=alternative))
    rows = ({"world": "w", "truth": "smooth", "bandwidth_m": own.primary.bandwidth_m, "share": 0.05},)
    primary = TestResult("t", 3.0, 0.001, alternative, "null", 96, DRAWS, "1", np.zeros(1))
    excess = ExcessResult(500.0, ratio, (ratio / 2, high), 0.95, 3.0, 0.8, 0.05, 1999)
    found = verdict(own, primary, excess, 96.0, Calibration(defining_parts(own), 1000, 499, 0.067, rows, ()))
    assert found.answer == answer
    assert ("keep away" in found.rule) == (ratio < 1)
