"""Gaussian smoothing of fields on a grid, and averages over the window."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ..pattern import Grid, InputError
from .gaussian_sums import REACH

Array = NDArray[np.float64]
FEW = 0.4  # share of all frequencies below which two matrix products are cheaper than the FFT


def _padded(size: int, step: float, bandwidth: float) -> int:
    return int(fft.next_fast_len(size + min(size, int(np.ceil(REACH * bandwidth / step))), True))


def _weights(length: int, step: float, bandwidth: float) -> Array:
    offset = step * np.minimum(np.arange(length), length - np.arange(length))
    weight = np.exp(-0.5 * (offset / bandwidth) ** 2)
    total = weight.sum()
    if 2 * REACH * bandwidth > length * step:  # the Gaussian goes on where the padding ends, and what lies there has its share
        total = max(total, np.sqrt(2 * np.pi) * bandwidth / step)
    return np.asarray(weight / total)


@lru_cache(maxsize=32)
def _waves(size: int, step: float, bandwidth: float) -> tuple[Array, Array] | None:
    """Give the waves a Gaussian on this axis is made of, (size, k), and what it leaves of each; None where they are many.

    A Gaussian of many cells passes low frequencies only: the transform of the few that are left is a thin matrix.
    """
    length = _padded(size, step, bandwidth)
    spectrum = fft.rfft(_weights(length, step, bandwidth)).real
    k = np.flatnonzero(spectrum > np.finfo(float).eps / 4 * spectrum[0])
    if 2 * len(k) > FEW * size:
        return None
    phase = 2 * np.pi / length * np.outer(np.arange(size), k)
    # each frequency but the first stands for its negative too; so few are kept that the highest of all is not among them
    left = spectrum[k] * np.where(k == 0, 1, 2) / length
    return np.hstack([np.cos(phase), np.sin(phase)]), np.concatenate([left, left])


def _smooth(field: Array, grid: Grid, bandwidths: list[float]) -> list[Array]:
    if any(not (np.isfinite(h) and h > 0) for h in bandwidths):
        raise InputError("a bandwidth must be a positive number", value=bandwidths[0] if len(bandwidths) == 1 else bandwidths)
    (rows, columns), result = field.shape, []
    spectrum, shape = None, (0, 0)
    for h in sorted(bandwidths, reverse=True):
        down, across = _waves(rows, grid.dy, h), _waves(columns, grid.dx, h)
        if down is not None and across is not None:
            middle = (down[0].T @ field) @ across[0]
            middle *= np.outer(down[1], across[1])
            result.append((down[0] @ middle) @ across[0].T)
            continue
        if spectrum is None:  # padded for the widest, it serves the others
            shape = _padded(rows, grid.dy, h), _padded(columns, grid.dx, h)
            spectrum = fft.rfft2(field, shape)
        passed = spectrum * fft.fft(_weights(shape[0], grid.dy, h))[:, None]
        passed *= fft.rfft(_weights(shape[1], grid.dx, h))
        result.append(fft.irfft2(passed, shape, overwrite_x=True)[:rows, :columns])
    order = np.argsort(np.argsort(-np.asarray(bandwidths), kind="stable"))
    return [np.asarray(result[k]) for k in order]


def smooth(field: Array, grid: Grid, bandwidth: float) -> Array:
    """Convolve a field with a Gaussian whose weights on an endless grid sum to one, with zeros beyond the box.

    Cost: one FFT pair over the cells, padded by eight bandwidths at most; of a Gaussian many cells wide, products with matrices as thin
    as the few frequencies it passes.

    Parameters
    ----------
    field : (rows, columns) array
    grid : Grid
    bandwidth : float
        Standard deviation on each axis, in the window's unit.

    Returns
    -------
    (rows, columns) array, in the field's unit.

    Raises
    ------
    InputError
        If the bandwidth is not a positive number.
    """
    return _smooth(field, grid, [bandwidth])[0]


_MASS: WeakKeyDictionary[Grid, dict[float, Array]] = WeakKeyDictionary()


def edge_mass(grid: Grid, bandwidth: float) -> Array:
    """Give ∫_W k(v−u) dv at each cell: what the window holds of a Gaussian there. Kept for as long as the grid lives."""
    kept = _MASS.setdefault(grid, {})
    if bandwidth not in kept:
        kept[bandwidth] = smooth(grid.inside.astype(float), grid, bandwidth)
        kept[bandwidth].flags.writeable = False
    return kept[bandwidth]


def window_means(field: Array, grid: Grid, bandwidths: Iterable[float]) -> Array:
    """Average a field around each cell with Gaussian weights restricted to the window, for each bandwidth.

    (M f)(u) = ∫_W f(v) k(v−u) dv / ∫_W k(v−u) dv. With the bandwidth of a baseline this is the refitted expectation of f for
    a strike at u; with a strike's location error it is the mean of f over where that strike may have been. A bandwidth of 0 gives the field
    itself. Returns (bandwidths, rows, columns), zero outside the window. Cost: one FFT for the field and one for each bandwidth, or as
    :func:`smooth`.

    Raises
    ------
    InputError
        If a bandwidth is negative or not finite.
    """
    inside = np.where(grid.inside, field, 0.0)
    wide = [float(h) for h in bandwidths]
    smoothed = iter(_smooth(inside, grid, [h for h in wide if h]) if any(wide) else [])
    floor, result = np.finfo(float).eps, []
    for h in wide:
        if h == 0:
            result.append(inside)
            continue
        mean = next(smoothed)
        mean /= np.maximum(edge_mass(grid, h), floor)
        mean[~grid.inside] = 0.0
        result.append(mean)
    return np.stack(result)
