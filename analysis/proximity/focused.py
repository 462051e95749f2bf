"""Focused scores of region counts: Lawson and Waller's, Bithell's and Tango's weights, and the largest over a family of decays.

References
----------
Waller, L. A., Turnbull, B. W., Clark, L. C. & Nasca, P. (1992). Environmetrics 3, 281-300. Lawson, A. B. (1993). JRSS A 156, 363-377.
Bithell, J. F. (1995). The choice of test for detecting raised disease risk near a point source. Statistics in Medicine 14, 2309-2322.
Tango, T. (2000). A test for spatial disease clustering adjusted for multiple testing. Statistics in Medicine 19, 191-204.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from ..inference import TestResult, format_p, max_t, to_json
from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError, refuse_few
from .decay import Decay
from .stone import check_counts

Array = NDArray[np.float64]
TAILS = {"closer": norm.sf, "farther": norm.cdf, "two-sided": lambda z: 2 * norm.sf(np.abs(z))}


@dataclass(frozen=True, eq=False)
class FocusedScore(TestResult):
    """Hold a focused score test; ``statistic`` is Z = U / √V.

    Attributes
    ----------
    score, variance : float
        U and V.
    """

    score: float = 0.0
    variance: float = 0.0


@dataclass(frozen=True, eq=False)
class FocusedFamily:
    """Hold the scores of a family of exposures, each adjusted for all.

    Attributes
    ----------
    names : tuple of str
    statistic, p_value, adjusted : (k,) arrays
        Z, its normal p as if it had been the only exposure, and its max-T p.
    null : str
    n_simulations : int
    seed : str
    """

    names: tuple[str, ...]
    statistic: Array
    p_value: Array
    adjusted: Array
    null: str
    n_simulations: int
    seed: str

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        k = int(self.statistic.argmax())
        p = format_p(self.adjusted[k])
        return f"The largest of {len(self.names)} scores is {self.statistic[k]:.3g} ({self.names[k]}), p = {p} by max-T."


def score_and_variance(observed: Array, expected: Array, exposure: Array) -> tuple[Array, Array]:
    """Give U = Σ g (O − E) and V = Σ g² E − (Σ g E)² / ΣE for exposures (k, n) and counts (..., n)."""
    score = (observed - expected) @ exposure.T
    variance = exposure**2 @ expected - (exposure @ expected) ** 2 / expected.sum()
    return score, variance


def _exposures(exposure: ArrayLike, n: int) -> Array:
    g = np.atleast_2d(np.asarray(exposure, float))
    if g.ndim != 2 or g.shape[1] != n or not np.isfinite(g).all():
        raise InputError("must be one finite number for each region", column="exposure", value=g.shape)
    return g


def _counts(observed: ArrayLike, expected: ArrayLike) -> tuple[Array, Array]:
    o, e = np.asarray(observed, float), np.asarray(expected, float)
    if o.ndim != 1 or o.shape != e.shape:
        raise InputError("observed and expected must be (n,) arrays of one length", value=(o.shape, e.shape))
    check_counts(o, e)
    return o, e


def focused_score_test(observed: ArrayLike, expected: ArrayLike, exposure: ArrayLike, *, alternative: str = "closer") -> FocusedScore:
    """Test whether counts go with an exposure, such as a decay of the distance to a site.

    Answers: do regions near the site have more strikes than expected, with nearness weighed as given? It is the most powerful test
    for small excesses proportional to the exposure, and can miss an excess of another shape.

    Parameters
    ----------
    observed, expected : (n,) arrays
        Counts and expected counts of the regions; the expected should add up to the observed (V is the variance given the total).
    exposure : (n,) array
        g: ``Decay(...)(distance)``; for Bithell's score pass it through :func:`bithell_weights`, for Tango's use :func:`tango_decay`.
    alternative : {"closer", "farther", "two-sided"}
        Closer means more strikes than expected where the exposure is high.

    Notes
    -----
    U = Σ g (O − E), V = Σ g² E − (Σ g E)² / ΣE, Z = U / √V with a normal p-value: good when Σ g E is large; with an expected handful near
    the site use :func:`focused_family_test` with one exposure, whose p is by Monte Carlo.

    Raises
    ------
    InputError
        For counts as in :func:`~analysis.proximity.stone_test`, an exposure that does not vary, or an unknown alternative.

    Examples
    --------
    >>> focused_score_test([4, 1, 1], [2, 2, 2], [1, 0.5, 0]).statistic
    1.5
    """
    o, e = _counts(observed, expected)
    if alternative not in TAILS:
        raise InputError("must be closer, farther or two-sided", column="alternative", value=alternative)
    score, variance = (float(v[0]) for v in score_and_variance(o, e, _exposures(exposure, len(o))))
    if not variance > 1e-12 * e.sum():
        raise InputError("does not vary over the regions", column="exposure")
    z = float(score / np.sqrt(variance))
    p = min(max(float(TAILS[alternative](z)), float(np.finfo(float).tiny)), 1.0)
    return FocusedScore(
        "focused score", z, p, alternative, "multinomial, normal approximation", int(o.sum()), score=score, variance=variance
    )


def bithell_weights(exposure: ArrayLike, excess: float) -> Array:
    """Turn an exposure into Bithell's weights log(1 + excess × g): the most powerful against exactly that relative risk."""
    if not (np.isfinite(excess) and excess > 0):
        raise InputError("must be a positive number", column="excess", value=excess)
    return np.log1p(excess * np.asarray(exposure, float))


def tango_decay(reach: float) -> Decay:
    """Give Tango's weight exp(−4 (d / reach)²): a Gaussian decay that has all but died out at ``reach``."""
    return Decay("gaussian", reach / np.sqrt(8))


def focused_family_test(
    observed: ArrayLike, expected: ArrayLike, distance: ArrayLike, decays: Sequence[Decay], *, n_simulations: int, rng: Rng
) -> FocusedFamily:
    """Test for an excess near a site with several decays at once, and pay for having tried them all.

    Answers: is there an excess of some shape and reach among those tried? Tango's extended test is this with his decay at several reaches.

    Parameters
    ----------
    observed, expected : (n,) arrays
        As in :func:`focused_score_test`; the expected are scaled to the observed total.
    distance : (n,) array
        From each region to the site, or to the nearest of several.
    decays : sequence of Decay
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Notes
    -----
    Each draw shares the total out in proportion to the expected; the largest Z of each draw gives the adjusted p. Cost: n_simulations × n ×
    decays.

    Raises
    ------
    InputError
        As :func:`focused_score_test`; for no decays or fewer than 19 simulations.
    """
    o, e = _counts(observed, expected)
    if not decays:
        raise InputError("there are no decays", column="decays")
    refuse_few(n_simulations)
    e = e * (o.sum() / e.sum())
    g = _exposures([decay(distance) for decay in decays], len(o))
    score, variance = score_and_variance(o, e, g)
    flat = variance <= 1e-12 * e.sum()
    if flat.any():
        raise InputError("this decay does not vary over the regions", column="decays", value=decays[int(np.flatnonzero(flat)[0])].name)
    seed, share = seed_sequence(rng), e / e.sum()
    draws = [replicate_rng(seed, k).multinomial(int(o.sum()), share) for k in range(n_simulations)]
    simulated = np.array([(draw - e) @ g.T for draw in draws]) / np.sqrt(variance)
    z = score / np.sqrt(variance)
    names = tuple(decay.name for decay in decays)
    return FocusedFamily(names, z, np.asarray(norm.sf(z)), max_t(z, simulated), "multinomial", n_simulations, str(seed.entropy))
