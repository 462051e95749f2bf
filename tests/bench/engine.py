"""Time the point-process engine along n, beside R's spatstat on the same points where R is installed, and draw its cost.

R's times are its own, without starting. Its leave-one-out intensity and likelihood bandwidth visit all pairs; at 1e5 points one call takes
minutes and is left out. R's 999 draws are 9 draws, scaled. The likelihood criterion is evaluated at the 16 bandwidths at which bw.ppl stops. Peak
memory is that of a process of its own for each size.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist
from shapely.geometry import Polygon
from table import Row, peak, timed

from analysis.baseline import fit_loglinear, kernel_intensity
from analysis.baseline.bandwidth import likelihood_criterion
from analysis.figures.style import figure
from analysis.inference import global_envelope_test
from analysis.null import BinomialNull
from analysis.pattern import Intensity, PointPattern, Sites, Window
from analysis.proximity import cross_k, cross_k_draws, k_function

OUTER = [(0, 0), (9, 1), (10, 6), (7, 7), (8, 10), (3, 9), (1, 5)]
HOLE = [(4, 4), (4, 6), (6, 6), (6, 4)]
SIZES = (1_000, 10_000, 100_000)
LARGE = (1_000_000,)  # ours alone
DRAWS = 999
Results = dict[str, dict[str, dict[str, list[float]]]]  # strikes, side, task: seconds and answer
TASKS = {
    "intensity": "kernel intensity, 512²",
    "points": "leave-one-out intensity at points",
    "likelihood": "likelihood bandwidth, 16 values",
    "loglinear": "log-linear fit, 128² tiles",
    "k": "inhomogeneous K, translation, 30 neighbours",
    "cross": "inhomogeneous cross-K, translation, 80 sites",
    "draws": f"{DRAWS} draws of the cross-K, global envelope",
    "dclf": f"{DRAWS} draws of the cross-K, DCLF test",
}


def setting(n: int) -> tuple[PointPattern, Sites, Intensity, float]:
    """Make strikes from a known intensity, 80 sites, and a radius for K within which a strike has 30 others."""
    window, rng = Window(Polygon(OUTER, [HOLE])), np.random.default_rng(1)
    grid = window.grid(shape=(256, 256))
    shape = Intensity(np.where(grid.inside, np.exp(-grid.centres[0] / 8), 0.0), grid, "known")
    known = shape.times(n / shape.total)
    east, north = window.sample(4 * n, rng=rng)
    keep = np.flatnonzero(rng.random(4 * n) < np.exp(-east / 8))[:n]
    points = PointPattern(east[keep], north[keep], window)
    return points, Sites(*window.sample(80, rng=rng), window), known, float(np.sqrt(30 * window.area / (np.pi * n)))


def best_of_sixteen(points: PointPattern) -> float:
    """Give the cross-validated likelihood at its best where bw.ppl looks: 16 bandwidths from the least distance to half the diameter."""
    nearest = cKDTree(np.column_stack([points.easting, points.northing])).query(np.column_stack([points.easting, points.northing]), k=2)[0][
        :, 1
    ]
    criterion = likelihood_criterion(points)
    return -min(criterion(h) for h in np.geomspace(nearest[nearest > 0].min(), pdist(OUTER).max() / 2, 16))


def ours(n: int) -> dict[str, list[float]]:
    """Time the package at one size: seconds and the answer of each task, and the process's peak memory in GB."""
    points, sites, known, reach = setting(n)
    at = known.total / known.grid.integral(np.exp(-known.grid.centres[0] / 8)) * np.exp(-points.easting / 8)
    rk, rc = np.linspace(0, reach, 21), np.linspace(0, 1, 21)
    null = BinomialNull(known, n)

    def envelope(measure: str) -> float:
        observed, simulated = cross_k_draws(sites, points, null, rc, n_simulations=DRAWS, rng=1)
        global_envelope_test(rc, observed, simulated, measure=measure)
        return float("nan")  # draws are random

    def mean_of(found: Intensity) -> float:
        return float(found.values[found.grid.inside].mean())

    tasks: dict[str, Callable[[], float]] = {
        "intensity": lambda: mean_of(kernel_intensity(points, 0.5, shape=(512, 512))),
        "points": lambda: float(kernel_intensity(points, 0.5, shape=(512, 512), at="points").mean()),
        "likelihood": lambda: best_of_sixteen(points),
        "loglinear": lambda: float(fit_loglinear(points, {"x": lambda e, _: e, "y": lambda _, y: y}, dummy=128).params[1]),
        "k": lambda: float(k_function(points, rk, intensity=at).observed[-1]),
        "cross": lambda: float(cross_k(sites, points, rc, intensity_targets=at).observed[-1]),
        "draws": lambda: envelope("erl"),
        "dclf": lambda: envelope("dclf"),
    }
    found = {name: list(timed(run)) for name, run in tasks.items()}
    return found | {"memory": [peak()]}


