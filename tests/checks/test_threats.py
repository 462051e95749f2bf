"""Each check in a world where it should pass and in one made to break it: a city of 10 km with 12 sites, strikes placed by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from analysis.checks import Calibration, defining_parts, scene
from analysis.checks.leave_out import leave_out, prompting_events
from analysis.checks.location import coarse_positions, location_error
from analysis.checks.multiverse import multiverse
from analysis.checks.placebo import placebo_dates, placebo_sites, score_density
from analysis.checks.power import calibrated, power
from analysis.checks.reporting import break_even, capture_recapture, e_value, sources
from analysis.checks.units import clustering, coverage, duplicates, edges, opening_dates, unit_choice
from analysis.pattern import Sites, Strikes, Study, Window
from analysis.proximity import ExcessResult

SIDE = 10_000.0
WINDOW = Window(box(0, 0, SIDE, SIDE))
SITES = np.array([(x, y) for x in (2000, 4000, 6000, 8000) for y in (2500, 5000, 7500)], float)


@pytest.fixture(scope="module")
def small(plan):
    """The plan with few draws, coarse cells and few specifications."""
    checks = dataclasses.replace(plan.checks, decays=("gaussian",), scales_m=(300.0, 500.0), placebo_draws=199)
    second = dataclasses.replace(plan.secondary, bandwidths_m=(1000.0, 1500.0))
    return dataclasses.replace(plan, n_simulations=499, cell_m=100.0, checks=checks, secondary=second)


def world(near=0, far=80, *, seed=1, attacks=None, spread=120.0, weapons=None, one_site=False, dates=None, prompting=0):
    """``far`` strikes anywhere, ``near`` of them about sites in turn (or all about the first), each its own attack unless told."""
    draw = np.random.default_rng(seed)
    at = SITES[np.zeros(near, int) if one_site else np.arange(near) % len(SITES)]
    xy = np.vstack([draw.uniform(0, SIDE, (far, 2)), at + draw.normal(0, spread, (near, 2))]).clip(1, SIDE - 1)
    n = len(xy)
    days = pd.Timestamp("2022-03-01") + pd.to_timedelta(np.arange(n) * 37 % 1000 if dates is None else dates, "D")
    frame = pd.DataFrame(
        {"strike_id": [f"s{k}" for k in range(n)], "date": days, "attack_id": [f"a{k}" for k in range(n)] if attacks is None else attacks,
         "support": "point", "easting": xy[:, 0], "northing": xy[:, 1], "uncertainty_m": 50.0, "area": "window",
         "selection": ["systematic"] * (n - prompting) + ["prompting"] * prompting, "weapon_class": "drone" if weapons is None else weapons,
         "source_publisher": "one paper"}
    )  # fmt: skip
    marks = pd.DataFrame({"building_id": [f"b{k}" for k in range(len(SITES))], "uncertainty_m": 20.0, "enters_through": "register",
                          "party_to_conflict": False, "open_from": pd.NaT, "open_to": pd.NaT})  # fmt: skip
    return Study("Town", WINDOW, Strikes(frame, WINDOW), Sites(*SITES.T, WINDOW, marks))


def laid_out(study, small, p=None):
    """The scene with the primary p that the study itself gives on these cells."""
    first = scene(study, small, 0.5, rng=1)
    return scene(study, small, float(first.scores(first.planned).p[0]) if p is None else p, rng=1)


@pytest.fixture(scope="module")
def strong(small):
    """36 strikes about 12 sites among 80 elsewhere: every honest check should leave this finding alone."""
    return laid_out(world(near=36), small)


@pytest.fixture(scope="module")
def nothing(small):
    return laid_out(world(), small)


def excess(ratio, low, high):
    return ExcessResult(500.0, ratio, (low, high), 0.95, 2.5, 0.8, 0.05, 1999)


def test_worlds_are_what_they_say(strong, nothing):
    assert strong.rejects and strong.primary_p <= 0.01
    assert not nothing.rejects


def test_like_for_like(strong, small):
    """The plan's own p on the shared draws comes out as the primary p, whatever the primary p was; the order of others is kept."""
    moved = laid_out(world(), small, p=0.03)
    own = float(moved.scores(moved.planned).p[0])
    assert moved.alike(own) == pytest.approx(0.03)
    assert np.all(np.diff(moved.alike([0.01, 0.1, 0.5, 0.9])) > 0)
    assert moved.stands(moved.alike(own))


