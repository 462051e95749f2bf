"""Strikes with and without a place."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.pattern import InputError, Strikes


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "strike_id": ["a", "b", "c"], "date": pd.to_datetime(["2024-01-01"] * 3), "attack_id": ["x", "x", "y"],
            "support": ["point", "area", "point"], "easting": [1.0, np.nan, 3.0], "northing": [2.0, np.nan, 4.0],
            "uncertainty_m": [30.0, np.nan, 300.0], "area": "A", "selection": "systematic",
        }
    )  # fmt: skip


def test_located_means_known_to_the_limit_or_better(frame, square):
    strikes = Strikes(frame, square)
    assert (strikes.n, strikes.n_attacks) == (3, 2)
    assert strikes.located(300).tolist() == [True, False, True]
    assert strikes.located(299).tolist() == [True, False, False]
    points = strikes.points(strikes.located(299))
    assert (points.easting.tolist(), points.marks["strike_id"].tolist()) == ([1], ["a"])


@pytest.mark.parametrize(
    ("column", "row", "value", "said"),
    [
        ("easting", 1, 5.0, "row 2, column support, value 'area'"),
        ("easting", 2, np.nan, "row 3, column support, value 'point'"),
        ("uncertainty_m", 0, np.nan, "row 1, column support, value 'point'"),
        ("northing", 2, 11.0, "row 3, value 'c': the point lies outside"),
        ("uncertainty_m", 1, -1.0, "row 2, column uncertainty_m, value '-1.0'"),
    ],
)
def test_refuses(frame, square, column, row, value, said):
    frame.loc[row, column] = value
    with pytest.raises(InputError, match=said):
        Strikes(frame, square)
