"""Log-linear intensity, fitted by Berman–Turner quadrature or logistic regression through statsmodels.

References
----------
Berman, M. & Turner, T. R. (1992). Applied Statistics 41, 31-38. Baddeley, A. & Turner, R. (2000). Practical maximum pseudolikelihood
for spatial point patterns. Australian and New Zealand Journal of Statistics 42, 283-322. Baddeley, A., Coeurjolly, J.-F., Rubak, E. &
Waagepetersen, R. (2014). Biometrika 101, 377-392. Waagepetersen, R. (2007). An estimating function approach to inference for
inhomogeneous Neyman-Scott processes. Biometrics 63, 252-258.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from formulaic import ModelSpec, model_matrix  # type: ignore[import-untyped]
from formulaic.errors import DataMismatchWarning, FormulaicError  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from statsmodels.genmod.families import Binomial, Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from ..pattern import AnalysisWarning, Grid, InputError, Intensity, PointPattern, Sites, label_codes
from .newton import RUNS_OFF, poisson_newton
from .quadrature import Quadrature, quadrature_for, without_discs

Array = NDArray[np.float64]
Covariate = Callable[[Array, Array], ArrayLike] | ArrayLike
LARGEST_CONDITION = 1e5  # of the standardised columns; beyond, they are collinear for all that the digits can tell


@dataclass(frozen=True, eq=False)
class LoglinearFit:
    """Hold a fitted log-linear intensity.

    Attributes
    ----------
    names : tuple of str
        Intercept first, then covariates as given; a factor has one entry for each level but its first.
    params, bse : (p,) arrays
        Coefficients and their standard errors.
    covariance : (p, p) array
    llf : float
        Σ log λ(x_i) − Σ_j w_j λ(u_j) at the fit.
    n, n_clusters : int
        Strikes fitted to; clusters of the standard errors, 0 when strikes are taken as independent.
    method : str
    quadrature : Quadrature
    design : (m, p) array
        Columns at the nodes.
    log_intensity : (m,) array
        At the nodes.
    """

    names: tuple[str, ...]
    params: Array
    bse: Array
    covariance: Array
    llf: float
    n: int
    n_clusters: int
    method: str
    quadrature: Quadrature
    design: Array
    log_intensity: Array
    _covariates: Mapping[str, Covariate]
    _offset: Covariate
    _spec: ModelSpec
    _points: PointPattern

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2p − 2 log L; meant for independent strikes."""
        return 2 * len(self.params) - 2 * self.llf

    @property
    def name(self) -> str:
        """The baseline's name as printed."""
        return f"log-linear in {', '.join(self._covariates)}" if self._covariates else "log-linear, constant"

    def cov_params(self) -> Array:
        """Give the covariance matrix of the coefficients."""
        return self.covariance

    def intensity(self, grid: Grid | None = None) -> Intensity:
        """Evaluate the fit on the cells of the whole window, excluded discs included; default 256 × 256.

        Raises
        ------
        InputError
            If a covariate was given as an array, has a gap, or takes a label that the fit has not seen.
        """
        cells = self._points.window.grid(shape=(256, 256)) if grid is None else grid
        e, n = (c[cells.inside] for c in cells.centres)
        values = np.zeros(cells.shape)
        values[cells.inside] = np.exp(self.predict(e, n))
        return Intensity(values, cells, self.name)

    def predict(self, easting: ArrayLike, northing: ArrayLike) -> Array:
        """Give log λ at places, (n,), from covariates that are functions.

        Raises
        ------
        InputError
            As :meth:`intensity`.
        """
        e, n = np.asarray(easting, float), np.asarray(northing, float)
        parts = {**self._covariates, "offset": self._offset}
        fixed = [name for name, part in parts.items() if not callable(part) and np.ndim(part)]
        if fixed:
            raise InputError("was given as an array at the nodes; give a function of easting and northing to predict", column=fixed[0])
        with warnings.catch_warnings():
            warnings.simplefilter("error", DataMismatchWarning)
            try:
                design = self._spec.get_model_matrix(_frame(self._covariates, e, n))
            except DataMismatchWarning:
                raise InputError("a covariate takes a label where it is predicted that it has not at any node") from None
        return np.asarray(design, float) @ self.params + _evaluate("offset", self._offset, e, n)

    def summary(self) -> str:
        """Give a table of coefficients, with a sentence on what the errors rest on."""
        width = max(map(len, self.names))
        z = self.params / self.bse
        lines = [f"{'':<{width}}  {'estimate':>12}  {'std. error':>12}  {'z':>8}  {'p':>8}"]
        for name, b, se, value in zip(self.names, self.params, self.bse, z, strict=True):
            lines.append(f"{name:<{width}}  {b:>12.5g}  {se:>12.5g}  {value:>8.2f}  {2 * norm.sf(abs(value)):>8.2g}")
        how = f"clustered by {self.n_clusters} attacks" if self.n_clusters else "strikes taken as independent"
        size = f"{self.n} strikes, {self.quadrature.n} nodes, log L {self.llf:.6g}, AIC {self.aic:.6g}"
        lines.append(f"{size}; errors: {how} ({self.method}).")
        return "\n".join(lines)

    __str__ = summary


