"""The size of every test under every null it claims to serve, and under some that it does not."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray
from scipy.stats import beta, binom

from ..baseline import Kernel, SmoothSurface
from ..inference import global_envelope_test, monte_carlo_p, to_json, two_stage_test
from ..null import (
    AttackBlockNull,
    BinomialNull,
    Draws,
    LogGaussianCoxNull,
    Null,
    PoissonNull,
    RelabelNull,
    ThomasNull,
    fit_cluster,
)
from ..pattern import AnalysisWarning, InputError, Intensity, Plan, PointPattern, Sites, Study
from ..proximity import (
    Decay,
    berman_test,
    build_design,
    cdf_test,
    count_within,
    cross_k_of_counts,
    joint_site_effect,
    k_function,
    placebo_test,
    random_shift_test,
)
from .worlds import Setting, World, draw_strikes, setting, worlds

Array = NDArray[np.float64]
CELL_M, BANDWIDTH_M, DECAY = 200.0, 1500.0, Decay("gaussian", 500.0)
RADII = np.arange(250.0, 3001.0, 250.0)  # of the cross-K
THOMAS = (3e-8, 400.0)  # parents for each square metre, some 25 in the window; metres
LGCP = (1.0, 1000.0)  # variance of the log-intensity; metres
MOST_PARENTS = 1e-5  # some 10,000: a fit with more finds no clustering
SHIFT_M = 8000.0
K_RADII = np.arange(200.0, 4001.0, 200.0)  # at which cluster models are fitted
DEAR_DRAWS = 39  # in each stage of the two-stage test
WORLDS = ("independent", "salvos", "Thomas", "log-Gaussian Cox", "stationary clusters")
MEASURES = ("erl", "rank", "cont", "area", "st", "qdir", "mad", "dclf")


@dataclass(frozen=True)
class Sizes:
    """Hold measured sizes.

    Attributes
    ----------
    n_strikes, n_attacks, n_buildings, n_simulations : int
    level : float
    rows : tuple of dict
        test, null, baseline (known, kernel, surface, none), world, serves (whether the null claims to serve this world), worlds, rejected,
        share, lower, upper (exact 95 %), bound (a size above it would come up in under 1 % of such studies if the true
        size were the level), holds.
    """

    n_strikes: int
    n_attacks: int
    n_buildings: int
    n_simulations: int
    level: float
    rows: tuple[dict[str, Any], ...]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Sizes:
        """Read back what :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If a field is missing or unknown.
        """
        if set(values) != set(cls.__dataclass_fields__):
            raise InputError("must hold the fields of a table of sizes", value=sorted(values))
        return cls(**{**values, "rows": tuple(values["rows"])})

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        """Give a Markdown table: one line for each null, world and baseline, those that the null claims to serve first."""
        lines = ["| null | strikes | baseline | serves | worlds | tests | sizes | above the bound |", "|:--|:--|:--|:--|--:|--:|:--|:--|"]
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        for row in sorted(self.rows, key=lambda r: not r["serves"]):
            groups.setdefault((row["null"], row["world"], row["baseline"], row["serves"], row["worlds"]), []).append(row)
        for (null, world, baseline, serves, n), rows in groups.items():
            share = [r["share"] for r in rows]
            high = ", ".join(f"{r['test']} {r['share']:.3f}" for r in rows if not r["holds"]) or "none"
            if len(high) > 100:
                high = f"{sum(not r['holds'] for r in rows)} of {len(rows)}"
            span = f"{min(share):.3f} to {max(share):.3f}" if len(rows) > 1 else f"{share[0]:.3f}"
            lines.append(f"| {null} | {world} | {baseline} | {'yes' if serves else 'no'} | {n} | {len(rows)} | {span} | {high} |")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class _Bench:
    at: Setting
    sites: Sites
    truth: World
    distance: Array
    near: Array

    def strikes(self, world: str, rng: Generator) -> PointPattern:
        """Draw one pattern whose mean intensity is the truth's, uniform for stationary clusters."""
        window, n = self.at.study.window, len(self.at.attack)
        truth = self.truth.intensity.times(n)
        if world in ("independent", "salvos"):
            e, y = draw_strikes(replace(self.truth, together=0.6 if world == "salvos" else 0.0), self.at, rng)
            return PointPattern(e, y, window)
        flat = Intensity(np.where(truth.grid.inside, n / truth.grid.integral(truth.grid.inside.astype(float)), 0.0), truth.grid, "uniform")
        seed = SeedSequence(int(rng.integers(2**63)))
        mean = flat if world == "stationary clusters" else truth
        null: Null = LogGaussianCoxNull(mean, *LGCP) if world == "log-Gaussian Cox" else ThomasNull(mean, window, *THOMAS)
        for k in range(100):  # a clustered process may be empty
            drawn = null.draw(seed, k, k + 1).pattern(0, window)
            if drawn.n >= 20:
                return drawn
        raise InputError("the world draws no strikes", value=world)


