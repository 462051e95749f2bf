"""The refitted decay score: its shortcut against refitting by hand, its units, its location errors and its size."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, chi2, ks_2samp

from analysis.baseline import Kernel, Uniform, window_means
from analysis.inference import simulate
from analysis.null import BinomialNull, Draws
from analysis.pattern import InputError, Intensity, PointPattern, Sites
from analysis.proximity import Decay, count_within, decay_score, decay_score_test, error_classes, excess_ratio, tilted, weighted_count
from analysis.proximity.score_levels import countable, level_scores


@pytest.fixture
def world(holed):
    """Strikes that thin out to the east, and sites among the dense ones."""
    grid = holed.grid(shape=(80, 80))
    values = np.where(grid.inside, np.exp(-0.2 * grid.centres[0]), 0.0)
    truth = Intensity(values / grid.integral(values) * 60, grid, "truth")
    return grid, truth, Sites([2.0, 3.0, 6.0], [3.0, 7.5, 2.5], holed)


def drawn(truth, holed, k):
    draws = BinomialNull(truth, 60).draw(np.random.SeedSequence([4, k]), 0, 1)
    return PointPattern(draws.easting, draws.northing, holed)


@pytest.mark.parametrize("edge", ["diggle", "uniform"])
def test_shortcut_agrees_with_refitting_every_draw(world, holed, edge):
    """Points at cell centres, so that nothing is interpolated: the two routes agree to rounding."""
    grid, truth, sites = world
    estimator, decay = Kernel(grid, 1.5, edge), Decay("gaussian", 0.7)
    field = decay.field(sites, grid)
    draws = BinomialNull(truth, 60).draw(np.random.SeedSequence(1), 0, 12)
    cell = grid.cell(draws.easting, draws.northing)
    e, n = grid.centres[0].ravel()[cell], grid.centres[1].ravel()[cell]
    centred = Draws(e, n, draws.replicate, draws.mark, draws.n_draws)
    fast = decay_score(drawn(truth, holed, 0), sites, decay, estimator)(centred)
    for k in range(12):
        rows = draws.replicate == k
        slow = field.ravel()[cell[rows]].sum() - estimator.fit(e[rows], n[rows]).expected(field)
        assert fast[k] == pytest.approx(slow, abs=1e-9)


def test_known_baseline_expects_its_integral(world, holed):
    """With λ0 known the mean of Σ g(x_i) over draws is ∫ g λ0: within four standard errors."""
    grid, truth, sites = world
    decay = Decay("exponential", 0.7)
    score = decay_score(drawn(truth, holed, 0), sites, decay, Uniform(grid), refit=False)
    values = simulate(score, BinomialNull(truth, 60), n_simulations=2000, rng=1)
    assert values.mean() == pytest.approx(truth.expected(decay.field(sites, grid)), abs=4 * values.std() / np.sqrt(2000))


def test_location_error_limits(world, holed):
    """No error gives the plain count; a huge one the window's share (methods, location-aware count)."""
    grid, truth, sites = world
    field = Decay("disc", 1.0).field(sites, grid)
    points = drawn(truth, holed, 0)
    exact = sites.distance(points.easting, points.northing) <= 1.0
    read = grid.interpolate(window_means(field, grid, [0.0])[0], points.easting, points.northing)
    rim = np.abs(sites.distance(points.easting, points.northing) - 1.0) < 0.25  # two cells
    assert read[~rim] == pytest.approx(exact[~rim].astype(float))
    huge = grid.interpolate(window_means(field, grid, [1e4])[0], points.easting, points.northing)
    inside = holed.boundary_distance(points.easting, points.northing) > 0.3
    assert huge[inside] == pytest.approx(np.full(inside.sum(), field[grid.inside].mean()), rel=1e-6)


