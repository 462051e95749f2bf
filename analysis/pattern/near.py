"""Pairs of points that lie near each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]
CANDIDATES = 60_000  # pairs a chunk looks at
CELLS = 2  # for each point, at most: smaller ones would hold nothing


class CellList(NamedTuple):
    """Points sorted into square cells half as wide, at least, as the reach within which they will be looked for. Cost: n."""

    placed: Array
    order: Index
    start: Index
    corner: Array
    side: float
    rows: int
    columns: int


def cell_list(points: Array, reach: float) -> CellList:
    """Sort points, (n, 2), into cells."""
    from .loops import sort_by_cell

    axes = points[:, 0], points[:, 1]  # one after the other: a reduction over pairs of numbers is twenty times slower
    corner = np.array([axis.min() for axis in axes])
    width = np.array([axis.max() for axis in axes]) - corner
    room = CELLS * len(points)
    side = float(max(reach / 2, np.sqrt(np.prod(width) / room), width.max() / room, np.finfo(float).tiny))
    columns, rows = (int(length / side) + 1 for length in width)
    return CellList(*sort_by_cell(points, corner, side, rows, columns), corner, side, rows, columns)


def near_pairs(
    origins: Array, targets: Array, reach: float, *, same: bool = False, once: bool = False
) -> Iterator[tuple[Index, Index, Array]]:
    """Give the pairs within reach, in chunks: rows of origins, rows of targets, distances.

    Parameters
    ----------
    origins, targets : (n, 2), (m, 2) arrays
    reach : float
        A pair at exactly this distance may fall to either side, by rounding: compare the distances.
    same : bool
        Origins are the targets: a point is no pair with itself, two points at one place are.
    once : bool
        Of a pair and its reverse, give one.

    Notes
    -----
    Cost: n + m + pairs. A chunk looks at some 60,000 pairs, or at those of one origin where they are more.
    """
    from .loops import fill_pairs, spans

    if len(origins) == 0 or len(targets) == 0:
        return
    cells = cell_list(targets, reach)
    touched, held = spans(origins, cells.corner, cells.side, cells.rows, cells.columns, reach, cells.start)
    position = np.argsort(cells.order) if once else np.empty(0, np.intp)
    along = cells.order if same else np.arange(len(origins))  # neighbours one after the other are in the cache together
    total = np.cumsum(held[along])
    ends = np.unique(np.searchsorted(total, np.arange(CANDIDATES, total[-1] + CANDIDATES, CANDIDATES), side="right").clip(1, len(along)))
    for own in np.split(along, ends[:-1]) if len(ends) else []:
        room = int(held[own].sum())
        yield fill_pairs(origins, own, touched, cells.placed, cells.order, cells.start, cells.columns, reach, same, position, room)