def _statistics(bench: _Bench, lam: Intensity) -> Callable[[Draws], Array]:
    """Give a function from draws to all statistics: decay score, Z1, Z2, KS, CvM, AD, count, then the steps of the cross-K.

    All are read at cells, observed and drawn alike, against the baseline's expectation.
    """
    grid = lam.grid
    inside, mass = grid.inside.ravel(), lam.values.ravel() * grid.cell_area
    share = mass / mass[inside].sum()
    d = bench.distance.ravel()
    order = np.argsort(d, kind="stable")
    rank = np.empty(len(d))
    rank[order] = np.cumsum(share[order]) - share[order] / 2
    decay, near = DECAY(d), bench.near.ravel()
    means = [float((share * values).sum()) for values in (decay, d, rank, near)]
    cells, matrix = cross_k_of_counts(bench.sites, BinomialNull(lam, 1), RADII, correction=None)
    steps = np.zeros((len(d), len(RADII)))
    steps[cells] = matrix.toarray()

    def every(draws: Draws) -> Array:
        cell = grid.inside_cell(draws.easting, draws.northing)
        n = np.maximum(draws.sums(np.ones(len(cell))), 1)
        sums = [draws.sums(values[cell]) - n * mean for values, mean in zip((decay, d, rank, near), means, strict=True)]
        by = np.lexsort((rank[cell], draws.replicate))
        u, start = rank[cell][by], np.searchsorted(draws.replicate[by], np.arange(draws.n_draws + 1))
        distances = np.array([_from_uniform(u[a:b]) for a, b in itertools.pairwise(start)])
        curve = np.column_stack([draws.sums(column[cell]) for column in steps.T])
        z1, z2 = -sums[1], -sums[2]
        return np.column_stack([sums[0], z1, z2, distances, sums[3], np.cumsum(curve, axis=1)])

    return every


def _from_uniform(u: Array) -> tuple[float, float, float]:
    """Give the Kolmogorov–Smirnov, Cramér–von Mises and Anderson–Darling distances of sorted numbers from the uniform law."""
    n = len(u)
    if n == 0:
        return 0.0, 0.0, 0.0
    u, k = np.clip(u, 1e-12, 1 - 1e-12), np.arange(1, n + 1)
    ks = float(np.sqrt(n) * max((k / n - u).max(), (u - (k - 1) / n).max()))
    cvm = float(((u - (2 * k - 1) / (2 * n)) ** 2).sum() + 1 / (12 * n))
    ad = float(-n - ((2 * k - 1) * (np.log(u) + np.log1p(-u[::-1]))).sum() / n)
    return ks, cvm, ad


NAMES = ("decay score", "Berman Z1", "Berman Z2", "Kolmogorov–Smirnov", "Cramér–von Mises", "Anderson–Darling", "count within 500 m")


def _by_draws(bench: _Bench, points: PointPattern, lam: Intensity, null: Null, n_simulations: int, seed: SeedSequence) -> dict[str, float]:
    """Give the Monte Carlo p of every statistic, and of every envelope of the cross-K, from one set of draws."""
    every = _statistics(bench, lam)
    observed, drawn = every(Draws.observed(points))[0], every(null.draw(seed, 0, n_simulations))
    result = {name: monte_carlo_p(float(observed[k]), drawn[:, k], "greater") for k, name in enumerate(NAMES)}
    curves = slice(len(NAMES), None)
    for measure in MEASURES:
        found = global_envelope_test(RADII, observed[curves], drawn[:, curves], measure=measure, alternative="greater")  # type: ignore[arg-type]
        result[f"cross-K envelope, {measure}"] = found.p_value
    return result


def _without_draws(bench: _Bench, points: PointPattern, lam: Intensity) -> dict[str, float]:
    """Give the p-values that rest on a Poisson or normal law."""
    grid, z = lam.grid, bench.distance
    expected = lam.values * grid.cell_area * points.n / lam.total
    at = z.ravel()[grid.inside_cell(points.easting, points.northing)]
    inside = grid.inside
    parts = (at, z[inside], expected[inside])
    within = float((expected * bench.near).sum())
    return {
        "Berman Z1": berman_test(*parts, kind="Z1", alternative="closer").p_value,
        "Berman Z2": berman_test(*parts, kind="Z2", alternative="closer").p_value,
        "Kolmogorov–Smirnov": cdf_test(*parts, kind="ks").p_value,
        "Cramér–von Mises": cdf_test(*parts, kind="cvm").p_value,
        "Anderson–Darling": cdf_test(*parts, kind="ad").p_value,
        "count within 500 m": count_within(bench.sites.distance(points.easting, points.northing), 500.0, within).p_value,
    }


