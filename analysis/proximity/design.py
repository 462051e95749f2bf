"""The design: what the plan makes of a study, ready for the tests. Rows and marks are chosen here, never by their distance to sites."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..baseline import LinearEstimator, LocatedShare, located_share
from ..null import BinomialNull
from ..pattern import WHOLE, Grid, InputError, Plan, PointPattern, Sites, Strikes, Study
from .decay import Decay
from .score import LinearScore, decay_score

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Design:
    """Hold located strikes with their marks, the sites tested and the cells.

    Attributes
    ----------
    points : PointPattern
        Located strikes, n of them.
    weights, uncertainty : (n,) arrays
    attack : (n,) labels
    stratum : (n,) int array
        The area of each located strike, as an index.
    area_rows : (areas,) int array
        Strikes of each area that are not located.
    cell_stratum : (rows, columns) int array
    sites : Sites
    grid : Grid
    share : LocatedShare
    keep_area_counts : bool
        Whether draws place each strike within its own area.
    """

    points: PointPattern
    weights: Array
    uncertainty: Array
    attack: NDArray[Any]
    stratum: NDArray[np.intp]
    area_rows: NDArray[np.intp]
    cell_stratum: NDArray[np.intp]
    sites: Sites
    grid: Grid
    share: LocatedShare
    keep_area_counts: bool

    def null(self, estimator: LinearEstimator, weights: Array | None = None) -> BinomialNull:
        """Fit the baseline and give the null in which each strike is placed anew from it, within its area where those are kept."""
        use = self.weights if weights is None else weights
        fitted = estimator.fit(self.points.easting, self.points.northing, use)
        # a fit may vanish, to rounding, in an area where a strike lies only just inside it: keep every stratum drawable
        floor = 1e-9 * fitted.total / (self.grid.inside.sum() * self.grid.cell_area)
        lifted = replace(fitted, values=np.where(self.grid.inside, np.maximum(fitted.values, floor), 0.0))
        strata = (self.stratum, self.cell_stratum) if self.keep_area_counts else ()
        return BinomialNull(lifted, self.points.n, *strata)

    def score(
        self, decay: Decay, estimator: LinearEstimator, null: BinomialNull, *, by_attack: bool, weights: Array | None = None
    ) -> LinearScore:
        """Give the score statistic with the baseline refitted in every draw."""
        return decay_score(
            self.points,
            self.sites,
            decay,
            estimator,
            weights=self.weights if weights is None else weights,
            uncertainty=self.uncertainty,
            attack=self.attack if by_attack else None,
            null=null,
        )


@lru_cache(maxsize=4)
def cell_strata(areas: tuple[shapely.Polygon | shapely.MultiPolygon, ...], grid: Grid) -> NDArray[np.intp]:
    """Give the index of the area that holds each of the window's cell centres; a cell in none takes that of the nearest in one.

    Returns
    -------
    (rows, columns) int array
        0 outside the window, and without areas.

    Raises
    ------
    InputError
        If no area holds any cell centre.
    """
    result = np.zeros(grid.shape, np.intp)
    if areas:
        centres = np.column_stack([part[grid.inside] for part in grid.centres])
        label = np.full(len(centres), -1, dtype=np.intp)
        for k, polygon in enumerate(areas):
            shapely.prepare(polygon)
            label[shapely.contains_xy(polygon, *centres.T)] = k
        known = label >= 0
        if not known.any():
            raise InputError("no area covers any part of the window")
        _, nearest = cKDTree(centres[known]).query(centres[~known])
        label[~known] = label[known][nearest]
        result[grid.inside] = label
    result.flags.writeable = False
    return result


def tested_sites(sites: Sites, plan: Plan) -> Sites:
    """Choose the sites the plan tests and collapse them to buildings, where the plan says so and the mark ``building_id`` is there.

    Placeholder positions never pass: a site whose ``uncertainty_m`` is unknown, or not below the plan's largest, is left out.

    Raises
    ------
    InputError
        If none is left.
    """
    marks = sites.marks if sites.marks is not None else pd.DataFrame(index=range(sites.n))
    keep = np.ones(sites.n, bool)
    if "uncertainty_m" in marks:
        keep &= marks["uncertainty_m"].to_numpy(float) < plan.sites.max_uncertainty_m
    if "enters_through" in marks:
        keep &= marks["enters_through"].isin(plan.sites.enters_through).to_numpy()
    if "party_to_conflict" in marks and not plan.sites.include_party_to_conflict:
        keep &= ~marks["party_to_conflict"].astype(bool).to_numpy()
    if not keep.any():
        raise InputError("the plan leaves no sites to test")
    chosen = sites.subset(keep)
    return chosen.buildings() if plan.sites.collapse_to_buildings and "building_id" in marks else chosen


def periods(dates: pd.Series, starts: tuple[str, ...]) -> pd.Series:
    """Give the number of the period that each date falls in, 0 before the first start."""
    edges = np.sort(np.array(starts, "datetime64[ns]"))
    return pd.Series(np.searchsorted(edges, dates.to_numpy("datetime64[ns]"), side="right"), index=dates.index)


def build_design(study: Study, plan: Plan, *, strikes: Strikes | None = None) -> Design:
    """Apply the plan to a study: systematic strikes, located ones weighted, sites tested, cells and strata.

    Parameters
    ----------
    study : Study
    plan : Plan
    strikes : Strikes, optional
        In place of the study's systematic strikes.

    Returns
    -------
    Design

    Raises
    ------
    InputError
        If no located strike or no site is left, or a strike names no area of the study.
    """
    if strikes is None:
        systematic = (study.strikes.frame["selection"] == "systematic").to_numpy()
        if not systematic.any():
            raise InputError("every strike is held out")
        strikes = study.strikes.subset(systematic)
    grid = study.window.grid(spacing=plan.cell_m)
    frame = strikes.frame
    located = strikes.located(plan.strikes.located_max_m)
    names = study.area_names
    area = frame["area"] if study.areas else pd.Series(WHOLE, index=frame.index)
    share = located_share(area, periods(frame["date"], plan.strikes.period_starts), located, cap=plan.strikes.weight_cap)
    code = pd.Index(names).get_indexer(pd.Index(area))
    if (code < 0).any():
        row = int(np.flatnonzero(code < 0)[0])
        raise InputError("names no area of the study", row=row + 1, column="area", value=area.iloc[row])
    points = strikes.points(located)
    assert points.marks is not None
    return Design(
        points,
        share.weights[located],
        points.marks["uncertainty_m"].to_numpy(float),
        points.marks["attack_id"].to_numpy(object),
        code[located],
        np.bincount(code[~located], minlength=len(names)),
        cell_strata(tuple(study.areas.values()), grid),
        tested_sites(study.sites, plan),
        grid,
        share,
        plan.primary.keep_area_counts,
    )
