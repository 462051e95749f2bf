"""Raised incidence: against R's maximum, a brute-force grid, cases worked by hand, and its size."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import binom

from analysis.baseline import Kernel
from analysis.null import BinomialNull
from analysis.pattern import InputError, Intensity, PointPattern, Sites
from analysis.proximity import (
    kernel_raised_incidence,
    kernel_raised_incidence_test,
    raised_incidence,
    raised_incidence_test,
    separate_incidence,
)


@pytest.fixture(scope="module")
def reference(root):
    return json.loads((root / "tests/reference/focused.json").read_text())


def direct(distance, case, rho, alpha, beta):
    """The log-likelihood, written out."""
    f = 1 + alpha * np.exp(-beta * np.asarray(distance) ** 2)
    p = rho * f / (1 + rho * f)
    return float(np.where(case, np.log(p), np.log1p(-p)).sum())


def world(seed, n=200, alpha=6.0, beta=0.8):
    rng = np.random.default_rng(seed)
    d = np.hypot(*rng.uniform(-5, 5, (2, n)))
    odds = 0.3 * (1 + alpha * np.exp(-beta * d**2))
    return d, rng.random(n) < odds / (1 + odds)


def test_one_site_agrees_with_r(reference):
    """R: optim from 60 starts, reltol 1e-14. Parameters to 1e-3, since the likelihood is flat along a ridge; its height to 1e-6."""
    r = reference["conditional"]
    found = raised_incidence(np.array(r["distance"])[:, 0], r["case"])
    assert found.log_likelihood == pytest.approx(r["one"]["log_likelihood"], abs=1e-6)
    for name in ("alpha", "beta", "rho"):
        assert getattr(found, name) == pytest.approx(r["one"][name], rel=1e-3), name
    assert found.likelihood_ratio == pytest.approx(2 * (found.log_likelihood - found.log_likelihood_null))


def test_r_climbs_towards_infinity_where_we_say_diverged(reference):
    """With two sites the odds are best as exp(−β Σ d²): R stops at ρ of 1e-9 and 1e-6, below our supremum and within 1e-3 of it."""
    r = reference["conditional"]
    common, separate = raised_incidence(r["distance"], r["case"]), separate_incidence(r["distance"], r["case"])
    assert (common.diverged, common.rho, common.alpha) == (True, 0.0, np.inf)
    assert separate.diverged.tolist() == [False, True]
    assert separate.alpha[0] == pytest.approx(r["separate"]["alpha"][0], rel=1e-2)
    for found, name in ((common, "common"), (separate, "separate")):
        assert -1e-6 <= found.log_likelihood - r[name]["log_likelihood"] < 1e-3


@pytest.mark.parametrize("seed", range(6))
def test_no_point_of_a_fine_grid_is_higher(seed):
    """Brute force over 60 × 60 × 40 values of α, β and ρ, with and without an excess, several hills included."""
    d, y = world(seed, n=60, alpha=(0.0, 8.0)[seed % 2])
    found = raised_incidence(d, y)
    alpha, beta, rho = np.exp(np.linspace(-3, 9, 60)), np.exp(np.linspace(-4, 6, 60)), np.exp(np.linspace(-5, 2, 40))
    f = 1 + alpha[:, None, None] * np.exp(-beta[:, None] * d**2)
    best = -np.inf
    for value in rho:
        odds = value * f
        best = max(best, float((np.log(odds[..., y]).sum(-1) - np.log1p(odds).sum(-1)).max()))
    assert found.log_likelihood >= best - 1e-9
    if not found.diverged and found.alpha > 0:
        assert direct(d, y, found.rho, found.alpha, found.beta) == pytest.approx(found.log_likelihood, abs=1e-8)


def test_two_sites_of_their_own_against_a_grid():
    rng = np.random.default_rng(5)
    e, n = rng.uniform(0, 10, (2, 80))
    d = np.column_stack([np.hypot(e - 3, n - 3), np.hypot(e - 7, n - 6)])
    odds = 0.3 * (1 + 9 * np.exp(-0.8 * d[:, 0] ** 2)) * (1 + 4 * np.exp(-0.4 * d[:, 1] ** 2))
    y = rng.random(80) < odds / (1 + odds)
    found = separate_incidence(d, y)
    assert found.log_likelihood >= raised_incidence(d, y).log_likelihood - 1e-6
    part = [
        1 + np.exp(np.linspace(-2, 8, 14))[:, None, None] * np.exp(-np.exp(np.linspace(-4, 3, 14))[:, None] * d[:, s] ** 2) for s in (0, 1)
    ]
    one, other = (p.reshape(-1, 80) for p in part)
    best = -np.inf
    for rho in np.exp(np.linspace(-5, 1, 20)):
        for f in one:
            odds = rho * f * other
            best = max(best, float((np.log(odds[:, y]).sum(1) - np.log1p(odds).sum(1)).max()))
    assert found.log_likelihood >= best


def test_intervals_of_separate_raises():
    """One site alone: the interval of the common fit. Two: the profile over the other four parameters, searched from 8 random starts."""
    rng = np.random.default_rng(10)
    e, n = rng.uniform(0, 10, (2, 160))
    d = np.column_stack([np.hypot(e - 3, n - 3), np.hypot(e - 7, n - 6)])
    odds = 0.3 * (1 + 9 * np.exp(-0.8 * d[:, 0] ** 2)) * (1 + 4 * np.exp(-0.4 * d[:, 1] ** 2))
    y = rng.random(160) < odds / (1 + odds)
    alone, common = separate_incidence(d[:, :1], y), raised_incidence(d[:, 0], y)
    assert (alone.alpha_lower[0], alone.alpha_upper[0]) == pytest.approx(common.alpha_interval, rel=1e-3)
    found = separate_incidence(d, y)
    assert (found.alpha_lower < found.alpha).all() and (found.alpha < found.alpha_upper).all()
    cut = found.log_likelihood - 1.920729

    def negative(x, log_alpha):
        f = (1 + np.exp(log_alpha - np.exp(x[1]) * d[:, 0] ** 2)) * (1 + np.exp(x[2] - np.exp(x[3]) * d[:, 1] ** 2))
        z = x[0] + np.log(f)
        return -float(z[y].sum() - np.logaddexp(0, z).sum())

    for end, inside in ((found.alpha_lower[0], 1.02), (found.alpha_upper[0], 1 / 1.02)):
        starts = rng.normal([-1, 0, 1, 0], 1.5, (8, 4))
        heights = [-min(minimize(negative, x, args=(np.log(a),)).fun for x in starts) for a in (end * inside, end / inside)]
        assert heights[0] > cut > heights[1]


def test_separate_raises_without_end():
    """A site whose nearest points are all cases has no upper limit; a site without a raise has the lower limit 0."""
    d = np.column_stack([np.r_[1, 2, 3, 4, 5, 6], np.r_[6, 5, 4, 3, 2, 1]]).astype(float)
    found = separate_incidence(d, [1, 1, 0, 0, 1, 0])
    assert found.diverged[0] and found.alpha_upper[0] == np.inf and found.alpha_lower[0] < np.inf
    flat = separate_incidence(d[:, :1], [0, 0, 1, 0, 1, 1])
    assert flat.alpha[0] == flat.alpha_lower[0] == 0 and flat.alpha_upper[0] > 0


def test_nearest_all_cases_by_hand():
    """Cases at 1, 2 and 5, controls at 3, 4 and 6: the nearest two get p = 1, the other four p = 1/4: log L = log(1/4) + 3 log(3/4)."""
    found = raised_incidence([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 1, 0])
    assert (found.diverged, found.alpha, found.beta) == (True, np.inf, np.inf)
    assert found.log_likelihood == pytest.approx(np.log(1 / 4) + 3 * np.log(3 / 4))
    assert found.rho == pytest.approx(1 / 3)
    assert found.log_likelihood_null == pytest.approx(6 * np.log(1 / 2))
    assert found.alpha_interval[1] == np.inf and np.isfinite(found.alpha_interval[0])
    assert found.to_dict()["alpha"] == "inf"


def test_perfect_separation_has_likelihood_one():
    found = raised_incidence([1, 2, 3, 4], [1, 1, 0, 0])
    assert found.diverged and found.log_likelihood == 0.0


def test_a_strong_but_bounded_excess_does_not_diverge():
    """The nearest point is a case, but controls stand among the near ones: a maximum exists."""
    d, y = world(11, n=500, alpha=20.0)
    found = raised_incidence(d, y)
    assert not found.diverged
    low, high = found.alpha_interval
    assert 0 < low < found.alpha < high < np.inf
    assert low < 20 < high


def test_profile_interval_by_brute_force():
    """At its ends the profile, maximised on a grid of β and ρ, is χ²₁(.95)/2 = 1.9207 below the top, to the grid's 0.01."""
    d, y = world(2, n=300)
    found = raised_incidence(d, y)
    for alpha in found.alpha_interval:
        beta, rho = np.exp(np.linspace(-4, 4, 300)), np.exp(np.linspace(-3, 0, 300))
        f = 1 + alpha * np.exp(-beta[:, None] * d**2)
        top = max(float((np.log(r * f[:, y]).sum(1) - np.log1p(r * f).sum(1)).max()) for r in rho)
        assert found.log_likelihood - top == pytest.approx(1.9207, abs=0.01)


