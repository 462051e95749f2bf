"""Loops over pairs that no array operation does as fast: compiled on first use, kept beside this file where it may be written.

They are imported by the functions that call them, when they are called: the compiler takes a second to load.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.intp]
BUCKETS = 1024  # into which distances are sorted before they are looked up
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile, and keep the result for the next run where there is a folder to keep it in."""
    try:
        return cast(F, njit(cache=True)(function))
    except RuntimeError:  # neither the package's folder nor the user's may be written
        return cast(F, njit(function))


@compiled
def overlaps(low: Array, high: Array, slope: Array, height: Array, sign: Array, dx: Array, dy: Array) -> Array:
    """Give |W ∩ (W + h)| = −½ Σ_ef s_e s_f ∫ |y_e − y_f| dx over edges e of W and f of W + h, s the sign of the edge's run in x.

    An indicator is a signed sum of the areas below its edges; two such areas overlap in the area below the lower of the two edges, and
    min(p, q) = (p + q − |p − q|) / 2, of which the first two terms cancel around a ring. Edges come in order of ``low``.
    """
    result = np.empty(len(dx))
    widest = (high - low).max()
    for k in range(len(dx)):
        total = 0.0
        for f in range(len(low)):
            left_f, right_f = low[f] + dx[k], high[f] + dx[k]
            height_f = height[f] + dy[k] - slope[f] * dx[k]
            for e in range(np.searchsorted(low, left_f - widest), len(low)):
                if low[e] >= right_f:
                    break
                left = max(low[e], left_f)
                width = min(high[e], right_f) - left
                if width > 0:
                    steeper = slope[e] - slope[f]
                    gap = steeper * left + height[e] - height_f
                    end = gap + steeper * width
                    size = abs(gap) + abs(end)
                    if gap * end < 0:  # the mean of |linear| where it crosses zero in between
                        size += 2 * gap * end / size
                    total += sign[e] * sign[f] * width * size
        result[k] = -0.25 * total
    return result


@compiled
def read_polar(first: Index, ray: Array, middle: Array, step: float, coefficients: Array, dx: Array, dy: Array) -> Array:
    """Evaluate the quadratics of polar cells at shifts h or −h, whichever points up. See ``analysis.pattern.overlap``."""
    result, shells = np.empty(len(dx)), coefficients.shape[1]
    per_unit, per_turn = 1 / step, len(first) / 2
    share = 1 / np.arange(1.0, shells + 1)
    for k in range(len(dx)):
        x, y = dx[k], dy[k]
        if y < 0 or (y == 0 and x < 0):
            x, y = -x, -y
        # the angle, from 0 to 2 over the upper half plane, without a call to arctan
        turn = (y if x >= 0 else -x) / max(abs(x) + y, 1e-300) + (0.0 if x >= 0 else 1.0)
        s = first[min(int(turn * per_turn), len(first) - 1)]
        while s + 1 < len(middle) and turn >= ray[s + 1]:
            s += 1
        x, y = x * per_unit, y * per_unit
        shell = min(int(np.sqrt(x * x + y * y)), shells - 1)
        along, across, per_width = middle[s]
        p = x * along + y * across - (shell + 0.5)
        q = (y * along - x * across) * share[shell] * per_width
        c = coefficients[s, shell]
        result[k] = c[0] + p * (c[1] + c[3] * p + c[4] * q) + q * (c[2] + c[5] * q)
    return result


@compiled
def sort_by_cell(points: Array, corner: Array, side: float, rows: int, columns: int) -> tuple[Array, Index, Index]:
    """Give the points sorted by square cell, their rows, and where each cell begins. Cost: n + cells."""
    cell, start = np.empty(len(points), np.intp), np.zeros(rows * columns + 1, np.intp)
    for k in range(len(points)):
        cell[k] = int((points[k, 1] - corner[1]) / side) * columns + int((points[k, 0] - corner[0]) / side)
        start[cell[k] + 1] += 1
    start = np.cumsum(start)
    order, result, place = np.empty(len(points), np.intp), np.empty_like(points), start.copy()
    for k in range(len(points)):
        at = place[cell[k]]
        order[at], result[at] = k, points[k]
        place[cell[k]] += 1
    return result, order, start