def fit_loglinear(
    points: PointPattern,
    covariates: Mapping[str, Covariate],
    *,
    offset: Covariate | None = None,
    quadrature: Quadrature | None = None,
    dummy: int = 128,
    method: Literal["mpl", "logistic"] = "mpl",
    formula: str | None = None,
    cluster: ArrayLike | None = None,
    exclude: tuple[Sites, float] | None = None,
) -> LoglinearFit:
    """Fit log λ(u) = offset(u) + β₀ + Σ β_k z_k(u).

    Answers: how does the intensity of strikes follow these covariates? Misleads when a covariate stands for nearness to sites, or when
    strikes of one attack are taken as independent: then errors are far too small.

    Parameters
    ----------
    points : PointPattern
    covariates : {name: function of (easting, northing), or array aligned with the quadrature}
        Numbers, or labels, which become a factor.
    offset : function or array, optional
        Added to log λ: the logarithm of an exposure.
    quadrature : Quadrature, optional
        Own nodes; its data nodes must be the points, in their order.
    dummy : int
        Tiles along each side of the bounding box when the quadrature is laid here.
    method : {"mpl", "logistic"}
        Berman–Turner (weighted Poisson regression), or logistic regression of strikes against dummy points with offset −log ρ, ρ
        being dummy points for each unit of area. The logistic fit has no bias from the quadrature but more variance.
    formula : str, optional
        Right-hand side in the names of the covariates, as ``"raion * centre"``; default their sum.
    cluster : (n,) labels, optional
        Attacks: standard errors then hold for attacks that are independent and Poisson in number.
    exclude : (Sites, radius), optional
        Fit outside discs around the sites only; :meth:`LoglinearFit.intensity` extrapolates into them.

    Returns
    -------
    LoglinearFit

    Notes
    -----
    The covariance is the inverse of I = Σ_j w_j λ_j z_j z_j'; with ``cluster``, I⁻¹ (Σ_c s_c s_c') I⁻¹ with s_c the sum of z over
    the strikes of c (Waagepetersen 2007). For the logistic method it is that of logistic regression: exact for Poisson dummy points
    and, on tiles as here, a little too large. Columns are standardised for the fit and sent back. Cost: nodes × p², for a few steps.

    Raises
    ------
    InputError
        For no points, an unknown method, own nodes beside discs or without every strike, a formula that cannot be read or has no
        intercept, a gap in a covariate, constant or collinear covariates, a label without strikes, arrays of the wrong length, or no
        convergence: a coefficient that runs off to infinity.

    Warns
    -----
    AnalysisWarning
        If the points carry attacks with more than one strike and ``cluster`` is not given.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> from analysis.pattern import Window
    >>> points = PointPattern([1, 2, 3], [1, 3, 2], Window(box(0, 0, 4, 4)))
    >>> float(fit_loglinear(points, {}).params[0].round(6)) == round(float(np.log(3 / 16)), 6)
    True
    """
    if method not in ("mpl", "logistic"):
        raise InputError("must be mpl or logistic", column="method", value=method)
    if exclude is not None and quadrature is not None:
        raise InputError("give either own nodes or discs to exclude", column="quadrature")
    labels = _labels(points, cluster)
    kept, keep = (points, np.ones(points.n, bool)) if exclude is None else without_discs(points, *exclude)
    if kept.n == 0:
        raise InputError("a log-linear model needs at least one strike")
    nodes = quadrature or quadrature_for(kept, dummy=dummy, strikes_weigh=method == "mpl")
    if int(nodes.is_data.sum()) != kept.n:
        raise InputError("the quadrature must hold every strike once", column="is_data", value=int(nodes.is_data.sum()))
    frame = _frame(covariates, nodes.easting, nodes.northing)
    spec, design, names = _design(frame, formula, nodes.is_data)
    offset = 0.0 if offset is None else offset
    shift = _evaluate("offset", offset, nodes.easting, nodes.northing)
    scaled, back = _standardise(design, names)
    model, options = _berman_turner(scaled, nodes, shift) if method == "mpl" else _logistic(scaled, nodes, shift, kept.window.area)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            fit = model.fit(**options)
            residual = model.var_weights * fit.resid_response
    except ValueError:  # so far off that the deviance overflows
        raise InputError(RUNS_OFF) from None
    beta, covariance = np.asarray(fit.params), np.asarray(fit.cov_params())
    # a coefficient that runs off to infinity stops where the likelihood no longer moves; another step would move log λ all the same
    step = covariance @ (scaled.T @ residual)
    if not np.abs(scaled @ step).max() < 0.01:
        raise InputError(RUNS_OFF)
    params = back @ beta
    log_intensity = scaled @ beta + shift
    clusters = 0
    if labels is not None:
        totals = pd.DataFrame(scaled[nodes.is_data]).groupby(labels[keep]).sum().to_numpy()
        covariance = covariance @ (totals.T @ totals) @ covariance
        clusters = len(totals)
    covariance = back @ covariance @ back.T
    llf = float(log_intensity[nodes.is_data].sum() - (nodes.weight * np.exp(log_intensity)).sum())
    return LoglinearFit(
        names, params, np.sqrt(np.diag(covariance)), covariance, llf, kept.n, clusters, method, nodes, design, log_intensity,
        dict(covariates), offset, spec, points,
    )  # fmt: skip


