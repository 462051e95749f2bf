"""A penalised smooth surface: log λ as covariates plus tensor-product B-splines whose roughness is held down, by REML.

References
----------
Eilers, P. H. C. & Marx, B. D. (1996). Flexible smoothing with B-splines and penalties. Statistical Science 11, 89-121. Currie, I. D.,
Durban, M. & Eilers, P. H. C. (2006). Generalized linear array models. JRSS B 68, 259-280. Wood, S. N. & Fasiolo, M. (2017). A generalized
Fellner-Schall method for smoothing parameter optimization. Biometrics 73, 1071-1081.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..pattern import Grid, InputError, Intensity

Array = NDArray[np.float64]
SMOOTHING = (1e-4, 1e6)  # bounds of the smoothing parameter: at the upper one the surface is its null space
LARGEST_BASIS = 1500


@dataclass(frozen=True, eq=False)
class SmoothSurface:
    """Estimate log λ(u) = Σ β_k z_k(u) + s(u), s a penalised surface that holds the intercept.

    Answers: where do strikes fall anyway, when covariates tell only part of it? With knots kilometres apart, s follows what varies over
    kilometres and leaves a rise within a few hundred metres of sites to the test.

    Parameters
    ----------
    grid : Grid
    spacing : float
        Distance of the knots, in the window's unit.
    covariates : {name: (rows, columns) array}
        Fields on the cells, finite inside the window.
    smoothing : float, optional
        Weight of the roughness; default chosen by REML at each fit.
    order : {1, 2}
        Roughness is the sum of squared first or second differences of neighbouring coefficients. What it leaves free: a constant, or
        a plane and its twist.

    Raises
    ------
    InputError
        For a spacing or smoothing that is not a positive number, a spacing that needs over 1,500 basis functions, an unknown order, or a
        covariate that is not finite or constant; when fitted, for no strikes.

    Notes
    -----
    Fitted on the cells by Newton's method with array products (Currie et al. 2006): cells × knots along one side, plus knots³, a
    step. Strikes with weights count as if their variance were their mean times Σw²/Σw.
    """

    grid: Grid
    spacing: float
    covariates: Mapping[str, Array] = field(default_factory=dict)
    smoothing: float | None = None
    order: int = 2

    def __post_init__(self) -> None:
        for name, value in (("spacing", self.spacing), ("smoothing", 1.0 if self.smoothing is None else self.smoothing)):
            if not (np.isfinite(value) and value > 0):
                raise InputError("must be a positive number", column=name, value=value)
        if self.order not in (1, 2):
            raise InputError("must be 1 or 2", column="order", value=self.order)
        grid = self.grid
        rows, columns = _n_splines(grid.shape[0] * grid.dy, self.spacing), _n_splines(grid.shape[1] * grid.dx, self.spacing)
        if rows * columns > LARGEST_BASIS:
            raise InputError("the knots are too close for the window", column="spacing", value=self.spacing)
        for name, values in self.covariates.items():
            if values.shape != grid.shape or not np.isfinite(values[grid.inside]).all():
                raise InputError("a covariate must have a value in every cell of the window", column=name)
            if np.ptp(values[grid.inside]) == 0:
                raise InputError("is constant over the window, so it cannot be told from the intercept", column=name)

    @property
    def name(self) -> str:
        """The baseline's name as printed."""
        also = f", {', '.join(self.covariates)}" if self.covariates else ""
        return f"smooth surface, knots {self.spacing:g} apart{also}"

    def fit(self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None) -> Intensity:
        """Estimate the intensity from strikes, each counting ``weights`` times."""
        return self.at(easting, northing, weights).intensity

    def at(
        self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None, *, offset: Array | None = None
    ) -> FittedSurface:
        """Fit, and keep what a refitted test needs: see :class:`FittedSurface`.

        Raises
        ------
        InputError
            If there are no strikes, or covariates and surface cannot be told apart.
        """
        weight = np.ones(np.size(easting)) if weights is None else np.asarray(weights, float)
        if weight.sum() <= 0:
            raise InputError("a smooth surface needs at least one strike")
        dispersion = float((weight**2).sum() / weight.sum())
        counts = self._counts(easting, northing, weight / dispersion)
        shift = np.zeros(self.grid.shape) if offset is None else offset
        beta = self._start(counts, shift)
        lam = 1.0 if self.smoothing is None else self.smoothing
        for _ in range(100):
            beta, hessian, value = self._newton(counts, shift, lam, beta)
            if self.smoothing is not None:
                break
            rough = float(beta @ self._penalty @ beta)
            free = self._rank - lam * float(np.trace(cho_solve(hessian, self._penalty)))
            new = float(np.clip(free / max(rough, 1e-300), *SMOOTHING))
            if abs(np.log(new / lam)) < 1e-4:
                break
            lam = new
        else:
            beta, hessian, value = self._newton(counts, shift, lam, beta)
        values = np.exp(np.where(self.grid.inside, self._eta(beta) + shift, -np.inf)) * dispersion
        return FittedSurface(self, Intensity(values, self.grid, self.name), beta, lam, dispersion, hessian, value)

    @cached_property
    def _basis(self) -> tuple[Array, Array]:
        grid = self.grid
        rows = _splines(grid.y, grid.south, grid.dy * grid.shape[0], self.spacing)
        return rows, _splines(grid.x, grid.west, grid.dx * grid.shape[1], self.spacing)

    @cached_property
    def _fields(self) -> Array:
        """Covariates, centred and scaled over the window, zero outside: (q, rows, columns)."""
        inside = self.grid.inside
        parts = [np.where(inside, (z - z[inside].mean()) / z[inside].std(), 0.0) for z in self.covariates.values()]
        return np.array(parts).reshape(len(parts), *self.grid.shape)

    @cached_property
    def _penalty(self) -> Array:
        q, (ny, nx) = len(self.covariates), (b.shape[1] for b in self._basis)
        dy, dx = (np.diff(np.eye(k), self.order, axis=0) for k in (ny, nx))
        penalty = np.zeros((q + ny * nx, q + ny * nx))
        penalty[q:, q:] = np.kron(dy.T @ dy, np.eye(nx)) + np.kron(np.eye(ny), dx.T @ dx)
        return penalty

    @property
    def _rank(self) -> int:
        return len(self._penalty) - len(self.covariates) - self.order**2

    def _counts(self, easting: ArrayLike, northing: ArrayLike, weights: Array) -> Array:
        # a strike in a rim cell whose centre lies outside has no area to stand for it, and would draw the surface to infinity
        cells = self.grid.inside_cell(easting, northing)
        return np.bincount(cells, weights, self.grid.inside.size).astype(float).reshape(self.grid.shape)

    def _eta(self, beta: Array) -> Array:
        q, (by, bx) = len(self.covariates), self._basis
        surface = by @ beta[q:].reshape(by.shape[1], bx.shape[1]) @ bx.T
        return np.asarray(surface + np.tensordot(beta[:q], self._fields, 1))

    def _project(self, values: Array) -> Array:
        """X'v for v on the cells."""
        by, bx = self._basis
        return np.r_[np.tensordot(self._fields, values, 2), (by.T @ values @ bx).ravel()]

    def _gram(self, mass: Array) -> Array:
        """X' diag(mass) X by array products."""
        q, (by, bx) = len(self.covariates), self._basis
        (ny, nx), p = (by.shape[1], bx.shape[1]), len(self._penalty)
        pairs_y, pairs_x = ((b[:, :, None] * b[:, None, :]).reshape(len(b), -1) for b in (by, bx))
        gram = np.zeros((p, p))
        gram[q:, q:] = (pairs_y.T @ mass @ pairs_x).reshape(ny, ny, nx, nx).transpose(0, 2, 1, 3).reshape(ny * nx, ny * nx)
        for k, z in enumerate(self._fields):
            gram[k] = gram[:, k] = self._project(z * mass)
        return gram

    def _start(self, counts: Array, offset: Array) -> Array:
        level = np.log(counts.sum() / self.grid.integral(np.exp(offset)))
        return np.r_[np.zeros(len(self.covariates)), np.full(len(self._penalty) - len(self.covariates), level)]

    def _newton(self, counts: Array, offset: Array, lam: float, beta: Array) -> tuple[Array, tuple[Array, bool], float]:
        """Maximise the penalised log-likelihood; give also the factored Hessian and the log-likelihood, penalty subtracted."""
        inside, area = self.grid.inside, self.grid.cell_area
        fixed = self._project(counts)

        def objective(b: Array) -> tuple[float, Array]:
            with np.errstate(over="ignore", invalid="ignore"):
                mass = area * np.exp(np.where(inside, self._eta(b) + offset, -np.inf))
                return float((counts * offset).sum() + fixed @ b - mass.sum() - 0.5 * lam * b @ self._penalty @ b), mass

        value, mass = objective(beta)
        for _ in range(60):
            try:
                hessian = cho_factor(self._gram(mass) + lam * self._penalty)
            except LinAlgError:
                raise InputError("covariates and the smooth surface cannot be told apart", column="covariates") from None
            gradient = fixed - self._project(mass) - lam * self._penalty @ beta
            step = cho_solve(hessian, gradient)
            if gradient @ step < 1e-9 * max(1.0, abs(value)):
                # the last step doubles the digits
                return beta + step, hessian, value
            size = 1.0
            tried, tried_mass = objective(beta + step)
            while not tried >= value - 1e-10 * abs(value) and size > 1e-9:
                size /= 2
                tried, tried_mass = objective(beta + size * step)
            beta, value, mass = beta + size * step, tried, tried_mass
        raise InputError("the smooth surface does not converge")


