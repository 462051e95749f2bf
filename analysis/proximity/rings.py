"""Counts by ring around sites, with exact Poisson or negative-binomial limits.

References
----------
Garwood, F. (1936). Fiducial limits for the Poisson distribution. Biometrika 28, 437-442. Clopper, C. J. & Pearson, E. S. (1934).
Biometrika 26, 404-413 (limits by inverting the two tails, as done here for the negative binomial).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import nbinom, poisson

from ..inference import to_json
from ..pattern import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RingCounts:
    """Hold observed and expected strikes by ring.

    Attributes
    ----------
    frame : DataFrame
        inner, outer (a strike at exactly ``outer`` is in), observed, expected, ratio, lower, upper, p_value (two-sided) by ring.
    level : float
    dispersion : float
    """

    frame: pd.DataFrame
    level: float
    dispersion: float

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        return dict(to_json({"rows": self.frame.to_dict("records"), "level": self.level, "dispersion": self.dispersion}))

    def __str__(self) -> str:
        return self.frame.to_string(index=False, float_format=lambda v: f"{v:.3g}")


def ring_counts(distance: ArrayLike, edges: ArrayLike, expected: ArrayLike, *, dispersion: float = 0.0, level: float = 0.95) -> RingCounts:
    """Count strikes by ring and compare with what the baseline expects, exactly.

    Answers: at which distances are there more strikes than expected? Rings are looked at one by one: for all at once use a curve with a
    global envelope, or enter them in the ledger.

    Parameters
    ----------
    distance : (n,) array
        From each strike to its nearest site.
    edges : (k + 1,) increasing array
        Ring j holds edges[j] < d ≤ edges[j + 1]; the first also holds d = edges[0].
    expected : (k,) array
        Expected strikes by ring, positive.
    dispersion : float
        φ: counts have variance μ (1 + φ μ). Zero is Poisson; salvos make it larger.
    level : float

    Notes
    -----
    The limits of the ratio are the means, over the expected, at which each tail, the observed count included, has (1 − level)/2; p is twice
    the smaller tail at ratio 1. Conservative, as counts are discrete.

    Raises
    ------
    InputError
        For edges that do not increase, an expected count that is not positive, or a negative dispersion.
    """
    d, cuts, mean = np.asarray(distance, float), np.asarray(edges, float), np.asarray(expected, float)
    if np.isnan(d).any() or (d < 0).any():
        raise InputError("distances must be numbers, not negative", column="distance")
    if cuts.ndim != 1 or len(cuts) < 2 or not (np.diff(cuts) > 0).all() or cuts[0] < 0:
        raise InputError("must increase from zero or more", column="edges")
    if mean.shape != (len(cuts) - 1,) or not np.isfinite(mean).all() or not (mean > 0).all():
        raise InputError("must be one number above zero for each ring", column="expected")
    if not (np.isfinite(dispersion) and dispersion >= 0):
        raise InputError("must be zero or more", column="dispersion", value=dispersion)
    if not 0 < level < 1:
        raise InputError("must lie between 0 and 1", column="level", value=level)
    ring = np.searchsorted(cuts, d, side="left") - 1
    ring[d == cuts[0]] = 0
    observed = np.bincount(ring[(ring >= 0) & (ring < len(mean))], minlength=len(mean))
    rows = [_compare(int(o), float(e), dispersion, (1 - level) / 2) for o, e in zip(observed, mean, strict=True)]
    lower, upper, p = np.array(rows).T
    frame = pd.DataFrame({"inner": cuts[:-1], "outer": cuts[1:], "observed": observed, "expected": mean, "ratio": observed / mean})
    return RingCounts(frame.assign(lower=lower, upper=upper, p_value=p), level, dispersion)


def _tails(count: int, mean: float, dispersion: float) -> tuple[float, float]:
    """P(X ≤ count) and P(X ≥ count)."""
    law = poisson(mean) if dispersion == 0 else nbinom(1 / dispersion, 1 / (1 + dispersion * mean))
    return float(law.cdf(count)), float(law.sf(count - 1))


def _compare(count: int, mean: float, dispersion: float, tail: float) -> tuple[float, float, float]:
    p = max(min(1.0, 2 * min(_tails(count, mean, dispersion))), float(np.finfo(float).tiny))

    def solve(side: int) -> float:
        low, high = (count + 1) * 1e-8, count + 1.0
        while (_tails(count, high, dispersion)[side] - tail) * (1 if side == 0 else -1) > 0:
            high *= 2
        return float(brentq(lambda m: _tails(count, m, dispersion)[side] - tail, low, high, xtol=1e-12, rtol=1e-12))

    return (solve(1) if count else 0.0) / mean, solve(0) / mean, p
