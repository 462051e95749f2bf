"""Treatments: the primary test with one choice changed at a time, and what of that overturns it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from scipy.stats import beta

from ..baseline import Kernel, LinearEstimator, Uniform, window_means
from ..inference import TestResult, format_p
from ..null import BinomialNull
from ..pattern import Plan, Study
from ..proximity import Decay, Design, ExcessResult, LinearScore, build_design, error_classes, score_test
from .calibration import Calibration
from .scene import CheckResult

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Run:
    """Hold what every step of a run needs; step k draws from the plan's seed and its own spawn key."""

    plan: Plan
    design: Design
    estimator: LinearEstimator
    null: BinomialNull

    @classmethod
    def of(cls, plan: Plan, design: Design) -> Run:
        """Set up the primary test."""
        estimator = Kernel(design.grid, plan.primary.bandwidth_m)
        return cls(plan, design, estimator, design.null(estimator))

    def near(self, field: Array) -> Array:
        """Read a field at the strikes, averaged over where each may have been."""
        levels, kind = error_classes(self.design.uncertainty, self.design.points.n)
        points = self.design.points
        near = window_means(field, self.design.grid, levels)
        return self.design.grid.interpolate(near, points.easting, points.northing, kind)

    def seed(self, *step: int) -> SeedSequence:
        """Give the seed of one step."""
        return SeedSequence(self.plan.seed, spawn_key=step)

    def test(self, decay: Decay, step: tuple[int, ...], **options: Any) -> tuple[TestResult, LinearScore, BinomialNull]:
        """Run the primary test with what ``options`` change."""
        design: Design = options.get("design", self.design)
        estimator: LinearEstimator = options.get("estimator", self.estimator)
        weights: Array = options.get("weights", design.weights)
        null = design.null(estimator, options.get("baseline_weights", weights))
        by_attack = options.get("by_attack", self.plan.primary.units == "attack")
        score = design.score(decay, estimator, null, by_attack=by_attack, weights=weights)
        result = score_test(
            design.points, score, null, decay.name,
            n_simulations=self.plan.n_simulations, rng=self.seed(*step), alternative=self.plan.primary.alternative,
        )  # fmt: skip
        return result, score, null


def variants(run: Run, study: Study, decay: Decay) -> list[dict[str, Any]]:
    """Run the primary test with one choice changed at a time."""
    design, ones = run.design, np.ones(run.design.points.n)
    back = build_design(study, run.plan, strikes=study.strikes)
    # whether it treats the same strikes in another defensible way; the last three drop a safeguard or add what was held out
    changed: list[tuple[str, bool, dict[str, Any]]] = [
        ("as planned", True, {}),
        ("every located strike counted once", True, {"weights": ones}),
        ("all strikes counted, area rows as the baseline has them", True, {"weights": ones, "baseline_weights": design.weights}),
        ("strikes as units, not attacks", False, {"by_attack": False}),
        ("draws over the whole window, area counts not kept", False, {"design": replace(design, keep_area_counts=False)}),
        ("prompting events added back (not a test: they were chosen for being near)", False, {"design": back}),
    ]
    rows = []
    for k, (name, treatment, options) in enumerate(changed):
        result, _, _ = run.test(decay, (4, k) if k else (0,), **options)
        rows.append(
            {"variant": name, "treatment": treatment, "strikes": result.n, "statistic": result.statistic, "p_value": result.p_value}
        )
    return rows


def baselines(run: Run, decay: Decay) -> dict[str, Any]:
    """Give the result along the bandwidth, under the naive baseline, and the donut with its diagnostics."""
    second, design = run.plan.secondary, run.design
    field = Decay("disc", run.plan.verdict.ratio_radius_m).field(design.sites, design.grid)
    near = run.near(field)
    donut = Kernel(design.grid, second.donut_bandwidth_m, "uniform", (design.sites, second.donut_radius_m))
    found = donut.diagnose(design.points.easting, design.points.northing)
    limits = {
        "window_share": second.donut_max_window_share,
        "strike_share": second.donut_max_strike_share,
        "extrapolated": second.donut_max_extrapolation_m,
    }
    broken = [name for name, limit in limits.items() if found[name] > limit]
    estimators: list[LinearEstimator] = [Uniform(design.grid), *(Kernel(design.grid, h) for h in second.bandwidths_m)]
    if not broken:
        estimators.append(donut)
    rows = []
    for k, estimator in enumerate(estimators):
        # the naive baseline knows nothing of raions; the planned one is the primary test itself, with its own draws
        naive = {"design": replace(design, keep_area_counts=False)} if isinstance(estimator, Uniform) else {}
        planned = isinstance(estimator, Kernel) and estimator.name == run.estimator.name
        result, _, null = run.test(decay, (0,) if planned else (5, k), estimator=estimator, **naive)
        observed, expected = float((design.weights * near).sum()), null.intensity.expected(field)
        rows.append(
            {
                "baseline": estimator.name,
                "bandwidth_m": getattr(estimator, "bandwidth", None),
                "expected": expected,
                "ratio": observed / expected,
                "p_value": result.p_value,
            }
        )
    return {"rows": rows, "donut": {"name": donut.name, **found, "limits": limits, "refused": bool(broken), "broken": broken}}


