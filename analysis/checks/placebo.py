"""Placebo sites and placebo dates: places and days that should show nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..baseline import edge_mass, smooth
from ..inference import format_p, monte_carlo_p
from ..null import Rng
from ..null import placebo_sites as draw_placebos
from ..pattern import Sites
from .scene import CheckResult, Scene

Array = NDArray[np.float64]
REACH = 4.0  # in scales of the decay: beyond this a Gaussian decay is below 0.0004
APART = 2.0  # in scales: placebo sites keep this far from sites, whose excess they would share


def score_density(at: Scene) -> Array:
    """Give the field ψ with Σ w_i (M g − A M g)(x_i) = Σ_cells g ψ, whatever the sites: the score of any sites is one sum over cells."""
    grid, (levels, kind) = at.design.grid, at.errors
    result = np.zeros(grid.shape)
    inside = grid.inside.astype(float)
    for c, sigma in enumerate(levels):
        mass = np.bincount(at.cells[0], np.where(kind == c, at.weights, 0.0), grid.inside.size).astype(float).reshape(grid.shape)
        excess = (mass - at.estimator.fit_counts(mass) * grid.cell_area) * inside
        if sigma > 0:
            share = np.maximum(edge_mass(grid, float(sigma)), np.finfo(float).eps)
            excess = smooth(excess / share, grid, float(sigma)) * inside
        result += excess
    return result


def placebo_sites(at: Scene, *, rng: Rng) -> CheckResult:
    """Rank the sites' score among those of random places matched on the baseline and on the distance from the sites' centre.

    Answers: do places like the sites, that are none, show the same? A design-based check: nothing is drawn but the places. Where the study
    has a table ``placebo_sites`` (kind, easting, northing: schools, hotels, offices) each kind is ranked as well. Cost: placebo draws ×
    sites × the cells within four scales.
    """
    grid, sites, rules = at.design.grid, at.design.sites, at.plan.checks
    e, n = grid.centres
    psi, decay = score_density(at), at.decay
    away = np.hypot(e - sites.easting.mean(), n - sites.northing.mean())
    drawn = draw_placebos(sites, {"baseline": at.null.intensity.values, "distance from the centre": away}, grid,
                          n_draws=rules.placebo_draws, rng=rng, min_distance=APART * decay.scale)  # fmt: skip
    scores = np.array([_sum_near(at, psi, x, y) for x, y in zip(drawn.easting, drawn.northing, strict=True)])
    observed = _sum_near(at, psi, sites.easting, sites.northing)
    p = at.p(observed, scores)
    table: list[dict[str, Any]] = [{"sites": "the sites tested", "number": sites.n, "score": observed, "p_value": p}]
    given = at.study.tables.get("placebo_sites", pd.DataFrame(columns=["kind", "easting", "northing"]))
    for kind, group in given.groupby("kind"):
        places = Sites(group["easting"], group["northing"], at.study.window)
        score = _sum_near(at, psi, places.easting, places.northing) / places.n
        table.append({"sites": str(kind), "number": places.n, "score": score * sites.n, "p_value": at.p(score * sites.n, scores)})
    for share in (0.05, 0.5, 0.95):
        quantile = float(np.quantile(scores, share))
        table.append({"sites": f"placebo sites, {share:.0%} quantile", "number": sites.n, "score": quantile, "p_value": None})
    passed = bool(at.stands(p))
    off = ", ".join(f"{name} {value:+.2f}" for name, value in drawn.imbalance.items())
    said = (
        f"Among {rules.placebo_draws} sets of placebo sites the sites rank at p = {format_p(p)}"
        f"{'' if passed else f', {at.other_side} the level'} (imbalance in standard deviations: {off})."
    )
    return CheckResult("placebo sites", "Places like the sites show the same excess without being sites.", passed, tuple(table), said)


def _sum_near(at: Scene, psi: Array, easting: Array, northing: Array) -> float:
    """Sum ψ times the decay of the nearest of some places, over the cells near any of them."""
    grid = at.design.grid
    reach = int(np.ceil(REACH * at.decay.scale / min(grid.dx, grid.dy)))
    i, j = np.divmod(grid.cell(easting, northing), grid.shape[1])
    di, dj = (part.ravel() for part in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    rows, columns = i[:, None] + di, j[:, None] + dj
    x, y = grid.west + (columns + 0.5) * grid.dx, grid.south + (rows + 0.5) * grid.dy
    near = at.decay(np.hypot(x - easting[:, None], y - northing[:, None]))
    keep = (rows >= 0) & (rows < grid.shape[0]) & (columns >= 0) & (columns < grid.shape[1])
    field = np.zeros(grid.inside.size)
    np.maximum.at(field, (rows * grid.shape[1] + columns)[keep], near[keep])
    return float((field * psi.ravel()).sum())


def placebo_dates(at: Scene) -> CheckResult:
    """Split the strikes at the first prompting event, and deal the days of attacks anew: does nearness change there more than by chance?

    The statistic is the difference of weighted mean nearness after and before, in size. Days are dealt whole, so that strikes of one day
    stay together; the strikes that prompted the study are left out on both sides. Cost: draws × days.
    """
    threat = "Nearness changes at the date of the prompting events."
    date, held = pd.to_datetime(at.marks("date")).to_numpy(), at.weights == 0
    if not held.any():
        return CheckResult("placebo dates", threat, None, (), "No prompting event gives a date.")
    days, code = np.unique(date[~held], return_inverse=True)
    before = days < date[held].min()
    if before.sum() < 2 or (~before).sum() < 2:
        return CheckResult("placebo dates", threat, None, (), "Too few days lie before or after the first prompting event.")
    nearness = (at.weights * at.planned[at.errors[1], at.cells[0]])[~held]
    value, weight = np.bincount(code, nearness), np.bincount(code, at.weights[~held])
    order = np.vstack([np.arange(len(days)), *at.orders(len(days))])  # the first row leaves the days as they are
    dealt, heft = value[order], weight[order]
    change = abs(dealt[:, ~before].sum(axis=1) / heft[:, ~before].sum(axis=1) - dealt[:, before].sum(axis=1) / heft[:, before].sum(axis=1))
    # the order of a sum must not make a tie with the data a smaller number
    p = monte_carlo_p(float(change[0]) * (1 - 1e-9), change[1:], "greater")
    passed = p > at.plan.primary.level
    split = str(pd.Timestamp(date[held].min()).date())
    table = (
        {"split": split, "days_before": int(before.sum()), "days_after": int((~before).sum()), "change": float(change[0]), "p_value": p},
    )
    found = "no more than by chance" if passed else "more than by chance"
    said = f"At {split}, the day of the first prompting event, nearness changes {found} (p = {format_p(p)})."
    return CheckResult("placebo dates", threat, passed, table, said)
