"""Where weapons fall about what they were aimed at: circular normal, heavier tails, extended aim areas, location error folded in.

References
----------
Patnaik, P. B. (1949). The non-central χ²- and F-distributions and their applications. Biometrika 36, 202-232.
Lindley, D. V. (1977). A problem in forensic science. Biometrika 64, 207-213.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.special import chndtr, gammaln
from shapely.geometry import MultiPolygon, Polygon

from ..pattern import InputError

Array = NDArray[np.float64]
HALF = 2 * np.log(2)  # CEP² = 2 ln 2 σ²: half of all misses are shorter than the CEP
SURE = 10.0  # standard deviations beyond which a disc is surely hit or surely missed, to 1e-22


def _positive(name: str, values: ArrayLike, *, zero: bool = False) -> Array:
    array = np.asarray(values, float)
    bad = ~(np.isfinite(array) & ((array >= 0) if zero else (array > 0)))
    if bad.any():
        raise InputError("must be a number, not negative" if zero else "must be a positive number", column=name, value=array[bad][0])
    return array


def within(radius: ArrayLike, offset: ArrayLike, variance: ArrayLike) -> Array:
    """Give P(|X| ≤ radius) for X circular normal, ``variance`` on each axis, with its mean ``offset`` away: noncentral χ² on 2 df."""
    r, d, v = np.broadcast_arrays(np.asarray(radius, float), np.asarray(offset, float), np.asarray(variance, float))
    apart = (r - d) / np.sqrt(v)
    result, near = np.array(apart > 0, float), np.abs(apart) < SURE
    result[near] = np.clip(chndtr(r[near] ** 2 / v[near], 2.0, d[near] ** 2 / v[near]), 0.0, 1.0)
    return result


def miss_probability(radius: ArrayLike, cep: ArrayLike, *, offset: ArrayLike = 0.0) -> Array:
    """Give the probability of falling within ``radius`` of a place, when a point ``offset`` away from it was aimed at.

    Answers: how often would such a weapon come this near to a building that it was not meant for? The CEP is that of the makers, without
    jamming or interception, and misleads where either happened.

    Parameters
    ----------
    radius, offset : array
        Metres, as everything here; not negative.
    cep : array
        Circular error probable: the radius within which half of the weapons fall. Above zero.

    Returns
    -------
    array
        Of the shape to which the three broadcast.

    Raises
    ------
    InputError
        For a value that is not finite, negative, or a CEP of zero.

    Notes
    -----
    σ = CEP/√(2 ln 2), and |X|²/σ² is noncentral χ² on 2 df with noncentrality offset²/σ²; at offset 0, 1 − 2^{−(radius/CEP)²}.

    Examples
    --------
    >>> float(miss_probability(50, 30, offset=100).round(7))
    0.0160411
    """
    r, d = _positive("radius", radius, zero=True), _positive("offset", offset, zero=True)
    return within(r, d, _positive("cep", cep) ** 2 / HALF)[()]


def aim_likelihood_ratio(miss_distance: ArrayLike, cep: ArrayLike, *, disc_radius: float) -> Array:
    """Give the likelihood ratio of aim at a site against a uniform place in a disc about it, for a hit known without error.

    Answers: is a hit this far off what aim at the site predicts, or anywhere within the disc? A precise weapon that misses by several
    times its CEP speaks against the site. π disc_radius² · exp(−d²/2σ²) / 2πσ²; infinite beyond the disc, where no uniform place is.

    Parameters
    ----------
    miss_distance, cep : array
        Metres; the CEP above zero.
    disc_radius : float
        Metres, above zero. The ratio grows with its square.

    Returns
    -------
    array
        Of the shape to which the two broadcast.

    Raises
    ------
    InputError
        For a value that is not finite, negative, or a CEP or radius of zero.

    Examples
    --------
    >>> float(aim_likelihood_ratio(26, 30, disc_radius=500).round(1))
    114.4
    """
    d, v = _positive("miss_distance", miss_distance, zero=True), _positive("cep", cep) ** 2 / HALF
    radius = float(_positive("disc_radius", disc_radius))
    return np.where(d <= radius, radius**2 / (2 * v) * np.exp(-(d**2) / (2 * v)), np.inf)[()]


@dataclass(frozen=True)
class Spread:
    """Say how misses scatter: circular normal, or Student's t on ``freedom`` degrees where some fail badly (2 is very heavy).

    Both have the CEP as the median miss. A t is a normal whose variance varies; location error adds to it before the mixture is taken.
    """

    freedom: float = np.inf

    def __post_init__(self) -> None:
        if not self.freedom > 0:
            raise InputError("must be above zero", column="freedom", value=self.freedom)

    def variances(self, cep: ArrayLike) -> tuple[Array, Array]:
        """Give variances (…, k) on each axis and their weights (k,)."""
        c = _positive("cep", cep)[..., None]
        if np.isinf(self.freedom):
            return c**2 / HALF, np.ones(1)
        # s²·ν/χ²_ν by the trapezium rule in the log of χ²/2, which converges faster than any power for a gamma law
        half = self.freedom / 2
        x = np.linspace(np.log(half) - 40 / half - 16, np.log(half + 12 * np.sqrt(half) + 20), 400)
        weight = np.exp(half * x - np.exp(x) - gammaln(half))
        scale = c**2 / (self.freedom * (2 ** (1 / half) - 1))
        return scale * half * np.exp(-x), weight / weight.sum()


NORMAL = Spread()


@dataclass(frozen=True)
class Aim:
    """Hold a place that may have been aimed at: a point, any point of a disc, or of a polygon (``area``), with equal probability.

    ``error`` is the standard deviation of its centre on each axis.
    """

    name: str
    easting: float
    northing: float
    radius: float = 0.0
    error: float = 0.0
    area: Polygon | MultiPolygon | None = None

    def __post_init__(self) -> None:
        _positive("radius", self.radius, zero=True)
        _positive("error", self.error, zero=True)

    def nodes(self, spacing: float) -> Array:
        """Give points (k, 2) of equal weight that stand for the area: a lattice, ten to its side at least; the centre alone for a point."""
        if self.area is None and self.radius == 0:
            return np.array([[self.easting, self.northing]])
        shape = self.area if self.area is not None else shapely.Point(self.easting, self.northing).buffer(self.radius, quad_segs=32)
        shapely.prepare(shape)
        west, south, east, north = shape.bounds
        step = min(spacing, np.sqrt(shape.area) / 10)
        x, y = np.meshgrid(np.arange(west + step / 2, east, step), np.arange(south + step / 2, north, step))
        keep = shapely.contains_xy(shape, x, y)
        return np.column_stack([x[keep], y[keep]])

    def density(self, easting: Array, northing: Array, cep: ArrayLike, error: ArrayLike, spread: Spread) -> Array:
        """Give the density (c, n), in 1/m², of reported positions, for CEPs (c,) and location errors (n,) or one for all.

        Exact for a point or disc; a polygon is summed over nodes at most one σ apart. Cost: n × CEPs × nodes of the mixture.
        """
        variance, weight = spread.variances(np.atleast_1d(np.asarray(cep, float)))
        v = variance[:, None, :] + (np.broadcast_to(np.asarray(error, float), easting.shape) ** 2 + self.error**2)[None, :, None]
        if self.area is None:
            d = np.hypot(easting - self.easting, northing - self.northing)[None, :, None]
            if self.radius == 0:
                return np.exp(-0.5 * d**2 / v) / (2 * np.pi * v) @ weight
            return within(self.radius, d, v) @ weight / (np.pi * self.radius**2)
        total = np.zeros(v.shape[:2])
        at = self.nodes(min(float(np.sqrt(v.min())), float(np.sqrt(self.area.area)) / 30))
        for x, y in at:  # one pass for each node keeps memory at that of the answer
            total += np.exp(-0.5 * ((easting - x) ** 2 + (northing - y) ** 2)[None, :, None] / v) / (2 * np.pi * v) @ weight
        return total / len(at)

    def mass(self, site: Aim, reach: float, cep: ArrayLike, error: ArrayLike, spread: Spread) -> Array:
        """Give the probability (c, n) that a strike is reported within ``reach`` of the site."""
        variance, weight = spread.variances(np.atleast_1d(np.asarray(cep, float)))
        v = variance[:, None, :] + (np.atleast_1d(np.asarray(error, float)) ** 2 + self.error**2)[None, :, None]
        apart = np.hypot(*(self.nodes(reach / 8) - [site.easting, site.northing]).T)
        return np.asarray((within(reach, apart[:, None, None, None], v) @ weight).mean(axis=0))
