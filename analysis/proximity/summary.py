"""What summary functions share: their result type and the checks of their arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..inference import to_json
from ..pattern import InputError, PointPattern

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SummaryFunction:
    """Hold a summary function of distance.

    Attributes
    ----------
    name : str
    distance, observed : (r,) arrays
    theoretical : (r,) array
        The value for a Poisson process of the intensity assumed.
    correction : str
        The edge correction.
    """

    name: str
    distance: Array
    observed: Array
    theoretical: Array
    correction: str

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        rows = zip(self.distance, self.observed, self.theoretical, strict=True)
        lines = [f"{r:>12.6g} {o:>12.6g} {t:>12.6g}" for r, o, t in rows]
        head = f"{'distance':>12} {'observed':>12} {'Poisson':>12}"
        return "\n".join([head, *lines, f"{self.name}, edge correction: {self.correction}. Without an envelope it decides nothing."])


def distances(r: ArrayLike) -> Array:
    """Check a grid of distances.

    Raises
    ------
    InputError
        Unless they are finite, not negative and increasing.
    """
    grid = np.atleast_1d(np.asarray(r, float))
    if grid.ndim != 1 or len(grid) == 0 or not np.isfinite(grid).all() or grid[0] < 0 or (np.diff(grid) <= 0).any():
        raise InputError("must be increasing finite distances, not negative", column="r")
    return grid


def intensities(points: PointPattern, values: ArrayLike | None, column: str = "intensity") -> Array:
    """Give the intensity at each point: as given, or n / |W|.

    Raises
    ------
    InputError
        If there are no points, or a value is not a positive number.
    """
    if points.n == 0:
        raise InputError("there are no points", column=column)
    if values is None:
        return np.full(points.n, points.n / points.window.area)
    given = np.asarray(values, float)
    if given.shape != (points.n,) or not np.isfinite(given).all() or (given <= 0).any():
        raise InputError("must be one positive number for each point", column=column)
    return given


def coordinates(points: PointPattern) -> Array:
    """Give easting and northing side by side, (n, 2)."""
    return np.column_stack([points.easting, points.northing])
