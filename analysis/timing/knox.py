"""Space-time interaction: are strikes near in space also near in time? Knox, Mantel, and the table of near repeats.

References
----------
Knox, E. G. (1964). The detection of space-time interactions. Applied Statistics 13, 25-29. Mantel, N. (1967). The detection of disease
clustering and a generalized regression approach. Cancer Research 27, 209-220. Johnson, S. D. et al. (2007). Space-time patterns of risk:
a cross national assessment of residential burglary victimization. Journal of Quantitative Criminology 23, 201-219 (near repeats).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from ..inference import TestResult, max_t, monte_carlo_p, pooled_p, to_json
from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError, PointPattern

Array = NDArray[np.float64]
CHUNK = 2_000_000  # pairs × draws, or distances, held at once


@dataclass(frozen=True, eq=False)
class NearRepeat:
    """Hold pairs of strikes by distance and time.

    Attributes
    ----------
    frame : DataFrame
        distance_from, distance_to, interval_from, interval_to (upper ends included), observed and expected pairs, ratio, p_value (more
        than chance, as the only look) and p_after (max-T over all bands).
    null : str
    n, n_simulations : int
    seed : str
    """

    frame: pd.DataFrame
    null: str
    n: int
    n_simulations: int
    seed: str

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json({**vars(self), "frame": self.frame.to_dict("records")}))

    def __str__(self) -> str:
        return self.frame.to_string(index=False, float_format=lambda v: f"{v:.3g}")


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Hold what is permuted: the time of each block; every strike carries that of its block."""

    code: NDArray[np.intp]
    time: Array
    null: str

    @classmethod
    def of(cls, points: PointPattern, time: ArrayLike, blocks: ArrayLike | None) -> _Blocks:
        given = np.asarray(time)
        if given.dtype.kind == "M":
            given = given.astype("datetime64[D]").astype(float)
        at = given.astype(float)
        labels = np.arange(points.n) if blocks is None else np.asarray(blocks, object)
        if at.shape != (points.n,) or len(labels) != points.n or not np.isfinite(at).all():
            raise InputError("every strike needs a finite time and a block", column="time", value=at.shape)
        code = pd.factorize(labels)[0].astype(np.intp)
        if code.max(initial=0) < 1:
            raise InputError("needs at least two attacks", column="blocks", value=len(set(code)))
        first = np.full(code.max() + 1, np.inf)
        np.minimum.at(first, code, at)
        return cls(code, first, "times of " + ("strikes permuted" if blocks is None else "attacks permuted, each attack a block"))

    def permuted(self, a: Any, b: Any, statistic: Callable[[Array], Array], n_simulations: int, seed: SeedSequence) -> tuple[Array, Array]:
        """Give a statistic of the pairs' intervals, in the data (cells,) and in each permutation of times (B, cells)."""
        if n_simulations < 19:
            raise InputError("must be at least 19", column="n_simulations", value=n_simulations)
        step = max(1, CHUNK // max(len(a), 1))
        parts = [statistic(np.abs(self.time[a] - self.time[b])[None, :])]
        for low in range(0, n_simulations, step):
            draws = [replicate_rng(seed, k).permutation(self.time) for k in range(low, min(low + step, n_simulations))]
            drawn = np.array(draws)
            parts.append(statistic(np.abs(drawn[:, a] - drawn[:, b])))
        return parts[0][0], np.concatenate(parts[1:])


def _edges(values: Any, column: str) -> Array:
    edges = np.atleast_1d(np.asarray(values, float))
    if not (len(edges) and np.isfinite(edges).all() and (np.diff(edges) > 0).all() and edges[0] >= 0):
        raise InputError("must be finite, increasing and not negative", column=column, value=values)
    return edges


def _table(
    points: PointPattern, blocks: _Blocks, distances: Array, intervals: Array, n_simulations: int, seed: SeedSequence
) -> tuple[Array, Array]:
    """Count pairs by band, (K·L,) in the data and (B, K·L) in the draws: pairs of one pair of attacks and band are counted together."""
    xy = np.column_stack([points.easting, points.northing])
    i, j = cKDTree(xy).query_pairs(float(distances[-1]), output_type="ndarray").T
    apart = blocks.code[i] != blocks.code[j]
    i, j = i[apart], j[apart]
    band = np.searchsorted(distances, np.hypot(*(xy[i] - xy[j]).T))
    pair = np.sort(np.column_stack([blocks.code[i], blocks.code[j]]), axis=1)
    use = band < len(distances)  # a distance equal to the last edge may be rounded past it
    kind, weight = np.unique(np.column_stack([pair, band])[use], axis=0, return_counts=True)
    a, b, k = kind.T
    cells = len(distances) * (len(intervals) + 1)

    def count(gap: Array) -> Any:
        place = k * (len(intervals) + 1) + np.searchsorted(intervals, gap) + cells * np.arange(len(gap))[:, None]
        total = np.bincount(place.ravel(), np.broadcast_to(weight, gap.shape).ravel(), cells * len(gap))
        return total.reshape(len(gap), len(distances), -1)[:, :, :-1].reshape(len(gap), -1)

    return blocks.permuted(a, b, count, n_simulations, seed)


def knox_test(
    points: PointPattern, time: ArrayLike, *, distance: float, interval: float, n_simulations: int, rng: Rng,
    blocks: ArrayLike | None = None,
) -> TestResult:  # fmt: skip
    """Count pairs of strikes within a distance and an interval of each other, against the same places with times permuted.

    Answers: does a strike bring others near it soon after? Where and when strikes are many is allowed for; a part of the window struck
    in one period and another in the next is not, and looks like interaction.

    Parameters
    ----------
    points : PointPattern
    time : (n,) array
        Numbers, or dates counted in days.
    distance, interval : float
        A pair at exactly either counts; ties in time are at interval 0.
    blocks : (n,) labels, optional
        Attacks: they swap their times (each the earliest of its strikes) as wholes, and pairs within one are left out, since no
        permutation parts them. Without blocks every strike is its own, and a salvo is taken for interaction.

    Returns
    -------
    TestResult
        One-sided. No pair within the distance gives 0 and p = 1.

    Notes
    -----
    Cost: pairs of attacks with strikes within ``distance`` × n_simulations.

    Raises
    ------
    InputError
        For fewer than two blocks, times that are not finite, limits that are negative, or fewer than 19 simulations.
    """
    held, seed = _Blocks.of(points, time, blocks), seed_sequence(rng)
    observed, simulated = _table(points, held, _edges(distance, "distance"), _edges(interval, "interval"), n_simulations, seed)
    p = monte_carlo_p(float(observed[0]), simulated[:, 0], "greater")
    return TestResult("Knox", float(observed[0]), p, "greater", held.null, points.n, n_simulations, str(seed.entropy), simulated[:, 0])


def near_repeat_table(
    points: PointPattern, time: ArrayLike, *, distances: ArrayLike, intervals: ArrayLike, n_simulations: int, rng: Rng,
    blocks: ArrayLike | None = None,
) -> NearRepeat:  # fmt: skip
    """Count pairs by bands of distance and interval, each band's p paid for looking at all of them.

    Parameters as for :func:`knox_test`; ``distances`` and ``intervals`` are the upper edges of the bands, the first from 0.
    """
    held, seed = _Blocks.of(points, time, blocks), seed_sequence(rng)
    d, t = _edges(distances, "distances"), _edges(intervals, "intervals")
    observed, simulated = _table(points, held, d, t, n_simulations, seed)
    p, simulated_p = pooled_p(observed, simulated)
    expected = simulated.mean(axis=0)
    ratio = np.divide(observed, expected, out=np.full(len(observed), np.nan), where=expected > 0)
    frame = pd.DataFrame(
        [(*x, *y) for x in zip(np.r_[0, d[:-1]], d, strict=True) for y in zip(np.r_[0, t[:-1]], t, strict=True)],
        columns=["distance_from", "distance_to", "interval_from", "interval_to"],
    ).assign(observed=observed.astype(int), expected=expected, ratio=ratio, p_value=p, p_after=max_t(-p, -simulated_p))
    return NearRepeat(frame, held.null, points.n, n_simulations, str(seed.entropy))


def mantel_test(
    points: PointPattern, time: ArrayLike, *, distance: float, interval: float, n_simulations: int, rng: Rng,
    blocks: ArrayLike | None = None,
) -> TestResult:  # fmt: skip
    """Sum 1/(1 + d/distance) · 1/(1 + t/interval) over all pairs of different blocks: Mantel's test with reciprocal transforms.

    Parameters as for :func:`knox_test`, but the scales, above zero, only say what counts as near: no pair is left out for being far.
    Cost: strikes² + attacks² × n_simulations.
    """
    if not (distance > 0 and interval > 0):
        raise InputError("must be above zero", column="distance, interval", value=(distance, interval))
    held, seed = _Blocks.of(points, time, blocks), seed_sequence(rng)
    order = np.argsort(held.code, kind="stable")
    xy, code = np.column_stack([points.easting, points.northing])[order], held.code[order]
    starts, m = np.searchsorted(code, np.arange(len(held.time))), len(held.time)
    near, step = np.zeros((m, m)), max(1, CHUNK // points.n)
    for low in range(0, points.n, step):
        rows = np.add.reduceat(1 / (1 + cdist(xy[low : low + step], xy) / distance), starts, axis=1)
        np.add.at(near, code[low : low + step], rows)
    a, b = np.triu_indices(m, 1)
    weight = near[a, b]
    observed, simulated = held.permuted(a, b, lambda gap: ((1 / (1 + gap / interval)) @ weight)[:, None], n_simulations, seed)
    p = monte_carlo_p(float(observed[0]), simulated[:, 0], "greater")
    return TestResult("Mantel", float(observed[0]), p, "greater", held.null, points.n, n_simulations, str(seed.entropy), simulated[:, 0])
