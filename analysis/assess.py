"""Run the plan on the study: nothing is decided here that the plan does not say."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .aim import Explanations, explain
from .checks import Calibration, CheckResult, Pieces, Run, Verdict, baselines, run_checks, variants, verdict
from .inference import CountResult, CurveResult, TestResult, ledger, standardised, to_json
from .pattern import Intensity, Plan, Study
from .proximity import (
    Decay,
    Design,
    ExcessResult,
    berman_test,
    build_design,
    cdf_test,
    count_within,
    excess_ratio,
    flow,
    held_out_events,
    look_elsewhere,
    near_aim_points,
    near_events,
    nearest_aim_point,
    ratio_curve,
    site_error,
    tested_sites,
    weighted_count,
)
from .timing import Timing, when

Array = NDArray[np.float64]
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
    checks : list of CheckResult
        What each threat does to the answer.
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
    checks: list[CheckResult]

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
                    "checks": self.checks,
                    "sources": [] if sources is None else sources.to_dict("records"),
                }
            )
        )

    def __str__(self) -> str:
        fragile = "".join(f"\n  fragile: {line}" for line in self.verdict.fragile)
        return f"{self.verdict.answer}: {self.verdict.rule}{fragile}\n{self.excess}\n{self.primary}"


def assess(
    study: Study,
    plan: Plan,
    *,
    calibration: Calibration | None = None,
    say: Callable[[str], None] = lambda step: None,
    store: MutableMapping[str, bytes] | None = None,
) -> Assessment:
    """Run the plan on the study.

    Answers: do strikes fall near the sites more often than the baseline predicts, by how much, and what would overturn that?

    Parameters
    ----------
    study : Study
    plan : Plan
    calibration : Calibration, optional
        The measured size of the plan's test; without it, or with that of another plan's test, the verdict is "not informative".
    say : callable
        Told each piece as it is finished.
    store : mapping, optional
        Finished pieces of an interrupted run of the same plan, data and program, and where those of this run go.

    Returns
    -------
    Assessment
        The same digits wherever its pieces were computed: ``with joblib.parallel_config(n_jobs=2):`` puts them on two cores, and
        ``backend="dask"`` on a cluster.

    Raises
    ------
    InputError
        If the plan leaves no strikes or no sites, or names a notification that the study does not hold.
    """
    if calibration is not None and not calibration.covers(plan):
        calibration = None  # the size of another test is no number of this report
    pieces = Pieces({} if store is None else store, say)
    design = build_design(study, plan)
    run = Run.of(plan, design)
    decay, radius, second = Decay(plan.primary.decay, plan.primary.scale_m), plan.verdict.ratio_radius_m, plan.secondary
    level = 1 - plan.primary.level
    (primary,) = pieces([("primary test", lambda: run.test(decay, (0,))[0], TestResult)])

    def ratio() -> ExcessResult:
        return excess_ratio(
            design.points, design.score(decay, run.estimator, run.null, by_attack=plan.primary.units == "attack"), run.null,
            Decay("disc", radius).field(design.sites, design.grid), radius, plan.primary.bandwidth_m,
            n_simulations=min(EXCESS_SIMULATIONS, plan.n_simulations), rng=run.seed(1), level=level,
            test_level=plan.primary.level, power=plan.verdict.power,
        )  # fmt: skip

    def along() -> CurveResult:
        radii = np.arange(second.curve_step_m, second.curve_max_m + second.curve_step_m / 2, second.curve_step_m)
        return ratio_curve(design, run.estimator, run.null, radii, n_simulations=second.curve_n_simulations, rng=run.seed(2), level=level)

    curve, rivals, compared, changed, looks, excess, counts, timing, elsewhere, berman = pieces(
        [  # the longest first, so that workers finish together
            ("curve", along, CurveResult),
            ("rival explanations", lambda: explain(study, plan, design, run.null.intensity, rng=run.seed(8)), Explanations),
            ("baselines", lambda: baselines(run, decay), dict),
            ("variants", lambda: variants(run, study, decay), list),
            ("looks", lambda: _looks(run, decay), list),
            ("excess ratio", ratio, ExcessResult),
            ("counts", lambda: _counts(run), list),
            ("timing", lambda: when(study, plan, design, rng=run.seed(7)), Timing),
            ("look elsewhere", lambda: _elsewhere(run, study), list),
            ("distances", lambda: _berman(run), list),
        ]
    )
    rows, donut = compared["rows"], compared["donut"]
    checks = run_checks(study, plan, run, primary, excess, changed, rows, calibration, pieces=pieces)
    found = verdict(plan, primary, excess, design.share.effective_n, calibration)
    found = replace(found, fragile=tuple(f"{c.name[0].upper()}{c.name[1:]}: {c.text}" for c in checks if c.passed is False))
    return Assessment(
        study, plan, design, run.null.intensity, found, primary,
        excess, curve, counts, changed, rows, berman, looks, elsewhere, donut, flow(study, plan, design), rivals,
        near_events(study, design, max(second.radii_m)), held_out_events(study), timing,
        calibration, checks,
    )  # fmt: skip


def _counts(run: Run) -> list[dict[str, Any]]:
    """By radius: located strikes as they are; weighted and location-aware; and with area rows spread over their area."""
    design, points, level = run.design, run.design.points, 1 - run.plan.primary.level
    plain = run.estimator.fit(points.easting, points.northing)
    at_points = design.sites.distance(points.easting, points.northing)
    rows = []
    for k, radius in enumerate(run.plan.secondary.radii_m):
        decay = Decay("disc", radius)
        field = decay.field(design.sites, design.grid)
        counted = count_within(at_points, radius, plain.expected(field), level=level)
        near = run.near(field)
        expected, largest = run.null.intensity.expected(field), float(design.weights.max())
        weighted = weighted_count(design.weights * near, radius, expected, largest_weight=largest, level=level)
        test, _, _ = run.test(decay, (3, k))
        rows.append({"radius_m": radius, **_columns("located", counted), **_columns("weighted", weighted), "p_value": test.p_value,
                     **_integrated(run, field, near)})  # fmt: skip
    return rows


def _looks(run: Run, decay: Decay) -> list[dict[str, Any]]:
    """Enter every decay and radius in a ledger: all are computed on the same draws, so that the largest of them pays for the choice."""
    family = [decay, Decay("exponential", decay.scale), *(Decay("disc", radius) for radius in run.plan.secondary.radii_m)]
    tests = [run.test(one, (0,))[0] for one in family]
    examined = pd.DataFrame(
        {"site": "all tested", "radius": [one.scale for one in family], "decay": [one.name for one in family], "window": "whole",
         "subgroup": "systematic, located"}
    )  # fmt: skip
    observed, simulated = np.array([t.statistic for t in tests]), np.column_stack([t.simulated for t in tests])
    if run.plan.primary.alternative == "farther":
        observed, simulated = -observed, -simulated
    elif run.plan.primary.alternative == "two-sided":  # how far from the mean, whichever way
        observed, simulated = (np.abs(values) for values in standardised(observed, simulated))
    rows = ledger(examined, observed, simulated, null=run.null.name).frame.to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _elsewhere(run: Run, study: Study) -> list[dict[str, Any]]:
    """Say for every building, and where states are known for every state, what chance does to the most-hit of them."""
    apart = replace(run.plan, sites=replace(run.plan.sites, collapse_to_buildings=False))
    sites, rows = tested_sites(study.sites, apart), []
    for step, by in enumerate(("building_id", "sending_state")):
        if sites.marks is None or by not in sites.marks:
            continue
        found = look_elsewhere(
            run.design.points, sites, run.null, run.plan.verdict.ratio_radius_m,
            by=by, n_simulations=run.plan.n_simulations, rng=run.seed(6, step),
        )  # fmt: skip
        names = run.design.sites.marks
        known = {} if names is None or by not in names else dict(zip(names[by].astype(str), names["names"], strict=True))
        group = sites.marks[by].astype(str).to_numpy()
        for row in found.frame.sort_values(["p_before", "name"]).head(SHOWN_GROUPS).to_dict("records"):
            shown = {str(key): value for key, value in row.items()}
            beside = nearest_aim_point(study, sites.subset(group == shown["name"]))
            rows.append({**shown, "by": by, "name": known.get(shown["name"], shown["name"]), "groups": len(found.frame),
                         "some_by_chance": found.chance(int(shown["observed"])), **beside})  # fmt: skip
    return rows


def _columns(name: str, count: CountResult) -> dict[str, float]:
    low, high = count.interval
    values = {"observed": count.observed, "expected": count.expected, "ratio": count.ratio, "low": low, "high": high}
    return {f"{name}_{key}": value for key, value in values.items()}


def _integrated(run: Run, field: Array, near: Array) -> dict[str, float]:
    """Count every strike once: a located one where it is, an area row spread over its area as the baseline is."""
    design, inside = run.design, run.design.grid.inside
    values, area = run.null.intensity.values[inside], design.cell_stratum[inside]
    n_areas = len(design.area_rows)
    total = np.bincount(area, values, n_areas)
    share = np.bincount(area, values * field[inside], n_areas) / np.maximum(total, np.finfo(float).tiny)
    spread = float((design.area_rows * share).sum())
    expected = spread + float(share[design.stratum].sum())
    return {"all_observed": float(near.sum()) + spread, "all_expected": expected, "all_ratio": (near.sum() + spread) / expected}


def _berman(run: Run) -> list[dict[str, Any]]:
    """Berman's and the CDF tests on the distance, the baseline taken as known: Z1 is never shown without the others."""
    points, grid = run.design.points, run.design.grid
    if points.n < 2:
        return []
    baseline = run.estimator.fit(points.easting, points.northing)
    at_points = run.design.sites.distance(points.easting, points.northing)
    cells, mass = run.design.sites.distance_in(grid)[grid.inside], baseline.values[grid.inside] * grid.cell_area
    sided = [berman_test(at_points, cells, mass, kind=kind, alternative=run.plan.primary.alternative) for kind in ("Z1", "Z2")]  # type: ignore[arg-type]
    free = [cdf_test(at_points, cells, mass, kind=kind) for kind in ("ks", "cvm", "ad")]  # type: ignore[arg-type]
    return [{"test": r.name, "statistic": r.statistic, "p_value": r.p_value, "alternative": r.alternative} for r in [*sided, *free]]
