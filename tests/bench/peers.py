"""Time the package beside every Python peer that is installed: the same points, one run, and how far the answers differ.

Peers are not in the lock: pip install pointpats astropy treecorr scikit-learn KDEpy. Each is asked for what ours computes, without edge
correction where it has none. Peers that visit all pairs stop at the size where they would take minutes or fill the memory.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from shapely.geometry import box
from table import Row, timed

from analysis.baseline import kernel_intensity
from analysis.pattern import PointPattern, Sites, Window
from analysis.proximity import cross_k, k_function, nearest_distance
from analysis.timing import knox_test

SIDE, H, CELLS = 10.0, 0.5, 256
AREA = SIDE**2


def there(name: str) -> bool:
    """Say whether a peer is installed."""
    return importlib.util.find_spec(name) is not None


def apart(ours: Any, theirs: Any) -> float:
    """Give the largest difference, relative to the largest value."""
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    return float(np.abs(a - b).max() / np.abs(b).max())


def beside(task: str, n: int, ours: Callable[[], Any], peers: dict[str, Callable[[], Any]]) -> Iterator[Row]:
    """Time ours once and each peer; a 0-d or 1-d array of answers each."""
    seconds, found = timed(ours)
    for peer, run in peers.items():
        theirs, values = timed(run)
        yield Row(task, n, seconds, peer, theirs, apart(found, values))


def rows() -> Iterator[Row]:
    """Give one row for each task, size and installed peer."""
    warnings.simplefilter("ignore")
    window = Window(box(0, 0, SIDE, SIDE))
    for n in (1_000, 10_000, 100_000):
        draw = np.random.default_rng(1)
        xy, at = draw.beta(2, 3, (n, 2)) * SIDE, draw.uniform(0, SIDE, (80, 2))
        points, sites = PointPattern(*xy.T, window), Sites(*at.T, window)
        r = np.linspace(0, float(np.sqrt(30 * AREA / np.pi / n)), 21)[1:]
        yield from beside("kernel intensity, 256² cells, no edge correction", n,
                          lambda p=points: kernel_intensity(p, H, shape=(CELLS, CELLS), edge=None).values, dict(_densities(xy)))  # fmt: skip
        yield from beside("leave-one-out intensity at points, no edge correction", n,
                          lambda p=points: kernel_intensity(p, H, edge=None, at="points"), dict(_at_points(xy)))  # fmt: skip
        yield from beside(
            "K, no edge correction, 30 neighbours", n, lambda p=points, r=r: k_function(p, r, correction=None).observed, dict(_k(xy, r))
        )
        if there("astropy") and n <= 1_000:
            yield from beside(
                "K, translation, 30 neighbours",
                n,
                lambda p=points, r=r: k_function(p, r).observed,
                {"astropy": _astropy(xy, r, "translation")},
            )
        yield from beside("cross-K, no edge correction, 80 sites", n, lambda p=points, s=sites: cross_k(s, p, RC, correction=None).observed,
                          dict(_cross(xy, at)))  # fmt: skip
        yield from beside("nearest distance", n, lambda p=points: nearest_distance(p), dict(_nearest(xy)))
        if there("pointpats") and n <= 1_000:
            days = draw.uniform(0, 365, n)
            yield from beside("Knox, 999 permutations", n,
                              lambda p=points, t=days: knox_test(p, t, distance=0.3, interval=14, n_simulations=999, rng=1).statistic,
                              {"pointpats": _knox(xy, days)})  # fmt: skip


RC = np.linspace(0, 1, 21)[1:]


def _densities(xy: np.ndarray) -> Iterator[tuple[str, Callable[[], Any]]]:
    step, n = SIDE / CELLS, len(xy)
    centres = step * (np.arange(CELLS) + 0.5)

    def filtered() -> np.ndarray:
        counts = np.histogram2d(*xy[:, ::-1].T, CELLS, [(0, SIDE), (0, SIDE)])[0]
        return gaussian_filter(counts, H / step, mode="constant", truncate=8) / step**2

    yield "SciPy gaussian_filter of counts", filtered
    if there("sklearn") and n <= 1_000:
        from sklearn.neighbors import KernelDensity

        cells = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
        yield (
            "scikit-learn KernelDensity, rtol 1e-6",
            lambda: n * np.exp(KernelDensity(bandwidth=H, rtol=1e-6).fit(xy).score_samples(cells)).reshape(CELLS, CELLS),
        )
    if there("KDEpy"):
        from KDEpy import FFTKDE

        around = step * (np.arange(-80, CELLS + 80) + 0.5)  # it refuses points beyond the grid, and wants room
        lattice = np.stack(np.meshgrid(around, around, indexing="ij"), axis=-1).reshape(-1, 2)
        size = len(around)
        yield "KDEpy FFTKDE", lambda: n * FFTKDE(bw=H).fit(xy).evaluate(lattice).reshape(size, size)[80:-80, 80:-80].T


def _at_points(xy: np.ndarray) -> Iterator[tuple[str, Callable[[], Any]]]:
    n = len(xy)
    if there("sklearn") and n <= 10_000:
        from sklearn.neighbors import KernelDensity

        own = 1 / (2 * np.pi * H**2)
        yield (
            "scikit-learn KernelDensity, rtol 1e-6",
            lambda: n * np.exp(KernelDensity(bandwidth=H, rtol=1e-6).fit(xy).score_samples(xy)) - own,
        )


def _k(xy: np.ndarray, r: np.ndarray) -> Iterator[tuple[str, Callable[[], Any]]]:
    n = len(xy)
    scale = AREA / (n * (n - 1))

    def tree() -> np.ndarray:
        at = cKDTree(xy)
        return (at.count_neighbors(at, r) - n) * scale

    yield "SciPy cKDTree.count_neighbors", tree
    if there("astropy") and n <= 1_000:
        yield "astropy", _astropy(xy, r, "none")
    if there("pointpats") and n <= 10_000:
        import pointpats

        at_box = AREA / float(np.prod(np.ptp(xy, axis=0))) * n / (n - 1)  # it takes the bounding box of the points for the window
        yield "pointpats", lambda: pointpats.k(xy, support=r)[1] * at_box
    if there("treecorr"):
        yield "TreeCorr, bin_slop 0", lambda: 2 * np.cumsum(_pairs(xy, None, r)) * scale


def _pairs(xy: np.ndarray, at: np.ndarray | None, r: np.ndarray) -> np.ndarray:
    import treecorr

    found = treecorr.NNCorrelation(min_sep=1e-12, max_sep=r[-1], nbins=len(r), bin_type="Linear", bin_slop=0)
    catalogs = [treecorr.Catalog(x=p[:, 0], y=p[:, 1]) for p in (xy, at) if p is not None]
    found.process(*catalogs, num_threads=1)
    return np.asarray(found.npairs)


def _astropy(xy: np.ndarray, r: np.ndarray, mode: str) -> Callable[[], Any]:
    from astropy.stats import RipleysKEstimator

    estimator = RipleysKEstimator(area=AREA, x_min=0, x_max=SIDE, y_min=0, y_max=SIDE)
    return lambda: estimator(xy, r, mode=mode)


def _cross(xy: np.ndarray, at: np.ndarray) -> Iterator[tuple[str, Callable[[], Any]]]:
    scale = AREA / (len(xy) * len(at))
    yield "SciPy cKDTree.count_neighbors", lambda: cKDTree(at).count_neighbors(cKDTree(xy), RC) * scale
    if there("treecorr"):
        yield "TreeCorr, bin_slop 0", lambda: np.cumsum(_pairs(xy, at, RC)) * scale


def _nearest(xy: np.ndarray) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "SciPy cKDTree.query", lambda: cKDTree(xy).query(xy, k=2)[0][:, 1]
    if there("sklearn"):
        from sklearn.neighbors import NearestNeighbors

        yield "scikit-learn NearestNeighbors", lambda: NearestNeighbors(n_neighbors=1).fit(xy).kneighbors()[0][:, 0]


def _knox(xy: np.ndarray, days: np.ndarray) -> Callable[[], Any]:
    import pointpats

    def run() -> float:
        np.random.seed(1)  # noqa: NPY002  # pointpats draws from the global generator, and shuffles what it is given
        return float(pointpats.knox(xy, days[:, None].copy(), 0.3, 14, permutations=999)["stat"])

    return run
