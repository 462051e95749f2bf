"""Simulated worlds that look like the study: same window, sites, attacks and located shares, but a truth that we set."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.random import Generator
from numpy.typing import NDArray

from ..baseline import LocatedShare, located_share, smooth
from ..pattern import Grid, Intensity, Plan, PointPattern, Study
from ..proximity import Decay, Design, cell_strata, periods, tested_sites

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class World:
    """Hold one truth.

    Attributes
    ----------
    name : str
    truth : str
        smooth, aim points, selective or excess: what a rejection in this world means.
    intensity : Intensity
        Where strikes fall, up to a factor; any excess near sites is already in it.
    excess : float
        How many times denser strikes are near a site.
    together : float
        Probability that a strike falls with an earlier strike of its attack (a salvo), rather than anew from the intensity.
    spread : float
        Standard deviation on each axis of strikes that fall together (metres).
    named : float
        How many times likelier a strike near a site is to be located.
    """

    name: str
    truth: str
    intensity: Intensity
    excess: float = 1.0
    together: float = 0.0
    spread: float = 400.0
    named: float = 1.0


@dataclass(frozen=True, eq=False)
class Setting:
    """Hold what the worlds take over from the study: everything but the places of the strikes.

    Attributes
    ----------
    study, plan, grid, cell_stratum
        As in the study's design, on coarser cells.
    attack : (n,) int array
        The attack of each strike, located or not.
    period : (n,) int array
    share : (areas, periods) array
        Probability of being located.
    errors : array
        Location errors of located strikes, to draw from.
    near : (rows, columns) array
        1 within the radius of the plan's excess ratio (500 m in Kyiv's).
    """

    study: Study
    plan: Plan
    grid: Grid
    cell_stratum: NDArray[np.intp]
    attack: NDArray[np.intp]
    period: NDArray[np.intp]
    share: Array
    errors: Array
    near: Array


def setting(study: Study, plan: Plan, *, cell_m: float = 100.0) -> Setting:
    """Take attacks, periods, location errors and located shares from the strikes, but no position and no distance."""
    frame = study.strikes.frame[study.strikes.frame["selection"] == "systematic"].reset_index(drop=True)
    grid = study.window.grid(spacing=cell_m)
    period = periods(frame["date"], plan.strikes.period_starts)
    located = ((frame["support"] == "point") & (frame["uncertainty_m"] <= plan.strikes.located_max_m)).to_numpy()
    fitted = located_share(frame["area"], period, located, cap=plan.strikes.weight_cap)
    table = pd.DataFrame({"area": frame["area"], "period": period, "share": fitted.share}).groupby(["area", "period"]).first()
    share = table["share"].unstack().reindex(index=study.area_names, columns=range(len(plan.strikes.period_starts) + 1))
    share = share.apply(lambda row: row.fillna(row.mean()), axis=1).to_numpy(float)
    sites = tested_sites(study.sites, plan)
    return Setting(
        study,
        plan,
        grid,
        cell_strata(tuple(study.areas.values()), grid),
        pd.factorize(frame["attack_id"])[0].astype(np.intp),
        period.to_numpy(np.intp),
        share,
        frame["uncertainty_m"].to_numpy(float)[located],
        Decay("disc", plan.verdict.ratio_radius_m).field(sites, grid),
    )


def worlds(at: Setting) -> list[World]:
    """Give the worlds of the calibration: smooth truths, salvos, confounding aim points, selective reports, and real excesses.

    A smooth truth varies over kilometres and is highest in the centre, where the missions are.
    """
    grid, study = at.grid, at.study
    e, n = grid.centres
    sites = tested_sites(study.sites, at.plan)
    away = np.hypot(e - sites.easting.mean(), n - sites.northing.mean())
    radial = 0.05 + np.exp(-0.5 * (away / 5000) ** 2)
    missions = smooth(grid.count(sites.easting, sites.northing), grid, 3000.0)
    missions = 0.25 * missions.max() + missions

    def world(name: str, truth: str, values: Array, excess: float = 1.0) -> World:
        inside = np.where(grid.inside, np.maximum(values, 0) * (1 + (excess - 1) * at.near), 0.0)
        return World(name, truth, Intensity(inside / grid.integral(inside), grid, name), excess, together=0.3)

    centre = world("centre", "smooth", radial)
    return [
        replace(centre, name="centre, no salvos", together=0.0),
        centre,
        replace(centre, name="centre, large salvos", together=0.6),
        *([world("population of the raions", "smooth", _people(at))] if "raions" in study.tables else []),
        world("as the sites at 3 km", "smooth", missions),
        *([world("40 % at aim points", "aim points", _aimed(at, radial))] if study.aim_points is not None else []),
        replace(centre, name="located twice as often near sites", truth="selective", named=2.0),
        world("excess 2 near sites", "excess", radial, 2.0),
        world("excess 3 near sites", "excess", radial, 3.0),
    ]


def _people(at: Setting) -> Array:
    """Spread each raion's population evenly over it, and smooth."""
    population = at.study.tables["raions"].set_index("name_en")["population"]
    people = np.zeros(at.grid.shape)
    for k, name in enumerate(at.study.areas):
        cells = (at.cell_stratum == k) & at.grid.inside
        people[cells] = population[name] / cells.sum()
    return smooth(people, at.grid, 1500.0)


