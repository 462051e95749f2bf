"""Draws that move or relabel the observed strikes: attack blocks, random shifts, relabelling.

References
----------
Mrkvička, T., Dvořák, J., González, J. A. & Mateu, J. (2021). Revisiting the random shift approach for testing in spatial statistics.
Spatial Statistics 42, 100430. Lotwick, H. W. & Silverman, B. W. (1982). Methods for analysing spatial processes of several types of
points. JRSS B 44, 406-413.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.random import SeedSequence
from numpy.typing import ArrayLike, NDArray

from ..pattern import AnalysisWarning, InputError, Intensity, PointPattern, label_codes
from .draws import Draws, replicate_rng
from .from_intensity import _CellSampler

Array = NDArray[np.float64]
WIDE = 0.1  # share of the window's shorter side: attacks wider than that blur the intensity
TRIES = 50  # places tried for an attack before its strikes are placed one by one


@dataclass(frozen=True, eq=False)
class AttackBlockNull:
    """Place each attack anew as a block: one strike of it from the intensity, the others at their observed distances from that one.

    Parameters
    ----------
    points : PointPattern
    intensity : Intensity
    attack : (n,) labels

    Raises
    ------
    InputError
        For a strike without a label, or no intensity.

    Warns
    -----
    AnalysisWarning
        If an attack is wider than a tenth of the window.

    Notes
    -----
    The strike that is placed is taken at random; the block is placed again, up to 50 times, until all of it lies in the window. An
    attack too wide for that has its strikes placed one by one, which takes its own clustering away: ``placed_singly`` counts how often.
    The mean of the draws is the intensity smoothed over the extent of an attack, so baselines finer than attacks are blurred: where
    attacks spread over the city, tests of distance to sites in its centre rejected in up to .17 of worlds of salvos and .7 of worlds of
    independent strikes, at a level of .05 (docs/calibration.md).
    Cost: strikes × tries for each replicate.
    """

    points: PointPattern
    intensity: Intensity
    attack: ArrayLike

    def __post_init__(self) -> None:
        self._sampler  # noqa: B018  # bad intensities and labels must be refused here, not in the middle of a run
        west, south, east, north = self.points.window.bounds
        place = pd.DataFrame({"e": self.points.easting, "n": self.points.northing}).groupby(self._attack)
        extent = np.hypot(*(place.max() - place.min()).to_numpy().T)
        if (extent > WIDE * min(east - west, north - south)).any():
            said = "attacks spread over a tenth of the window: as blocks they blur the intensity, and tests of nearness reject too often"
            warnings.warn(said, AnalysisWarning, stacklevel=3)

    @property
    def name(self) -> str:
        """The null's name as printed."""
        return f"attacks as blocks from {self.intensity.name}"

    @property
    def expected_points(self) -> float:
        """Points in each replicate."""
        return float(max(self.points.n, 1))

    @cached_property
    def _attack(self) -> NDArray[np.intp]:
        return label_codes(self.attack, self.points.n)

    @cached_property
    def _sampler(self) -> _CellSampler:
        return _CellSampler(self.intensity)

    def draw(self, seed: SeedSequence, first: int, last: int) -> Draws:
        """Draw replicates first … last − 1."""
        placed = [self.place(replicate_rng(seed, k))[0] for k in range(first, last)]
        place = np.concatenate(placed)
        n, count = self.points.n, last - first
        return Draws(place[:, 0], place[:, 1], np.repeat(np.arange(count), n), np.tile(np.arange(n), count), count)

    def placed_singly(self, seed: SeedSequence, n_draws: int = 20) -> float:
        """Give the mean share of strikes whose attack was too wide to be kept together."""
        return float(np.mean([self.place(replicate_rng(seed, k))[1].mean() for k in range(n_draws)]))

    def place(self, rng: np.random.Generator) -> tuple[Array, NDArray[np.bool_]]:
        """Draw one replicate: places, and which strikes were placed singly."""
        code, n = self._attack, self.points.n
        xy = np.column_stack([self.points.easting, self.points.northing])
        order = rng.permutation(n)
        anchor = np.empty(code.max(initial=-1) + 1, np.intp)
        anchor[code[order]] = order
        offset = xy - xy[anchor[code]]
        place = np.empty((n, 2))
        waiting = np.arange(len(anchor))
        for _ in range(TRIES):
            rows = np.flatnonzero(np.isin(code, waiting))
            start = np.empty((len(anchor), 2))
            start[waiting] = np.column_stack(self._sampler.place(rng.random((len(waiting), 3))))
            place[rows] = start[code[rows]] + offset[rows]
            outside = ~self.points.window.contains(*place[rows].T)
            waiting = np.unique(code[rows[outside]])
            if len(waiting) == 0:
                break
        single = np.isin(code, waiting)
        place[single] = np.column_stack(self._sampler.place(rng.random((int(single.sum()), 3))))
        return place, single


