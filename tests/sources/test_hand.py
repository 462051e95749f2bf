"""The embedded facts: what is in them, and what happens when they are spoilt."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from analysis.pattern import InputError, Strikes
from analysis.sources import load_study, raion_offsets, read_hand, read_plan, read_window


def test_counts_of_the_coding_notes(root, kyiv):
    """191 + 394 strikes; 98 located to 300 m, 28 to 1,000 m, 459 by raion; 84 missions in Kyiv; as the notes count them."""
    tables = read_hand(root / "data/hand")
    assert {name: len(table) for name, table in tables.items()} == {
        "strikes": 585,
        "missions": 111,
        "aim_points": 48,
        "claims": 6,
        "notifications": 5,
        "mission_damage": 33,
        "weapons": 21,
        "state_assets": 1,
        "raions": 10,
    }
    assert kyiv.strikes.located(300).sum() == 98
    assert (kyiv.strikes.frame["support"] == "area").sum() == 459
    assert tables["raions"]["population"].sum() == 2_967_360


def test_area_rows_have_no_coordinates(kyiv):
    area = kyiv.strikes.frame[kyiv.strikes.frame["support"] == "area"]
    assert area[["easting", "northing", "uncertainty_m"]].isna().all(axis=None)


def test_strikes_agree_with_the_raion_polygons(kyiv):
    """Every point lies in its raion's simplified polygon or within its error and the simplification's 307 m of it."""
    off = raion_offsets(kyiv.strikes.frame, kyiv.areas)
    assert (off > 0).sum() == 2
    assert off.max() < 307
    moved = kyiv.strikes.frame["moved_m"]
    assert (moved > 0).sum() == 2
    assert moved.max() < 25


def test_placeholders_never_enter_a_distance(root, kyiv, plan):
    from analysis.proximity import tested_sites

    missions = read_hand(root / "data/hand")["missions"]
    assert (missions["uncertainty_m"] >= 1000).sum() == 4
    assert (kyiv.sites.marks["uncertainty_m"] < plan.sites.max_uncertainty_m).all()
    assert tested_sites(kyiv.sites, plan).n == 67


def test_held_out_by_date_and_place_only(kyiv, plan):
    held = kyiv.strikes.frame[kyiv.strikes.frame["selection"] == "prompting"]
    assert list(held["strike_id"]) == ["KYV-20250828-12", "KYV-20251114-15"]
    claims = kyiv.tables["claims"]
    assert set(held["date"]) <= set(claims["date"])


def test_evening_strikes_belong_to_the_night_that_follows(kyiv):
    frame = kyiv.strikes.frame.set_index("strike_id")
    assert frame.loc["KYV-20250321-01", "attack_id"] == "KYV-2025-03-22"
    late = frame["time_local"].fillna("00:00") >= "18:00"
    days = pd.to_datetime(frame.loc[late, "attack_id"].str[4:]) - frame.loc[late, "date"]
    assert (days == pd.Timedelta("1D")).all()
    assert late.sum() == 7


def test_dictionary_names_every_column(root):
    text = (root / "data/README.md").read_text()
    for name, table in read_hand(root / "data/hand").items():
        section = text.split(f"### {name}.csv")[1].split("###")[0]
        for column in table:
            assert f"`{column}`" in section, f"{name}.{column}"


def spoil(facts, name, change):
    path = facts / "hand" / name
    path.write_text(change(path.read_text()))
    return facts


def replace_cell(text, row, column, value):
    frame = pd.read_csv(__import__("io").StringIO(text), dtype=str, keep_default_na=False)
    frame.loc[row - 1, column] = value
    return frame.to_csv(index=False)


BAD = {
    "text in a number": ("strikes.csv", lambda t: replace_cell(t, 3, "latitude", "fifty"), r"strikes.csv, row 3, column latitude, value 'fifty': must be a number"),
    "decimal comma": ("strikes.csv", lambda t: replace_cell(t, 3, "latitude", "50,4"), r"row 3, column latitude, value '50,4': must be a number"),
    "latitude out of range": ("missions.csv", lambda t: replace_cell(t, 2, "latitude", "150"), r"missions.csv, row 2, column latitude"),
    "wrong column": ("strikes.csv", lambda t: t.replace("uncertainty_m", "error", 1), r"strikes.csv, column uncertainty_m: must have this column"),
    "extra column": ("aim_points.csv", lambda t: t.replace("aim_id,", "aim_id,extra,", 1), r"aim_points.csv, column extra: unknown column"),
    "repeated id": ("strikes.csv", lambda t: replace_cell(t, 5, "strike_id", "KYV-20220224-01"), r"strikes.csv, row \d+, column strike_id, value 'KYV-20220224-01': must be unique"),
    "bad date": ("strikes.csv", lambda t: replace_cell(t, 4, "date", "2022-02-31"), r"row 4, column date, value '2022-02-31': must be a date"),
    "unknown support": ("strikes.csv", lambda t: replace_cell(t, 1, "support", "line"), r"row 1, column support, value 'line'"),
    "missing value": ("claims.csv", lambda t: replace_cell(t, 1, "mission_id", ""), r"claims.csv, row 1, column mission_id: must not be empty"),
    "unknown mission": ("claims.csv", lambda t: replace_cell(t, 1, "mission_id", "XXX"), r"claims.csv, row 1, column mission_id, value 'XXX': must name"),
    "swapped": ("strikes.csv", lambda t: replace_cell(replace_cell(t, 3, "latitude", "30.6449"), 3, "longitude", "50.4053"), r"strikes.csv, row 3, .*: latitude and longitude look swapped"),
    "outside": ("strikes.csv", lambda t: replace_cell(t, 3, "longitude", "36.2"), r"strikes.csv, row 3, .*outside the window"),
    "wrong raion": ("strikes.csv", lambda t: replace_cell(t, 3, "raion", "Obolonskyi"), r"row 3, column raion, value 'KYV-20220225-01, \d+ m off': the point lies outside its raion"),
    "unknown raion": ("strikes.csv", lambda t: replace_cell(t, 3, "raion", "Nowhere"), r"row 3, column raion, value 'Nowhere': no polygon of this name"),
    "point without coordinates": ("strikes.csv", lambda t: replace_cell(t, 3, "longitude", ""), r"strikes.csv, row 3, column support, value 'point': a point row needs coordinates"),
    "no strikes": ("strikes.csv", lambda t: t.splitlines()[0] + "\n", r"strikes.csv: the file has no rows"),
    "no sites": ("missions.csv", lambda t: t.replace(",Kyiv,", ",Elsewhere,"), r"missions.csv, column city: there are no sites in Kyiv"),
    "empty file": ("weapons.csv", lambda t: "", r"weapons.csv: the file is empty"),
    "ragged row": ("weapons.csv", lambda t: t + "a,b\n", r"weapons.csv, row 22: must have 9 cells, has 2"),
    "not JSON": ("kyiv_window.geojson", lambda t: t[:200], r"kyiv_window.geojson: cannot be read as polygons"),
    "a point as window": ("kyiv_window.geojson", lambda t: '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[30,50]}}]}', r"must hold polygons only"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_one_clear_line(facts, plan, name):
    file, change, said = BAD[name]
    spoil(facts, file, change)
    with pytest.raises(InputError) as caught:
        load_study(facts / "hand", plan)
    assert re.search(said, str(caught.value))
    assert "\n" not in str(caught.value)


def test_missing_file(facts, plan):
    (facts / "hand/claims.csv").unlink()
    with pytest.raises(InputError, match=r"claims.csv: the file does not exist"):
        load_study(facts / "hand", plan)


def test_not_utf8(facts, plan):
    path = facts / "hand/weapons.csv"
    path.write_bytes(path.read_text().replace("from memory", "по памяти").encode("cp1251"))
    with pytest.raises(InputError, match=r"weapons.csv: must be a UTF-8 CSV file"):
        load_study(facts / "hand", plan)


def test_byte_order_mark_is_read_over(facts, plan):
    path = facts / "hand/weapons.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_study(facts / "hand", plan).strikes.n == 585


@pytest.mark.parametrize(
    ("text", "said"), [("seed = ", "must be a TOML file"), ("colour = 1", "column colour: unknown key"), ("", "missing key")]
)
def test_plan_file(tmp_path, text, said):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        read_plan(path)
    with pytest.raises(InputError, match="does not exist"):
        read_plan(tmp_path / "none.toml")


def test_kharkiv_window_reads(root):
    assert read_window(root / "data/hand/kharkiv_window.geojson").area / 1e6 == pytest.approx(344, abs=1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strike_id": ["a", "a"]}, "row 2, column strike_id, value 'a': the id must be unique"),
        ({"support": ["point", "area"]}, "row 2, column support"),
        ({"easting": [np.nan, 1.0]}, "row 1, column support"),
        ({"uncertainty_m": [30.0, -1.0]}, "row 2, column uncertainty_m"),
        ({"selection": ["systematic", "chosen"]}, "must be systematic or prompting"),
        ({"easting": [1.0, 99.0]}, "row 2.*outside the window"),
    ],
)
def test_strikes_refuse(square, change, said):
    good = {
        "strike_id": ["a", "b"],
        "date": pd.to_datetime(["2024-01-01"] * 2),
        "attack_id": ["x", "x"],
        "support": ["point", "point"],
        "easting": [1.0, 2.0],
        "northing": [1.0, 2.0],
        "uncertainty_m": [30.0, 30.0],
        "area": ["A", "A"],
        "selection": ["systematic"] * 2,
    }
    assert Strikes(pd.DataFrame(good), square).n_attacks == 1
    with pytest.raises(InputError, match=said):
        Strikes(pd.DataFrame({**good, **change}), square)
    with pytest.raises(InputError, match="column attack_id"):
        Strikes(pd.DataFrame(good).drop(columns="attack_id"), square)
    with pytest.raises(InputError, match="no strikes"):
        Strikes(pd.DataFrame(good).iloc[:0], square)
