"""The decay score: strikes weighed by nearness, less what the refitted baseline expects.

References
----------
Waller, L. A., Turnbull, B. W., Clark, L. C. & Nasca, P. (1992). Chronic disease surveillance and testing of clustering of
disease and exposure. Environmetrics 3, 281-300. Lawson, A. B. (1993). JRSS A 156, 363-377.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..baseline import LinearEstimator, window_means
from ..inference import Alternative, TestResult, monte_carlo_p, monte_carlo_test
from ..null import BinomialNull, Draws, Null, Rng, seed_sequence
from ..pattern import AnalysisWarning, InputError, Intensity, PointPattern, Sites, label_codes, refuse_few
from .decay import Decay
from .score_levels import countable, level_scores

Array = NDArray[np.float64]
MOST_CLASSES = 64  # distinct location errors taken as they are
ALTERNATIVES: dict[str, Alternative] = {"closer": "greater", "farther": "less", "two-sided": "two-sided"}


@dataclass(frozen=True, eq=False)
class LinearScore:
    """Sum a field over strikes, each read at its own location error: the statistic behind scores and expected counts.

    Attributes
    ----------
    fields : (classes, rows, columns) array
        One for each class of location error.
    error_class : (n,) int array
        Which field each strike reads.
    weights : (n,) array
    unit : (n,) int array or None
        The independent unit (attack) of each strike: the sum is then divided by the root of the sum of squared unit totals, so that
        strikes of one attack that fall together do not count as independent.
    centre : (n,) array
        Subtracted from each strike's value before unit totals are squared.
    estimator : LinearEstimator or Intensity
        Whose cells the fields are on.
    """

    fields: Array
    error_class: NDArray[np.intp]
    weights: Array
    unit: NDArray[np.intp] | None
    centre: Array
    estimator: LinearEstimator | Intensity

    def marked(self, error_class: NDArray[np.intp], weights: Array, attack: ArrayLike | None, null: BinomialNull) -> LinearScore:
        """Give the same fields other strikes' marks; with ``attack``, centred on the strikes' means under ``null``."""
        unit = None if attack is None else label_codes(attack, null.n)
        centre = np.zeros(null.n) if unit is None else null.means(self.fields.reshape(len(self.fields), -1), error_class)
        return LinearScore(self.fields, error_class, weights, unit, centre, self.estimator)

    def values(self, draws: Draws) -> Array:
        """Give each point's weighted value."""
        read = self.estimator.grid.interpolate(self.fields, draws.easting, draws.northing, self.error_class[draws.mark])
        return read * self.weights[draws.mark]

    def __call__(self, draws: Draws) -> Array:
        """Give the statistic of each replicate."""
        values = self.values(draws)
        score = draws.sums(values)
        if self.unit is None:
            return score
        n_units = int(self.unit.max()) + 1
        centred = values - (self.weights * self.centre)[draws.mark]
        slot = draws.replicate * n_units + self.unit[draws.mark]
        totals = np.bincount(slot, centred, draws.n_draws * n_units).reshape(draws.n_draws, n_units)
        spread = np.sqrt((totals**2).sum(axis=1))
        return np.divide(score, spread, out=np.zeros_like(score), where=spread > 0)


def strike_weights(weights: ArrayLike | None, n: int) -> Array:
    """Give the weight of each of n strikes: as given, or 1."""
    weight = np.ones(n) if weights is None else np.asarray(weights, float)
    if weight.shape != (n,) or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise InputError("must be one number for each strike, not negative and not all zero", column="weights")
    return weight


