"""Raised incidence around sites, cases against controls: the conditional likelihood of Diggle and Rowlingson.

References
----------
Diggle, P. J. & Rowlingson, B. S. (1994). A conditional approach to point process modelling of elevated risk. JRSS A 157, 433-440.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit

from ..inference import TestResult, monte_carlo_p, to_json
from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError, refuse_few
from .surface import LOG_ALPHA, Surface, log_beta_grid

Array = NDArray[np.float64]
CHUNK = 20_000_000  # labels held at once by the test, 8 bytes each


@dataclass(frozen=True, eq=False)
class RaisedIncidence:
    """Hold a fitted raise f(d) = 1 + α exp(−β d²).

    Attributes
    ----------
    alpha, beta : float
        ``alpha`` is the excess at the site itself, 0 if no raise fits better than none (``beta`` is then not a number). ``alpha`` is inf
        when the likelihood has no maximum; ``beta`` is then inf too if the raise ends in a step, as when the nearest points are all cases.
    rho : float
        Cases for each control far away; for the kernel version, strikes for each unit of baseline.
    log_likelihood, log_likelihood_null, likelihood_ratio : float
        At the fit (its supremum when diverged), at α = 0, and twice the difference.
    diverged : bool
    alpha_interval, beta_interval : (float, float)
        Profile likelihood intervals at ``level``; when diverged, ``alpha_interval`` is one-sided: bounded below, open above.
    level : float
    n_cases, n_controls : int
    """

    alpha: float
    beta: float
    rho: float
    log_likelihood: float
    log_likelihood_null: float
    likelihood_ratio: float
    diverged: bool
    alpha_interval: tuple[float, float]
    beta_interval: tuple[float, float]
    level: float
    n_cases: int
    n_controls: int

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        low, high = self.alpha_interval
        if self.diverged:
            least = f"at least {low:.3g} ({self.level:.0%})"
            return f"The likelihood grows without end in alpha: at a site the excess is {least}; there is no upper limit."
        ratio = f"likelihood ratio {self.likelihood_ratio:.3g}"
        return f"At a site the excess is {self.alpha:.3g} ({self.level:.0%} interval {low:.3g} to {high:.3g}), {ratio}."


def case_inputs(distance: ArrayLike, is_case: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    """Give squared distances, (n, sites), and which points are cases, or refuse them."""
    d, label = np.asarray(distance, float), np.asarray(is_case)
    d = d[:, None] if d.ndim == 1 else d
    if d.ndim != 2 or label.shape != d.shape[:1]:
        raise InputError("distances must be (n,) or (n, sites), with one label for each of the n points", value=(d.shape, label.shape))
    if not np.isfinite(d).all() or (d < 0).any():
        raise InputError("distances must be finite and not negative", column="distance")
    if not np.isin(label, (0, 1)).all():
        raise InputError("must be 0 or 1, or False or True", column="is_case")
    y = label.astype(bool)
    if not y.any():
        raise InputError("there are no cases", column="is_case")
    if y.all():
        raise InputError("there are no controls", column="is_case")
    return d**2, y


def intercept(raised: Array, n_cases: int, start: Array | float = 0.0) -> Array:
    """Solve Σ_i expit(η + L_i) = cases for η, for each row of L: Newton inside a bracket. It does not depend on who is a case."""
    n = raised.shape[-1]
    base = np.log(n_cases / (n - n_cases))
    low, high = base - raised.max(axis=-1), base - raised.min(axis=-1)
    eta = np.clip(start, low, high)
    for _ in range(200):
        p = expit(eta[..., None] + raised)
        gap, slope = p.sum(axis=-1) - n_cases, (p * (1 - p)).sum(axis=-1)
        if (np.abs(gap) <= 1e-11 * n).all():
            break
        low, high = np.where(gap < 0, eta, low), np.where(gap > 0, eta, high)
        step = eta - np.divide(gap, slope, out=np.full_like(gap, np.inf), where=slope > 1e-290)
        eta = np.where((step > low) & (step < high), step, (low + high) / 2)
    return np.asarray(eta)


def log_raise(log_alpha: float | Array, beta: float | Array, squared: Array) -> Array:
    """Σ over sites of log(1 + α exp(−β d²))."""
    return np.log1p(np.exp(log_alpha - beta * squared)).sum(axis=-1)


def conditional_log_likelihood(raised: Array, y: NDArray[np.bool_]) -> float:
    """Profile out ρ. Points with an infinite raise (all cases, by construction) have p = 1 and drop out."""
    keep = np.isfinite(raised)
    raised, y = raised[keep], y[keep]
    if not y.any() or y.all():
        return 0.0
    z = raised + float(intercept(raised[None], int(y.sum()))[0])
    return float(z[y].sum() - np.logaddexp(0.0, z).sum())


@dataclass(frozen=True, eq=False)
class _Grid:
    """The labels' own part of the profile log-likelihood on the grid is linear: ℓ = Σ_cases L − constant."""

    log_beta: Array
    raised: Array  # (grid, n)
    constant: Array  # (grid,)

    @classmethod
    def of(cls, squared: Array, offset: Array, n_cases: int) -> _Grid:
        nearest = squared.min(axis=1)
        log_beta = log_beta_grid(nearest, 0.0)
        rows, constant, eta = [], [], np.zeros(len(log_beta))
        for log_alpha in LOG_ALPHA:
            raised = np.array([log_raise(log_alpha, b, squared) for b in np.exp(log_beta)]) + offset
            eta = intercept(raised, n_cases, eta)
            rows.append(raised)
            constant.append(np.logaddexp(0.0, eta[:, None] + raised).sum(axis=1) - n_cases * eta)
        return cls(log_beta, np.concatenate(rows), np.concatenate(constant))

    def __call__(self, cases: Array) -> Array:
        """Give the log-likelihood, (labellings, grid), of 0/1 rows."""
        return cases @ self.raised.T - self.constant


