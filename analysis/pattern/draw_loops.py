"""Loops over the strikes of many draws: where they fall, what they read there, and sums of it. Compiled as those of ``loops.py``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .loops import compiled

Array = NDArray[np.float64]
Index = NDArray[np.intp]


@compiled
def share_out(gaps: Array, cdf: Array, total: float, guide: Index) -> tuple[Index, Array]:
    """Send len(gaps) − 1 uniform numbers to the cells of a distribution: the cells hit, in order, and how often.

    ``gaps`` are exponential: their running sums over their total are uniform numbers in order. ``cdf`` ends in infinity, whatever
    rounding does to the last number, and ``total`` is what it would end in. ``guide`` has the cell of each 1/len(guide) of it, so that
    few numbers need not walk through all cells; or nothing. Cost: numbers + cells.
    """
    room = min(len(gaps) - 1, len(cdf))
    cell, count = np.empty(room, np.intp), np.empty(room)
    at, found, passed, held = 0, 0, 0.0, 0.0
    scale, per_guide = total / gaps.sum(), len(guide) / gaps.sum()
    for k in range(len(gaps) - 1):
        passed += gaps[k]
        x = passed * scale
        if cdf[at] <= x:
            if held > 0:
                cell[found], count[found] = at, held
                found += 1
                held = 0.0
            if len(guide):
                at = max(at, guide[min(int(passed * per_guide), len(guide) - 1)] - 1)  # one less: the entry is known to rounding
            while cdf[at] <= x:
                at += 1
        held += 1
    if held > 0:
        cell[found], count[found] = at, held
        found += 1
    return cell[:found], count[:found]


@compiled
def unit_scores(field: Array, kind: Index, cells: Index, weights: Array, centre: Array, unit: Index) -> Array:
    """Sum fields over strikes in cells, over the root of the sum of squared unit totals: (weightings, replicates).

    ``field`` is (kinds, cells); ``cells`` (replicates, strikes); ``weights`` (weightings, strikes). Each place is read once for all
    weightings. A strike where the field has no value does not count.
    """
    n_rows, n_units = len(weights), unit.max() + 1
    result = np.empty((n_rows, len(cells)))
    totals = np.empty((n_rows, n_units))
    for b in range(len(cells)):
        totals[:] = 0.0
        result[:, b] = 0.0
        for i in range(cells.shape[1]):
            value = field[kind[i], cells[b, i]]
            if np.isnan(value):
                continue
            for k in range(n_rows):
                result[k, b] += weights[k, i] * value
                totals[k, unit[i]] += weights[k, i] * (value - centre[i])
        for k in range(n_rows):
            squares = (totals[k] ** 2).sum()
            result[k, b] = result[k, b] / np.sqrt(squares) if squares > 0 else 0.0
    return result


@compiled
def _found(x: float, cdf: Array, guide: Index) -> int:
    """Give the first place where a distribution exceeds x. Cost: a step or two."""
    at = guide[min(int(x * len(guide)), len(guide) - 1)]
    while at > 0 and cdf[at - 1] > x:  # the guide is known to rounding
        at -= 1
    while at < len(cdf) - 1 and cdf[at] <= x:
        at += 1
    return at


@compiled
def guide_to(cdf: Array) -> Index:
    """Give the place in a distribution of each 1/len(cdf) of it, where looking up begins."""
    result, at = np.empty(len(cdf), np.intp), 0
    for k in range(len(cdf)):
        while at < len(cdf) - 1 and cdf[at] <= k / len(cdf):
            at += 1
        result[k] = at
    return result


@compiled
def place_rows(
    u: Array, rows: Index, cdf: Array, guide: Index, cells: Index, rim: NDArray[np.bool_], columns: int,
    corner: tuple[float, float], side: tuple[float, float], east: Array, north: Array,
) -> None:  # fmt: skip
    """Send uniform numbers (replicates, strikes, 3) to places, for some of the strikes: a cell by inverse CDF, then a place in it."""
    for b in range(len(u)):
        for r in rows:
            cell = cells[_found(u[b, r, 0], cdf, guide)]
            # a cell on the rim may stick out of the window: there the cell's centre, which is inside, stands for the place
            x, y = (0.5, 0.5) if rim[cell] else (u[b, r, 1], u[b, r, 2])
            east[b, r] = corner[0] + (cell % columns + x) * side[0]
            north[b, r] = corner[1] + (cell // columns + y) * side[1]


@compiled
def cell_rows(u: Array, rows: Index, cdf: Array, guide: Index, cells: Index, result: Index) -> None:
    """Send uniform numbers (replicates, strikes) to the flat indices of cells, for some of the strikes."""
    for b in range(len(u)):
        for r in rows:
            result[b, r] = cells[_found(u[b, r], cdf, guide)]


@compiled
def bilinear(field: Array, kind: Index, east: Array, north: Array, corner: tuple[float, float], side: tuple[float, float]) -> Array:
    """Read fields (kinds, rows, columns) between cell centres; ``kind`` may have a single entry, for all points."""
    _, rows, columns = field.shape
    result = np.empty(len(east))
    for k in range(len(east)):
        u = min(max((east[k] - corner[0]) / side[0] - 0.5, 0.0), columns - 1.0)
        v = min(max((north[k] - corner[1]) / side[1] - 0.5, 0.0), rows - 1.0)
        j, i = min(int(u), max(columns - 2, 0)), min(int(v), max(rows - 2, 0))
        right, up, c = min(j + 1, columns - 1), min(i + 1, rows - 1), kind[k if len(kind) > 1 else 0]
        u, v = u - j, v - i
        south_ = field[c, i, j] + u * (field[c, i, right] - field[c, i, j])
        north_ = field[c, up, j] + u * (field[c, up, right] - field[c, up, j])
        result[k] = south_ + v * (north_ - south_)
    return result


@compiled
def unit_sums(field: Array, kind: Index, cells: Index, weights: Array, unit: Index, n_units: int) -> Array:
    """Sum fields (kinds, cells) over the strikes of each unit, in cells (replicates, strikes): (replicates, units)."""
    result = np.zeros((len(cells), n_units))
    for b in range(len(cells)):
        for i in range(cells.shape[1]):
            result[b, unit[i]] += weights[i] * field[kind[i], cells[b, i]]
    return result
