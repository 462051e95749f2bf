"""The ledger and its adjustments: the textbook values of the methods page, max-T by hand, size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from analysis.inference import benjamini_hochberg, holm, ledger, max_t, pooled_p, standardised
from analysis.pattern import InputError

P = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216, 0.222, 0.251]


def looks(k):
    return pd.DataFrame({"site": [f"s{j}" for j in range(k)], "radius": 500.0, "decay": "disc", "window": "city", "subgroup": "all"})


def test_values_of_the_methods_page():
    bh = [0.012, 0.048, *[0.1008] * 3, 0.12, 0.126857, *[0.242182] * 4, 0.251]
    assert benjamini_hochberg(P) == pytest.approx(bh, abs=5e-7)
    assert holm(P)[:3] == pytest.approx([0.012, 0.088, 0.39])
    order = np.random.default_rng(1).permutation(12)
    assert benjamini_hochberg(np.array(P)[order]) == pytest.approx(np.array(bh)[order], abs=5e-7)
    assert holm(np.array(P)[order]) == pytest.approx(holm(P)[order])
    assert (np.diff(holm(P)) >= 0).all() and holm([0.6, 0.7]).tolist() == [1.0, 1.0]


def test_max_t_by_hand():
    """Largest of each draw: 3, 2, 5, 1. For 4: one reaches it, (1 + 1)/5; for 2: three, 4/5, the tie counted."""
    simulated = [[3, 1], [0, 2], [5, 5], [1, 0]]
    assert max_t([4, 2], simulated).tolist() == [0.4, 0.8]


def test_pooled_p_by_hand():
    """Column values 3 | 1, 3, 2: the data's 3 is reached by two of four, the draw's 1 by all."""
    p, simulated = pooled_p([3.0], [[1.0], [3.0], [2.0]])
    assert p.tolist() == [0.5]
    assert simulated.ravel().tolist() == [1.0, 0.5, 0.75]


def test_standardised_by_hand():
    """Column 3 | 1, 2, 2: mean 2, standard deviation √½; a column that never varies is zero."""
    z, simulated = standardised([3.0, 7.0], [[1.0, 7.0], [2.0, 7.0], [2.0, 7.0]])
    assert z == pytest.approx([np.sqrt(2), 0])
    assert simulated[:, 0] == pytest.approx([-np.sqrt(2), 0, 0])


def test_a_ledger():
    rng = np.random.default_rng(2)
    draws = rng.normal(size=(999, 5)) * [1, 10, 100, 1, 1]
    found = ledger(looks(5), [3.2, 0.0, 0.0, 0.5, -1.0], draws, null="normal", seed="2")
    frame = found.frame
    assert list(frame)[:5] == ["site", "radius", "decay", "window", "subgroup"]
    assert (frame["max_t"] >= frame["p_value"] - 0.01).all() and (frame["holm"] >= frame["p_value"]).all()
    assert (frame["benjamini_hochberg"] <= frame["holm"] + 1e-12).all()
    # the scale of a statistic does not matter: not the raw maximum, which the third column would rule
    assert frame["max_t"][0] <= 0.01
    larger = ledger(looks(5), [3200.0, 0.0, 0.0, 0.5, -1.0], draws * [1000, 1, 1, 1, 1], null="normal").frame
    assert np.array_equal(larger["max_t"], frame["max_t"])
    assert "5 looks were taken" in str(found) and "s0" in str(found)
    assert found.to_dict()["rows"][0]["site"] == "s0"


def test_size_with_dependent_looks():
    """400 worlds of 12 correlated looks: some adjusted p ≤ 0.05 within the binomial's 99.9 %; the unadjusted in far more."""
    naive = paid = 0
    for k in range(400):
        rng = np.random.default_rng([3, k])
        rows = 0.7 * rng.normal(size=(80, 1)) + rng.normal(size=(80, 12))
        frame = ledger(looks(12), rows[0], rows[1:], null="normal").frame
        naive += frame["p_value"].min() <= 0.05
        paid += frame["max_t"].min() <= 0.05
    assert binom.ppf(0.0005, 400, 0.05) <= paid <= binom.ppf(0.9995, 400, 0.05)
    assert naive > 100


def test_refusals():
    draws = np.zeros((19, 2))
    for make, said in (
        (lambda: ledger(looks(2).drop(columns="decay"), [1, 2], draws, null="n"), "needs an entry"),
        (lambda: ledger(looks(2).assign(site=None), [1, 2], draws, null="n"), "needs an entry"),
        (lambda: ledger(looks(2), [1], draws, null="n"), "one statistic for each look"),
        (lambda: ledger(looks(2), [1, 2], draws[:5], null="n"), "at least 19"),
        (lambda: ledger(looks(2), [1, np.nan], draws, null="n"), "finite"),
        (lambda: ledger(looks(0), [], draws[:, :0], null="n"), "needs a look"),
        (lambda: max_t([1, np.nan], draws), "finite"),
    ):
        with pytest.raises(InputError, match=said):
            make()
