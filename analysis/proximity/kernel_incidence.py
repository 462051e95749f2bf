"""Raised incidence around sites over a baseline intensity: Diggle's model, its p-value always by Monte Carlo.

References
----------
Diggle, P. J. (1990). A point process modelling approach to raised incidence of a rare phenomenon in the vicinity of a prespecified point.
JRSS A 153, 349-362.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..baseline import LinearEstimator
from ..inference import TestResult, monte_carlo_p, simulate
from ..null import BinomialNull, Draws, Rng, replicate_rng, seed_sequence
from ..pattern import InputError, Intensity, PointPattern, Sites
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
    if cases.n == 0:
        raise InputError("there are no cases")
    if n_simulations < 19:
        raise InputError("must be at least 19", column="n_simulations", value=n_simulations)
    known = isinstance(baseline, Intensity)
    if known == (controls is not None):
        raise InputError("give either a known intensity, or an estimator and the controls it is fitted to", column="controls")
    if controls is not None and controls.n == 0:
        raise InputError("there are no controls")
    grid, seed = baseline.grid, seed_sequence(rng)
    cells = sites.distance(*grid.centres) ** 2
    near = sites.distance(cases.easting, cases.northing) ** 2
    decays = _Decays(log_beta_grid(np.r_[near, cells[grid.inside].max()], grid.cell_area))
    fitted = baseline if isinstance(baseline, Intensity) else _fitted(baseline, controls)
    if not (fitted.at(cases.easting, cases.northing) > 0).all():
        row = int(np.flatnonzero(fitted.at(cases.easting, cases.northing) <= 0)[0])
        raise InputError("the baseline is zero at this case", row=row + 1)

    def share(log_beta: float) -> float:
        return fitted.expected(np.exp(-np.exp(log_beta) * cells)) / fitted.total

    def value(log_alpha: float, log_beta: float) -> float:
        at_cases = np.log1p(np.exp(log_alpha - np.exp(log_beta) * near)).sum()
        return float(at_cases - cases.n * np.logaddexp(0.0, log_alpha + np.log(max(share(log_beta), np.finfo(float).tiny))))

    means = decays.log_mean(np.array([[share(b) for b in decays.log_beta]]))
    table = decays.log_raise(near).sum(axis=0) - cases.n * means[0]
    if controls is None:
        null = BinomialNull(fitted, cases.n)
        simulated = simulate(
            lambda draws: _best(_summed(draws, decays, sites) - cases.n * means), null, n_simulations=n_simulations, rng=seed
        )
        name = null.name
    else:
        assert not isinstance(baseline, Intensity)
        simulated = _relabelled(cases, controls, sites, baseline, decays, cells, n_simulations, seed)
        name = f"relabelling, {baseline.name} of the controls refitted"
    observed = float(_best(table[None])[0])
    p = monte_carlo_p(observed, simulated, "greater")
    test = TestResult(
        "kernel raised incidence, likelihood ratio", observed, p, "closer", name, cases.n, n_simulations, str(seed.entropy), simulated
    )
    surface = Surface(value, decays.log_beta, table.reshape(len(LOG_ALPHA), -1))
    return _result(surface, cases.n, fitted, share, test, level, 0 if controls is None else controls.n)


def _fitted(estimator: LinearEstimator, controls: PointPattern | None) -> Intensity:
    assert controls is not None
    return estimator.fit(controls.easting, controls.northing)


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


def _result(
    surface: Surface,
    n: int,
    fitted: Intensity,
    share: Callable[[float], float],
    test: TestResult,
    level: float,
    n_controls: int,
) -> KernelIncidence:
    top, log_alpha, log_beta = surface.maximum()
    at_null = n * np.log(n / fitted.total)  # Σ log ρ̂, so that log-likelihoods are those of the pattern but for Σ log λ0(x_i) − n
    narrow = log_beta >= surface.log_beta[-1] - 1e-6
    diverged = bool(top > 1e-9 and (narrow or log_alpha >= LOG_ALPHA[-1] - 1))
    if top <= 1e-9:
        top, alpha, beta, rho = 0.0, 0.0, float("nan"), n / fitted.total
        peak = [LOG_ALPHA[0], surface.log_beta[0]]
    else:
        alpha, beta = (np.inf if diverged else float(np.exp(log_alpha))), (np.inf if narrow else float(np.exp(log_beta)))
        rho = 0.0 if diverged and not narrow else float(n / fitted.total / (1 + np.exp(log_alpha) * share(log_beta)))
        peak = [np.inf if diverged else log_alpha, log_beta]
    spans = [surface.interval(axis, top, peak[axis], 0.0, level) for axis in (0, 1)]
    if diverged:
        spans[0] = (spans[0][0], np.inf)
    return KernelIncidence(alpha, beta, rho, at_null + top, at_null, 2 * top, diverged, spans[0], spans[1], level, n, n_controls, test)
