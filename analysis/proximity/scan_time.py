"""The space-time permutation scan: places and periods with more strikes than both together explain, from strikes alone.

References
----------
Kulldorff, M., Heffernan, R., Hartman, J., Assunção, R. & Mostashari, F. (2005). A space-time permutation scan statistic for disease
outbreak detection. PLoS Medicine 2, e59.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError, label_codes, refuse_few
from .scan import TIE, ScanResult, finish

Array = NDArray[np.float64]


def space_time_scan(
    easting: ArrayLike,
    northing: ArrayLike,
    time: ArrayLike,
    *,
    max_radius: float,
    max_duration: float,
    n_simulations: int,
    rng: Rng,
    attack: ArrayLike | None = None,
) -> ScanResult:
    """Look for a disc and a period with more strikes than the disc's and the period's totals predict, and test the best.

    Answers: was some place struck more at some time, beyond its usual share and that time's usual number? A constant excess near a site
    is invisible to it: the place's own total is the baseline.

    Parameters
    ----------
    easting, northing, time : (n,) arrays
        Time in any unit; strikes of one time are in a period together.
    max_radius, max_duration : float
        Largest disc, and longest period from its first to its last strike.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.
    attack : (n,) labels, optional
        Attacks, each of one time, swap their times as wholes; without them strikes do, which takes a salvo for a cluster.

    Notes
    -----
    Expected μ = strikes in the disc × strikes in the period / N; log-likelihood ratio c log(c/μ) + (N − c) log((N − c)/(N − μ)) if c > μ.
    Discs are centred on strikes and periods begin and end with one. With attacks, periods keep their number of attacks but not of strikes,
    so μ is counted anew in each draw. Cost: n_simulations × n × strikes in the largest disc × times × times in the longest period.

    Raises
    ------
    InputError
        For arrays of different lengths, values that are not finite, limits that are not positive, or an attack of several times.
    """
    e, y, t = (np.asarray(a, float) for a in (easting, northing, time))
    if e.ndim != 1 or not e.shape == y.shape == t.shape or len(e) < 2:
        raise InputError(
            "easting, northing and time must be (n,) arrays of one length, two strikes or more", value=(e.shape, y.shape, t.shape)
        )
    if not (np.isfinite(e).all() and np.isfinite(y).all() and np.isfinite(t).all()):
        raise InputError("must be finite numbers", column="easting, northing, time")
    if not (max_radius > 0 and max_duration >= 0):
        raise InputError("must not be negative, the radius above zero", column="max_radius, max_duration", value=(max_radius, max_duration))
    refuse_few(n_simulations)
    unit = np.arange(len(e)) if attack is None else label_codes(attack, len(e))
    when, day = np.unique(t, return_inverse=True)
    unit_day = np.zeros(unit.max() + 1, np.intp)
    unit_day[unit] = day
    if (unit_day[unit] != day).any():
        row = int(np.flatnonzero(unit_day[unit] != day)[0])
        raise InputError("an attack must have one time", row=row + 1, column="attack", value=unit[row])
    scan = _Cylinders(e, y, max_radius, when, max_duration)
    _, clusters = scan.best(day)
    seed = seed_sequence(rng)
    simulated = np.empty(n_simulations)
    for k in range(n_simulations):
        simulated[k] = scan.best(replicate_rng(seed, k).permutation(unit_day)[unit])[0]
    return finish(clusters, simulated, "space-time permutation", str(seed.entropy))


class _Cylinders:
    """Hold discs (prefixes of neighbours) and periods (first and last of the distinct times)."""

    def __init__(self, easting: Array, northing: Array, max_radius: float, when: Array, max_duration: float) -> None:
        apart = np.hypot(easting[:, None] - easting, northing[:, None] - northing)
        size = int((apart <= max_radius * (1 + TIE)).sum(axis=1).max())
        order = np.argsort(apart, axis=1, kind="stable")
        distance = np.take_along_axis(apart, order, axis=1)
        following = np.column_stack([distance[:, 1:], np.full(len(easting), np.inf)])
        zone = (following - distance > TIE * following) | np.isinf(following)
        self.order, self.distance = order[:, :size], distance[:, :size]
        self.zone = (zone & (distance <= max_radius * (1 + TIE)))[:, :size]
        self.n, self.when, self.max_duration = len(easting), when, max_duration
        self.easting, self.northing = easting, northing
        self.last = np.searchsorted(when, when + max_duration * (1 + TIE), side="right")  # one past the last time of the longest period

    def best(self, day: NDArray[np.intp]) -> tuple[float, pd.DataFrame]:
        """Give the largest log-likelihood ratio, and the cluster that has it as a table of one row."""
        times, size, n = len(self.when), self.order.shape[1], self.n
        small = np.min_scalar_type(n)
        inside = np.zeros((n, size, times + 1), small)
        centre, rank = np.indices((n, size))
        inside[centre, rank, day[self.order] + 1] = 1
        np.cumsum(inside, axis=1, out=inside)
        np.cumsum(inside, axis=2, out=inside)
        # a disc that would split tied neighbours holds nothing; the others hold rank + 1 strikes whatever the times are
        inside[~self.zone] = 0
        total = np.r_[0, np.cumsum(np.bincount(day, minlength=times))]
        in_disc = np.arange(1, size + 1, dtype=float)[:, None]
        top, found = -1.0, (0, 0, 0, 0)
        for length in range(1, int((self.last - np.arange(times)).max()) + 1):
            start = np.flatnonzero(self.last - np.arange(times) >= length)
            count = inside[:, :, start + length] - inside[:, :, start]
            most = count.max(axis=0).astype(float)
            mean = in_disc * (total[start + length] - total[start]) / n
            value = np.where(most > mean, xlogy(most, most / np.maximum(mean, 1e-300)), 0.0)
            rest = np.maximum(n - most, 0)
            value += np.where(most > mean, xlogy(rest, rest / np.maximum(n - mean, 1e-300)), 0.0)
            if value.max() > top:
                disc, first = divmod(int(value.argmax()), value.shape[1])
                top = float(value[disc, first])
                found = int(count[:, disc, first].argmax()), disc, int(start[first]), length
        c, k, s, length = found
        observed = float(inside[c, k, s + length]) - float(inside[c, k, s])
        mean_here = (k + 1) * float(total[s + length] - total[s]) / n
        row = {
            "easting": self.easting[c], "northing": self.northing[c], "radius": self.distance[c, k], "shape": 1.0, "angle": 0.0,
            "start": self.when[s], "end": self.when[s + length - 1], "observed": observed, "expected": mean_here,
            "log_likelihood_ratio": top, "ratio": observed / mean_here,
        }  # fmt: skip
        return top, pd.DataFrame([row])
