"""Time summary functions against R's spatstat on the same points, in one run. Run: python tests/bench/functions.py

Medians of three runs on each side (one above ten seconds), the package's and R's alternately started; R's times are its own, without starting.
R is left out where it is absent, and where a size takes it over five minutes. R's 999 draws are 9 draws, scaled. Peak memory is that of a
process of its own for each size.
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
from shapely.geometry import Polygon

from analysis.inference import global_envelope_test
from analysis.null import BinomialNull
from analysis.pattern import Intensity, PointPattern, Sites, Window
from analysis.proximity import cross_k, cross_k_draws, k_function

OUTER = [(0, 0), (9, 1), (10, 6), (7, 7), (8, 10), (3, 9), (1, 5)]
HOLE = [(4, 4), (4, 6), (6, 6), (6, 4)]
SIZES = (1_000, 10_000, 100_000)
LARGE = (1_000_000,)  # ours alone, for the cost along n
DRAWS = 999
R_SCRIPT = """
suppressPackageStartupMessages(library(spatstat))
folder <- commandArgs(TRUE)[1]
data <- read.csv(file.path(folder, "points.csv")); site <- read.csv(file.path(folder, "sites.csv"))
hole <- list(x = c(4, 4, 6, 6), y = c(4, 6, 6, 4)); outer <- list(x = c(0, 9, 10, 7, 8, 3, 1), y = c(0, 1, 6, 7, 10, 9, 5))
w <- owin(poly = list(outer, hole))
p <- ppp(data$x, data$y, window = w); s <- ppp(site$x, site$y, window = w)
n <- npoints(p); shape <- function(x, y) exp(-x / 8); grid <- as.im(shape, w, dimyx = 256); scale <- n / integral(grid)
grid <- eval.im(grid * scale); at <- function(q) scale * shape(q$x, q$y); lam <- at(p); rk <- RKS; rc <- seq(0, 1, length.out = 21)
settle <- function(f, runs) { t <- numeric(0); for (i in seq_len(runs)) { gc(); t <- c(t, system.time(f())[["elapsed"]]); if (t[1] > 10) break }; median(t) }
cross <- function(q) Kcross.inhom(superimpose(i = s, j = q, check = FALSE), "i", "j", rep(intensity(s), npoints(s)), at(q), r = rc,
  correction = "translate")$trans
both <- function(X, ...) { q <- split(X); Kcross.inhom(X, "i", "j", rep(intensity(s), npoints(s)), at(q$j), r = rc, correction = "translate") }
draw <- function() superimpose(i = s, j = rpoint(n, grid))
out <- c(
  k = settle(function() Kinhom(p, lam, r = seq(0, rk, length.out = 21), correction = "translate"), 3),
  cross = settle(function() cross(p), 3),
  iso = settle(function() Kcross.inhom(superimpose(i = s, j = p, check = FALSE), "i", "j", rep(intensity(s), npoints(s)), lam, r = rc, correction = "isotropic"), 3),
  draws = settle(function() for (b in 1:9) cross(rpoint(n, grid)), 1) * DRAWS / 9,
  dclf = settle(function() dclf.test(superimpose(i = s, j = p), both, nsim = 9, verbose = FALSE, use.theory = FALSE,
    simulate = expression(draw())), 1) * (DRAWS + 1) / 10)
cat(paste0("{", paste(sprintf('"%s": %g', names(out), out), collapse = ", "), "}"))
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
    """Time a call: the median of three, or one above ten seconds."""
    times: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
        if times[0] > 10:
            break
    return statistics.median(times)


def ours(n: int) -> dict[str, float]:
    """Time the package at one size, and give the process's peak memory in MB."""
    points, sites, known, reach = setting(n)
    at = np.exp(-points.easting / 8) * known.values.max() / np.exp(-known.grid.centres[0][known.values == known.values.max()] / 8)[0]
    rk, rc = np.linspace(0, reach, 21), np.linspace(0, 1, 21)
    null = BinomialNull(known, n)

    def envelope(measure: str) -> None:
        observed, simulated = cross_k_draws(sites, points, null, rc, n_simulations=DRAWS, rng=1)
        global_envelope_test(rc, observed, simulated, measure=measure)

    found = {
        "k": median(lambda: k_function(points, rk, intensity=at)),
        "cross": median(lambda: cross_k(sites, points, rc, intensity_targets=at)),
        "iso": median(lambda: cross_k(sites, points, rc, correction="isotropic", intensity_targets=at)),
        "draws": median(lambda: envelope("erl")),
        "dclf": median(lambda: envelope("dclf")),
    }
    return found | {"memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


def theirs(n: int) -> dict[str, float]:
    """Time spatstat on the same points; nothing where R is absent or takes too long."""
    if shutil.which("Rscript") is None:
        return {}
    points, sites, _, reach = setting(n)
    with tempfile.TemporaryDirectory() as folder:
        for name, pattern in (("points", points), ("sites", sites)):
            table = np.column_stack([pattern.easting, pattern.northing])
            np.savetxt(Path(folder) / f"{name}.csv", table, delimiter=",", header="x,y", comments="", fmt="%.17g")
        script = Path(folder) / "time.R"
        script.write_text(R_SCRIPT.replace("RKS", repr(reach)).replace("DRAWS", str(DRAWS)))
        try:
            done = subprocess.run(["Rscript", script, folder], check=True, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            print(f"R left out at n = {n}: over five minutes")
            return {}
    return dict(json.loads(done.stdout))


def main() -> None:
    """Print one line for each statistic and size."""
    if len(sys.argv) == 3 and sys.argv[1] == "--one":
        print(json.dumps(ours(int(sys.argv[2]))))
        return
    names = {
        "k": "inhomogeneous K, translation, 30 neighbours",
        "cross": "cross-K, translation, 80 sites",
        "iso": "cross-K, isotropic, 80 sites",
        "draws": f"{DRAWS} draws of the cross-K and their order",
        "dclf": f"DCLF test of the cross-K, {DRAWS} draws",
    }
    print(f"{'statistic':<46} {'n':>10} {'ours (s)':>10} {'R (s)':>10} {'ratio':>8} {'peak MB':>8}")
    for n in SIZES + LARGE:
        done = subprocess.run([sys.executable, __file__, "--one", str(n)], check=True, capture_output=True, text=True)
        mine, other = json.loads(done.stdout), theirs(n) if n in SIZES else {}
        for key, name in names.items():
            beside = f"{other[key]:>10.3f} {other[key] / mine[key]:>8.1f}" if key in other else f"{'-':>10} {'-':>8}"
            print(f"{name:<46} {n:>10,} {mine[key]:>10.3f} {beside} {mine['memory']:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
