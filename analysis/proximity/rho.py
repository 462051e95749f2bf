"""ρ̂: intensity as a function of a covariate, relative to a baseline.

References
----------
Baddeley, A., Chang, Y.-M., Song, Y. & Turner, R. (2012). Nonparametric estimation of the dependence of a spatial point process on spatial
covariates. Statistics and Its Interface 5, 221-236.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from ..inference import to_json
from ..pattern import InputError
from .berman import checked, null_cdf

Array = NDArray[np.float64]
BINS = 4096  # to which the cells' covariates are shared out, linearly: the smoothed mass changes by (bin / bandwidth)² / 12
CHUNK = 2_000_000  # kernel values held at once


@dataclass(frozen=True, eq=False)
class RhoResult:
    """Hold ρ̂ along a covariate, with its pointwise band.

    Attributes
    ----------
    covariate, rho, lower, upper : (z,) arrays
        ``rho`` is 1 where strikes are as many as the baseline expects. The band is pointwise: it is not a test over all values.
    method : str
    bandwidth : float
    level : float
    """

    covariate: Array
    rho: Array
    lower: Array
    upper: Array
    method: str
    bandwidth: float
    level: float

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json(self))

    def __str__(self) -> str:
        rows = zip(self.covariate, self.rho, self.lower, self.upper, strict=True)
        lines = [f"{z:>12.6g} {v:>12.4g} {a:>12.4g} {b:>12.4g}" for z, v, a, b in rows]
        head = f"{'covariate':>12} {'rho':>12} {'lower':>12} {'upper':>12}"
        return "\n".join([head, *lines, f"Observed over baseline intensity ({self.method}), with a pointwise {self.level:.0%} band."])


def _sums(at: Array, centres: Array, mass: Array, h: float) -> Array:
    chunks = np.array_split(at, len(at) * len(centres) // CHUNK + 1)
    return np.concatenate([norm.pdf(part[:, None], centres, h) @ mass for part in chunks])


def rho_hat(
    z_events: ArrayLike,
    z_cells: ArrayLike,
    expected: ArrayLike,
    *,
    method: Literal["ratio", "reweight", "transform"] = "ratio",
    z: ArrayLike | None = None,
    bandwidth: float | None = None,
    level: float = 0.95,
) -> RhoResult:
    """Estimate how intensity depends on a covariate, such as the distance to the nearest site, relative to the baseline.

    Answers: at which distances are there more strikes than the baseline expects?

    Parameters
    ----------
    z_events, z_cells, expected
        As in :func:`berman_test`.
    method : {"ratio", "reweight", "transform"}
    z : (z,) array, optional
        Where to estimate; 128 values over the cells' range without it.
    bandwidth : float, optional
        Standard deviation of the Gaussian kernel, in the covariate's unit; for ``transform`` in that of F0(Z), between 0 and 1. Without it
        0.9 min(s, IQR/1.34) n^(−1/5) of the strikes' values (Silverman 1986).
    level : float
        Of the pointwise band, normal.

    Notes
    -----
    With G(z) = ∫ k_h(z − Z(u)) λ0(u) du: ratio Σ k_h(z − Z_i) / G(z); reweight Σ k_h(z − Z_i) / G(Z_i); transform
    Σ k_h(F0(z) − U_i) / (Λ0 ∫_0^1 k_h(F0(z) − v) dv). Variances are those of the sums under a Poisson process. ``reweight`` is biased at
    the ends of the covariate's range, where the most interest lies. Cost: cells + z × (n + 4096), or 4096² for ``reweight``.

    Raises
    ------
    InputError
        As :func:`berman_test`; for a bandwidth that is not positive, or a z where the window has no covariate within reach.
    """
    events, cells, mass = checked(z_events, z_cells, expected)
    if method not in ("ratio", "reweight", "transform"):
        raise InputError("must be ratio, reweight or transform", column="method", value=method)
    if not 0 < level < 1:
        raise InputError("must lie between 0 and 1", column="level", value=level)
    low, high = float(cells.min()), float(cells.max())
    at = np.linspace(low, high, 128) if z is None else np.atleast_1d(np.asarray(z, float))
    total = float(mass.sum())
    centres: Array = events
    points: Array = at
    if method == "transform":
        centres, points = null_cdf(events, cells, mass), null_cdf(at, cells, mass)
    h = _bandwidth(centres) if bandwidth is None else float(bandwidth)
    if not (np.isfinite(h) and h > 0):
        raise InputError("must be a positive number, or the strikes' values must differ", column="bandwidth", value=bandwidth)
    if method == "transform":
        scale = total * (norm.cdf((1 - points) / h) - norm.cdf(-points / h))
        each: Array = np.ones(len(events))
    else:
        place = np.clip((cells - low) / max(high - low, np.finfo(float).tiny) * (BINS - 1), 0, BINS - 1)
        left = np.minimum(place.astype(np.intp), BINS - 2)
        binned = np.zeros(BINS)
        np.add.at(binned, left, mass * (left + 1 - place))
        np.add.at(binned, left + 1, mass * (place - left))
        bins = np.linspace(low, high, BINS)
        grounds = at if method == "ratio" else events
        ground = _sums(at, bins, binned, h) if method == "ratio" else np.interp(events, bins, _sums(bins, bins, binned, h))
        if not ground.min() > 1e-12 * total / h:
            raise InputError("no part of the window has a covariate near this value", column="z", value=grounds[ground.argmin()])
        scale = ground if method == "ratio" else np.ones(len(at))
        each = np.ones(len(events)) if method == "ratio" else 1 / ground
    rho = _sums(points, centres, each, h) / scale
    # k_h² is a kernel of bandwidth h/√2, over 2h√π
    spread = np.sqrt(_sums(points, centres, each**2, h / np.sqrt(2)) / (2 * h * np.sqrt(np.pi))) / scale
    reach = norm.ppf((1 + level) / 2) * spread
    return RhoResult(at, rho, np.maximum(rho - reach, 0), rho + reach, method, h, level)


def _bandwidth(values: Array) -> float:
    n = len(values)
    spread = np.std(values, ddof=1) if n > 1 else 0.0
    quartiles = np.subtract(*np.quantile(values, [0.75, 0.25])) / 1.34
    return float(0.9 * (min(spread, quartiles) or spread) * n**-0.2)
