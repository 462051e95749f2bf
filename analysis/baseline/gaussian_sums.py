"""Sums of Gaussian weights over all other points: exact over pairs when pairs are few, on a grid between Gaussians when they are many.

References
----------
Greengard, L. & Lee, J.-Y. (2004). Accelerating the nonuniform fast Fourier transform. SIAM Review 46, 443-454.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..pattern.near import cell_list

Array = NDArray[np.float64]
REACH = 8.0  # bandwidths after which the Gaussian is taken as zero: exp(-32) is 1e-14
FAR = 40.0  # bandwidths after which it is zero in double precision
NODES = 6  # grid nodes on each side of a point that carry its spread
PAD = 32  # empty nodes beyond the points, eight bandwidths: the FFT wraps the far side around
STEP = 0.25  # node distance in bandwidths, and standard deviation of the first and third Gaussian
DIRECT = 400  # points up to which every pair is summed
LARGEST_GRID = 1500  # nodes along a side
SPREAD, NODE = 40, 5  # cost of a point on the grid and of a node, in pairs


def gaussian_sums(xy: Array, weight: Array, bandwidth: float) -> Array:
    """Sum w_j exp(−|x_i−x_j|²/2h²) over j ≠ i, for each i.

    Notes
    -----
    Up to 400 points pairs are summed exactly, and within eight bandwidths where that is the cheaper way. Otherwise the Gaussian is
    split into three: points are spread to nodes with a narrow one, nodes convolved by FFT with a wide one, points read off with a
    narrow one again. What truncation and nodes a quarter of a bandwidth apart leave is a relative error of 1e-7; where the sum is below
    a hundredth of the largest weight it is formed from pairs, so that no point loses more than five digits. Cost: 2 × 13² operations a
    point at most, and the nodes' FFT.
    """
    from ..pattern.loops import near_gaussians, spans

    if len(xy) < 2:
        return np.zeros(len(xy))
    reach = (FAR if len(xy) <= DIRECT else REACH) * bandwidth
    cells = cell_list(xy, reach)
    touched, held = spans(xy, cells.corner, cells.side, cells.rows, cells.columns, reach, cells.start)
    size = np.ceil(np.ptp(xy, axis=0) / (STEP * bandwidth)) + PAD
    gridded = len(xy) > DIRECT and size.max() <= LARGEST_GRID and held.sum() > SPREAD * len(xy) + NODE * size.prod()
    result = _spread_sums(xy, weight, bandwidth, size) if gridded else np.empty(len(xy))
    rows = np.flatnonzero(result < 0.01 * weight.max()) if gridded else cells.order
    result[rows] = near_gaussians(
        xy, rows, touched, cells.placed, cells.order, cells.start, cells.columns, reach, weight, bandwidth
    )  # fmt: skip
    return result


def _spread_sums(xy: Array, weight: Array, bandwidth: float, size: Array) -> Array:
    from ..pattern.loops import gather, spread

    at = (xy - [axis.min() for axis in xy.T]) / (STEP * bandwidth) + NODES
    shape = tuple(fft.next_fast_len(int(k), True) for k in size)
    mass = np.zeros(shape)
    spread(at, weight, NODES, mass)
    wide = STEP**-2 - 2  # in nodes, variances 1, wide and 1 add up to the bandwidth's
    spectrum = fft.rfft2(mass)
    for axis, length in enumerate(shape):
        lag = np.minimum(np.arange(length), length - np.arange(length))
        line = fft.fft(np.exp(-0.5 * lag**2 / wide)).real
        spectrum *= line[:, None] if axis == 0 else line[: length // 2 + 1]
    # three Gaussians of unit height: on each axis the product of their widths over the width of the result, with 2π for two sums
    height = (2 * np.pi) * np.sqrt(wide) * STEP
    return np.asarray(gather(at, NODES, fft.irfft2(spectrum, shape)) / height**2 - weight)
