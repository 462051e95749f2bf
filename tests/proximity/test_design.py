"""What the plan makes of a study, the events behind it, and the curve along the radius: by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shapely.geometry import box

from analysis.baseline import Kernel
from analysis.pattern import InputError, Sites, Strikes, Study
from analysis.proximity import (
    build_design,
    cell_strata,
    flow,
    held_out_events,
    near_aim_points,
    near_events,
    nearest_aim_point,
    periods,
    ratio_curve,
    site_error,
)
from analysis.proximity import tested_sites as sites_of_the_plan

WEST, EAST = box(0, 0, 5, 10), box(5, 0, 10, 10)


@pytest.fixture
def small(square, plan):
    """Six strikes in four attacks: one not located, one too coarse, one prompting; three missions in two buildings; cells of side 1."""
    frame = pd.DataFrame(
        {
            "strike_id": list("abcdef"),
            "date": pd.to_datetime(["2023-05-01", "2023-05-01", "2023-06-01", "2023-06-01", "2024-12-20", "2023-07-01"]),
            "attack_id": [1, 1, 2, 2, 3, 4],
            "support": ["point", "point", "point", "area", "point", "point"],
            "easting": [2.5, 7.5, 8.5, np.nan, 2.5, 3.5],
            "northing": [2.5, 7.5, 2.5, np.nan, 3.5, 2.5],
            "uncertainty_m": [0.0, 0.0, 0.0, np.nan, 0.0, 9.0],
            "area": ["west", "east", "east", "east", "west", "west"],
            "selection": ["systematic"] * 4 + ["prompting", "systematic"],
        }
    )
    marks = pd.DataFrame({"building_id": ["x", "y", "y"], "sending_state": ["P", "Q", "R"], "uncertainty_m": [50.0, 20.0, 80.0]})
    sites = Sites([2.5, 7, 8], [2.5, 7.5, 7.5], square, marks)
    aim = pd.DataFrame({"name": ["plant", "depot"], "easting": [2.5, 6.5], "northing": [6.5, 7.5], "radius_m": [3.5, 0.0]})
    study = Study("test", square, Strikes(frame, square), sites, {"west": WEST, "east": EAST}, aim)
    return study, replace(plan, cell_m=1.0, strikes=replace(plan.strikes, located_max_m=5.0, weight_cap=9.0))


def test_the_design_by_hand(small):
    """West: one of two located, so weight 2; east: two of three, so 3/2 each. Each is drawn within its own half."""
    study, plan = small
    design = build_design(study, plan)
    assert design.points.marks["strike_id"].tolist() == ["a", "b", "c"]
    assert design.weights == pytest.approx([2, 1.5, 1.5])
    assert (design.stratum.tolist(), design.area_rows.tolist(), design.attack.tolist()) == ([0, 1, 1], [1, 1], [1, 1, 2])
    assert (design.cell_stratum == (np.arange(10) >= 5)).all()
    assert design.sites.marks["building_id"].tolist() == ["x", "y"] and design.sites.easting.tolist() == [2.5, 7.5]
    assert site_error(design) == 80.0
    kept, free = (replace(design, keep_area_counts=keep).null(Kernel(design.grid, 0.5)) for keep in (True, False))
    drawn = kept.draw(np.random.SeedSequence(1), 0, 50)
    assert ((drawn.easting > 5).reshape(50, 3) == [False, True, True]).all()
    assert free.stratum is None
    values = kept.intensity.values
    assert values.min() == pytest.approx(1e-9 * values.mean())  # the kernel alone dies out in the far corners


def test_an_area_that_the_study_does_not_have(small):
    study, plan = small
    with pytest.raises(InputError, match="row 2, column area, value 'east': names no area"):
        build_design(replace(study, areas={"west": WEST, "Ost": EAST}), plan, strikes=study.strikes)
    with pytest.raises(InputError, match="every strike is held out"):
        build_design(replace(study, strikes=study.strikes.subset((study.strikes.frame["selection"] == "prompting").to_numpy())), plan)


def test_periods_begin_on_their_first_day():
    days = pd.Series(pd.to_datetime(["2022-12-31", "2023-01-01", "2024-06-01"]))
    assert periods(days, ("2024-01-01", "2023-01-01")).tolist() == [0, 1, 2]
    assert periods(days, ()).tolist() == [0, 0, 0]


def test_cells_in_no_area_take_the_nearest(square):
    """Areas of columns 0-1 and 8-9: the columns between go to the nearer."""
    grid = square.grid(spacing=1.0)
    assert cell_strata((box(0, 0, 2, 10), box(8, 0, 10, 10)), grid)[3].tolist() == [0] * 5 + [1] * 5
    assert not cell_strata((), grid).any()
    with pytest.raises(InputError, match="no area covers"):
        cell_strata((box(20, 0, 30, 10),), grid)


def test_sites_that_the_plan_leaves_out(square, plan):
    marks = pd.DataFrame(
        {
            "uncertainty_m": [99.0, 100.0, np.nan, 5.0, 5.0],
            "enters_through": ["door", "door", "door", "gate", "door"],
            "party_to_conflict": [False, False, False, False, True],
        }
    )
    sites = Sites([1, 2, 3, 4, 5], [1] * 5, square, marks)
    rules = replace(plan.sites, max_uncertainty_m=100.0, enters_through=("door",), include_party_to_conflict=False)
    assert sites_of_the_plan(sites, replace(plan, sites=rules)).easting.tolist() == [1]
    rules = replace(rules, include_party_to_conflict=True)
    assert sites_of_the_plan(sites, replace(plan, sites=rules)).easting.tolist() == [1, 5]
    assert sites_of_the_plan(Sites([1, 2], [1, 1], square), plan).n == 2
    with pytest.raises(InputError, match="no sites to test"):
        sites_of_the_plan(sites, replace(plan, sites=replace(rules, max_uncertainty_m=5.0)))


def test_events_by_hand(small):
    """Strike a hits x; b stands at building y; c is 5 and 6 away. The plant's edge is half a unit from x, the depot at 1 of y."""
    study, plan = small
    design = build_design(study, plan)
    counted = [(row["strikes"], row["attacks"]) for row in flow(study, plan, design)]
    assert counted == [(6, 4), (5, 3), (4, 3), (3, 2)]
    near = near_events(study, design, 5.1)
    assert [(row["strike_id"], row["nearest"], row["date"]) for row in near] == [
        ("a", "P", "2023-05-01"), ("b", "Q, R", "2023-05-01"), ("c", "Q, R", "2023-06-01")
    ]  # fmt: skip
    assert [row["distance_m"] for row in near] == pytest.approx([0, 0, np.hypot(1, 5)])
    assert [row["strike_id"] for row in near_events(study, design, 0.0)] == ["a", "b"]
    assert [row["strike_id"] for row in held_out_events(study)] == ["e"]
    assert nearest_aim_point(study, design.sites) == {"aim_point": "plant", "aim_distance_m": 0.5}
    assert nearest_aim_point(study, design.sites.subset(np.array([False, True]))) == {"aim_point": "depot", "aim_distance_m": 1.0}
    assert (near_aim_points(study, design, 1.0), near_aim_points(study, design, 4.0)) == (1, 2)
    bare = replace(study, aim_points=None)
    assert near_aim_points(bare, design, 1.0) is None and nearest_aim_point(bare, design.sites)["aim_point"] is None


def test_the_curve_by_refitting(small):
    """Weighted strikes within r over ∫ λ̂ of the discs, λ̂ refitted by hand; strikes stand at cell centres, so nothing is interpolated."""
    study, plan = small
    design = build_design(study, plan)
    estimator, radii = Kernel(design.grid, 1.0), np.array([1.5, 5.5])
    found = ratio_curve(design, estimator, design.null(estimator), radii, n_simulations=39, rng=1)
    fitted = estimator.fit(design.points.easting, design.points.northing, design.weights)
    distance = design.sites.distance(design.points.easting, design.points.northing)
    for r, ratio in zip(radii, found.observed, strict=True):
        share = np.clip(0.5 + r - design.sites.distance_in(design.grid), 0, 1)
        within = np.clip(0.5 + r - distance, 0, 1)
        assert ratio == pytest.approx((design.weights * within).sum() / fitted.expected(share))
    assert (found.lower <= found.central).all() and (found.central <= found.upper).all()
    assert 0 < found.p_value <= 1
    with pytest.raises(InputError, match="at least 19"):
        ratio_curve(design, estimator, design.null(estimator), radii, n_simulations=18, rng=1)
