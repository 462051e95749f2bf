"""Self-excitation: do attacks bring on attacks? The Hawkes process with an exponential memory.

References
----------
Hawkes, A. G. (1971). Spectra of some self-exciting and mutually exciting point processes. Biometrika 58, 83-90. Ozaki, T. (1979). Maximum
likelihood estimation of Hawkes' self-exciting point processes. Ann. Inst. Statist. Math. 31, 145-155. Ogata, Y. (1988). Statistical models
for earthquake occurrences and residual analysis for point processes. JASA 83, 9-27.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize
from scipy.stats import chi2, kstest
from statsmodels.tools.numdiff import approx_hess

from ..inference import TestResult, max_t, standardised, to_json
from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError
from .answer import NotIdentifiable

Array = NDArray[np.float64]
MIN_TIMES, STARTS = 20, 4
CHUNK = 1_000_000  # drawn times held at once
NAME = "self-excitation"


@dataclass(frozen=True)
class HawkesFit:
    """Hold a fitted Hawkes process.

    Attributes
    ----------
    params, bse : dict
        mu, alpha (the jump), beta and branching = alpha / beta, the mean number of attacks that one brings on; errors from the Hessian.
    interval : (float, float)
        Profile likelihood for the branching ratio, at ``level``; from 0 where a constant rate is not ruled out.
    log_likelihood, log_likelihood_poisson : float
    ks, ks_p_value : float
        Time-rescaled residuals against the unit exponential. The parameters were fitted to the same times, so this p is too large
        rather than too small.
    """

    params: dict[str, float]
    bse: dict[str, float]
    interval: tuple[float, float]
    level: float
    log_likelihood: float
    log_likelihood_poisson: float
    ks: float
    ks_p_value: float
    n: int
    end: float
    identifiable: bool = field(default=True, init=False)

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        reach = f"{self.level:.0%} interval {self.interval[0]:.2g} to {self.interval[1]:.2g}"
        return f"Each attack brings on {self.params['branching']:.2g} others on average ({reach}); p of the fit {self.ks_p_value:.2g}."


def _memory(time: Array, count: Array, beta: float) -> Array:
    """Give Σ_{t_j < t_k} exp(−β (t_k − t_j)) along the last axis.

    x_k = r_k (m_{k−1} + x_{k−1}) is solved by doubling: after log₂ n passes each entry has gathered all before it. All terms are positive
    and no power grows, so nothing overflows or cancels; with a short memory the passes end early.
    """
    ratio = np.exp(-beta * np.diff(time, prepend=time[..., :1], axis=-1))
    ratio[..., :1] = 0.0
    sums = ratio * np.roll(count, 1, axis=-1)
    step = 1
    while step < time.shape[-1] and ratio.any():
        sums[..., step:] += ratio[..., step:] * sums[..., :-step]
        ratio[..., step:] *= ratio[..., :-step].copy()
        step *= 2
    return sums


def _times(times: ArrayLike, end: float) -> tuple[Array, Array]:
    """Give the distinct times and how often each occurs."""
    t = np.atleast_1d(np.asarray(times, float))
    if not (np.isfinite(end) and end > 0):
        raise InputError("must be a finite number above zero", column="end", value=end)
    if t.ndim != 1 or not ((t > 0) & (t <= end)).all():
        raise InputError("times must lie in (0, end]", column="times", value=(t.min(initial=end), t.max(initial=0), end))
    distinct, count = np.unique(t, return_counts=True)
    return distinct, count.astype(float)


def hawkes_log_likelihood(times: ArrayLike, end: float, mu: float, alpha: float, beta: float) -> float:
    """Give the log-likelihood of a Hawkes process with intensity μ + Σ α exp(−β (t − t_j)) over t_j < t, observed on (0, end].

    Σ log λ(t_i) − μ·end − (α/β) Σ (1 − exp(−β (end − t_i))) (Ozaki 1979). Cost: n log n at most, no loop over events.

    Parameters
    ----------
    times : (n,) array
        In any order, in (0, ``end``]. Events at one time do not excite each other.
    end : float
        In the unit of ``times``; rates are in its inverse.
    mu, alpha, beta : float
        μ > 0, the jump α ≥ 0 (not the branching ratio, which is α / β), the decay β > 0.

    Raises
    ------
    InputError
        For parameters or times outside their ranges.

    Examples
    --------
    >>> round(hawkes_log_likelihood([1, 2, 4], 5, 0.5, 0.3, 1.0), 7)
    -5.0438732
    """
    for column, value, holds in (("mu", mu, mu > 0), ("alpha", alpha, alpha >= 0), ("beta", beta, beta > 0)):
        if not (holds and np.isfinite(value)):
            raise InputError("mu and beta must be above zero, alpha not below", column=column, value=value)
    return _log_likelihood(*_times(times, end), end, mu, alpha, beta)


def _log_likelihood(t: Array, count: Array, end: float, mu: float, alpha: float, beta: float) -> float:
    rate = mu + alpha * _memory(t, count, beta)
    return float(count @ np.log(rate) - mu * end + alpha / beta * (count @ np.expm1(-beta * (end - t))))


def fit_hawkes(times: ArrayLike, end: float, *, level: float = 0.95) -> HawkesFit | NotIdentifiable:
    """Fit a Hawkes process by maximum likelihood from the best four of 48 starts.

    Answers: beyond a constant rate, does each attack bring on others, and how many? A rate that changes for other reasons looks the same:
    a good fit does not tell the two apart.

    Parameters
    ----------
    times, end
        As for :func:`hawkes_log_likelihood`, which raises the same errors.
    level : float
        Of the profile-likelihood interval.

    Returns
    -------
    HawkesFit or NotIdentifiable
        Not identifiable with fewer than 20 distinct times, with the maximum at α = 0 or at a branching ratio of 1 or more, or with a memory
        at the limits of what gaps and period can show.
    """
    t, count = _times(times, end)
    n = int(count.sum())
    if len(t) < MIN_TIMES:
        return NotIdentifiable(NAME, f"{len(t)} distinct times are too few; {MIN_TIMES} are asked for")
    rate, shortest = n / end, float(np.diff(t).min())
    bounds = [(np.log(rate * 1e-4), np.log(rate * 2)), (np.log(1e-6), np.log(2.0)), (np.log(1 / end), np.log(10 / shortest))]

    def loss(log: Array) -> float:
        mu, branching, beta = np.exp(log)
        return -_log_likelihood(t, count, end, mu, branching * beta, beta)

    grid = [np.log([rate * (1 - b), b, s]) for b in (0.1, 0.3, 0.6, 0.9) for s in np.geomspace(2 / end, 5 / shortest, 12)]
    starts = sorted(grid, key=loss)[:STARTS]
    best = min((minimize(loss, s, method="L-BFGS-B", bounds=bounds) for s in starts), key=lambda found: float(found.fun))
    (mu, branching, beta), poisson = map(float, np.exp(best.x)), n * float(np.log(rate)) - n
    hessian = approx_hess(best.x, loss)
    reasons = (
        (branching < 1e-3 or -best.fun - poisson < 1e-4, "the likelihood is largest without self-excitation (α = 0)"),
        (branching >= 1, "the fitted branching ratio is 1 or more: the rate rises for other reasons than self-excitation"),
        (np.abs(best.x[2] - bounds[2]).min() < 1e-3, f"the fitted memory, {1 / beta:.3g}, is at the limit of what can be seen"),
        (not (np.linalg.eigvalsh(hessian) > 0).all(), "the likelihood is flat around its maximum"),
    )
    for holds, reason in reasons:
        if holds:
            return NotIdentifiable(NAME, reason)
    cov = np.linalg.inv(hessian)  # of the logarithms of mu, branching and beta
    params = {"mu": mu, "alpha": branching * beta, "beta": beta, "branching": branching}
    variance = (cov[0, 0], cov[1, 1] + cov[2, 2] + 2 * cov[1, 2], cov[2, 2], cov[1, 1])
    bse = {name: value * float(np.sqrt(v)) for (name, value), v in zip(params.items(), variance, strict=True)}

    def shortfall(log_branching: float) -> float:
        rest = minimize(lambda x: loss(np.array([x[0], log_branching, x[1]])), best.x[[0, 2]], method="L-BFGS-B", bounds=bounds[::2])
        return float(2 * (rest.fun - best.fun) - chi2.ppf(level, 1))

    least, most = bounds[1]
    low = float(np.exp(brentq(shortfall, least, best.x[1], xtol=1e-4))) if shortfall(least) > 0 else 0.0
    high = float(np.exp(brentq(shortfall, best.x[1], most, xtol=1e-4))) if shortfall(most) > 0 else float("inf")
    # a true model makes the gaps of its compensator unit exponential (Ogata 1988)
    compensator = mu * t + branching * (np.cumsum(count) - count - _memory(t, count, beta))
    ks = kstest(np.diff(compensator, prepend=0.0), "expon")
    fitted = (-float(best.fun), poisson, float(ks.statistic), float(ks.pvalue))
    return HawkesFit(params, bse, (low, high), level, *fitted, n, float(end))


def excitation_test(times: ArrayLike, end: float, *, n_simulations: int, rng: Rng) -> TestResult:
    """Test for self-excitation: the largest score over eight decays, against as many events spread evenly by chance.

    Answers: do times come in clusters? The decay means nothing without excitation, so a likelihood ratio has no χ² law; this p pays for
    trying all eight. A trend or a season is excitation to it. Cost: 8 × n log n × n_simulations.

    Parameters
    ----------
    times, end
        As for :func:`hawkes_log_likelihood`.
    n_simulations : int
    rng : int, SeedSequence or Generator

    Returns
    -------
    TestResult
        ``statistic`` is the largest of eight scores, each less its mean over its standard deviation.

    Raises
    ------
    InputError
        For fewer than two times or 19 simulations, or times outside (0, ``end``].
    """
    t, count = _times(times, end)
    n = int(count.sum())
    if n < 2 or n_simulations < 19:
        raise InputError("needs at least two times and 19 simulations", value=(n, n_simulations))
    seed, step, parts = seed_sequence(rng), max(1, CHUNK // n), []
    decays = np.geomspace(4 / end, n / end * 4, 8)
    for low in range(0, n_simulations, step):
        drawn = end * np.sort([replicate_rng(seed, k).random(n) for k in range(low, min(low + step, n_simulations))], axis=1)
        parts.append(np.column_stack([_memory(drawn, np.ones_like(drawn), b).sum(axis=1) for b in decays]))
    z, simulated = standardised([count @ _memory(t, count, b) for b in decays], np.concatenate(parts))
    p = float(max_t(z, simulated).min())
    return TestResult(NAME, float(z.max()), p, "greater", "constant rate", n, n_simulations, str(seed.entropy), simulated.max(axis=1))
