"""Raised incidence around sites over a baseline intensity: Diggle's model, its p-value always by Monte Carlo.

References
----------
Diggle, P. J. (1990). A point process modelling approach to raised incidence of a rare phenomenon in the vicinity of a prespecified point.
JRSS A 153, 349-362.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..baseline import LinearEstimator
from ..inference import TestResult, monte_carlo_p, simulate
from ..null import BinomialNull, Draws, Rng, replicate_rng, seed_sequence
from ..pattern import InputError, Intensity, PointPattern, Sites, refuse_few
from .raised_incidence import RaisedIncidence
from .surface import LOG_ALPHA, Surface, log_beta_grid

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class KernelIncidence(RaisedIncidence):
    """Hold a raise over a baseline, as :class:`RaisedIncidence`, with its Monte Carlo test.

    Attributes
    ----------
    test : TestResult
        The likelihood ratio on a grid of (α, β), in the data and in every draw.
    """

    test: TestResult

    @property
    def p_value(self) -> float:
        """Monte Carlo p of the likelihood ratio."""
        return self.test.p_value


@dataclass(frozen=True, eq=False)
class _Decays:
    """Hold exp(−β d²) for the β of the grid: at points as given, and integrated over the baseline."""

    log_beta: Array

    def log_raise(self, squared: Array) -> Array:
        """Give log(1 + α exp(−β d²)): (points, α × β)."""
        decayed = np.exp(-np.exp(self.log_beta) * squared[:, None])
        return np.log1p(np.exp(LOG_ALPHA)[:, None] * decayed[:, None, :]).reshape(len(squared), -1)

    def log_mean(self, shares: Array) -> Array:
        """Give log of the baseline mean of f from the baseline means of the decays: (draws, β) → (draws, α × β)."""
        held = np.maximum(shares, np.finfo(float).tiny)
        return np.logaddexp(0.0, LOG_ALPHA[:, None] + np.log(held)[:, None, :]).reshape(len(shares), -1)


def kernel_raised_incidence(
    cases: PointPattern,
    sites: Sites,
    baseline: Intensity | LinearEstimator,
    *,
    controls: PointPattern | None = None,
    n_simulations: int,
    rng: Rng,
    level: float = 0.95,
) -> KernelIncidence:
    """Fit λ(u) = ρ λ0(u) (1 + α exp(−β d(u)²)), d the distance to the nearest site, and test α = 0.

    Answers: how much denser than the baseline are strikes at a site, and how fast does the excess die out? A baseline smoothed from the
    same strikes absorbs the excess; one from few controls is taken for smoother than it is.

    Parameters
    ----------
    cases : PointPattern
        The strikes.
    sites : Sites
    baseline : Intensity or LinearEstimator
        A known λ0, up to a factor; or an estimator, such as :class:`~analysis.baseline.Kernel`, which is fitted to the controls.
    controls : PointPattern, optional
        Needed with an estimator, and only then.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.
    level : float
        Of the profile intervals.

    Notes
    -----
    log L = Σ log f(x_i) − n log ∫ λ0 f / ∫ λ0 + constant. β is unidentified at α = 0, so the p-value is by Monte Carlo, never from χ²₂:
    with a known λ0 strikes are placed anew from it; with controls, cases and controls swap labels and the kernel is refitted in each draw,
    for which its adjoint is read once at all points. Raises narrower than a cell cannot be seen: if the best is that narrow, or of no
    height that could be named, the result says ``diverged``. Cost: 40 FFTs and a matrix product of n_simulations × n × 1,680.

    Raises
    ------
    InputError
        For no cases, no controls where they are needed, controls where they are not, or a baseline of zero at a case.
    """
    problem = _Problem.of(cases, sites, baseline, controls)
    test = problem.test(n_simulations, rng)
    surface = Surface(problem.value, problem.decays.log_beta, problem.table.reshape(len(LOG_ALPHA), -1))
    return _result(surface, problem, test, level)


def kernel_raised_incidence_test(
    cases: PointPattern,
    sites: Sites,
    baseline: Intensity | LinearEstimator,
    *,
    controls: PointPattern | None = None,
    n_simulations: int,
    rng: Rng,
) -> TestResult:
    """Test α = 0 as :func:`kernel_raised_incidence` does, without fitting: for many data sets in a row.

    Raises
    ------
    InputError
        As :func:`kernel_raised_incidence`.
    """
    return _Problem.of(cases, sites, baseline, controls).test(n_simulations, rng)


@dataclass(frozen=True, eq=False)
class _Problem:
    """Hold the data with what the likelihood needs of them: squared distances of cases and cells, the fitted baseline, the grid."""

    cases: PointPattern
    sites: Sites
    baseline: Intensity | LinearEstimator
    controls: PointPattern | None
    fitted: Intensity
    cells: Array
    near: Array
    decays: _Decays

    @classmethod
    def of(cls, cases: PointPattern, sites: Sites, baseline: Intensity | LinearEstimator, controls: PointPattern | None) -> _Problem:
        """Check the data and fit the baseline."""
        if cases.n == 0:
            raise InputError("there are no cases")
        if isinstance(baseline, Intensity):
            if controls is not None:
                raise InputError("a known intensity takes no controls", column="controls")
            fitted = baseline
        else:
            if controls is None or controls.n == 0:
                raise InputError("there are no controls to fit the baseline to", column="controls")
            fitted = baseline.fit(controls.easting, controls.northing)
        grid = baseline.grid
        cell = grid.inside_cell(cases.easting, cases.northing)
        empty = fitted.values.ravel()[cell] <= 0
        if empty.any():
            raise InputError("the baseline is zero at this case", row=int(np.flatnonzero(empty)[0]) + 1)
        cells = sites.distance(*grid.centres) ** 2
        near = sites.distance(cases.easting, cases.northing) ** 2
        # the grid of β must not look at the cases, or data and draws would be treated differently
        return cls(cases, sites, baseline, controls, fitted, cells, near, _Decays(log_beta_grid(cells[grid.inside], grid.cell_area)))

    def share(self, log_beta: float) -> float:
        """Give the baseline mean of exp(−β d²)."""
        return self.fitted.expected(np.exp(-np.exp(log_beta) * self.cells)) / self.fitted.total

    def value(self, log_alpha: float, log_beta: float) -> float:
        """Give the log-likelihood less that at α = 0."""
        at_cases = np.log1p(np.exp(log_alpha - np.exp(log_beta) * self.near)).sum()
        mean = log_alpha + np.log(max(self.share(log_beta), np.finfo(float).tiny))
        return float(at_cases - self.cases.n * np.logaddexp(0.0, mean))

    @cached_property
    def means(self) -> Array:
        """Log of the baseline mean of f on the grid, (1, α × β)."""
        return self.decays.log_mean(np.array([[self.share(b) for b in self.decays.log_beta]]))

    @cached_property
    def table(self) -> Array:
        """The log-likelihood on the grid, less that at α = 0."""
        return np.asarray(self.decays.log_raise(self.near).sum(axis=0) - self.cases.n * self.means[0])

    def test(self, n_simulations: int, rng: Rng) -> TestResult:
        """Compare the largest likelihood ratio on the grid with its values in draws."""
        refuse_few(n_simulations)
        seed, n = seed_sequence(rng), self.cases.n
        if isinstance(self.baseline, Intensity):
            null = BinomialNull(self.fitted, n)
            simulated = simulate(
                lambda draws: _best(_summed(draws, self.decays, self.sites) - n * self.means), null, n_simulations=n_simulations, rng=seed
            )
            name = null.name
        else:
            assert self.controls is not None
            simulated = _relabelled(self.cases, self.controls, self.sites, self.baseline, self.decays, self.cells, n_simulations, seed)
            name = f"relabelling, {self.baseline.name} of the controls refitted"
        observed = float(_best(self.table[None])[0])
        p = monte_carlo_p(observed, simulated, "greater")
        title = "kernel raised incidence, likelihood ratio"
        return TestResult(title, observed, p, "closer", name, n, n_simulations, str(seed.entropy), simulated)


def _best(log_likelihood: Array) -> Array:
    return 2 * np.maximum(log_likelihood.max(axis=1), 0.0)


def _summed(draws: Draws, decays: _Decays, sites: Sites, chunk: int = 4000) -> Array:
    """Sum log f over the points of each replicate, a few thousand points at a time."""
    squared = sites.distance(draws.easting, draws.northing) ** 2
    result = np.zeros((draws.n_draws, len(LOG_ALPHA) * len(decays.log_beta)))
    for start in range(0, len(squared), chunk):
        rows, replicate = slice(start, start + chunk), draws.replicate[start : start + chunk]
        first = np.flatnonzero(np.r_[True, np.diff(replicate) > 0])
        result[replicate[first]] += np.add.reduceat(decays.log_raise(squared[rows]), first, axis=0)
    return result


def _relabelled(
    cases: PointPattern,
    controls: PointPattern,
    sites: Sites,
    estimator: LinearEstimator,
    decays: _Decays,
    cells: Array,
    n_simulations: int,
    seed: np.random.SeedSequence,
) -> Array:
    e, n = np.r_[cases.easting, controls.easting], np.r_[cases.northing, controls.northing]
    log_raise = decays.log_raise(sites.distance(e, n) ** 2)
    grid = estimator.grid
    # the integral of λ̂0 × decay is the sum over the controls of the decay's adjoint, whoever the controls are
    decayed = [np.exp(-np.exp(b) * cells) * grid.inside for b in decays.log_beta]
    adjoint = np.array([grid.interpolate(estimator.adjoint(field), e, n) for field in decayed]).T
    mass = grid.interpolate(estimator.adjoint(grid.inside.astype(float)), e, n)
    values = np.empty(n_simulations)
    for k in range(n_simulations):
        label = replicate_rng(seed, k).permutation(len(e)) < cases.n
        means = decays.log_mean((adjoint[~label].sum(axis=0) / mass[~label].sum())[None])
        values[k] = _best(log_raise[label].sum(axis=0) - cases.n * means)[0]
    return values


def _result(surface: Surface, problem: _Problem, test: TestResult, level: float) -> KernelIncidence:
    n, total = problem.cases.n, problem.fitted.total
    top, log_alpha, log_beta = surface.maximum()
    null = n * np.log(n / total)  # n log ρ̂: log-likelihoods are those of the pattern but for Σ log λ0(x_i) − n
    narrow = log_beta >= surface.log_beta[-1] - 1e-6
    raised = top > 1e-9
    diverged = bool(raised and (narrow or log_alpha >= LOG_ALPHA[-1] - 1))
    if not raised:
        top, alpha, beta, rho = 0.0, 0.0, float("nan"), n / total
        peak = [LOG_ALPHA[0], surface.log_beta[0]]
    else:
        alpha, beta = (np.inf if diverged else float(np.exp(log_alpha))), (np.inf if narrow else float(np.exp(log_beta)))
        rho = 0.0 if diverged and not narrow else float(n / total / (1 + np.exp(log_alpha) * problem.share(log_beta)))
        peak = [np.inf if diverged else log_alpha, log_beta]
    spans = [surface.interval(axis, top, peak[axis], 0.0, level) for axis in (0, 1)]
    if diverged:
        spans[0] = (spans[0][0], np.inf)
    controls = 0 if problem.controls is None else problem.controls.n
    return KernelIncidence(alpha, beta, rho, null + top, null, 2 * top, diverged, spans[0], spans[1], level, n, controls, test)
