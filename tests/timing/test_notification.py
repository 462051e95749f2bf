"""Difference-in-differences: worked by hand, against R's clustered errors, and every way in which it cannot answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from analysis.pattern import InputError
from analysis.timing import NotIdentifiable, Ratio, exact_notification_test, notification_test

R = json.loads((Path(__file__).parents[1] / "reference/timing.json").read_text())
DAY0 = np.datetime64("2022-01-01")
TOLD = DAY0 + 200
PERIOD = {"start": DAY0, "end": DAY0 + 400}


def _strikes(*cells):
    """(day, unit, number): each on attacks of their own, one strike each."""
    days = np.concatenate([np.full(n, day) for day, _, n in cells])
    units = np.concatenate([np.full(n, unit, dtype=object) for _, unit, n in cells])
    return DAY0 + days, np.arange(len(days)), units


EXAMPLE = _strikes((50, "AZE", 4), (300, "AZE", 6), (60, "other", 10), (310, "other", 5))


def test_two_groups_give_the_ratio_of_ratios():
    """(6/4) / (5/10) = 3; with one strike an attack the clustered variance is 1/4 + 1/6 + 1/10 + 1/5, times the small-sample factor."""
    found = notification_test(*EXAMPLE, {"AZE": TOLD}, **PERIOD)
    assert isinstance(found, Ratio)
    assert found.ratio == pytest.approx(3.0, rel=1e-6)
    n, k, g = 50, 4, 25  # rows attacks × 2, parameters, attacks
    error = np.sqrt((1 / 4 + 1 / 6 + 1 / 10 + 1 / 5) * g / (g - 1) * (n - 1) / (n - k))
    assert np.log(found.interval[1] / found.ratio) == pytest.approx(1.959964 * error, rel=1e-4)
    assert found.n == 25
    # D̃ is .336 and −.264 near AZE after and before, −.224 and .176 near others: U = 1.6 over √1.5168
    assert found.beside["p_score"] == pytest.approx(2 * norm.sf(1.6 / np.sqrt(1.5168)))
    assert 0 < found.beside["p_placebo"] <= 1
    assert found.beside["placebo_days"] == 401 - 2 * 90 + 1


def test_salvos_widen_the_interval():
    days, _, units = EXAMPLE
    one_by_one = notification_test(days, np.arange(25), units, {"AZE": TOLD}, **PERIOD)
    attack = np.unique(np.column_stack([days.astype(int).astype(str), units.astype(str)]), axis=0, return_inverse=True)[1]
    pairs = attack * 10 + np.concatenate([np.arange(n) // 2 for n in (4, 6, 10, 5)])
    in_pairs = notification_test(days, pairs, units, {"AZE": TOLD}, **PERIOD)
    assert in_pairs.ratio == pytest.approx(one_by_one.ratio)
    assert in_pairs.interval[1] > one_by_one.interval[1]


def test_staggered_dates_against_glm_and_sandwich_of_r():
    r = R["did"]
    notified = {1: DAY0 + 200, 2: DAY0 + 350}
    found = notification_test(DAY0 + np.array(r["day"]), r["attack"], r["unit"], notified, start=DAY0 + 1, end=DAY0 + 600)
    assert np.log(found.ratio) == pytest.approx(r["beta"], abs=1e-6)
    factor = (180 - 1) / (180 - 6)  # statsmodels counts parameters as well as clusters
    assert np.log(found.interval[1] / found.ratio) / 1.959964 == pytest.approx(r["se"] * np.sqrt(factor), rel=1e-5)
    assert (
        "2 dates of notification"
        in exact_notification_test(DAY0 + np.array(r["day"]), r["attack"], r["unit"], notified, start=DAY0, end=DAY0 + 600).reason
    )


def test_a_second_date_before_which_nothing_new_happened_changes_nothing():
    found = notification_test(*EXAMPLE, {"AZE": TOLD, "none near": TOLD + 20}, **PERIOD)
    assert found.ratio == pytest.approx(3.0, rel=1e-6)


def test_an_attack_is_of_the_day_on_which_it_began():
    days, attack, units = EXAMPLE
    more = (np.append(days, TOLD + 1), np.append(attack, attack[0]), np.append(units, "AZE"))  # its first strike fell before
    found = exact_notification_test(*more, {"AZE": TOLD}, **PERIOD)
    assert (found.beside["notified_before"], found.beside["notified_after"]) == (4, 6)


def test_the_order_of_rows_and_the_names_of_attacks_do_not_matter():
    days, attack, units = EXAMPLE
    order = np.random.default_rng(1).permutation(len(days))
    one = notification_test(*EXAMPLE, {"AZE": TOLD}, **PERIOD)
    two = notification_test(days[order], np.array([f"a{k}" for k in attack[order]]), units[order], {"AZE": TOLD}, **PERIOD)
    assert two.to_dict() == one.to_dict()


def test_placebo_dates_single_out_a_real_break():
    """Near AZE only from day 200 on, elsewhere evenly: no other day splits the counts so well."""
    rng = np.random.default_rng(4)
    before, after = np.sort(rng.choice(200, 30, False)), 200 + np.sort(rng.choice(201, 30, False))
    units = np.r_[np.where(np.arange(30) % 10 == 0, "AZE", "other"), np.where(np.arange(30) % 4 == 0, "other", "AZE")].astype(object)
    found = notification_test(DAY0 + np.r_[before, after], np.arange(60), units, {"AZE": TOLD}, **PERIOD)
    assert found.beside["p_placebo"] < 0.1
    assert found.p_value < 0.01
    wrong = notification_test(DAY0 + np.r_[before, after], np.arange(60), units, {"AZE": DAY0 + 95}, **PERIOD)
    assert wrong.beside["p_placebo"] > 0.5


def test_exact_against_fisher_of_r():
    r = R["fisher"]
    (a, b), (c, d) = r["table"]
    strikes = _strikes((300, "AZE", a), (50, "AZE", b), (310, "other", c), (60, "other", d))
    found = exact_notification_test(*strikes, {"AZE": TOLD}, **PERIOD)
    for mine, theirs in zip((found.ratio, *found.interval, found.p_value), (r["ratio"], r["low"], r["high"], r["p"]), strict=True):
        assert mine == pytest.approx(theirs, rel=1e-3)  # R's uniroot stops at 1e-4
    assert found.beside == {"notified_after": a, "notified_before": b, "other_after": c, "other_before": d}


def test_exact_counts_an_attack_once_however_many_strikes_it_had():
    days, attack, units = EXAMPLE
    doubled = exact_notification_test(np.r_[days, days], np.r_[attack, attack], np.r_[units, units], {"AZE": TOLD}, **PERIOD)
    assert doubled.to_dict() == exact_notification_test(*EXAMPLE, {"AZE": TOLD}, **PERIOD).to_dict()


def test_exact_gives_an_infinite_ratio_where_one_count_is_zero():
    found = exact_notification_test(*_strikes((300, "AZE", 3), (60, "other", 2), (310, "other", 5)), {"AZE": TOLD}, **PERIOD)
    assert found.ratio == np.inf
    assert found.interval[1] == np.inf
    assert found.interval[0] > 0


CANNOT = {
    "nobody": (EXAMPLE, {}, "no site was notified"),
    "all at once": (_strikes((50, "AZE", 4), (300, "AZE", 6)), {"AZE": TOLD}, "notified at once"),
    "none before": (_strikes((300, "AZE", 6), (60, "other", 10), (310, "other", 5)), {"AZE": TOLD}, "near notified sites before"),
    "none after": (_strikes((50, "AZE", 6), (60, "other", 10), (310, "other", 5)), {"AZE": TOLD}, "near notified sites after"),
    "no others after": (_strikes((50, "AZE", 6), (300, "AZE", 2), (60, "other", 10)), {"AZE": TOLD}, "near other sites after"),
    "after the last strike": (EXAMPLE, {"AZE": DAY0 + 390}, "comes after the last strike near a site (2022-11-07)"),
    "short before": (EXAMPLE, {"AZE": DAY0 + 55}, "only 55 days were observed before"),
    "short after": (EXAMPLE, {"AZE": DAY0 + 350}, "only 51 days were observed after"),
    "before the period": (EXAMPLE, {"AZE": DAY0 - 30}, "only 0 days were observed before"),
}


@pytest.mark.parametrize("name", CANNOT)
def test_not_identifiable_is_a_result_with_its_reason(name):
    strikes, notified, reason = CANNOT[name]
    found = notification_test(*strikes, notified, **PERIOD)
    assert isinstance(found, NotIdentifiable)
    assert reason in found.reason
    assert found.to_dict() == {"name": found.name, "reason": found.reason, "identifiable": False}
    assert "not identifiable, because" in str(found)


def test_no_strikes_at_all():
    nothing = (np.empty(0, "datetime64[D]"), [], [])
    assert not notification_test(*nothing, {"AZE": TOLD}, **PERIOD).identifiable
    assert not exact_notification_test(*nothing, {"AZE": TOLD}, **PERIOD).identifiable


def test_bad_input():
    days, attack, units = EXAMPLE
    with pytest.raises(InputError, match="must not end before it begins"):
        notification_test(*EXAMPLE, {"AZE": TOLD}, start=DAY0 + 400, end=DAY0)
    with pytest.raises(InputError, match="column notified, value 'whenever'"):
        notification_test(*EXAMPLE, {"AZE": "whenever"}, **PERIOD)
    with pytest.raises(InputError, match="column notified, value '200': must be a date"):
        notification_test(*EXAMPLE, {"AZE": 200}, **PERIOD)
    with pytest.raises(InputError, match="row 3, column attack"):
        notification_test(days, [None if k == 2 else k for k in attack], units, {"AZE": TOLD}, **PERIOD)
    with pytest.raises(InputError, match="of one length"):
        notification_test(days, attack[:-1], units, {"AZE": TOLD}, **PERIOD)
    with pytest.raises(InputError, match="must lie in the period"):
        notification_test(days + 200, attack, units, {"AZE": TOLD}, **PERIOD)