def test_fewer_cases_near_gives_no_raise():
    d = np.linspace(0.1, 5, 50)
    found = raised_incidence(d, d > 2.5)
    assert (found.alpha, found.likelihood_ratio, found.diverged) == (0.0, 0.0, False)
    assert np.isnan(found.beta)
    assert raised_incidence_test(d, d > 2.5, n_simulations=99, rng=1).p_value == 1


def test_unit_of_distance_does_not_matter():
    d, y = world(4)
    here, there = raised_incidence(d, y), raised_incidence(1000 * d, y)
    assert there.alpha == pytest.approx(here.alpha, rel=1e-4)
    assert there.beta * 1e6 == pytest.approx(here.beta, rel=1e-4)


def test_size_and_power_of_the_relabelling_test():
    """60 worlds without excess at 5 %: within the binomial's 99.9 %; a sevenfold excess is found in at least half of 12."""
    rejected = sum(raised_incidence_test(*world(k, n=40, alpha=0.0), n_simulations=39, rng=k).p_value <= 0.05 for k in range(60))
    assert binom.ppf(0.0005, 60, 0.05) <= rejected <= binom.ppf(0.9995, 60, 0.05)
    assert sum(raised_incidence_test(*world(k), n_simulations=39, rng=k).p_value <= 0.05 for k in range(12)) >= 6