@dataclass(frozen=True, eq=False)
class FittedSurface:
    """Hold a fitted surface as an estimator for refitted tests: its smoothing fixed, its response to the strikes linearised.

    Refitting to strikes near those it was fitted to moves λ̂ by λ̂ X H⁻¹ X'(y − μ̂), so to first order ∫ f λ̂ = constant + Σ w_i (A f)(x_i)
    with A f = X H⁻¹ X'(λ̂ f). The score Σ w_i (g − A g)(x_i) is then the efficient score, at zero, of a site effect β g or α in
    log(1 + α g) fitted jointly with covariates and surface.

    Attributes
    ----------
    surface : SmoothSurface
    intensity : Intensity
    coefficients : (p,) array
    smoothing : float
    dispersion : float
        Σw²/Σw of the strikes.
    log_likelihood : float
        With the roughness subtracted, strikes counted with weights over the dispersion.
    """

    surface: SmoothSurface
    intensity: Intensity
    coefficients: Array
    smoothing: float
    dispersion: float
    _hessian: tuple[Array, bool]
    log_likelihood: float

    @property
    def grid(self) -> Grid:
        """The cells it works on."""
        return self.surface.grid

    @property
    def name(self) -> str:
        """The baseline's name as printed."""
        return self.surface.name

    @property
    def freedom(self) -> float:
        """Effective number of coefficients: the trace of (X'WX + λS)⁻¹ X'WX."""
        return len(self.coefficients) - self.smoothing * float(np.trace(cho_solve(self._hessian, self.surface._penalty)))

    def fit(self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None) -> Intensity:
        """Refit with the smoothing kept, without the offset if there was one."""
        return replace(self.surface, smoothing=self.smoothing).fit(easting, northing, weights)

    def adjoint(self, field: Array) -> Array:
        """Give A f on the cells: one product and one solve."""
        mass = self.intensity.values / self.dispersion * self.grid.cell_area
        solved = cho_solve(self._hessian, self.surface._project(field * mass))
        return np.where(self.grid.inside, self.surface._eta(solved), 0.0)


def _n_splines(length: float, spacing: float) -> int:
    return max(int(np.ceil(length / spacing)), 1) + 3


def _splines(at: Array, start: float, length: float, spacing: float) -> Array:
    """Cubic B-splines on equal knots that cover the side: (len(at), intervals + 3)."""
    intervals = _n_splines(length, spacing) - 3
    knots = start + (np.arange(intervals + 7) - 3) * (length / intervals)
    return np.asarray(BSpline.design_matrix(at, knots, 3).toarray())
