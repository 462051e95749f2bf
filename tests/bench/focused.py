"""Time the tests around given sites, beside spatstat and sparr where R is installed: same data, one run.

scan.test is given 19 draws, since 999 would take it many minutes, and its time is scaled; it lays five radii on pixels, ours every disc up to
the largest radius around every location.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import box
from table import Row, timed

from analysis.pattern import PointPattern, Window
from analysis.proximity import raised_incidence_test, relative_risk, scan_test, stone_test

R = """
suppressWarnings(suppressPackageStartupMessages({library(spatstat); library(sparr)}))
d <- read.csv(commandArgs(TRUE)[1]); w <- owin(c(0, 10), c(0, 10))
a <- ppp(d$e[d$case == 1], d$n[d$case == 1], window = w); b <- ppp(d$e[d$case == 0], d$n[d$case == 0], window = w)
both <- superimpose(control = b, case = a)
timed <- function(f) median(replicate(3, system.time(f())[["elapsed"]]))
cat(timed(function() found <<- relrisk(both, sigma = 0.5, casecontrol = TRUE, relative = TRUE, control = "control", dimyx = 128)), "")
cat(mean(found) * npoints(b) / npoints(a), "\\n")
cat(timed(function() found <<- risk(a, b, h0 = 0.5, adapt = TRUE, resolution = 128, davies.baddeley = 0.05, verbose = FALSE)), "")
cat(mean(exp(found$rr)), "\\n")
cat(system.time(scan.test(both, r = seq(0.1, 0.5, by = 0.1), method = "binomial", case = "case", nsim = 19, verbose = FALSE))[["elapsed"]] * 999 / 19,
  NA, "\\n")
"""


def in_r(points: np.ndarray) -> list[tuple[float, float]] | None:
    """Time relrisk, adaptive risk and scan.test, with the mean risk of the first two; None without R."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        data, script = Path(folder) / "points.csv", Path(folder) / "time.R"
        np.savetxt(data, points, delimiter=",", header="e,n,case", comments="")
        script.write_text(R)
        done = subprocess.run(["Rscript", str(script), str(data)], capture_output=True, text=True, check=True, timeout=900)
    return [(float(line.split()[0]), float(line.split()[1].replace("NA", "nan"))) for line in done.stdout.splitlines()]


def rows() -> Iterator[Row]:
    """Give one row for each task."""
    rng = np.random.default_rng(1)
    n, many = 10_000, 100_000
    e, y, case = rng.uniform(0, 10, n), rng.uniform(0, 10, n), rng.random(n) < 0.3
    points = PointPattern(e, y, Window(box(0, 0, 10, 10)))
    cases, controls = points.subset(case), points.subset(~case)
    d, o, mean = rng.random(many), rng.poisson(1.0, many), rng.gamma(2, 0.5, many)
    scan = {"max_radius": 0.5, "n_simulations": 999, "rng": 1}
    beside: list[tuple[str, Callable[[], Any], str]] = [
        ("relative risk, fixed, 128²", lambda: relative_risk(cases, controls, 0.5), "spatstat relrisk"),
        ("relative risk, adaptive, 128²", lambda: relative_risk(cases, controls, 0.5, adaptive=True, pilot="own"), "sparr risk, partitioned"),
        ("scan, Bernoulli, 999 draws, discs of up to 79 others",
         lambda: scan_test(e, y, case, None, model="bernoulli", population=np.ones(n), **scan), "spatstat scan.test"),
    ]  # fmt: skip
    theirs = in_r(np.column_stack([e, y, case]))
    for place, (task, run, peer) in enumerate(beside):
        seconds, found = timed(run)
        if theirs is None:
            yield Row(task, n, seconds)
        else:
            differs = abs(float(np.nanmean(np.exp(found.log_risk))) / theirs[place][1] - 1) if place < 2 else None
            yield Row(task, n, seconds, peer, theirs[place][0], differs)
    alone: list[tuple[str, int, Callable[[], Any]]] = [
        ("scan, Poisson, 999 draws, equal expected", n, lambda: scan_test(e, y, rng.poisson(1, n), np.ones(n), **scan)),
        ("scan, Poisson, 999 draws, unequal expected", n, lambda: scan_test(e, y, rng.poisson(mean[:n]), mean[:n], **scan)),
        ("Stone, 999 permutations, equal expected", many, lambda: stone_test(d, o, np.ones(many), n_simulations=999, rng=1)),
        ("Stone, 999 permutations, unequal expected", many, lambda: stone_test(d, o, mean, n_simulations=999, rng=1)),
        ("raised incidence, 999 relabellings", 1000, lambda: raised_incidence_test(d[:1000], case[:1000], n_simulations=999, rng=1)),
    ]
    for task, size, run in alone:
        yield Row(task, size, timed(run)[0])
