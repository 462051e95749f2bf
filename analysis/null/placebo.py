"""Matched placebo sites: places that are no sites but have the sites' baseline covariates.

References
----------
Stuart, E. A. (2010). Matching methods for causal inference: a review and a look forward. Statistical Science 25, 1-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ..pattern import Grid, InputError, Sites
from .draws import Rng, replicate_rng, seed_sequence

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PlaceboSites:
    """Hold draws of placebo sites, as many in each as there are sites.

    Attributes
    ----------
    easting, northing : (B, m) arrays
        Column j is matched to site j.
    imbalance : {name: float}
        Mean of each covariate over all placebo sites less that over the sites, in standard deviations over the window. Beyond 0.1 or so
        the placebo sites differ from the sites in more than not being sites.
    """

    easting: Array
    northing: Array
    imbalance: dict[str, float]

    def draw(self, k: int, sites: Sites) -> Sites:
        """Give draw k as sites."""
        return Sites(self.easting[k], self.northing[k], sites.window)


def placebo_sites(
    sites: Sites,
    covariates: Mapping[str, Array],
    grid: Grid,
    *,
    n_draws: int,
    rng: Rng,
    min_distance: float = 0.0,
    choices: int = 50,
) -> PlaceboSites:
    """Draw, for each site, a cell among those most like it in the baseline's covariates.

    Answers: are sites nearer to strikes than like places are? No intensity model enters; what the covariates do not describe does.

    Parameters
    ----------
    sites : Sites
    covariates : {name: (rows, columns) array}
        Fields on the cells; distances are taken after each is scaled by its standard deviation over the window.
    grid : Grid
    n_draws : int
    rng : int, SeedSequence or Generator
    min_distance : float
        Placebo sites keep this far from every site. Close ones share the excess and hide it.
    choices : int
        Cells each is drawn from.

    Returns
    -------
    PlaceboSites

    Raises
    ------
    InputError
        For no covariates, one that is constant or not finite in the window, or fewer eligible cells than ``choices``.

    Notes
    -----
    Sites close together get placebo sites that need not be so: a cluster of missions is matched in covariates, not in shape. Cost: m log
    cells, then B × m.
    """
    if not covariates:
        raise InputError("placebo sites are matched on at least one covariate")
    e, n = (c[grid.inside] for c in grid.centres)
    scaled, at_sites = [], []
    for name, values in covariates.items():
        inside = values[grid.inside]
        if not np.isfinite(inside).all():
            raise InputError("a covariate must have a value in every cell of the window", column=name)
        if inside.std() == 0:
            raise InputError("is constant over the window, so nothing can be matched on it", column=name)
        scaled.append(inside / inside.std())
        at_sites.append(values.ravel()[grid.inside_cell(sites.easting, sites.northing)] / inside.std())
    cells, wanted = np.column_stack(scaled), np.column_stack(at_sites)
    eligible = np.flatnonzero(sites.distance(e, n) > min_distance)
    if len(eligible) < choices:
        raise InputError("too few cells are far enough from every site", column="min_distance", value=min_distance)
    candidates = np.asarray(cKDTree(cells[eligible]).query(wanted, k=choices)[1]).reshape(sites.n, choices)
    seed = seed_sequence(rng)
    pick = np.array([replicate_rng(seed, k).integers(0, choices, sites.n) for k in range(n_draws)]).reshape(n_draws, sites.n)
    chosen = eligible[candidates[np.arange(sites.n), pick]]
    gap = cells[chosen].mean(axis=(0, 1)) - wanted.mean(axis=0)
    return PlaceboSites(e[chosen], n[chosen], {name: float(value) for name, value in zip(covariates, gap, strict=True)})
