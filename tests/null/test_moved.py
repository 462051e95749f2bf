"""Attack blocks, random shifts, relabelling and placebo sites."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.inference import monte_carlo_test
from analysis.null import (
    AttackBlockNull,
    RandomShiftNull,
    RelabelNull,
    placebo_sites,
    seed_sequence,
    variance_corrected,
)
from analysis.pattern import AnalysisWarning, InputError, Intensity, PointPattern, Sites


@pytest.fixture
def salvos(square):
    """Eight attacks of three strikes, each within 0.3 of its centre."""
    rng = np.random.default_rng(1)
    centre = rng.uniform(1, 9, (8, 2)).repeat(3, axis=0)
    xy = centre + rng.uniform(-0.3, 0.3, centre.shape)
    return PointPattern(*xy.T, square), np.arange(8).repeat(3)


@pytest.fixture
def slope(square):
    grid = square.grid(shape=(50, 50))
    return Intensity(0.1 + grid.centres[0], grid, "slope")


def test_blocks_keep_their_shape_and_marks(salvos, slope):
    points, attack = salvos
    draws = AttackBlockNull(points, slope, attack).draw(seed_sequence(2), 0, 200)
    assert points.window.contains(draws.easting, draws.northing).all()
    e, n = draws.easting.reshape(200, 8, 3), draws.northing.reshape(200, 8, 3)
    was_e, was_n = points.easting.reshape(8, 3), points.northing.reshape(8, 3)
    assert np.diff(e, axis=2) == pytest.approx(np.broadcast_to(np.diff(was_e, axis=1), (200, 8, 2)), abs=1e-9)
    assert np.diff(n, axis=2) == pytest.approx(np.broadcast_to(np.diff(was_n, axis=1), (200, 8, 2)), abs=1e-9)
    assert np.array_equal(draws.mark.reshape(200, 24)[5], np.arange(24))
    # mean easting of the intensity ∝ 0.1 + x on [0, 10]: (0.1·50 + 1000/3)/51 = 6.634; 8 blocks × 200 draws, spread 2.4
    assert e.mean() == pytest.approx((5 + 1000 / 3) / 51, abs=4 * 2.4 / np.sqrt(1600) + 0.05)


def test_any_strike_of_a_block_may_be_the_one_that_is_placed(square):
    """A line of three, 0.4 apart, from an intensity that is one cell: its middle one stands a step west, on it or a step east, a third each."""
    grid = square.grid(shape=(50, 50))
    cell = Intensity(np.where(np.hypot(grid.centres[0] - 5.1, grid.centres[1] - 5.1) < 0.01, 1.0, 0.0), grid, "cell")
    draws = AttackBlockNull(PointPattern([1, 1.4, 1.8], [1, 1, 1], square), cell, ["a"] * 3).draw(seed_sequence(1), 0, 600)
    place = np.round((draws.easting.reshape(600, 3)[:, 1] - 5.1) / 0.4)
    assert [(place == x).mean() for x in (-1, 0, 1)] == pytest.approx([1 / 3] * 3, abs=4 * np.sqrt(2 / 9 / 600))


def test_blocks_do_not_depend_on_chunks(salvos, slope):
    points, attack = salvos
    null, seed = AttackBlockNull(points, slope, attack), seed_sequence(3)
    assert np.array_equal(null.draw(seed, 2, 5).easting, null.draw(seed, 0, 5).easting[48:])


def test_an_attack_as_wide_as_the_window_is_placed_singly(square, slope):
    points = PointPattern([0.01, 9.99, 0.01, 5.0], [0.01, 9.99, 9.99, 5.0], square)
    with pytest.warns(AnalysisWarning, match="reject too often") as said:
        null = AttackBlockNull(points, slope, ["a", "a", "a", "b"])
    assert said[0].filename == __file__
    assert 0.6 < null.placed_singly(seed_sequence(1)) <= 0.75
    draws = null.draw(seed_sequence(1), 0, 50)
    assert square.contains(draws.easting, draws.northing).all()


def test_shifts_drop_what_leaves_and_keep_the_rest_rigid(holed):
    rng = np.random.default_rng(4)
    points = PointPattern(*holed.sample(80, rng=rng), holed)
    draws = RandomShiftNull(points, 3.0).draw(seed_sequence(5), 0, 300)
    assert holed.contains(draws.easting, draws.northing).all()
    shift_e = draws.easting - points.easting[draws.mark]
    shift_n = draws.northing - points.northing[draws.mark]
    for k in (0, 100, 299):
        rows = draws.replicate == k
        assert np.ptp(shift_e[rows]) < 1e-9
        assert np.ptp(shift_n[rows]) < 1e-9
    first = np.unique(draws.replicate, return_index=True)[1]
    east, north = shift_e[first], shift_n[first]
    size = np.hypot(east, north)
    assert size.max() <= 3
    # uniform in the disc: half of the shifts within 3/√2 of nothing, as many to the north as to the south
    assert (size < 3 / np.sqrt(2)).mean() == pytest.approx(0.5, abs=0.12)
    assert (north > 0).mean() == pytest.approx(0.5, abs=0.12)
    counts = np.bincount(draws.replicate, minlength=300)
    assert 0 < counts.mean() < 80


def test_variance_correction_makes_shifts_comparable(square):
    """Means of a field over 200 strikes shifted far: when few are left raw means spread over twice as much, corrected ones much less so."""
    rng = np.random.default_rng(6)
    points = PointPattern(*square.sample(200, rng=rng), square)
    draws = RandomShiftNull(points, 9.0).draw(seed_sequence(7), 0, 4000)
    values = np.sin(7 * draws.easting) * np.cos(5 * draws.northing)
    count = np.bincount(draws.replicate, minlength=4000)
    mean = draws.sums(values) / np.maximum(count, 1)
    few, many = (count > 5) & (count < 40), count > 90
    corrected = variance_corrected(mean, count)
    assert variance_corrected(np.array([3.0, 9.0, 1.0]), np.array([4, 0, 1])).tolist() == [2.0, 0.0, -1.0]  # the empty one is no part of T̄
    raw, left = mean[few].std() / mean[many].std(), corrected[few].std() / corrected[many].std()
    assert raw > 2
    assert abs(np.log(left)) < 0.6 * np.log(raw)


def test_relabelling_keeps_places_and_deals_marks_within_groups(square):
    rng = np.random.default_rng(8)
    points = PointPattern(*square.sample(12, rng=rng), square)
    group = np.array(list("aaaabbbbbccc"))
    draws = RelabelNull(points, group).draw(seed_sequence(9), 0, 500)
    mark = draws.mark.reshape(500, 12)
    assert (np.sort(mark, axis=1) == np.arange(12)).all()
    assert (group[mark] == group).all()
    assert np.array_equal(draws.easting.reshape(500, 12)[3], points.easting)
    # each of four places gets each of the four marks a quarter of the time
    share = (mark[:, :4, None] == np.arange(4)).mean(axis=0)
    assert share == pytest.approx(np.full((4, 4), 0.25), abs=0.09)


def test_relabelling_has_its_size(square):
    """Weapons dealt at random: p uniform, so at most 5 % + 4 standard errors below 0.05 over 200 tests."""
    rng = np.random.default_rng(10)
    rejected = 0
    for k in range(200):
        points = PointPattern(*square.sample(30, rng=rng), square)
        weapon = rng.random(30) < 0.4

        def statistic(draws, weapon=weapon):
            return draws.sums(weapon[draws.mark] * draws.easting)

        rejected += monte_carlo_test(points, statistic, RelabelNull(points), n_simulations=19, rng=k).p_value <= 0.05
    assert rejected <= 200 * 0.05 + 4 * np.sqrt(200 * 0.05 * 0.95)


def test_placebo_sites_match_and_keep_away(holed):
    grid = holed.grid(shape=(80, 80))
    e, n = grid.centres
    centre = np.hypot(e - 3, n - 3)
    sites = Sites([2.5, 3.0, 3.5, 2.0], [3.0, 2.5, 2.0, 2.2], holed)
    placebo = placebo_sites(sites, {"centre": centre}, grid, n_draws=300, rng=1, min_distance=0.4, choices=30)
    assert placebo.easting.shape == (300, 4)
    assert holed.contains(placebo.easting.ravel(), placebo.northing.ravel()).all()
    assert sites.distance(placebo.easting, placebo.northing).min() > 0.4
    assert abs(placebo.imbalance["centre"]) < 0.1
    assert placebo.draw(7, sites).n == 4
    # one site 2 from the centre (3, 3), matched on the distance to it: its placebos are as far; a covariate's unit does not matter
    fields = {"centre": centre, "east": e}
    ring = placebo_sites(Sites([5.0], [3.0], holed), fields, grid, n_draws=50, rng=1, min_distance=0.4, choices=30)
    assert np.hypot(ring.easting - 3, ring.northing - 3).mean() == pytest.approx(2, abs=0.15)
    scaled = placebo_sites(Sites([5.0], [3.0], holed), {"c": 1000 * centre, "e": e}, grid, n_draws=50, rng=1, min_distance=0.4, choices=30)
    assert np.array_equal(scaled.easting, ring.easting)
    assert abs(ring.imbalance["centre"]) < 0.2
    again = placebo_sites(sites, {"centre": centre}, grid, n_draws=10, rng=1, min_distance=0.4, choices=30)
    assert np.array_equal(again.easting, placebo.easting[:10])


def test_refusals(square, slope):
    points = PointPattern([1, 2], [1, 2], square)
    grid, sites = slope.grid, Sites([5.0], [5.0], square)
    with pytest.raises(InputError, match="column attack"):
        AttackBlockNull(points, slope, ["a"])
    with pytest.raises(InputError, match="column attack"):
        AttackBlockNull(points, slope, ["a", None])
    with pytest.raises(InputError, match="column within"):
        RelabelNull(points, ["a", float("nan")])
    with pytest.raises(InputError, match="column radius"):
        RandomShiftNull(points, 0)
    with pytest.raises(InputError, match="smaller radius"):
        variance_corrected(np.zeros(2), np.zeros(2))
    with pytest.raises(InputError, match="at least one covariate"):
        placebo_sites(sites, {}, grid, n_draws=5, rng=1)
    with pytest.raises(InputError, match="constant"):
        placebo_sites(sites, {"flat": np.ones(grid.shape)}, grid, n_draws=5, rng=1)
    with pytest.raises(InputError, match="too few cells"):
        placebo_sites(sites, {"e": grid.centres[0]}, grid, n_draws=5, rng=1, min_distance=20)
    with pytest.raises(InputError, match="column e"):
        placebo_sites(sites, {"e": np.full(grid.shape, np.nan)}, grid, n_draws=5, rng=1)
