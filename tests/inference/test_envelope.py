"""Global envelopes by every measure: worked by hand, band and p in step, and their size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from analysis.inference import global_envelope_test, two_stage_test
from analysis.inference.envelope import DEVIATIONS, RANKS, _continuous_ranks, _extreme_rank_lengths, _rank_measure
from analysis.null import BinomialNull
from analysis.pattern import InputError, Intensity, PointPattern

BANDED = [m for m in (*RANKS, *DEVIATIONS) if m != "dclf"]


def test_extreme_rank_lengths_by_hand():
    """Ranks (1,2), (2,1), (1,1), (3,3): sorted (1,2), (1,2), (1,1), (3,3); the third is most extreme, the first two tie at place 3 of 4."""
    ranks = np.array([[1, 2], [2, 1], [1, 1], [3, 3]], float)
    assert _extreme_rank_lengths(ranks).tolist() == [0.75, 0.75, 0.25, 1.0]


def test_continuous_ranks_by_hand():
    """0, 1, 3, 7: 1 lies a third of the way from 0 to 3, so 1 + 1/3; 3 a third from 1 to 7, so 2 + 1/3; ends exp(-1/6) and 4 - exp(-4/3)."""
    found = _continuous_ranks(np.array([[3.0], [0.0], [7.0], [1.0]])).ravel()
    assert found == pytest.approx([2 + 1 / 3, np.exp(-1 / 6), 4 - np.exp(-4 / 3), 1 + 1 / 3])
    tied = _continuous_ranks(np.array([[1.0], [1.0], [0.0], [2.0]])).ravel()
    assert tied[0] == tied[1] == pytest.approx(2.0)  # 1 + 1 and 2 + 0
    assert _continuous_ranks(np.zeros((4, 1))).ravel().tolist() == [pytest.approx(2.0)] * 4


def test_area_rank_by_hand():
    """Ranks from below e^(−1/18) and 2.5: R = ceil(0.946) = 1, so (0.946 + 1) / 2, over half the 20 curves."""
    # at both distances 0, 1 ... 19, so ranks k inside, in halves: 4.5, and exp(-1/18) for the smallest
    curves = np.tile(np.arange(20.0)[:, None], (1, 2))
    curves[[2, 0], 1] = curves[[0, 2], 1]  # the smallest at the first distance is third at the second
    area, cont = _rank_measure(curves, "area", "less"), _rank_measure(curves, "cont", "less")
    assert area[0] == pytest.approx((np.exp(-1 / 18) + 1) / 2 / 10)  # 2.5 counts as the 1 that the smallest rank rounds up to
    assert cont[0] == pytest.approx(np.exp(-1 / 18) / 10)
    assert (area[5], cont[5]) == pytest.approx((0.55, 0.55))


def test_rank_measure_and_its_interval_by_hand():
    """40 curves that are 0 … 39 everywhere; the observed one is 1. Two-sided, 0 and 39 have rank 1, 1 and 38 rank 2: 2/40 < p ≤ 4/40."""
    values = np.r_[1, 0, np.arange(2, 40)][:, None] * np.ones((1, 3))
    found = global_envelope_test([1, 2, 3], values[0], values[1:], measure="rank", level=0.9)
    assert found.p_interval == (2 / 40, 4 / 40)
    assert found.p_value == 0.1
    # four curves may be outside at 90 %: the band runs from the third smallest to the third largest
    assert (found.lower[0], found.upper[0]) == (2, 37)


def test_studentised_and_directional_by_hand():
    """Draws -1 and 1 in turn, observed 0: mean 0, and the sample standard deviation of 20 draws and a zero is 1."""
    draws = np.tile([[-1.0], [1.0]], (10, 1))
    found = global_envelope_test([1.0], [0.0], draws, measure="st")
    assert found.p_value == 1.0  # nothing is less extreme
    assert (found.lower[0], found.upper[0]) == pytest.approx((-1, 1))
    # −20 … −1, 0, 18 ones, 92, 100: mean 0, quantiles at −19 and 92; so 100/92 is first, 20/19 second, 19/19 and 92/92 tie
    values = np.r_[np.arange(-20.0, 1), np.ones(18), 92, 100]
    for own, place in ((100, 1), (-20, 2), (92, 4), (-19, 4)):
        assert global_envelope_test([1.0], [own], values[values != own][:, None], measure="qdir").p_value == place / 41


def test_dclf_is_the_mean_square_and_has_no_band():
    draws = np.random.default_rng(2).normal(size=(99, 4))
    own = np.array([0.5, -2.0, 1.0, 0.0])
    found = global_envelope_test(range(4), own, draws, measure="dclf")
    curves = np.vstack([own, draws])
    squares = ((curves - curves.mean(axis=0)) ** 2).mean(axis=1)
    assert found.p_value == (squares >= squares[0]).mean()
    assert np.isnan(found.lower).all() and np.isnan(found.upper).all()


def test_centring_on_all_curves_orders_as_leaving_one_out():
    """T_i minus the mean of the others is (S / (S - 1)) times T_i minus the mean of all: spatstat's leave-one-out gives the same p."""
    draws = np.random.default_rng(3).normal(size=(49, 6)).cumsum(axis=1)
    own = draws[0] + 1.5
    curves = np.vstack([own, draws])
    others = (curves.sum(axis=0) - curves) / (len(curves) - 1)
    largest = np.abs(curves - others).max(axis=1)
    assert global_envelope_test(range(6), own, draws, measure="mad").p_value == (largest >= largest[0]).mean()