def test_specification_curve(strong, nothing, small):
    found = multiverse(strong)
    # 2 kernels, uniform, 2 surfaces; 1 decay, 2 scales; 2 weights; no strata, nothing held out: 5 x 2 x 2 in each window
    assert len(found.table) in (20, 40)
    assert found.passed and all(0 < row["p_value"] <= 1 for row in found.table)
    assert multiverse(nothing).passed  # no finding, and the curve has none
    # a finding claimed where there is none does not survive its specifications
    assert multiverse(laid_out(world(), small, p=0.01)).passed is False


def test_leave_one_out(strong, small):
    assert leave_out(strong).passed
    carried = laid_out(
        world(near=9, one_site=True, attacks=[f"a{k}" for k in range(80)] + ["b0"] * 3 + ["b1"] * 3 + ["b2"] * 3), small, p=0.04
    )
    found = leave_out(carried)
    assert found.passed is False
    assert next(row for row in found.table if row["left_out"] == "one building")["overturning"] >= 1


def test_prompting_events(strong, small):
    assert prompting_events(strong).passed is None
    # 14 strikes at sites that prompted the study: without them nothing, with them a finding
    found = prompting_events(laid_out(world(near=24, prompting=24), small))
    assert found.passed is False and found.table[1]["p_value"] < found.table[0]["p_value"]


def test_score_density_gives_the_score_of_any_sites(strong):
    """Swapping the two sums: sum_i w_i phi(x_i) = sum over cells of g psi, for the sites themselves."""
    psi = score_density(strong)
    g = strong.decay.field(strong.design.sites, strong.design.grid)
    direct = (strong.weights * strong.planned[strong.errors[1], strong.cells[0]]).sum()
    assert (g * psi).sum() == pytest.approx(direct, rel=1e-9)


def test_placebo_sites(strong, nothing, small):
    assert placebo_sites(strong, rng=1).passed
    assert placebo_sites(nothing, rng=1).passed
    assert placebo_sites(laid_out(world(), small, p=0.01), rng=1).passed is False


def test_placebo_dates(small):
    after = np.r_[np.arange(80) * 12, np.full(30, 0) + 600 + np.arange(30)]
    plain = laid_out(world(near=30, dates=np.r_[np.arange(80) * 12, np.arange(30) * 31], prompting=1), small)
    assert placebo_dates(plain).passed is not False
    # nothing is near before day 600, when the first prompting strike falls; much is from then on
    study = world(near=30, dates=after)
    frame = study.strikes.frame.copy()
    frame.loc[80, "selection"] = "prompting"
    broken = laid_out(dataclasses.replace(study, strikes=Strikes(frame, WINDOW)), small)
    assert placebo_dates(broken).passed is False
    assert placebo_dates(laid_out(world(), small)).passed is None


def test_location_error(strong, small):
    found = location_error(strong, rng=1)
    assert found.passed and found.table[0]["share_standing"] == 1.0
    assert found.table[-1]["median_p"] > found.table[0]["median_p"]  # 800 m of added error hide an excess within 120 m
    assert "break-even" in found.text
    study = world(near=9, seed=4)
    vague = study.strikes.frame.assign(uncertainty_m=290.0)
    assert location_error(laid_out(dataclasses.replace(study, strikes=Strikes(vague, WINDOW)), small, p=0.049), rng=1).passed is False


def test_coarse_positions(strong, small):
    assert coarse_positions(strong).passed
    weak = laid_out(world(near=9, seed=4), small, p=0.049)
    assert coarse_positions(weak).passed is False


def test_reporting(strong, nothing):
    assert e_value(3.9) == pytest.approx(7.26303, abs=5e-6)
    assert e_value(0.5) == pytest.approx(2 + np.sqrt(2))
    assert break_even(strong, excess(5.0, 2.4, 9.0)).passed is True
    found = break_even(strong, excess(3.0, 1.2, 7.0))
    assert found.passed is False and [row["break_even"] for row in found.table] == [3.0, 1.2]
    assert break_even(nothing, excess(1.0, 0.4, 2.0)).passed is None


def test_sources(strong, small):
    assert sources(strong, 500.0).passed is None  # one source only
    study = world(near=36)
    for names, passed in ((["a", "b"] * 58, True), (["a"] * 80 + ["b"] * 36, False)):
        frame = study.strikes.frame.assign(source_publisher=names)
        at = laid_out(dataclasses.replace(study, strikes=Strikes(frame, WINDOW)), small)
        assert sources(at, 500.0).passed is passed