def error_classes(uncertainty: ArrayLike | None, n: int) -> tuple[Array, NDArray[np.intp]]:
    """Give the distinct location errors and the class of each strike; of very many, classes 5 % wide.

    Parameters
    ----------
    uncertainty : (n,) array or None
        Standard deviation of each location, in the window's unit; 0 for all without it.
    n : int

    Returns
    -------
    levels : (k,) array
        Increasing. Beyond 64 distinct errors, the root mean square of each class: each costs a field, in time and memory.
    kind : (n,) int array
        Indices into ``levels``.

    Raises
    ------
    InputError
        If there is not one finite number for each strike, or one is negative.
    """
    if uncertainty is None:
        return np.zeros(1), np.zeros(n, np.intp)
    sigma = np.asarray(uncertainty, float)
    if sigma.shape != (n,) or not np.isfinite(sigma).all() or (sigma < 0).any():
        raise InputError("must be one number for each strike, not negative", column="uncertainty")
    levels, kind = np.unique(sigma, return_inverse=True)
    if len(levels) > MOST_CLASSES:
        step = np.floor(np.log(np.maximum(sigma, np.finfo(float).tiny)) / np.log(1.05))
        _, kind, size = np.unique(step, return_inverse=True, return_counts=True)
        levels = np.sqrt(np.bincount(kind, sigma**2) / size)
    return levels, kind


def decay_score(
    points: PointPattern,
    sites: Sites,
    decay: Decay,
    estimator: LinearEstimator | Intensity,
    *,
    weights: ArrayLike | None = None,
    uncertainty: ArrayLike | None = None,
    attack: ArrayLike | None = None,
    refit: bool = True,
    null: BinomialNull | None = None,
) -> LinearScore:
    """Build the statistic Σ w_i g(x_i) − ∫ g λ̂, with λ̂ refitted to whatever strikes it is given.

    Parameters
    ----------
    points, sites, decay, weights, uncertainty, attack
        As in :func:`decay_score_test`.
    estimator : LinearEstimator or Intensity
        An Intensity is known, and never refitted.
    refit : bool
        If not, or if the baseline is known, ∫ g λ̂ is a constant: it moves no rank and is left out, so that ties stay ties.
    null : BinomialNull, optional
        On whose means values are centred; needed with ``attack``.

    Returns
    -------
    LinearScore

    Notes
    -----
    Because λ̂ is linear in the strikes, this is Σ w_i (g − A g)(x_i) for fixed fields: see :class:`~analysis.baseline.LinearEstimator`.
    With ``attack`` the sum is divided by its attack-robust standard error. A constant then matters, and is taken off at its mean under
    ``null``: left on, sum and error rise together and hide an excess. Cost: two FFT pairs for each distinct location error, once.

    Raises
    ------
    InputError
        For no sites, arrays of the wrong length, or attacks without a null.
    """
    levels, kind = error_classes(uncertainty, points.n)
    weight = strike_weights(weights, points.n)
    fields = window_means(decay.field(sites, estimator.grid), estimator.grid, levels)
    if isinstance(estimator, Intensity):
        refit = False
    elif refit:
        fields = np.stack([field - estimator.adjoint(field) for field in fields])
    plain = LinearScore(fields, kind, weight, None, np.zeros(points.n), estimator)
    if attack is None:
        return plain
    if null is None:
        raise InputError("attacks as units need the null on whose means values are centred", column="null")
    score = plain.marked(kind, weight, attack, null)
    if refit:
        return score
    mean = np.average(score.centre, weights=weight)
    return replace(score, fields=fields - mean, centre=score.centre - mean)


