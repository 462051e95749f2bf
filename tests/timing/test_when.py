"""What the plan asks about time, on the embedded study and on studies that cannot answer; the size of the tests in worlds of salvos."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from analysis.pattern import InputError, Plan
from analysis.proximity import build_design
from analysis.sources import load_study
from analysis.timing import rate_ratio_test, when
from analysis.timing.size import timing_study
from analysis.timing.when import _rate


@pytest.fixture(scope="module")
def few(plan) -> Plan:
    return dataclasses.replace(plan, cell_m=400.0, n_simulations=199)


@pytest.fixture(scope="module")
def design(kyiv, few):
    return build_design(kyiv, few)


@pytest.fixture(scope="module")
def found(kyiv, few, design):
    return when(kyiv, few, design, rng=1)


def asked(timing, text):
    return [row for row in timing.rows if text in row["question"]]


def notified(plan, names, **rules):
    return dataclasses.replace(plan, timing=dataclasses.replace(plan.timing, notified=names, **rules))


def retold(study, change):
    return dataclasses.replace(study, tables={**study.tables, "notifications": change(study.tables["notifications"].copy())})


def test_every_row_is_a_number_or_a_reason(found):
    assert len(found.rows) == 15
    for row in found.rows:
        if row["identifiable"]:
            assert row["reason"] is None
            assert 0 < row["p_value"] <= 1
        else:
            assert len(row["reason"]) > 20
            assert row["value"] is row["p_value"] is None
    again = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert again["rows"][0]["detail"]["identifiable"] is True


def test_claimed_events_at_both_ends_of_the_month(found, kyiv):
    """24 February to 1 April 2022 are 36 days, to 30 April 65; one claim before, three after; the last strike is on 29 November 2025."""
    assert [r["date_from"] for r in found.notified] == ["2022-04-01"]
    days = (pd.Timestamp("2025-11-29") - pd.Timestamp("2022-02-24")).days + 1
    for row, before in zip(asked(found, "events claimed"), (36, 65), strict=True):
        by_hand = rate_ratio_test(3, days - before, 1, before)
        assert (row["value"], row["p_value"]) == (by_hand.ratio, by_hand.p_value)
        assert row["n"] == 4


def test_the_day_itself_is_after():
    """Days 0, 10, 10, 20 of 0 … 20, cut at 10: three in 11 days after one in 10; what lies outside the period does not count."""
    day = np.datetime64("2022-03-01") + np.array([-5, 0, 10, 10, 20, 21])
    found = _rate(day, day[2], start=day[1], end=day[4], level=0.95)
    assert (found.ratio, found.n) == (pytest.approx(3 / 11 * 10), 4)
    assert "outside the days observed" in _rate(day, day[0], start=day[1], end=day[4], level=0.95).reason


def test_what_kyiv_cannot_answer(found):
    for row, said in zip(asked(found, "difference-in-differences"), ("only 36 days", "only 65 days"), strict=True):
        assert said in row["reason"]
    assert "no table of dated diplomatic events" in asked(found, "diplomatic")[0]["reason"]


def test_the_same_seed_gives_the_same_and_no_more_than_attacks_is_claimed(found, kyiv, few, design):
    assert when(kyiv, few, design, rng=1).to_dict() == found.to_dict()
    assert len(found.near_repeat) == len(few.timing.distances_m) * len(few.timing.intervals_days)
    assert found.near_repeat[0]["observed"] == asked(found, "Knox")[0]["value"]
    assert sum(row["near"] + row["elsewhere"] for row in found.days) == design.points.n
    near = design.sites.distance(design.points.easting, design.points.northing) <= found.radius
    assert sum(row["near"] for row in found.days) == near.sum()


def test_without_notifications(kyiv, few, design):
    assert asked(when(kyiv, notified(few, {}), design, rng=1), "notification")[0]["reason"] == "the plan names no notification"
    bare = dataclasses.replace(kyiv, tables={})
    assert asked(when(bare, few, design, rng=1), "notification")[0]["reason"] == "no table of notifications was given"


def test_a_notification_without_a_date_after_the_last_strike_or_of_no_site(kyiv, few, design):
    assert "not known" in asked(when(kyiv, notified(few, {"N2": "AZE"}), design, rng=1), "after N2")[0]["reason"]
    late = asked(when(kyiv, notified(few, {"N5": "AZE"}), design, rng=1), "difference")[0]
    assert "the notification of 2025-11-21 comes after the last strike" in late["reason"]
    nobody = asked(when(kyiv, notified(few, {"N1": "XXX"}), design, rng=1), "difference")[0]
    assert "no strike fell near notified sites before" in nobody["reason"]


def test_bad_notifications_are_named(kyiv, few, design):
    with pytest.raises(InputError, match="notification_id, value 'N9': no such notification"):
        when(kyiv, notified(few, {"N9": "AZE"}), design, rng=1)

    def reverse(table):
        return table.assign(date_to=table["date_from"] - pd.Timedelta(days=3))

    with pytest.raises(InputError, match="row 1, column date_to, value '2022-04-01 to 2022-03-29': must not come before"):
        when(retold(kyiv, reverse), few, design, rng=1)


def test_a_table_of_events_is_read_and_used(facts, few):
    table = "date,concerns,what,source\n2022-10-08,AZE,made up,none\n2022-10-09,DEU,made up,none\n"
    (facts / "hand/events.csv").write_text(table)
    study = load_study(facts / "hand", few)
    row = asked(when(study, few, build_design(study, few), rng=1), "diplomatic")[0]
    assert row["identifiable"]  # strikes fell near the German visa office on 10 October 2022
    assert row["value"] > 1
    (facts / "hand/events.csv").write_text(table.replace("2022-10-09", "October"))
    with pytest.raises(InputError, match=r"events.csv, .*column date.*must be a date"):
        load_study(facts / "hand", few)


def test_one_attack_answers_nothing(kyiv, few):
    frame = kyiv.strikes.frame
    busiest = frame.loc[kyiv.strikes.located(few.strikes.located_max_m), "attack_id"].mode()[0]
    study = dataclasses.replace(kyiv, strikes=kyiv.strikes.subset((frame["attack_id"] == busiest).to_numpy()))
    timing = when(study, few, build_design(study, few), rng=1)
    for text in ("Knox", "Mantel"):
        assert asked(timing, text)[0]["reason"] == "all located strikes are of one attack"
    assert asked(timing, "clustered in time")[0]["reason"] == "there is one attack only"
    assert "too few" in asked(timing, "each brings on")[0]["reason"]
    assert timing.near_repeat == []


def test_sizes_in_worlds_of_salvos(root):
    """The stored study: with attacks as units every test holds its level; with strikes as units those that salvos deceive do not."""
    stored = json.loads((root / "data/calibration/timing.json").read_text())
    share = {(row["test"], row["units"]): row["share"] for row in stored["rows"]}
    deceived = {"Knox", "Mantel", "rate ratio", "notification, Wald", "notification, score", "notification, exact", "self-excitation"}
    for (test, units), value in share.items():
        if units == "attacks" and test != "interrupted series, HAC errors alone":
            assert value <= stored["bound"], test
        if units == "strikes" and test in deceived:
            assert value > 0.2, test
    assert share[("interrupted series, HAC errors alone", "attacks")] > stored["bound"]
    assert stored["setting"]["worlds"] >= 500
    page = (root / "docs/timing.md").read_text()
    for test in {test for test, _ in share}:
        assert f"| {test} | {100 * share[test, 'attacks']:.1f} % | {100 * share[test, 'strikes']:.1f} % |" in page


def test_the_study_of_sizes_runs_and_repeats():
    one, two = timing_study(3, 3, n_simulations=19), timing_study(3, 3, n_simulations=19)
    assert one == two
    assert {row["units"] for row in one["rows"]} == {"attacks", "strikes"}
    assert len(one["rows"]) == 22
    with pytest.raises(InputError, match="at least 1"):
        timing_study(0, 3)
