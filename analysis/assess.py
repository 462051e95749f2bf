"""Run the plan on the study: nothing is decided here that the plan does not say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from numpy.typing import NDArray

from .aim import Explanations, explain
from .baseline import Kernel, LinearEstimator, Uniform
from .checks import Calibration, Verdict, fragility, verdict
from .inference import CountResult, CurveResult, TestResult, ledger, to_json
from .null import BinomialNull
from .pattern import Intensity, Plan, Study
from .proximity import (
    Decay,
    Design,
    ExcessResult,
    LinearScore,
    berman_test,
    blurred,
    build_design,
    cdf_test,
    count_within,
    error_classes,
    excess_ratio,
    flow,
    held_out_events,
    look_elsewhere,
    near_aim_points,
    near_events,
    nearest_aim_point,
    ratio_curve,
    score_test,
    site_error,
    tested_sites,
    weighted_count,
)
from .timing import Timing, when

Array = NDArray[np.float64]
Report = Callable[[str], None]
SHOWN_GROUPS = 5  # buildings and states with the smallest p
EXCESS_SIMULATIONS = 1999  # at each of some forty ratios tried


@dataclass(frozen=True, eq=False)
class Assessment:
    """Hold everything a report prints, and the objects its figures draw.

    Attributes
    ----------
    study, plan, design
        What was examined, by which choices, and what came of them.
    baseline : Intensity
        Fitted to the weighted located strikes; it adds up to all strikes.
    verdict, primary, excess, curve
        The answer and what it rests on.
    counts, variants, baselines, berman : lists of dict
        Secondary tables: by radius, by treatment of the strikes, by baseline, and by Berman's and the CDF tests.
    looks : list of dict
        The ledger of decays and radii, each p before and after paying for all of them.
    elsewhere : list of dict
        By building and by state: strikes near, and what chance does to the most-hit of them.
    donut : dict
        The donut baseline's diagnostics and whether it was refused.
    flow : list of dict
        How many strikes each step kept.
    explanations : Explanations
        The claims one by one, and what else explains the strikes behind them.
    near, held_out : lists of dict
        Strikes within the largest secondary radius, and those that prompted the study, with their sources.
    timing : Timing
    calibration : Calibration or None
    """

    study: Study
    plan: Plan
    design: Design
    baseline: Intensity
    verdict: Verdict
    primary: TestResult
    excess: ExcessResult
    curve: CurveResult
    counts: list[dict[str, Any]]
    variants: list[dict[str, Any]]
    baselines: list[dict[str, Any]]
    berman: list[dict[str, Any]]
    looks: list[dict[str, Any]]
    elsewhere: list[dict[str, Any]]
    donut: dict[str, Any]
    flow: list[dict[str, Any]]
    explanations: Explanations
    near: list[dict[str, Any]]
    held_out: list[dict[str, Any]]
    timing: Timing
    calibration: Calibration | None

    def to_dict(self) -> dict[str, Any]:
        """Give every number of the report, JSON-safe."""
        strikes, design = self.study.strikes, self.design
        sources = self.study.sources
        return dict(
            to_json(
                {
                    "study": {
                        "name": self.study.name,
                        "window_km2": self.study.window.area / 1e6,
                        "first_date": strikes.frame["date"].min().date().isoformat(),
                        "last_date": strikes.frame["date"].max().date().isoformat(),
                        "strikes": strikes.n,
                        "attacks": strikes.n_attacks,
                        "sites": self.study.sites.n,
                        "sites_tested": design.sites.n,
                        "located": design.points.n,
                        "sites_near_aim_points": near_aim_points(self.study, design, self.excess.radius),
                        "uncertainty_median_m": float(np.median(design.uncertainty)),
                        "uncertainty_max_m": float(design.uncertainty.max()),
                        "site_uncertainty_max_m": site_error(design),
                        "located_attacks": len(set(design.attack)),
                        "effective_n": design.share.effective_n,
                        "weights_capped": design.share.capped,
                        "weight_largest": float(design.weights.max()),
                        "weight_total": float(design.weights.sum()),
                        "uncovered": design.share.uncovered,
                        "baseline_total": self.baseline.total,
                    },
                    "plan": self.plan.to_dict(),
                    "plan_sha256": self.plan.digest,
                    "verdict": self.verdict,
                    "primary": self.primary,
                    "excess": self.excess,
                    "curve": self.curve,
                    "counts": self.counts,
                    "variants": self.variants,
                    "baselines": self.baselines,
                    "berman": self.berman,
                    "looks": self.looks,
                    "elsewhere": self.elsewhere,
                    "donut": self.donut,
                    "screening": self.study.tables["flow"].to_dict("records") if "flow" in self.study.tables else [],
                    "flow": self.flow,
                    "explanations": self.explanations,
                    "near": self.near,
                    "held_out": self.held_out,
                    "timing": self.timing.to_dict(),
                    "calibration": self.calibration,
                    "sources": [] if sources is None else sources.to_dict("records"),
                }
            )
        )

    def __str__(self) -> str:
        fragile = "".join(f"\n  fragile: {line}" for line in self.verdict.fragile)
        return f"{self.verdict.answer}: {self.verdict.rule}{fragile}\n{self.excess}\n{self.primary}"


@dataclass(frozen=True, eq=False)
class _Run:
    """Hold what every step of a run needs; step k draws from the plan's seed and its own spawn key."""

    plan: Plan
    design: Design
    estimator: LinearEstimator
    null: BinomialNull
    distance: Array  # of each cell centre to the nearest site
    say: Report

    def seed(self, *step: int) -> SeedSequence:
        return SeedSequence(self.plan.seed, spawn_key=step)

    def test(self, decay: Decay, step: tuple[int, ...], **options: Any) -> tuple[TestResult, LinearScore, BinomialNull]:
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


