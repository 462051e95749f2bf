"""Observed over expected strikes along the radius, with its global envelope."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..baseline import LinearEstimator, window_means
from ..inference import CurveResult, global_envelope_test, simulate
from ..null import BinomialNull, Draws, Rng, seed_sequence
from .decay import Decay
from .design import Design
from .score import LinearScore, error_classes

Array = NDArray[np.float64]


def ratio_curve(
    design: Design,
    estimator: LinearEstimator,
    null: BinomialNull,
    radii: Array,
    *,
    n_simulations: int,
    rng: Rng,
    level: float = 0.95,
) -> CurveResult:
    """Give observed/expected against the radius; the baseline is refitted to the observed strikes and to every draw alike.

    Answers: up to which distance is there more than the baseline predicts? The band holds for all radii at once.

    Parameters
    ----------
    design, estimator, null
        Of the primary test.
    radii : (r,) increasing array
    n_simulations, rng, level
        As in :func:`~analysis.inference.monte_carlo_test`; ``level`` is that of the band.

    Returns
    -------
    CurveResult

    Notes
    -----
    O(r) = Σ w_i P(d(X_i) ≤ r), E(r) = ∫_{d ≤ r} λ̂. Cost: for each radius one FFT pair for each location error and one for the
    baseline, then n_simulations × n look-ups. Where E(r) is a small fraction of a strike the ratio is wild, and the band is wide.

    Raises
    ------
    InputError
        For no sites, fewer than 19 simulations, a radius that is not positive, or one at which some draw expects nothing.
    """
    levels, kind = error_classes(design.uncertainty, design.points.n)

    def weighted_sum(fields: Array, field_of: NDArray[np.intp]) -> LinearScore:
        return LinearScore(fields, field_of, design.weights, None, np.zeros(len(kind)), estimator)

    pairs = []
    for radius in radii:
        field = Decay("disc", float(radius)).field(design.sites, design.grid)
        near = weighted_sum(window_means(field, design.grid, levels), kind)
        pairs.append((near, weighted_sum(estimator.adjoint(field)[None], np.zeros_like(kind))))

    def curve(draws: Draws) -> Array:
        return np.column_stack([near(draws) / expected(draws) for near, expected in pairs])

    seed = seed_sequence(rng)
    observed = curve(Draws.observed(design.points))[0]
    simulated = simulate(curve, null, n_simulations=n_simulations, rng=seed)
    band = global_envelope_test(radii, observed, simulated, measure="erl", level=level)
    return CurveResult(
        "observed / expected strikes within the radius",
        np.asarray(radii, float),
        observed,
        band.central,
        band.lower,
        band.upper,
        level,
        "global envelope, extreme rank length, two-sided",
        band.p_value,
        null.name,
        n_simulations,
        str(seed.entropy),
    )
