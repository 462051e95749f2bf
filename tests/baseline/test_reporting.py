from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.baseline import located_share
from analysis.pattern import InputError


def test_weights_by_hand():
    """Two areas, one period: 2 of 4 located in A, 1 of 5 in B. Weights 2 and 5; totals 4 and 5."""
    area = pd.Series(["A"] * 4 + ["B"] * 5)
    located = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0], bool)
    found = located_share(area, pd.Series([0] * 9), located, cap=10)
    assert found.share == pytest.approx([0.5] * 4 + [0.2] * 5, abs=1e-6)
    assert found.weights == pytest.approx([2, 2, 0, 0, 5, 0, 0, 0, 0], abs=1e-6)
    assert found.effective_n == pytest.approx(81 / 33)
    assert (found.capped, found.uncovered) == (0, 0)


def test_cap_and_uncovered_areas_are_counted():
    area = pd.Series(["A"] * 4 + ["B"] * 5 + ["C"] * 3)
    located = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], bool)
    found = located_share(area, pd.Series([0] * 12), located, cap=3)
    assert found.weights.max() == 3
    assert (found.capped, found.uncovered) == (1, 3)


def test_all_located_weigh_one():
    found = located_share(pd.Series(["A", "B"]), pd.Series([0, 1]), np.array([True, True]), cap=5)
    assert found.weights == pytest.approx([1, 1])


def test_period_shares_are_recovered():
    """logit P = area + period with known coefficients, 40,000 strikes: shares within 0.02."""
    rng = np.random.default_rng(5)
    area, period = rng.integers(0, 3, 40_000), rng.integers(0, 2, 40_000)
    truth = 1 / (1 + np.exp(-(np.array([-1.0, 0.0, 0.7])[area] - 0.8 * period)))
    located = rng.random(40_000) < truth
    found = located_share(pd.Series(area), pd.Series(period), located, cap=50)
    assert np.abs(found.share - truth).max() < 0.02


def test_refusals():
    with pytest.raises(InputError, match="no strike is located"):
        located_share(pd.Series(["A"]), pd.Series([0]), np.array([False]), cap=5)
    with pytest.raises(InputError, match="row 2, column area"):
        located_share(pd.Series(["A", None]), pd.Series([0, 0]), np.array([True, False]), cap=5)