def assess(study: Study, plan: Plan, *, calibration: Calibration | None = None, say: Report = lambda step: None) -> Assessment:
    """Run the plan on the study.

    Parameters
    ----------
    study : Study
    plan : Plan
    calibration : Calibration, optional
        The measured size of the plan's test; without it the verdict is "not informative".
    say : callable
        Told each step as it begins.

    Returns
    -------
    Assessment

    Raises
    ------
    InputError
        If the plan leaves no strikes or no sites.
    """
    say("design")
    design = build_design(study, plan)
    estimator = Kernel(design.grid, plan.primary.bandwidth_m)
    null = design.null(estimator)
    run = _Run(plan, design, estimator, null, design.sites.distance(*design.grid.centres), say)
    say("primary test")
    decay = Decay(plan.primary.decay, plan.primary.scale_m)
    primary, score, _ = run.test(decay, (0,))
    say("excess ratio")
    radius = plan.verdict.ratio_radius_m
    excess = excess_ratio(
        design.points, score, null, Decay("disc", radius).of(run.distance, design.grid), radius, plan.primary.bandwidth_m,
        n_simulations=min(EXCESS_SIMULATIONS, plan.n_simulations), rng=run.seed(1), level=1 - plan.primary.level,
        test_level=plan.primary.level, power=plan.verdict.power,
    )  # fmt: skip
    say("curve")
    second = plan.secondary
    radii = np.arange(second.curve_step_m, second.curve_max_m + second.curve_step_m / 2, second.curve_step_m)
    curve = ratio_curve(
        design, estimator, null, radii, n_simulations=second.curve_n_simulations, rng=run.seed(2), level=1 - plan.primary.level
    )
    counts = _counts(run)
    looks, elsewhere = _looks(run, decay), _elsewhere(run, study, null)
    variants = _variants(run, study, decay)
    say("baselines")
    baselines, donut = _baselines(run, decay)
    say("rival explanations")
    rivals = explain(study, plan, design, null.intensity, rng=run.seed(8))
    found = replace(
        verdict(plan, primary, excess, design.share.effective_n, calibration),
        fragile=fragility(plan, primary, excess, variants, baselines, calibration),
    )
    say("timing")
    return Assessment(
        study, plan, design, null.intensity, found, primary, excess, curve, counts, variants, baselines, _berman(run),
        looks, elsewhere, donut, flow(study, plan, design), rivals, near_events(study, design, max(second.radii_m)),
        held_out_events(study), when(study, plan, design, rng=run.seed(7)), calibration,
    )  # fmt: skip


def _counts(run: _Run) -> list[dict[str, Any]]:
    """By radius: located strikes as they are; weighted and location-aware; and with area rows spread over their raion."""
    run.say("counts")
    design, points = run.design, run.design.points
    plain = run.estimator.fit(points.easting, points.northing)
    levels, kind = error_classes(design.uncertainty, points.n)
    at_points = design.sites.distance(points.easting, points.northing)
    rows = []
    for k, radius in enumerate(run.plan.secondary.radii_m):
        decay = Decay("disc", radius)
        field = decay.of(run.distance, design.grid)
        counted = count_within(at_points, radius, plain.expected(field))
        near = _at_points(blurred(field, run.estimator, levels), kind, design)
        weighted = weighted_count(
            design.weights * near, radius, run.null.intensity.expected(field), largest_weight=float(design.weights.max())
        )
        test, _, _ = run.test(decay, (3, k))
        rows.append(
            {
                "radius_m": radius,
                **_columns("located", counted),
                **_columns("weighted", weighted),
                "p_value": test.p_value,
                **_integrated(run, field, near),
            }
        )
    return rows