@compiled
def spans(origins: Array, corner: Array, side: float, rows: int, columns: int, reach: float, start: Index) -> tuple[Index, Index]:
    """Give the first and last column and row of cells within each origin's reach, (n, 4), and how many points they hold."""
    cells, held = np.empty((len(origins), 4), np.intp), np.zeros(len(origins), np.intp)
    for k in range(len(origins)):
        for axis, size in ((0, columns), (1, rows)):
            low, high = (origins[k, axis] - reach - corner[axis]) / side, (origins[k, axis] + reach - corner[axis]) / side
            cells[k, 2 * axis] = int(min(max(np.floor(low), 0.0), float(size)))
            cells[k, 2 * axis + 1] = int(min(max(np.floor(high), -1.0), size - 1.0))
        if cells[k, 0] <= cells[k, 1]:
            for row in range(cells[k, 2], cells[k, 3] + 1):
                held[k] += start[row * columns + cells[k, 1] + 1] - start[row * columns + cells[k, 0]]
    return cells, held


@compiled
def fill_pairs(
    origins: Array, rows: Index, cells: Index, targets: Array, order: Index, start: Index, columns: int, reach: float,
    same: bool, once: Index, room: int,
) -> tuple[Index, Index, Array]:  # fmt: skip
    """Give the pairs within reach of some origins, ``room`` at most; ``targets`` and ``order`` (their rows) come sorted by cell.

    ``same``: no pair of a point with itself. ``once``: each origin's place in ``order``, so that only what comes after is looked at; or
    nothing.
    """
    i, j, d = np.empty(room, np.intp), np.empty(room, np.intp), np.empty(room)
    found, limit = 0, reach * reach
    for row in rows:
        x, y = origins[row]
        if cells[row, 0] > cells[row, 1]:
            continue
        after = once[row] + 1 if len(once) else 0
        for v in range(cells[row, 2], cells[row, 3] + 1):
            for k in range(max(start[v * columns + cells[row, 0]], after), start[v * columns + cells[row, 1] + 1]):
                across, along = targets[k, 0] - x, targets[k, 1] - y
                squared = across * across + along * along
                if squared <= limit and not (same and order[k] == row):
                    i[found], j[found], d[found] = row, order[k], np.sqrt(squared)
                    found += 1
    return i[:found], j[:found], d[:found]


@compiled
def near_gaussians(
    origins: Array, rows: Index, cells: Index, targets: Array, order: Index, start: Index, columns: int, reach: float,
    weight: Array, bandwidth: float,
) -> Array:  # fmt: skip
    """Sum w_j exp(−|x_i−x_j|²/2h²) over the points j ≠ i within reach of some of them. Arguments as for ``fill_pairs``."""
    result, limit, scale = np.zeros(len(rows)), reach * reach, -0.5 / bandwidth**2
    for k, row in enumerate(rows):
        x, y = origins[row]
        for v in range(cells[row, 2], cells[row, 3] + 1):
            for at in range(start[v * columns + cells[row, 0]], start[v * columns + cells[row, 1] + 1]):
                across, along = targets[at, 0] - x, targets[at, 1] - y
                squared = across * across + along * along
                if squared <= limit and order[at] != row:
                    result[k] += weight[order[at]] * np.exp(scale * squared)
    return result


@compiled
def spread(at: Array, weight: Array, nodes: int, mass: Array) -> None:
    """Add each point's Gaussian of unit height and spread to the nodes around it; ``at`` is in nodes."""
    east = np.empty(2 * nodes + 1)
    for k in range(len(at)):
        i, j = int(np.rint(at[k, 0])) - nodes, int(np.rint(at[k, 1])) - nodes
        for a in range(2 * nodes + 1):
            east[a] = np.exp(-0.5 * (j + a - at[k, 1]) ** 2)
        for a in range(2 * nodes + 1):
            north = weight[k] * np.exp(-0.5 * (i + a - at[k, 0]) ** 2)
            for b in range(2 * nodes + 1):
                mass[i + a, j + b] += north * east[b]