def _nulls(points: PointPattern, lam: Intensity, known: bool, attack: NDArray[np.intp] | None) -> Iterator[tuple[str, Null]]:
    """Give every null that draws strikes, its cluster parameters known or fitted to the strikes."""
    window = points.window
    yield "binomial", BinomialNull(lam, points.n)
    yield "Poisson", PoissonNull(lam)
    if attack is not None:
        yield "attack blocks", AttackBlockNull(points, lam, attack)
    if known:
        yield "Thomas", ThomasNull(lam, window, *THOMAS)
        yield "log-Gaussian Cox", LogGaussianCoxNull(lam, *LGCP)
        return
    curve = k_function(points, K_RADII, intensity=np.maximum(lam.at(points.easting, points.northing), 1e-12))
    for model in ("thomas", "lgcp"):
        fit = fit_cluster(K_RADII, curve.observed, model=model)  # type: ignore[arg-type]
        scale = min(fit.scale, K_RADII[-1])
        if model == "thomas":
            yield "Thomas", ThomasNull(lam, window, float(np.clip(fit.strength, 1e-9, MOST_PARENTS)), scale)
        else:
            yield "log-Gaussian Cox", LogGaussianCoxNull(lam, min(fit.strength, 4.0), scale)


# which null claims to serve which world; a stationary pattern is served by random shifts alone
SERVES = {
    "binomial": {"independent"},
    "Poisson": {"independent"},
    "normal or Poisson law": {"independent"},
    "attack blocks": {"salvos"},
    "Thomas": {"independent", "Thomas"},
    "log-Gaussian Cox": {"independent", "log-Gaussian Cox"},
    "random shift": {"stationary clusters"},
    "placebo sites": {"independent", "salvos", "Thomas", "log-Gaussian Cox"},
    "labels dealt anew": {"independent", "salvos", "Thomas", "log-Gaussian Cox"},
    "binomial, refitted": {"independent"},
    "score by attack": {"independent", "salvos"},
}


def _p_values(bench: _Bench, world: str, n_simulations: int, seed: SeedSequence) -> Iterator[tuple[str, str, str, float]]:
    """Run every test on one pattern: test, null, baseline, p."""
    children = seed.spawn(12)
    points = bench.strikes(world, np.random.default_rng(children[0]))
    known = bench.truth.intensity.times(points.n)
    fitted = Kernel(known.grid, BANDWIDTH_M).fit(points.easting, points.northing)
    if world != "stationary clusters":
        attack = bench.at.attack if world in ("independent", "salvos") else None
        for baseline, lam in (("known", known), ("kernel", fitted)):
            for k, (name, null) in enumerate(_nulls(points, lam, baseline == "known", attack)):
                for test, p in _by_draws(bench, points, lam, null, n_simulations, children[1 + k]).items():
                    yield test, name, baseline, p
            for test, p in _without_draws(bench, points, lam).items():
                yield test, "normal or Poisson law", baseline, p
            covariate = {"log λ": np.log(np.maximum(lam.values, lam.values[lam.values > 0].min()))}
            placebo = placebo_test(points, bench.sites, DECAY, covariate, lam.grid, n_simulations=n_simulations, rng=children[6])
            yield "decay score", "placebo sites", baseline, placebo.p_value
        label = np.random.default_rng(children[7]).random(points.n) < 0.5
        weight = DECAY(bench.sites.distance(points.easting, points.northing))
        dealt = RelabelNull(points).draw(children[8], 0, n_simulations)
        own, drawn = float(weight[label].sum()), dealt.sums(weight[np.tile(np.arange(points.n), n_simulations)] * label[dealt.mark])
        yield "decay score of marked strikes", "labels dealt anew", "none", monte_carlo_p(own, drawn, "greater")
    shifted = random_shift_test(points, bench.sites, DECAY, radius=SHIFT_M, n_simulations=n_simulations, rng=children[9])
    yield "mean decay", "random shift", "none", shifted.p_value


