"""Sums of Gaussian weights over all other points: exact over pairs when pairs are few, on a grid between Gaussians when they are many.

References
----------
Greengard, L. & Lee, J.-Y. (2004). Accelerating the nonuniform fast Fourier transform. SIAM Review 46, 443-454.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.spatial import cKDTree

Array = NDArray[np.float64]
REACH = 8.0  # bandwidths after which the Gaussian is taken as zero: exp(-32) is 1e-14
NODES = 6  # grid nodes on each side of a point that carry its spread
STEP = 0.25  # node distance in bandwidths, and standard deviation of the first and third Gaussian
DIRECT = 400  # points up to which every pair is summed
LARGEST_GRID = 1500  # nodes along a side


def gaussian_sums(xy: Array, weight: Array, bandwidth: float) -> Array:
    """Sum w_j exp(−|x_i−x_j|²/2h²) over j ≠ i, for each i.

    Notes
    -----
    Up to 400 points, and where a grid as fine as the bandwidth would be too large, pairs are summed exactly. Otherwise the Gaussian is
    split into three: points are spread to nodes with a narrow one, nodes convolved by FFT with a wide one, points read off with a
    narrow one again. What truncation and nodes a quarter of a bandwidth apart leave is a relative error of 1e-7; where the sum is below
    a hundredth of the largest weight it is formed from pairs, so that no point loses more than five digits. Cost: 13² operations a
    point, whatever the bandwidth.
    """
    if len(xy) < 2:
        return np.zeros(len(xy))
    if len(xy) <= DIRECT:
        return all_pairs(squared_distances(xy), weight, bandwidth)
    size = np.ceil(np.ptp(xy, axis=0) / (STEP * bandwidth)).astype(int) + 2 * NODES + 2
    if size.max() > LARGEST_GRID:
        return near_sums(xy, weight, bandwidth, np.arange(len(xy)))
    result = _spread_sums(xy, weight, bandwidth, size)
    faint = np.flatnonzero(result < 0.01 * weight.max())
    if len(faint):
        result[faint] = near_sums(xy, weight, bandwidth, faint)
    return result


def squared_distances(xy: Array) -> Array:
    """Give the matrix of squared distances, infinite on the diagonal."""
    result = np.subtract.outer(xy[:, 0], xy[:, 0]) ** 2
    result += np.subtract.outer(xy[:, 1], xy[:, 1]) ** 2
    np.fill_diagonal(result, np.inf)
    return result


def all_pairs(squared: Array, weight: Array, bandwidth: float) -> Array:
    """Sum over every pair, from the matrix of squared distances."""
    kernel = squared * (-0.5 / bandwidth**2)
    return np.asarray(np.exp(kernel, out=kernel) @ weight)


def near_sums(xy: Array, weight: Array, bandwidth: float, rows: NDArray[np.intp], chunk_pairs: int = 1_500_000) -> Array:
    """Sum over pairs within eight bandwidths, for some points; memory bounded by chunks."""
    result = np.zeros(len(rows))
    tree = cKDTree(xy)
    neighbours = tree.query_ball_point(xy[rows], REACH * bandwidth, return_length=True)
    ends = np.searchsorted(np.cumsum(neighbours), np.arange(chunk_pairs, neighbours.sum() + chunk_pairs, chunk_pairs))
    start = 0
    for end in np.unique(np.minimum(ends + 1, len(rows))):
        near = cKDTree(xy[rows[start:end]]).sparse_distance_matrix(tree, REACH * bandwidth, output_type="ndarray")
        i, j = near["i"], near["j"]
        terms = np.where(rows[start + i] == j, 0.0, weight[j] * np.exp(-0.5 * (near["v"] / bandwidth) ** 2))
        result[start:end] = np.bincount(i, terms, end - start)
        start = end
    return result


def _spread_sums(xy: Array, weight: Array, bandwidth: float, size: NDArray[np.intp], chunk: int = 20_000) -> Array:
    step = STEP * bandwidth
    at = (xy - xy.min(axis=0)) / step + NODES
    shape = tuple(fft.next_fast_len(int(k) + NODES * 2, True) for k in size)
    offsets = np.arange(-NODES, NODES + 1)
    mass = np.zeros(shape[0] * shape[1])
    parts = []
    for first in range(0, len(xy), chunk):
        here = at[first : first + chunk]
        node = np.rint(here).astype(np.intp)
        gx, gy = (np.exp(-0.5 * (node[:, k, None] + offsets - here[:, k, None]) ** 2) for k in (0, 1))
        flat = ((node[:, 0, None] + offsets) * shape[1])[:, :, None] + (node[:, 1, None] + offsets)[:, None, :]
        mass += np.bincount(flat.ravel(), ((gx * weight[first : first + chunk, None])[:, :, None] * gy[:, None, :]).ravel(), len(mass))
        parts.append((flat[:, 0, 0], gx, gy))
    wide = STEP**-2 - 2  # in nodes, variances 1, wide and 1 add up to the bandwidth's
    spectrum = fft.rfft2(mass.reshape(shape))
    for axis, length in enumerate(shape):
        lag = np.minimum(np.arange(length), length - np.arange(length))
        line = fft.fft(np.exp(-0.5 * lag**2 / wide)).real
        spectrum *= line[:, None] if axis == 0 else line[: length // 2 + 1]
    field = fft.irfft2(spectrum, shape).ravel()
    # three Gaussians of unit height: on each axis the product of their widths over the width of the result, with 2π for two sums
    height = (2 * np.pi) * np.sqrt(wide) * STEP
    window = (offsets - offsets[0])[:, None] * shape[1] + (offsets - offsets[0])
    sums = [np.einsum("ni,nij,nj->n", gx, field[corner[:, None, None] + window], gy) for corner, gx, gy in parts]
    return np.concatenate(sums) / height**2 - weight