@compiled
def gather(at: Array, nodes: int, field: Array) -> Array:
    """Read a field at points through a Gaussian of unit height and spread: the transpose of ``spread``."""
    result, east = np.empty(len(at)), np.empty(2 * nodes + 1)
    for k in range(len(at)):
        i, j = int(np.rint(at[k, 0])) - nodes, int(np.rint(at[k, 1])) - nodes
        for a in range(2 * nodes + 1):
            east[a] = np.exp(-0.5 * (j + a - at[k, 1]) ** 2)
        total = 0.0
        for a in range(2 * nodes + 1):
            line = 0.0
            for b in range(2 * nodes + 1):
                line += east[b] * field[i + a, j + b]
            total += line * np.exp(-0.5 * (i + a - at[k, 0]) ** 2)
        result[k] = total
    return result


@compiled
def heights(i: Index, j: Index, d: Array, r: Array, by_origin: Array, by_target: Array, weight: Array) -> tuple[Index, Array]:
    """Give each pair's place in r, the first at or beyond its distance, and its height, weight × by_origin × by_target."""
    place, height = np.empty(len(d), np.intp), np.empty(len(d))
    per_unit = BUCKETS / r[-1] if r[-1] > 0 else 0.0
    first = np.searchsorted(r, np.arange(BUCKETS + 1) * (r[-1] / BUCKETS))  # no place before it for a distance in this bucket
    for k in range(len(d)):
        at = max(first[min(int(d[k] * per_unit), BUCKETS)] - 1, 0)  # one less: the bucket is known to rounding
        while at < len(r) and r[at] < d[k]:
            at += 1
        place[k], height[k] = at, weight[k] * by_origin[i[k]] * by_target[j[k]]
    return place, height


@compiled
def shifts(origins: Array, targets: Array, i: Index, j: Index) -> tuple[Array, Array]:
    """Give the way from each pair's origin to its target."""
    east, north = np.empty(len(i)), np.empty(len(i))
    for k in range(len(i)):
        east[k], north[k] = targets[j[k], 0] - origins[i[k], 0], targets[j[k], 1] - origins[i[k], 1]
    return east, north


@compiled
def multiply(ends: Index, cell: Index, count: Array, row_ends: Index, place: NDArray[np.uint64], height: Array, result: Array) -> None:
    """Add to each row of ``result`` the product of a sparse row of counts with a sparse matrix."""
    for draw in range(len(ends) - 1):
        row = result[draw]
        for k in range(ends[draw], ends[draw + 1]):
            at, times = cell[k], count[k]
            for entry in range(row_ends[at], row_ends[at + 1]):
                row[place[entry]] += times * height[entry]


@compiled
def block_sums(block: NDArray[np.uint16], blocks: int, observed: Array, expected: Array) -> tuple[Array, Array]:
    """Sum observed up to each block's end and expected up to its beginning, points having been dealt to blocks 0, 1, 2 ..."""
    counts, mass = np.zeros(blocks), np.zeros(blocks)
    for k in range(len(block)):
        counts[block[k]] += observed[k]
        mass[block[k]] += expected[k]
    before, passed = 0.0, 0.0
    for b in range(blocks):
        before += counts[b]
        counts[b] = before
        mass[b], passed = passed, passed + mass[b]
    return counts, mass


@compiled
def in_blocks(block: NDArray[np.uint16], first: int, last: int) -> Index:
    """Give the points dealt to blocks first … last − 1."""
    result, found = np.empty(len(block), np.intp), 0
    for k in range(len(block)):
        result[found] = k
        found += first <= block[k] < last
    return result[:found]


@compiled
def best_ratio(
    members: Index, block: NDArray[np.uint16], first: int, last: int, observed: Array, expected: Array, is_end: NDArray[np.bool_],
    position: int, o: float, e: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Put members of blocks first … last − 1 in order of their blocks, and give the largest ratio of running sums, and the sums.

    The sums start from ``o`` and ``e``; only places where ``is_end`` holds count, from ``position`` on.
    """
    start, order, best = np.zeros(last - first + 1, np.intp), np.empty(len(members), np.intp), 0.0
    for m in members:
        start[block[m] - first + 1] += 1
    start = np.cumsum(start)
    for m in members:
        at = block[m] - first
        order[start[at]] = m
        start[at] += 1
    for k, m in enumerate(order):
        o += observed[m]
        e += expected[m]
        if is_end[position + k] and e > 0 and o > best * e:
            best = o / e
    return best, o, e
