"""Binomial and Poisson draws from an intensity."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from scipy.sparse import csr_array

from ..pattern import InputError, Intensity
from .draws import Draws, replicate_rng

Array = NDArray[np.float64]


class _CellSampler:
    """Map uniform numbers to places: a cell by inverse CDF, then a uniform place in the cell. Cost: a step or two for each number."""

    def __init__(self, intensity: Intensity, cells: NDArray[np.bool_] | None = None) -> None:
        self.grid = intensity.grid
        use = self.grid.inside if cells is None else self.grid.inside & cells
        self.cells = np.flatnonzero(use)
        mass = np.cumsum(intensity.values[use])
        if not (len(mass) and mass[-1] > 0):
            raise InputError("the intensity is zero where strikes are to be drawn")
        self.cdf = mass / mass[-1]

    @cached_property
    def _table(self) -> tuple[Array, NDArray[np.intp], NDArray[np.intp]]:
        from ..pattern.draw_loops import guide_to

        return self.cdf, guide_to(self.cdf), self.cells

    def place(self, u: Array) -> tuple[Array, Array]:
        """Send an (N, 3) array of uniforms to N places."""
        easting, northing = np.empty((1, len(u))), np.empty((1, len(u)))
        self.place_rows(u[None], np.arange(len(u)), easting, northing)
        return easting[0], northing[0]

    def place_rows(self, u: Array, rows: NDArray[np.intp], easting: Array, northing: Array) -> None:
        """Send some strikes of (B, n, 3) uniforms to places, written to (B, n) arrays."""
        from ..pattern.draw_loops import place_rows

        grid = self.grid
        corner, side = (grid.west, grid.south), (grid.dx, grid.dy)
        place_rows(u, rows, *self._table, grid.rim.ravel(), grid.shape[1], corner, side, easting, northing)

    def cell_rows(self, u: Array, rows: NDArray[np.intp], result: NDArray[np.intp]) -> None:
        """Send some strikes of (B, n) uniforms to the flat indices of cells, written to a (B, n) array."""
        from ..pattern.draw_loops import cell_rows

        cell_rows(u, rows, *self._table, result)


def _spread(rngs: list[np.random.Generator], sizes: list[int], mass: Array) -> csr_array:
    """Share strikes out to cells in proportion to their mass."""
    from ..pattern.draw_loops import share_out

    cdf = np.cumsum(mass)
    total, cdf[-1] = float(cdf[-1]), np.inf
    few = max(sizes, default=0) < len(mass)
    guide = np.searchsorted(cdf, np.arange(len(mass)) * (total / len(mass)), side="right") if few else np.empty(0, np.intp)
    cells, counts = zip(
        *(share_out(rng.standard_exponential(n + 1), cdf, total, guide) for rng, n in zip(rngs, sizes, strict=True)), strict=True
    )
    ends = np.cumsum([0, *map(len, cells)])
    return csr_array((np.concatenate(counts), np.concatenate(cells), ends), shape=(len(rngs), len(mass)))


@dataclass(frozen=True, eq=False)
class BinomialNull:
    """Keep the strikes and their marks, and place each anew from the intensity.

    Parameters
    ----------
    intensity : Intensity
    n : int
        Number of strikes.
    stratum : (n,) int array, optional
        The stratum (area) of each strike: a strike is placed within its own, so that the strata keep their counts.
    cell_stratum : (rows, columns) int array, optional
        The stratum of each cell.

    Raises
    ------
    InputError
        If there is no intensity, in all or in a stratum, if only one of the two is given, or for strikes without a stratum.
    """

    intensity: Intensity
    n: int
    stratum: NDArray[np.intp] | None = None
    cell_stratum: NDArray[np.intp] | None = None

    def __post_init__(self) -> None:
        if (self.stratum is None) != (self.cell_stratum is None):
            raise InputError("give the strata of both strikes and cells, or of neither")
        if self.stratum is not None and len(self.stratum) != self.n:
            raise InputError("every strike needs a stratum", value=len(self.stratum))
        self._samplers  # noqa: B018  # an empty stratum must be refused here, not in the middle of a run

    @property
    def name(self) -> str:
        """The null's name as printed."""
        kept = "" if self.stratum is None else ", area counts kept"
        return f"binomial from {self.intensity.name}{kept}"

    @property
    def expected_points(self) -> float:
        """Points in each replicate."""
        return float(max(self.n, 1))

    @cached_property
    def _samplers(self) -> list[tuple[NDArray[np.intp], _CellSampler]]:
        if self.stratum is None or self.cell_stratum is None:
            return [(np.arange(self.n), _CellSampler(self.intensity))]
        return [(np.flatnonzero(self.stratum == s), _CellSampler(self.intensity, self.cell_stratum == s)) for s in np.unique(self.stratum)]

    @cached_property
    def _share(self) -> csr_array:
        """The probability of each cell, for each stratum: (strata, cells)."""
        cells = np.flatnonzero(self.intensity.grid.inside)
        mass = self.intensity.values.ravel()[cells]
        stratum = np.zeros(len(cells), np.intp) if self.cell_stratum is None else self.cell_stratum.ravel()[cells]
        total = np.bincount(stratum, mass)
        share = np.divide(mass, total[stratum], out=np.zeros_like(mass), where=total[stratum] > 0)
        return csr_array((share, (stratum, cells)), shape=(len(total), self.intensity.values.size))

    def means(self, fields: Array, kind: NDArray[np.intp]) -> Array:
        """Give the expected value of each strike's field within its stratum: (kinds, cells) and (n,) kinds to (n,)."""
        return np.asarray((self._share @ fields.T)[0 if self.stratum is None else self.stratum, kind])

    def uniforms(self, seed: SeedSequence, first: int, last: int) -> Array:
        """Give the chance behind replicates first … last − 1: (last − first, n, 3)."""
        result = np.empty((last - first, self.n, 3))
        for k in range(last - first):
            replicate_rng(seed, first + k).random(out=result[k])
        return result

    def draw(self, seed: SeedSequence, first: int, last: int) -> Draws:
        """Draw replicates first … last − 1. Cost: (last − first) × n, and the cells once."""
        return self.place(self.uniforms(seed, first, last))

    def place(self, uniforms: Array) -> Draws:
        """Send uniform numbers to places. The same numbers under another intensity give coupled draws."""
        count = len(uniforms)
        easting, northing = np.empty((count, self.n)), np.empty((count, self.n))
        for rows, sampler in self._samplers:
            sampler.place_rows(uniforms, rows, easting, northing)
        replicate = np.repeat(np.arange(count), self.n)
        mark = np.tile(np.arange(self.n), count)
        return Draws(easting.ravel(), northing.ravel(), replicate, mark, count)

    def cells(self, uniforms: Array) -> NDArray[np.intp]:
        """Send (B, n) uniform numbers to the flat indices of cells, coupled too."""
        result = np.empty(uniforms.shape, np.intp)
        for rows, sampler in self._samplers:
            sampler.cell_rows(uniforms, rows, result)
        return result

    def draw_counts(self, seed: SeedSequence, first: int, last: int, cells: NDArray[np.intp]) -> csr_array:
        """Draw how many strikes fall in each of some cells, a sparse (last − first, cells) array, strata aside; none is placed.

        Cost: (last − first) × (n + cells). The streams are those of ``draw``, the numbers are not.
        """
        mass = self.intensity.values.ravel()
        share = mass[cells] / mass[self.intensity.grid.inside.ravel()].sum()
        near = min(1.0, float(share.sum()))
        rngs = [replicate_rng(seed, k) for k in range(first, last)]
        return _spread(rngs, [int(rng.binomial(self.n, near)) for rng in rngs], share)