def _labels(points: PointPattern, cluster: ArrayLike | None) -> NDArray[np.intp] | None:
    if cluster is None:
        marks = points.marks
        if marks is not None and "attack_id" in marks and marks["attack_id"].duplicated().any():
            warnings.warn(
                "strikes of one attack are not independent: give cluster, or the standard errors are too small",
                AnalysisWarning, stacklevel=3,
            )  # fmt: skip
        return None
    return label_codes(cluster, points.n, "cluster")


def _evaluate(name: str, part: Covariate, e: Array, n: Array) -> Any:
    """Give a covariate at places, checked for length and gaps."""
    values = np.asarray(part(e, n) if callable(part) else part)
    values = np.broadcast_to(values, e.shape) if values.ndim == 0 else values
    if values.shape != e.shape:
        raise InputError("must have one value for each node", column=name, value=values.shape)
    gap = pd.isna(values) if values.dtype.kind not in "biuf" else ~np.isfinite(values.astype(float))
    if gap.any():
        k = int(np.flatnonzero(gap)[0])
        place = f"at easting {e[k]:.6g}, northing {n[k]:.6g}"
        raise InputError(f"a covariate must have a value all over the window; {int(gap.sum())} places have none, one {place}", column=name)
    return values.astype(float) if values.dtype.kind in "biuf" else values.astype(str)


def _frame(covariates: Mapping[str, Covariate], e: Array, n: Array) -> pd.DataFrame:
    return pd.DataFrame({name: _evaluate(name, part, e, n) for name, part in covariates.items()}, index=range(len(e)))


def _design(frame: pd.DataFrame, formula: str | None, is_data: NDArray[np.bool_]) -> tuple[ModelSpec, Array, tuple[str, ...]]:
    for name in frame:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            bare = sorted(set(frame[name]) - set(frame[name][is_data]))
            if bare:
                raise InputError("no strike has this label, so its coefficient is infinite; merge it", column=name, value=bare[0])
    text = formula or " + ".join(["1", *(f"`{name}`" for name in frame)])
    try:
        matrix = model_matrix(text, frame)
    except (FormulaicError, NameError, SyntaxError) as fault:
        raise InputError(f"the formula cannot be read: {fault}", column="formula", value=text) from None
    names = tuple(str(name) for name in matrix.columns)
    if not names or names[0] != "Intercept":
        raise InputError("a log-linear model needs its intercept", column="formula", value=text)
    return matrix.model_spec, matrix.to_numpy(float), names


def _standardise(design: Array, names: tuple[str, ...]) -> tuple[Array, Array]:
    """Give centred and scaled columns, and the matrix that sends their coefficients back."""
    centre, scale = design.mean(axis=0), design.std(axis=0)
    centre[0], scale[0] = 0.0, 1.0
    # rounding leaves a constant column with a spread of about 1e-16 of its size
    flat = np.flatnonzero(scale <= 1e-10 * np.maximum(np.abs(centre), np.finfo(float).tiny))
    if len(flat):
        raise InputError("is constant over the window, so it cannot be told from the intercept", column=names[flat[0]])
    scaled = (design - centre) / scale
    scaled[:, 0] = 1.0
    spread, parts = np.linalg.eigh(scaled.T @ scaled / len(scaled))
    if spread[0] < spread[-1] / LARGEST_CONDITION**2:
        worst = int(np.abs(parts[:, 0]).argmax())
        raise InputError("covariates are collinear: this one is a combination of the others", column=names[worst])
    back = np.diag(1 / scale)
    back[0, 1:] = -centre[1:] / scale[1:]
    return scaled, back


def _berman_turner(design: Array, nodes: Quadrature, offset: Array) -> tuple[GLM, dict[str, Any]]:
    if (nodes.weight <= 0).any():
        raise InputError("Berman–Turner weights must be above zero", column="weight")
    y = nodes.is_data.astype(float)
    start = poisson_newton(design, y[None], nodes.weight, offset=offset, tolerance=1e-8)[0]
    model = GLM(y / nodes.weight, design, family=Poisson(), offset=offset, var_weights=nodes.weight)
    return model, {"start_params": start, "tol": 1e-7, "maxiter": 50}  # one step from the optimum


def _logistic(design: Array, nodes: Quadrature, offset: Array, area: float) -> tuple[GLM, dict[str, Any]]:
    rho = float((~nodes.is_data).sum()) / area
    model = GLM(nodes.is_data.astype(float), design, family=Binomial(), offset=offset - np.log(rho))
    return model, {"tol": 1e-12, "rtol": 1e-12, "maxiter": 100}
