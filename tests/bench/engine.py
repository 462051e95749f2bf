"""Time the point-process engine against R's spatstat on the same points, in one run, and draw its cost along n.

Prints medians of fifteen runs on each side (three above half a second, one above ten), ours and R's; R's are its own, without starting. R is left out where it is
absent. R's leave-one-out intensity and likelihood bandwidth visit all pairs; at 1e5 points one call takes minutes and is left out. R's 999 draws
are 9 draws, scaled. The likelihood criterion is evaluated at the 16 bandwidths at which bw.ppl stops. Peak memory is that of a process of its
own for each size. Writes docs/cost.json and docs/cost.png. Run: python tests/bench/engine.py
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from shapely.geometry import Polygon

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
DOCS = Path(__file__).parents[2] / "docs"
PAGE = """# The engine beside spatstat

Written by `tests/bench/engine.py` (`make bench`), which runs both on the same points, in one window with a hole, in one run on one core: medians of
fifteen calls (three above half a second, one above ten), seconds, and R's time over ours. What is compiled on first use is compiled before (some 10 s, once for each installation). R's 999 draws
are 9 draws, scaled. spatstat reads a polygon's overlap with itself from a mask of 128 × 128 pixels; ours is exact up to the smallest feature
of the window (`analysis/pattern/overlap.py`), so answers differ there by up to 1 %; elsewhere they agree to 1e-8 (`tests/reference/`). spatstat's
leave-one-out intensity and `bw.ppl` visit all pairs and are left out at 100,000 points. Memory is the peak of a whole process.

![Seconds against the number of strikes](cost.png)

{table}

Cost grows in proportion to n, or n log n, up to a million strikes: the kernel and the log-linear fit with the cells, K with the pairs (30 neighbours
here). The likelihood bandwidth is the exception: at a million points its middle bandwidths are too fine for a grid and too wide for pairs.
"""


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


def median(run: Callable[[], object]) -> float:
    """Time a call: the median of fifteen, of three above half a second, one above ten."""
    times: list[float] = []
    while len(times) < (15 if not times or times[0] < 0.5 else 3 if times[0] < 10 else 1):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def sixteen_values(points: PointPattern) -> list[float]:
    """Evaluate the cross-validated likelihood where bw.ppl does: 16 bandwidths from the least distance to half the diameter."""
    xy = np.column_stack([points.easting, points.northing])
    nearest = cKDTree(xy).query(xy, k=2)[0][:, 1]
    criterion = likelihood_criterion(points)
    return [criterion(h) for h in np.geomspace(nearest[nearest > 0].min(), 7.07, 16)]


def ours(n: int) -> dict[str, float]:
    """Time the package at one size, and give the process's peak memory in MB."""
    points, sites, known, reach = setting(n)
    at = known.total / known.grid.integral(np.exp(-known.grid.centres[0] / 8)) * np.exp(-points.easting / 8)
    rk, rc = np.linspace(0, reach, 21), np.linspace(0, 1, 21)
    null = BinomialNull(known, n)

    def envelope(measure: str) -> None:
        observed, simulated = cross_k_draws(sites, points, null, rc, n_simulations=DRAWS, rng=1)
        global_envelope_test(rc, observed, simulated, measure=measure)

    found = {
        "intensity": median(lambda: kernel_intensity(points, 0.5, shape=(512, 512))),
        "points": median(lambda: kernel_intensity(points, 0.5, shape=(512, 512), at="points")),
        "likelihood": median(lambda: sixteen_values(points)),
        "loglinear": median(lambda: fit_loglinear(points, {"x": lambda e, _: e, "y": lambda _, y: y}, dummy=128)),
        "k": median(lambda: k_function(points, rk, intensity=at)),
        "cross": median(lambda: cross_k(sites, points, rc, intensity_targets=at)),
        "draws": median(lambda: envelope("erl")),
        "dclf": median(lambda: envelope("dclf")),
    }
    return found | {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def theirs(n: int) -> dict[str, float]:
    """Time spatstat on the same points; nothing where R is absent."""
    if shutil.which("Rscript") is None:
        return {}
    points, sites, _, reach = setting(n)
    with tempfile.TemporaryDirectory() as folder:
        for name, pattern in (("points", points), ("sites", sites)):
            table = np.column_stack([pattern.easting, pattern.northing])
            np.savetxt(Path(folder) / f"{name}.csv", table, delimiter=",", header="x,y", comments="", fmt="%.17g")
        command = ["Rscript", str(Path(__file__).with_suffix(".R")), folder, repr(reach), str(DRAWS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {name: float(value) for name, value in map(str.split, done.stdout.splitlines())}


def draw(results: dict[str, dict[str, dict[str, float]]]) -> bytes:
    """Draw seconds against n, ours and R's."""
    with figure(11, 4.8, panels=2, source="tests/bench/engine.py; times of one run on one machine, docs/cost.json") as drawing:
        for place, (key, title) in enumerate(TASKS.items()):
            ax, colour = drawing.axes[place // 4], f"C{place % 4}"
            for side, style in (("ours", "o-"), ("theirs", "s--")):
                at = [(int(n), sides[side][key]) for n, sides in results.items() if key in sides[side]]
                name = title if side == "ours" else None
                ax.loglog(*zip(*at, strict=True), style, color=colour, label=name, fillstyle="full" if side == "ours" else "none")
        for ax in drawing.axes:
            ax.set(xlabel="strikes", ylabel="seconds", ylim=(3e-4, None))
            ax.legend(fontsize=7.5, title="solid: this package; dashed: spatstat", title_fontsize=7.5)
    return drawing.png


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """Give the results as a Markdown table."""
    sizes = [int(n) for n in results]
    lines = ["| task | " + " | ".join(f"n = {n:,}" for n in sizes) + " |", "|:--" + "|--:" * len(sizes) + "|"]
    for key, name in TASKS.items():
        cells = []
        for sides in results.values():
            mine, other = sides["ours"][key], sides["theirs"].get(key)
            cells.append(f"{mine:.3g} s" if other is None else f"{mine:.3g} s, {other / mine:.0f} times" if other / mine >= 9.95 else
                         f"{mine:.3g} s, {other / mine:.1f} times")  # fmt: skip
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines.append("| peak memory | " + " | ".join(f"{sides['ours']['memory']:.0f} MB" for sides in results.values()) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print one line for each task and size."""
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        ours(1_000)  # what is compiled on first use is compiled here
        print(json.dumps(ours(int(sys.argv[2]))))
        return
    print(f"{'task':<46} {'n':>10} {'ours (s)':>10} {'R (s)':>10} {'ratio':>8} {'peak MB':>8}")
    results: dict[str, dict[str, dict[str, float]]] = {}
    for n in SIZES + LARGE:
        done = subprocess.run([sys.executable, __file__, "--one", str(n)], check=True, capture_output=True, text=True)
        mine, other = json.loads(done.stdout), theirs(n) if n in SIZES else {}
        results[str(n)] = {"ours": mine, "theirs": other}
        for key, name in TASKS.items():
            beside = f"{other[key]:>10.3f} {other[key] / mine[key]:>8.1f}" if key in other else f"{'-':>10} {'-':>8}"
            print(f"{name:<46} {n:>10,} {mine[key]:>10.4f} {beside} {mine['memory']:>8.0f}", flush=True)
    (DOCS / "engine.md").write_text(PAGE.format(table=table(results)))
    (DOCS / "cost.json").write_text(json.dumps(results, indent=1) + "\n")
    (DOCS / "cost.png").write_bytes(draw(results))


if __name__ == "__main__":
    main()
