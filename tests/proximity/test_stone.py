"""Stone's test: by hand with ties, its block-wise permutation against a plain one, R's isotonic fit, size."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom, ks_2samp

from analysis.pattern import InputError
from analysis.proximity import stone_test
from analysis.proximity.stone import _Deal

NULLS = ("permutation", "multinomial", "poisson")


def test_ties_by_hand():
    """Distances 1, 2, 2, 3. Distinct prefixes: 1/1; (1 + 3 + 0)/(1 + 1 + 1) = 4/3; 5/5 = 1. Split ties would have given 4/2 = 2."""
    found = stone_test([2, 1, 2, 3], [3, 1, 0, 1], [1, 1, 1, 2], n_simulations=99, rng=1)
    assert found.statistic == pytest.approx(4 / 3)
    assert found.name.endswith("within 2")
    assert found.n == 5


def test_order_of_regions_does_not_matter():
    rng = np.random.default_rng(1)
    d, o, e = rng.integers(0, 9, 30), rng.poisson(2, 30), rng.gamma(2, 1, 30)
    order = rng.permutation(30)
    for null in ("multinomial", "poisson"):
        for statistic in ("max", "mlr"):
            a = stone_test(d, o, e, null=null, statistic=statistic, n_simulations=99, rng=2)
            b = stone_test(d[order], o[order], e[order], null=null, statistic=statistic, n_simulations=99, rng=2)
            assert a.statistic == pytest.approx(b.statistic, rel=1e-12)
            assert a.p_value == b.p_value


def test_all_24_permutations_by_hand():
    """Counts 2, 1, 0, 0 with equal expected: the maximum is 2 if the 2 comes first (6 orders); then 3/2 if 1, 2 (2 orders); p follows."""
    found = stone_test([1, 2, 3, 4], [2, 1, 0, 0], np.ones(4), n_simulations=9999, rng=3)
    assert found.statistic == 2
    share = (found.simulated >= 2 - 1e-9).mean()
    assert share == pytest.approx(6 / 24, abs=4 * np.sqrt(0.25 * 0.75 / 9999))
    assert (np.abs(found.simulated - 1.5) < 1e-9).mean() == pytest.approx(2 / 24, abs=0.012)


@pytest.mark.parametrize("ties", [False, True])
def test_dealing_in_blocks_is_a_plain_permutation(ties):
    """2,000 maxima each way, Kolmogorov–Smirnov, unequal expected."""
    rng = np.random.default_rng(4)
    n = 2000
    o, e = rng.poisson(0.4, n).astype(float), rng.gamma(2, 0.2, n)
    d = np.sort(rng.integers(0, 500, n)) if ties else np.arange(n)
    ends = np.flatnonzero(np.r_[np.diff(d) > 0, True])
    deal = _Deal(o, e, ends)
    assert deal.blocks > 8
    plain = []
    for _ in range(2000):
        order = rng.permutation(n)
        plain.append((np.cumsum(o[order])[ends] / np.cumsum(e[order])[ends]).max())
    assert ks_2samp([deal.maximum(rng) for _ in range(2000)], plain).pvalue > 0.001


def test_one_permutation_is_followed_to_the_end():
    """The same random numbers, read as a full order: the maximum over all of it, not only over the blocks that were put in order."""
    n = 5000
    rng = np.random.default_rng(6)
    o, e = rng.poisson(1.0, n).astype(float), rng.gamma(2, 0.5, n)
    deal = _Deal(o, e, np.arange(n))
    for seed in range(20):
        found = deal.maximum(np.random.default_rng(seed))
        again = np.random.default_rng(seed)
        block = again.integers(0, 2**64 - 1, n // 4 + 1, np.uint64, endpoint=True).view(np.uint16)[:n] & np.uint16(deal.blocks - 1)
        sums = np.bincount(block, o), np.bincount(block, e)
        at_block_ends = (np.cumsum(sums[0]) / np.cumsum(sums[1])).max()
        assert found >= at_block_ends - 1e-12
        assert found >= o.sum() / e.sum() - 1e-12


def test_mlr_agrees_with_r(root):
    """R's isoreg, equal expected: to the nine digits stored."""
    r = json.loads((root / "tests/reference/focused.json").read_text())["stone"]
    o = np.array(r["observed"])
    found = stone_test(np.arange(1, 26), o, np.full(25, o.mean()), null="multinomial", statistic="mlr", n_simulations=19, rng=1)
    assert found.statistic == pytest.approx(r["mlr"], rel=1e-7)