@given(st.integers(0, 10_000), st.sampled_from(BANDED), st.sampled_from(["two-sided", "greater", "less"]), st.sampled_from([0.9, 0.95]))
def test_band_and_p_are_in_step(seed, measure, alternative, level):
    """The observed curve lies in the band exactly when p > 1 - level."""
    rng = np.random.default_rng(seed)
    curves = rng.normal(size=(100, 9)).cumsum(axis=1)
    curves[0] += rng.uniform(-5, 5)
    found = global_envelope_test(range(9), curves[0], curves[1:], measure=measure, alternative=alternative, level=level)
    inside = bool(((curves[0] >= found.lower - 1e-12) & (curves[0] <= found.upper + 1e-12)).all())
    assert inside == (found.p_value > 1 - level + 1e-9)
    assert 0 < found.p_value <= 1


@pytest.mark.parametrize("measure", BANDED)
def test_a_curve_on_the_edge_of_its_band_is_in_it(measure):
    """Levels at which the observed curve is the last one kept; rounding must not put it outside. A distance where all agree is no exit."""
    for seed in range(40):
        curves = np.random.default_rng(seed).normal(size=(40, 5))
        curves[:, 2] = 0.1
        p = global_envelope_test(range(5), curves[0], curves[1:], measure=measure).p_value
        found = global_envelope_test(range(5), curves[0], curves[1:], measure=measure, level=1 - p + 0.5 / 40)
        assert ((curves[0] >= found.lower) & (curves[0] <= found.upper)).all()


@given(st.integers(0, 10_000), st.sampled_from([*RANKS, *DEVIATIONS]))
def test_p_does_not_depend_on_units_or_the_order_of_draws(seed, measure):
    rng = np.random.default_rng(seed)
    curves = rng.normal(size=(60, 5)).cumsum(axis=1)
    one = global_envelope_test(range(5), curves[0], curves[1:], measure=measure)
    other = global_envelope_test(range(5), 3 * curves[0] + 7, 3 * rng.permutation(curves[1:]) + 7, measure=measure)
    assert one.p_value == pytest.approx(other.p_value)
    assert other.upper == pytest.approx(3 * one.upper + 7, nan_ok=True)


@pytest.mark.parametrize("measure", [*RANKS, *DEVIATIONS])
def test_size(measure):
    """1,000 curves from the null, 99 draws each, level 5 %: within the central 99.9 % of a binomial; rank, with its ties, may stay below."""
    rng = np.random.default_rng(11)
    rejected = sum(
        global_envelope_test(range(6), c[0], c[1:], measure=measure).p_value <= 0.05 for c in rng.normal(size=(1000, 100, 6)).cumsum(axis=2)
    )
    low, high = binom.ppf([0.0005, 0.9995], 1000, 0.05)
    assert rejected <= high
    assert rejected >= low or measure == "rank"


@pytest.mark.parametrize("value", [4.0, 0.1])  # the mean of a hundred times 0.1 is not 0.1
def test_distances_at_which_all_agree_are_skipped(value):
    draws = np.random.default_rng(1).normal(size=(99, 3))
    draws[:, 1] = value
    for measure in ("st", "qdir"):
        with_it = global_envelope_test(range(3), [0.3, value, 0.1], draws, measure=measure)
        without = global_envelope_test(range(2), [0.3, 0.1], draws[:, [0, 2]], measure=measure)
        assert with_it.p_value == without.p_value
        assert (with_it.lower[1], with_it.upper[1]) == pytest.approx((value, value), abs=1e-14)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"measure": "magic"}, "must be one of erl"),
        ({"alternative": "closer"}, "must be two-sided, greater or less"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"simulated": np.zeros((9, 2))}, "at least 19"),
        ({"simulated": np.zeros((99, 3))}, r"must be \(r,\)"),
        ({"observed": [np.nan, 0]}, "finite"),
    ],
)
def test_bad_input(change, said):
    values = {"distance": [1, 2], "observed": [0.0, 0.0], "simulated": np.random.default_rng(1).normal(size=(99, 2)), **change}
    options = {k: values.pop(k) for k in ("measure", "alternative", "level") if k in values}
    with pytest.raises(InputError, match=said):
        global_envelope_test(*values.values(), **options)


