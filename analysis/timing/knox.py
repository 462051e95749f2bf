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
from ..pattern import InputError, PointPattern, refuse_few
from .answer import as_days

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
    """Hold strikes, the block of each, and what is permuted: the time of each block, which is that of its first strike."""

    xy: Array
    code: NDArray[np.intp]
    time: Array
    null: str
    seed: SeedSequence

    @classmethod
    def of(cls, points: PointPattern, time: ArrayLike, blocks: ArrayLike | None, rng: Rng) -> _Blocks:
        given = pd.Series(time).infer_objects().to_numpy()
        at = (given if given.dtype.kind in "biuf" else as_days(given, "time")).astype(float)
        labels = np.arange(points.n) if blocks is None else np.asarray(blocks, object)
        code = pd.factorize(labels)[0].astype(np.intp)
        if at.shape != (points.n,) or len(code) != points.n or not np.isfinite(at).all() or (code < 0).any():
            raise InputError("every strike needs a finite time and a block", column="time", value=at.shape)
        if code.max(initial=0) < 1:
            raise InputError("needs at least two attacks", column="blocks", value=len(set(code)))
        first = np.full(code.max() + 1, np.inf)
        np.minimum.at(first, code, at)
        null = "times of " + ("strikes permuted" if blocks is None else "attacks permuted")
        return cls(np.column_stack([points.easting, points.northing]), code, first, null, seed_sequence(rng))

    def permuted(self, a: Any, b: Any, statistic: Callable[[Array], Any], n_simulations: int) -> tuple[Array, Array]:
        """Give a statistic of the intervals between blocks a and b, in the data (cells,) and in each permutation of times (B, cells)."""
        refuse_few(n_simulations)
        step = max(1, CHUNK // max(len(a), 1))
        parts = [statistic(np.abs(self.time[a] - self.time[b])[None, :])]
        for low in range(0, n_simulations, step):
            drawn = np.array([replicate_rng(self.seed, k).permutation(self.time) for k in range(low, min(low + step, n_simulations))])
            parts.append(statistic(np.abs(drawn[:, a] - drawn[:, b])))
        return parts[0][0], np.concatenate(parts[1:])

    def table(self, distances: Any, intervals: Any, n_simulations: int) -> tuple[Array, Array]:
        """Count pairs by band; pairs of the same two blocks in one band of distance are counted together."""
        for column, edges in (("distance", distances), ("interval", intervals)):
            if not (len(edges) and np.isfinite(edges).all() and (np.diff(edges) > 0).all() and edges[0] >= 0):
                raise InputError("must be finite, increasing and not negative", column=column, value=edges)
        i, j = cKDTree(self.xy).query_pairs(float(distances[-1]), output_type="ndarray").T
        band = np.minimum(np.searchsorted(distances, np.hypot(*(self.xy[i] - self.xy[j]).T)), len(distances) - 1)
        pair = np.column_stack([self.code[i], self.code[j], band])[self.code[i] != self.code[j]]
        (a, b, k), weight = (found.T for found in np.unique(pair, axis=0, return_counts=True))
        columns = len(intervals) + 1  # the last takes the longer intervals
        cells = len(distances) * columns

        def count(gap: Array) -> Any:
            place = k * columns + np.searchsorted(intervals, gap) + cells * np.arange(len(gap))[:, None]
            total = np.bincount(place.ravel(), np.broadcast_to(weight, gap.shape).ravel(), cells * len(gap))
            return total.reshape(len(gap), -1, columns)[:, :, :-1].reshape(len(gap), -1)

        return self.permuted(a, b, count, n_simulations)

    def result(self, name: str, observed: Array, simulated: Array) -> TestResult:
        drawn, value = simulated[:, 0], float(observed[0])
        p = monte_carlo_p(value * (1 - 1e-12), drawn, "greater")  # the same terms summed in another order are a tie
        return TestResult(name, value, p, "greater", self.null, len(self.code), len(drawn), str(self.seed.entropy), drawn)


def knox_test(
    points: PointPattern, time: ArrayLike, *, distance: float, interval: float, n_simulations: int, rng: Rng,
    blocks: ArrayLike | None = None,
) -> TestResult:  # fmt: skip
    """Count pairs of strikes within a distance and an interval of each other, against the same places with times permuted.

    Answers: does a strike bring others near it soon after? Where and when strikes are many is allowed for; a part of the window struck
    in one period and another in the next is not, and looks like interaction.

    Parameters
    ----------
    time : (n,) array
        Numbers, or dates counted in days.
    distance, interval : float
        A pair at exactly either counts; ties in time are at interval 0. No pair at all gives 0 and p = 1.
    blocks : (n,) labels, optional
        Attacks: they swap their times (each the earliest of its strikes) as wholes, and pairs within one are left out, since no
        permutation parts them. Without blocks every strike is its own, and a salvo is taken for interaction.

    Returns
    -------
    TestResult
        ``statistic`` is the number of pairs.

    Raises
    ------
    InputError
        For fewer than two blocks, a strike without one, times that are not finite, limits that are negative, or fewer than 19
        simulations.

    Notes
    -----
    Only pairs within ``distance`` are held. Cost: pairs of attacks with such strikes × n_simulations.
    """
    held = _Blocks.of(points, time, blocks, rng)
    return held.result("Knox", *held.table([distance], [interval], n_simulations))


def near_repeat_table(
    points: PointPattern, time: ArrayLike, *, distances: Any, intervals: Any, n_simulations: int, rng: Rng, blocks: ArrayLike | None = None
) -> NearRepeat:
    """Count pairs by bands of distance and interval, each band's p paid for looking at all of them.

    Parameters as for :func:`knox_test`; ``distances`` and ``intervals`` are the upper edges of the bands, the first from 0.
    """
    held = _Blocks.of(points, time, blocks, rng)
    observed, simulated = held.table(distances, intervals, n_simulations)
    p, simulated_p = pooled_p(observed, simulated)
    expected = simulated.mean(axis=0)
    bands = [(d, t) for d in zip([0, *distances], distances, strict=False) for t in zip([0, *intervals], intervals, strict=False)]
    frame = pd.DataFrame([(*d, *t) for d, t in bands], columns=["distance_from", "distance_to", "interval_from", "interval_to"]).assign(
        observed=observed.astype(int),
        expected=expected,
        ratio=np.divide(observed, expected, out=np.full(len(observed), np.nan), where=expected > 0),
        p_value=p,
        p_after=max_t(-p, -simulated_p),
    )
    return NearRepeat(frame, held.null, points.n, n_simulations, str(held.seed.entropy))


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
    held = _Blocks.of(points, time, blocks, rng)
    order, m = np.argsort(held.code, kind="stable"), len(held.time)
    xy, code = held.xy[order], held.code[order]
    near, starts, step = np.zeros((m, m)), np.searchsorted(code, np.arange(m)), max(1, CHUNK // points.n)
    for low in range(0, points.n, step):
        rows = slice(low, low + step)
        np.add.at(near, code[rows], np.add.reduceat(1 / (1 + cdist(xy[rows], xy) / distance), starts, axis=1))
    a, b = np.triu_indices(m, 1)
    return held.result("Mantel", *held.permuted(a, b, lambda gap: ((1 / (1 + gap / interval)) @ near[a, b])[:, None], n_simulations))
