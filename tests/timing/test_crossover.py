"""Case-crossover: by hand, against survival::clogit, and where no set is discordant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from analysis.pattern import InputError
from analysis.timing import NotIdentifiable, crossover_test

R = json.loads((Path(__file__).parents[1] / "reference/timing.json").read_text())["crossover"]
YEAR = {"window_days": 7, "start": "2023-01-01", "end": "2023-12-31", "n_simulations": 99, "rng": 1}


def test_against_clogit_of_r():
    found = crossover_test(R["case"], ["AZE"] * 25, R["event"], ["AZE"] * 14, **YEAR)
    assert np.log(found.ratio) == pytest.approx(R["beta"], abs=1e-6)
    assert np.log(found.interval[1] / found.ratio) / 1.959964 == pytest.approx(R["se"], rel=1e-5)


def test_one_exposed_of_two_discordant_sets():
    """Two cases on Tuesdays of October 2023 (5 days a set), one event on the 3rd, window 1 day: e = 1 of 5 for both, one of them exposed.

    2 · ψ/(ψ + 4) = 1 gives ψ = 4.
    """
    found = crossover_test(["2023-10-03", "2023-10-17"], ["A", "A"], ["2023-10-03"], ["A"], **{**YEAR, "window_days": 1})
    assert found.ratio == pytest.approx(4.0)
    assert found.beside["discordant"] == 2
    assert found.beside["exposed"] == 1


def test_all_exposed_is_infinite_and_exact_p_counts_the_dates():
    """One case on its event's day: moved among five Tuesdays the event meets the case once, so p is near 1/5."""
    found = crossover_test(["2023-10-03"], ["A"], ["2023-10-03"], ["A"], **{**YEAR, "window_days": 1, "n_simulations": 1999})
    assert found.ratio == np.inf
    assert found.interval == (0.0, np.inf)
    assert found.p_value == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / 2000))


def test_events_of_other_states_and_far_days_leave_nothing_to_compare():
    for date, about in (("2023-10-03", "B"), ("2023-12-03", "A")):
        found = crossover_test(["2023-10-03"], ["A"], [date], [about], **YEAR)
        assert isinstance(found, NotIdentifiable)
        assert "no case of 1" in found.reason
    assert not crossover_test([], [], ["2023-10-03"], ["A"], **YEAR).identifiable


def test_a_real_link_is_found():
    event = np.datetime64("2023-01-10") + 30 * np.arange(11)
    found = crossover_test(event + 2, ["A"] * 11, event, ["A"] * 11, **YEAR)
    assert found.p_value == 0.01
    assert found.ratio > 5


def test_control_days_outside_the_period_are_not_used():
    """A period of one week holds no second day of any weekday, whether the others come before it or after."""
    short = {**YEAR, "start": "2023-10-08", "end": "2023-10-14", "window_days": 1}
    assert not crossover_test(["2023-10-10"], ["A"], ["2023-10-10"], ["A"], **short).identifiable


def test_an_event_outside_the_period_keeps_its_day():
    """A day in the period could not be its own, so what only such an event explains is no evidence: p = 1."""
    found = crossover_test(["2023-01-03"], ["A"], ["2022-12-30"], ["A"], **{**YEAR, "start": "2023-01-03"})
    assert (found.ratio, found.p_value) == (np.inf, 1)


def test_bad_input():
    with pytest.raises(InputError, match="column event_date"):
        crossover_test(["2023-10-03"], ["A"], ["someday"], ["A"], **YEAR)
    with pytest.raises(InputError, match="a day and a unit"):
        crossover_test(["2023-10-03"], ["A", "B"], ["2023-10-03"], ["A"], **YEAR)
    with pytest.raises(InputError, match="window_days"):
        crossover_test(["2023-10-03"], ["A"], ["2023-10-03"], ["A"], **{**YEAR, "window_days": 0})
    with pytest.raises(InputError, match="must not end before"):
        crossover_test(["2023-10-03"], ["A"], ["2023-10-03"], ["A"], **{**YEAR, "end": "2022-12-31"})
