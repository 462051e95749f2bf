"""The Monte Carlo test: any statistic under any null."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..null import BinomialNull, Draws, Null, PoissonNull, Rng, seed_sequence
from ..pattern import AnalysisWarning, InputError, PointPattern, refuse_few
from .results import TestResult

Array = NDArray[np.float64]
Statistic = Callable[[Draws], Array]
Alternative = Literal["greater", "less", "two-sided"]
CHUNK_POINTS = 2_000_000  # simulated strikes held at once: about 100 MB with their uniforms


def simulate(statistic: Statistic, null: Null, *, n_simulations: int, rng: Rng) -> Array:
    """Give the statistic in each replicate; a vector-valued one gives (n_simulations, length).

    Cost: n_simulations × strikes, plus whatever the statistic does; memory bounded by chunks of replicates.
    """
    seed = seed_sequence(rng)
    step = max(1, int(CHUNK_POINTS / null.expected_points))
    edges = [*range(0, n_simulations, step), n_simulations]
    return np.concatenate([statistic(null.draw(seed, a, b)) for a, b in itertools.pairwise(edges)])


def monte_carlo_p(observed: float, simulated: Array, alternative: Alternative) -> float:
    """Rank the observed value: (1 + #{at least as extreme}) / (1 + B), ties counted as extreme.

    Two-sided is twice the smaller one-sided p, at most 1.

    Raises
    ------
    InputError
        For an unknown alternative or a value that is not a number.

    Examples
    --------
    >>> monte_carlo_p(3.0, np.array([1.0, 2.0, 3.0, 4.0]), "greater")
    0.6
    """
    if not (np.isfinite(observed) and np.isfinite(simulated).all()):
        raise InputError("the statistic must be a finite number in the data and in every draw", value=observed)
    more = (1 + int((simulated >= observed).sum())) / (1 + len(simulated))
    less = (1 + int((simulated <= observed).sum())) / (1 + len(simulated))
    if alternative == "two-sided":
        return min(1.0, 2 * min(more, less))
    if alternative not in ("greater", "less"):
        raise InputError("must be greater, less or two-sided", column="alternative", value=alternative)
    return more if alternative == "greater" else less


def warn_of_salvos(points: PointPattern, null: Null) -> None:
    """Warn where strikes share attacks and the null draws them as independent: sizes of such tests are in docs/calibration.md."""
    marks = points.marks
    if (
        isinstance(null, BinomialNull | PoissonNull)
        and marks is not None
        and "attack_id" in marks
        and marks["attack_id"].duplicated().any()
    ):
        said = "strikes of one attack are drawn as independent: the test rejects too often where attacks are clustered"
        warnings.warn(said, AnalysisWarning, stacklevel=3)


def monte_carlo_test(
    points: PointPattern,
    statistic: Statistic,
    null: Null,
    *,
    n_simulations: int,
    rng: Rng,
    alternative: Alternative = "greater",
    name: str = "Monte Carlo test",
) -> TestResult:
    """Compare a statistic of the strikes with its values in draws from a null.

    Answers: how often would the null alone give a statistic this extreme? The answer is for the null as given: clustered strikes
    under a null of independent ones give p-values that are too small.

    Parameters
    ----------
    points : PointPattern
    statistic : callable
        Takes :class:`Draws`, gives one number for each replicate. A baseline estimated from the strikes must be refitted inside.
    null : Null
    n_simulations : int
        B; the smallest possible p is 1 / (B + 1).
    rng : int, SeedSequence or Generator
        Replicate k draws from ``SeedSequence(seed, spawn_key=(k,))``, so the answer does not depend on chunks or workers.
    alternative : {"greater", "less", "two-sided"}
        Two-sided doubles the smaller of the two p-values.
    name : str
        As printed.

    Returns
    -------
    TestResult

    Raises
    ------
    InputError
        For fewer than 19 simulations, an unknown alternative, or a statistic that is not finite.

    Warns
    -----
    AnalysisWarning
        If strikes carry an ``attack_id`` that some share, and the null draws them as independent.

    References
    ----------
    Besag, J. & Diggle, P. J. (1977). Simple Monte Carlo tests for spatial pattern. Applied Statistics 26, 327-333.
    """
    refuse_few(n_simulations)
    warn_of_salvos(points, null)
    seed = seed_sequence(rng)
    observed = float(statistic(Draws.observed(points))[0])
    simulated = simulate(statistic, null, n_simulations=n_simulations, rng=seed)
    p = monte_carlo_p(observed, simulated, alternative)
    return TestResult(name, observed, p, alternative, null.name, points.n, n_simulations, str(seed.entropy), simulated)