@pytest.fixture
def plain(square):
    grid = square.grid(shape=(64, 64))
    return Intensity(np.exp(-0.2 * grid.centres[0]), grid, "known"), Sites([3, 7], [4, 7], square)


def test_kernel_version_agrees_with_r(reference, plain, square):
    """R maximises Σ log(ρ f) − ρ ∫ λ0 f directly over the same cells; our log-likelihood leaves out the constant −n."""
    r, (baseline, sites) = reference["kernel"], plain
    found = kernel_raised_incidence(PointPattern(r["x"], r["y"], square), sites, baseline, n_simulations=19, rng=1)
    assert found.log_likelihood - 120 == pytest.approx(r["fit"]["log_likelihood"], abs=1e-5)
    assert found.log_likelihood_null - 120 == pytest.approx(r["null"], abs=1e-6)
    for name in ("alpha", "beta", "rho"):
        assert getattr(found, name) == pytest.approx(r["fit"][name], rel=1e-3), name
    assert found.p_value == 1 / 20


def test_kernel_version_with_controls_and_its_size(plain, square):
    """120 worlds without excess, the kernel fitted to 80 controls and refitted in each draw: not above the binomial's 99.9 %."""
    baseline, sites = plain
    estimator, rejected = Kernel(baseline.grid, 1.0), 0
    for k in range(120):
        draw = BinomialNull(baseline, 110).draw(np.random.SeedSequence([8, k]), 0, 1)
        cases = PointPattern(draw.easting[:30], draw.northing[:30], square)
        controls = PointPattern(draw.easting[30:], draw.northing[30:], square)
        rejected += kernel_raised_incidence_test(cases, sites, estimator, controls=controls, n_simulations=39, rng=k).p_value <= 0.05
    assert rejected <= binom.ppf(0.9995, 120, 0.05)


