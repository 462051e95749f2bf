"""Spatial scan statistics: the most excessive disc or ellipse, wherever it is.

References
----------
Kulldorff, M. (1997). A spatial scan statistic. Communications in Statistics: Theory and Methods 26, 1481-1496.
Kulldorff, M., Huang, L., Pickle, L. & Duczmal, L. (2006). An elliptic spatial scan statistic. Statistics in Medicine 25, 3929-3943.
Abrams, A. M., Kleinman, K. & Kulldorff, M. (2010). Gumbel based p-value approximations for spatial scan statistics. International Journal
of Health Geographics 9, 61.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree
from scipy.special import xlogy

from ..inference import format_p, monte_carlo_p, to_json
from ..null import Rng, replicate_rng, seed_sequence
from ..pattern import InputError, refuse_few
from .stone import check_counts

Array = NDArray[np.float64]
ZONES = 1_000_000  # zones whose neighbours are held at once
TIE = 1e-9  # locations whose distances agree to this share enter a zone together


@dataclass(frozen=True, eq=False)
class ScanResult:
    """Hold the clusters of a scan and its test.

    Attributes
    ----------
    clusters : DataFrame
        One row for each cluster, the most likely first, no two sharing a location: easting, northing, radius (semi-minor axis of an
        ellipse), shape (major over minor axis), angle (of the major axis, degrees from east), observed, expected, ratio,
        log_likelihood_ratio, p_value, p_gumbel. Space-time clusters have start and end as well.
    statistic : float
        Log-likelihood ratio of the first.
    p_value : float
        Its Monte Carlo p, valid for having looked everywhere.
    p_gumbel : float
        From a Gumbel distribution fitted to the draws: for p-values below 1 / (1 + B), an approximation.
    model : str
    n_simulations : int
    seed : str
    simulated : (n_simulations,) array
        The largest log-likelihood ratio of each draw.
    """

    clusters: pd.DataFrame
    statistic: float
    p_value: float
    p_gumbel: float
    model: str
    n_simulations: int
    seed: str
    simulated: Array

    def to_dict(self) -> dict[str, Any]:
        """Give JSON-safe values."""
        fields = {**vars(self), "clusters": self.clusters.to_dict("records")}
        return dict(to_json(fields))

    def __str__(self) -> str:
        first = self.clusters.iloc[0]
        return (
            f"The most likely cluster has {first['observed']:g} strikes where {first['expected']:.3g} were expected, within "
            f"{first['radius']:g} of ({first['easting']:g}, {first['northing']:g}); "
            f"p = {format_p(self.p_value)} for having looked everywhere."
        )


@dataclass(frozen=True)
class _Likelihood:
    """Kulldorff's log-likelihood ratio of O in a zone that expects E of N, falling in E for E < O.

    With a finite population (Bernoulli) the zone's is E × population / N, and those who are no cases count in the same way.
    """

    total: float
    population: float = np.inf

    def __call__(self, o: Array, e: Array) -> Array:
        def part(inside: Array, expected: Array, total: float) -> Array:
            outside = np.maximum(total - inside, 0.0)
            with np.errstate(divide="ignore", invalid="ignore"):
                return xlogy(inside, inside / expected) + xlogy(outside, outside / (total - expected))

        value = part(o, e, self.total)
        if np.isfinite(self.population):
            share = self.population / self.total
            value = value + part(e * share - o, e * share - e, self.population - self.total)
        return np.where(o > e, np.nan_to_num(value, nan=0.0, posinf=0.0), 0.0)

    def largest_expected(self, floor: float) -> Array:
        """Give, for O = 0 … N, the largest E at which O reaches ``floor``: a zone then reaches it exactly when its E is no larger."""
        o = np.arange(self.total + 1)
        low, high = o * self.total / self.population if np.isfinite(self.population) else np.zeros(len(o)), o.copy()
        for _ in range(60):
            middle = (low + high) / 2
            reached = self(o, middle) >= floor
            low, high = np.where(reached, middle, low), np.where(reached, high, middle)
        return np.maximum.accumulate(high)


def scan_test(
    easting: ArrayLike,
    northing: ArrayLike,
    observed: ArrayLike,
    expected: ArrayLike | None,
    *,
    max_radius: float | None = None,
    max_share: float | None = None,
    model: Literal["poisson", "bernoulli"] = "poisson",
    population: ArrayLike | None = None,
    shapes: Sequence[float] = (1.0,),
    n_simulations: int,
    rng: Rng,
) -> ScanResult:
    """Look for a disc, centred on any location and of any size, with more strikes than expected, and test the best of them.

    Answers: is there a cluster anywhere, and where? It is not aimed at the sites: a cluster found may lie far from any.

    Parameters
    ----------
    easting, northing : (n,) arrays
        Locations (centres of regions, or cells).
    observed : (n,) array
        Counts.
    expected : (n,) array
        Expected counts, scaled to the observed total. Not used, and may be None, in the Bernoulli model.
    max_radius : float, optional
    max_share : float, optional
        Largest share of all that is expected in a disc; 0.5 if neither limit is given.
    model : {"poisson", "bernoulli"}
    population : (n,) array
        Cases and controls at each location, whole numbers; for the Bernoulli model only.
    shapes : sequence of float
        Ratios of the axes, 1 for discs; an ellipse of shape s is turned to 3 s angles.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Notes
    -----
    Log-likelihood ratio O log(O/E) + (N − O) log((N − O)/(N − E)) where O > E, else 0; Bernoulli adds the same for those who are no cases.
    Draws share the total out in proportion to the expected, or draw cases from the population without replacement. Locations at one
    distance enter together. Secondary clusters are ranked against the largest of each draw, which is conservative.

    Cost: zones × draws additions of small integers, where zones is n times the mean number of locations within the limits; the
    logarithms are taken only for zones that reach the smallest of the draws' current maxima. Memory: n × draws small integers.

    Raises
    ------
    InputError
        For unusable counts as in :func:`~analysis.proximity.stone_test`, a population smaller than its cases, no controls, or limits
        within which no zone lies.
    """
    e, y, o = (np.asarray(a, float) for a in (easting, northing, observed))
    if e.ndim != 1 or not e.shape == y.shape == o.shape:
        raise InputError("easting, northing and observed must be (n,) arrays of one length", value=(e.shape, y.shape, o.shape))
    if not (np.isfinite(e).all() and np.isfinite(y).all()):
        raise InputError("locations must be finite numbers", column="easting, northing")
    refuse_few(n_simulations)
    if len(shapes) == 0 or min(shapes) < 1:
        raise InputError("must be 1 or more", column="shapes", value=tuple(shapes))
    mean, likelihood, people = _model(model, o, expected, population)
    max_share = 0.5 if max_radius is None and max_share is None else max_share
    if max_share is not None and not 0 < max_share < 1:
        raise InputError("must lie between 0 and 1", column="max_share", value=max_share)
    if max_radius is not None and not max_radius > 0:
        raise InputError("must be above zero", column="max_radius", value=max_radius)
    seed, small = seed_sequence(rng), np.min_scalar_type(int(o.sum()))
    counts = np.empty((len(o), n_simulations), small)
    for k in range(n_simulations):
        draw = replicate_rng(seed, k)
        if people is None:
            counts[:, k] = draw.multinomial(int(o.sum()), mean / mean.sum())
        else:
            counts[:, k] = draw.multivariate_hypergeometric(people, int(o.sum()))
    best, found = np.zeros(n_simulations), []
    for shape, angle in _turns(shapes):
        placed = _turned(e, y, shape, angle)
        limit = None if max_radius is None else max_radius / np.sqrt(shape)  # an ellipse may have the area of the largest disc
        near = _Zones(placed, mean, limit, max_share)
        for block in near.blocks():
            found.append(_observed(block, o, likelihood).assign(shape=shape, angle=angle))
            best = _maxima(block, counts, likelihood, best)
    table = pd.concat(found, ignore_index=True)
    if table.empty:
        raise InputError("no zone lies within the limits: enlarge max_radius or max_share")
    clusters = _disjoint(table, e, y)
    return finish(clusters, best, f"{model}, {'discs' if max(shapes) == 1 else 'ellipses'}", str(seed.entropy))


def _model(
    model: str, o: Array, expected: ArrayLike | None, population: ArrayLike | None
) -> tuple[Array, _Likelihood, NDArray[np.int64] | None]:
    if model == "poisson":
        if expected is None or population is not None:
            raise InputError("the Poisson model needs expected counts and no population", column="expected")
        mean = np.asarray(expected, float)
        if mean.shape != o.shape:
            raise InputError("must be one number for each location", column="expected", value=mean.shape)
        check_counts(o, mean)
        return mean * (o.sum() / mean.sum()), _Likelihood(float(o.sum())), None
    if model != "bernoulli":
        raise InputError("must be poisson or bernoulli", column="model", value=model)
    if population is None:
        raise InputError("the Bernoulli model needs the population", column="population")
    people = np.asarray(population, float)
    if people.shape != o.shape or not np.isfinite(people).all() or (people != np.round(people)).any() or (people < o).any():
        raise InputError("must be whole numbers, one for each location, no smaller than its cases", column="population")
    check_counts(o, people)
    if people.sum() == o.sum():
        raise InputError("there are no controls", column="population")
    likelihood = _Likelihood(float(o.sum()), float(people.sum()))
    return people * (o.sum() / people.sum()), likelihood, people.astype(np.int64)


def _turns(shapes: Sequence[float]) -> list[tuple[float, float]]:
    turns = [(float(s), np.arange(1 if s == 1 else int(np.ceil(3 * s)))) for s in shapes]
    return [(s, float(180 * k / len(ks))) for s, ks in turns for k in ks]


def _turned(easting: Array, northing: Array, shape: float, angle: float) -> Array:
    """Turn the major axis to the east and shrink along it, so that the ellipse is a disc whose radius is its semi-minor axis."""
    if shape == 1:
        return np.column_stack([easting, northing])
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    return np.column_stack([(c * easting + s * northing) / shape, c * northing - s * easting])


@dataclass(frozen=True, eq=False)
class _Block:
    """Hold the zones of some centres: locations in order of distance, and which prefixes are zones."""

    centre: NDArray[np.intp]
    order: NDArray[np.intp]
    distance: Array
    expected: Array
    zone: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Zones:
    place: Array
    mean: Array
    max_radius: float | None
    max_share: float | None

    def blocks(self) -> Iterator[_Block]:
        """Give the zones a block of centres at a time."""
        n, total, tree = len(self.mean), self.mean.sum(), cKDTree(self.place)
        largest = n
        if self.max_share is not None:
            largest = min(n, int(np.searchsorted(np.cumsum(np.sort(self.mean)), self.max_share * total * (1 + TIE), side="right")))
        radius = np.inf if self.max_radius is None else self.max_radius * (1 + TIE)
        if np.isfinite(radius):
            largest = min(largest, int(tree.query_ball_point(self.place, radius, return_length=True).max()))
        limit = total * (1 - TIE) if self.max_share is None else self.max_share * total * (1 + TIE)
        columns = min(largest + 1, n)  # one more location, to see whether the last is tied with it
        step = max(1, ZONES // max(columns, 1))
        for start in range(0, n, step):
            centre = np.arange(start, min(start + step, n))
            distance, order = tree.query(self.place[centre], k=np.arange(1, columns + 1))
            expected = np.cumsum(self.mean[order], axis=1)
            following = np.column_stack([distance[:, 1:], np.full(len(centre), np.inf)])
            zone = (following - distance > TIE * following) | np.isinf(following)
            zone &= (distance <= radius) & (expected <= limit) & (expected > 0)
            if columns == n:
                zone[:, -1] = False  # all locations are no zone
            elif columns > largest:
                zone[:, -1] = False
            yield _Block(centre, order, distance, expected, zone)


def _observed(block: _Block, o: Array, likelihood: _Likelihood) -> pd.DataFrame:
    """Give the best zone of each centre that has any."""
    counts = np.cumsum(o[block.order], axis=1)
    value = np.where(block.zone, likelihood(counts, block.expected), -1.0)
    k = value.argmax(axis=1)
    row = np.arange(len(k))
    frame = pd.DataFrame(
        {
            "centre": block.centre,
            "radius": block.distance[row, k],
            "observed": counts[row, k],
            "expected": block.expected[row, k],
            "log_likelihood_ratio": value[row, k],
        }
    )
    return frame[value[row, k] >= 0]


def _maxima(block: _Block, counts: NDArray[Any], likelihood: _Likelihood, best: Array) -> Array:
    """Raise each draw's maximum to that of its zones in a block.

    For each zone, the count from which its log-likelihood ratio reaches the smallest current maximum is known before the draws are
    looked at; so a draw costs an addition and a comparison for each zone, and few logarithms. A few centres are done first, to lift the
    smallest maximum off zero.
    """
    first = np.unique(np.linspace(0, len(block.centre) - 1, 8).astype(int)) if best.min() == 0 else np.empty(0, int)
    parts = [np.array([i]) for i in first] + np.array_split(np.arange(len(block.centre)), max(1, len(block.centre) // 256))
    limits, floor, top = None, -1.0, np.iinfo(counts.dtype).max
    for rows in parts:
        if best.min() > floor * 1.05 or limits is None:
            floor = float(best.min())
            limits = likelihood.largest_expected(floor)
        if floor > 0:
            need = np.searchsorted(limits, block.expected[rows], side="left")
        else:
            need = np.floor(block.expected[rows]).astype(np.intp) + 1
        reachable = block.zone[rows] & (need <= likelihood.total)
        need = np.where(reachable, np.minimum(need, top), top).astype(counts.dtype)
        held = np.zeros((len(rows), counts.shape[1]), counts.dtype)
        for k in range(block.order.shape[1]):
            held += counts[block.order[rows, k]]
            if not reachable[:, k].any():
                continue
            hit = np.flatnonzero(held >= need[:, k, None])
            if len(hit):
                i, draw = np.divmod(hit, counts.shape[1])
                keep = reachable[i, k]
                i, draw, hit = i[keep], draw[keep], hit[keep]
                np.maximum.at(best, draw, likelihood(held.ravel()[hit].astype(float), block.expected[rows[i], k]))
    return best


def _disjoint(table: pd.DataFrame, easting: Array, northing: Array, most: int = 10) -> pd.DataFrame:
    """Keep the best cluster, then the best of those that share no location with a kept one, up to ten."""
    rest = table.sort_values("log_likelihood_ratio", ascending=False, kind="stable")
    if rest.iloc[0]["log_likelihood_ratio"] > 0:
        rest = rest[rest["log_likelihood_ratio"] > 0]
    kept: list[pd.Series] = []
    while len(kept) < most and len(rest):
        first = rest.iloc[0]
        kept.append(first)
        placed = _turned(easting, northing, first["shape"], first["angle"])
        apart = np.hypot(*(placed - placed[int(first["centre"])]).T)
        taken = apart <= first["radius"] * (1 + TIE)
        free = np.ones(len(rest), bool)
        turns = rest[["shape", "angle"]].to_numpy()
        for turn in np.unique(turns, axis=0):
            rows = np.flatnonzero((turns == turn).all(axis=1))
            place = _turned(easting, northing, turn[0], turn[1])
            nearest, _ = cKDTree(place[taken]).query(place[rest["centre"].to_numpy()[rows]])
            free[rows] = nearest > rest["radius"].to_numpy()[rows] * (1 + TIE)
        rest = rest[free]
    clusters = pd.DataFrame(kept).reset_index(drop=True)
    centre = clusters.pop("centre").to_numpy(np.intp)
    clusters.insert(0, "northing", northing[centre])
    clusters.insert(0, "easting", easting[centre])
    return clusters.assign(ratio=clusters["observed"] / clusters["expected"])


def finish(clusters: pd.DataFrame, simulated: Array, model: str, seed: str) -> ScanResult:
    """Rank the clusters against the draws and fit the Gumbel distribution to them by moments."""
    value = clusters["log_likelihood_ratio"].to_numpy(float)
    scale = max(float(simulated.std(ddof=1)) * np.sqrt(6) / np.pi, float(np.finfo(float).tiny))
    middle = float(simulated.mean()) - np.euler_gamma * scale
    tail = -np.expm1(-np.exp(np.minimum(-(value - middle) / scale, 700.0)))
    # the same ratio computed along another zone differs in its last digits, and must count as a tie
    p = np.array([monte_carlo_p(v * (1 - 1e-12), simulated, "greater") for v in value])
    clusters = clusters.assign(p_value=p, p_gumbel=np.maximum(tail, np.finfo(float).tiny))
    return ScanResult(clusters, float(value[0]), float(p[0]), float(clusters["p_gumbel"].iloc[0]), model, len(simulated), seed, simulated)