def _aimed(at: Setting, radial: Array) -> Array:
    """Put 40 % of the strikes around aim points, the rest as the centre's."""
    points = at.study.aim_points
    assert points is not None
    aimed = smooth(at.grid.count(points["easting"], points["northing"]), at.grid, 600.0)
    return 0.6 * radial / radial[at.grid.inside].sum() + 0.4 * aimed / aimed[at.grid.inside].sum()


def draw_strikes(world: World, at: Setting, rng: Generator) -> tuple[Array, Array]:
    """Place every strike of the setting: from the intensity, or beside an earlier strike of its attack. Outside the window: anew."""
    grid, n = at.grid, len(at.attack)
    cdf = np.cumsum(world.intensity.values.ravel())

    def anew(size: int) -> tuple[Array, Array]:
        i, j = np.divmod(np.searchsorted(cdf, rng.random(size) * cdf[-1], side="right"), grid.shape[1])
        return grid.west + (j + rng.random(size)) * grid.dx, grid.south + (i + rng.random(size)) * grid.dy

    e, y = anew(n)
    order = pd.Series(at.attack).groupby(at.attack).cumcount().to_numpy()
    member = np.argsort(at.attack, kind="stable")
    start = np.searchsorted(at.attack[member], np.arange(at.attack.max() + 1))
    follows = (rng.random(n) < world.together) & (order > 0)
    for k in range(1, int(order.max()) + 1):
        rows = np.flatnonzero(follows & (order == k))
        earlier = member[start[at.attack[rows]] + (rng.random(len(rows)) * k).astype(np.intp)]
        e[rows] = e[earlier] + rng.normal(0, world.spread, len(rows))
        y[rows] = y[earlier] + rng.normal(0, world.spread, len(rows))
    return _keep_inside(e, y, at, anew)


def _keep_inside(e: Array, y: Array, at: Setting, anew) -> tuple[Array, Array]:  # type: ignore[no-untyped-def]
    inside = at.study.window.contains(e, y)
    while not inside.all():
        rows = np.flatnonzero(~inside)
        e[rows], y[rows] = anew(len(rows))
        inside[rows] = at.study.window.contains(e[rows], y[rows])
    return e, y


def simulate_design(world: World, at: Setting, template: Design, rng: Generator) -> Design:
    """Draw one world's strikes, report them as the study's were reported, and weight the located ones anew."""
    e, y = draw_strikes(world, at, rng)
    stratum = at.cell_stratum.ravel()[at.grid.cell(e, y)]
    near = at.near.ravel()[at.grid.cell(e, y)] > 0.5
    chance = at.share[stratum, at.period] * np.where(near, world.named, 1.0)
    located = rng.random(len(e)) < chance
    if not located.any():
        return simulate_design(world, at, template, rng)
    share: LocatedShare = located_share(pd.Series(stratum), pd.Series(at.period), located, cap=at.plan.strikes.weight_cap)
    error = rng.choice(at.errors, int(located.sum()))
    seen_e, seen_y = e[located] + rng.normal(0, error), y[located] + rng.normal(0, error)
    outside = ~at.study.window.contains(seen_e, seen_y)
    seen_e[outside], seen_y[outside] = e[located][outside], y[located][outside]
    return replace(
        template,
        points=PointPattern(seen_e, seen_y, at.study.window),
        weights=share.weights[located],
        uncertainty=error,
        attack=at.attack[located],
        stratum=stratum[located],
        area_rows=np.bincount(stratum[~located], minlength=len(at.study.area_names)),
        share=share,
    )