def decay_score_test(
    points: PointPattern,
    sites: Sites,
    decay: Decay,
    baseline: LinearEstimator | Intensity,
    *,
    n_simulations: int,
    rng: Rng,
    alternative: str = "closer",
    weights: ArrayLike | None = None,
    uncertainty: ArrayLike | None = None,
    attack: ArrayLike | None = None,
    stratum: NDArray[np.intp] | None = None,
    cell_stratum: NDArray[np.intp] | None = None,
) -> TestResult:
    """Test whether strikes fall nearer to sites than the baseline predicts.

    Answers: is there an excess of strikes near sites, beyond where strikes fall anyway? It does not see why: an object beside a site that
    was aimed at gives the same excess.

    Parameters
    ----------
    points : PointPattern
        The strikes, n of them.
    sites : Sites
    decay : Decay
    baseline : LinearEstimator or Intensity
        An estimator is fitted to the strikes, and again inside every draw; an Intensity is taken as truly known.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.
    alternative : {"closer", "farther", "two-sided"}
    weights : (n,) array, optional
        What each strike counts for, as from :func:`~analysis.baseline.located_share`.
    uncertainty : (n,) array, optional
        Standard deviation of each location, in the window's unit; draws carry the same.
    attack : (n,) labels, optional
        Attacks as units: the score is studentised by attack.
    stratum, cell_stratum : optional
        Keep the strikes of each stratum (raion) within it.

    Returns
    -------
    TestResult

    Warns
    -----
    AnalysisWarning
        If the points carry attacks with more than one strike and ``attack`` is not given: independent draws do not hold the level then.

    Notes
    -----
    The size holds as far as the bandwidth suits the strikes: with too large a one the test finds excesses that are not there
    (measured in data/calibration/primary.json). Cost: n_simulations × n, plus FFTs over the cells; beyond 4e7 simulated strikes without
    attacks they are counted by level of the field and none is placed (:mod:`~analysis.proximity.score_levels`).

    Raises
    ------
    InputError
        For no strikes, no sites, an unknown alternative, fewer than 19 simulations, arrays of the wrong length, a missing attack, weights
        or location errors that are negative or not finite, or strata without intensity.
    """
    check_points(points, alternative, n_simulations, attack)
    weight = strike_weights(weights, points.n)
    fitted = baseline if isinstance(baseline, Intensity) else baseline.fit(points.easting, points.northing, weight)
    null = BinomialNull(fitted, points.n, stratum, cell_stratum)
    score = decay_score(points, sites, decay, baseline, weights=weight, uncertainty=uncertainty, attack=attack, null=null)
    return score_test(points, score, null, decay.name, n_simulations=n_simulations, rng=rng, alternative=alternative)


def side_of(alternative: str) -> Alternative:
    """Give the side of the score on which an alternative lies."""
    if alternative not in ALTERNATIVES:
        raise InputError("must be closer, farther or two-sided", column="alternative", value=alternative)
    return ALTERNATIVES[alternative]


def check_points(points: PointPattern, alternative: str, n_simulations: int, attack: ArrayLike | None = None) -> None:
    """Refuse what cannot be tested, and warn of attacks whose strikes are drawn as independent."""
    if points.n == 0:
        raise InputError("there are no strikes")
    refuse_few(n_simulations)
    side_of(alternative)
    if attack is None and points.marks is not None and "attack_id" in points.marks and points.marks["attack_id"].duplicated().any():
        warnings.warn(
            "strikes of one attack are drawn as independent: give attack, or the test rejects too often", AnalysisWarning, stacklevel=3
        )


def score_test(
    points: PointPattern, score: LinearScore, null: Null, name: str, *, n_simulations: int, rng: Rng, alternative: str
) -> TestResult:
    """Run the Monte Carlo test of a score and name its alternative in terms of distance.

    Parameters
    ----------
    points : PointPattern
        The strikes whose marks ``score`` holds.
    score : LinearScore
    null : Null
    name : str
        The decay as printed.
    n_simulations, rng, alternative
        As in :func:`decay_score_test`.

    Returns
    -------
    TestResult

    Raises
    ------
    InputError
        For an unknown alternative or fewer than 19 simulations.
    """
    side, said = side_of(alternative), f"decay score, {name}"
    if isinstance(null, BinomialNull) and countable(score, null, n_simulations):
        seed = seed_sequence(rng)
        observed, simulated = level_scores(points, score, null, n_simulations=n_simulations, rng=seed)
        p = monte_carlo_p(observed, simulated, side)
        return TestResult(said, observed, p, alternative, null.name, points.n, n_simulations, str(seed.entropy), simulated)
    unmarked = PointPattern(points.easting, points.northing, points.window)  # attacks are in the score, or were warned of above
    result = monte_carlo_test(unmarked, score, null, n_simulations=n_simulations, rng=rng, alternative=side, name=said)
    return replace(result, alternative=alternative)