def test_location_error_against_quadrature(world, holed):
    """P(d ≤ r) at an error of five cells, against 200,000 draws of the true place within the window."""
    grid, _, sites = world
    field = Decay("disc", 1.0).field(sites, grid)
    rng = np.random.default_rng(2)
    e, n = rng.normal(2.6, 0.6, 200_000), rng.normal(3.4, 0.6, 200_000)
    keep = holed.contains(e, n)
    share = (sites.distance(e[keep], n[keep]) <= 1.0).mean()
    assert grid.interpolate(window_means(field, grid, [0.6])[0], 2.6, 3.4) == pytest.approx(share, abs=0.01)


def test_attacks_as_units_by_hand(world, holed):
    """Four strikes in two attacks: U / sqrt(S_a² + S_b²), each S the attack's centred total."""
    grid, truth, sites = world
    points = PointPattern([2.1, 2.0, 6.5, 3.0], [3.1, 3.5, 2.0, 7.0], holed)
    null = BinomialNull(truth, 4)
    estimator, decay = Kernel(grid, 1.5), Decay("gaussian", 1.0)
    plain = decay_score(points, sites, decay, estimator)
    studentised = decay_score(points, sites, decay, estimator, attack=["a", "a", "b", "b"], null=null)
    values = plain.values(Draws.observed(points))
    mass = truth.values / truth.values.sum()
    centre = (mass * plain.fields[0]).sum()
    s = (values - centre)[:2].sum(), (values - centre)[2:].sum()
    assert studentised(Draws.observed(points))[0] == pytest.approx(values.sum() / np.hypot(*s), rel=1e-9)


@pytest.mark.parametrize("halves", [False, True])
def test_attacks_as_units_under_a_known_baseline_by_hand(world, holed, halves):
    """As above with g itself, which is not zero on average: each strike's mean, within its half of the window, is taken off the sum too."""
    grid, truth, sites = world
    points, decay = PointPattern([2.1, 2.0, 6.5, 3.0], [3.1, 3.5, 2.0, 7.0], holed), Decay("gaussian", 1.0)
    cells = (grid.centres[0] > 5).astype(np.intp)
    strata = (np.array([0, 0, 1, 0]), cells) if halves else ()
    studentised = decay_score(points, sites, decay, truth, attack=["a", "a", "b", "b"], null=BinomialNull(truth, 4, *strata))
    g = decay.field(sites, grid)
    at_strikes = grid.interpolate(g, points.easting, points.northing)
    west, east, whole = ((g * truth.values)[part].sum() / truth.values[part].sum() for part in (cells == 0, cells == 1, cells < 2))
    u = at_strikes - ([west, west, east, west] if halves else whole)
    assert studentised(Draws.observed(points))[0] == pytest.approx(u.sum() / np.hypot(u[:2].sum(), u[2:].sum()), rel=1e-9)


def test_strikes_that_fall_together_are_not_taken_for_independent(world, holed):
    """Salvos of six at one place, no excess: strikes as units reject far too often, attacks as units do not."""
    grid, truth, sites = world
    estimator, attack = Kernel(grid, 2.0), np.repeat(np.arange(10), 6)
    rejected = {"strike": 0, "attack": 0}
    for k in range(120):
        place = BinomialNull(truth, 10).draw(np.random.SeedSequence([5, k]), 0, 1)
        points = PointPattern(np.repeat(place.easting, 6), np.repeat(place.northing, 6), holed)
        for unit, labels in (("strike", None), ("attack", attack)):
            p = decay_score_test(points, sites, Decay("gaussian", 0.8), estimator, n_simulations=99, rng=k, attack=labels).p_value
            rejected[unit] += p <= 0.05
    assert rejected["attack"] <= binom.ppf(0.9995, 120, 0.05)
    assert rejected["strike"] > binom.ppf(0.9995, 120, 0.05)


