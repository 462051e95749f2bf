"""Time the tests around given sites, beside spatstat and sparr where R is installed: same data, one run.

Prints medians of three runs. scan.test is given 19 draws, since 999 would take it many minutes, and its time for 999 is scaled; it lays five
radii on pixels, ours every disc up to the largest radius around every location.
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
from shapely.geometry import box

from analysis.pattern import PointPattern, Window
from analysis.proximity import raised_incidence_test, relative_risk, scan_test, stone_test

R = """
suppressWarnings(suppressPackageStartupMessages({library(spatstat); library(sparr)}))
d <- read.csv(commandArgs(TRUE)[1]); w <- owin(c(0, 10), c(0, 10))
a <- ppp(d$e[d$case == 1], d$n[d$case == 1], window = w); b <- ppp(d$e[d$case == 0], d$n[d$case == 0], window = w)
both <- superimpose(control = b, case = a)
timed <- function(f) median(replicate(3, system.time(f())[["elapsed"]]))
cat(timed(function() relrisk(both, sigma = 0.5, casecontrol = TRUE, relative = TRUE, control = "control", dimyx = 128)), "\\n")
cat(timed(function() risk(a, b, h0 = 0.5, adapt = TRUE, resolution = 128, davies.baddeley = 0.05, verbose = FALSE)), "\\n")
cat(system.time(scan.test(both, r = seq(0.1, 0.5, by = 0.1), method = "binomial", case = "case", nsim = 19, verbose = FALSE))[["elapsed"]] * 999 / 19,
  "\\n")
"""


def timed(run: Callable[[], object]) -> float:
    """Give the median of three runs in seconds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def in_r(points: np.ndarray) -> list[float | None]:
    """Time relrisk, adaptive risk and scan.test; nothing without R."""
    if shutil.which("Rscript") is None:
        return [None] * 3
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder) / "points.csv", Path(folder) / "time.R"
        np.savetxt(data, points, delimiter=",", header="e,n,case", comments="")
        script.write_text(R)
        done = subprocess.run(["Rscript", str(script), str(data)], capture_output=True, text=True, check=True, timeout=900)
    return [float(line) for line in done.stdout.split()]


def main() -> None:
    """Print one line for each task."""
    rng = np.random.default_rng(1)
    n = 10_000
    e, y, case = rng.uniform(0, 10, n), rng.uniform(0, 10, n), rng.random(n) < 0.3
    window = Window(box(0, 0, 10, 10))
    points = PointPattern(e, y, window)
    cases, controls = points.subset(case), points.subset(~case)
    relrisk_r, adaptive_r, scan_r = in_r(np.column_stack([e, y, case]))
    many = 100_000
    d, o, mean = rng.random(many), rng.poisson(1.0, many), rng.gamma(2, 0.5, many)
    scan = {"max_radius": 0.5, "n_simulations": 999, "rng": 1}
    tasks: list[tuple[str, Callable[[], object], float | None, str]] = [
        ("relative risk, fixed, n = 1e4, 128²", lambda: relative_risk(cases, controls, 0.5), relrisk_r, "spatstat relrisk"),
        ("relative risk, adaptive", lambda: relative_risk(cases, controls, 0.5, adaptive=True, pilot="own"), adaptive_r, "sparr risk, partitioned"),
        ("scan, Bernoulli, 999 draws, n = 1e4, r ≤ 0.5 (79 each)", lambda: scan_test(e, y, case, None, model="bernoulli", population=np.ones(n), **scan),
         scan_r, "spatstat scan.test"),
        ("scan, Poisson, equal expected", lambda: scan_test(e, y, rng.poisson(1, n), np.ones(n), **scan), None, ""),
        ("scan, Poisson, unequal expected", lambda: scan_test(e, y, rng.poisson(mean[:n]), mean[:n], **scan), None, ""),
        ("Stone, 999 permutations, n = 1e5, equal expected", lambda: stone_test(d, o, np.ones(many), n_simulations=999, rng=1), None, ""),
        ("Stone, 999 permutations, n = 1e5, unequal expected", lambda: stone_test(d, o, mean, n_simulations=999, rng=1), None, ""),
        ("raised incidence, 999 relabellings, n = 1,000", lambda: raised_incidence_test(d[:1000], case[:1000], n_simulations=999, rng=1), None, ""),
    ]  # fmt: skip
    print(f"{'task':<58} {'ours (s)':>9} {'theirs (s)':>11} {'ratio':>7}")
    for name, run, theirs, who in tasks:
        ours = timed(run)
        other = f"{theirs:>11.3f} {theirs / ours:>7.1f}  {who}" if theirs is not None else ""
        print(f"{name:<58} {ours:>9.3f} {other}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
