"""Focused scores and ring counts: by hand, against R's exact limits, and permuted against normal p."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binom, norm

from analysis.pattern import InputError
from analysis.proximity import Decay, bithell_weights, count_within, focused_family_test, focused_score_test, ring_counts, tango_decay


def test_three_regions_by_hand():
    """O = 4, 1, 1, E = 2 each, g = 1, ½, 0: U = 2 − ½ = 3/2; V = 2 (1 + ¼) − (2·1½)²/6 = 2.5 − 1.5 = 1; Z = 3/2."""
    found = focused_score_test([4, 1, 1], [2, 2, 2], [1, 0.5, 0])
    assert (found.score, found.variance, found.statistic) == (1.5, 1.0, 1.5)
    assert found.p_value == pytest.approx(norm.sf(1.5))
    assert focused_score_test([4, 1, 1], [2, 2, 2], [1, 0.5, 0], alternative="farther").p_value == pytest.approx(norm.cdf(1.5))
    assert focused_score_test([4, 1, 1], [2, 2, 2], [1, 0.5, 0], alternative="two-sided").p_value == pytest.approx(2 * norm.sf(1.5))


def test_exposure_may_be_shifted_and_scaled():
    rng = np.random.default_rng(1)
    e, g = rng.gamma(2, 1, 40), rng.random(40)
    o = rng.poisson(e)
    e = e * o.sum() / e.sum()
    assert focused_score_test(o, e, 3 * g + 7).statistic == pytest.approx(focused_score_test(o, e, g).statistic)


def test_monte_carlo_p_agrees_with_normal_p_for_large_counts():
    """50 regions expecting 40 each: one decay, 1,999 draws, within four standard errors of the normal p."""
    d, e = np.linspace(0, 5, 50), np.full(50, 40.0)
    o = np.r_[np.full(10, 44), np.full(40, 39)]
    decay = Decay("exponential", 1.0)
    p = focused_score_test(o, e, decay(d)).p_value
    family = focused_family_test(o, e, d, [decay], n_simulations=1999, rng=1)
    assert 0.001 < p < 0.2
    assert family.adjusted[0] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 1999))
    assert family.p_value[0] == pytest.approx(p)


def test_variance_is_that_of_the_draws():
    """U over 4,000 multinomial draws has variance V: within four standard errors of a variance."""
    rng = np.random.default_rng(3)
    e, g = rng.gamma(2, 1, 30), rng.random(30)
    e = e * 60 / e.sum()
    scores = (rng.multinomial(60, e / 60, 4000) - e) @ g
    assert focused_score_test(rng.multinomial(60, e / 60), e, g).variance == pytest.approx(scores.var(), rel=4 * np.sqrt(2 / 4000))


def test_family_pays_for_every_decay():
    d = np.linspace(0, 5, 30)
    o, e = np.r_[9, 7, np.ones(28)], np.full(30, 44 / 30)
    decays = [Decay("disc", 0.5), Decay("gaussian", 1.0), tango_decay(4.0)]
    found = focused_family_test(o, e, d, decays, n_simulations=999, rng=1)
    alone = [focused_family_test(o, e, d, [decay], n_simulations=999, rng=1).adjusted[0] for decay in decays]
    assert (found.adjusted >= np.array(alone) - 1e-12).all()
    assert found.names[0] == "disc decay, scale 0.5"
    assert "max-T" in str(found)


def test_size_of_the_family():
    rejected = 0
    for k in range(300):
        rng = np.random.default_rng([5, k])
        o = rng.multinomial(20, np.full(30, 1 / 30))
        decays = [Decay("disc", 0.5), Decay("gaussian", 1.0), Decay("inverse", 0.5)]
        rejected += focused_family_test(o, np.ones(30), np.linspace(0, 5, 30), decays, n_simulations=79, rng=k).adjusted.min() <= 0.05
    assert binom.ppf(0.0005, 300, 0.03) <= rejected <= binom.ppf(0.9995, 300, 0.05)


def test_weights():
    """Bithell: log(1 + 4·½) = log 3. Tango: exp(−4) at the reach, exp(−1) at half of it."""
    assert bithell_weights([0.5, 0.0], 4.0) == pytest.approx([np.log(3), 0])
    assert tango_decay(6.0)([0.0, 3.0, 6.0]) == pytest.approx([1, np.exp(-1), np.exp(-4)])


def test_bithell_is_most_powerful_against_its_own_alternative():
    """Risk 1 + 8 exp(−d): the score with log(1 + 8 exp(−d)) beats the one with a wide disc in the same 300 worlds."""
    d, e = np.linspace(0, 6, 40), np.full(40, 1.0)
    g = np.exp(-d)
    found = {"bithell": 0, "disc": 0}
    for k in range(300):
        o = np.random.default_rng([6, k]).multinomial(40, (1 + 8 * g) / (1 + 8 * g).sum())
        for name, weight in (("bithell", bithell_weights(g, 8.0)), ("disc", (d <= 4).astype(float))):
            found[name] += focused_score_test(o, e, weight).p_value <= 0.05
    assert found["bithell"] > found["disc"]


def test_rings_agree_with_r_and_with_garwood(root):
    """R's poisson.test, and uniroot over pnbinom: to 1e-7."""
    r = json.loads((root / "tests/reference/focused.json").read_text())["rings"]
    d = np.r_[np.full(7, 0.5), np.full(2, 2.0)]  # the strikes at exactly 2 are in the ring that ends there
    for key, dispersion in (("poisson", 0.0), ("negative_binomial", r["dispersion"])):
        frame = ring_counts(d, [0, 1, 2], r["expected"], dispersion=dispersion).frame
        assert frame["observed"].tolist() == r["observed"]
        limits = (frame[["lower", "upper"]].to_numpy() * frame[["expected"]].to_numpy()).T
        assert limits == pytest.approx(np.array(r[key]), rel=1e-6), key
    one = count_within(np.full(7, 0.5), 1, 3.5)
    first = ring_counts(d, [0, 1, 2], r["expected"]).frame.iloc[0]
    assert (first["lower"], first["upper"]) == pytest.approx(one.interval)
    assert first["p_value"] == pytest.approx(one.p_value)


def test_salvos_widen_the_interval():
    d = np.full(7, 0.5)
    plain, wide = (ring_counts(d, [0, 1], [3.5], dispersion=phi).frame.iloc[0] for phi in (0.0, 0.4))
    assert wide["lower"] < plain["lower"] < plain["upper"] < wide["upper"]


def test_refusals():
    for make, said in (
        (lambda: focused_score_test([1, 2], [1, 1], [1, 1]), "does not vary"),
        (lambda: focused_score_test([1, 2], [1, 1], [1, 2, 3]), "one finite number for each region"),
        (lambda: focused_score_test([1, 2], [0, 1], [1, 2]), "nothing is expected"),
        (lambda: focused_score_test([1, 2], [1, 1], [1, 2], alternative="near"), "closer, farther"),
        (lambda: focused_family_test([1, 2], [1, 1], [1, 2], [], n_simulations=19, rng=1), "no decays"),
        (lambda: focused_family_test([1, 2], [1, 1], [1, 2], [Decay("disc", 5)], n_simulations=19, rng=1), "does not vary"),
        (lambda: bithell_weights([1.0], -1), "positive"),
        (lambda: ring_counts([1], [0, 1], [0.0]), "above zero"),
        (lambda: ring_counts([1], [1, 1], [1.0]), "increase"),
        (lambda: ring_counts([1], [0, 1], [1.0], dispersion=-1), "zero or more"),
    ):
        with pytest.raises(InputError, match=said):
            make()
