"""The located share: which reports name a place, and the weights that make up for the others.

Most reports name a district only, and which ones name a street is selected towards the centre, where the missions are.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.tools import add_constant
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from ..pattern import InputError
from ..pattern.errors import refuse_rows

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LocatedShare:
    """Hold the located share of each strike's area and period, and the weight of each strike.

    Attributes
    ----------
    share : (n,) array
        Estimated probability that a strike of this area and period is located.
    weights : (n,) array
        Zero for strikes that are not located.
    capped : int
        Located strikes whose weight was cut to the cap.
    effective_n : float
        (Σw)² / Σw² (Kish 1965): the number of equally weighted strikes that would carry as much.
    uncovered : int
        Strikes of areas with no located strike at all: no weight can stand for them.
    """

    share: Array
    weights: Array
    capped: int
    effective_n: float
    uncovered: int


def located_share(area: pd.Series, period: pd.Series, located: NDArray[np.bool_], *, cap: float) -> LocatedShare:
    """Estimate the located share by area × period and weight located strikes by its inverse.

    Parameters
    ----------
    area, period : Series of n labels
    located : (n,) bool array
    cap : float
        Largest weight, in strikes.

    Returns
    -------
    LocatedShare

    Notes
    -----
    logit P(located) = area + period, a binomial GLM (statsmodels): single cells of area × period are too thin for their own share.
    Weights are scaled so that the located strikes of an area add up to all its strikes, then capped. Right when, within an area and a
    period, whether a strike is located does not depend on where in the area it fell; the break-even printed beside the result says
    how wrong that may be.

    References
    ----------
    Kish, L. (1965). Survey Sampling. Wiley, section 11.7. Horvitz, D. G. & Thompson, D. J. (1952). JASA 47, 663-685.

    Raises
    ------
    InputError
        If no strike is located, or a label is missing.
    """
    frame = pd.DataFrame({"area": area.to_numpy(), "period": period.to_numpy()})
    for name in frame:
        refuse_rows(frame[name].isna(), "needed to weight located strikes", column=str(name))
    if not located.any():
        raise InputError("no strike is located finely enough for the test")
    if located.all():
        share = np.ones(len(frame))
    else:
        design = pd.get_dummies(frame.astype(str), drop_first=True, dtype=float)
        with warnings.catch_warnings():
            # an area with all or none located has share one or zero, which is its estimate
            warnings.simplefilter("ignore", PerfectSeparationWarning)
            fit = GLM(located.astype(float), add_constant(design), family=Binomial()).fit()
        share = np.asarray(fit.fittedvalues, float)
    weights = np.where(located, 1 / np.maximum(share, 1e-9), 0.0)
    totals = frame.assign(w=weights, one=1.0).groupby("area")[["w", "one"]].transform("sum")
    covered = totals["w"].to_numpy() > 0
    weights = weights * np.where(covered, totals["one"] / totals["w"].where(covered, 1.0), 0.0)
    capped = int((weights > cap).sum())
    weights = np.minimum(weights, cap)
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    return LocatedShare(share, weights, capped, effective, int((~covered).sum()))
