"""Cleaning: every row counted, reports clustered by hand-worked cases, the same for any order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from analysis.pattern import CleanRules, InputError, Window
from analysis.sources import RawTable, clean
from analysis.sources.clean import STEPS
from analysis.sources.cluster import cluster_reports
from analysis.sources.raw import RAW_COLUMNS, REJECTED_COLUMNS

WINDOW = Window(box(320_000, 5_580_000, 340_000, 5_600_000), "EPSG:32636")  # 20 km around Kyiv
WEST = {"West": box(320_000, 5_580_000, 330_000, 5_600_000), "East": box(330_000, 5_580_000, 340_000, 5_600_000)}
RULES = CleanRules("2022-02-24", "2024-12-31", 150.0, 1, 1000.0, 500.0)


def degrees(easting: float, northing: float) -> tuple[float, float]:
    from pyproj import Transformer

    return Transformer.from_crs(WINDOW.crs, "EPSG:4326", always_xy=True).transform(easting, northing)


def raw(*rows: dict, source: str = "a") -> RawTable:
    frame = []
    for number, row in enumerate(rows, 1):
        values = {"source": source, "raw_id": f"{source}{number}", "row": number, "date": "2023-05-01", "uncertainty_m": 60.0, "area": "", "kind": "strike",
                  "weapon_class": "unknown", "place": "", "url": "", **row}  # fmt: skip
        if "at" in values:
            values["longitude"], values["latitude"] = degrees(*values.pop("at"))
        frame.append({"longitude": np.nan, "latitude": np.nan, **values})
    table = pd.DataFrame(frame, columns=list(RAW_COLUMNS)).assign(date=lambda t: pd.to_datetime(t["date"]))
    return RawTable(source, f"{source}.csv", "0" * 64, table, pd.DataFrame(columns=list(REJECTED_COLUMNS)), len(frame))


def conserved(found, tables) -> None:
    """Each row that was read is behind one strike or among the rejected, and the flow says so."""
    n = sum(t.n_read for t in tables)
    assert len(found.trace) + len(found.rejected) == n
    seen = pd.concat([found.trace[["source", "row"]], found.rejected[["source", "row"]]])
    assert not seen.duplicated().any()
    assert set(found.trace["strike_id"]) == set(found.strikes["strike_id"])
    assert found.flow["all"].iloc[0] == n
    assert found.flow["all"].iloc[-2] == len(found.trace)
    assert found.strikes["reports"].sum() == len(found.trace)


HERE = (325_000.0, 5_590_000.0)


@pytest.mark.parametrize(
    ("row", "step", "reason"),
    [
        ({"date": "2022-02-23"}, "in time", "is before the period"),
        ({"date": "2025-01-01"}, "in time", "is after the period"),
        ({"date": "2025-06-02"}, "in time", "a slip in the year"),
        ({"kind": "other"}, "strike type", "does not report a strike"),
        ({"at": (345_000, 5_590_000)}, "in window", "lies outside the window"),
        ({"longitude": 50.4, "latitude": 30.5}, "in window", "with latitude and longitude exchanged"),
        ({"longitude": np.nan, "latitude": np.nan, "area": "Atlantis"}, "in window", "names no area"),
        ({"uncertainty_m": 3000.0}, "in window", "known to a settlement only"),
        ({"raw_id": "a1"}, "not repeated", "repeats an earlier row"),
    ],
)
def test_each_step_rejects_with_its_reason(row, step, reason):
    good = {"at": HERE}
    bad = good | row
    if "longitude" in row:
        bad.pop("at")
    table = raw(good, bad)
    found = clean([table], WINDOW, WEST, RULES, "X", last_dates={"a": "2025-06-01"})
    conserved(found, [table])
    assert found.rejected[["row", "step"]].to_numpy().tolist() == [[2, step]]
    assert reason in found.rejected["reason"][0]
    left = found.flow.set_index("step")["a"]
    assert list(left.index) == ["read", *STEPS, "clustered into strikes"]
    assert left[step] == 1


def test_a_settlement_becomes_an_area_row_where_the_window_is_one_area():
    table = raw({"at": HERE, "uncertainty_m": 3000.0}, {"at": HERE})
    strikes = clean([table], WINDOW, {}, RULES, "X").strikes
    assert strikes[["support", "area"]].to_numpy().tolist() == [["point", "window"], ["area", "window"]]
    assert strikes["easting"].isna().tolist() == [False, True]


def test_reports_of_one_strike():
    """Three items within 150 m and a day are one strike at the most precise one; a fourth is 160 m off, a fifth two days later."""
    e, n = HERE
    table = raw(
        {"at": (e, n), "uncertainty_m": 60.0, "kind": "media", "date": "2023-05-02"},
        {"at": (e + 100, n), "uncertainty_m": 30.0, "kind": "media", "weapon_class": "cruise"},
        {"at": (e + 200, n), "uncertainty_m": 60.0, "kind": "media"},
        {"at": (e + 360, n)},
        {"at": (e, n), "date": "2023-05-04"},
    )
    found = clean([table], WINDOW, WEST, RULES, "X")
    conserved(found, [table])
    first = found.strikes.iloc[0]
    assert (first["reports"], first["weapon_class"], first["uncertainty_m"], str(first["date"].date())) == (3, "cruise", 30.0, "2023-05-01")
    assert first["easting"] == pytest.approx(e + 100, abs=1e-3)
    assert found.strikes["strike_id"].tolist() == ["X-20230501-01", "X-20230501-02", "X-20230504-01"]
    assert found.strikes["attack_id"].nunique() == 2
    assert found.strikes["area"].tolist() == ["West"] * 3


def test_equally_precise_reports_are_stood_for_by_the_most_central():
    e, n = HERE
    table = raw(*[{"at": (e + x, n)} for x in (0, 10, 90)])
    assert clean([table], WINDOW, WEST, RULES, "X").strikes["easting"][0] == pytest.approx(e + 10, abs=1e-3)  # mean: e + 33.3


def test_area_rows_are_one_strike_an_area_and_day():
    table = raw(*[{"area": "East", "date": d} for d in ("2023-05-01", "2023-05-01", "2023-05-02")], {"area": "West"})
    strikes = clean([table], WINDOW, WEST, RULES, "X").strikes
    assert strikes["reports"].tolist() == [2, 1, 1]
    assert strikes["longitude"].isna().all()


def labels(rows, distance=150.0, days=1):
    e, n, day, weapon = (np.array(column) for column in zip(*rows, strict=True))
    return cluster_reports(e.astype(float), n.astype(float), day.astype(np.intp), weapon.astype(np.intp), distance=distance, days=days)


def test_a_report_of_unknown_weapon_never_joins_two_known_ones():
    """drone at 0 m, unknown at 100 m, missile at 180 m: the unknown is nearer the missile (80 m) and joins it."""
    assert labels([(0, 0, 0, 1), (100, 0, 0, 0), (180, 0, 0, 2)]).tolist() == [0, 1, 1]
    # a chain of unknowns joins as a whole, and reaches a second report of the same weapon without merging it
    assert labels([(0, 0, 0, 1), (100, 0, 0, 0), (200, 0, 0, 0), (300, 0, 0, 0)]).tolist() == [0, 0, 0, 0]
    assert labels([(0, 0, 0, 1), (140, 0, 0, 1), (140, 0, 0, 2)]).tolist() == [0, 0, 1]


def test_the_threshold_is_inclusive_and_days_are_counted():
    assert labels([(0, 0, 0, 0), (150, 0, 1, 0)]).tolist() == [0, 0]
    assert labels([(0, 0, 0, 0), (150.01, 0, 0, 0)]).tolist() == [0, 1]
    assert labels([(0, 0, 0, 0), (0, 0, 2, 0)]).tolist() == [0, 1]
    assert labels([(0, 0, 0, 0), (106, 107, 0, 0)]).tolist() == [0, 1]  # 150.6 m: the corner of a square is not enough


reports = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=25)


@given(reports, st.randoms(use_true_random=False))
def test_clusters_do_not_depend_on_the_order(rows, random):
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    one, other = labels(rows, 2.0), labels([rows[k] for k in shuffled], 2.0)
    assert other.tolist() == [one[k] for k in shuffled]


@given(reports)
def test_no_cluster_holds_two_known_weapons_and_none_can_be_joined(rows):
    found = labels(rows, 2.0)
    kinds = [{rows[i][3] for i in np.flatnonzero(found == k)} - {0} for k in range(found.max() + 1)]
    assert all(len(kind) <= 1 for kind in kinds)
    for i, a in enumerate(rows):
        for j, b in enumerate(rows[:i]):
            near = np.hypot(a[0] - b[0], a[1] - b[1]) <= 2 and abs(a[2] - b[2]) <= 1
            if near and a[3] == b[3]:
                assert found[i] == found[j]  # single linkage within a weapon


def test_a_million_reports_at_one_place():
    n = 1_000_000
    one = np.zeros(n)
    assert (cluster_reports(one, one, one.astype(np.intp), one.astype(np.intp), distance=150.0, days=1) == 0).all()


def test_more_pairs_than_memory_holds_is_one_line():
    e = np.random.default_rng(1).uniform(0, 50, 10_000)
    zero = np.zeros(10_000, np.intp)
    with pytest.raises(InputError, match="placeholders, or too wide a distance"):
        cluster_reports(e, e[::-1], zero, zero, distance=150.0, days=1)


cells = st.fixed_dictionaries(
    {
        "longitude": st.sampled_from([30.5, 30.6, 30.51, 50.4, -10.0]),
        "latitude": st.sampled_from([50.4, 50.45, 50.401, 30.5]),
        "date": st.sampled_from(["2023-05-01", "2023-05-02", "2021-01-01", "2030-01-01"]),
        "kind": st.sampled_from(["strike", "media", "other"]),
        "weapon_class": st.sampled_from(["unknown", "drone", "cruise"]),
        "uncertainty_m": st.sampled_from([30.0, 60.0, 3000.0]),
    }
)


@given(st.lists(cells, min_size=1, max_size=15), st.lists(cells, max_size=15))
def test_no_row_vanishes_in_cleaning(first, second):
    tables = [raw(*first), *([raw(*second, source="b")] if second else [])]
    try:
        found = clean(tables, WINDOW, WEST, RULES, "X")
    except InputError as error:
        assert "no strike is left" in str(error)
        return
    conserved(found, tables)
    assert not found.strikes["strike_id"].duplicated().any()


def test_each_source_once():
    with pytest.raises(InputError, match="each source must come once"):
        clean([raw({"at": HERE}), raw({"at": HERE})], WINDOW, WEST, RULES, "X")


def test_the_order_of_sources_changes_no_strike():
    a, b = raw({"at": HERE}, {"area": "East"}), raw({"at": HERE}, {"at": (331_000, 5_590_000)}, source="b")
    one, other = clean([a, b], WINDOW, WEST, RULES, "X").strikes, clean([b, a], WINDOW, WEST, RULES, "X").strikes
    pd.testing.assert_frame_equal(one, other)


def test_rules_come_from_the_plan(plan):
    assert dataclasses.asdict(plan.clean)["cluster_distance_m"] == 150.0