def theirs(n: int) -> dict[str, list[float]]:
    """Time spatstat on the same points: seconds and answers; nothing where R is absent."""
    if shutil.which("Rscript") is None:
        return {}
    points, sites, _, reach = setting(n)
    with tempfile.TemporaryDirectory() as folder:
        for name, pattern in (("points", points), ("sites", sites)):
            table = np.column_stack([pattern.easting, pattern.northing])
            np.savetxt(Path(folder) / f"{name}.csv", table, delimiter=",", header="x,y", comments="", fmt="%.17g")
        command = ["Rscript", str(Path(__file__).with_suffix(".R")), folder, repr(reach), str(DRAWS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {name: [float(seconds), float("nan") if value == "NA" else float(value)] for name, seconds, value in rows}


def results() -> Results:
    """Time both sides at every size, ours in a process of its own for each."""
    found: Results = {}
    for n in SIZES + LARGE:
        done = subprocess.run([sys.executable, __file__, str(n)], check=True, capture_output=True, text=True)
        found[str(n)] = {"ours": json.loads(done.stdout), "theirs": theirs(n) if n in SIZES else {}}
    return found


def rows(found: Results) -> Iterator[Row]:
    """Give a row for each size and task."""
    for n, sides in found.items():
        for key, task in TASKS.items():
            (seconds, value), beside = sides["ours"][key], sides["theirs"].get(key)
            if beside is None:
                yield Row(task, int(n), seconds)
            else:
                differs = None if beside[1] != beside[1] else abs(value / beside[1] - 1)
                yield Row(task, int(n), seconds, "spatstat", beside[0], differs)


def draw(found: Results) -> bytes:
    """Draw seconds against n, ours and R's."""
    with figure(11, 4.8, panels=2, source="make bench; times of one run on one machine, docs/cost.json") as drawing:
        for place, (key, title) in enumerate(TASKS.items()):
            ax, colour = drawing.axes[place // 4], f"C{place % 4}"
            for side, style in (("ours", "o-"), ("theirs", "s--")):
                at = [(int(n), sides[side][key][0]) for n, sides in found.items() if key in sides[side]]
                if at:
                    name = title if side == "ours" else None
                    ax.loglog(*zip(*at, strict=True), style, color=colour, label=name, fillstyle="full" if side == "ours" else "none")
        for ax in drawing.axes:
            ax.set(xlabel="strikes", ylabel="seconds", ylim=(3e-4, None))
            ax.legend(fontsize=7.5, title="solid: this package; dashed: spatstat", title_fontsize=7.5, ncols=2,
                      loc="upper center", bbox_to_anchor=(0.5, -0.12))  # fmt: skip
    return drawing.png


if __name__ == "__main__":
    ours(1_000)  # what is compiled on first use is compiled here
    print(json.dumps(ours(int(sys.argv[1]))))