def _looks(run: _Run, decay: Decay) -> list[dict[str, Any]]:
    """Enter every decay and radius in a ledger: all are computed on the same draws, so that the largest of them pays for the choice."""
    run.say("ledger")
    family = [decay, Decay("exponential", decay.scale), *(Decay("disc", radius) for radius in run.plan.secondary.radii_m)]
    tests = [run.test(one, (0,))[0] for one in family]
    sign = -1.0 if run.plan.primary.alternative == "farther" else 1.0
    examined = pd.DataFrame(
        {"site": "all tested", "radius": [one.scale for one in family], "decay": [one.name for one in family], "window": "whole",
         "subgroup": "systematic, located"}
    )  # fmt: skip
    observed, simulated = [sign * t.statistic for t in tests], sign * np.column_stack([t.simulated for t in tests])
    rows = ledger(examined, observed, simulated, null=run.null.name).frame.to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _elsewhere(run: _Run, study: Study, null: BinomialNull) -> list[dict[str, Any]]:
    """Say for every building, and where states are known for every state, what chance does to the most-hit of them."""
    run.say("look elsewhere")
    apart = replace(run.plan, sites=replace(run.plan.sites, collapse_to_buildings=False))
    sites, rows = tested_sites(study.sites, apart), []
    for step, by in enumerate(("building_id", "sending_state")):
        if sites.marks is None or by not in sites.marks:
            continue
        found = look_elsewhere(
            run.design.points,
            sites,
            null,
            run.plan.verdict.ratio_radius_m,
            by=by,
            n_simulations=run.plan.n_simulations,
            rng=run.seed(6, step),
        )
        names = run.design.sites.marks
        known = {} if names is None or by not in names else dict(zip(names[by].astype(str), names["names"], strict=True))
        group = sites.marks[by].astype(str).to_numpy()
        for row in found.frame.sort_values(["p_before", "name"]).head(SHOWN_GROUPS).to_dict("records"):
            shown = {str(key): value for key, value in row.items()}
            beside = nearest_aim_point(study, sites.subset(group == shown["name"]))
            rows.append({**shown, "by": by, "name": known.get(shown["name"], shown["name"]), "groups": len(found.frame),
                         "some_by_chance": found.chance(int(shown["observed"])), **beside})  # fmt: skip
    return rows


def _at_points(fields: tuple[Array, ...], kind: NDArray[np.intp], design: Design) -> Array:
    read = [design.grid.interpolate(field, design.points.easting, design.points.northing) for field in fields]
    return np.asarray(read)[kind, np.arange(design.points.n)]


def _columns(name: str, count: CountResult) -> dict[str, Any]:
    return {
        f"{name}_observed": count.observed,
        f"{name}_expected": count.expected,
        f"{name}_ratio": count.ratio,
        f"{name}_low": count.interval[0],
        f"{name}_high": count.interval[1],
    }


def _integrated(run: _Run, field: Array, near: Array) -> dict[str, float]:
    """Count every strike once: a located one where it is, an area row spread over its area as the baseline is."""
    design, inside = run.design, run.design.grid.inside
    values, area = run.null.intensity.values[inside], design.cell_stratum[inside]
    n_areas = len(design.area_rows)
    total = np.bincount(area, values, n_areas)
    share = np.bincount(area, values * field[inside], n_areas) / np.maximum(total, np.finfo(float).tiny)
    spread = float((design.area_rows * share).sum())
    expected = spread + float(share[design.stratum].sum())
    return {"all_observed": float(near.sum()) + spread, "all_expected": expected, "all_ratio": (near.sum() + spread) / expected}


def _variants(run: _Run, study: Study, decay: Decay) -> list[dict[str, Any]]:
    """Run the primary test with one choice changed at a time."""
    run.say("variants")
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


def _baselines(run: _Run, decay: Decay) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Give the result along the bandwidth, under the naive baseline, and the donut with its diagnostics."""
    second, design = run.plan.secondary, run.design
    field = Decay("disc", run.plan.verdict.ratio_radius_m).of(run.distance, design.grid)
    levels, kind = error_classes(design.uncertainty, design.points.n)
    near = _at_points(blurred(field, run.estimator, levels), kind, design)
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
    return rows, {"name": donut.name, **found, "limits": limits, "refused": bool(broken), "broken": broken}


def _berman(run: _Run) -> list[dict[str, Any]]:
    """Berman's and the CDF tests on the distance, the baseline taken as known: Z1 is never shown without the others."""
    points, grid = run.design.points, run.design.grid
    if points.n < 2:
        return []
    baseline = run.estimator.fit(points.easting, points.northing)
    at_points = run.design.sites.distance(points.easting, points.northing)
    cells, mass = run.distance[grid.inside], baseline.values[grid.inside] * grid.cell_area
    sided = [berman_test(at_points, cells, mass, kind=kind, alternative=run.plan.primary.alternative) for kind in ("Z1", "Z2")]  # type: ignore[arg-type]
    free = [cdf_test(at_points, cells, mass, kind=kind) for kind in ("ks", "cvm", "ad")]  # type: ignore[arg-type]
    return [{"test": r.name, "statistic": r.statistic, "p_value": r.p_value, "alternative": r.alternative} for r in [*sided, *free]]