@pytest.mark.parametrize(("near", "far", "passed"), [(0.6, 0.5, True), (0.9, 0.2, False), (None, 0.5, None)])
def test_capture_recapture(strong, near, far, passed):
    """0.6 / 0.5 = 1.2 cannot make an excess of 3; 0.9 / 0.2 = 4.5 can."""
    table = pd.DataFrame({"where": ["within 500 m", "beyond 500 m"], "first": "x", "second": "y", "completeness": [near, far]})
    told = dataclasses.replace(strong, study=dataclasses.replace(strong.study, tables={"completeness": table}))
    assert capture_recapture(told, excess(3.0, 1.5, 6.0)).passed is passed
    assert capture_recapture(strong, excess(3.0, 1.5, 6.0)).passed is None


def test_clustering(strong, small):
    assert clustering(strong).passed
    # 30 strikes of single attacks at one building: independent by attack, one unit by building
    found = clustering(laid_out(world(near=30, one_site=True), small))
    assert found.passed is False and "nearest building" in found.text


def test_unit_choice_and_duplicates(strong, small):
    assert unit_choice(strong).passed and duplicates(strong).passed
    # one event reported 25 times, 10 m apart, on one day
    study = world(near=25, one_site=True, spread=5.0, dates=np.r_[np.arange(80) * 9, np.full(25, 500)])
    broken = laid_out(study, small)
    assert unit_choice(broken).passed is False or not broken.rejects
    claimed = laid_out(study, small, p=0.04)
    assert duplicates(claimed).passed is False and duplicates(claimed).table[0]["strikes"] < 105


def test_coverage(strong, small):
    assert coverage(strong).passed
    # 36 strikes near sites in the last period only
    late = world(near=36, dates=np.r_[np.arange(80) * 16 % 1000, np.full(36, 1100) + np.arange(36)])
    assert coverage(laid_out(late, small)).passed is False


def test_edges(strong, small):
    assert edges(strong).passed and len(edges(strong).table) == 3
    # sites along the border among strikes that fall anywhere: corrections that keep the total, or none, expect too few there
    study = world(far=400)
    along = np.linspace(500.0, SIDE - 500.0, 10)
    border = np.vstack([[(x, y), (y, x)] for x in (100.0, SIDE - 100.0) for y in along])
    marks = pd.DataFrame({"building_id": [f"b{k}" for k in range(len(border))], "uncertainty_m": 20.0, "enters_through": "register",
                          "party_to_conflict": False})  # fmt: skip
    found = edges(laid_out(dataclasses.replace(study, sites=Sites(*border.T, WINDOW, marks)), small))
    assert found.passed is False and "uniform" in found.text


def test_opening_dates(strong, small):
    assert opening_dates(strong).passed is None
    study = world(near=36)
    marks = study.sites.marks
    for day, passed in (("2035-01-01", False), ("2010-01-01", True)):  # all sites opened after the last strike; before the first
        dated = Sites(*SITES.T, WINDOW, marks.assign(open_from=pd.Timestamp(day)))
        assert opening_dates(laid_out(dataclasses.replace(study, sites=dated), small)).passed is passed


def test_power_grows_with_n_and_with_the_excess(strong, small):
    rules = dataclasses.replace(small.verdict, no_excess_below=4.0)
    many = laid_out(world(near=100, far=500), dataclasses.replace(small, verdict=rules))
    few = laid_out(world(near=3, far=20), small)
    assert power(many, excess(3.0, 1.5, 6.0)).passed
    found = power(few, excess(3.0, 1.5, 6.0))
    assert found.passed is False
    rows = {row["ratio"]: row for row in found.table}
    assert rows[1.0]["power"] <= 0.06  # size at no excess
    assert rows[8.0]["power"] > rows[2.0]["power"]
    assert rows[2.0]["type_m"] > 1  # what a weak test finds, it overstates


def test_calibration_at_the_very_n(strong):
    plan = strong.plan
    n = strong.study.strikes.n
    rows = ({"world": "w", "truth": "smooth", "bandwidth_m": plan.primary.bandwidth_m, "rejected": 5, "share": 0.05},)

    def measured(count, share):
        return Calibration(defining_parts(plan), 100, 99, 0.067, ({**rows[0], "share": share},), (), count)

    assert calibrated(strong, measured(n, 0.05)).passed is True
    assert calibrated(strong, measured(n, 0.2)).passed is False
    assert calibrated(strong, measured(n + 1, 0.05)).passed is None
    assert calibrated(strong, measured(None, 0.05)).passed is None
    assert calibrated(strong, None).passed is None
