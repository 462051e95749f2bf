"""Reports of one strike: single linkage in space and time, never across known weapons that differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..pattern import InputError

Array = NDArray[np.float64]
Labels = NDArray[np.intp]
UNKNOWN = 0  # the weapon code that is compatible with every other
MAX_PAIRS = 20_000_000  # some 24 bytes each


def cluster_reports(easting: Array, northing: Array, day: Labels, weapon: Labels, *, distance: float, days: int) -> Labels:
    """Give the cluster of each report.

    Parameters
    ----------
    easting, northing : (n,) arrays
        Metres.
    day : (n,) int array
    weapon : (n,) int array
        0 where the weapon is not known.
    distance : float
        Reports this near or nearer are linked (metres) ...
    days : int
        ... if they are this many days apart or fewer.

    Returns
    -------
    (n,) int array
        Clusters, numbered from 0 in order of their earliest day, then easting, then northing: the same for any order of the reports.

    Raises
    ------
    InputError
        If some 20 million pairs of different places are that near: the positions are placeholders, or the distance too wide.

    Notes
    -----
    Compatibility is not transitive: a report of an unknown weapon may stand between a drone's and a missile's. So reports of one known
    weapon are linked among themselves, and so are those of unknown weapon; then each cluster of unknown weapon joins, whole, the nearest
    cluster of a known weapon that it touches, if any. No cluster holds two known weapons.

    Reports that agree in place, day and weapon are taken once. Cost: n log n, and linear in the number of near pairs, which are counted
    before they are listed, so that memory is bounded.
    """
    if len(easting) == 0:
        return np.zeros(0, np.intp)
    table = np.column_stack([day, easting, northing, weapon]).astype(float)
    unique, inverse = np.unique(table, axis=0, return_inverse=True)
    when, place, kind = unique[:, 0], unique[:, 1:3], unique[:, 3]
    # in the maximum norm, one more coordinate keeps apart what lies more than `days` apart, another what is of another kind
    later = (when * (distance / (days + 0.5)))[:, None]
    start, stop = _pairs(np.column_stack([place, later, kind * 10 * distance]), place, distance)
    n = len(unique)
    links = coo_array((np.ones(len(start), bool), (start, stop)), shape=(n, n))
    _, label = connected_components(links, directed=False)
    label = _join_unknown(label, np.column_stack([place, later]), place, kind, distance)
    order: dict[int, int] = {}
    return np.array([order.setdefault(int(k), len(order)) for k in label], np.intp)[inverse.ravel()]


def _pairs(space: Array, place: Array, distance: float, other: Labels | None = None, own: Labels | None = None) -> tuple[Any, Any]:
    """List pairs within the distance: of all points, or of ``own`` with ``other``."""
    reach = distance * (1 + 1e-9)
    if own is None or other is None:
        _few(space, reach)
        start, stop = cKDTree(space).query_pairs(reach, p=np.inf, output_type="ndarray").T
    else:
        _few(space, reach)
        near = cKDTree(space[own]).sparse_distance_matrix(cKDTree(space[other]), reach, p=np.inf, output_type="ndarray")
        start, stop = own[near["i"]], other[near["j"]]
    apart = np.hypot(*(place[start] - place[stop]).T)
    keep = apart <= distance
    return start[keep], stop[keep]


def _few(space: Array, reach: float) -> None:
    """Refuse what would have too many near pairs: for each cell as wide as the reach, the square of its count, which is of their order."""
    cell = np.floor((space - space.min(axis=0)) / reach).astype(np.int64)
    key = np.ravel_multi_index(tuple(cell.T), tuple(cell.max(axis=0) + 1))
    count = np.unique(key, return_counts=True)[1]
    if (count.astype(float) ** 2).sum() > MAX_PAIRS:
        raise InputError(
            f"more than {MAX_PAIRS:,} pairs of reports are within the clustering distance: placeholders, or too wide a distance"
        )


def _join_unknown(label: Labels, space: Array, place: Array, kind: Array, distance: float) -> Labels:
    """Join each cluster of unknown weapon to the nearest cluster of a known one that it touches."""
    unknown, known = np.flatnonzero(kind == UNKNOWN), np.flatnonzero(kind != UNKNOWN)
    if not len(unknown) or not len(known):
        return np.asarray(label, np.intp)
    start, stop = _pairs(space, place, distance, known, unknown)
    apart = np.hypot(*(place[start] - place[stop]).T)
    order = np.lexsort((stop, apart, label[start]))  # nearest first; the earlier of equals, in the order of unique rows
    mine, first = np.unique(label[start][order], return_index=True)
    target = np.arange(label.max() + 1)
    target[mine] = label[stop][order][first]
    return np.asarray(target[label], np.intp)
