"""A run that is killed goes on from its finished pieces and ends with the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from distributed import LocalCluster
from shapely.geometry import box

from analysis.checks import CheckResult, Pieces
from analysis.inference import TestResult
from analysis.proximity import ExcessResult

SMALL = {"n_simulations": "n_simulations = 199", "cell_m": "cell_m = 200.0", "decays": 'decays = ["gaussian"]', "scales_m": "scales_m = [500.0]",
         "bandwidths_m": "bandwidths_m = [1000.0, 1500.0]", "curve_n_simulations": "curve_n_simulations = 99", "placebo_draws": "placebo_draws = 19"}  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory, root):
    tmp_path = tmp_path_factory.mktemp("city")
    draw = np.random.default_rng(3)
    gpd.GeoDataFrame(geometry=[box(20.0, 45.0, 20.1, 45.1)], crs=4326).to_file(tmp_path / "window.geojson")
    n = 60
    pd.DataFrame(
        {"strike_id": [f"s{k}" for k in range(n)], "date": [f"2023-01-{1 + k % 28:02d}" for k in range(n)],
         "longitude": draw.uniform(20.005, 20.095, n).round(5), "latitude": draw.uniform(45.005, 45.095, n).round(5), "uncertainty_m": 50.0}
    ).to_csv(tmp_path / "strikes.csv", index=False)  # fmt: skip
    pd.DataFrame({"name": ["A", "B", "C"], "longitude": [20.03, 20.05, 20.07], "latitude": [45.03, 45.07, 45.05]}).to_csv(
        tmp_path / "sites.csv", index=False
    )
    lines = (root / "data/plan.toml").read_text().splitlines()
    (tmp_path / "plan.toml").write_text("\n".join(SMALL.get(line.split(" = ")[0], line) for line in lines))
    return tmp_path


def start(city, root, out, *options):
    files = [f"--{name}={city / file}" for name, file in (("strikes", "strikes.csv"), ("sites", "sites.csv"), ("window", "window.geojson"))]
    command = [sys.executable, "-m", "analysis", "assess", *files, f"--plan={city / 'plan.toml'}", f"--out={out}", *options]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_pieces(out, number, job):
    deadline = time.monotonic() + 240
    while len(list(out.rglob(".pieces/*/*.json"))) < number and time.monotonic() < deadline and job.poll() is None:
        time.sleep(0.01)
    assert job.poll() is None
    assert len(list(out.rglob(".pieces/*/*.json"))) >= number


@pytest.fixture(scope="module")
def whole(city, root):
    """Give the results of one process in a single go."""
    out = city / "whole"
    job = start(city, root, out, "--workers=1")
    assert job.wait(240) == 0, job.stderr.read().decode()
    assert not (out / ".pieces").exists()
    return (out / "results.json").read_bytes()


def test_killed_and_resumed_with_other_numbers_of_workers(city, root, whole):
    broken = city / "broken"
    job = start(city, root, broken, "--workers=2")
    wait_for_pieces(broken, 8, job)
    os.kill(job.pid, signal.SIGKILL)
    assert job.wait(60) == -signal.SIGKILL
    assert not (broken / "results.json").exists()

    job = start(city, root, broken, "--workers=4")
    assert job.wait(240) == 0, job.stderr.read().decode()
    assert (broken / "results.json").read_bytes() == whole
    assert not (broken / ".pieces").exists()


def test_a_cluster_that_loses_a_worker_gives_the_same(city, root, whole):
    out = city / "cluster"
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        job = start(city, root, out, f"--cluster={cluster.scheduler_address}")
        wait_for_pieces(out, 3, job)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        assert job.wait(240) == 0, job.stderr.read().decode()
    assert (out / "results.json").read_bytes() == whole


def test_no_cluster_is_one_line(city, root):
    job = start(city, root, city / "none", "--cluster=tcp://127.0.0.1:9")
    assert job.wait(60) == 2
    (line,) = [line for line in job.stderr.read().decode().splitlines() if line.startswith("error:")]
    assert "no dask scheduler answers there" in line
    assert not (city / "none").exists()


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