def test_size_with_a_known_and_an_estimated_baseline(world, holed):
    """300 worlds without excess at a nominal 5 %: known baseline within the binomial's 99.9 %, estimated not above it."""
    grid, truth, sites = world
    rejected = {"known": 0, "estimated": 0}
    for k in range(300):
        points = drawn(truth, holed, k)
        for name, baseline in (("known", truth), ("estimated", Kernel(grid, 1.5))):
            p = decay_score_test(points, sites, Decay("gaussian", 0.7), baseline, n_simulations=99, rng=k).p_value
            rejected[name] += p <= 0.05
    assert binom.ppf(0.0005, 300, 0.05) <= rejected["known"] <= binom.ppf(0.9995, 300, 0.05)
    assert rejected["estimated"] <= binom.ppf(0.9995, 300, 0.05)


def test_excess_ratio_finds_the_truth_and_the_naive_ratio_does_not(world, holed):
    """A threefold excess within 0.8 of the sites, 40 worlds: the median estimate is near 3, observed/expected well below."""
    grid, truth, sites = world
    near = Decay("disc", 0.8).field(sites, grid)
    raised = truth.times(1 + 2 * near)
    estimator, decay = Kernel(grid, 1.5), Decay("gaussian", 0.8)
    ratios, naive, held = [], [], 0
    for k in range(40):
        points = drawn(raised, holed, k)
        fitted = estimator.fit(points.easting, points.northing)
        null = BinomialNull(fitted, points.n)
        score = decay_score(points, sites, decay, estimator)
        found = excess_ratio(points, score, null, near, 0.8, 1.5, n_simulations=199, rng=k)
        ratios.append(found.ratio)
        held += found.interval[0] <= 3 <= found.interval[1]
        naive.append((sites.distance(points.easting, points.northing) <= 0.8).sum() / fitted.expected(near))
    assert 2.3 < np.median(ratios) < 4.0
    assert np.median(naive) < 2.2
    assert held >= binom.ppf(0.0005, 40, 0.95)


def test_the_detectable_ratio_is_found_as_often_as_said(world, holed):
    """A world tilted by it exceeds the null's 90 % point with probability .7: other draws, four standard errors of both."""
    grid, truth, sites = world
    near, absorbed = (np.full(grid.shape, value) for value in (1.0, 0.25))
    assert tilted(BinomialNull(truth, 9), near, absorbed, 3.0).intensity.values == pytest.approx(2 * truth.values)  # 3 / (1 + 2/4)
    near = Decay("disc", 0.8).field(sites, grid)
    points, null, decay = drawn(truth, holed, 0), BinomialNull(truth, 60), Decay("gaussian", 0.8)
    score = decay_score(points, sites, decay, Kernel(grid, 1.5))
    found = excess_ratio(points, score, null, near, 0.8, 1.5, n_simulations=999, rng=1, test_level=0.1, power=0.7)
    raised = tilted(null, near, window_means(near, grid, [1.5])[0], found.detectable)
    calm, tense = (simulate(score, one, n_simulations=999, rng=2) for one in (null, raised))
    assert (tense >= np.quantile(calm, 0.9)).mean() == pytest.approx(0.7, abs=4 * np.sqrt((0.7 * 0.3 + 0.3 * 0.3) / 999))
    assert f"an excess of {found.detectable:.3g} would have been found with probability 0.7" in str(found)


def test_invariant_to_the_order_of_strikes(world, holed):
    grid, truth, sites = world
    points = drawn(truth, holed, 1)
    turned = PointPattern(points.easting[::-1], points.northing[::-1], holed)
    score = decay_score(points, sites, Decay("gaussian", 0.7), Kernel(grid, 1.5))
    assert score(Draws.observed(turned))[0] == pytest.approx(score(Draws.observed(points))[0], rel=1e-12)


def test_alternatives(world, holed):
    grid, truth, sites = world
    points = drawn(truth, holed, 2)
    p = {
        side: decay_score_test(points, sites, Decay("gaussian", 0.7), Kernel(grid, 1.5), n_simulations=199, rng=1, alternative=side)
        for side in ("closer", "farther", "two-sided")
    }
    assert p["closer"].alternative == "closer"
    assert p["closer"].p_value + p["farther"].p_value == pytest.approx(1 + 1 / 200)
    assert p["two-sided"].p_value == min(1, 2 * min(p["closer"].p_value, p["farther"].p_value))