def test_mlr_by_hand():
    """O = 3, 1 and E = 2, 2: risks 3/2 and 1/2, level 1: 2 (3 log 1.5 + log 0.5 − 2·0.5 + 2·0.5) = 2 (3 log 1.5 − log 2)."""
    found = stone_test([1, 2], [3, 1], [2, 2], null="multinomial", statistic="mlr", n_simulations=19, rng=1)
    assert found.statistic == pytest.approx(2 * (3 * np.log(1.5) - np.log(2)))
    rising = stone_test([1, 2], [1, 3], [2, 2], null="multinomial", statistic="mlr", n_simulations=19, rng=1)
    assert rising.statistic == pytest.approx(0, abs=1e-12)
    assert rising.p_value == 1


@pytest.mark.parametrize("null", NULLS)
def test_size(null):
    """300 worlds at 10 %: within the binomial's 99.9 %, from below as the statistic is discrete."""
    rejected = 0
    for k in range(300):
        rng = np.random.default_rng([7, k])
        e = rng.gamma(4, 0.5, 25)
        rejected += stone_test(np.arange(25), rng.poisson(e), e, null=null, n_simulations=59, rng=k).p_value <= 0.1
    assert binom.ppf(0.0005, 300, 0.07) <= rejected <= binom.ppf(0.9995, 300, 0.1)


def test_zeros_in_the_expected():
    """Nothing expected and nothing seen is passed over, also when it is nearest; a strike there is refused."""
    with_zero = stone_test([0, 1, 2], [0, 2, 1], [0, 1, 2], null="multinomial", n_simulations=19, rng=1)
    without = stone_test([1, 2], [2, 1], [1, 2], null="multinomial", n_simulations=19, rng=1)
    assert with_zero.statistic == without.statistic == 2
    with pytest.raises(InputError, match="nothing is expected"):
        stone_test([0, 1, 2], [1, 2, 1], [0, 1, 2], n_simulations=19, rng=1)


def test_all_at_one_distance():
    found = stone_test([5, 5, 5], [3, 0, 0], [1, 1, 1], n_simulations=99, rng=1)
    assert (found.statistic, found.p_value) == (1.0, 1.0)


def test_reproducible_and_refusals():
    data = ([1, 2, 3], [2, 1, 0], [1, 1, 1])
    assert np.array_equal(stone_test(*data, n_simulations=99, rng=5).simulated, stone_test(*data, n_simulations=99, rng=5).simulated)
    for changed, said in (
        ({"null": "other"}, "permutation, multinomial or poisson"),
        ({"statistic": "min"}, "max or mlr"),
        ({"n_simulations": 5}, "at least 19"),
    ):
        with pytest.raises(InputError, match=said):
            stone_test(*data, **{"n_simulations": 19, "rng": 1, **changed})
    for bad, said in (
        (([1, 2], [1.5, 0], [1, 1]), "whole numbers"),
        (([1, 2], [0, 0], [1, 1]), "no strikes"),
        (([1, -2], [1, 0], [1, 1]), "not negative"),
        (([1, 2], [1, 0], [0, 0]), "above zero"),
        (([1, 2], [1, 0], [1]), "one length"),
    ):
        with pytest.raises(InputError, match=said):
            stone_test(*bad, n_simulations=19, rng=1)