def test_two_stages_mend_a_test_that_the_fit_made_conservative(square):
    """Kolmogorov's distance to an exponential trend fitted by the mean: Lilliefors' case, in which the plug-in p is far too large.

    100 worlds from a trend of the family, level 20 %: the plug-in test rejects under 5, the two-stage test between 7 and 33 (99.9 % of a binomial).
    """
    grid = square.grid(shape=(1, 40))
    east = grid.centres[0][0]

    def null_of(slope):
        return BinomialNull(Intensity((np.exp(slope * east) / np.exp(slope * east).sum())[None] * 12, grid, "trend"), 30)

    slopes = np.linspace(-0.6, 0.6, 121)
    means = [np.average(east, weights=np.exp(s * east)) for s in slopes]

    def fit(points):
        null = null_of(slopes[np.abs(np.array(means) - points.easting.mean()).argmin()])
        cdf = np.r_[0, np.cumsum(null.intensity.values[0])] / null.intensity.values.sum()

        def distance(draws):
            u = np.interp(draws.easting, np.linspace(0, 10, 41), cdf)
            u = np.sort(u.reshape(draws.n_draws, -1), axis=1)
            steps = np.arange(1, u.shape[1] + 1) / u.shape[1]
            return np.maximum(steps - u, u - steps + 1 / u.shape[1]).max(axis=1)

        return null, distance

    truth, plug, two = null_of(0.1), 0, 0
    for k in range(100):
        points = truth.draw(np.random.SeedSequence([4, k]), 0, 1).pattern(0, square)
        found = two_stage_test(points, fit, n_simulations=39, rng=k)
        plug += found.statistic <= 0.2
        two += found.p_value <= 0.2
    low, high = binom.ppf([0.0005, 0.9995], 100, 0.2)
    assert plug < 5
    assert low <= two <= high
    with pytest.raises(InputError, match="at least 19"):
        two_stage_test(PointPattern([1.0], [1.0], square), fit, n_simulations=5, rng=1)


def test_two_stages_draw_anew_each_time_and_for_each_child_of_a_seed(square):
    grid, seen = square.grid(shape=(50, 50)), []
    null = BinomialNull(Intensity(np.full(grid.shape, 0.1), grid, "flat"), 4)

    def east(draws):
        seen.append(draws.easting.sum())
        return draws.sums(draws.easting)

    points = PointPattern([1, 2, 3, 4], [1, 2, 3, 4], square)
    one, again, other = (
        two_stage_test(points, lambda p: (null, east), n_simulations=19, rng=np.random.SeedSequence(5, spawn_key=(k,))) for k in (0, 0, 1)
    )
    assert np.array_equal(one.simulated, again.simulated) and not np.array_equal(one.simulated, other.simulated)
    assert len(set(seen[: len(seen) // 3])) == 2 * 20  # 20 patterns, and the draws behind each


@pytest.mark.parametrize("name", ["poisson", "clustered", "regular"])
@pytest.mark.parametrize("measure", ["mad", "dclf"])
@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_deviation_tests_agree_with_spatstat(name, measure, alternative):
    """p equals that of mad.test and dclf.test (clamp = TRUE: deviations to the other side count as none) on the same curves."""
    reference = json.loads((Path(__file__).parents[1] / "reference" / "envelopes.json").read_text())
    curves = np.array(reference[f"{name}_curves"]).reshape(40, -1)
    p_value, statistic = reference[f"{name}_{measure}_{alternative}"]
    found = global_envelope_test(np.arange(1, 16) / 10, curves[0], curves[1:], measure=measure, alternative=alternative)
    assert found.p_value == p_value
    if measure == "mad":  # spatstat's deviation is from the mean of the draws alone: 40/39 of ours
        off = curves[0] - found.central
        away = {"two-sided": np.abs(off), "greater": np.maximum(off, 0), "less": np.maximum(-off, 0)}[alternative]
        assert away.max() * 40 / 39 == pytest.approx(statistic, abs=1e-9)