def test_refusals(world, holed):
    grid, truth, sites = world
    points = drawn(truth, holed, 0)
    good = {"n_simulations": 99, "rng": 1}
    for changed, said in (
        ({"alternative": "nearer"}, "closer, farther or two-sided"),
        ({"weights": [1.0]}, "one number for each strike"),
        ({"weights": np.full(60, np.nan)}, "one number for each strike"),
        ({"weights": np.zeros(60)}, "not all zero"),
        ({"attack": [1, 2]}, "every strike needs a label"),
        ({"attack": [None, *range(59)]}, "every strike needs a label"),
        ({"n_simulations": 18}, "at least 19"),
        ({"uncertainty": [1.0]}, "one number for each strike"),
    ):
        with pytest.raises(InputError, match=said):
            decay_score_test(points, sites, Decay("gaussian", 0.7), Kernel(grid, 1.5), **{**good, **changed})
    empty = PointPattern([], [], holed)
    with pytest.raises(InputError, match="no strikes"):
        decay_score_test(empty, sites, Decay("gaussian", 0.7), Kernel(grid, 1.5), **good)
    with pytest.raises(InputError, match="no sites"):
        decay_score_test(points, Sites([], [], holed), Decay("gaussian", 0.7), Kernel(grid, 1.5), **good)
    with pytest.raises(InputError, match="the null on whose means"):
        decay_score(points, sites, Decay("gaussian", 0.7), Kernel(grid, 1.5), attack=np.arange(60))
    with pytest.raises(InputError, match="at least 199"):
        excess_ratio(points, None, None, None, 1.0, 1.0, n_simulations=198, rng=1)
    with pytest.raises(InputError, match="gaussian, exponential, disc, inverse"):
        Decay("linear", 1.0)
    with pytest.raises(InputError, match="positive number"):
        Decay("disc", 0.0)


def test_decays_by_hand(square):
    """At twice the scale: e⁻², e⁻², 0 and ½. Cells of side 1 about a site at a centre: a disc of 2.25 holds 3/4 of the cell 2 away."""
    at_two = {kind: Decay(kind, 3.0)([6.0])[0] for kind in ("gaussian", "exponential", "disc", "inverse")}
    assert at_two == pytest.approx({"gaussian": np.exp(-2), "exponential": np.exp(-2), "disc": 0.0, "inverse": 0.5})
    field = Decay("disc", 2.25).field(Sites([4.5], [4.5], square), square.grid(spacing=1.0))
    assert field[4] == pytest.approx([0, 0, 0.75, 1, 1, 1, 0.75, 0, 0, 0])


def test_one_strike_gives_a_valid_p(world, holed):
    grid, _, sites = world
    one = PointPattern([2.0], [3.0], holed)
    p = decay_score_test(one, sites, Decay("gaussian", 0.7), Kernel(grid, 1.5), n_simulations=99, rng=1).p_value
    assert 0 < p <= 1


def test_counts_by_hand():
    """None of 2 expected: p = 2 e⁻², upper limit −log(.025) / 2. Weights ½, ½ and one more of 2: sums 1, ½ and 3, 4½ in Fay and Feuer's χ²."""
    assert count_within([0.9, 1.0, 1.1], 1.0, 2.0).observed == 2
    none = count_within([3.0], 1.0, 2.0)
    assert (none.interval, none.p_value) == (pytest.approx((0, -np.log(0.025) / 2)), pytest.approx(2 * np.exp(-2)))
    halves = weighted_count([0.5, 0.5, 0.0], 1.0, 4.0, largest_weight=2.0)
    low, high = 0.5 / 2 * chi2.ppf(0.025, 2 * 1 / 0.5), 4.5 / 6 * chi2.ppf(0.975, 2 * 9 / 4.5)
    assert (halves.observed, halves.interval) == (1.0, pytest.approx((low / 4, high / 4)))


