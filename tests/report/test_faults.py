"""Whatever happens to a run, nothing half-written is left, and the next run ends with the same bytes."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from distributed import LocalCluster
from shapely.geometry import box

from analysis.report import write_files

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


def start(city, root, out, *options, **how):
    files = [f"--{name}={city / file}" for name, file in (("strikes", "strikes.csv"), ("sites", "sites.csv"), ("window", "window.geojson"))]
    command = [sys.executable, "-m", "analysis", "assess", *files, f"--plan={city / 'plan.toml'}", f"--out={out}", *options]
    return subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def finished(job) -> None:
    _, said = job.communicate(timeout=240)
    assert job.returncode == 0, said.decode()


def error_of(job, code: int) -> str:
    """Give the one line that a failed run says."""
    _, said = job.communicate(timeout=240)
    assert job.returncode == code, said.decode()
    assert "Traceback" not in said.decode()
    (line,) = [line for line in said.decode().splitlines() if line.startswith("error:")]
    return line


def content(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def wait_for_pieces(out, number, job):
    deadline = time.monotonic() + 240
    while len(list(out.rglob(".pieces/*/*.json"))) < number and time.monotonic() < deadline and job.poll() is None:
        time.sleep(0.01)
    assert job.poll() is None
    assert len(list(out.rglob(".pieces/*/*.json"))) >= number


@pytest.fixture(scope="module")
def whole(city, root):
    """Give the files of runs in a single go, two at once into one folder; none of the files is hidden."""
    out = city / "whole"
    for job in [start(city, root, out, "--workers=1") for _ in range(2)]:
        finished(job)
    files = content(out)
    assert len(files) > 40
    assert not [name for name in files if "/." in f"/{name}"]
    return files


def test_killed_at_random_and_resumed_with_other_numbers_of_workers(city, root, whole):
    """Interrupted and killed in the middle; and with what a run leaves that is killed while it writes its files."""
    out, moments = city / "broken", random.Random(1)
    for workers, end, code in ((2, signal.SIGINT, 130), (1, signal.SIGKILL, -signal.SIGKILL)):
        job = start(city, root, out, f"--workers={workers}")
        wait_for_pieces(out, moments.randint(2, 12), job)
        job.send_signal(end)
        _, said = job.communicate(timeout=60)
        assert job.returncode == code
        assert (b"interrupted; nothing half-written" in said) == (end == signal.SIGINT)
        assert not (out / "results.json").exists()
    (out / ".report.html.left.tmp").write_bytes(b"<html")
    finished(start(city, root, out, "--workers=3"))
    assert content(out) == whole


def test_a_lost_worker_is_one_line(city, root, whole):
    out = city / "lost"
    job = start(city, root, out, "--workers=2")
    wait_for_pieces(out, 3, job)
    workers = [int(pid) for pid in Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()]
    at_work = [pid for pid in workers if b"LokyProcess" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(at_work[0], signal.SIGKILL)
    assert "a worker was killed" in error_of(job, 1)
    assert not (out / "results.json").exists()
    finished(start(city, root, out, "--workers=2"))
    assert content(out) == whole


def test_memory_that_runs_out_is_one_line(city, root):
    """3 GB of address space will do for cells of 200 m, and not for 22 million of 2 m."""
    lines = (city / "plan.toml").read_text()
    (city / "fine.toml").write_text(lines.replace("cell_m = 200.0", "cell_m = 2.0"))
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9, 3 * 10**9))  # noqa: E731
    job = start(city, root, city / "fine", "--workers=1", f"--plan={city / 'fine.toml'}", preexec_fn=limit)
    assert "memory ran out" in error_of(job, 1)
    assert not (city / "fine/results.json").exists()


def test_a_full_disk_leaves_what_was_there(city, root):
    """No file may grow beyond 300 kB: the page does. The figures, which would fit, stay the old ones too."""
    out = city / "full"
    write_files({"report.html": b"old", "figures/map.png": b"old"}, out)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))  # noqa: E731
    assert "File too large" in error_of(start(city, root, out, preexec_fn=limit), 2)
    left = {name: data for name, data in content(out).items() if not name.startswith(".pieces/")}
    assert left == {"report.html": b"old", "figures/map.png": b"old"}


def test_a_place_that_cannot_be_written_to_is_one_line(city, root):
    (city / "a_file").write_text("here")
    assert "a_file" in error_of(start(city, root, city / "a_file/out", "--workers=1"), 2)


def test_a_cluster_that_loses_a_worker_gives_the_same(city, root, whole):
    out = city / "cluster"
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        job = start(city, root, out, f"--cluster={cluster.scheduler_address}")
        wait_for_pieces(out, 3, job)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        finished(job)
    assert content(out) == whole


def test_no_cluster_is_one_line(city, root):
    job = start(city, root, city / "none", "--cluster=tcp://127.0.0.1:9")
    assert "no dask scheduler answers there" in error_of(job, 2)
    assert not (city / "none").exists()
