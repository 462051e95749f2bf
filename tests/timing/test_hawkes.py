"""Hawkes: the check value, the double loop, R's optimum, known truth, ties, and when there is no answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest
from statsmodels.tools.numdiff import approx_hess

from analysis.pattern import InputError
from analysis.timing import HawkesFit, NotIdentifiable, excitation_test, fit_hawkes, hawkes_log_likelihood

R = json.loads((Path(__file__).parents[1] / "reference/timing.json").read_text())["hawkes"]


def _loop(times, end, mu, alpha, beta):
    total = sum(np.log(mu + alpha * sum(np.exp(-beta * (t - s)) for s in times if s < t)) for t in times)
    return total - mu * end - alpha / beta * sum(1 - np.exp(-beta * (end - t)) for t in times)


def test_the_check_value():
    """log .5 + log(.5 + .3 e⁻¹) + log(.5 + .3(e⁻² + e⁻³)) − .5·5 − .3 Σ(1 − e^−(5−t)) = −5.0438732."""
    assert hawkes_log_likelihood([1, 2, 4], 5, 0.5, 0.3, 1.0) == pytest.approx(-5.0438732, abs=1e-7)
    assert hawkes_log_likelihood([4, 1, 2], 5, 0.5, 0.3, 1.0) == pytest.approx(-5.0438732, abs=1e-7)


def test_without_excitation_it_is_poisson():
    assert hawkes_log_likelihood([1, 2, 4], 5, 0.6, 0.0, 1.0) == pytest.approx(3 * np.log(0.6) - 3)
    assert hawkes_log_likelihood([], 5, 0.6, 0.3, 1.0) == -3


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.floats(0.01, 3), st.floats(0, 3), st.floats(0.001, 40))
def test_against_the_double_loop_ties_and_all(times, mu, alpha, beta):
    assert hawkes_log_likelihood(times, 60.0, mu, alpha, beta) == pytest.approx(_loop(times, 60.0, mu, alpha, beta), rel=1e-9, abs=1e-9)


def test_long_and_steep_series_neither_overflow_nor_lose():
    times = np.sort(np.random.default_rng(2).uniform(0, 1e5, 200_000))
    for beta in (1e-6, 1.0, 1e4):
        assert np.isfinite(hawkes_log_likelihood(times, 1e5, 1.0, 0.1, beta))
    part = times[times <= 300]
    assert hawkes_log_likelihood(part, 300, 1.0, 0.4, 2.0) == pytest.approx(_loop(part, 300, 1.0, 0.4, 2.0), rel=1e-10)


def test_against_the_optimum_of_r():
    assert hawkes_log_likelihood(R["times"], R["end"], 0.3, 0.2, 0.5) == pytest.approx(R["value"], rel=1e-10)
    found = fit_hawkes(R["times"], R["end"])
    assert isinstance(found, HawkesFit)
    assert found.log_likelihood == pytest.approx(R["log_likelihood"], abs=1e-5)
    for k, name in enumerate(("mu", "branching", "beta")):
        assert found.params[name] == pytest.approx(R[name], rel=2e-3)
        assert found.bse[name] / found.params[name] == pytest.approx(R["se_log"][k], rel=2e-2)
    assert found.params["alpha"] == pytest.approx(found.params["branching"] * found.params["beta"])
    names = ("mu", "alpha", "beta")
    hessian = approx_hess(np.log([found.params[k] for k in names]), lambda x: hawkes_log_likelihood(R["times"], R["end"], *np.exp(x)))
    assert np.sqrt(np.linalg.inv(-hessian)[1, 1]) == pytest.approx(found.bse["alpha"] / found.params["alpha"], rel=1e-3)
    # the compensator's gaps, by the double loop
    mu, _, beta, branching = found.params.values()
    t = np.sort(R["times"])
    compensator = [mu * end + branching * (1 - np.exp(-beta * (end - t[t < end]))).sum() for end in t]
    assert found.ks == pytest.approx(kstest(np.diff(compensator, prepend=0), "expon").statistic)
    assert found.interval[0] < 0.5 < found.interval[1]  # the truth in R's thinning
    for branching in found.interval:  # the log-likelihood falls by 3.8415 / 2 there, at the best μ and β of a grid
        ends = [(mu, beta) for mu in np.geomspace(0.1, 0.4, 40) for beta in np.geomspace(0.2, 4, 60)]
        best = max(hawkes_log_likelihood(R["times"], R["end"], mu, branching * beta, beta) for mu, beta in ends)
        assert found.log_likelihood - best == pytest.approx(3.8415 / 2, abs=0.02)
    assert found.ks_p_value > 0.05
    assert found.log_likelihood > found.log_likelihood_poisson
    assert "others on average" in str(found)
    assert found.to_dict()["identifiable"] is True


def test_the_interval_reaches_zero_where_a_constant_rate_is_not_ruled_out():
    """Of ten even series: the fit answers "not identifiable", or its interval begins at 0 unless the likelihood ratio says otherwise."""
    for k in range(10):
        found = fit_hawkes(np.random.default_rng([5, k]).uniform(0, 100, 50), 100.0)
        if isinstance(found, HawkesFit):
            clear = 2 * (found.log_likelihood - found.log_likelihood_poisson) > 3.8415
            assert (found.interval[0] > 0) == clear


def test_residuals_condemn_a_model_that_does_not_fit():
    """Pairs exactly 10 apart, at even steps: no exponential memory makes that."""
    starts = np.arange(40) * 50.0 + 1
    found = fit_hawkes(np.r_[starts, starts + 10], 2001.0)
    assert not found.identifiable or found.ks_p_value < 0.001


def _why(times, end):
    found = fit_hawkes(times, end)
    assert isinstance(found, NotIdentifiable)
    return found.reason


def test_not_identifiable():
    assert "too few" in _why([1.0, 2.0, 3.0], 10.0)
    assert "without self-excitation" in _why(np.arange(100) + 0.5, 100.0)
    assert "too few" in _why(np.repeat([1.0, 2.0], 50), 10.0)  # ties are one time
    rising = np.log(np.random.default_rng(1).uniform(1, np.exp(6), 300))  # the rate grows 400-fold
    assert "other reasons" in _why(rising, 6.0)


def test_the_test_of_excitation_holds_its_level_and_sees():
    assert excitation_test(R["times"], R["end"], n_simulations=199, rng=1).p_value == 0.005
    p = [excitation_test(np.random.default_rng([3, k]).uniform(0, 50, 40), 50.0, n_simulations=99, rng=k).p_value for k in range(60)]
    assert np.mean(np.array(p) <= 0.05) <= 0.15  # more than 9 of 60 has probability 0.001
    assert min(p) > 0
    one = excitation_test(R["times"], R["end"], n_simulations=99, rng=5)
    assert one.p_value == excitation_test(R["times"], R["end"], n_simulations=99, rng=5).p_value


def test_chunks_do_not_change_the_draws(monkeypatch):
    whole = excitation_test(R["times"], R["end"], n_simulations=50, rng=5)
    monkeypatch.setattr("analysis.timing.hawkes.CHUNK", 1)
    np.testing.assert_allclose(excitation_test(R["times"], R["end"], n_simulations=50, rng=5).simulated, whole.simulated)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (([1, 6], 5, 1, 1, 1), "lie in"), (([0, 1], 5, 1, 1, 1), "lie in"), (([1], 0, 1, 1, 1), "column end"), (([1], 5, 0, 1, 1), "column mu"),
        (([1], 5, 1, -1, 1), "column alpha"), (([1], 5, 1, 1, 0), "column beta"), (([np.nan], 5, 1, 1, 1), "lie in"),
    ],
)  # fmt: skip
def test_bad_input(arguments, said):
    with pytest.raises(InputError, match=said):
        hawkes_log_likelihood(*arguments)


def test_one_time_or_few_draws_are_refused():
    for times, draws in (([1.0], 99), ([1.0, 2.0], 9)):
        with pytest.raises(InputError, match="at least two times and 19"):
            excitation_test(times, 5.0, n_simulations=draws, rng=1)
