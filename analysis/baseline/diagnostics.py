"""What a baseline leaves: residuals, their quantiles, partial effects, and the choice among baselines.

References
----------
Baddeley, A., Turner, R., Møller, J. & Hazelton, M. (2005). Residual analysis for spatial point processes. JRSS B 67, 617-666. Baddeley, A.,
Chang, Y.-M., Song, Y. & Turner, R. (2013). Residual diagnostics for covariate effects in spatial point process models. Journal of
Computational and Graphical Statistics 22, 886-905. Cronie, O., Moradi, M. & Biscio, C. A. N. (2024). A
cross-validation-based statistical theory for point processes. Biometrika 111, 625-641.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, norm

from ..pattern import AnalysisWarning, InputError, Intensity, PointPattern, label_codes
from .estimator import Estimator
from .loglinear import LoglinearFit
from .smoothing import edge_mass, smooth

Array = NDArray[np.float64]


def smoothed_residuals(points: PointPattern, intensity: Intensity, bandwidth: float) -> Array:
    """Smooth strikes less expected strikes, with the uniform edge correction, in strikes for each square unit.

    Positive where the baseline predicts too little. Zero outside the window; its integral is n − ∫λ̂ up to the edge correction.
    """
    grid = intensity.grid
    left = grid.count(points.easting, points.northing) - np.where(grid.inside, intensity.values, 0.0) * grid.cell_area
    edge = np.maximum(edge_mass(grid, bandwidth), np.finfo(float).eps)
    return np.where(grid.inside, smooth(left, grid, bandwidth) / edge / grid.cell_area, 0.0)


@dataclass(frozen=True, eq=False)
class QuantileResult:
    """Hold ordered smoothed residuals beside those of simulations.

    Attributes
    ----------
    expected, observed, lower, upper : (k,) arrays
        ``lower`` and ``upper`` are pointwise limits at ``level``: for the eye, not a test.
    level : float
    """

    expected: Array
    observed: Array
    lower: Array
    upper: Array
    level: float


def residual_quantiles(
    observed: Array, simulated: Array, inside: NDArray[np.bool_], *, n_quantiles: int = 200, level: float = 0.95
) -> QuantileResult:
    """Compare the quantiles of smoothed residuals with those of patterns simulated from the fit and refitted.

    Parameters
    ----------
    observed : (rows, columns) array
        From :func:`smoothed_residuals`.
    simulated : (B, rows, columns) array
        The same for each simulated pattern with its own refit; without refitting the limits are too wide.
    inside : (rows, columns) bool array
    n_quantiles : int
    level : float
        What the pointwise limits hold of the simulated quantiles.

    Returns
    -------
    QuantileResult
        Quantiles at (k − ½)/n_quantiles, in strikes for each square unit.

    Raises
    ------
    InputError
        For fewer than 19 simulated fields, or fields of another shape.
    """
    if len(simulated) < 19 or simulated.shape[1:] != observed.shape:
        raise InputError("needs at least 19 simulated fields of the observed field's shape", column="simulated", value=simulated.shape)
    at = (np.arange(n_quantiles) + 0.5) / n_quantiles
    curves = np.quantile(simulated[:, inside], at, axis=1).T
    tail = (1 - level) / 2
    lower, upper = np.quantile(curves, [tail, 1 - tail], axis=0)
    return QuantileResult(curves.mean(axis=0), np.quantile(observed[inside], at), lower, upper, level)


def partial_effect(fit: LoglinearFit, name: str, *, n_bins: int = 12) -> pd.DataFrame:
    """Give the fitted effect of one numeric covariate on log λ and, by bins of it, what the strikes say.

    Returns
    -------
    DataFrame with one row for each bin of equal expected strikes
        value (expected strikes' mean of the covariate), effect (β z), low and high (pointwise 95 %), observed, expected (strikes), partial
        (effect + log observed/expected: NaN in a bin without strikes).

    Raises
    ------
    InputError
        For a name that is not a column of the fit.
    """
    if name not in fit.names[1:]:
        raise InputError("is not a numeric covariate of the fit", column=name, value=fit.names)
    k = fit.names.index(name)
    z, mass = fit.design[:, k], fit.quadrature.weight * np.exp(fit.log_intensity)
    order = np.argsort(z, kind="stable")
    level = np.cumsum(mass[order]) / mass.sum()
    bins = np.empty(len(z), np.intp)
    bins[order] = np.minimum((level * n_bins).astype(np.intp), n_bins - 1)
    # nodes with one value of the covariate share a bin
    bins = bins[order][np.searchsorted(z[order], z)]
    frame = pd.DataFrame({"bin": bins, "zm": z * mass, "expected": mass, "observed": fit.quadrature.is_data.astype(float)})
    table = frame.groupby("bin").sum()
    value = table["zm"] / table["expected"]
    effect = fit.params[k] * value
    half = norm.ppf(0.975) * fit.bse[k] * value.abs()
    with np.errstate(divide="ignore"):
        partial = effect + np.log((table["observed"] / table["expected"]).where(table["observed"] > 0))
    return pd.DataFrame(
        {
            "value": value, "effect": effect, "low": effect - half, "high": effect + half,
            "observed": table["observed"], "expected": table["expected"], "partial": partial,
        }
    ).reset_index(drop=True)  # fmt: skip


def compare_fits(fits: Mapping[str, LoglinearFit]) -> pd.DataFrame:
    """Order log-linear fits of the same strikes on the same nodes by AIC.

    Raises
    ------
    InputError
        If the fits do not share their nodes: then their likelihoods do not compare.
    """
    _same_nodes(list(fits.values()))
    rows = [{"baseline": name, "parameters": len(f.params), "log_likelihood": f.llf, "aic": f.aic} for name, f in fits.items()]
    table = pd.DataFrame(rows).sort_values("aic", ignore_index=True)
    return table.assign(difference=table["aic"] - table["aic"].min())


def likelihood_ratio(smaller: LoglinearFit, larger: LoglinearFit) -> tuple[float, int, float]:
    """Give 2 (log L₁ − log L₀), its degrees of freedom and the χ² p-value for nested fits.

    Raises
    ------
    InputError
        If the fits do not share their nodes and offset, are not both by the method mpl, or the smaller is no special case of the larger.

    Warns
    -----
    AnalysisWarning
        If the strikes come in attacks: the p-value is then too small, and Wald tests with clustered errors should be used.
    """
    _same_nodes([smaller, larger])
    if (smaller.method, larger.method) != ("mpl", "mpl"):
        raise InputError("needs two fits by the method mpl", column="method", value=(smaller.method, larger.method))
    before, after = (fit.log_intensity - fit.design @ fit.params for fit in (smaller, larger))
    if not np.allclose(before, after, atol=1e-6):
        raise InputError("fits must share one offset to be compared", value=larger.name)
    part = np.linalg.lstsq(larger.design, smaller.design, rcond=None)[0]
    gap = np.abs(larger.design @ part - smaller.design).max()
    if len(larger.params) <= len(smaller.params) or gap > 1e-6 * np.abs(smaller.design).max():
        raise InputError("the smaller model must be a special case of the larger")
    if smaller.n_clusters and smaller.n_clusters < smaller.n:
        warnings.warn("the χ² p-value takes strikes as independent; within attacks they are not", AnalysisWarning, stacklevel=2)
    statistic = max(2 * (larger.llf - smaller.llf), 0.0)
    freedom = len(larger.params) - len(smaller.params)
    return statistic, freedom, float(chi2.sf(statistic, freedom))


def _same_nodes(fits: list[LoglinearFit]) -> None:
    first = fits[0].quadrature
    for fit in fits[1:]:
        if not all(np.array_equal(values, vars(fit.quadrature)[name]) for name, values in vars(first).items()):
            raise InputError("fits must share one quadrature to be compared", value=fit.name)


def cross_validate(
    points: PointPattern,
    estimators: Mapping[str, Estimator],
    *,
    rng: int | SeedSequence | Generator,
    attack: ArrayLike | None = None,
    n_folds: int = 10,
) -> pd.DataFrame:
    """Score baselines by how well they predict attacks they have not seen.

    Answers: which baseline describes the strikes best? Not: which holds the level of a test, which only simulated worlds can say.

    Parameters
    ----------
    points : PointPattern
    estimators : {name: estimator}
    rng : int, SeedSequence or Generator
        Deals attacks to folds.
    attack : (n,) labels, optional
        Strikes of one attack stay in one fold; without, salvos make the finest baseline look best.
    n_folds : int

    Returns
    -------
    DataFrame, best first
        baseline; score, the mean over strikes of log λ̂ − (∫λ̂ − 1) with λ̂ fitted to the other folds and scaled to the fold's size; se, its
        standard error over folds; zeros, strikes that fell where λ̂ was zero, for which the score is −inf.

    Raises
    ------
    InputError
        For a strike without a label, fewer attacks than folds, or fewer than 2 folds.
    """
    code = np.arange(points.n) if attack is None else label_codes(attack, points.n)
    units = int(code.max(initial=-1)) + 1
    if not 2 <= n_folds <= units:
        raise InputError("must lie between 2 and the number of attacks", column="n_folds", value=n_folds)
    fold = np.random.default_rng(rng).permutation(np.arange(units) % n_folds)[code]
    rows = []
    for name, estimator in estimators.items():
        scores, sizes, zeros = np.zeros(n_folds), np.zeros(n_folds), 0
        for k in range(n_folds):
            held = fold == k
            fitted = estimator.fit(points.easting[~held], points.northing[~held])
            scale = held.sum() / (~held).sum()
            at = fitted.at(points.easting[held], points.northing[held]) * scale
            zeros += int((at <= 0).sum())
            with np.errstate(divide="ignore"):
                scores[k] = np.log(at).sum() - (fitted.total * scale - held.sum())
            sizes[k] = held.sum()
        mean = scores.sum() / points.n
        spread = np.sqrt(n_folds / (n_folds - 1) * ((scores - mean * sizes) ** 2).sum()) / points.n if zeros == 0 else np.inf
        rows.append({"baseline": name, "score": mean, "se": float(spread), "zeros": zeros})
    return pd.DataFrame(rows).sort_values("score", ascending=False, ignore_index=True)
