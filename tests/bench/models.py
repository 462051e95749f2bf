"""Compare baselines with R's spatstat: same points, same window, one run. Prints medians, their ratio, and peak memory at 1e5 points.

R's leave-one-out intensity and likelihood bandwidth visit all pairs; at 1e5 points they would take over a minute and are left out.
"""

from __future__ import annotations

import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree
from shapely.geometry import Polygon

from analysis.baseline import fit_loglinear, kernel_intensity, select_bandwidth
from analysis.baseline.bandwidth import likelihood_criterion
from analysis.pattern import PointPattern, Window

WINDOW = Window(Polygon([(0, 0), (9, 1), (10, 6), (7, 7), (8, 10), (3, 9), (1, 5)], [[(4, 4), (4, 6), (6, 6), (6, 4)]]))


def median_seconds(run: Callable[[], object], repeats: int = 3) -> float:
    """Time a call a few times."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def pattern(n: int) -> PointPattern:
    """Draw n points with intensity ∝ exp(−x/4)."""
    rng = np.random.default_rng(n)
    e, y = WINDOW.sample(6 * n, rng=rng)
    keep = np.flatnonzero(rng.random(6 * n) < np.exp(-0.25 * e))[:n]
    return PointPattern(e[keep], y[keep], WINDOW)


def sixteen_values(points: PointPattern) -> list[float]:
    """Evaluate the cross-validated likelihood where spatstat's bw.ppl does: 16 bandwidths from the least distance to half the diameter."""
    xy = np.column_stack([points.easting, points.northing])
    nearest = cKDTree(xy).query(xy, k=2)[0][:, 1]
    criterion = likelihood_criterion(points)
    return [criterion(h) for h in np.geomspace(nearest[nearest > 0].min(), 7.07, 16)]


def spatstat_seconds(points: PointPattern) -> dict[str, float]:
    """Run the same in R, where it is present."""
    if shutil.which("Rscript") is None:
        return {}
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        np.savetxt(file.name, np.column_stack([points.easting, points.northing]), delimiter=",")
        script = Path(__file__).with_name("models.R")
        done = subprocess.run(["Rscript", str(script), file.name], capture_output=True, text=True, check=True)
    return {name: float(value) for name, value in (line.rsplit(maxsplit=1) for line in done.stdout.splitlines())}


def main() -> None:
    """Print one line for each task and number of points."""
    print(f"{'task':<12} {'n':>8} {'here (s)':>10} {'spatstat (s)':>13} {'ratio':>7}")
    for n in (1_000, 10_000, 100_000):
        points = pattern(n)
        ours = {
            "intensity": median_seconds(lambda p=points: kernel_intensity(p, 0.5, shape=(512, 512))),
            "at points": median_seconds(lambda p=points: kernel_intensity(p, 0.5, shape=(512, 512), at="points")),
            "criterion": median_seconds(lambda p=points: sixteen_values(p), 3 if n < 50_000 else 1),
            "likelihood": median_seconds(lambda p=points: select_bandwidth(p, method="likelihood"), 3 if n < 50_000 else 1),
            "log-linear": median_seconds(lambda p=points: fit_loglinear(p, {"x": lambda e, _: e, "y": lambda _, y: y}, dummy=128)),
        }
        theirs = spatstat_seconds(points)
        for name, seconds in ours.items():
            # bw.ppl stops at those 16 values; the bandwidth to 1e-3 takes twice as many
            other = theirs.get("likelihood" if name == "criterion" else name)
            text = "over a minute" if other is None and theirs else "no R" if other is None else f"{other:.3f}"
            print(f"{name:<12} {n:>8} {seconds:>10.4f} {text:>13} {'' if other is None else f'{other / seconds:.1f}':>7}")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