def test_shortcut_of_the_refitted_kernel(plain, square):
    """The adjoint read at the controls gives the refitted integral: points at cell centres, to rounding."""
    from analysis.proximity.kernel_incidence import _Problem

    baseline, sites = plain
    grid = baseline.grid
    draw = BinomialNull(baseline, 60).draw(np.random.SeedSequence(3), 0, 1)
    cell = grid.cell(draw.easting, draw.northing)
    e, n = (c.ravel()[cell] for c in grid.centres)
    estimator = Kernel(grid, 1.0)
    controls = PointPattern(e[20:], n[20:], square)
    problem = _Problem.of(PointPattern(e[:20], n[:20], square), sites, estimator, controls)
    field = np.exp(-0.7 * problem.cells)
    mean = (
        grid.interpolate(estimator.adjoint(field), e[20:], n[20:]).sum()
        / grid.interpolate(estimator.adjoint(np.ones(grid.shape)), e[20:], n[20:]).sum()
    )
    assert mean == pytest.approx(problem.share(np.log(0.7)), rel=1e-9)


def test_refusals(plain, square):
    baseline, sites = plain
    cases, nobody = PointPattern([1.0, 2.0], [1.0, 2.0], square), PointPattern([], [], square)
    for make, said in (
        (lambda: raised_incidence([1, 2], [1, 1]), "no controls"),
        (lambda: raised_incidence([1, 2], [0, 0]), "no cases"),
        (lambda: raised_incidence([1, np.nan], [1, 0]), "finite and not negative"),
        (lambda: raised_incidence([1, -2], [1, 0]), "finite and not negative"),
        (lambda: raised_incidence([1, 2, 3], [1, 0]), "one label"),
        (lambda: raised_incidence([1, 2], [1, 2]), "0 or 1"),
        (lambda: raised_incidence_test([1, 2], [1, 0], n_simulations=5, rng=1), "at least 19"),
        (lambda: kernel_raised_incidence(nobody, sites, baseline, n_simulations=19, rng=1), "no cases"),
        (lambda: kernel_raised_incidence(cases, sites, baseline, controls=cases, n_simulations=19, rng=1), "no controls"),
        (lambda: kernel_raised_incidence(cases, sites, Kernel(baseline.grid, 1.0), n_simulations=19, rng=1), "no controls"),
        (lambda: kernel_raised_incidence(cases, sites, baseline.times(0.0), n_simulations=19, rng=1), "zero at this case"),
        (lambda: Sites([11.0], [5.0], square), "outside the window"),
    ):
        with pytest.raises(InputError, match=said):
            make()


def test_all_cases_at_one_place():
    """Ten cases at the site itself and none elsewhere: separated, so diverged with likelihood one; at one place with a control: bounded."""
    d = np.r_[np.zeros(10), np.linspace(1, 5, 20)]
    y = np.r_[np.ones(10), np.zeros(20)]
    assert raised_incidence(d, y).diverged
    y[0] = 0
    found = raised_incidence(d, y)
    assert found.log_likelihood == pytest.approx(9 * np.log(0.9) + np.log(0.1), abs=1e-5)
