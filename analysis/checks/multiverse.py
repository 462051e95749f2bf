"""The specification curve: the answer under every defensible combination of choices, and one p-value for all of them together.

References
----------
Simonsohn, U., Simmons, J. P. & Nelson, L. D. (2020). Specification curve analysis. Nature Human Behaviour 4, 1208-1214.
Steegen, S., Tuerlinckx, F., Gelman, A. & Vanpaemel, W. (2016). Increasing transparency through a multiverse analysis. Perspectives on
Psychological Science 11, 702-712.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..baseline import FittedSurface, Kernel, LinearEstimator, SmoothSurface, Uniform, decay_around, distance_to
from ..inference import format_p
from ..pattern import Grid, Intensity, Study
from ..proximity import Decay, Design
from ..proximity.score import ALTERNATIVES
from .scene import CheckResult, Places, Scene, refitted

Array = NDArray[np.float64]
BLOCK = 4  # cells on a side that a surface takes as one: its knots are many times further apart


@dataclass(frozen=True, eq=False)
class _Surface:
    """Read a smooth surface, fitted on blocks of cells, on the cells themselves."""

    grid: Grid
    label: str
    fitted: FittedSurface

    @property
    def name(self) -> str:
        return self.label

    def fit(self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None) -> Intensity:
        # the surface's smoothing and its response are those of the planned strikes: only its level follows the weights
        values = np.where(self.grid.inside, np.exp(self._read(np.log(np.maximum(self.fitted.intensity.values, 1e-300)))), 0.0)
        total = float(np.size(easting) if weights is None else np.asarray(weights, float).sum())
        return Intensity(values * (total / self.grid.integral(values)), self.grid, self.name)

    def adjoint(self, field: Array) -> Array:
        inside, coarse = self.grid.inside.astype(float), self.fitted.grid
        mean = _block_sum(field * inside, coarse.shape) / np.maximum(_block_sum(inside, coarse.shape), 1.0)
        return np.where(self.grid.inside, self._read(self.fitted.adjoint(mean)), 0.0)

    @cached_property
    def _filled(self) -> NDArray[np.intp]:
        coarse = self.fitted.grid
        return coarse.inside_cell(*(c.ravel() for c in coarse.centres))

    @cached_property
    def _between(self) -> tuple[Array, Array]:
        coarse, fine = self.fitted.grid, self.grid
        down = np.array([np.interp(fine.y, coarse.y, row) for row in np.eye(coarse.shape[0])]).T
        return down, np.array([np.interp(fine.x, coarse.x, row) for row in np.eye(coarse.shape[1])])

    def _read(self, values: Array) -> Array:
        down, across = self._between
        return np.asarray(down @ values.ravel()[self._filled].reshape(values.shape) @ across)


def _block_sum(values: Array, shape: tuple[int, int]) -> Array:
    padded = np.zeros((shape[0] * BLOCK, shape[1] * BLOCK))
    padded[: values.shape[0], : values.shape[1]] = values
    return np.asarray(padded.reshape(shape[0], BLOCK, shape[1], BLOCK).sum(axis=(1, 3)))


def _blocks(grid: Grid) -> Grid:
    rows, columns = (-(-size // BLOCK) for size in grid.shape)
    inside = _block_sum(grid.inside.astype(float), (rows, columns)) >= BLOCK**2 / 2
    return Grid(grid.west, grid.south, grid.dx * BLOCK, grid.dy * BLOCK, inside)


def _surfaces(at: Scene, study: Study, design: Design, weights: Array) -> Iterator[_Surface]:
    """Fit the surface with nothing else, with the distance from the sites' centre, and with aim points where they are given."""
    blocks, rules, sites = _blocks(design.grid), at.plan.checks, design.sites
    sets: dict[str, dict[str, Array]] = {
        "no covariates": {},
        "distance from the centre": {"centre": _read_at(distance_to([sites.easting.mean()], [sites.northing.mean()]), blocks)},
    }
    if study.aim_points is not None and len(study.aim_points):
        aim = study.aim_points
        sets["aim points"] = {"aim points": _read_at(decay_around(aim["easting"], aim["northing"], rules.aim_scale_m), blocks)}
    use = weights > 0
    if use.sum() < rules.min_strikes:  # too few to tell a surface from its covariates
        return
    for name, covariates in sets.items():
        surface = SmoothSurface(blocks, rules.surface_spacing_m, covariates)
        fitted = surface.at(design.points.easting[use], design.points.northing[use], weights[use])
        yield _Surface(design.grid, f"surface {rules.surface_spacing_m:g} m, {name}", fitted)


def _read_at(covariate: Any, grid: Grid) -> Array:
    return np.asarray(covariate(*grid.centres), float)


def _windows(at: Scene) -> Iterator[tuple[str, Design, NDArray[np.bool_]]]:
    """Give the whole window and the part near sites, each with the strikes in it. A part keeps the strata of its own cells."""
    design, limit = at.design, at.plan.checks.window_m
    yield "whole", design, np.ones(design.points.n, bool)
    grid, points = design.grid, design.points
    part = replace(grid, inside=grid.inside & (design.sites.distance_in(grid) <= limit))
    stratum = design.cell_stratum.ravel()[part.inside_cell(points.easting, points.northing)]
    inside = part.inside.ravel()[at.cells[0]]
    if (inside & (at.weights > 0)).any() and not inside.all():
        yield f"within {limit:g} m of a site", replace(design, grid=part, stratum=stratum), inside


