"""The two-stage test: an honest p-value when the null was fitted to the very strikes that are tested.

References
----------
Baddeley, A., Hardegen, A., Lawrence, T., Milne, R. K., Nair, G. & Rakshit, S. (2017). On two-stage Monte Carlo tests of composite
hypotheses. Computational Statistics and Data Analysis 114, 75-87.
Dao, N. A. & Genton, M. G. (2014). A Monte Carlo-adjusted goodness-of-fit test for parametric models describing spatial point patterns.
Journal of Computational and Graphical Statistics 23, 497-517.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..null import Draws, Null, Rng, seed_sequence
from ..null.draws import child_seed
from ..pattern import PointPattern, refuse_few
from .monte_carlo import Alternative, Statistic, monte_carlo_p, simulate, warn_of_salvos
from .results import TestResult

# the null fitted to the points, and the statistic with whatever it takes from that fit
Fit = Callable[[PointPattern], tuple[Null, Statistic]]


def two_stage_test(
    points: PointPattern,
    fit: Fit,
    *,
    n_simulations: int,
    rng: Rng,
    n_second: int | None = None,
    alternative: Alternative = "greater",
    name: str = "two-stage test",
) -> TestResult:
    """Test a fitted null by comparing the plug-in p-value of the data with those of patterns drawn from the fit.

    Answers: how often would strikes that truly follow a null of this kind, treated in the same way, give a plug-in p-value this small?
    The plug-in test itself is conservative or liberal, because the baseline was fitted to the strikes.

    Parameters
    ----------
    points : PointPattern
    fit : callable
        Takes points, gives the null fitted to them and the statistic (which may use the fit).
    n_simulations : int
        Patterns drawn from the null fitted to the data, each refitted.
    n_second : int, optional
        Draws behind each plug-in p-value; ``n_simulations`` where not given (balanced).
    rng, alternative, name
        As in :func:`~analysis.inference.monte_carlo_test`.

    Returns
    -------
    TestResult
        ``statistic`` is the plug-in p-value of the data, ``simulated`` those of the drawn patterns; its ``alternative`` is that of the
        plug-in test.

    Raises
    ------
    InputError
        For fewer than 19 simulations at either stage, an unknown alternative, or a statistic that is not finite.

    Warns
    -----
    AnalysisWarning
        As in :func:`~analysis.inference.monte_carlo_test`.

    Notes
    -----
    p = (1 + #{p_j ≤ p_0}) / (1 + n_simulations). The two stages use independent draws. Cost: (n_simulations + 1) fits and
    (n_simulations + 1) × n_second draws: 99 × 99 is a usual choice.
    """
    second = n_simulations if n_second is None else n_second
    refuse_few(min(n_simulations, second))
    seed = seed_sequence(rng)

    def plug_in(pattern: PointPattern, step: int) -> tuple[Null, float]:
        null, statistic = fit(pattern)
        own = float(statistic(Draws.observed(pattern))[0])
        draws = simulate(statistic, null, n_simulations=second, rng=child_seed(seed, 1, step))
        return null, monte_carlo_p(own, draws, alternative)

    null, found = plug_in(points, 0)
    warn_of_salvos(points, null)
    drawn = np.empty(n_simulations)
    for k in range(n_simulations):
        draw = null.draw(child_seed(seed, 0), k, k + 1)
        drawn[k] = plug_in(draw.pattern(0, points.window, points.marks), k + 1)[1]
    p = monte_carlo_p(found, drawn, "less")
    return TestResult(name, found, p, alternative, f"{null.name}, refitted", points.n, n_simulations, str(seed.entropy), drawn)
