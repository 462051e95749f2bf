"""The report of a simulated world states the truth: where strikes near sites were made four times denser, and where they were not."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from pyproj import Transformer
from shapely.geometry import box

from analysis import assess
from analysis.checks import Calibration, calibrate
from analysis.pattern import Plan, Study
from analysis.report import render
from analysis.sources import own_study

N, RADIUS = 600, 500.0


@pytest.fixture(scope="module")
def small(plan) -> Plan:
    few = {"n_simulations": 199, "cell_m": 200.0, "site_word": "hospital"}
    secondary = replace(plan.secondary, bandwidths_m=(1500.0,), curve_n_simulations=99)
    checks = replace(plan.checks, decays=("gaussian",), scales_m=(500.0,), placebo_draws=19)
    return replace(plan, secondary=secondary, checks=checks, **few)


@pytest.fixture(scope="module")
def world(tmp_path_factory, small):
    """20 sites and 600 strikes about one centre; within 500 m of a site ``ratio`` times as many, each strike an attack of its own."""

    def made(ratio: float) -> Study:
        folder, draw = tmp_path_factory.mktemp("world"), np.random.default_rng(1)
        sites = draw.normal(0, 3_500, (20, 2)).clip(-9_000, 9_000)
        trial = draw.normal(0, 4_000, (40_000, 2))
        trial = trial[(np.abs(trial) < 9_500).all(axis=1)]
        near = np.hypot(*(trial[:, None] - sites).transpose(2, 0, 1)).min(axis=1) < RADIUS
        strikes = trial[draw.random(len(trial)) < np.where(near, 1.0, 1.0 / ratio)][:N]

        to_degrees = Transformer.from_crs(32634, 4326, always_xy=True)

        def columns(xy):
            return dict(zip(("longitude", "latitude"), to_degrees.transform(*(xy + np.array([500_000, 5_000_000])).T), strict=True))

        days = pd.date_range("2023-01-01", periods=N).strftime("%Y-%m-%d")
        pd.DataFrame({"date": days, **columns(strikes), "uncertainty_m": 20.0}).to_csv(folder / "strikes.csv", index=False)
        pd.DataFrame({"name": [f"H{k}" for k in range(20)], **columns(sites)}).to_csv(folder / "sites.csv", index=False)
        square = gpd.GeoDataFrame(geometry=[box(490_000, 4_990_000, 510_000, 5_010_000)], crs=32634)
        square.to_crs(4326).to_file(folder / "window.geojson")
        return own_study("World", folder / "strikes.csv", folder / "sites.csv", folder / "window.geojson", small)

    return made


@pytest.fixture(scope="module")
def measured(world, small) -> Calibration:
    """The size of the test here: the places of a study's strikes are not used, so that one serves all worlds."""
    return calibrate(world(1.0), small, n_worlds=20, n_simulations=99, n_intervals=1)


@pytest.mark.parametrize(("ratio", "answer"), [(4.0, "excess"), (1.0, "no excess")])
def test_the_report_states_the_truth(world, small, measured, ratio, answer):
    files = render(assess(world(ratio), small, calibration=measured), command="test")
    results = json.loads(files["results.json"])
    assert results["verdict"]["answer"] == answer, results["verdict"]["rule"]
    low, high = results["excess"]["interval"]
    assert low < ratio < high
    page = files["report.html"].decode()
    first_screen = page[page.index('id="answer"') :][:1500].lower()
    assert answer in first_screen
    if answer == "excess":
        assert "no excess" not in first_screen
