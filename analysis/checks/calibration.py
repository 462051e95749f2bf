"""Calibration: how often the very test of the plan finds an excess in worlds whose truth is known."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from scipy.stats import binom

from ..baseline import Kernel
from ..inference import monte_carlo_p, simulate, to_json
from ..null import Draws
from ..pattern import InputError, Plan, Study
from ..proximity import Decay, Design, LinearScore, build_design, decay_score, excess_ratio
from ..proximity.score import ALTERNATIVES
from .worlds import Setting, World, setting, simulate_design, worlds

CELL_M = 100.0  # cells of the calibration: half as fine as the study's, a fifth of the decay scale
MUST_HOLD = ("smooth", "aim points")
PARTS = ("strikes", "sites", "held_out")  # parts of the plan that the test depends on, besides the primary test itself


@dataclass(frozen=True)
class Calibration:
    """Hold measured sizes and powers.

    Attributes
    ----------
    plan : dict
        The parts of the plan that define the test.
    n_worlds, n_simulations : int
        Worlds for each row, and draws in each test.
    bound : float
        A size above this would come up in under 1 % of such studies if the true size were the level.
    rows : tuple of dict
        world, truth (smooth, aim points, selective, excess), bandwidth_m, rejected, share.
    coverage : tuple of dict
        world, true ratio, how often the interval of the excess ratio held it, and the median estimate.
    n_strikes : int or None
        Strikes of each world, located or not; None where the file does not say.
    """

    plan: dict[str, Any]
    n_worlds: int
    n_simulations: int
    bound: float
    rows: tuple[dict[str, Any], ...]
    coverage: tuple[dict[str, Any], ...]
    n_strikes: int | None = None

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Calibration:
        """Read back what :meth:`to_dict` wrote.

        Raises
        ------
        InputError
            If a field is missing or unknown.
        """
        if set(values) | {"n_strikes"} != set(cls.__dataclass_fields__):
            raise InputError("must hold the fields of a calibration", value=sorted(values))
        return cls(**{**values, "rows": tuple(values["rows"]), "coverage": tuple(values["coverage"])})

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def covers(self, plan: Plan) -> bool:
        """Say whether these worlds tested what this plan tests, at its bandwidth."""
        same = self.plan == defining_parts(plan)
        return same and any(row["bandwidth_m"] == plan.primary.bandwidth_m for row in self.rows)

    def worst_size(self, bandwidth: float) -> float:
        """Give the largest size at a bandwidth, over the smooth worlds and the one with confounding aim points."""
        return max(r["share"] for r in self.rows if r["bandwidth_m"] == bandwidth and r["truth"] in MUST_HOLD)


def defining_parts(plan: Plan) -> dict[str, Any]:
    """Give the choices on which the size of the test depends, the bandwidth aside."""
    parts = plan.to_dict()
    primary = {k: v for k, v in parts["primary"].items() if k != "bandwidth_m"}
    return dict(to_json({**{k: parts[k] for k in PARTS}, "primary": primary, "name": plan.name}))


@dataclass(frozen=True, eq=False)
class _Bench:
    """Hold what all worlds share: the template and, for each bandwidth, the estimator and the fields of the score."""

    at: Setting
    template: Design
    estimators: dict[float, Kernel]
    fields: dict[float, LinearScore]

    def score(self, design: Design, bandwidth: float) -> tuple[LinearScore, Any]:
        """Give the score and null of a design, reusing the fields: only marks change from world to world."""
        null = design.null(self.estimators[bandwidth])
        ready = self.fields[bandwidth]
        kind = np.searchsorted(np.unique(self.at.errors), design.uncertainty)
        by_attack = self.at.plan.primary.units == "attack"
        return ready.marked(kind, design.weights, design.attack if by_attack else None, null), null


def _bench(study: Study, plan: Plan) -> _Bench:
    at = setting(study, plan, cell_m=CELL_M)
    template = build_design(study, replace(plan, cell_m=CELL_M))
    levels = np.unique(at.errors)
    decay = Decay(plan.primary.decay, plan.primary.scale_m)
    estimators = {h: Kernel(at.grid, h) for h in plan.secondary.bandwidths_m}
    stand_in = template.points.subset(np.arange(template.points.n) < len(levels))
    fields = {h: decay_score(stand_in, template.sites, decay, estimator, uncertainty=levels) for h, estimator in estimators.items()}
    return _Bench(at, template, estimators, fields)


_SHARED: dict[str, _Bench] = {}  # one a process, so that a pool builds it once and not for each world


def _share(study: Study, plan: Plan) -> None:
    _SHARED["bench"] = _bench(study, plan)


def _p_values(task: tuple[World, int, int, int, int]) -> list[float]:
    world, index, k, n_simulations, seed = task
    bench = _SHARED["bench"]
    design = simulate_design(world, bench.at, bench.template, np.random.default_rng([seed, index, k]))
    side = ALTERNATIVES[bench.at.plan.primary.alternative]
    result = []
    for bandwidth in bench.estimators:
        score, null = bench.score(design, bandwidth)
        draws = simulate(score, null, n_simulations=n_simulations, rng=SeedSequence([seed, index, k, 1]))
        result.append(monte_carlo_p(float(score(Draws.observed(design.points))[0]), draws, side))
    return result


def _interval(task: tuple[World, int, int, int, int]) -> tuple[float, float, float]:
    world, index, k, n_simulations, seed = task
    bench = _SHARED["bench"]
    plan = bench.at.plan
    design = simulate_design(world, bench.at, bench.template, np.random.default_rng([seed, index, k, 2]))
    score, null = bench.score(design, plan.primary.bandwidth_m)
    found = excess_ratio(
        design.points, score, null, bench.at.near, plan.verdict.ratio_radius_m, plan.primary.bandwidth_m,
        n_simulations=n_simulations, rng=SeedSequence([seed, index, k, 3]),
    )  # fmt: skip
    return found.ratio, *found.interval


def calibrate(
    study: Study,
    plan: Plan,
    *,
    n_worlds: int = 1000,
    n_simulations: int = 499,
    n_intervals: int = 200,
    seed: int = 1,
    progress: Callable[[Iterable[Any], int, str], Iterable[Any]] = lambda items, total, label: items,
) -> Calibration:
    """Measure size and power of the primary test along the bandwidth, and the coverage of the excess ratio's interval.

    World k of kind i draws from the seed [seed, i, k]: the same whatever the number of processes. Cost: worlds × kinds × bandwidths tests,
    about 0.05 s each, on all cores.

    Parameters
    ----------
    study, plan
        The study lends its window, sites, attacks and located shares; the places of its strikes are not used.
    progress : callable
        Wraps an iterable, given its length and a label.
    """
    at = setting(study, plan, cell_m=CELL_M)
    kinds = worlds(at)
    rows: list[dict[str, Any]] = []
    coverage: list[dict[str, Any]] = []
    with ProcessPoolExecutor(os.cpu_count(), initializer=_share, initargs=(study, plan)) as pool:
        for index, world in enumerate(kinds):
            tasks = [(world, index, k, n_simulations, seed) for k in range(n_worlds)]
            p = np.array(list(progress(pool.map(_p_values, tasks, chunksize=8), n_worlds, world.name)))
            rejected = (p <= plan.primary.level).sum(axis=0)
            rows += [
                {"world": world.name, "truth": world.truth, "bandwidth_m": h, "rejected": int(r), "share": r / n_worlds}
                for h, r in zip(plan.secondary.bandwidths_m, rejected, strict=True)
            ]
        for index, world in enumerate(kinds):
            if world.name != "centre" and world.truth != "excess":
                continue
            true = world.excess
            tasks = [(world, index, k, 199, seed) for k in range(n_intervals)]
            found = pd.DataFrame(
                list(progress(pool.map(_interval, tasks, chunksize=4), n_intervals, f"interval, {world.name}")),
                columns=["ratio", "low", "high"],
            )
            held = ((found["low"] <= true) & (true <= found["high"])).mean()
            coverage.append(
                {
                    "world": world.name,
                    "ratio": true,
                    "worlds": n_intervals,
                    "coverage": float(held),
                    "median_estimate": float(found["ratio"].median()),
                }
            )
    bound = float(binom.ppf(0.99, n_worlds, plan.primary.level) / n_worlds)
    return Calibration(defining_parts(plan), n_worlds, n_simulations, bound, tuple(rows), tuple(coverage), len(at.attack))
