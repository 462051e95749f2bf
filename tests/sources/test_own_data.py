"""A user's own files in every format, and every way in which they can be wrong."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path

import geopandas as gpd
import jsonschema
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import sync_playwright
from shapely.geometry import box

from analysis.cli import main
from analysis.pattern import InputError
from analysis.sources import own_study

N = 60


@pytest.fixture
def city(tmp_path):
    """A small city with hospitals, 60 strikes and two districts: all of it drawn at random."""
    draw = np.random.default_rng(3)
    window = gpd.GeoDataFrame({"name": ["North", "South"]}, geometry=[box(20.0, 45.05, 20.1, 45.1), box(20.0, 45.0, 20.1, 45.05)], crs=4326)
    window.dissolve().drop(columns="name").to_file(tmp_path / "window.geojson")
    window.to_file(tmp_path / "areas.geojson")
    strikes = pd.DataFrame(
        {"strike_id": [f"s{k}" for k in range(N)], "date": [f"2023-01-{1 + k % 28:02d}" for k in range(N)], "longitude": draw.uniform(20.005, 20.095, N).round(5),
         "latitude": draw.uniform(45.005, 45.095, N).round(5), "uncertainty_m": 50.0,
         "place": ["<script>alert(1)</script>", "=cmd()", '"><img src=x onerror=alert(2)>', '#image("/etc/passwd")]'] * (N // 4)}
    )  # fmt: skip
    strikes.to_csv(tmp_path / "strikes.csv", index=False)
    pd.DataFrame(
        {"name": ["General", "=cmd()", "Children's"], "longitude": [20.03, 20.05, 20.07], "latitude": [45.03, 45.07, 45.05]}
    ).to_csv(tmp_path / "hospitals.csv", index=False)
    return tmp_path


def study(city, plan, **files):
    paths = {"strikes": city / "strikes.csv", "sites": city / "hospitals.csv", "window": city / "window.geojson", **files}
    return own_study("Town", *(paths.pop(name) for name in ("strikes", "sites", "window")), plan, **paths)


def test_the_same_study_from_every_format(city, plan):
    frame = pd.read_csv(city / "strikes.csv")
    points = gpd.GeoDataFrame(
        frame.drop(columns=["longitude", "latitude"]), geometry=gpd.points_from_xy(frame["longitude"], frame["latitude"]), crs=4326
    )
    points.to_crs(32634).to_file(city / "strikes.gpkg")
    points.to_file(city / "strikes.geojson")
    points.to_crs(32634).to_parquet(city / "strikes.parquet")
    frame.assign(date=pd.to_datetime(frame["date"])).to_excel(city / "strikes.xlsx", index=False)
    expected = study(city, plan)
    assert (expected.strikes.n, expected.strikes.n_attacks, expected.sites.n) == (N, 28, 3)
    for suffix in ("gpkg", "geojson", "parquet", "xlsx"):
        found = study(city, plan, strikes=city / f"strikes.{suffix}")
        assert found.strikes.frame["strike_id"].tolist() == frame["strike_id"].tolist()
        assert np.allclose(found.strikes.frame[["easting", "northing"]], expected.strikes.frame[["easting", "northing"]], atol=0.01), suffix


def test_other_names_dates_decimals_and_encodings(city, plan):
    frame = pd.read_csv(city / "strikes.csv", dtype=str)
    frame["date"] = pd.to_datetime(frame["date"]).dt.strftime("%d.%m.%Y")
    for column in ("longitude", "latitude"):
        frame[column] = frame[column].str.replace(".", ",")
    frame = frame.assign(place="\N{CYRILLIC CAPITAL LETTER KA}").rename(columns={"date": "дата", "longitude": "x", "latitude": "y"})
    frame.to_csv(city / "s.csv", sep=";", index=False, encoding="cp1251")
    rules = dataclasses.replace(
        plan.own_data,
        strikes={"date": "дата", "longitude": "x", "latitude": "y"},
        date_formats=("%Y-%m-%d", "%d.%m.%Y"),
        encoding="cp1251",
        decimal=",",
    )
    found = study(city, dataclasses.replace(plan, own_data=rules), strikes=city / "s.csv")
    assert np.allclose(found.strikes.frame["easting"], study(city, plan).strikes.frame["easting"])
    assert found.strikes.frame["place"][0] == "\N{CYRILLIC CAPITAL LETTER KA}"


def test_area_rows_attacks_and_held_out_strikes(city, plan):
    frame = pd.read_csv(city / "strikes.csv").assign(attack_id="", selection="", area="")
    frame.loc[0, ["longitude", "latitude", "area"]] = [np.nan, np.nan, "North"]
    frame.loc[1, "selection"], frame.loc[2, "attack_id"] = "prompting", "night one"
    frame.to_csv(city / "s.csv", index=False)
    found = study(city, plan, strikes=city / "s.csv", areas=city / "areas.geojson").strikes.frame
    assert found.loc[0, ["support", "area"]].tolist() == ["area", "North"]
    assert found["selection"].value_counts().to_dict() == {"systematic": N - 1, "prompting": 1}
    assert found["attack_id"][2] == "night one"
    assert set(found["area"]) == {"North", "South"}


def test_strikes_outside_are_left_out_and_counted(city, plan):
    frame = pd.read_csv(city / "strikes.csv")
    frame.loc[5, "longitude"] = 20.5
    frame.to_csv(city / "s.csv", index=False)
    found = study(city, plan, strikes=city / "s.csv")
    assert found.strikes.n == N - 1
    assert found.tables["flow"]["all"].tolist() == [N, N, N, N, N, N - 1]


def spoil(column, value):
    return lambda frame: frame.assign(**{column: [value, *frame[column].astype(object)[1:]]})


BAD = {
    "no column": (lambda f: f.drop(columns="uncertainty_m"), ": must have this column"),
    "no number": (spoil("longitude", "east"), "row 1, column longitude, value 'east': is not a number"),
    "decimal comma": (spoil("longitude", "20,05"), "has a decimal comma; declare it"),
    "mixed dates": (spoil("date", "31/12/2023"), "row 1, column date, value '31/12/2023': is not a date like %Y-%m-%d"),
    "zero": (lambda f: f.assign(longitude=0.0, latitude=0.0), "row 1, column longitude, value '0.0': is (0, 0)"),
    "swapped": (
        lambda f: f.rename(columns={"longitude": "latitude", "latitude": "longitude"}),
        "inside with latitude and longitude exchanged",
    ),
    "same id": (spoil("strike_id", "s5"), "row 6, column strike_id, value 's5': the id must be unique"),
    "no error": (spoil("uncertainty_m", ""), "column uncertainty_m: must be a number of metres above zero"),
    "weapon": (lambda f: f.assign(weapon_class="catapult"), "column weapon_class, value 'catapult': must be one of drone"),
    "support": (lambda f: f.assign(selection="maybe"), "column selection, value 'maybe': must be systematic or prompting"),
    "no rows": (lambda f: f[:0], "the file has no rows"),
    "elsewhere": (lambda f: f.assign(longitude=30.0), "no strike is left"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_strikes_are_one_line_exit_two_and_nothing_written(city, monkeypatch, capsys, name):
    change, said = BAD[name]
    change(pd.read_csv(city / "strikes.csv")).to_csv(city / "bad.csv", index=False)
    refused(city, monkeypatch, capsys, said, strikes=city / "bad.csv")


def refused(city, monkeypatch, capsys, said, **files):
    paths = {"strikes": city / "strikes.csv", "sites": city / "hospitals.csv", "window": city / "window.geojson", **files}
    options = [part for key, path in paths.items() for part in (f"--{key.replace('_', '-')}", str(path))]
    monkeypatch.setattr(sys, "argv", ["analysis", "assess", *options, "--quick", "--out", str(city / "out")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert said in line
    assert not (city / "out").exists()


def test_bad_sites_windows_and_plans(city, plan, monkeypatch, capsys, root):
    sites = pd.read_csv(city / "hospitals.csv")
    sites.rename(columns={"longitude": "latitude", "latitude": "longitude"}).to_csv(city / "b.csv", index=False)
    refused(city, monkeypatch, capsys, "latitude and longitude look swapped", sites=city / "b.csv")
    sites.assign(longitude=0.0).to_csv(city / "b.csv", index=False)
    refused(city, monkeypatch, capsys, "no site lies in the window", sites=city / "b.csv")
    refused(city, monkeypatch, capsys, "the file does not exist", window=city / "none.geojson")
    points = gpd.GeoDataFrame(sites, geometry=gpd.points_from_xy(sites["longitude"], sites["latitude"]))
    points.to_file(city / "s.shp")
    refused(city, monkeypatch, capsys, "has no CRS", sites=city / "s.shp")
    points.set_crs(4326).assign(geometry=points.buffer(0.01)).to_file(city / "s.gpkg")
    refused(city, monkeypatch, capsys, "must hold points", sites=city / "s.gpkg")
    (city / "s.xlsx").write_bytes(b"no sheet")
    refused(city, monkeypatch, capsys, "must be an Excel sheet", sites=city / "s.xlsx")
    (city / "s.parquet").write_bytes(b"PAR1")
    refused(city, monkeypatch, capsys, "cannot be read as spatial data", strikes=city / "s.parquet")
    (city / "p.toml").write_text((root / "data/plan.toml").read_text().replace("strikes = {}", 'strikes = { colour = "x" }'))
    refused(city, monkeypatch, capsys, "the plan maps a column that is not among", plan=city / "p.toml")
    (city / "w.csv").write_bytes("дата\n".encode("cp1251"))
    refused(city, monkeypatch, capsys, "is not utf-8 text", strikes=city / "w.csv")


def test_hospitals_end_to_end(city, monkeypatch, capsys, root):
    """The report speaks of hospitals, not of missions or Kyiv, and measures its own size when asked to."""
    text = (root / "data/plan.toml").read_text()
    for a, b in (("mission building", "hospital"), ("Kyiv, missions of states not party to the conflict", "Town, hospitals"), ("n_simulations = 9999", "n_simulations = 199"), ("curve_n_simulations = 1999", "curve_n_simulations = 99"),
                 ("cell_m = 50.0", "cell_m = 250.0"), ("[500.0, 1000.0, 1500.0, 2000.0, 3000.0]", "[1500.0]")):  # fmt: skip
        assert a in text
        text = text.replace(a, b)
    (city / "plan.toml").write_text(text)
    arguments = ["assess", "--strikes", "strikes.csv", "--sites", "hospitals.csv", "--window", "window.geojson", "--plan", "plan.toml", "--name", "Town",
                 "--worlds", "20", "--out", "out"]  # fmt: skip
    monkeypatch.chdir(city)
    monkeypatch.setattr(sys, "argv", ["analysis", *arguments])
    main_or_exit()
    page = (city / "out/report.html").read_text()
    for word in ("mission", "Kyiv", "raion", "embass"):
        assert word not in page.lower().replace("permission", "")
    assert "near hospitals" in page
    assert "Data: strikes.csv, hospitals.csv, window.geojson." in page
    assert "simulated worlds" in page
    assert "Written: out/report.html" in capsys.readouterr().out
    assert (city / "out/report.pdf").read_bytes().startswith(b"%PDF")
    jsonschema.validate(json.loads((city / "out/results.json").read_text()), json.loads((city / "out/results.schema.json").read_text()))


@pytest.mark.skipif(not Path("/usr/bin/chromium").exists() and not os.environ.get("CI"), reason="needs Debian's chromium package")
def test_hostile_places_do_nothing_in_a_browser(city, monkeypatch, capsys, root):
    lines = (root / "data/plan.toml").read_text().replace("n_simulations = 9999", "n_simulations = 199")
    (city / "plan.toml").write_text(
        lines.replace("curve_n_simulations = 1999", "curve_n_simulations = 99").replace("cell_m = 50.0", "cell_m = 250.0")
    )
    monkeypatch.chdir(city)
    arguments = [
        "assess",
        "--strikes",
        "strikes.csv",
        "--sites",
        "hospitals.csv",
        "--window",
        "window.geojson",
        "--plan",
        "plan.toml",
        "--quick",
        "--quiet",
        "--out",
        "out",
    ]
    monkeypatch.setattr(sys, "argv", ["analysis", *arguments])
    main_or_exit()
    assert capsys.readouterr().out == ""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page, said = browser.new_page(), []
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("console", lambda message: said.append(message.text))
        page.goto((city / "out/report.html").as_uri())
        page.locator("#map-svg").focus()
        told = set()
        for _ in range(4):
            page.keyboard.press("n")
            told.add(page.locator("#map-info").inner_text())
        assert any("<script>alert(1)</script>" in words for words in told)  # shown as the text it is
        assert said == [] and page.locator("img[src=x]").count() == 0
        browser.close()


def main_or_exit():
    try:
        main()
    except SystemExit as stopped:
        assert not stopped.code


def test_places_that_are_no_sites_and_completeness(city, plan):
    pd.read_csv(city / "hospitals.csv").assign(longitude=[20.02, 20.04, 20.06]).to_csv(city / "schools.csv", index=False)
    (city / "completeness.csv").write_text(
        "where,first,second,in_first,completeness\nwithin 500 m,a,b,4,0.8\nbeyond 500 m,a,b,9,0.4\nall,a,c,9,\n"
    )
    found = study(city, plan, placebo_sites=[city / "schools.csv", city / "hospitals.csv"], completeness=city / "completeness.csv")
    assert found.tables["placebo_sites"]["kind"].tolist() == ["schools"] * 3 + ["hospitals"] * 3
    assert found.tables["completeness"]["completeness"].fillna(0).tolist() == [0.8, 0.4, 0]
    assert {"schools.csv", "completeness.csv"} <= set(found.sources["file"])
    (city / "completeness.csv").write_text("where,first,second,completeness\nwithin 500 m,a,b,8\n")
    with pytest.raises(InputError, match=r"completeness\.csv, row 1, column completeness, value '8': must be a share"):
        study(city, plan, completeness=city / "completeness.csv")


def test_areas_that_no_polygon_has(city, plan):
    with pytest.raises(InputError, match="no strike is left: most rows were rejected because each names no area"):
        frame = pd.read_csv(city / "strikes.csv").assign(longitude=np.nan, latitude=np.nan, area="Nowhere")
        frame.to_csv(city / "s.csv", index=False)
        study(city, plan, strikes=city / "s.csv", areas=city / "areas.geojson")
