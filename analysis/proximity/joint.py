"""The site effect fitted jointly with a smooth baseline: log λ = covariates + surface + log(1 + α g(d)).

References
----------
Diggle, P. J. & Rowlingson, B. S. (1994). A conditional approach to point process modelling of elevated risk. JRSS A 157, 433-440.
Rao, C. R. (1948). Large sample tests of statistical hypotheses concerning several parameters. Proc. Cambridge Phil. Soc. 44, 50-57.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2, norm

from ..baseline import FittedSurface, SmoothSurface
from ..inference.results import to_json
from ..pattern import AnalysisWarning, InputError, PointPattern, Sites, label_codes
from .decay import Decay
from .score import strike_weights

Array = NDArray[np.float64]
LARGEST = 1000.0  # α beyond which the estimate is called infinite


@dataclass(frozen=True, eq=False)
class JointResult:
    """Hold a site effect and its test.

    Attributes
    ----------
    alpha : float
        λ at a site over the baseline, less 1; above −1. Infinite when the likelihood rises without end.
    interval : (float, float)
        Where twice the fall of the profile log-likelihood, over ``robust`` squared, stays below the χ²₁ quantile at ``level``.
    level : float
    score : float
        The efficient score of α at 0 over its standard error: by attack where attacks are given.
    p_score, p_ratio : float
        One-sided (α > 0) from the normal law, and from ½χ²₀ + ½χ²₁. Neither is calibrated: rank the score among draws instead, as
        :func:`~analysis.proximity.decay_score_test` does with ``surface.at(…)`` as its baseline.
    likelihood_ratio : float
        Twice the gain of the penalised log-likelihood, smoothing held at its value without the site effect.
    robust : float
        Attack-robust standard error of the score over the Poisson one: how far clustering inflates it.
    fitted : FittedSurface
        The baseline without the site effect.
    """

    alpha: float
    interval: tuple[float, float]
    level: float
    score: float
    p_score: float
    p_ratio: float
    likelihood_ratio: float
    robust: float
    fitted: FittedSurface

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json({name: value for name, value in vars(self).items() if name != "fitted"}))


def joint_site_effect(
    points: PointPattern,
    sites: Sites,
    decay: Decay,
    surface: SmoothSurface,
    *,
    weights: ArrayLike | None = None,
    attack: ArrayLike | None = None,
    level: float = 0.95,
) -> JointResult:
    """Fit a site effect jointly with a penalised baseline, and give its score, likelihood ratio and interval.

    Answers: how much denser are strikes at a site than the smooth surface and the covariates say? The safer question when sites fill the
    centre, where a baseline fitted around them extrapolates. A surface with knots as close as the decay's scale absorbs the effect.

    Parameters
    ----------
    points : PointPattern
    sites : Sites
    decay : Decay
    surface : SmoothSurface
    weights : (n,) array, optional
    attack : (n,) labels, optional
    level : float

    Returns
    -------
    JointResult

    Notes
    -----
    Cost: some 30 penalised fits.

    Raises
    ------
    InputError
        For no strikes or sites, a decay that is zero all over the window, arrays of the wrong length, a missing attack, or a ``level`` not
        between 0 and 1.

    Warns
    -----
    AnalysisWarning
        Without attacks: errors then take strikes as independent.
    """
    if not 0 < level < 1:
        raise InputError("must lie between 0 and 1", column="level", value=level)
    g = decay.field(sites, surface.grid)
    if not (g > 0).any():
        raise InputError("the decay is zero all over the window", column="scale", value=decay.scale)
    weight = strike_weights(weights, points.n)
    null = surface.at(points.easting, points.northing, weight)
    phi = g - null.adjoint(g)
    values = weight * surface.grid.interpolate(phi, points.easting, points.northing)
    poisson = spread = float(np.sqrt((values**2).sum()))
    if attack is None:
        warnings.warn("strikes are taken as independent: give their attacks, or the errors may be too small", AnalysisWarning, stacklevel=2)
    else:
        spread = float(np.sqrt((np.bincount(label_codes(attack, points.n), values) ** 2).sum()))
    score = (float(values.sum()) - null.intensity.expected(phi)) / spread
    kept = SmoothSurface(surface.grid, surface.spacing, surface.covariates, null.smoothing, surface.order)

    def profile(alpha: float) -> float:
        return kept.at(points.easting, points.northing, weight, offset=np.log1p(alpha * g)).log_likelihood

    ends = np.log(1e-3), np.log1p(LARGEST)
    top = minimize_scalar(lambda x: -profile(float(np.expm1(x))), bounds=ends, method="bounded", options={"xatol": 1e-5})
    best, alpha = -float(top.fun), float(np.expm1(top.x))
    infinite = alpha > 0.99 * LARGEST
    ratio = max(0.0, 2 * (best - profile(0.0)))
    robust = spread / poisson
    allowed = 0.5 * float(chi2.ppf(level, 1)) * robust**2

    def fall(x: float) -> float:
        return best - profile(float(np.expm1(x))) - allowed

    low = -1.0 if fall(ends[0]) < 0 else float(np.expm1(brentq(fall, ends[0], top.x, xtol=1e-4)))
    high = np.inf if infinite or fall(ends[1]) < 0 else float(np.expm1(brentq(fall, top.x, ends[1], xtol=1e-4)))
    return JointResult(
        np.inf if infinite else alpha, (low, high), level, score, float(norm.sf(score)),
        float(0.5 * chi2.sf(ratio, 1)) if alpha > 0 else 1.0, ratio, robust, null,
    )  # fmt: skip
