"""The cross-K of strikes around fixed sites in draws from a known baseline, without drawing points.

Given the sites, the inhomogeneous cross-K is a sum over strikes. A strike's share of it depends only on its cell, so a draw needs no more
than how many strikes fell in each cell within reach of a site.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from ..inference import warn_of_salvos
from ..null import BinomialNull, PoissonNull, Rng, seed_sequence
from ..pattern import InputError, Intensity, PointPattern
from .edge import Correction
from .ripley import denominator, steps
from .summary import coordinates, distances, intensities

Array = NDArray[np.float64]
CHUNK = 800_000  # cells hit, held at once


def cross_k_of_counts(
    origins: PointPattern,
    null: BinomialNull | PoissonNull,
    r: ArrayLike,
    *,
    correction: Correction = "translate",
    intensity_origins: ArrayLike | None = None,
) -> tuple[NDArray[np.intp], csr_array]:
    """Give the cells within reach of an origin, and the matrix that takes strikes counted in them to the steps of cross-K along r.

    Strikes count as being at their cell's centre, with the null's intensity there. The cumulative sum of ``counts @ matrix`` along r is
    ``cross_k`` of strikes so placed, times its denominator. Cost: pairs of origins and cells within the largest r.

    Parameters
    ----------
    origins, null, r, correction, intensity_origins
        As in :func:`cross_k_draws`.

    Returns
    -------
    cells : (c,) int array
        Flat indices on the null's grid.
    matrix : (c, r) sparse array

    Raises
    ------
    InputError
        As :func:`cross_k`, for the origins and r.
    """
    grid, (flat, centres) = distances(r), _cells(null.intensity)
    by_origin = 1 / intensities(origins, intensity_origins, "intensity_origins")
    by_target = 1 / null.intensity.values.ravel()[flat]
    nothing = (flat[:0], flat[:0], by_target[:0])
    parts = [nothing, *steps(origins, centres, grid, correction, by_origin, by_target, same=False)]
    cell, place, height = (np.concatenate(column) for column in zip(*parts, strict=True))
    use = place < len(grid)
    near, row = np.unique(cell[use], return_inverse=True)
    return flat[near], csr_array((height[use], (row, place[use])), shape=(len(near), len(grid)))


def cross_k_draws(
    origins: PointPattern,
    targets: PointPattern,
    null: BinomialNull | PoissonNull,
    r: ArrayLike,
    *,
    correction: Correction = "translate",
    intensity_origins: ArrayLike | None = None,
    n_simulations: int,
    rng: Rng,
) -> tuple[Array, Array]:
    """Give the inhomogeneous cross-K of strikes around origins (sites), and draws of it under a null whose intensity is known.

    Both curves and draws go to a global envelope test.

    Parameters
    ----------
    origins : PointPattern
        The sites, fixed.
    targets : PointPattern
        The strikes.
    null : BinomialNull without strata, or PoissonNull
    r, correction, intensity_origins
        As in :func:`cross_k`.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.

    Returns
    -------
    observed : (r,) array
    simulated : (n_simulations, r) array

    Notes
    -----
    Strikes, observed and drawn alike, are read at the centre of their cell, so that the test is exact whatever the grid; a coarse one only
    blurs the curve. An observed strike in a cell without intensity is read at the nearest cell that has some. Cost: n_simulations × the
    strikes within the largest r of a site. A baseline estimated from the same strikes is not known:
    this then is a plug-in test, whose size must be checked.

    Raises
    ------
    InputError
        As :func:`cross_k`; for strata, or no cell within the largest r of a site.

    Warns
    -----
    AnalysisWarning
        If strikes carry an ``attack_id`` that some share.
    """
    if isinstance(null, BinomialNull) and null.stratum is not None:
        raise InputError("cell counts are drawn without strata", column="null")
    if targets.n == 0:
        raise InputError("there are no points", column="targets")
    if origins.window is not targets.window and not origins.window.polygon.equals(targets.window.polygon):
        raise InputError("origins and targets must be in one window")
    warn_of_salvos(targets, null)
    grid = distances(r)
    cells, matrix = cross_k_of_counts(origins, null, grid, correction=correction, intensity_origins=intensity_origins)
    if len(cells) == 0:
        raise InputError("no cell lies this near a site; use a finer grid or larger distances", column="r", value=grid[-1])
    scale = denominator(origins, grid, correction, 1 / intensities(origins, intensity_origins, "intensity_origins"))
    seed, step = seed_sequence(rng), max(1, int(CHUNK / min(len(cells), null.expected_points)))
    edges = [*range(0, n_simulations, step), n_simulations]
    drawn = (null.draw_counts(seed, a, b, cells) for a, b in itertools.pairwise(edges))
    counts = itertools.chain([_counted(targets, null, cells)], drawn)
    curves = np.concatenate([np.cumsum(_times(block, matrix), axis=1) / scale for block in counts])
    return curves[0], curves[1:]


def _times(counts: csr_array, matrix: csr_array) -> Array:
    """Multiply into a dense array: several times as fast as a sparse product, which first finds out how sparse it will be."""
    from ..pattern.loops import multiply

    result = np.zeros((counts.shape[0], matrix.shape[1]))
    ends, cell, row_ends = (np.asarray(index, np.intp) for index in (counts.indptr, counts.indices, matrix.indptr))
    column = matrix.indices.astype(np.uint64)  # unsigned: no negative index to check for
    multiply(ends, cell, counts.data, row_ends, column, matrix.data, result)
    return result


def _cells(intensity: Intensity) -> tuple[NDArray[np.intp], Array]:
    """Give the cells that have intensity: their flat indices (c,), and their centres (c, 2)."""
    flat = np.flatnonzero(intensity.grid.inside & (intensity.values > 0))
    return flat, np.column_stack([axis.ravel()[flat] for axis in intensity.grid.centres])


def _counted(points: PointPattern, null: BinomialNull | PoissonNull, cells: NDArray[np.intp]) -> csr_array:
    flat, centres = _cells(null.intensity)
    _, nearest = cKDTree(centres).query(coordinates(points))
    return csr_array(np.bincount(flat[nearest], minlength=null.intensity.values.size)[cells][None].astype(float))