def _dear_p_values(bench: _Bench, world: str, n_simulations: int, seed: SeedSequence) -> Iterator[tuple[str, str, str, float]]:
    """Run the tests that fit many times: the two-stage test and the joint site effect."""
    children = seed.spawn(12)
    points = bench.strikes(world, np.random.default_rng(children[0]))
    estimator = Kernel(bench.truth.intensity.grid, BANDWIDTH_M)
    decay = DECAY(bench.distance)

    def fit(pattern: PointPattern) -> tuple[Null, Callable[[Draws], Array]]:
        lam = estimator.fit(pattern.easting, pattern.northing)
        mean = lam.expected(decay) / lam.total

        def score(draws: Draws) -> Array:
            return draws.sums(decay.ravel()[lam.grid.inside_cell(draws.easting, draws.northing)] - mean)

        return BinomialNull(lam, pattern.n), score

    p = two_stage_test(points, fit, n_simulations=n_simulations, rng=children[10]).p_value
    yield "two-stage decay score", "binomial, refitted", "kernel", p
    if len(bench.at.attack) == points.n:
        surface = SmoothSurface(estimator.grid, 3500.0)
        yield (
            "joint site effect",
            "score by attack",
            "surface",
            joint_site_effect(points, bench.sites, DECAY, surface, attack=bench.at.attack).p_score,
        )


def measure_sizes(
    study: Study,
    plan: Plan,
    *,
    n_worlds: int = 200,
    n_dear: int = 100,
    n_simulations: int = 99,
    seed: int = 1,
    progress: Callable[[Iterable[Any], int, str], Iterable[Any]] = lambda items, total, label: items,
) -> Sizes:
    """Count how often every test rejects in worlds without any excess near sites.

    World k of kind i draws from the seed [seed, i, k], whatever the number of processes. Cost: about 2 s a world for all tests, most of it
    log-Gaussian fields, and 5 s for those that fit many times, on all cores.

    Parameters
    ----------
    study, plan
        The study lends its window, buildings, attacks and number of located strikes; the places of its strikes are not used.
    n_worlds, n_dear : int
        Worlds of each kind, and those in which the two-stage test and the joint site effect are run too.
    progress : callable
        Wraps an iterable, given its length and a label.
    """
    bench, level = _bench(study, plan), plan.primary.level
    count: dict[tuple[str, str, str, str], list[bool]] = {}
    with ProcessPoolExecutor(os.cpu_count(), initializer=_share, initargs=(bench,)) as pool:
        for index, world in enumerate(WORLDS):
            for dear, size in ((False, n_worlds), (True, n_dear if world in ("independent", "salvos") else 0)):
                tasks = [(world, SeedSequence([seed, index, k]), n_simulations, dear) for k in range(size)]
                label = f"{world}{', dear tests' if dear else ''}"
                for found in progress(pool.map(_run, tasks), size, label):
                    for test, null, baseline, p in found:
                        count.setdefault((test, null, baseline, world), []).append(p <= level)
    rows = [_row(*key, found, level) for key, found in count.items()]
    return Sizes(len(bench.at.attack), int(bench.at.attack.max()) + 1, bench.sites.n, n_simulations, level, tuple(rows))


_SHARED: dict[str, _Bench] = {}  # one a process


def _share(bench: _Bench) -> None:
    _SHARED["bench"] = bench
    warnings.simplefilter("ignore", AnalysisWarning)  # that a null does not fit a world is what is measured here


def _run(task: tuple[str, SeedSequence, int, bool]) -> list[tuple[str, str, str, float]]:
    world, seed, n_simulations, dear = task
    if dear:
        return list(_dear_p_values(_SHARED["bench"], world, min(n_simulations, DEAR_DRAWS), seed))
    return list(_p_values(_SHARED["bench"], world, n_simulations, seed))


def _row(test: str, null: str, baseline: str, world: str, found: list[bool], level: float) -> dict[str, Any]:
    n, r = len(found), sum(found)
    bound = float(binom.ppf(0.99, n, level) / n)
    lower = float(beta.ppf(0.025, r, n - r + 1)) if r else 0.0
    upper = float(beta.ppf(0.975, r + 1, n - r)) if r < n else 1.0
    return {
        "test": test, "null": null, "baseline": baseline, "world": world, "serves": world in SERVES[null], "worlds": n, "rejected": r,
        "share": r / n, "lower": lower, "upper": upper, "bound": bound, "holds": r / n <= bound,
    }  # fmt: skip


def _bench(study: Study, plan: Plan) -> _Bench:
    at = setting(study, plan, cell_m=CELL_M)
    design = build_design(study, replace(plan, cell_m=CELL_M))
    at = replace(at, attack=np.unique(design.attack, return_inverse=True)[1].astype(np.intp))
    truth = next(world for world in worlds(at) if world.name == "centre")
    return _Bench(at, design.sites, truth, design.sites.distance(*at.grid.centres), at.near)
