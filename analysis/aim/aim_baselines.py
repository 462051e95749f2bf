"""The primary test with and without aim points in the baseline, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import SeedSequence

from ..baseline import SmoothSurface, decay_around
from ..null.draws import child_seed
from ..pattern import Plan, Sites, Study
from ..proximity import Decay, build_design, score_test

KNOTS_M = 3000.0  # of the smooth surface: too wide to follow a rise beside single sites
AIM_SCALE_M = 600.0  # how far strikes scatter about aim points, as in the simulated worlds of checks/worlds.py
CELL_M = 100.0  # cells of these fits, at least


def with_and_without(study: Study, plan: Plan, focus: Sites, *, seed: SeedSequence) -> list[dict[str, Any]]:
    """Run the primary test on a smooth surface alone, and on one that knows every aim point, listed or struck alike.

    Answers: does an excess near sites survive when places beside them that could themselves have been aimed at are in the baseline? And how
    many strikes does each baseline expect about the sites in ``focus``? All aim points enter with one coefficient, so that none is chosen
    for standing where strikes fell.

    Observed and expected numbers are of located strikes, weighted, within the radius of the excess ratio. Two penalised fits, some seconds,
    and a test each; log λ = surface + β Σ_k exp(−d_k²/2h²), refitted in every draw to first order. Its size is not measured here.
    """
    design = build_design(study, replace(plan, cell_m=max(plan.cell_m, CELL_M)))
    decay, radius = Decay(plan.primary.decay, plan.primary.scale_m), plan.verdict.ratio_radius_m
    aim, e, y = study.aim_points, design.points.easting, design.points.northing
    covariates: dict[str, Any] = {}
    if aim is not None and len(aim):
        covariates["aim points"] = decay_around(aim["easting"], aim["northing"], AIM_SCALE_M)(*design.grid.centres)
    rows = []
    for k, known in enumerate([{}, covariates] if covariates else [{}]):
        fitted = SmoothSurface(design.grid, KNOTS_M, known).at(e, y, design.weights)
        null = design.null(fitted)
        score = design.score(decay, fitted, null, by_attack=plan.primary.units == "attack")
        result = score_test(
            design.points, score, null, decay.name, n_simulations=plan.n_simulations, rng=child_seed(seed, k),
            alternative=plan.primary.alternative,
        )  # fmt: skip
        row = {"baseline": fitted.name, "aim_points": bool(known), "statistic": result.statistic, "p_value": result.p_value,
               "coefficient": float(fitted.coefficients[0]) if known else None}  # fmt: skip
        for name, sites in (("all", design.sites), ("focus", focus)):
            near = sites.distance(e, y) <= radius
            row[f"{name}_observed"] = float(design.weights[near].sum())
            row[f"{name}_expected"] = fitted.intensity.expected(Decay("disc", radius).field(sites, design.grid))
        row["focus_strikes"] = int(np.sum(focus.distance(e, y) <= radius))
        rows.append(row)
    return rows
