"""Raised incidence around a few sites, each with a raise of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq, minimize
from scipy.stats import chi2

from ..inference import to_json
from .raised_incidence import case_inputs, case_odds, conditional_log_likelihood, fit_one, log_raise
from .surface import LOG_ALPHA, log_beta_grid

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SeparateIncidence:
    """Hold one raise for each site: arrays (m,) in the order of the sites, other fields as in :class:`RaisedIncidence`.

    ``alpha_lower`` and ``alpha_upper`` bound each α by its profile likelihood, all other parameters fitted anew, at ``level``.
    """

    alpha: Array
    beta: Array
    rho: float
    log_likelihood: float
    log_likelihood_null: float
    likelihood_ratio: float
    diverged: NDArray[np.bool_]
    alpha_lower: Array
    alpha_upper: Array
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))


def separate_incidence(distance: ArrayLike, is_case: ArrayLike, *, level: float = 0.95) -> SeparateIncidence:
    """Fit each of m sites its own α and β, all at once: p_i = ρ f_i / (1 + ρ f_i), f_i = Π_s (1 + α_s exp(−β_s d_is²)).

    Answers: which of a few sites carries the excess? With many sites for few cases it overfits; use the common fit of
    :func:`raised_incidence`.

    Parameters
    ----------
    distance : (n, m) array
    is_case : (n,) array of 0 and 1
    level : float
        Of the intervals, each for one site alone.

    Notes
    -----
    Each site is fitted with the others as offset, globally as in :func:`raised_incidence`, for three rounds that start from each site in
    turn; the best end is then climbed in all parameters at once, sites that diverged held at their limits. An interval follows the profile
    outwards in steps of half a unit of log α, sites that diverged and sites without a raise held. Cost: 3 m² common fits and some 30 m fits
    of all sites.

    Raises
    ------
    InputError
        As :func:`raised_incidence`.
    """
    squared, y = case_inputs(distance, is_case)
    m = squared.shape[1]
    null = conditional_log_likelihood(np.zeros(len(y)), y)
    ends = []
    for first in range(m):
        log_f, alpha, beta = np.zeros((m, len(y))), np.zeros(m), np.full(m, np.nan)
        for s in np.tile(np.roll(np.arange(m), -first), 3):
            others = np.delete(log_f, s, axis=0).sum(axis=0)
            keep = np.isfinite(others)
            if not (y[keep].any() and not y[keep].all()):
                continue
            _, alpha[s], beta[s], part, _ = fit_one(squared[keep][:, [s]], y[keep], others[keep])
            log_f[s] = 0.0
            log_f[s, keep] = part
        ends.append((conditional_log_likelihood(log_f.sum(axis=0), y), alpha, beta, log_f))
    top, alpha, beta, log_f = max(ends, key=lambda end: end[0])
    free = np.flatnonzero(np.isfinite(alpha) & (alpha > 0))
    if len(free):
        held = np.delete(log_f, free, axis=0).sum(axis=0)

        def raised(x: Array) -> Array:
            return held + sum(log_raise(a, float(np.exp(b)), squared[:, [s]]) for s, (a, b) in zip(free, x.reshape(-1, 2), strict=True))

        start = np.log(np.column_stack([alpha[free], beta[free]])).ravel()
        found = minimize(lambda x: -conditional_log_likelihood(raised(x), y), start, method="BFGS")
        if -found.fun > top:
            top = -float(found.fun)
            alpha[free], beta[free] = np.exp(found.x.reshape(-1, 2)).T
            log_f[free] = 0.0
            log_f[free[0]] = raised(found.x) - held
    sloping = bool((np.isinf(alpha) & np.isfinite(beta)).any())
    rho = 0.0 if sloping else case_odds(log_f.sum(axis=0), y)
    walk = _Profile(squared, y, alpha, beta, log_f, top - chi2.ppf(level, 1) / 2)
    lower, upper = (np.array([walk.end(s, out) for s in range(m)]) for out in (-1, 1))
    return SeparateIncidence(alpha, beta, rho, top, null, 2 * (top - null), np.isinf(alpha), lower, upper, level)


@dataclass(frozen=True, eq=False)
class _Profile:
    """Follow one site's α away from its fit, the free raises of the others and its own β fitted anew at every step."""

    squared: Array
    y: NDArray[np.bool_]
    alpha: Array
    beta: Array
    log_f: Array
    cut: float

    def end(self, site: int, out: int) -> float:
        """Give where the profile falls below the cut, downwards (out = −1) or upwards; 0 or infinity if it does not."""
        alpha, rim = self.alpha[site], LOG_ALPHA[0 if out < 0 else -1]
        if (out < 0 and alpha == 0) or (out > 0 and np.isinf(alpha)):
            return 0.0 if out < 0 else np.inf
        free = [int(s) for s in np.flatnonzero(np.isfinite(self.alpha) & (self.alpha > 0)) if s != site]
        held = np.delete(self.log_f, [site, *free], axis=0).sum(axis=0) + np.zeros(len(self.y))
        betas = log_beta_grid(self.squared[:, site], 0.0)
        others = np.log(np.column_stack([self.alpha[free], self.beta[free]])).ravel()
        at = float(np.clip(np.log(alpha) if alpha > 0 else LOG_ALPHA[0], LOG_ALPHA[0], LOG_ALPHA[-1]))

        def value(log_alpha: float, x: Array) -> float:
            raised = held + log_raise(log_alpha, float(np.exp(x[0])), self.squared[:, [site]])
            for s, (a, b) in zip(free, x[1:].reshape(-1, 2), strict=True):
                raised = raised + log_raise(a, float(np.exp(b)), self.squared[:, [s]])
            return conditional_log_likelihood(raised, self.y)

        def profile(log_alpha: float) -> float:
            start = max((np.r_[b, others] for b in betas), key=lambda x: value(log_alpha, x))
            return -float(minimize(lambda x: -value(log_alpha, x), start, method="BFGS").fun)

        inner = at
        while out * (rim - inner) > 0:
            outer = inner + out * min(0.5, abs(rim - inner))
            if profile(outer) < self.cut:
                crosses = profile(inner) > self.cut  # not at a site that diverged, if only the limit itself is as likely
                return float(np.exp(brentq(lambda t: profile(t) - self.cut, inner, outer, xtol=1e-5) if crosses else inner))
            inner = outer
        return 0.0 if out < 0 else np.inf
