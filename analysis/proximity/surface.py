"""A log-likelihood over (log α, log β) with several hills: its global maximum and its profile intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import chi2

Array = NDArray[np.float64]
# A raise is seen from a few per cent (e⁻⁴) up; from e⁸ on only the edge of the disc it fills still moves, in coarser steps.
LOG_ALPHA = np.concatenate([np.arange(-4.0, 8.0, 0.5), np.arange(8.0, 41.0, 2.0)])
N_BETA = 40


def log_beta_grid(squared: Array, floor: float) -> Array:
    """Space log β from a raise as wide as the farthest distance to one that only the two nearest points tell from none.

    ``floor`` is the least squared distance that can be told from zero.
    """
    positive = np.sort(squared[squared > 0])
    nearest = positive[min(1, len(positive) - 1)] if len(positive) else 1.0
    farthest = positive[-1] if len(positive) else 1.0
    return np.linspace(np.log(0.1 / farthest), np.log(20 / max(nearest, floor, 1e-8 * farthest)), N_BETA)


@dataclass(frozen=True, eq=False)
class Surface:
    """Hold a log-likelihood in (log α, log β), and its values on the grid LOG_ALPHA × ``log_beta`` from which searches start."""

    value: Callable[[float, float], float]
    log_beta: Array
    table: Array

    def maximum(self) -> tuple[float, float, float]:
        """Climb from every hill of the grid: log-likelihood, log α and log β of the highest top.

        A hill is a grid point no lower than its eight neighbours. Nelder–Mead, because the likelihood has ridges.
        """
        box = [(LOG_ALPHA[0], LOG_ALPHA[-1]), (self.log_beta[0], self.log_beta[-1])]
        tops = np.argwhere(self.table >= maximum_filter(self.table, 3, mode="nearest") - 1e-12)
        tops = tops[np.argsort(-self.table[tuple(tops.T)])][:12]
        best = (-np.inf, 0.0, 0.0)
        for i, j in tops:
            start = np.array([LOG_ALPHA[i], self.log_beta[j]])
            options = {"xatol": 1e-8, "fatol": 1e-11, "maxiter": 2000, "initial_simplex": _simplex(start, box)}
            found = minimize(lambda x: -self.value(x[0], x[1]), start, method="Nelder-Mead", bounds=box, options=options)
            best = max(best, (-float(found.fun), float(found.x[0]), float(found.x[1])))
        return best

    def profile(self, axis: int, at: float) -> float:
        """Maximise over the other parameter with log α (axis 0) or log β (axis 1) fixed."""
        other = self.log_beta if axis == 0 else LOG_ALPHA

        def along(t: float) -> float:
            return -(self.value(at, t) if axis == 0 else self.value(t, at))

        values = np.array([along(t) for t in other])
        k = int(values.argmin())
        inner = (other[max(k - 1, 0)], other[min(k + 1, len(other) - 1)])
        return max(-values[k], -float(minimize_scalar(along, bounds=inner, method="bounded", options={"xatol": 1e-7}).fun))

    def interval(self, axis: int, top: float, peak: float, null: float, level: float) -> tuple[float, float]:
        """Give the values whose profile lies within ½ χ²₁ of the top, in α or β; 0 and infinity where the profile stays within.

        ``peak`` is the place of the top on the axis (infinite if there), ``null`` the log-likelihood at α = 0.
        """
        cut = top - chi2.ppf(level, 1) / 2
        grid = LOG_ALPHA if axis == 0 else self.log_beta
        inner = float(np.clip(peak, grid[0], grid[-1]))
        low = 0.0 if null >= cut else self._crossing(axis, cut, [*grid[grid < inner], inner], 0.0)
        return low, self._crossing(axis, cut, [*grid[grid > inner][::-1], inner], np.inf)

    def _crossing(self, axis: int, cut: float, stops: list[float], open_end: float) -> float:
        """Walk from the rim to the peak and solve for the first crossing; ``open_end`` if the rim itself is above the cut."""
        outside = stops[0]
        for k, stop in enumerate(stops):
            if self.profile(axis, stop) >= cut or stop == stops[-1]:
                if k == 0:
                    return open_end
                return float(np.exp(brentq(lambda t: min(self.profile(axis, t), cut + 1) - cut, outside, stop, xtol=1e-6)))
            outside = stop
        return open_end


def _simplex(start: Array, box: list[tuple[float, float]]) -> Array:
    low, high = np.array(box).T
    steps = np.where(start + 0.3 <= high, 0.3, -0.3)
    return np.clip(start + np.vstack([[0, 0], [steps[0], 0], [0, steps[1]]]), low, high)