@dataclass(frozen=True, eq=False)
class PoissonNull:
    """Draw a Poisson number of strikes from the intensity, each carrying the marks of an observed strike taken at random.

    Parameters
    ----------
    intensity : Intensity
    n : int
        Number of observed strikes whose marks may be carried; 0 if marks do not matter.
    """

    intensity: Intensity
    n: int = 0

    @property
    def name(self) -> str:
        """The null's name as printed."""
        return f"Poisson from {self.intensity.name}"

    @property
    def expected_points(self) -> float:
        """Points in each replicate, on average."""
        return max(self.intensity.total, 1.0)

    @cached_property
    def _sampler(self) -> _CellSampler:
        return _CellSampler(self.intensity)

    def draw(self, seed: SeedSequence, first: int, last: int) -> Draws:
        """Draw replicates first … last − 1. Cost: the expected strikes each, and the cells once. InputError where nothing is expected."""
        uniforms, marks, sizes = [], [], []
        for k in range(first, last):
            rng = replicate_rng(seed, k)
            size = int(rng.poisson(self.intensity.total))
            sizes.append(size)
            uniforms.append(rng.random((size, 3)))
            marks.append(rng.integers(0, max(self.n, 1), size))
        easting, northing = self._sampler.place(np.concatenate([np.empty((0, 3)), *uniforms]))
        replicate = np.repeat(np.arange(last - first), sizes)
        return Draws(easting, northing, replicate, np.concatenate([np.empty(0, np.intp), *marks]), last - first)

    def draw_counts(self, seed: SeedSequence, first: int, last: int, cells: NDArray[np.intp]) -> csr_array:
        """Draw how many strikes fall in each of some cells, as :meth:`BinomialNull.draw_counts`."""
        expected = self.intensity.values.ravel()[cells] * self.intensity.grid.cell_area
        rngs = [replicate_rng(seed, k) for k in range(first, last)]
        return _spread(rngs, [int(rng.poisson(expected.sum())) for rng in rngs], expected)