def test_refusals_of_counts():
    for given, said in (
        ({"contributions": [np.nan]}, "contributions"),
        ({"expected": 0.0}, "expected"),
        ({"largest_weight": 0.0}, "largest_weight"),
        ({"level": 1.0}, "between 0 and 1"),
    ):
        with pytest.raises(InputError, match=said):
            weighted_count(**({"contributions": [1.0], "radius": 1.0, "expected": 1.0, "largest_weight": 1.0} | given))


def test_weighted_count_is_garwood_for_unit_weights_and_covers_for_others():
    """Fay and Feuer: exact for unit weights; for weights 1 and 4, coverage of at least 95 % in 2,000 Poisson worlds."""
    unit = weighted_count(np.ones(6), 5, 4.2, largest_weight=1.0)
    assert unit.interval == count_within(np.ones(6), 5, 4.2).interval
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        light, heavy = rng.poisson(5), rng.poisson(2)
        found = weighted_count(np.r_[np.ones(light), np.full(heavy, 4.0)], 1, 13.0, largest_weight=4.0)
        held += found.interval[0] <= 1 <= found.interval[1]
        assert (found.interval[0] <= 1 <= found.interval[1]) == (found.p_value >= 0.05)
    assert held >= binom.ppf(0.0005, 2000, 0.95)
    assert weighted_count([], 1, 2.0, largest_weight=4.0).interval[0] == 0


def test_levels_and_places_give_the_same_test(square, monkeypatch):
    """Strikes of two weights, two location errors and two strata: draws by level and draws of places have one distribution."""
    draw = np.random.default_rng(8)
    n = 3000
    easting, northing = draw.uniform(0, 10, (2, n))
    points = PointPattern(easting, northing, square)
    sites, grid = Sites([3.0, 7.0], [4.0, 6.0], square), square.grid(shape=(128, 128))
    estimator = Kernel(grid, 1.5)
    stratum = (easting > 5).astype(np.intp)
    cells = (grid.centres[0] > 5).astype(np.intp)
    null = BinomialNull(estimator.fit(easting, northing), n, stratum, cells)
    score = decay_score(
        points, sites, Decay("gaussian", 0.8), estimator,
        weights=np.where(np.arange(n) % 2, 1.0, 2.0), uncertainty=np.where(np.arange(n) % 3, 0.1, 0.4),
    )  # fmt: skip
    placed = simulate(score, null, n_simulations=999, rng=1)
    observed, counted = level_scores(points, score, null, n_simulations=999, rng=2)
    assert observed == pytest.approx(float(score(Draws.observed(points))[0]), abs=0.1 * placed.std())
    assert ks_2samp(placed, counted).pvalue > 0.01
    assert counted.std() == pytest.approx(placed.std(), rel=0.1)
    many = PointPattern(np.tile(easting, 4), np.tile(northing, 4), square)
    score, null = decay_score(many, sites, Decay("gaussian", 0.8), estimator), BinomialNull(estimator.fit(many.easting, many.northing), many.n)
    assert countable(score, null, 4999) and not countable(score, null, 99)
    monkeypatch.setattr("analysis.proximity.score_levels.MOST", 0)
    found = decay_score_test(many, sites, Decay("gaussian", 0.8), estimator, n_simulations=99, rng=3)
    observed, counted = level_scores(many, score, null, n_simulations=99, rng=3)
    assert (found.statistic, found.n) == (observed, 12_000)
    assert (found.simulated == counted).all()
    assert found.p_value == (1 + (counted >= observed).sum()) / 100


def test_very_many_location_errors_are_read_in_classes():
    sigma = np.r_[0.0, 0.0, np.geomspace(10.0, 1000.0, 500)]
    levels, kind = error_classes(sigma, len(sigma))
    assert len(levels) < 100  # log(100) / log(1.05) = 94.4, and one class for 0
    assert np.array_equal(levels, np.sort(levels))
    assert levels[kind[0]] == levels[kind[1]] == 0
    assert np.abs(levels[kind[2:]] / sigma[2:] - 1).max() < 0.05
    few, which = error_classes(sigma[:60], 60)
    assert np.array_equal(few[which], sigma[:60])
