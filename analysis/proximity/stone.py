"""Stone's test: is the risk somewhere near the site higher than expected, falling with distance?

References
----------
Stone, R. A. (1988). Investigations of excess environmental risks around putative sources: statistical problems and a proposed test.
Statistics in Medicine 7, 649-660.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression
from scipy.special import xlogy

from ..inference import TestResult, monte_carlo_p
from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError, refuse_few

Array = NDArray[np.float64]
NullName = Literal["permutation", "multinomial", "poisson"]
CHUNK = 5_000_000  # simulated counts held at once


def stone_test(
    distance: ArrayLike,
    observed: ArrayLike,
    expected: ArrayLike,
    *,
    null: NullName = "permutation",
    statistic: Literal["max", "mlr"] = "max",
    n_simulations: int,
    rng: Rng,
) -> TestResult:
    """Test whether counts near a site exceed what is expected, without saying how near.

    Answers: is there a distance within which more strikes fell than expected? It is led by the regions nearest to the site: one strike
    where a hundredth was expected gives a ratio of 100, so its power against a broad, moderate excess is low.

    Parameters
    ----------
    distance : (n,) array
        From each region to the site, or to the nearest of several.
    observed, expected : (n,) arrays
        Counts and expected counts of the regions.
    null : {"permutation", "multinomial", "poisson"}
        Pairs of observed and expected dealt anew to the distances; the total shared out in proportion to the expected; or each count
        Poisson with its expected mean, the total free. Permutation is right only if the expected do not go with distance.
    statistic : {"max", "mlr"}
        Stone's maximum ratio, or the likelihood ratio of a risk that falls with distance against a constant one.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Returns
    -------
    TestResult
        The statistic, and in its name the distance of the maximum; ``n`` is the number of observed strikes.

    Notes
    -----
    T = max_j Σ_{i≤j} O_i / Σ_{i≤j} E_i over the distinct distances: regions at one distance enter together. Prefixes with nothing expected
    are passed over. MLR: 2 Σ (O log(λ̂/λ̄) − E (λ̂ − λ̄)), λ̂ the isotonic regression of O/E with weights E, λ̄ = ΣO/ΣE (1 under the Poisson
    null). Cost of the maximum under permutation: n random 16-bit numbers and one weighted count for each draw, since a permutation is dealt
    in blocks and only blocks that could hold the maximum are put in order; else n for each draw.

    Raises
    ------
    InputError
        For arrays of different lengths, no strikes, counts that are not whole, nothing expected, a strike where nothing is expected, or an
        unknown option.

    Examples
    --------
    >>> result = stone_test([1, 2, 2, 3], [2, 1, 0, 1], [1, 1, 1, 1], n_simulations=99, rng=1)
    >>> result.statistic, result.name
    (2.0, 'Stone maximum ratio, within 1')
    """
    d, o, e = _inputs(distance, observed, expected)
    refuse_few(n_simulations)
    if null not in ("permutation", "multinomial", "poisson"):
        raise InputError("must be permutation, multinomial or poisson", column="null", value=null)
    if statistic not in ("max", "mlr"):
        raise InputError("must be max or mlr", column="statistic", value=statistic)
    ends = np.flatnonzero(np.r_[np.diff(d) > 0, True])
    starts = np.r_[0, ends[:-1] + 1]
    seed = seed_sequence(rng)
    grouped = np.add.reduceat(o, starts), np.add.reduceat(e, starts)
    ratios = _ratios(grouped[0][None], grouped[1])[0]
    where = d[ends[int(ratios.argmax())]]
    level = 1.0 if null == "poisson" else o.sum() / e.sum()
    value = float(ratios.max()) if statistic == "max" else _mlr(*grouped, level)
    if null != "permutation":
        simulated = _from_expected(grouped[1], o.sum(), null, statistic, level, n_simulations, seed)
    elif statistic == "max":
        deal = _Deal(o, e, ends)
        simulated = np.array([deal.maximum(replicate_rng(seed, k)) for k in range(n_simulations)])
    else:
        simulated = np.empty(n_simulations)
        for k in range(n_simulations):
            order = replicate_rng(seed, k).permutation(len(d))
            simulated[k] = _mlr(np.add.reduceat(o[order], starts), np.add.reduceat(e[order], starts), level)
    # the same ratio summed in another order differs in its last digits, and must count as a tie
    p = monte_carlo_p(value * (1 - 1e-12), simulated, "greater")
    name = f"Stone maximum ratio, within {where:g}" if statistic == "max" else "Stone MLR, risk falling with distance"
    return TestResult(name, value, p, "closer", null, int(o.sum()), n_simulations, str(seed.entropy), simulated)


def _inputs(distance: ArrayLike, observed: ArrayLike, expected: ArrayLike) -> tuple[Array, Array, Array]:
    d, o, e = (np.asarray(a, float) for a in (distance, observed, expected))
    if d.ndim != 1 or not d.shape == o.shape == e.shape:
        raise InputError("distance, observed and expected must be (n,) arrays of one length", value=(d.shape, o.shape, e.shape))
    if not np.isfinite(d).all() or (d < 0).any():
        raise InputError("must be finite and not negative", column="distance")
    check_counts(o, e)
    order = np.argsort(d, kind="stable")
    return d[order], o[order], e[order]


def check_counts(observed: Array, expected: Array) -> None:
    """Refuse counts that are not whole, expected counts that are not, no strikes, or strikes where none are expected."""
    if not np.isfinite(observed).all() or (observed < 0).any() or (observed != np.round(observed)).any():
        raise InputError("must be whole numbers, not negative", column="observed")
    if not np.isfinite(expected).all() or (expected < 0).any() or not expected.sum() > 0:
        raise InputError("must be finite, not negative, and somewhere above zero", column="expected")
    if not observed.sum() > 0:
        raise InputError("there are no strikes", column="observed")
    if (observed[expected == 0] > 0).any():
        row = int(np.flatnonzero((expected == 0) & (observed > 0))[0])
        raise InputError("a strike fell where nothing is expected", row=row + 1, column="expected", value=0)


def _ratios(observed: Array, expected: Array) -> Array:
    """Cumulated ratios along the last axis; zero where nothing is expected yet."""
    mass = np.cumsum(expected)
    return np.divide(np.cumsum(observed, axis=1), mass, out=np.zeros(observed.shape), where=mass > 0)


def _mlr(observed: Array, expected: Array, level: float) -> float:
    held = expected > 0
    o, e = observed[held], expected[held]
    risk = isotonic_regression(o / e, weights=e, increasing=False).x
    # within a block of constant risk the observed add up to risk × expected, so the sum may be taken over regions
    return float(2 * (xlogy(o, risk / level).sum() - (e * (risk - level)).sum()))


def _from_expected(
    expected: Array, total: float, null: str, statistic: str, level: float, n_simulations: int, seed: np.random.SeedSequence
) -> Array:
    result, step = np.empty(n_simulations), max(1, CHUNK // len(expected))
    share = expected / expected.sum()
    for first in range(0, n_simulations, step):
        draws = [replicate_rng(seed, k) for k in range(first, min(first + step, n_simulations))]
        counts = np.array([r.multinomial(int(total), share) if null == "multinomial" else r.poisson(expected) for r in draws], float)
        rows = slice(first, first + len(draws))
        result[rows] = _ratios(counts, expected).max(axis=1) if statistic == "max" else [_mlr(row, expected, level) for row in counts]
    return result


class _Deal:
    """Draw the maximum ratio of a random permutation without ordering all of it.

    Each pair gets a random block; blocks follow one another, and within a block the order is random: together a uniform permutation.
    Sums by block bound the ratios inside, so that blocks are put in order, from the first on, only as long as one ahead could hold the
    maximum.
    """

    def __init__(self, observed: Array, expected: Array, ends: NDArray[np.intp]) -> None:
        n = len(observed)
        self.observed, self.expected, self.n = observed, expected, n
        self.is_end = np.zeros(n, bool)
        self.is_end[ends] = True
        self.overall = float(observed.sum() / expected.sum())
        self.blocks = 1 << int(np.clip(np.log2(max(n / 48, 1)), 0, 11))

    def maximum(self, rng: Generator) -> float:
        """Draw one permutation and give its maximum ratio."""
        from ..pattern.loops import best_ratio, block_sums, in_blocks

        words = rng.integers(0, 2**64 - 1, self.n // 4 + 1, np.uint64, endpoint=True)
        words &= np.uint64((self.blocks - 1) * 0x0001_0001_0001_0001)
        block = words.view(np.uint16)[: self.n]
        # a ratio inside a block is at most all counts up to its end over what was expected before it; the margin covers rounding
        before, mass = block_sums(block, self.blocks, self.observed, self.expected)
        before *= 1 + 1e-9
        best, done, o, e, position = self.overall, 0, 0.0, 0.0, 0
        while (need := np.flatnonzero(before[done:] > best * mass[done:])).size:
            last = min(done + int(need[-1]) + 1, max(4 * done, 8))
            members = rng.permutation(in_blocks(block, done, last))
            found, o, e = best_ratio(members, block, done, last, self.observed, self.expected, self.is_end, position, o, e)
            best, done, position = max(best, found), last, position + len(members)
        return float(best)
