"""What a run costs along strikes, sites, draws and cells, and from where on sharing the tiles pays.

One grid: decay_score_test on 512 × 512 cells. Tiles: a square country in 100 m cells, in this process, on two local workers (loky) and on a
dask cluster of two workers on this machine. Each in a process of its own, for its peak memory, after one small run that starts workers and compiles.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np
from distributed import Client, LocalCluster
from joblib import parallel_config
from shapely.geometry import box
from table import peak

from analysis.baseline import Kernel
from analysis.figures.style import figure
from analysis.pattern import PointPattern, Sites, Window
from analysis.proximity import Decay, decay_score_test, tiled_decay_score_test

ALONG = {
    "strikes": [{"strikes": n} for n in (1_000, 10_000, 100_000, 1_000_000)],
    "sites": [{"sites": m} for m in (100, 1_000, 10_000)],
    "draws": [{"draws": b} for b in (99, 999, 9_999)],
}
DEFAULT = {"strikes": 1_000_000, "sites": 10_000, "draws": 9_999}
COUNTRIES_KM = (50, 100, 200, 400, 1_000)
WAYS = ("this process", "two workers", "dask")
TOWNS = 400


def country(side: float, strikes: int, sites: int) -> tuple[PointPattern, Sites]:
    """Put strikes and hospitals about 400 towns, 8 and 5 km about them."""
    rng, window = np.random.default_rng(1), Window(box(0, 0, side, side))
    towns = rng.uniform(0.02 * side, 0.98 * side, (TOWNS, 2))
    s, h = (
        np.clip(towns[rng.integers(0, TOWNS, n)] + rng.normal(0, spread, (n, 2)), 0, side) for n, spread in ((strikes, 8e3), (sites, 5e3))
    )
    return PointPattern(*s.T, window), Sites(*h.T, window)


def one_grid(strikes: int, sites: int, draws: int) -> float:
    """Time the test on one grid of 512 × 512 cells, baseline included."""

    def run(strikes: int, sites: int, draws: int) -> float:
        points, places = country(100e3, strikes, sites)
        began = time.perf_counter()
        baseline = Kernel(points.window.grid(shape=(512, 512)), 1500.0)
        decay_score_test(points, places, Decay("gaussian", 500.0), baseline, n_simulations=draws, rng=1)
        return time.perf_counter() - began

    run(1_000, 100, 99)
    run(strikes, 100, 1_000)  # another way from 4e7 simulated strikes on
    return run(strikes, sites, draws)


def tiled(km: int, way: str) -> float:
    """Time the test in tiles of some six million cells (a million where the country is small), 99 draws: what tiles are about."""
    points, places = country(km * 1e3, 1_000_000, 10_000)
    setting: dict[str, Any] = {"bandwidth": 1500.0, "spacing": 100.0, "n_simulations": 99, "rng": 1}
    size = 6_000_000 if km >= 400 else 1_000_000

    def run(points: PointPattern = points, size: int = size) -> float:
        began = time.perf_counter()
        tiled_decay_score_test(points, places, Decay("gaussian", 500.0), cells_at_once=size, **setting)
        return time.perf_counter() - began

    few, small = points.subset(np.arange(points.n) < 1000), max(size // 8, 200_000)  # tiles for either worker
    if way == "dask":
        with (
            LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
            Client(cluster),
            parallel_config("dask"),
        ):
            run(few, small)
            return run()
    with parallel_config("loky", n_jobs=2 if way == "two workers" else 1):
        run(few, small)
        return run()


def in_a_process(*what: Any) -> dict[str, float]:
    """Run one of the two in a process of its own."""
    done = subprocess.run([sys.executable, __file__, json.dumps(what)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def results() -> dict[str, Any]:
    """Time everything."""
    found: dict[str, Any] = {"grid": {}, "tiles": {}}
    for along, changes in ALONG.items():
        found["grid"][along] = [{**DEFAULT, **change, **in_a_process("grid", {**DEFAULT, **change})} for change in changes]
    for km in COUNTRIES_KM:
        found["tiles"][str(km)] = {way: in_a_process("tiles", km, way) for way in WAYS}
    return found


def draw(found: dict[str, Any]) -> bytes:
    """Draw seconds against strikes, sites and draws, and against cells for the three ways of sharing."""
    with figure(11, 4.2, panels=2, source="make bench; times of one run on one machine with two cores, docs/scale.json") as drawing:
        left, right = drawing.axes
        for along, rows in found["grid"].items():
            left.semilogx([row[along] for row in rows], [row["seconds"] for row in rows], "o-", label=f"along {along}")
        left.set(xlabel="strikes, sites or draws; the others at 1e6, 1e4, 9,999", ylabel="seconds", ylim=(0, None))
        for way in WAYS:
            right.loglog(
                [(10 * int(km)) ** 2 for km in found["tiles"]], [row[way]["seconds"] for row in found["tiles"].values()], "o-", label=way
            )
        right.set(xlabel="cells of 100 m", ylabel="seconds")
        for ax in (left, right):
            ax.legend(fontsize=8)
    return drawing.png


def page(found: dict[str, Any]) -> str:
    """Give the two tables in Markdown."""
    lines = ["| strikes | sites | draws | seconds | peak memory |", "|--:|--:|--:|--:|--:|"]
    for rows in found["grid"].values():
        lines += [f"| {r['strikes']:,} | {r['sites']:,} | {r['draws']:,} | {r['seconds']:.2f} | {r['memory']:.2f} GB |" for r in rows]
    lines += ["", "| country | cells | " + " | ".join(WAYS) + " | peak memory of one process |", "|--:|--:|" + "--:|" * (len(WAYS) + 1)]
    for km, ways in found["tiles"].items():
        times = " | ".join(f"{ways[way]['seconds']:.1f} s" for way in WAYS)
        lines.append(f"| {km} km | {(10 * int(km)) ** 2:,} | {times} | {ways[WAYS[0]]['memory']:.2f} GB |")
    return "\n".join(lines)


if __name__ == "__main__":
    kind, *what = json.loads(sys.argv[1])
    taken = one_grid(**what[0]) if kind == "grid" else tiled(*what)
    print(json.dumps({"seconds": taken, "memory": peak()}))