def monte_carlo_error(plan: Plan, primary: TestResult) -> CheckResult:
    """Give the interval of the p-value over seeds (Clopper–Pearson); it passes where the level lies outside."""
    draws, level = primary.n_simulations, plan.primary.level
    k = round(primary.p_value * (draws + 1)) - 1
    low = float(beta.ppf(0.025, k, draws - k + 1)) if k else 0.0
    high = float(beta.ppf(0.975, k + 1, draws - k)) if k < draws else 1.0
    passed = not low <= level < high
    side = "on one side of the level" if passed else "on either side of the level"
    said = (
        f"The p-value is itself an estimate from {draws:,} draws: with other seeds it would lie between {format_p(low)} and "
        f"{format_p(high)} (95 %), {side}."
    )
    table = ({"p_value": primary.p_value, "low": low, "high": high},)
    return CheckResult("seeds", "Another seed gives the other answer.", passed, table, said)


def treatments(plan: Plan, primary: TestResult, variants: Sequence[dict[str, Any]]) -> CheckResult:
    """Look for other treatments of the same strikes (``treatment`` true) on the other side of the level."""
    tried = [row for row in variants if row["treatment"]]
    return _sides("treatments", "Another defensible weighting of the same strikes gives the other answer.", plan, primary, tried, "variant")


def bandwidths(plan: Plan, primary: TestResult, baselines: Sequence[dict[str, Any]], calibration: Calibration | None) -> CheckResult:
    """Look for kernel bandwidths on the other side of the level, of those whose measured size stays within the bound."""
    name, threat = "bandwidths", "Another bandwidth of the baseline gives the other answer."
    if calibration is None:
        return CheckResult(name, threat, None, (), "No bandwidth's size has been measured.")
    measured = {row["bandwidth_m"] for row in calibration.rows}
    held = [
        row
        for row in baselines
        if row["bandwidth_m"] != plan.primary.bandwidth_m
        and row["bandwidth_m"] in measured
        and calibration.worst_size(row["bandwidth_m"]) <= calibration.bound
    ]
    return _sides(name, threat, plan, primary, held, "baseline")


def _sides(name: str, threat: str, plan: Plan, primary: TestResult, rows: Sequence[dict[str, Any]], what: str) -> CheckResult:
    level = plan.primary.level
    rejects = primary.p_value <= level
    bad = [row for row in rows if (row["p_value"] <= level) != rejects]
    side = "above" if rejects else "at or below"
    said = " ".join(f"With {row[what]}, p = {format_p(row['p_value'])}, {side} the level." for row in bad)
    table = tuple({what: row[what], "p_value": row["p_value"], "stands": row not in bad} for row in rows)
    return CheckResult(name, threat, not bad if rows else None, table, said or f"None of {len(rows)} tried overturns the answer.")


def two_sided(plan: Plan, primary: TestResult, excess: ExcessResult) -> CheckResult:
    """Ask whether the two-sided interval of the excess ratio leaves out 1 where the primary test, which looks to one side, rejects."""
    name, threat = "two-sided interval", "The finding comes from looking to one side only."
    low, high = excess.interval
    table = ({"low": low, "high": high, "level": excess.level},)
    if primary.p_value > plan.primary.level:
        return CheckResult(name, threat, None, table, "The primary test does not reject.")
    passed = not low <= 1 <= high
    said = (
        f"The two-sided {100 * excess.level:g} % interval of the excess ratio {'leaves out' if passed else 'holds'} 1; the primary test "
        f"looks to one side only ({primary.alternative})."
    )
    return CheckResult(name, threat, passed, table, said)