def _p(values: Array, simulated: Array, alternative: str) -> Array:
    """Rank many values at once, as :func:`~analysis.inference.monte_carlo_p` does one."""
    order, n = np.sort(simulated), len(simulated)
    more = (1 + n - np.searchsorted(order, values, "left")) / (1 + n)
    less = (1 + np.searchsorted(order, values, "right")) / (1 + n)
    side = ALTERNATIVES[alternative]
    return np.asarray(np.minimum(1.0, 2 * np.minimum(more, less)) if side == "two-sided" else more if side == "greater" else less)


def multiverse(at: Scene) -> CheckResult:
    """Run every specification, and test the curve as a whole.

    Answers: does the finding hang on one of the choices? Each specification has its own p, from draws of its own baseline. The curve has
    one: in each draw from the primary null all specifications are run on the same places, and the median of their p-values is ranked
    among those of the draws; the share at or below the level beside it.

    Notes
    -----
    Specifications: baselines × windows × decays × scales × nulls (area counts kept or not) × weights (planned or one each) × held-out
    rule (prompting strikes out or in). The places of a null follow the planned weights. Those with a baseline that does not hold its
    size, like the uniform one, are kept: the joint p is valid whatever the specifications, as each is run on draws of the primary null.
    Cost: an FFT pair for each baseline, decay, scale and class of location error; then draws × strikes for each field. One number in
    four bytes is held for each specification and draw.
    """
    plan, held = at.plan, at.weights > 0
    rows: list[dict[str, Any]] = []
    observed: list[float] = []
    drawn: list[NDArray[np.float32]] = []
    treated = np.array([at.weights, held.astype(float), at.design.weights, np.ones(len(held))])
    names = [("planned", "out"), ("one each", "out"), ("planned", "in"), ("one each", "in")]
    use = 2 if held.all() else 4
    for window, design, inside in _windows(at):
        weights = np.where(inside, at.weights, 0.0)
        estimators: list[LinearEstimator] = [Uniform(design.grid), *(Kernel(design.grid, h) for h in plan.secondary.bandwidths_m)]
        decays = [Decay(kind, scale) for kind in plan.checks.decays for scale in plan.checks.scales_m]
        near = {decay: at.near(decay, estimators[0]) for decay in decays}
        for estimator in [*estimators, *_surfaces(at, at.study, design, weights)]:
            nulls = {kept: replace(design, keep_area_counts=kept).null(estimator, weights) for kept in _kept(design)}
            places = {kept: Places(at, null) for kept, null in nulls.items()}
            for decay in decays:
                phi = np.where(design.grid.inside.ravel(), refitted(near[decay], estimator), np.nan)
                for kept, null in nulls.items():
                    own = at.scores(phi, treated[:use] * inside, null=null, places=places[kept])
                    joint = at.scores(phi, treated[:use], null=null, places=at.places)
                    for k in range(use):
                        p = _p(np.r_[own.observed[k], joint.simulated[k]], own.simulated[k], plan.primary.alternative)
                        observed.append(float(p[0]))
                        drawn.append(p[1:].astype(np.float32))
                        rows.append({"baseline": estimator.name, "window": window, "decay": decay.kind, "scale_m": decay.scale,
                                     "area_counts": "kept" if kept else "free", "weights": names[k][0], "prompting": names[k][1],
                                     "p_value": float(p[0])})  # fmt: skip
    return _judge(at, rows, np.array(observed), np.array(drawn))


def _kept(design: Design) -> tuple[bool, ...]:
    return (True, False) if len(np.unique(design.cell_stratum)) > 1 else (False,)


def _judge(at: Scene, rows: list[dict[str, Any]], observed: Array, drawn: NDArray[np.float32]) -> CheckResult:
    level = at.plan.primary.level
    median, medians = float(np.median(observed)), np.median(drawn, axis=0)
    share, shares = float((observed <= level).mean()), (drawn <= level).mean(axis=0)
    draws = len(medians)
    # a median as low as the observed one, in floats of the draws' size
    p_median = (1 + int((medians <= np.float32(median)).sum())) / (1 + draws)
    p_share = (1 + int((shares >= share).sum())) / (1 + draws)
    passed = bool(at.stands(p_median))
    side = "on the side" if passed else "not on the side"
    said = (
        f"Of {len(rows)} specifications {share:.0%} give p at or below {level:g}; the median p is {format_p(median)}. All of them together "
        f"give a joint p of {format_p(p_median)} (median) and {format_p(p_share)} (share), {side} "
        "of the primary test."
    )
    ordered = sorted(rows, key=lambda row: row["p_value"])
    return CheckResult("specification curve", "The answer comes from one choice of baseline, window, decay, null or weights among many.",
                       passed, tuple(ordered), said)  # fmt: skip