@dataclass(frozen=True, eq=False)
class RandomShiftNull:
    """Shift all strikes together; those that leave the window are dropped.

    Keeps the strikes' own clustering and tests only whether they and the sites are independent. It asks that one of the two be
    stationary: where both favour the centre, shifts find a dependence that is the centre's.

    Parameters
    ----------
    points : PointPattern
    radius : float
        Shifts are uniform in a disc of this radius, which must be positive.

    Notes
    -----
    Replicates have fewer strikes than the data, so a mean over strikes varies more in them. Pass means and counts, the data's first,
    through :func:`variance_corrected` before ranking. Cost: n for each replicate.
    """

    points: PointPattern
    radius: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.radius) and self.radius > 0):
            raise InputError("must be a positive number", column="radius", value=self.radius)

    @property
    def name(self) -> str:
        """The null's name as printed."""
        return f"random shifts within {self.radius:g}"

    @property
    def expected_points(self) -> float:
        """Points in each replicate, at most."""
        return float(max(self.points.n, 1))

    def draw(self, seed: SeedSequence, first: int, last: int) -> Draws:
        """Draw replicates first … last − 1."""
        count, n = last - first, self.points.n
        uniform = np.array([replicate_rng(seed, k).random(2) for k in range(first, last)]).reshape(count, 2)
        length, angle = self.radius * np.sqrt(uniform[:, 0]), 2 * np.pi * uniform[:, 1]
        e = (self.points.easting + (length * np.cos(angle))[:, None]).ravel()
        y = (self.points.northing + (length * np.sin(angle))[:, None]).ravel()
        kept = self.points.window.contains(e, y)
        replicate, mark = np.repeat(np.arange(count), n), np.tile(np.arange(n), count)
        return Draws(e[kept], y[kept], replicate[kept], mark[kept], count)


def variance_corrected(mean: Array, count: Array) -> Array:
    """Standardise means over different numbers of strikes: √n_k (T_k − T̄), the data's entry among them (Mrkvička et al. 2021).

    A replicate without strikes, whose mean is undefined, gets 0: it speaks for neither side.

    Parameters
    ----------
    mean, count : (B + 1,) arrays
        Of the data and of every shift.

    Returns
    -------
    (B + 1,) array

    Raises
    ------
    InputError
        If no strike is left in any of them.

    Examples
    --------
    >>> variance_corrected(np.array([4.0, 2.0, 0.0]), np.array([4, 1, 4])).tolist()
    [4.0, 0.0, -4.0]
    """
    use = count > 0
    if not use.any():
        raise InputError("no shift leaves a strike in the window; use a smaller radius")
    result = np.zeros(len(mean))
    result[use] = np.sqrt(count[use]) * (mean[use] - mean[use].mean())
    return result


@dataclass(frozen=True, eq=False)
class RelabelNull:
    """Keep the places and deal the marks (weapons, dates) anew.

    Parameters
    ----------
    points : PointPattern
    within : (n,) labels, optional
        Deal only among strikes with the same label (an attack, a raion). A missing label is an InputError.
    """

    points: PointPattern
    within: ArrayLike | None = None

    def __post_init__(self) -> None:
        self._code  # noqa: B018  # bad labels must be refused here, not in the middle of a run

    @property
    def name(self) -> str:
        """The null's name as printed."""
        return "marks dealt anew" + ("" if self.within is None else " within groups")

    @property
    def expected_points(self) -> float:
        """Points in each replicate."""
        return float(max(self.points.n, 1))

    @cached_property
    def _code(self) -> NDArray[np.intp]:
        return np.zeros(self.points.n, np.intp) if self.within is None else label_codes(self.within, self.points.n, "within")

    def draw(self, seed: SeedSequence, first: int, last: int) -> Draws:
        """Draw replicates first … last − 1. Cost: n log n each."""
        count, n = last - first, self.points.n
        slots = np.argsort(self._code, kind="stable")
        mark = np.empty((count, n), np.intp)
        for k in range(count):
            # sorting by group and then by chance deals each group's marks among its own places
            mark[k, slots] = np.lexsort((replicate_rng(seed, first + k).random(n), self._code))
        replicate = np.repeat(np.arange(count), n)
        return Draws(np.tile(self.points.easting, count), np.tile(self.points.northing, count), replicate, mark.ravel(), count)
