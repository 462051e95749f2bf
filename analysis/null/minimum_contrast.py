"""Cluster models fitted to a K function or pair correlation by minimum contrast.

References
----------
Diggle, P. J. & Gratton, R. J. (1984). Monte Carlo methods of inference for implicit statistical models. JRSS B 46, 193-227. Møller, J.,
Syversveen, A. R. & Waagepetersen, R. P. (1998). Log Gaussian Cox processes. Scandinavian Journal of Statistics 25, 451-482. Waagepetersen,
R. & Guan, Y. (2009). Two-step estimation for inhomogeneous spatial point processes. JRSS B 71, 685-702.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import cumulative_simpson
from scipy.optimize import minimize

from ..pattern import AnalysisWarning, InputError

Array = NDArray[np.float64]
Summary = Literal["k", "pcf"]
STEPS = 2048  # of the integral that turns a pair correlation into K


@dataclass(frozen=True)
class ClusterFit:
    """Hold a fitted cluster model.

    Attributes
    ----------
    model : {"thomas", "lgcp"}
    strength : float
        Thomas: parents for each square unit. Log-Gaussian Cox: variance of the log-intensity.
    scale : float
        Thomas: standard deviation of the distance from a parent on each axis. Log-Gaussian Cox: range of the exponential covariance.
    contrast : float
        Mean over r of the squared difference of the curves to the power ``power``.
    """

    model: Literal["thomas", "lgcp"]
    strength: float
    scale: float
    contrast: float


def thomas_curve(r: Array, strength: float, scale: float, summary: Summary = "k") -> Array:
    """Give K(r) = πr² + (1 − exp(−r²/4σ²))/κ, or g(r) = 1 + exp(−r²/4σ²)/4πκσ²; ``strength`` is κ, ``scale`` σ."""
    fall = np.exp(-0.25 * (r / scale) ** 2)
    return np.asarray(np.pi * r**2 + (1 - fall) / strength if summary == "k" else 1 + fall / (4 * np.pi * strength * scale**2))


def lgcp_curve(r: Array, strength: float, scale: float, summary: Summary = "k") -> Array:
    """Give g(r) = exp(s² exp(−r/a)), or K(r) = 2π ∫₀ʳ t g(t) dt; ``strength`` is s², ``scale`` a."""
    if summary == "pcf":
        return np.asarray(np.exp(strength * np.exp(-r / scale)))
    t = np.linspace(0, r.max(), STEPS + 1)
    integral = cumulative_simpson(2 * np.pi * t * np.exp(strength * np.exp(-t / scale)), x=t, initial=0)
    return np.interp(r, t, integral)


CURVES: dict[str, Callable[..., Array]] = {"thomas": thomas_curve, "lgcp": lgcp_curve}


def fit_cluster(
    r: ArrayLike,
    observed: ArrayLike,
    *,
    model: Literal["thomas", "lgcp"],
    summary: Summary = "k",
    power: float = 0.25,
) -> ClusterFit:
    """Fit a Thomas or log-Gaussian Cox process to a curve.

    Answers: how strong, and over what distance, is the clustering that the baseline leaves? The curve should come from the strikes with
    their baseline (the inhomogeneous K): a K that takes the intensity as constant turns the city's centre into clustering.

    Parameters
    ----------
    r : (m,) array
        Distances, increasing, in the window's unit.
    observed : (m,) array
        K or pair correlation at r; its range sets the fit. Diggle recommends r up to a quarter of the window's side.
    model : {"thomas", "lgcp"}
        Gaussian clusters around Poisson parents, or a Gaussian log-intensity with exponential covariance.
    summary : {"k", "pcf"}
    power : float
        q of ∫ (K̂^q − K^q)² dr.

    Returns
    -------
    ClusterFit

    Raises
    ------
    InputError
        For an unknown model or summary, fewer than five distances, curves of unequal length, distances not increasing, or values that
        are not finite or negative.

    Warns
    -----
    AnalysisWarning
        If the curve shows no clustering to fit, or the scale runs beyond the distances given.
    """
    distance, curve = np.asarray(r, float), np.asarray(observed, float)
    if model not in CURVES:
        raise InputError("must be thomas or lgcp", column="model", value=model)
    if summary not in ("k", "pcf"):
        raise InputError("must be k or pcf", column="summary", value=summary)
    if distance.ndim != 1 or distance.shape != curve.shape or len(distance) < 5:
        raise InputError("a curve needs one value for each of at least five distances", value=(distance.shape, curve.shape))
    if not (np.diff(distance) > 0).all() or distance[0] < 0:
        raise InputError("distances must increase and not be negative", column="r")
    if not np.isfinite(curve).all() or (curve < 0).any():
        raise InputError("must be finite and not negative", column="observed")
    expected = CURVES[model]
    powered = curve**power
    width = np.gradient(distance)
    width /= width.sum()

    def contrast(logged: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(width @ (powered - expected(distance, *np.exp(logged), summary) ** power) ** 2)
        return value if np.isfinite(value) else 1e300

    span = distance[-1]
    strengths = np.geomspace(0.01, 100, 9) / span**2 if model == "thomas" else np.geomspace(0.03, 8, 9)
    starts = np.log(np.array(np.meshgrid(strengths, np.geomspace(0.02, 1, 9) * span)).reshape(2, -1).T)
    first = starts[np.argmin([contrast(start) for start in starts])]
    found = minimize(contrast, first, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-16, "maxiter": 4000})
    strength, scale = (float(value) for value in np.exp(found.x))
    flat = np.pi * distance**2 if summary == "k" else np.ones(len(distance))
    if width @ (curve - flat) <= 0 or scale > span:
        warnings.warn(f"the curve shows no clustering within {span:.4g} to fit a {model} process to", AnalysisWarning, stacklevel=2)
    return ClusterFit(model, strength, scale, float(found.fun))
