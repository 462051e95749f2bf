"""Global envelopes: one band and one p-value for a whole curve.

References
----------
Myllymäki, M., Mrkvička, T., Grabarnik, P., Seijo, H. & Hahn, U. (2017). Global envelope tests for spatial processes.
Journal of the Royal Statistical Society B 79, 381-404.
Mrkvička, T., Myllymäki, M., Kuronen, M. & Narisetty, N. N. (2022). New methods for multiple testing in permutation inference for the
general linear model. Statistics in Medicine 41, 276-297. (Continuous and area ranks.)
Baddeley, A., Diggle, P. J., Hardegen, A., Lawrence, T., Milne, R. K. & Nair, G. (2014). On tests of spatial pattern based on simulation
envelopes. Ecological Monographs 84, 477-489. (MAD and DCLF.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from ..pattern import InputError, refuse_few
from .results import format_p, to_json

Array = NDArray[np.float64]
Measure = Literal["erl", "rank", "cont", "area", "st", "qdir", "mad", "dclf"]
RANKS = ("erl", "rank", "cont", "area")
DEVIATIONS = ("st", "qdir", "mad", "dclf")
ALTERNATIVES = ("two-sided", "greater", "less")
SAID = {
    "erl": "extreme rank length",
    "rank": "extreme rank",
    "cont": "continuous rank",
    "area": "area rank",
    "st": "studentised maximum deviation",
    "qdir": "directional quantile maximum deviation",
    "mad": "maximum absolute deviation",
    "dclf": "integrated squared deviation",
}


@dataclass(frozen=True, eq=False)
class EnvelopeResult:
    """Hold a curve, its global envelope and the p-value that goes with it.

    Attributes
    ----------
    distance, observed, central : (r,) arrays
        ``central`` is the median of all curves for the rank measures, their mean for the deviations.
    lower, upper : (r,) arrays
        The global envelope; an open side is infinite, and ``dclf``, which has no band, gives NaN.
    p_value : float
    p_interval : (float, float) or None
        For ``rank``: from the share of curves strictly more extreme to that of curves at least as extreme, which is ``p_value``.
    measure, alternative : str
    level : float
    n_simulations : int
    """

    distance: Array
    observed: Array
    central: Array
    lower: Array
    upper: Array
    p_value: float
    p_interval: tuple[float, float] | None
    measure: str
    alternative: str
    level: float
    n_simulations: int

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        return (
            f"Global envelope test, {SAID[self.measure]}, {self.alternative}: p = {format_p(self.p_value)}, {self.n_simulations} draws. "
            f"Under the null the whole curve stays in the band with probability {self.level:.0%}."
        )


def global_envelope_test(
    distance: ArrayLike,
    observed: ArrayLike,
    simulated: ArrayLike,
    *,
    measure: Measure = "erl",
    alternative: Literal["two-sided", "greater", "less"] = "two-sided",
    level: float = 0.95,
) -> EnvelopeResult:
    """Test a whole curve against its draws from a null, and give the band that goes with the test.

    Answers: does the curve leave what the null gives, at any distance, once all distances are paid for?

    Parameters
    ----------
    distance : (r,) array
    observed : (r,) array
    simulated : (B, r) array
        The same curve in each draw.
    measure : str
        How curves are ordered. By rank: ``erl`` extreme rank length, ``rank`` the extreme rank (has ties, hence a p-interval), ``cont``
        continuous rank, ``area`` area rank. By deviation from the mean of all B + 1 curves: ``st`` over their standard deviation, ``qdir``
        over their distance to the 2.5 % or 97.5 % quantile, ``mad`` as it is, ``dclf`` squared and averaged over the distances, which
        should then be evenly spaced.
    alternative : {"two-sided", "greater", "less"}
        Whether the curve is too far from, above or below the draws.
    level : float

    Returns
    -------
    EnvelopeResult
        The observed curve lies in the band at every distance exactly when p > 1 − ``level``. Curves tied on the edge of the band count
        as in it.

    Notes
    -----
    p = #{curves at least as extreme} / (B + 1), the observed curve among them, so it is never 0. With B = 19 at 95 % the band of ``erl``,
    ``cont`` and ``area`` is the hull of all curves but the most extreme one; erl needs some 2,500 draws for a band that no longer moves
    with the seed. Distances at which all curves agree are skipped by ``st`` and ``qdir``. ``mad`` and ``dclf`` weigh distances by the
    spread of the curve there, and are led by the largest. Cost: B r log(B).

    Raises
    ------
    InputError
        For shapes that do not fit, values that are not finite, fewer than 19 draws or an unknown option.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(99, 3))
    >>> global_envelope_test([1, 2, 3], [9.0, 9.0, 9.0], draws).p_value
    0.01
    """
    r, own, draws = np.asarray(distance, float), np.asarray(observed, float), np.asarray(simulated, float)
    _check(r, own, draws, measure, alternative, level)
    curves = np.vstack([own, draws])
    allowed = (1 - level) * len(curves) + 1e-9  # curves that may be at least as extreme as one outside the band
    if measure in RANKS:
        central, extremeness = np.median(curves, axis=0), _rank_measure(curves, measure, alternative)  # small is extreme
    else:
        central = curves.mean(axis=0)
        below, above = _scales(curves, central, measure)
        extremeness = -_deviation(curves - central, below, above, measure, alternative)
    as_extreme = rankdata(extremeness, method="max")
    p, kept = float(as_extreme[0] / len(curves)), as_extreme > allowed
    limit, lower, upper = extremeness[kept].min(), curves[kept].min(axis=0), curves[kept].max(axis=0)
    if measure == "rank":
        lower, upper = np.sort(curves, axis=0)[[int(limit) - 1, -int(limit)]]
    elif measure in DEVIATIONS:  # the hull of what is kept lies within, but for rounding
        lower, upper = np.minimum(lower, central + limit * below), np.maximum(upper, central - limit * above)
    interval = (float((extremeness < extremeness[0]).mean()), p) if measure == "rank" else None
    if alternative == "greater":
        lower = np.full_like(central, -np.inf)
    if alternative == "less":
        upper = np.full_like(central, np.inf)
    if measure == "dclf":
        lower = upper = np.full_like(central, np.nan)
    return EnvelopeResult(r, own, central, lower, upper, p, interval, measure, alternative, level, len(draws))


def _check(r: Array, own: Array, draws: Array, measure: str, alternative: str, level: float) -> None:
    if measure not in RANKS + DEVIATIONS:
        raise InputError(f"must be one of {', '.join(RANKS + DEVIATIONS)}", column="measure", value=measure)
    if alternative not in ALTERNATIVES:
        raise InputError("must be two-sided, greater or less", column="alternative", value=alternative)
    if not 0 < level < 1:
        raise InputError("must lie between 0 and 1", column="level", value=level)
    if r.ndim != 1 or own.shape != r.shape or draws.ndim != 2 or draws.shape[1] != len(r) or len(r) == 0:
        raise InputError("distance and observed must be (r,) and simulated (B, r)", value=(r.shape, own.shape, draws.shape))
    refuse_few(len(draws))
    if not (np.isfinite(own).all() and np.isfinite(draws).all()):
        raise InputError("curves must be finite")


def _rank_measure(curves: Array, measure: str, alternative: str) -> Array:
    """Order curves by rank: small for extreme ones."""
    if measure == "erl":
        return _extreme_rank_lengths(_sided(rankdata(curves, axis=0), rankdata(-curves, axis=0), alternative))
    if measure == "rank":  # ties get the larger rank, so that a rank of k means: not outside the k-th order statistics
        ranks = _sided(rankdata(curves, axis=0, method="max"), rankdata(-curves, axis=0, method="max"), alternative)
        return np.asarray(ranks.min(axis=1), float)
    fine = _sided(_continuous_ranks(curves), _continuous_ranks(-curves), alternative)
    half = np.ceil(len(curves) / 2)
    if measure == "cont":
        return np.asarray(fine.min(axis=1) / half)
    coarse = np.ceil(fine).min(axis=1)
    return np.asarray(np.minimum(fine, coarse[:, None]).mean(axis=1) / half)


def _sided(low: Array, high: Array, alternative: str) -> Array:
    """Choose ranks counted from below, from above, or the smaller of both."""
    return low if alternative == "less" else high if alternative == "greater" else np.minimum(low, high)


def _extreme_rank_lengths(ranks: Array) -> Array:
    """Compare each curve's sorted pointwise ranks in dictionary order: 1/S for the most extreme of S curves, 1 for the least.

    Tied curves share the largest place, so that the share of curves at least as extreme is read off directly.
    """
    ranks = np.sort(ranks, axis=1)
    order = np.lexsort(ranks.T[::-1])
    new = np.r_[True, (np.diff(ranks[order], axis=0) != 0).any(axis=1)]
    starts = np.flatnonzero(new)
    last = np.r_[starts[1:], len(ranks)]
    places = np.empty(len(ranks))
    places[order] = np.repeat(last, np.diff(np.r_[starts, len(ranks)]))
    return places / len(ranks)


def _continuous_ranks(curves: Array) -> Array:
    """Rank each column from below, with the place between the neighbours as the fraction; ties share their mean.

    With sorted values y_1 ≤ … ≤ y_S: j − 1 + (y_j − y_{j−1}) / (y_{j+1} − y_{j−1}) inside, exp(−(y_2 − y_1)/(y_S − y_2)) for the
    smallest, and S − exp(−(y_S − y_{S−1})/(y_{S−1} − y_1)) for the largest.
    """
    n = len(curves)
    order = np.argsort(curves, axis=0, kind="stable")
    y = np.take_along_axis(curves, order, axis=0)
    ranks = np.arange(n)[:, None] + np.full(y.shape, 0.5)
    gap = y[2:] - y[:-2]
    np.divide(y[1:-1] - y[:-2], gap, out=ranks[1:-1], where=gap > 0)
    ranks[1:-1] += np.where(gap > 0, np.arange(1, n - 1)[:, None], 0)
    for end, step, rest in ((0, y[1] - y[0], y[-1] - y[1]), (-1, y[-1] - y[-2], y[-2] - y[0])):
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            tail = np.where(step > 0, np.exp(-step / rest), 1.0)
        ranks[end] = tail if end == 0 else n - tail
    result = np.empty_like(ranks)
    np.put_along_axis(result, order, ranks, axis=0)
    tied = (np.diff(y, axis=0) == 0).any(axis=0)
    for column in np.flatnonzero(tied):
        _, label = np.unique(curves[:, column], return_inverse=True)
        result[:, column] = (np.bincount(label, result[:, column]) / np.bincount(label))[label]
    return result


def _scales(curves: Array, central: Array, measure: str) -> tuple[Array, Array]:
    """Give what a deviation below, and one above, is measured in; for st and qdir 0 where all curves agree."""
    if measure == "st":
        below = above = curves.std(axis=0, ddof=1)
    elif measure == "qdir":
        below, above = np.abs(np.quantile(curves, [0.025, 0.975], axis=0) - central)
    else:
        return np.ones_like(central), np.ones_like(central)
    varies = np.ptp(curves, axis=0) > 0  # where nothing does, rounding of the mean is no scale
    return below * varies, above * varies


def _deviation(off: Array, below: Array, above: Array, measure: str, alternative: str) -> Array:
    """Give each curve's largest scaled deviation (for dclf the mean square) on the sides that count."""
    up = np.divide(np.maximum(off, 0), above, out=np.zeros_like(off), where=above > 0)
    down = np.divide(np.maximum(-off, 0), below, out=np.zeros_like(off), where=below > 0)
    size = up if alternative == "greater" else down if alternative == "less" else np.maximum(up, down)
    return np.asarray((size**2).mean(axis=1) if measure == "dclf" else size.max(axis=1))
