"""Pieces are computed once and pass through the form they are stored in."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.checks import CheckResult, Pieces
from analysis.inference import TestResult
from analysis.proximity import ExcessResult


def test_a_stored_piece_is_not_computed_again():
    store, said = {}, []
    piece = Pieces(store, said.append)
    (first,) = piece([("excess", lambda: ExcessResult(500.0, 2.0, (0.5, float("inf")), 0.95, 3.0, 0.8, 0.05, 199), ExcessResult)])
    (again,) = piece([("excess", lambda: pytest.fail("computed again"), ExcessResult)])
    assert first.interval == again.interval == (0.5, float("inf"))
    assert said == ["excess", "excess"]


def test_the_stored_form_is_what_goes_on():
    """Ten digits are kept, of a fresh piece as of a stored one: a resumed run continues from the same numbers."""
    result = TestResult("t", 1 / 3, 0.04, "closer", "null", 9, 2, "1", np.array([1 / 7, 2.0]))
    (kept,) = Pieces({}, lambda step: None)([("t", lambda: result, TestResult)])
    assert kept.statistic == 0.3333333333
    assert kept.simulated.tolist() == [0.1428571429, 2.0]
    check = CheckResult("n", "t", None, ({"p": float("nan")},), "said")
    (kept,) = Pieces({}, lambda step: None)([("c", lambda: check, CheckResult)])
    assert kept.table == ({"p": None},)