def _limits(squared: Array, y: NDArray[np.bool_], offset: Array) -> list[tuple[float, float, float, Array]]:
    """Give the suprema at infinity: log-likelihood, α, β and log f of each.

    Either α and β grow together and the raise ends in a step: the nearest points, if all are cases, get p = 1, and the distance at which
    the first control stands, if tied with cases, a level of its own. Or α grows alone and ρ falls to 0: odds ∝ exp(−β Σ d²).
    """
    d2 = squared.min(axis=1)
    first = d2[~y].min()
    step = np.where(d2 < first, np.inf, offset)
    tied = d2 == first

    def with_tie(log_a: float) -> Array:
        return np.where(tied, step + np.logaddexp(0.0, log_a), step)

    log_a = -np.inf
    if (y & tied).any():
        log_a = float(minimize_scalar(lambda t: -conditional_log_likelihood(with_tie(t), y), bounds=(-8, 30), method="bounded").x)
    alpha = np.inf if first > 0 or (d2 < first).any() else float(np.exp(log_a))
    result = [(conditional_log_likelihood(with_tie(log_a), y), alpha, np.inf, with_tie(log_a))]
    total = squared.sum(axis=1)
    scale = 1 / max(float(np.median(total)), float(np.finfo(float).tiny))

    def slope(t: float) -> Array:
        return offset - scale * np.sinh(t) * (total - total.min())

    t = float(
        minimize_scalar(lambda t: -conditional_log_likelihood(slope(t), y), bounds=(0, 20), method="bounded", options={"xatol": 1e-9}).x
    )
    result.append((conditional_log_likelihood(slope(t), y), np.inf, float(scale * np.sinh(t)), slope(t)))
    return result


def fit_one(squared: Array, y: NDArray[np.bool_], offset: Array) -> tuple[float, float, float, Array, Surface]:
    """Fit one (α, β) with the other sites' log f as offset: log-likelihood, α, β, log f."""
    grid = _Grid.of(squared, offset, int(y.sum()))
    null = conditional_log_likelihood(offset, y)

    def value(log_alpha: float, log_beta: float) -> float:
        return conditional_log_likelihood(offset + log_raise(log_alpha, float(np.exp(log_beta)), squared), y)

    surface = Surface(value, grid.log_beta, grid(y[None].astype(float)).reshape(len(LOG_ALPHA), -1))
    top, log_alpha, log_beta = surface.maximum()
    beyond = max(_limits(squared, y, offset), key=lambda limit: limit[0])
    tolerance = 1e-8 * max(1.0, abs(null))
    if max(top, beyond[0]) <= null + tolerance:
        return null, 0.0, np.nan, np.zeros(len(y)), surface
    if beyond[0] >= top - tolerance:
        return beyond[0], beyond[1], beyond[2], beyond[3] - offset, surface
    alpha, beta = float(np.exp(log_alpha)), float(np.exp(log_beta))
    return top, alpha, beta, log_raise(log_alpha, beta, squared), surface


