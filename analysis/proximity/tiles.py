"""The decay score over a country: the window in tiles, each with as much around it as its fields can feel."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray

from ..baseline import Kernel, window_means
from ..inference import TestResult, monte_carlo_p
from ..null import Rng, seed_sequence
from ..pattern import Grid, InputError, PointPattern, Sites, Window
from .decay import Decay
from .score import ALTERNATIVES, check_points, error_classes
from .score_levels import Tally
from .summary import coordinates

Array = NDArray[np.float64]
REACH = 6.0  # standard deviations beyond which a Gaussian holds 2e-8 of its mass
DECAY_REACH = {"gaussian": 8.0, "exponential": 32.0, "disc": 1.0}  # scales beyond which the decay is under 1e-13


def tiled_decay_score_test(
    points: PointPattern,
    sites: Sites,
    decay: Decay,
    *,
    bandwidth: float,
    spacing: float,
    n_simulations: int,
    rng: Rng,
    alternative: str = "closer",
    uncertainty: ArrayLike | None = None,
    cells_at_once: int = 6_000_000,
) -> TestResult:
    """Test whether strikes fall nearer to sites than a kernel baseline predicts, in a window too large for one grid.

    Answers what :func:`~analysis.proximity.decay_score_test` answers, for independent strikes: those of one attack make it reject too
    often, as there.

    Parameters
    ----------
    points : PointPattern
        The strikes, n of them.
    sites : Sites
    decay : Decay
        Not ``"inverse"``, which has no end.
    bandwidth, spacing : float
        Of the kernel, refitted in every draw, and of the square cells; in the window's unit.
    n_simulations, rng
        As in :func:`~analysis.inference.monte_carlo_test`.
    alternative : {"closer", "farther", "two-sided"}
    uncertainty : (n,) array, optional
        Standard deviation of each location, in the window's unit, of a few distinct values; draws carry the same.
    cells_at_once : int
        Cells of a tile with its margin: memory is some 100 bytes for each, in each worker.

    Returns
    -------
    TestResult

    Notes
    -----
    A tile reads strikes and sites up to twelve bandwidths around it, so that its part of λ̂ and of the score's field is that of the whole
    window, to 1e-7. Tiles give the intensity and the strikes at 4,096 levels of the field, which add up; a draw is one multinomial count
    of levels (:mod:`~analysis.proximity.score_levels`). Tiles run wherever ``joblib.parallel_config`` says. Cost: cells × log(cells of a
    tile), once; then n_simulations × levels.

    Raises
    ------
    InputError
        For no strikes, no sites, an unknown alternative, fewer than 19 simulations, a bandwidth or spacing that is not positive, a decay
        without end, or cells too fine for ``cells_at_once``.
    """
    if sites.n == 0:
        raise InputError("there are no sites")
    check_points(points, alternative, n_simulations)
    for name, value in (("bandwidth", bandwidth), ("spacing", spacing)):
        if not (np.isfinite(value) and value > 0):
            raise InputError("must be a positive number", column=name, value=value)
    if decay.kind not in DECAY_REACH:
        raise InputError("has no end, and so no tiles", column="decay", value=decay.kind)
    errors, kind = error_classes(uncertainty, points.n)
    west, south, east, north = points.window.bounds
    rows, columns = int(np.ceil((north - south) / spacing)), int(np.ceil((east - west) / spacing))
    margin = int(np.ceil(REACH * (2 * bandwidth + errors.max()) / spacing))
    side = int(cells_at_once**0.5) - 2 * margin
    if side < 1:
        raise InputError("too fine for this bandwidth: a tile would be all margin; use larger cells", column="spacing", value=spacing)
    corners = list(product(range(0, rows, side), range(0, columns, side)))

    def tasks() -> Iterator[Any]:
        places, at_sites, start = coordinates(points), coordinates(sites), np.array([west, south])
        cell = ((places - start) // spacing)[:, ::-1]  # row and column
        reach = DECAY_REACH[decay.kind] * decay.scale
        for corner in np.array(corners):
            end = np.minimum(corner + side, [rows, columns])
            first, last = np.maximum(corner - margin, 0), np.minimum(end + margin, [rows, columns])
            felt = np.flatnonzero(((cell >= first) & (cell <= last)).all(axis=1))
            own = ((cell[felt] >= corner) & (cell[felt] < np.where(end == [rows, columns], np.inf, end))).all(axis=1)
            low, high = start + first[::-1] * spacing, start + last[::-1] * spacing
            near = ((at_sites >= low - reach) & (at_sites <= high + reach)).all(axis=1)
            at = (*low, spacing, tuple(last - first))
            core = tuple(slice(*ends) for ends in zip(corner - first, end - first, strict=True))
            yield points.window, at, core, places[felt], own, kind[felt], sites.subset(near), decay, bandwidth, errors

    total = Tally(len(errors), -1.0, 1.0)
    for part in Parallel(return_as="generator")(delayed(_tally)(*task) for task in tasks()):
        total.merge(part)
    seed = seed_sequence(rng)
    observed, simulated = total.scores(np.ones(len(errors)), n_simulations=n_simulations, rng=seed)
    p = monte_carlo_p(observed, simulated, ALTERNATIVES[alternative])
    null = f"binomial from kernel {bandwidth:g} m in {len(corners)} tiles"
    return TestResult(f"decay score, {decay.name}", observed, p, alternative, null, points.n, n_simulations, str(seed.entropy), simulated)


def _tally(
    window: Window,
    at: tuple[float, float, float, tuple[int, int]],
    core: tuple[slice, slice],
    places: Array,
    own: NDArray[np.bool_],
    kind: NDArray[np.intp],
    sites: Sites,
    decay: Decay,
    bandwidth: float,
    errors: Array,
) -> Tally:
    """Count the levels of one tile: its cells (``core``) of a grid with the margin, and its ``own`` among the strikes felt there."""
    west, south, spacing, (rows, columns) = at
    result = Tally(len(errors), -1.0, 1.0)
    x, y = west + spacing * (np.arange(columns) + 0.5), south + spacing * (np.arange(rows) + 0.5)
    grid = Grid(west, south, spacing, spacing, window.contains(*np.meshgrid(x, y)))
    if len(places) == 0 or not grid.inside.any():
        return result
    baseline = Kernel(grid, bandwidth)
    intensity = baseline.fit(*places.T).values
    fields = [np.zeros(grid.shape)] * len(errors)
    if sites.n:
        fields = [field - baseline.adjoint(field) for field in window_means(decay.field(sites, grid), grid, errors)]
    here = np.zeros(grid.shape, bool)
    here[core] = grid.inside[core]
    cell = grid.inside_cell(*places[own].T)
    for k, field in enumerate(fields):
        result.add(k, field[here], intensity[here], field.ravel()[cell[kind[own] == k]])
    return result
