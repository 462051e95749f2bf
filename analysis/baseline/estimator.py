"""What every baseline estimator offers, so that a test can refit it inside each draw."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..pattern import Grid, Intensity

Array = NDArray[np.float64]


class Estimator(Protocol):
    """Anything that fits an intensity to strikes."""

    @property
    def name(self) -> str:
        """The baseline's name as printed."""

    def fit(self, easting: ArrayLike, northing: ArrayLike, weights: ArrayLike | None = None) -> Intensity:
        """Estimate the intensity."""


class LinearEstimator(Estimator, Protocol):
    """An estimator λ̂ that is linear in the strikes: ∫ f λ̂ = Σ_i w_i (A f)(x_i) for a fixed field A f.

    A statistic Σ_i w_i g(x_i) − ∫ g λ̂ with λ̂ refitted in each draw is then Σ_i w_i (g − A g)(x_i): the refitting costs one FFT
    for any number of draws.
    """

    @property
    def grid(self) -> Grid:
        """The cells it works on."""

    def adjoint(self, field: Array) -> Array:
        """Give A f on the cells."""