def raised_incidence(distance: ArrayLike, is_case: ArrayLike, *, level: float = 0.95) -> RaisedIncidence:
    """Fit a raise of the odds of being a case around sites, by maximum likelihood given the places of cases and controls.

    Answers: how much denser are cases than controls at a site, and how fast does the excess die out? The controls stand for the
    baseline: places that are not at risk of being a case in the same way make the excess meaningless.

    Parameters
    ----------
    distance : (n,) or (n, m) array
        From each point to the site, to the nearest site, or to each of m sites with a common α and β.
    is_case : (n,) array of 0 and 1
    level : float
        Of the intervals.

    Returns
    -------
    RaisedIncidence
        No p-value: β means nothing at α = 0, so the likelihood ratio is not χ²; use :func:`raised_incidence_test`.

    Notes
    -----
    p_i = ρ f_i / (1 + ρ f_i), f_i = Π_s (1 + α exp(−β d_is²)), α ≥ 0. ρ solves Σ p_i = number of cases. The likelihood has several hills
    and may have no maximum: when the nearest points are all cases, α and β can grow together without end. So all hills of a grid of 42 × 40
    values are climbed, and the suprema at infinity, which have closed forms, are compared with the highest; if one of those wins the result
    says ``diverged`` and its interval is one-sided. Cost: 1,700 passes over the (n, m) distances.

    Raises
    ------
    InputError
        For no cases, no controls, or distances that are negative or not finite.

    Examples
    --------
    >>> raised_incidence([1, 2, 3, 4, 5, 6], [1, 1, 0, 0, 1, 0]).diverged
    True
    """
    squared, y = case_inputs(distance, is_case)
    zero = np.zeros(len(y))
    null = conditional_log_likelihood(zero, y)
    top, alpha, beta, raised, surface = fit_one(squared, y, zero)
    diverged = alpha == np.inf
    peak = [LOG_ALPHA[0] if alpha == 0 else np.log(alpha), surface.log_beta[0] if alpha == 0 else np.log(max(beta, 1e-300))]
    spans = [surface.interval(axis, top, peak[axis], null, level) for axis in (0, 1)]
    if diverged:
        spans[0] = (spans[0][0], np.inf)
    cases = int(y.sum())
    return RaisedIncidence(
        alpha,
        beta,
        0.0 if diverged and np.isfinite(beta) else case_odds(raised, y),
        top,
        null,
        2 * (top - null),
        diverged,
        spans[0],
        spans[1],
        level,
        cases,
        len(y) - cases,
    )


def case_odds(raised: Array, y: NDArray[np.bool_]) -> float:
    """Give ρ, the cases for each control where nothing is raised."""
    keep = np.isfinite(raised)
    if not y[keep].any():
        return 0.0
    return float(np.exp(intercept(raised[keep][None], int(y[keep].sum()))[0]))


def raised_incidence_test(distance: ArrayLike, is_case: ArrayLike, *, n_simulations: int, rng: Rng) -> TestResult:
    """Test the likelihood ratio of a raise against its values when cases and controls swap labels at random.

    Answers: is there any raise around the sites, of whatever height and width? Salvos are not one case each: strikes of one attack
    that fall together make the p-value too small.

    Parameters
    ----------
    distance, is_case
        As in :func:`raised_incidence`.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Notes
    -----
    The statistic is the largest likelihood ratio on a grid of 42 × 40 values of (α, β), in the data and in every draw alike. ρ̂ at a given
    (α, β) does not depend on who is a case, so all draws are one matrix product: n_simulations × n × 1,680. Memory: 1,680 × n numbers,
    plus the labels in chunks.

    Raises
    ------
    InputError
        As :func:`raised_incidence`, and for fewer than 19 simulations.
    """
    squared, y = case_inputs(distance, is_case)
    refuse_few(n_simulations)
    n, cases, seed = len(y), int(y.sum()), seed_sequence(rng)
    grid = _Grid.of(squared, np.zeros(n), cases)
    null = conditional_log_likelihood(np.zeros(n), y)

    def statistic(labels: Array) -> Array:
        return 2 * np.maximum(grid(labels).max(axis=1) - null, 0.0)

    step = max(1, CHUNK // (n + len(grid.constant)))
    simulated = []
    for start in range(0, n_simulations, step):
        draws = range(start, min(start + step, n_simulations))
        simulated.append(statistic(np.array([replicate_rng(seed, k).permutation(y) for k in draws], float)))
    values = np.concatenate(simulated)
    observed = float(statistic(y[None].astype(float))[0])
    p = monte_carlo_p(observed, values, "greater")
    return TestResult(
        "raised incidence, likelihood ratio", observed, p, "closer", "relabelling", cases, n_simulations, str(seed.entropy), values
    )
