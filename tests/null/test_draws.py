from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from analysis.baseline import Kernel
from analysis.inference import monte_carlo_test
from analysis.null import BinomialNull, PoissonNull, replicate_rng, seed_sequence
from analysis.null.draws import child_seed
from analysis.pattern import InputError, Intensity, PointPattern


@pytest.fixture
def intensity(holed):
    grid = holed.grid(shape=(60, 60))
    values = np.where(grid.inside, 1 + grid.centres[0], 0.0)
    return Intensity(values / grid.integral(values) * 25, grid, "slope")


@pytest.mark.parametrize("make", [lambda i: BinomialNull(i, 25), lambda i: PoissonNull(i, 25)])
def test_replicates_do_not_depend_on_chunks(intensity, make):
    null, seed = make(intensity), seed_sequence(7)
    whole = null.draw(seed, 0, 10)
    parts = [null.draw(seed, a, b) for a, b in ((0, 3), (3, 4), (4, 10))]
    for name in ("easting", "northing", "mark"):
        assert np.array_equal(getattr(whole, name), np.concatenate([getattr(p, name) for p in parts]))
    assert not np.array_equal(null.draw(seed_sequence(8), 0, 10).easting[:20], whole.easting[:20])


@pytest.mark.parametrize("make", [lambda i: BinomialNull(i, 25), lambda i: PoissonNull(i, 25)])
def test_places_follow_the_intensity(intensity, holed, make):
    draws = make(intensity).draw(seed_sequence(1), 0, 2000)
    assert holed.contains(draws.easting, draws.northing).all()
    bands = np.linspace(0, 10, 6)
    observed = np.histogram(draws.easting, bands)[0]
    x = intensity.grid.centres[0]
    expected = [intensity.expected(((x >= a) & (x < b)).astype(float)) for a, b in itertools.pairwise(bands)]
    expected = np.array(expected) / np.sum(expected) * observed.sum()
    # cells straddle the bands' borders, which a chi-square on 50,000 points would see: compare shares
    assert observed / observed.sum() == pytest.approx(expected / expected.sum(), abs=0.01)


def test_counts(intensity):
    binomial = BinomialNull(intensity, 25).draw(seed_sequence(1), 0, 50)
    assert (np.bincount(binomial.replicate) == 25).all()
    poisson = PoissonNull(intensity).draw(seed_sequence(1), 0, 3000)
    counts = np.bincount(poisson.replicate, minlength=3000)
    assert counts.mean() == pytest.approx(25, abs=4 * 5 / np.sqrt(3000))
    assert counts.var() == pytest.approx(25, rel=0.15)


def test_strata_keep_their_counts_and_marks(intensity):
    cells = (intensity.grid.centres[0] > 5).astype(np.intp)
    stratum = np.array([0] * 5 + [1] * 20)
    draws = BinomialNull(intensity, 25, stratum, cells).draw(seed_sequence(3), 0, 200)
    east = draws.easting > 5
    assert (east == (stratum[draws.mark] == 1)).mean() > 0.98  # a cell across the border may reach over it
    assert (np.bincount(draws.mark) == 200).all()


def test_every_stratum_must_have_intensity(intensity):
    cells = np.zeros(intensity.grid.shape, np.intp)
    with pytest.raises(InputError, match="intensity is zero"):
        BinomialNull(intensity, 2, np.array([0, 4]), cells)
    with pytest.raises(InputError, match="both strikes and cells"):
        BinomialNull(intensity, 2, np.array([0, 0]))
    with pytest.raises(InputError, match="every strike needs a stratum"):
        BinomialNull(intensity, 3, np.array([0, 0]), cells)


def test_no_strikes_draw_none(intensity, square):
    found = monte_carlo_test(PointPattern([], [], square), lambda d: d.sums(d.easting), BinomialNull(intensity, 0), n_simulations=19, rng=1)
    assert (found.statistic, found.p_value, found.n) == (0, 1, 0)


def test_means_and_counts_in_some_cells_by_hand(square):
    """Intensities 1, 3 | 2, 2 in two strata: fields 10, 20 average to (10 + 60)/4 = 17.5, fields 0, 8 to 4; half of all fall in two cells."""
    grid = square.grid(shape=(2, 2))
    null = BinomialNull(Intensity(np.array([[1.0, 3.0], [2.0, 2.0]]), grid, "four"), 3, np.array([0, 1, 1]), np.array([[0, 0], [1, 1]]))
    fields = np.array([[10.0, 20, 0, 8], [1, 1, 1, 1]])
    assert null.means(fields, np.array([0, 0, 1])).tolist() == [17.5, 4, 1]
    counts = BinomialNull(null.intensity, 40).draw_counts(seed_sequence(1), 0, 400, np.array([1, 3])).toarray()
    # 5/8 of 40 fall there, 3 to 2
    assert counts.mean(axis=0) == pytest.approx([15, 10], abs=4 * 3.1 / 20)


def test_children_of_a_seed_differ_and_come_again():
    one, two = child_seed(seed_sequence(5), 0), child_seed(seed_sequence(5), 1)
    assert replicate_rng(one, 3).random() == replicate_rng(child_seed(seed_sequence(5), 0), 3).random() != replicate_rng(two, 3).random()
    assert replicate_rng(one, 3).random() == np.random.default_rng(np.random.SeedSequence(5, spawn_key=(0, 3))).random()


def test_a_generator_moves_on_and_a_seed_does_not():
    rng = np.random.default_rng(1)
    assert seed_sequence(rng).entropy != seed_sequence(rng).entropy
    assert seed_sequence(5).entropy == seed_sequence(5).entropy


def test_uniform_within_cells(square):
    """One cell holds all the intensity: places fill it evenly."""
    grid = square.grid(shape=(5, 5))
    values = np.zeros((5, 5))
    values[2, 2] = 1
    draws = BinomialNull(Intensity(values, grid, "one cell"), 4000).draw(seed_sequence(2), 0, 1)
    counts = np.histogram2d(draws.easting, draws.northing, bins=4, range=[[4, 6], [4, 6]])[0]
    assert counts.sum() == 4000
    assert chisquare(counts.ravel()).pvalue > 1e-4


def test_pattern_carries_marks(kyiv):
    located = kyiv.strikes.points(kyiv.strikes.located(300))
    fitted = Kernel(kyiv.window.grid(spacing=500), 2000.0).fit(located.easting, located.northing)
    draws = BinomialNull(fitted, located.n).draw(seed_sequence(1), 0, 2)
    drawn = draws.pattern(1, kyiv.window, located.marks)
    assert drawn.n == located.n
    assert list(drawn.marks["attack_id"]) == list(located.marks["attack_id"])
