"""Decay functions of the distance to the nearest site, as fields on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..pattern import Grid, InputError, Sites

Array = NDArray[np.float64]
KINDS = ("gaussian", "exponential", "disc", "inverse")


@dataclass(frozen=True)
class Decay:
    """Weigh a distance: how much a strike at distance d counts as near.

    Parameters
    ----------
    kind : {"gaussian", "exponential", "disc", "inverse"}
        exp(−d²/2h²), exp(−d/h), 1{d ≤ h} or h/max(d, h).
    scale : float
        h, in the window's unit.

    Raises
    ------
    InputError
        For an unknown kind, or a scale that is not a positive number.

    References
    ----------
    Lawson, A. B. (1993). On the analysis of mortality events around a prespecified fixed point. JRSS A 156, 363-377.
    Bithell, J. F. (1995). The choice of test for detecting raised disease risk near a point source. Statistics in Medicine 14, 2309-2322.

    Examples
    --------
    >>> Decay("disc", 500)([100, 500, 501]).tolist()
    [1.0, 1.0, 0.0]
    """

    kind: str
    scale: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"must be one of {', '.join(KINDS)}", column="decay", value=self.kind)
        if not (np.isfinite(self.scale) and self.scale > 0):
            raise InputError("must be a positive number", column="scale", value=self.scale)

    @property
    def name(self) -> str:
        """The decay as printed."""
        return f"{self.kind} decay, scale {self.scale:g}"

    def __call__(self, distance: ArrayLike) -> Array:
        """Evaluate at distances."""
        d = np.asarray(distance, float)
        if self.kind == "gaussian":
            return np.exp(-0.5 * (d / self.scale) ** 2)
        if self.kind == "exponential":
            return np.exp(-d / self.scale)
        if self.kind == "disc":
            return (d <= self.scale).astype(float)
        return self.scale / np.maximum(d, self.scale)

    def field(self, sites: Sites, grid: Grid) -> Array:
        """Give the decay on the cells, (rows, columns), zero outside the window.

        Taken at the centre. A disc falls from 1 to 0 over one cell, which is about the share of the cell that lies within the radius.
        """
        distance = sites.distance_in(grid)
        values = np.clip(0.5 + (self.scale - distance) / np.sqrt(grid.cell_area), 0.0, 1.0) if self.kind == "disc" else self(distance)
        return np.where(grid.inside, values, 0.0)
